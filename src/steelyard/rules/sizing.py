"""The size of a trade that lands on the destination after its own cost (SPEC 2, Size).

The signed traded notional x solves ``exposure + x = destination * (nav - cost(|x|))``. Let
``reach = |destination|``, and let ``side`` be 1 for a long and -1 for a short. The gap to close is
``reach * nav - side * exposure``, and the two cases for the size N >= 0 are::

    raise   N + reach * cost(N) =  gap      left side rises with N: one solution
    lower   N - reach * cost(N) = -gap      cost is convex, so up to two: the smaller counts

Cost here is the part that nav pays: its own kinds, and the part of the reserve's kinds that the
reserve cannot pay. It consists of two convex pieces with one kink. Each gives an equation
``slope N + factor * cost(N) = wanted``, which is solved in closed form (no impact, linear impact, a
pool), level by level (an order book) or by bisection (square-root impact). A size is never more
than an order book holds. See FORMULAS 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple

from steelyard.rules.costs import (
    CostCurve,
    Levels,
    curve_cost,
    curve_slope,
    is_tradable,
    side_depth,
)
from steelyard.rules.numbers import Num

__all__ = [
    "Payers",
    "clip_notional",
    "gap_to",
    "is_all_of_a_book",
    "is_nothing_to_trade",
    "order_units",
    "size_trade",
    "smallest_root",
    "whole_lots",
]

BISECTIONS = 160
"""The number of halvings of a bracket: floats converge after about 60, and Fractions are then exact
to 1e-48."""


class Payers(NamedTuple, Generic[Num]):
    """The payers of a trade: the curves of nav and the reserve, and the reserve's value."""

    nav: CostCurve[Num]
    reserve: CostCurve[Num]
    reserve_value: Num


def gap_to(destination: Num, nav: Num, exposure: Num) -> Num:
    """The notional missing to the destination before costs; positive where leverage has to rise."""
    if destination > 0:
        return destination * nav - exposure
    return exposure - destination * nav


def is_nothing_to_trade(gap: Num, nav: Num) -> bool:
    """Whether the gap is at most 1e-12 of nav, so that there is nothing to trade."""
    return abs(gap) * 1_000_000_000_000 <= nav


def clip_notional(notional: Num, max_trade_notional: Num) -> Num:
    """The signed notional to send now: at most the largest clip (0 means no limit)."""
    if max_trade_notional > 0:
        if notional > max_trade_notional:
            return max_trade_notional
        if -notional > max_trade_notional:
            return -max_trade_notional
    return notional


def whole_lots(notional: Num, lot_notional: Num) -> Num:
    """The signed notional rounded toward zero to whole lots; a lot of 0 rounds nothing.

    A notional within 1e-12 of a whole number of lots is rounded to that number.
    """
    if lot_notional > 0:
        lots = abs(notional) * 1_000_000_000_001 // (lot_notional * 1_000_000_000_000)
        if notional < 0:
            return -lots * lot_notional
        return lots * lot_notional
    return notional


def order_units(units: Num, lot: Num, largest: Num) -> Num:
    """Signed units as a venue accepts them: whole lots, and at most ``largest`` in one order.

    A ``lot`` or ``largest`` of 0 means that there is no such limit.
    """
    units = whole_lots(units, lot)
    if 0 < largest < abs(units):
        return largest if units > 0 else -largest
    return units


def is_all_of_a_book(payers: Payers[Num], notional: Num) -> bool:
    """Whether a trade of ``notional`` (signed) takes the whole depth of an order book."""
    nav, reserve = payers.nav, payers.reserve
    if nav.has_book and abs(notional) >= side_depth(nav.book, notional > 0):
        return True
    return reserve.has_book and abs(notional) >= side_depth(reserve.book, notional > 0)


def size_trade(
    destination: Num, nav: Num, exposure: Num, payers: Payers[Num], sqrt: Callable[[Num], Num]
) -> Num:
    """The signed notional to trade so that leverage lands on ``destination`` after costs.

    Of two solutions it is the smaller one. Where no size lands on the destination, it is the size
    that brings leverage nearest to it, or zero where no trade brings leverage nearer. It is never
    more than an order book holds. All amounts are in quote.
    """
    reach = abs(destination)
    gap = gap_to(destination, nav, exposure)
    fixed = payers.nav.fixed
    if payers.reserve.fixed > payers.reserve_value:
        fixed = fixed + payers.reserve.fixed - payers.reserve_value
    if gap > reach * fixed:
        buys = destination > 0
        size = _raising_size(reach, gap, payers, buys, sqrt)
    else:
        buys = destination < 0
        size = _lowering_size(reach, gap, nav, abs(exposure), payers, buys, sqrt)
    return directed(size, buys)


def directed(size: Num, buys: bool) -> Num:
    """A size as a signed notional."""
    if buys:
        return size
    return -size


def dry_curve(payers: Payers[Num]) -> CostCurve[Num]:
    """The curve of the costs that nav bears once a trade uses up the whole reserve."""
    own = payers.nav
    borne = payers.reserve
    return CostCurve(
        own.fixed + borne.fixed - payers.reserve_value,
        own.linear + borne.linear,
        own.quadratic + borne.quadratic,
        own.root + borne.root,
        own.volume,
        own.pool + borne.pool,
        own.pool_fee,
        own.has_book or borne.has_book,
        own.book,
    )


def _raising_size(
    reach: Num, gap: Num, payers: Payers[Num], buys: bool, sqrt: Callable[[Num], Num]
) -> Num:
    one = reach * 0 + 1
    size = smallest_root(payers.nav, buys, one, reach, gap, sqrt)
    if size >= 0 and is_within_reserve(payers, directed(size, buys), sqrt):
        return size
    dry = dry_curve(payers)
    size = smallest_root(dry, buys, one, reach, gap, sqrt)
    if size < 0:
        # a cost that rises without end always has a root, so here an order book ended before it
        return side_depth(dry.book, buys)
    return size


def _lowering_size(
    reach: Num,
    gap: Num,
    nav: Num,
    exposure: Num,
    payers: Payers[Num],
    buys: bool,
    sqrt: Callable[[Num], Num],
) -> Num:
    one = reach * 0 + 1
    # at the size of the exposure no position would be left, and beyond it both position and nav
    # would be negative; sizes within 1e-12 count as equal, so that rounding does not decide
    ends = exposure * 999_999_999_999 / 1_000_000_000_000
    size = smallest_root(payers.nav, buys, one, -reach, -gap, sqrt)
    if 0 <= size <= ends and is_within_reserve(payers, directed(size, buys), sqrt):
        return size
    size = smallest_root(dry_curve(payers), buys, one, -reach, -gap, sqrt)
    # a root before the kink belongs to a piece that does not apply there; where the kink itself is
    # the solution, rounding may put the roots of both pieces just on its wrong side
    if 0 <= size <= ends:
        borne = curve_cost(payers.reserve, directed(size, buys), sqrt)
        missing = payers.reserve_value - borne
        if missing * 1_000_000_000_000 <= payers.reserve_value:
            return size
    return nearest_lowering_size(reach, nav, exposure, payers, buys, sqrt)


def is_within_reserve(payers: Payers[Num], notional: Num, sqrt: Callable[[Num], Num]) -> bool:
    """Whether the reserve can pay its whole part of the cost of trading ``notional`` (signed)."""
    if not is_tradable(payers.reserve, notional):
        return False
    return curve_cost(payers.reserve, notional, sqrt) <= payers.reserve_value


def smallest_root(
    curve: CostCurve[Num],
    buys: bool,
    slope: Num,
    factor: Num,
    wanted: Num,
    sqrt: Callable[[Num], Num],
) -> Num:
    """The smallest size N >= 0 with ``slope N + factor * cost(N) = wanted`` on one side.

    It is -1 where there is none, or where the curve's order book or pool is not deep enough.
    ``factor`` is negative where the cost of a trade moves leverage away from the destination.
    """
    wanted = wanted - factor * curve.fixed
    linear = slope + factor * curve.linear
    if wanted == 0:
        return wanted
    if wanted < 0:
        return wanted * 0 - 1
    if curve.has_book:
        return book_root(curve.book, buys, linear, factor, wanted)
    root = factor * curve.root
    if root != 0:
        return three_halves_root(linear, root, curve.volume, wanted, sqrt)
    if curve.pool == 0:
        return quadratic_root(-factor * curve.quadratic, linear, wanted, sqrt)
    pool = curve.pool
    fee = curve.pool_fee
    kept = 1 - fee
    if not buys:
        # N (linear + factor) (Q + N kept) - factor Q kept N = wanted (Q + N kept)
        middle = pool * (linear + factor * fee) - wanted * kept
        return quadratic_root(-(linear + factor) * kept, middle, wanted * pool, sqrt)
    # N (linear - factor) kept (Q - N) + factor Q N = wanted kept (Q - N)
    middle = pool * (linear * kept + factor * fee) + wanted * kept
    size = quadratic_root((linear - factor) * kept, middle, wanted * kept * pool, sqrt)
    if size >= pool:
        return wanted * 0 - 1
    return size


def quadratic_root(bend: Num, linear: Num, wanted: Num, sqrt: Callable[[Num], Num]) -> Num:
    """The smallest N > 0 with ``linear N - bend N^2 = wanted`` (above 0); -1 where there is none.

    Of the two forms of the solution it uses the one in which no digits cancel.
    """
    none = wanted * 0 - 1
    if bend == 0:
        if linear <= 0:
            return none
        return wanted / linear
    discriminant = linear * linear - 4 * bend * wanted
    if discriminant < 0:
        return none
    if linear > 0:
        return 2 * wanted / (linear + sqrt(discriminant))
    if bend > 0:
        return none
    return (linear - sqrt(discriminant)) / (2 * bend)


def book_root(book: Levels[Num], buys: bool, linear: Num, factor: Num, wanted: Num) -> Num:
    """The smallest N with ``linear N + factor * walked(N) = wanted``; -1 where there is none."""
    size = wanted * 0
    for i in range(len(book.bps)):
        there = book.asks[i] if buys else book.bids[i]
        gain = linear + factor * book.bps[i] / 10_000
        if there > 0 and gain <= 0 and factor < 0:
            # the marginal cost rises from level to level, so further levels bring no solution
            break
        if wanted <= gain * there:
            return size + wanted / gain
        wanted = wanted - gain * there
        size = size + there
    return size * 0 - 1


def three_halves_root(
    linear: Num, root: Num, volume: Num, wanted: Num, sqrt: Callable[[Num], Num]
) -> Num:
    """The smallest N with ``linear N + root N sqrt(N/volume) = wanted``; -1 where there is none."""
    none = wanted * 0 - 1
    if linear <= 0 and root <= 0:
        return none
    # in z = sqrt(N / volume): z^2 (linear + root z) = wanted / volume
    goal = wanted / volume
    if root > 0:
        low = goal * 0
        high = 1 + goal / root
        if linear > 0:
            high = sqrt(goal / linear)
            low = sqrt(goal / (linear + root * high))
    else:
        high = -2 * linear / (3 * root)
        if high * high * (linear + root * high) < goal:
            return none
        low = sqrt(goal / linear)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if middle * middle * (linear + root * middle) <= goal:
            low = middle
        else:
            high = middle
    return volume * low * low


def nearest_lowering_size(
    reach: Num,
    nav: Num,
    exposure: Num,
    payers: Payers[Num],
    buys: bool,
    sqrt: Callable[[Num], Num],
) -> Num:
    """The size in [0, exposure] that brings leverage nearest to ``reach`` where none lands on it.

    ``leverage(N) = (exposure - N) / (nav - cost(N))`` has one minimum, since cost is convex. The
    minimum is where ``(exposure - N) cost'(N) = nav - cost(N)``, and is above ``reach``. Where an
    order book ends before the minimum, the size is the depth of the book.
    """
    low = exposure * 0
    high = exposure
    dry = dry_curve(payers)
    if dry.has_book and side_depth(dry.book, buys) < high:
        high = side_depth(dry.book, buys)
        if still_falls(nav, exposure, payers, directed(high, buys), sqrt):
            low = high
    if dry.pool > 0 and buys and dry.pool < high:
        high = dry.pool
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if still_falls(nav, exposure, payers, directed(middle, buys), sqrt):
            low = middle
        else:
            high = middle
    left = nav - _nav_cost(payers, directed(low, buys), sqrt)
    if left <= 0 or abs((exposure - low) / left - reach) >= abs(exposure / nav - reach):
        return low * 0
    return low


def still_falls(
    nav: Num, exposure: Num, payers: Payers[Num], notional: Num, sqrt: Callable[[Num], Num]
) -> bool:
    """Whether leverage still falls as the size of a trade reaches ``notional`` (signed)."""
    left = nav - _nav_cost(payers, notional, sqrt)
    return (exposure - abs(notional)) * _nav_slope(payers, notional, sqrt) < left


def _nav_cost(payers: Payers[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    cost = curve_cost(payers.nav, notional, sqrt)
    borne = curve_cost(payers.reserve, notional, sqrt)
    if borne > payers.reserve_value:
        cost = cost + borne - payers.reserve_value
    return cost


def _nav_slope(payers: Payers[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    slope = curve_slope(payers.nav, notional, sqrt)
    if curve_cost(payers.reserve, notional, sqrt) > payers.reserve_value:
        slope = slope + curve_slope(payers.reserve, notional, sqrt)
    return slope
