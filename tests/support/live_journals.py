"""Journals of live funds: written beside funds that are driven by hand, each observation a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from steelyard.fund.events import Charges, Filled, Inputs, Observed
from steelyard.fund.group import Group
from steelyard.fund.state import new_state
from steelyard.fund.step import step
from steelyard.ledger import Event
from steelyard.ledger.recorder import Recorder
from steelyard.ledger.series_rows import books_for
from steelyard.rules.numbers import Number
from steelyard.rules.series import Band, Fees, Series
from support.fund_life import RESERVE, group_of
from support.tokens import T0, token

__all__ = ["Told", "live_fund"]

HOUR_S = 3_600
Write = Callable[[Sequence[Event]], object]


class Told:
    """Writes the journal of a live group beside it: each observation is a row."""

    def __init__(self, series: list[Series], number: Number[Any], write: Write) -> None:
        states = [new_state(each, number) for each in series]
        name = RESERVE if len(series) > 1 else None
        pairs = list(zip(series, states, strict=True))
        books = books_for(pairs, number, intrabar=None, is_model=False, name=name)
        self._recorder = Recorder(books, write, every=True)

    def look(self, _: Group, event: Any, effects: list[Any]) -> None:
        """One more event, with what followed, on the disk when this returns."""
        self._recorder.step(event, effects)
        self._recorder.flush()

    def stop(self) -> None:
        """Its writer stops."""
        self._recorder.stop()


def live_fund(write: Write, number: Number[Any], symbol: str = "TEST") -> None:
    """A token's first ten hours: launched, filled, funding paid, rebalanced at the band."""
    series = token(band=Band(2.5, 3.5), fees=Fees(management_per_year=0.02))
    series = replace(series, symbol=symbol)
    group, of = group_of([series], number), number.of
    told = Told([series], number, write)

    def tell(event: Any) -> None:
        told.look(group, event, step(group, event))

    with number.context():
        for hour, figure in enumerate((100, 101, 99, 97, 95, 92, 93, 96, 98, 104)):
            time, price = T0 + hour * HOUR_S, of(figure)
            due = Inputs(funding=(of("0.0001"),) if hour in (4, 8) else ())
            tell(Observed(time, price, False, (), (due,)))
            intent = group.funds[0].state.intent
            if intent is not None:
                notional = intent.units * price
                fee = number.amount(abs(notional) * of("0.0005"))
                charges = Charges(fee, fee * 0, fee * 0, fee * 0)
                tell(Filled(time, price, intent.units, notional, charges))
