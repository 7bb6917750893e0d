"""The reserve pool: its level, its suspension, and the health that is published (SPEC 4).

The level is the reserve's value over the total nav of the tokens it serves. Under the floor what
raises leverage is suspended, until the level is back at the resume ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple

from steelyard.rules.costs import CostCurve, side_depth
from steelyard.rules.numbers import Num
from steelyard.rules.sizing import smallest_root
from steelyard.rules.triggers import exceeds

__all__ = [
    "HealthFigures",
    "buffer_depth",
    "capacity",
    "health_figures",
    "is_suspended",
    "reserve_level",
    "reserve_share",
    "runway_days",
    "units_left",
    "units_received",
    "utilisation",
]


def reserve_level(reserve_value: Num, nav: Num) -> Num:
    """Reserve value over the tokens' total nav (both quote; nav is positive)."""
    return reserve_value / nav


def is_suspended(
    suspended: bool,
    reserve_value: Num,
    nav: Num,
    floor_ratio: Num,
    resume_ratio: Num,
) -> bool:
    """Whether raising leverage is suspended, given whether it was before.

    Compared as products, so that a nav of zero needs no exception: then nothing is suspended. A
    level within 1e-12 of a ratio stands at it.
    """
    if exceeds(floor_ratio * nav, reserve_value):
        return True
    return suspended and exceeds(resume_ratio * nav, reserve_value)


def units_left(reserve_units: Num, paid: Num, price: Num) -> Num:
    """The reserve's units after it paid ``paid`` quote; exactly zero where that was its all."""
    left = reserve_units - paid / price
    if left < 0 or paid >= reserve_units * price:
        return left - left  # times zero it could be -0.0
    return left


def reserve_share(fee: Num, fee_share: Num) -> Num:
    """What of an issuer's fee (quote) is the reserve's, at the next allocation."""
    return fee * fee_share


def units_received(quote: Num, price: Num) -> Num:
    """Units that an allocation or an injection of ``quote`` adds to the reserve, at no cost."""
    return quote / price


def utilisation(paid_24h: Num, value_24h_ago: Num) -> Num | None:
    """Share of the value of 24 hours ago that was paid since; None where there was none."""
    return paid_24h / value_24h_ago if value_24h_ago > 0 else None


def buffer_depth(reserve_value: Num, nav: Num, floor_ratio: Num) -> Num | None:
    """What lies above the floor as a share of nav, negative below it; None at nav zero."""
    return (reserve_value - floor_ratio * nav) / nav if nav > 0 else None


def runway_days(
    reserve_value: Num, nav: Num, floor_ratio: Num, net_payment_per_day: Num
) -> Num | None:
    """Days until the floor at the present net payment; None where the reserve does not shrink."""
    if net_payment_per_day <= 0:
        return None
    return (reserve_value - floor_ratio * nav) / net_payment_per_day


class HealthFigures(NamedTuple, Generic[Num]):
    """The health of a reserve that is published; None where a figure is undefined."""

    level: Num | None
    utilisation: Num | None
    buffer_depth: Num | None
    runway_days: Num | None


def health_figures(
    reserve_value: Num,
    nav: Num,
    floor_ratio: Num,
    paid_24h: Num,
    value_24h_ago: Num,
    net_payment_per_day: Num,
    is_counterparty: bool,
    open_notional: Num,
) -> HealthFigures[Num]:
    """The figures of a reserve's health at one moment (quote).

    Args:
        reserve_value: what it holds.
        nav: of all tokens that it serves.
        floor_ratio: its floor.
        paid_24h: costs of rebalances that it paid in the last 24 hours.
        value_24h_ago: what it held before that; 0 where that is not known.
        net_payment_per_day: what it paid and lost less what it received, over at most 30 days.
        is_counterparty: its utilisation is the exposure that it carries, not what it paid.
        open_notional: the net exposure of the tokens whose counterparty it is, signed.
    """
    used = utilisation(paid_24h, value_24h_ago)
    if is_counterparty:
        used = utilisation(abs(open_notional), reserve_value)
    level = reserve_level(reserve_value, nav) if nav > 0 else None
    depth = buffer_depth(reserve_value, nav, floor_ratio)
    left = runway_days(reserve_value, nav, floor_ratio, net_payment_per_day)
    return HealthFigures(level, used, depth, left)


def capacity(
    reserve_value: Num,
    nav: Num,
    floor_ratio: Num,
    borne: CostCurve[Num],
    sqrt: Callable[[Num], Num],
) -> Num | None:
    """Notional of one trade whose cost to the reserve uses up the buffer.

    None where the reserve bears nothing that grows with the trade; zero without a buffer. Where
    buying and selling cost differently, the smaller of the two; never more than a book holds.
    """
    buffer = reserve_value - floor_ratio * nav
    curved = borne.quadratic > 0 or borne.root > 0 or borne.pool > 0 or borne.has_book
    if borne.linear == 0 and not curved:
        return None
    if buffer <= borne.fixed:
        return borne.fixed * 0
    bought = side_capacity(borne, buffer, True, sqrt)
    sold = side_capacity(borne, buffer, False, sqrt)
    if bought < sold:
        return bought
    return sold


def side_capacity(
    borne: CostCurve[Num], buffer: Num, buys: bool, sqrt: Callable[[Num], Num]
) -> Num:
    """The size that costs the reserve ``buffer``, or else all that the book holds on that side."""
    nothing = buffer * 0
    size = smallest_root(borne, buys, nothing, nothing + 1, buffer, sqrt)
    if size < 0:
        return side_depth(borne.book, buys)
    return size
