"""The accruals at every bar of a quiet stretch, computed for all bars at once.

With the growth g of cash, the fee f on nav and the growth h of borrowed units over each step, a
stretch without trades is a linear recurrence (``rules.accruals``, in its order)::

    units[i] = units[i-1] (1 + h[i]); for a future, units[0] mark[i] / mark[0]
    cash[i] = (cash[i-1] - paid[i]) (1 + g[i]) (1 - f[i]) - f[i] units[i] price[i]

Borrowed spot pays no funding. For a perpetual or a future all of nav earns g, not only cash::

    cash[i] = ((cash[i-1] - paid[i]) (1 + g[i]) + g[i] units[i] price[i]) (1 - f[i]) - f[i] ...

The solution is a product and a sum over the bars so far. It agrees with computing the steps one by
one up to the rounding of each (over eight years of hours, to 1e-12).
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

__all__ = ["BulkAccruals"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_DRIFT = 2e-3
"""The share of cash that may drift over a stretch before its thresholds are computed again."""


class DriftBound(NamedTuple):
    """The most that cash (in quote) and units (as a share) can drift over a stretch."""

    cash: float
    units: float


class BulkAccruals:
    """The payments and receipts of a fund at every bar.

    Args:
        terms: the terms of the fund.
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
        """Empty columns for the figures that change at every bar."""
        names = ["cash"] * self.any
        names += ["interest"] * self.has_interest
        names += ["units"] * (self.units_rate != 0 or self.basis != 0)
        names += ["management"] * (self.management > 0)
        names += ["funding"] * funded
        return {name: np.empty(bars) for name in names} if self.any else {}

    def reach(self, state: State[float], seconds: int, highest_price: float) -> DriftBound:
        """The most that can accrue in ``seconds`` at up to ``highest_price``, with a margin."""
        years = 1.1 * seconds / YEAR_S
        units_room = abs(self.units_rate) * years
        if self.basis != 0 and state.time is not None:
            # the mark approaches the price from now on, and does nothing else
            last = mark_factor(self.basis, state.expiry, state.time + seconds)
            units_room = 1.1 * abs(last / state.mark - 1.0)
        cash = abs(state.cash)
        assets = cash + abs(state.units) * (1.0 + units_room) * highest_price
        return DriftBound((self.cash_rate * cash + self.nav_rate * assets) * years, units_room)

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
        """The accruals over bars in which cash keeps its sign; their columns are filled in.

        Args:
            state: the state before the first bar.
            columns: the result of ``columns``; the rows from ``first`` on are filled in.
            first: index of the first bar.
            times: epoch seconds of the observation before the first bar, and of each bar.
            price: price at each observation, shape (bars,).
            rate: interest per year, in force over the whole stretch.
            funding: sum of the funding rates paid at each bar, shape (bars,); None if there are
                none.
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
        """The units at each observation, and the mark at the last."""
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
    """``(1 + rates[0]) (1 + rates[1]) ... - 1``, up to each rate.

    Logarithms keep the precision: a rate of a millionth loses six digits when it is added to one,
    and the same rate at every bar would lose the same digits each time.
    """
    return grown_by(np.cumsum(log_of_growth(rates)))
