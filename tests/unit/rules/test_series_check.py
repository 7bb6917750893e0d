"""A series made in Python is held to what a series file may say, by the rules of the file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from steelyard.errors import InputError
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Execution,
    Fees,
    Interval,
    Rebalance,
    Reserve,
    Series,
    Venue,
)
from steelyard.rules.series_check import check_series
from support.series_texts import EXAMPLE


def made(**parts: Any) -> Series:
    """A series with these parts, and a band."""
    how = {"rebalance": Rebalance(band=Band(2.5, 3.5)), **parts}
    return Series("BTC3L", "BTC", "USDT", how.pop("target_leverage", 3.0), **how)


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_one_that_a_file_can_say(name: str) -> None:
    """They are files."""
    check_series(preset(name), name)


def test_a_file_with_every_key_is_one_that_a_file_can_say() -> None:
    """As an object it still says what its file said."""
    check_series(Series.loads(EXAMPLE), "series")


UNSAYABLE: dict[str, tuple[Series, str]] = {
    "no leverage": (made(target_leverage=0.0), "target_leverage"),
    "a rebate": (made(costs=Costs(half_spread_bps=-5.0)), "costs.half_spread_bps"),
    "a fee of text": (made(costs=Costs(taker_fee_bps="5")), "costs.taker_fee_bps"),
    "an unknown impact": (made(costs=Costs(impact="free")), "costs.impact"),
    "a fee of more than all": (made(fees=Fees(management_per_year=2.0)), "management_per_year"),
    "a band beside its target": (made(rebalance=Rebalance(band=Band(3.1, 3.5))), "lower"),
    "a time before midnight": (made(rebalance=Rebalance(daily=Daily(-60))), "at"),
    "an interval of nothing": (made(rebalance=Rebalance(interval=Interval(0))), "every"),
    "a delay into the past": (made(execution=Execution(delay_s=-1)), "execution.delay"),
    "an unknown payer": (made(reserve=Reserve(bears=("all",))), "reserve.bears"),
    "another venue's key": (made(venue=Venue("perpetual", rate_per_year=0.1)), "rate_per_year"),
    "an unknown venue": (made(venue=Venue("moon")), "venue.kind"),
    "a liquidation at its target": (made(venue=Venue(maintenance_margin=0.5)), "maintenance"),
    "an amount beyond all": (made(initial_nav=float("inf")), "initial_nav"),
    "a move to an edge that is none": (made(rebalance=Rebalance(move_to="edge")), "move_to"),
    "no lower edge, and both act": (
        made(rebalance=Rebalance(band=Band(None, 3.5))),  # only delever_only has none
        "lower",
    ),
}


@pytest.mark.parametrize("name", UNSAYABLE)
def test_what_no_file_can_say_is_refused_by_its_key(name: str) -> None:
    """The message is that of a series file: the key, what was found and what is allowed."""
    series, key = UNSAYABLE[name]
    with pytest.raises(InputError, match=key):
        check_series(series, "its series")


def test_where_a_book_lies_is_no_matter() -> None:
    """A series file's book is found beside it, wherever that is."""
    costs = Costs(impact="book", book="/somewhere/else/book.parquet")
    check_series(made(costs=costs), "series")
    check_series(replace(made(), costs=replace(costs, book="book.parquet")), "series")
