"""A token of a shelf: as it stands now, one's own by its books, another's by what it publishes.

A token's books are the ``State`` that a simulation carries, so that what it will do is what the
simulation would make it do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steelyard.errors import InputError
from steelyard.fund.state import State, new_state
from steelyard.market import format_time
from steelyard.rules.clocks import clocks_from
from steelyard.rules.futures import mark_factor
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steelyard.simulation.run import Run

__all__ = ["Token"]


@dataclass(frozen=True)
class Token:
    """One token as it stands: its books (``cash`` and ``units``), or its ``assets``.

    Attributes:
        name: its own on the shelf.
        series: its rule, venue and costs.
        cash: quote, negative where borrowed; None where the books are not known.
        units: of the underlying, negative for a short.
        assets: quote, where the books are not known.
        leverage: signed, beside ``assets``; None: its target.
        last_rebalance: epoch s; None: just now.
        reference: price of the last rebalance; None: the present price.
        reserve_units: what its reserve holds; None: as much as the token is worth.
        state: all of this and more, of a token that was simulated; then the rest is None.
        book: the columns of the book that it trades on; None: that of its series.
    """

    name: str
    series: Series
    cash: float | None = None
    units: float | None = None
    assets: float | None = None
    leverage: float | None = None
    last_rebalance: int | None = None
    reference: float | None = None
    reserve_units: float | None = None
    state: State[float] | None = None
    book: Sequence[Sequence[float]] | None = None

    @classmethod
    def of_run(cls, run: Run, name: str | None = None) -> Token:
        """The token that a simulation has brought to the end of its history."""
        book = run._book  # noqa: SLF001 (a feed may have had another than the series names)
        return cls(name or run.series.symbol, run.series, state=run.state, book=book)

    def state_at(self, price: float, time: int) -> State[float]:
        """Its books at a price and an instant, a copy.

        Raises:
            InputError: it stands later than that, or nothing is left of it at that price.
        """
        if self.state is not None:
            self._check_time(self.state.time, time, "a state")
            return self.state.copy()
        self._check_time(self.last_rebalance, time, "a last rebalance")
        series, state = self.series, new_state(self.series, FLOAT)
        if self.cash is not None and self.units is not None:
            state.cash, state.units = self.cash, self.units
        else:
            assets = self.assets or 0.0
            exposure = (self.leverage or series.target_leverage) * assets
            state.cash, state.units = assets - exposure, exposure / price
        nav = nav_of(state.cash, state.units, price)
        if nav <= 0:
            message = (
                f"{self.name}: expected books of some worth, found a nav of {nav:,.10g} "
                f"{series.quote} at the price {price:,.10g}; check cash, units and the price."
            )
            raise InputError(message, token=self.name, nav=nav, price=price)
        state.time, state.price = time, price
        state.reference = self.reference or price
        state.last_rebalance = time if self.last_rebalance is None else self.last_rebalance
        clocks = clocks_from(series, time)
        state.next_interval, state.next_daily = clocks.next_interval, clocks.next_daily
        if series.venue.kind == "future":
            state.expiry = clocks.expiry
            state.mark = mark_factor(series.venue.basis_per_year, clocks.expiry, time)
        if series.reserve is not None:
            state.reserve.units = nav / price if self.reserve_units is None else self.reserve_units
            state.reserve.next_allocation = clocks.next_allocation
        return state

    def _check_time(self, stands: int | None, time: int, what: str) -> None:
        if stands is not None and stands > time:
            message = (
                f"{self.name}: expected {what} at or before {format_time(time)}, the time of the "
                f"forecast, found {format_time(stands)}; give a later time."
            )
            raise InputError(message, token=self.name, found=stands, time=time)
