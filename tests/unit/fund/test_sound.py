"""A live fund refuses what cannot have happened, before anything changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from steelyard.errors import InputError
from steelyard.fund.events import NOTHING_DUE, Charges, Event, Filled, Inputs, Observed
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import new_state
from steelyard.fund.step import step
from steelyard.fund.terms import fund_terms
from steelyard.rules.numbers import DECIMAL18, FLOAT, Number
from steelyard.rules.series import Reserve
from support.random_runs import example_series
from support.tokens import T0

Make = Callable[[Callable[[object], Any]], Event[Any]]


def fill(of: Callable[[object], Any], units: object, notional: object, **more: Any) -> Filled[Any]:
    """A fill at 7200, without cost."""
    free = Charges(of(0), of(0), of(0), of(0))
    return Filled(T0, of(7_200), of(units), of(notional), free)._replace(**more)


def seen(of: Callable[[object], Any], price: object = 7_200, **more: Any) -> Observed[Any]:
    """An observation an hour after the launch."""
    return Observed(T0 + 3_600, of(price), False, (), (NOTHING_DUE,))._replace(**more)  # type: ignore[arg-type]


UNSOUND: dict[str, Make] = {
    "a fill that is no number": lambda of: fill(of, "nan", "nan"),
    "a cost that is no number": lambda of: fill(
        of, 1, 7_200, charges=Charges(of("inf"), of(0), of(0), of(0))
    ),
    "a notional of other units": lambda of: fill(of, "0.001", 50_000),
    "a notional of the other sign": lambda of: fill(of, 5, -36_000),
    "a notional of no units": lambda of: fill(of, 0, 5_000),
    "a fill at a price below 0": lambda of: fill(of, 1, -7_200, price=of(-7_200)),
    "a fund that is not there": lambda of: fill(of, 1, 7_200, place=-1),
    "a price of 0": lambda of: seen(of, 0),
    "a price that is no number": lambda of: seen(of, "nan"),
    "a clock that went back": lambda of: seen(of, time=T0 - 1),
    "an injection that takes": lambda of: seen(of, injections=((of(-20_000), True),)),
    "a split into nothing": lambda of: seen(of, inputs=(Inputs(splits=(of(0),)),)),
    "inputs of no fund": lambda of: seen(of, inputs=()),
    "a redemption of more than there is, with funding": lambda of: seen(
        of, inputs=(Inputs(funding=(of("0.001"),), flows=(of(-5_000),)),)
    ),
}


@pytest.mark.parametrize("number", [FLOAT, DECIMAL18], ids=lambda number: number.name)
@pytest.mark.parametrize("name", UNSOUND)
def test_what_cannot_have_happened_changes_nothing(name: str, number: Number[Any]) -> None:
    """The fund is as it was, so that a driver can go on: funding is not paid twice, for one."""
    series = replace(example_series(), reserve=Reserve(initial_units=1.5))
    with number.context():
        group = Group([Fund(fund_terms(series, number), new_state(series, number))])
        state, of = group.funds[0].state, number.of
        step(group, seen(of, time=T0))
        intent = state.intent
        assert intent is not None
        step(group, fill(of, intent.units, intent.sent))
        before = state.copy()
        with pytest.raises(InputError):
            step(group, UNSOUND[name](of))
        assert state == before


def test_splits_restate_so_many_requests_at_most() -> None:
    """What would take minutes is refused at once, and one split of the same requests is not."""
    series = replace(example_series(), reserve=Reserve(initial_units=1.5))
    number = DECIMAL18
    with number.context():
        group = Group([Fund(fund_terms(series, number), new_state(series, number))])
        state, of = group.funds[0].state, number.of
        step(group, seen(of, time=T0))
        assert state.intent is not None
        step(group, fill(of, state.intent.units, state.intent.sent))
        step(group, seen(of, inputs=(Inputs(flows=(of("0.001"),) * 1_000),)))
        assert len(state.intent.requests) == 1_000
        splits = Inputs(splits=(of(2),) * 101)
        with pytest.raises(InputError, match="at most 100,000 requests to convert, found 101,000"):
            step(group, seen(of, time=T0 + 7_200, inputs=(splits,)))
        step(group, seen(of, time=T0 + 7_200, inputs=(Inputs(splits=(of(2),)),)))
        assert state.intent.requests[0].tokens == of("0.002")
