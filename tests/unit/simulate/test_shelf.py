"""Several series on one reserve: who is served, who gives way, and that no money is made."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from steelyard.market import Prices
from steelyard.rules.series import Series, Venue
from support.pools import balanced_shelf, pool_tokens, wild_bars
from support.strategies import MODES


@st.composite
def shelves(draw: st.DrawFn) -> list[Series]:
    """Two or three tokens, some of which have the reserve as their counterparty."""
    members = draw(st.lists(pool_tokens(), min_size=2, max_size=3))
    others = draw(st.sampled_from([0, 1]))
    return [*members[others:], *(replace(each, venue=Venue()) for each in members[:others])]


@settings(max_examples=150)
@given(shelves(), wild_bars(), MODES)
def test_tokens_and_their_reserve_are_worth_the_same_whatever_happens(
    members: list[Series], history: Prices, mode: str
) -> None:
    """Every settlement and trade of every token, to the last digit, but for what others get.

    And after every step the net exposure is what the reserve can carry.
    """
    shelf = balanced_shelf(members, members[0].reserve, history, mode)
    event(f"exhausted: {shelf.reserve.state.units == 0}")
    event(f"ended: {sum(replay.state.ended is not None for replay in shelf.replays)}")
