"""The price limit of an order, which widens as the position comes closer to liquidation.

A fixed limit could stop the trade that would save a token. The slippage that an order may have
therefore depends on the margin ``m = nav / |notional|``, which is 1 over |leverage|, before the
order::

    m >= start           slippage_bps
    end < m < start      slippage_bps * (start - end) / (m - end)
    m <= end             no limit: only the venue's own bounds apply

``start`` is the margin at the band's edge (at the target, where there is no band). ``end`` is the
margin at the emergency leverage or, without one, halfway from ``start`` to the margin at which the
venue liquidates. Halfway is counted in margin because leverage at liquidation may be infinite.

An order that raises |leverage| is never urgent and keeps ``slippage_bps``.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

from steelyard.rules.leverage import nav_of
from steelyard.rules.liquidation import VenueTerms
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import RebalanceRule

__all__ = [
    "OrderLimit",
    "PriceGrid",
    "Urgency",
    "limit_at_venue",
    "limit_on_step",
    "liquidation_margin",
    "order_limit",
    "urgency",
]


class Urgency(NamedTuple, Generic[Num]):
    """The margins (nav over |notional|) between which the limit widens; ``start >= end``."""

    start: Num
    end: Num


class OrderLimit(NamedTuple, Generic[Num]):
    """The worst price at which an order may be filled, where it has a limit."""

    exists: bool
    price: Num
    """The limit in quote; 0 where there is none."""


class PriceGrid(NamedTuple, Generic[Num]):
    """The limit prices that a venue accepts; 0 where it has no such restriction."""

    step: Num
    """The difference between two neighbouring prices, quote."""
    bound: Num
    """The largest distance of a limit from the mark, as a share of the mark."""


def liquidation_margin(venue: VenueTerms[Num], is_long: bool) -> Num:
    """The margin at which the venue closes the position; 0 where it ends only at a nav of zero.

    A loan is closed when its debt exceeds the share ``T`` of its collateral. The margin is then
    ``1 - T`` for a long and ``1 / T - 1`` for a short.
    """
    if not venue.spot:
        return venue.maintenance_margin
    if is_long:
        return 1 - venue.liquidation_threshold
    return 1 / venue.liquidation_threshold - 1


def urgency(rule: RebalanceRule[Num], venue: VenueTerms[Num]) -> Urgency[Num]:
    """The margins between which the limits of a fund widen.

    Where the venue liquidates at or before ``start``, the interval is empty and ``end`` is
    ``start``.
    """
    size = rule.upper if rule.has_band else abs(rule.target)
    start = 1 / size
    if rule.has_emergency:
        end = 1 / rule.emergency
    else:
        end = (start + liquidation_margin(venue, rule.target > 0)) / 2
    if end > start:
        end = start
    return Urgency(start, end)


def order_limit(
    widens: Urgency[Num],
    slippage_bps: Num,
    cash: Num,
    units: Num,
    price: Num,
    is_buy: bool,
    raises: bool,
) -> OrderLimit[Num]:
    """The price limit of an order that is decided at ``price``.

    Args:
        widens: the result of ``urgency``, computed once for a fund.
        slippage_bps: the slippage allowed at the band's edge, in basis points, not negative.
        cash: the fund's cash before the order, quote.
        units: the units held before the order.
        price: the mark, quote.
        is_buy: whether the order buys.
        raises: whether the order raises |leverage|.
    """
    allowed = slippage_bps
    notional = abs(units * price)
    if notional > 0 and not raises:
        margin = nav_of(cash, units, price) / notional
        start, end = widens
        if margin <= end:
            return OrderLimit(exists=False, price=price * 0)
        if margin < start:
            allowed = slippage_bps * ((start - end) / (margin - end))
    if is_buy:
        return OrderLimit(exists=True, price=price + price * allowed / 10_000)
    limit = price - price * allowed / 10_000
    # a limit below zero would allow every price
    if limit <= 0:
        return OrderLimit(exists=False, price=price * 0)
    return OrderLimit(exists=True, price=limit)


def limit_at_venue(
    limit: OrderLimit[Num], price: Num, is_buy: bool, grid: PriceGrid[Num]
) -> OrderLimit[Num]:
    """The limit of an order decided at ``price``, in the form that its venue accepts.

    The venue would refuse a limit that is farther from the mark than it allows. The order then has
    no limit, and the venue's own bounds apply.
    """
    if not limit.exists:
        return limit
    worst = limit_on_step(limit.price, grid.step, is_buy)
    if 0 < grid.bound * price <= abs(worst - price):
        return OrderLimit(exists=False, price=price * 0)
    return OrderLimit(exists=True, price=worst)


def limit_on_step(limit: Num, step: Num, is_buy: bool) -> Num:
    """The limit rounded to the venue's grid of prices, never wider than before.

    A step of 0 means that the venue has no grid.
    """
    if step <= 0:
        return limit
    below = limit // step * step
    if is_buy or below >= limit:
        return below
    return below + step
