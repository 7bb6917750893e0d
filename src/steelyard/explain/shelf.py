"""A shelf: tokens as they stand now, one's own by their books, others by what they publish.

``Shelf.load`` reads a file of ``[[token]]`` tables (``shelf_file`` says what may be in it). A
token's books are the ``State`` that a simulation carries, so that what it will do is what the
simulation would make it do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from steelyard.errors import InputError
from steelyard.fund.state import State, new_state
from steelyard.market import format_time
from steelyard.market.times import DAY_S
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Series
from steelyard.rules.triggers import next_instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steelyard.simulate.run import Run

__all__ = ["Shelf", "Token"]


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

    @classmethod
    def of_run(cls, run: Run, name: str | None = None) -> Token:
        """The token that a simulation has brought to the end of its history."""
        return cls(name or run.series.symbol, run.series, state=run.state)

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
        _set_clocks(state, series, time)
        if series.reserve is not None:
            state.reserve.units = nav / price if self.reserve_units is None else self.reserve_units
            state.reserve.next_allocation = time + series.reserve.allocation_every_s
        return state

    def _check_time(self, stands: int | None, time: int, what: str) -> None:
        if stands is not None and stands > time:
            message = (
                f"{self.name}: expected {what} at or before {format_time(time)}, the time of the "
                f"forecast, found {format_time(stands)}; give a later time."
            )
            raise InputError(message, token=self.name, found=stands, time=time)


def _set_clocks(state: State[float], series: Series, time: int) -> None:
    """The instants that are due next, and the future that is held."""
    how, venue = series.rebalance, series.venue
    if how.interval is not None:
        state.next_interval = next_instant(how.interval.every_s, how.interval.anchor_s, time)
    if how.daily is not None:
        state.next_daily = next_instant(DAY_S, how.daily.at_s, time)
    if venue.kind == "future":
        state.expiry = contract_at(time, round(venue.roll_days * DAY_S))
        state.mark = mark_factor(venue.basis_per_year, state.expiry, time)


@dataclass(frozen=True)
class Shelf:
    """Tokens on one underlying, as they stand at one price.

    Attributes:
        tokens: of different names.
        underlying: what all of them hold a multiple of.
        quote: what they are counted in.
        price: of the underlying; None where it is not known.
        time: epoch s; None where it is not known.
        source: the file as it was named, or ``shelf``.
    """

    tokens: tuple[Token, ...]
    underlying: str
    quote: str = "USDT"
    price: float | None = None
    time: int | None = None
    source: str = "shelf"

    @classmethod
    def load(cls, path: str | Path) -> Shelf:
        """Read a shelf file; series files are found from where it lies, presets by their names.

        Raises:
            InputError: where the file cannot be read, or says what no shelf can be; the message
                names the file, the token, the key, what was found and what is allowed.
        """
        from steelyard.explain.shelf_file import load_shelf

        return load_shelf(path)

    @classmethod
    def loads(cls, text: str, name: str = "shelf") -> Shelf:
        """Read a shelf from TOML text; series files are found from the present folder.

        Raises:
            InputError: as ``load`` does.
        """
        from steelyard.explain.shelf_file import parse_shelf

        return parse_shelf(text, name)

    @classmethod
    def of_runs(cls, runs: Sequence[Run]) -> Shelf:
        """The tokens of several simulations, at the last price of the first.

        Raises:
            InputError: there is none, or one is no run, has ended or was not made in floats, or two
                have one name, or they differ in their underlying.
        """
        from steelyard.explain.shelf_file import checked
        from steelyard.simulate.run import Run, check_kind

        if not runs:
            raise InputError("shelf: expected at least one run, found none.")
        for run in runs:
            check_kind("run", run, Run, "sy.simulate")
        first = runs[0]
        made = cls(
            tuple(Token.of_run(run) for run in runs),
            first.series.underlying,
            first.series.quote,
            float(first.prices.close[-1]),
            int(first.prices.end_times[-1]),
        )
        return checked(made)

    @classmethod
    def of_series(cls, *series: Series) -> Shelf:
        """Series as at their launch: at their targets, with their first assets.

        Raises:
            InputError: there is none, or they do not go together.
        """
        from steelyard.explain.shelf_file import checked

        if not series:
            raise InputError("shelf: expected at least one series, found none.")
        tokens = tuple(
            Token(each.symbol, each, assets=each.initial_nav * each.initial_tokens)
            for each in series
        )
        return checked(cls(tokens, series[0].underlying, series[0].quote))

    def at(self, price: float | None = None, time: int | None = None) -> Shelf:
        """The shelf at another price or time; None keeps what it has."""
        return replace(
            self,
            price=self.price if price is None else price,
            time=self.time if time is None else time,
        )

    def __len__(self) -> int:
        return len(self.tokens)

    def __repr__(self) -> str:
        names = ", ".join(token.name for token in self.tokens[:4])
        more = f" and {len(self) - 4} more" if len(self) > 4 else ""  # noqa: PLR2004 (as above)
        return f"<Shelf of {self.underlying}: {names}{more}>"
