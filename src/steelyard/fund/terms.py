"""The terms that never change in a fund's life: its series as scalars of one kind of number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple

from steelyard.rules.costs import CostCurve, CostRates, cost_curve
from steelyard.rules.decide import TradeLimits
from steelyard.rules.liquidation import VenueTerms
from steelyard.rules.numbers import Num, Number
from steelyard.rules.series import Daily, Execution, Fallback, Interval, Reserve, Series
from steelyard.rules.triggers import RebalanceRule

__all__ = ["FundTerms", "Impact", "ReserveTerms", "TradingCosts", "costs_at", "fund_terms"]

DAY_S = 86_400

Impact = tuple[Num, Num]
"""The coefficient (bps for trading a day's volume) and the daily volume (quote) at one time."""


class TradingCosts(NamedTuple, Generic[Num]):
    """The cost rates of trades, and the part of each payer as a curve for sizing."""

    rates: CostRates[Num]
    nav_curve: CostCurve[Num]
    reserve_curve: CostCurve[Num]


@dataclass(frozen=True, slots=True)
class ReserveTerms(Generic[Num]):
    """The terms of a reserve."""

    floor: Num
    """The level below which raising leverage is suspended."""
    resume: Num
    fee_share: Num
    """The share of the issuer's fees that it receives."""
    allocation_every_s: int


@dataclass(frozen=True, slots=True)
class FundTerms(Generic[Num]):
    """The terms of a series as its fund needs them, in units and quote of the whole fund."""

    series: Series
    symbol: str
    number: Number[Num]
    sqrt: Callable[[Num], Num]
    rule: RebalanceRule[Num]
    venue: VenueTerms[Num]
    costs: TradingCosts[Num]
    lot_units: Num
    min_notional: Num
    has_limits: bool
    """Whether the venue limits the sizes of trades."""
    no_limits: TradeLimits[Num]
    delay_s: int
    """The seconds from a decision to its fill, where fills are simulated."""
    cooldown_s: int
    interval: Interval | None
    daily: Daily | None
    fallback: Fallback | None
    has_volatility: bool
    volatility: Num
    window_s: int
    management: Num
    creation_bps: Num
    redemption_bps: Num
    is_future: bool
    basis: Num
    roll_s: int
    has_interest: bool
    """Whether cash bears interest at a rate per year."""
    is_pool: bool
    """Whether the reserve is the counterparty."""
    max_utilisation: Num
    pool_fee: Num
    accrues: bool
    """Whether something other than funding accrues at every observation."""
    reserve: ReserveTerms[Num] | None
    fee_share: Num
    """The reserve's share of the fees; 0 without a reserve."""


def fund_terms(
    series: Series,
    number: Number[Num],
    book: Sequence[Sequence[float]] | None = None,
) -> FundTerms[Num]:
    """The terms of a fund that runs ``series``, in one kind of number.

    Args:
        series: the token.
        number: the kind of number.
        book: the columns of the order book that the series trades on, if any (``Series.terms``).

    Raises:
        InputError: the series trades on an order book, and none is given.
    """
    terms, how, of = series.terms(number, book), series.rebalance, number.of
    nothing, execution = of(0), series.execution
    is_pool = series.venue.kind == "pool"
    reserve = _reserve_terms(series.reserve, number)
    return FundTerms(
        series=series,
        symbol=series.symbol,
        number=number,
        sqrt=number.sqrt,
        rule=terms.rule,
        venue=terms.venue,
        costs=TradingCosts(terms.rates, terms.nav_curve, terms.reserve_curve),
        lot_units=terms.lot_units,
        min_notional=terms.min_notional,
        has_limits=is_pool or execution != Execution(delay_s=execution.delay_s),
        no_limits=TradeLimits(nothing, nothing, has_room=False, room=nothing),
        delay_s=execution.delay_s,
        cooldown_s=how.cooldown_s,
        interval=how.interval,
        daily=how.daily,
        fallback=how.fallback,
        has_volatility=how.volatility is not None,
        volatility=of(how.volatility.annualised if how.volatility else 0),
        window_s=how.volatility.window_s if how.volatility else 0,
        management=of(series.fees.management_per_year),
        creation_bps=of(series.fees.creation_bps),
        redemption_bps=of(series.fees.redemption_bps),
        is_future=series.venue.kind == "future",
        basis=terms.basis,
        roll_s=round(series.venue.roll_days * DAY_S),
        has_interest=series.venue.has_interest,
        is_pool=is_pool,
        max_utilisation=terms.max_utilisation,
        pool_fee=terms.pool_fee,
        accrues=series.venue.has_interest
        or series.venue.kind == "future"
        or series.fees.management_per_year > 0,
        reserve=reserve,
        fee_share=reserve.fee_share if reserve else nothing,
    )


def _reserve_terms(reserve: Reserve | None, number: Number[Num]) -> ReserveTerms[Num] | None:
    if reserve is None:
        return None
    of = number.of
    return ReserveTerms(
        of(reserve.floor_ratio),
        of(reserve.resume_ratio),
        of(reserve.fee_share),
        reserve.allocation_every_s,
    )


def costs_at(terms: FundTerms[Num], impact: Impact[Num]) -> TradingCosts[Num]:
    """The costs of trades at a time when the square-root impact is ``impact``."""
    coefficient, volume = impact
    rates = terms.costs.rates._replace(impact_root=coefficient, daily_volume=volume)
    return TradingCosts(rates, cost_curve(rates, borne=False), cost_curve(rates, borne=True))
