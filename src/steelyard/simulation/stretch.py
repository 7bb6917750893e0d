"""What accrues at every bar of a quiet stretch, all bars at once.

With the growth g of cash, the fee f on nav and the growth h of borrowed units over each step, a
stretch in which nothing is traded is a linear recurrence (``rules.accruals``, in its order)::

    units[i] = units[i-1] (1 + h[i]), or of a future units[0] mark[i] / mark[0]
    cash[i] = (cash[i-1] - paid[i]) (1 + g[i]) (1 - f[i]) - f[i] units[i] price[i]

Borrowed spot pays no funding. Beside a perpetual or a future all of nav earns g, not cash alone::

    cash[i] = ((cash[i-1] - paid[i]) (1 + g[i]) + g[i] units[i] price[i]) (1 - f[i]) - f[i] ...

whose solution is a product and a sum over the bars so far. It agrees with taking the steps one by
one to the rounding of each (over eight years of hours, to 1e-12).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from steelyard.fund.effects import Accrued
from steelyard.fund.state import State
from steelyard.fund.terms import FundTerms
from steelyard.rules.accruals import YEAR_S
from steelyard.rules.futures import mark_factor
from steelyard.simulation.growth import grown_by, log_of_growth

__all__ = ["Accruals"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_DRIFT = 2e-3
"""Share of cash by which a stretch may let it drift before its thresholds are worked out anew."""


class Reach(NamedTuple):
    """How far cash (quote) and units (share) can drift over a stretch, at most."""

    cash: float
    units: float


class Accruals:
    """What a fund pays and earns at every bar.

    Args:
        terms: of the fund.
        highest_rate: the largest size of any rate per year that cash may be charged.
    """

    def __init__(self, terms: FundTerms[float], highest_rate: float) -> None:
        venue = terms.venue
        self.symbol, self.fee_share = terms.symbol, terms.fee_share
        self.spot = venue.spot
        self.venue = venue
        self.management = terms.management
        self.units_rate = venue.units_borrow_rate if venue.spot else 0.0
        spreads = abs(venue.borrow_spread) + abs(venue.supply_spread)
        self.cash_rate = highest_rate + spreads if venue.spot else 0.0
        self.has_interest = terms.has_interest
        earns = self.has_interest and not self.spot
        self.nav_rate = self.management + (highest_rate if earns else 0.0)
        self.basis = terms.basis if terms.is_future else 0.0
        fastest = self.cash_rate + self.nav_rate + abs(self.units_rate) + abs(self.basis)
        self.any = fastest > 0
        self.most_s = int(MOST_DRIFT * YEAR_S / fastest) if self.any else 0

    def columns(self, bars: int, *, funded: bool) -> dict[str, Floats]:
        """The figures that move at every bar, to be filled in."""
        names = ["cash"] * self.any
        names += ["interest"] * self.has_interest
        names += ["units"] * (self.units_rate != 0 or self.basis != 0)
        names += ["management"] * (self.management > 0)
        names += ["funding"] * funded
        return {name: np.empty(bars) for name in names} if self.any else {}

    def reach(self, state: State[float], seconds: int, highest_price: float) -> Reach:
        """How far it can go in ``seconds`` at prices up to ``highest_price``, and a little more."""
        years = 1.1 * seconds / YEAR_S
        units_room = abs(self.units_rate) * years
        if self.basis != 0 and state.time is not None:
            # from now on the mark comes nearer to the price, and nothing else
            last = mark_factor(self.basis, state.expiry, state.time + seconds)
            units_room = 1.1 * abs(last / state.mark - 1.0)
        cash = abs(state.cash)
        assets = cash + abs(state.units) * (1.0 + units_room) * highest_price
        return Reach((self.cash_rate * cash + self.nav_rate * assets) * years, units_room)

    def effect(
        self,
        state: State[float],
        columns: dict[str, Floats],
        first: int,
        times: Ints,
        price: Floats,
        rate: float,
        funding: Floats | None,
    ) -> Accrued[float]:
        """What accrues over bars, none of which changes the sign of cash; fills their columns.

        Args:
            state: as it is before the first of them.
            columns: of ``columns``; their rows from ``first`` on are filled in.
            first: the first bar.
            times: epoch s of the observation before the first, and of each.
            price: at each observation.
            rate: per year, in force all the while.
            funding: the sum of the funding rates paid at each; None for none.
        """
        sums, cash, units = state.totals, state.cash, state.units
        interest = management = 0.0
        payments: tuple[float, ...] = ()
        pending_fees = state.reserve.pending_fees
        years: Floats = np.diff(times).astype(np.float64) / YEAR_S
        rows = slice(first, first + len(price))
        held, mark = self._held(state, times, years)
        value = held * price
        fee = self.management * years
        out = np.zeros(1) if funding is None else value * funding
        grown: Floats | float = 0.0
        earned: Floats | float = 0.0
        if self.spot:
            spread = self.venue.borrow_spread if cash < 0 else -self.venue.supply_spread
            grown = (rate + spread) * years
        elif self.has_interest:
            grown = rate * years
            earned = grown * (value - out)
        change = (earned - out) * (1.0 - fee) - fee * value
        growth = _compounded(grown - fee - grown * fee)
        moved = (1.0 + growth) * np.cumsum(change / (1.0 + growth))
        after = cash + (cash * growth + moved)
        before = np.concatenate(([cash], after[:-1]))
        if self.has_interest:
            paid = -before * grown - earned
            if self.spot and isinstance(held, np.ndarray):
                paid += np.diff(held, prepend=units) * -price
            so_far = np.cumsum(paid)
            columns["interest"][rows] = sums.interest + so_far
            interest = float(so_far[-1])
        if funding is not None:
            so_far = np.cumsum(out)
            columns["funding"][rows] = sums.funding + so_far
            payments = (float(so_far[-1]),)
        elif "funding" in columns:
            columns["funding"][rows] = sums.funding
        if self.management > 0:
            fees = np.cumsum(fee * (before * (1.0 + grown) + earned - out + value))
            columns["management"][rows] = sums.management + fees
            management = float(fees[-1])
            pending_fees += management * self.fee_share
        columns["cash"][rows] = after
        if "units" in columns:
            columns["units"][rows] = held
            units = float(held[-1]) if isinstance(held, np.ndarray) else held
        time, last = int(times[-1]), float(price[-1])
        cash = float(after[-1])
        return Accrued(
            self.symbol,
            time,
            last,
            None,
            payments,
            interest,
            management,
            cash,
            units,
            mark,
            pending_fees,
        )

    def _held(
        self, state: State[float], times: Ints, years: Floats
    ) -> tuple[Floats | float, float]:
        """Units at each observation, and the mark at the last."""
        units, mark = state.units, state.mark
        held: Floats | float = units
        if units < 0 and self.units_rate != 0:
            held = units + units * _compounded(self.units_rate * years)
        if self.basis != 0:
            left_s = np.maximum(state.expiry - times[1:], 0)
            marks = 1.0 + self.basis * left_s / YEAR_S
            held = units / mark * marks
            mark = float(marks[-1])
        return held, mark


def _compounded(rates: Floats) -> Floats:
    """``(1 + rates[0]) (1 + rates[1]) ... - 1`` up to each.

    By logarithms: a rate of a millionth keeps six digits less where it is added to one, and the
    same rate at every bar would lose the same ones each time.
    """
    return grown_by(np.cumsum(log_of_growth(rates)))
