"""The keeper on a paper venue has, digit for digit, the books of the backtest's reference loop.

Over real hours one month is run, the one in which bitcoin fell by a third. By hand a year takes
some four minutes: ``STEELYARD_TEST_MONTHS=12 pytest -k real_hours tests/unit/keeper``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.fund.state import State
from steelyard.ledger import Journal
from steelyard.ledger.audit import Audit
from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset, preset_names
from steelyard.simulation.fills import ModelFills
from steelyard.simulation.run import simulate
from support.feeding import fed, others_in
from support.paper_keeper import kept

SPAN = {"start": "2020-02-01", "end": "2020-05-01"}
FUNDING = {
    "time": range(1_580_515_200, 1_588_291_200, 28_800),
    "rate": [0.0001, -0.00005, 0.0003] * 90,
}
RATES = {
    "time": range(1_580_515_200, 1_588_291_200, 100_000),
    "rate": [0.03, 0.2, -0.01] * 26,
}
DUE = {"perpetual": {"funding": FUNDING}, "spot": {"rates": RATES}}
"""What time costs on each kind of venue."""
LAST_DAY = {"perpetual": ("time", "price", "totals"), "spot": ("time", "price")}


MONTHS = int(os.environ.get("STEELYARD_TEST_MONTHS", "1"))
HOURS = {"start": "2021-05-01", "end": f"{np.datetime64('2021-05') + MONTHS}-01"}
FILES = {"perpetual": {"funding": "funding/BTC-USDT-perp-binance.parquet"}, "spot": {}}


def differences(found: State[Decimal], expected: State[Decimal]) -> dict[str, Any]:
    """The parts of two states that are not the same to the last digit."""
    names = [each.name for each in fields(found)]
    pairs = {name: (getattr(found, name), getattr(expected, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("intrabar", ["close", "path"])
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_the_digits_of_the_reference(
    name: str, intrabar: str, tmp_path: Path
) -> None:
    """Through the crash of March 2020, with funding or interest; and the journal's proofs hold."""
    series = preset(name)
    kind = series.venue.kind
    given = {**SPAN, **DUE[kind], "intrabar": intrabar}
    feed, how = fed(sample_prices("BTC"), given), others_in(given)
    expected = simulate(series, feed, number=DECIMAL18, engine="reference", **how).state
    place = tmp_path / "live.journal"
    desk = asyncio.run(kept(place, series, sample_prices("BTC"), given))
    differ = differences(desk.state, expected)
    if expected.ended is not None and expected.ended.reason == "liquidated":
        # the backtest charges the last day's time before its end; here the venue did
        differ = {part: pair for part, pair in differ.items() if part not in LAST_DAY[kind]}
    assert not differ
    assert desk.memory.sequence > 0
    assert not desk.memory.alarms
    with Journal.open(place) as journal:
        assert journal.verify(checks=[Audit(ModelFills())]).ok


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_the_digits_of_the_reference_over_real_hours(
    name: str, history: Callable[[str], Path], tmp_path: Path
) -> None:
    """In ``path``, with the funding that was paid."""
    series = preset(name)
    paid = {key: str(history(file)) for key, file in FILES[series.venue.kind].items()}
    given: dict[str, Any] = {**HOURS, **paid, "intrabar": "path"}
    prices = str(history("prices/BTC-USDT-spot-1h.parquet"))
    feed, how = fed(prices, given), others_in(given)
    expected = simulate(series, feed, number=DECIMAL18, engine="reference", **how)
    desk = asyncio.run(kept(tmp_path / "live.journal", series, prices, given))
    assert not differences(desk.state, expected.state)
    assert desk.memory.sequence == expected.summary["rebalances"]["count"] + 1
    assert not desk.memory.alarms
