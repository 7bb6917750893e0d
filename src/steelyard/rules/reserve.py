"""The reserve pool: its level, its suspension, and the figures of its health (SPEC 4).

The level is the reserve's value over the total nav of the tokens that it serves. While the level is
below the floor, trades that raise leverage are suspended; they resume when the level is back at the
resume ratio.
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
    """Whether raising leverage is suspended, given whether it was suspended before.

    The ratios are compared as products, so a nav of zero needs no special case: nothing is then
    suspended. A level within 1e-12 of a ratio counts as being at the ratio.
    """
    if exceeds(floor_ratio * nav, reserve_value):
        return True
    return suspended and exceeds(resume_ratio * nav, reserve_value)


def units_left(reserve_units: Num, paid: Num, price: Num) -> Num:
    """The reserve's units after it paid ``paid`` (quote); exactly zero where it paid everything."""
    left = reserve_units - paid / price
    if left < 0 or paid >= reserve_units * price:
        return left - left  # multiplying by zero could give -0.0
    return left


def reserve_share(fee: Num, fee_share: Num) -> Num:
    """The part of an issuer's fee (quote) that the reserve gets at the next allocation."""
    return fee * fee_share


def units_received(quote: Num, price: Num) -> Num:
    """Units that an allocation or injection of ``quote`` adds to the reserve, free of cost."""
    return quote / price


def utilisation(paid_24h: Num, value_24h_ago: Num) -> Num | None:
    """The payments of 24 hours over the value before them; None where that value was zero."""
    return paid_24h / value_24h_ago if value_24h_ago > 0 else None


def buffer_depth(reserve_value: Num, nav: Num, floor_ratio: Num) -> Num | None:
    """The reserve's value above the floor as a share of nav; None where nav is zero.

    It is negative while the reserve is below its floor.
    """
    return (reserve_value - floor_ratio * nav) / nav if nav > 0 else None


def runway_days(
    reserve_value: Num, nav: Num, floor_ratio: Num, net_payment_per_day: Num
) -> Num | None:
    """Days until the reserve reaches its floor at the present net payment.

    It is None where the reserve does not shrink.
    """
    if net_payment_per_day <= 0:
        return None
    return (reserve_value - floor_ratio * nav) / net_payment_per_day


class HealthFigures(NamedTuple, Generic[Num]):
    """The published figures of a reserve's health; None where a figure is undefined."""

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
    """The figures of a reserve's health at one time; all amounts are in quote.

    Args:
        reserve_value: the value of the reserve.
        nav: the total nav of all tokens that it serves.
        floor_ratio: the level below which it is suspended.
        paid_24h: the costs of rebalances that it paid in the last 24 hours.
        value_24h_ago: its value 24 hours ago; 0 where that is not known.
        net_payment_per_day: its payments and losses less its receipts, per day, over at most 30
            days.
        is_counterparty: whether it is the counterparty of its tokens. Its utilisation is then the
            exposure that it carries, and not what it paid.
        open_notional: the signed net exposure of the tokens whose counterparty it is.
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
    """The notional (quote) of one trade whose cost to the reserve uses up the buffer.

    It is None where the reserve bears no cost that grows with the trade, and zero where there is no
    buffer. Where buying and selling cost differently it is the smaller of the two. It is never more
    than an order book holds.
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
    """The size in quote that costs the reserve ``buffer``, at most the depth of the book."""
    nothing = buffer * 0
    size = smallest_root(borne, buys, nothing, nothing + 1, buffer, sqrt)
    if size < 0:
        return side_depth(borne.book, buys)
    return size
