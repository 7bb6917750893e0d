"""Hourly health of a reserve: a keeper's journal says what the backtest's says, to the digit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.ledger import Journal
from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset
from steelyard.simulation.run import simulate
from support.feeding import fed, others_in
from support.paper_keeper import kept

BEGAN = 1_582_156_800
DAYS = sample_prices("BTC").between("2020-01-01", "2022-12-01")
NO_PRICE = (300, 640, 641)
"""Hours without a bar, as while an exchange is down."""
HOURS = {
    "time": np.delete(np.arange(BEGAN, BEGAN + 3_600 * len(DAYS), 3_600), NO_PRICE),
    **{
        name: np.delete(1_000 * getattr(DAYS, name) ** 0.25, NO_PRICE)
        for name in ("open", "high", "low", "close")
    },
}
"""The days of the sample as if each were an hour, a quarter as wild: a thousand hours."""


def hours(place: Path) -> dict[int, Any]:
    """The price and the health of each full hour that a journal tells of."""
    with Journal.open(place) as journal:
        rows = list(journal.events(kinds=["mark", "health"]))
    marks = {row.time_ms: row.fields["price"] for row in rows if row.kind == "mark"}
    told = ("time", "fund", "kind", "hash", "seq")
    return {
        row.time_ms: (
            marks[row.time_ms],
            {name: each for name, each in row.fields.items() if name not in told},
        )
        for row in rows
        if row.kind == "health"
    }


@pytest.mark.parametrize("intrabar", ["close", "path"])
@pytest.mark.parametrize("name", ["oracle-3l", "oracle-1s"])
def test_the_health_of_each_hour_is_that_of_the_reference(
    name: str, intrabar: str, tmp_path: Path
) -> None:
    """Over a thousand hours, also where a rebalance fills in the second of a mark.

    The last hour's own stands in the keeper's journal once something happens after it.
    """
    series, given = preset(name), {"intrabar": intrabar}
    place, live = tmp_path / "reference.journal", tmp_path / "live.journal"
    simulate(
        series,
        HOURS,
        number=DECIMAL18,
        engine="reference",
        journal=place,
        **given,  # type: ignore[arg-type]
    )
    asyncio.run(kept(live, series, HOURS, given))
    expected, found = hours(place), hours(live)
    assert len(expected) > 1_000
    last = max(expected)
    del expected[last]
    assert found == expected
    with Journal.open(live) as journal:
        fills = {row.time_ms for row in journal.events(kinds=["filled"])}
    assert fills & found.keys()


@pytest.mark.parametrize("name", ["oracle-3l", "oracle-1s"])
def test_the_health_of_each_real_hour_is_that_of_the_reference(
    name: str, history: Callable[[str], Path], tmp_path: Path
) -> None:
    """Over the thousand hours from May 2021 on, in which bitcoin fell by half, with its funding."""
    series = preset(name)
    given: dict[str, Any] = {
        "start": "2021-05-01",
        "end": "2021-06-13",
        "intrabar": "path",
        "funding": str(history("funding/BTC-USDT-perp-binance.parquet")),
    }
    prices = str(history("prices/BTC-USDT-spot-1h.parquet"))
    place, live = tmp_path / "reference.journal", tmp_path / "live.journal"
    feed, how = fed(prices, given), others_in(given)
    simulate(series, feed, number=DECIMAL18, engine="reference", journal=place, **how)
    asyncio.run(kept(live, series, prices, given))
    expected, found = hours(place), hours(live)
    assert len(expected) > 1_000
    del expected[max(expected)]  # the keeper tells it once something happens after it
    assert found == expected


def test_an_hour_is_told_once_where_a_keeper_is_killed_before_its_mark(tmp_path: Path) -> None:
    """A restart at each of some hours: nothing is told twice and nothing is left out."""
    series, given = preset("oracle-1s"), {"intrabar": "close"}
    whole, live = tmp_path / "whole.journal", tmp_path / "live.journal"
    asyncio.run(kept(whole, series, HOURS, given))
    for hour in (1, 2, 3, 200, 201, 5_000):
        until_ms = (BEGAN + hour * 3_600) * 1_000
        asyncio.run(kept(live, series, HOURS, given, until_ms))
    assert hours(live) == hours(whole)
    with Journal.open(live) as journal:
        times = [row.time_ms for row in journal.events(kinds=["mark"])]
    assert len(set(times)) == len(times)
