"""A token of a shelf in its present state, given by its books or by published figures.

The books of a token are the ``State`` of a simulation, so that a forecast makes the same decisions
as a simulation would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steelyard.errors import InputError
from steelyard.fund.state import State, new_state
from steelyard.market import format_time
from steelyard.rules.due_instants import clocks_from
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
    """One token in its present state: its books (``cash`` and ``units``), or its ``assets``.

    Attributes:
        name: name of the token on the shelf.
        series: rule, venue and costs of the token.
        cash: cash in quote, negative where borrowed; None where the books are not known.
        units: units of the underlying, negative for a short; None where the books are not known.
        assets: net asset value in quote, used where the books are not known.
        leverage: present leverage, signed, used with ``assets``; None: the target leverage.
        last_rebalance: time of the last rebalance, epoch s; None: the present time.
        reference: price of the last rebalance; None: the present price.
        reserve_units: units that its reserve holds; None: as many as are worth the token's nav.
        state: the complete state of a simulated token; the other figures are then None.
        book: columns of the order book on which it trades; None: the book that its series names.
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
        """The token of a run, in its final state; ``name`` defaults to the series' symbol."""
        book = run._book  # noqa: SLF001 (a feed's book replaces the series' own)
        return cls(name or run.series.symbol, run.series, state=run.state, book=book)

    def state_at(self, price: float, time: int) -> State[float]:
        """A copy of its books at a price and a time (epoch s).

        Raises:
            InputError: the state of the token is later than the time, or its nav is zero or less at
                the price.
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
                f"{self.name}: expected books with a nav above 0, found {nav:,.10g} "
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
