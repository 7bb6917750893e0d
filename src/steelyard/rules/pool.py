"""The reserve as the counterparty of its tokens: venue ``pool`` (SPEC 3).

When the price changes, the reserve pays what a token gains and receives what a token loses, in the
underlying at the new price. The reserve carries the net of all exposures against it, up to a share
of its own value. This share limits the leverage that its tokens can hold.
"""

from __future__ import annotations

from collections.abc import Callable

from steelyard.rules.costs import CostCurve, side_depth
from steelyard.rules.numbers import Num
from steelyard.rules.sizing import smallest_root

__all__ = ["capacity_excess", "capacity_room", "is_over_capacity", "payable", "price_gain"]


def price_gain(units: Num, before: Num, after: Num) -> Num:
    """The gain (loss if negative) of a position from price ``before`` to ``after``, in quote."""
    return units * (after - before)


def payable(gain: Num, reserve_value: Num) -> Num:
    """The part of a token's gain that the reserve can pay: at most its whole value; quote."""
    if gain > reserve_value:
        return reserve_value
    return gain


def is_over_capacity(net: Num, gross: Num, reserve_value: Num, max_utilisation: Num) -> bool:
    """Whether the net exposure (signed, quote) is above its allowed share of the reserve's value.

    It must be above it by more than 1e-12 of the ``gross`` exposure, the sum of all sizes, because
    large exposures that cancel leave rounding behind.
    """
    return (abs(net) - max_utilisation * reserve_value) * 1_000_000_000_000 > gross


def capacity_room(
    net: Num,
    side: int,
    reserve_value: Num,
    max_utilisation: Num,
    fee: Num,
    borne: CostCurve[Num],
    sqrt: Callable[[Num], Num],
) -> Num:
    """The largest trade (quote) on ``side`` (1 buys, -1 sells) that stays within the capacity.

    The reserve receives the trade's ``fee`` (a share of notional) and pays the costs that it bears,
    so the room is the N with ``side * net + N = max_utilisation * (value + fee N - borne)``. Room
    of at most 1e-12 of the capacity counts as zero, because it would be rounding.
    """
    carried = max_utilisation * (reserve_value - borne.fixed)
    left = carried - side * net
    if left <= 0 or left * 1_000_000_000_000 <= carried:
        return left * 0
    room = max_utilisation * reserve_value - side * net
    slope = 1 - max_utilisation * fee
    size = smallest_root(borne, side > 0, slope, max_utilisation, room, sqrt)
    if size < 0:
        # the order book is not deep enough to reach the capacity
        return side_depth(borne.book, side > 0)
    return size


def capacity_excess(
    net: Num,
    reserve_value: Num,
    max_utilisation: Num,
    fee: Num,
    borne: CostCurve[Num],
    sqrt: Callable[[Num], Num],
) -> Num:
    """The smallest trade (quote) that brings the net exposure back to the capacity.

    It is at most the exposure itself. Where even that costs the reserve too much, the whole
    exposure is closed.
    """
    size = abs(net)
    over = size - max_utilisation * reserve_value
    if over + max_utilisation * borne.fixed <= 0:
        return over * 0
    slope = 1 + max_utilisation * fee
    closed = smallest_root(borne, net < 0, slope, -max_utilisation, over, sqrt)
    if closed < 0 or closed > size:
        return size
    return closed
