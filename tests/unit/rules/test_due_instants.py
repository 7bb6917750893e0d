"""The first instants after a launch are those that a simulation's launch sets."""

from __future__ import annotations

from hypothesis import given

from steelyard.rules.due_instants import clocks_from
from steelyard.rules.series import Daily, Interval, Reserve, Venue
from steelyard.simulation.run import simulate
from support.situations import Situation, situations
from support.tokens import DAY_S, T0, closes, token


@given(situations())
def test_a_launch_sets_the_first_instants(case: Situation) -> None:
    """Of any series: what a run of one bar leaves behind is what the rules say."""
    series, bars = case.series, case.bars.slice(0, 1)
    state = simulate(series, bars, intrabar="close").state
    clocks = clocks_from(series, int(bars.end_times[0]))
    if state.ended is None:
        found = (state.next_interval, state.next_daily, state.expiry)
        assert found == (clocks.next_interval, clocks.next_daily, clocks.expiry)
        assert state.reserve.next_allocation == clocks.next_allocation


def test_every_clock_is_set_after_the_launch_and_none_that_is_not_there() -> None:
    """By hand: an interval from its anchor, a day's instant, a reserve's next allocation."""
    how = {"interval": Interval(3_600, 600), "daily": Daily(7_200)}
    series = token(**how, reserve=Reserve(allocation_every_s=DAY_S), venue=Venue("future"))
    # on the instants themselves the next ones are meant
    clocks = clocks_from(series, T0 + 7_200)
    assert clocks.next_interval == T0 + 7_800
    assert clocks.next_daily == T0 + DAY_S + 7_200
    assert clocks.next_allocation == T0 + DAY_S + 7_200
    assert clocks.expiry == T0 + 86 * DAY_S + 8 * 3_600
    assert clocks_from(token(), T0) == (0, 0, 0, 0)
    assert simulate(token(), closes(100.0)).state.next_daily == 0
