"""A fund on a paper account has, digit for digit, the books of the backtest's reference loop."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset, preset_names
from steelyard.simulation.run import simulate
from steelyard.venues.paper.venue import open_paper
from support.feeding import fed, others_in
from support.paper_funds import HandKeeper, now

START, END = "2020-02-01", "2020-05-01"
FUNDING = {
    "time": range(1_580_515_200, 1_588_291_200, 28_800),
    "rate": [0.0001, -0.00005, 0.0003] * 90,
}
RATES = {"time": [1_580_515_200, 1_583_200_000, 1_585_000_000], "rate": [0.05, 0.08, 0.02]}


@pytest.mark.parametrize("intrabar", ["close", "path"])
@pytest.mark.parametrize("name", preset_names())
def test_every_preset_has_the_digits_of_the_reference(
    name: str, intrabar: str, tmp_path: Path
) -> None:
    """Through the crash of March 2020, with funding or rates: state and cash at the venue."""
    series = preset(name)
    given = {"rates": RATES} if series.venue.kind == "spot" else {"funding": FUNDING}
    span = {"start": START, "end": END, "intrabar": intrabar}
    feed, how = fed(sample_prices("BTC"), {**given, **span}), others_in(span)
    expected = simulate(series, feed, number=DECIMAL18, engine="reference", **how).state
    venue = open_paper(tmp_path / "paper.db", series, feed, **how)
    keeper = HandKeeper(series, venue)
    keeper.run()
    found = keeper.state
    differ = {each.name for each in fields(found)}
    differ = {each for each in differ if getattr(found, each) != getattr(expected, each)}
    if expected.ended is not None and expected.ended.reason == "liquidated":
        # the backtest charges the last day's time before its end; here the venue did
        differ -= {"time", "price", "totals"}
    assert not differ
    assert keeper.orders > 0
    sums = expected.totals
    if expected.ended is None and sums.management == sums.paid_by_reserve == 0:
        # else the fund and its venue owe each other something, or the wallet goes on to earn
        account = now(venue.position()).value, now(venue.balance()).value
        assert account[0].units == found.units
        assert account[1].wallet - account[0].entry_cost == found.cash
    now(venue.close())
