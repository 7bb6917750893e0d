"""The keeper's books on Decimals beside a backtest on floats: the same rebalances, to 1e-9."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from steelyard.market import sample_prices
from steelyard.rules.presets import preset, preset_names
from steelyard.simulation.journals import Journal
from steelyard.simulation.run import simulate
from support.feeding import fed, others_in
from support.paper_keeper import kept

SPAN = {"start": "2020-02-01", "end": "2020-05-01"}
FUNDING = {
    "time": range(1_580_515_200, 1_588_291_200, 28_800),
    "rate": [0.0001, -0.00005, 0.0003] * 90,
}
SAME = ("time", "trigger", "side")
NEAR = ("units", "price", "notional", "nav_before", "nav_after", "fee", "spread")
CLOSE = 1e-9


@pytest.mark.parametrize("intrabar", ["close", "path"])
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_the_rebalances_of_a_backtest_on_floats(
    name: str, intrabar: str, tmp_path: Path
) -> None:
    """As many, with the times, triggers and sides; sizes, prices and nav to 1e-9 of each."""
    series, prices = preset(name), sample_prices("BTC")
    given = {**SPAN, "intrabar": intrabar}
    if series.venue.kind == "perpetual":
        given["funding"] = FUNDING
    run = simulate(series, fed(prices, given), **others_in(given))
    place = tmp_path / "live.journal"
    asyncio.run(kept(place, series, prices, given))
    with Journal.open(place) as journal:
        trades = journal.rebalances
    # the venue closes a position that it liquidates by a trade, which is no rebalance
    is_asked = trades["trigger"] != "none"
    found, expected = trades[is_asked], run.rebalances
    is_liquidated = run.state.ended is not None and run.state.ended.reason == "liquidated"
    assert (~is_asked).sum() == is_liquidated
    assert len(found) == len(expected) >= 1
    for column in SAME:
        assert list(found[column]) == list(expected[column])
    for column in NEAR:
        np.testing.assert_allclose(found[column], expected[column], rtol=CLOSE, err_msg=column)
