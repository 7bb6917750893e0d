"""The cost of a trade by kind, and who pays it (SPEC 3 and 4).

On a traded notional ``N = |units| * price``, in quote::

    fee    = N * taker_fee_bps / 1e4
    spread = N * half_spread_bps / 1e4
    impact = N * impact_bps / 1e4,  impact_bps = linear * N / 1e6  or  root * sqrt(N / volume)
    gas    = gas

Alternatively impact is a flat share of notional: the amount that an auction pays a taker beyond its
own cost. Where the market is a pool with the liquidity Q on its quote side and the fee f, impact is
the whole cost of a swap against the mid price, including the fee::

    buying   Q N / ((Q - N) (1 - f)) - N,  N < Q
    selling  N - Q N (1 - f) / (Q + N (1 - f))

Where the market is an order book, impact is the sum over its levels of the amount taken at a level
times the distance of that level from mid: buys take the ask side, sells the bid side. So a cost may
depend on the side, and a notional here is signed: positive is bought.

The reserve pays the kinds that it bears as long as it has money, and nav pays the rest. For sizing,
the part of each payer is one ``CostCurve``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Generic, NamedTuple

from steelyard.rules.numbers import Num

__all__ = [
    "ACCRUED_KINDS",
    "COST_KINDS",
    "TRADE_KINDS",
    "CostCurve",
    "CostRates",
    "Levels",
    "TradeCost",
    "cost_curve",
    "curve_cost",
    "curve_slope",
    "is_tradable",
    "no_cost",
    "pay",
    "realised_coefficient",
    "side_depth",
    "trade_cost",
    "walk_cost",
]


TRADE_KINDS = ("fee", "spread", "impact", "gas")
"""The kinds of cost of a trade; a reserve may bear any of them."""
ACCRUED_KINDS = ("funding", "interest", "management")
"""The kinds of cost that accrue over time (``accruals``)."""
COST_KINDS = (*TRADE_KINDS, *ACCRUED_KINDS)
"""Every kind of cost, in the order in which reports show them."""


class Levels(NamedTuple, Generic[Num]):
    """An order book: distances from mid (bps, ascending) and the amounts there (quote at mid).

    The columns are sequences of one length, which is at least 1: tuples, or arrays in compiled
    code.
    """

    bps: Sequence[Num]
    bids: Sequence[Num]
    asks: Sequence[Num]
    bid_depth: Num
    """The sum of ``bids``."""
    ask_depth: Num

    @classmethod
    def of(cls, bps: Sequence[Num], bids: Sequence[Num], asks: Sequence[Num]) -> Levels[Num]:
        """Levels from columns of one length (at least 1), with the depth of each side added up."""
        return cls(tuple(bps), tuple(bids), tuple(asks), reduce(add, bids), reduce(add, asks))


class CostRates(NamedTuple, Generic[Num]):
    """The cost rates of a series; at most one of the five kinds of impact is set."""

    taker_fee_bps: Num
    half_spread_bps: Num
    impact_linear: Num
    """bps per million of quote traded."""
    impact_flat: Num
    """bps at any size: what an auction pays its taker."""
    impact_root: Num
    """bps for a trade of 100 % of ``daily_volume``."""
    daily_volume: Num
    """The volume traded in a day, quote; 1 where ``impact_root`` is zero."""
    amm_liquidity: Num
    """Liquidity on the quote side of the pool at mid; 0 where there is no pool."""
    amm_fee_bps: Num
    has_book: bool
    book: Levels[Num]
    """The book; it is ignored unless ``has_book`` is true."""
    gas: Num
    bears_fee: bool
    bears_spread: bool
    bears_impact: bool
    bears_gas: bool


class TradeCost(NamedTuple, Generic[Num]):
    """The cost of one trade in quote by kind, and how much of the sum each payer paid."""

    fee: Num
    spread: Num
    impact: Num
    gas: Num
    paid_by_reserve: Num
    paid_by_nav: Num


class CostCurve(NamedTuple, Generic[Num]):
    """The part of a cost that one payer bears: ``fixed + linear N + impact(N)``.

    Impact is ``quadratic N^2``, ``root N sqrt(N / volume)``, the cost of a swap in a pool, or that
    of walking an order book.
    """

    fixed: Num
    linear: Num
    quadratic: Num
    root: Num
    volume: Num
    pool: Num
    """Liquidity on the pool's quote side; 0 where there is no pool."""
    pool_fee: Num
    """The pool's fee, as a share of the amount paid in."""
    has_book: bool
    book: Levels[Num]


def no_cost(nothing: Num) -> TradeCost[Num]:
    """A cost of zero; ``nothing`` is zero in the wanted kind of number."""
    return TradeCost(nothing, nothing, nothing, nothing, nothing, nothing)


def trade_cost(
    rates: CostRates[Num], notional: Num, reserve_value: Num, sqrt: Callable[[Num], Num]
) -> TradeCost[Num]:
    """The cost of trading ``notional`` (quote, signed) while the reserve holds ``reserve_value``.

    The market must be deep enough for the trade: see ``is_tradable``.
    """
    size = abs(notional)
    fee_bps, spread_bps, linear, flat, root, volume, liquidity, amm_fee_bps = rates[:8]
    fee = size * fee_bps / 10_000
    spread = size * spread_bps / 10_000
    impact = size * size * linear / 10_000_000_000
    if flat > 0:
        impact = size * flat / 10_000
    if root > 0:
        impact = size * root * sqrt(size / volume) / 10_000
    if liquidity > 0:
        impact = swap_cost(liquidity, amm_fee_bps / 10_000, notional)
    if rates.has_book:
        impact = walk_cost(rates.book, notional)
    return pay(rates, fee, spread, impact, rates.gas, reserve_value)


def pay(
    rates: CostRates[Num], fee: Num, spread: Num, impact: Num, gas: Num, reserve_value: Num
) -> TradeCost[Num]:
    """Costs by kind (quote), split between the payers.

    The reserve pays the kinds that it bears, up to ``reserve_value``, and nav pays the rest.
    """
    borne = fee * 0
    bears_fee, bears_spread, bears_impact, bears_gas = rates[11:]
    if bears_fee:
        borne = borne + fee
    if bears_spread:
        borne = borne + spread
    if bears_impact:
        borne = borne + impact
    if bears_gas:
        borne = borne + gas
    paid = borne
    if paid > reserve_value:
        paid = reserve_value
    return TradeCost(fee, spread, impact, gas, paid, fee + spread + impact + gas - paid)


def cost_curve(rates: CostRates[Num], borne: bool) -> CostCurve[Num]:
    """The curve of the kinds that the reserve bears (``borne`` is true) or of those nav bears."""
    nothing = rates.gas * 0
    fixed = nothing
    linear = nothing
    quadratic = nothing
    root = nothing
    pool = nothing
    has_book = False
    if rates.bears_gas == borne:
        fixed = rates.gas
    if rates.bears_fee == borne:
        linear = linear + rates.taker_fee_bps / 10_000
    if rates.bears_spread == borne:
        linear = linear + rates.half_spread_bps / 10_000
    if rates.bears_impact == borne:
        linear = linear + rates.impact_flat / 10_000
        quadratic = rates.impact_linear / 10_000_000_000
        root = rates.impact_root / 10_000
        pool = rates.amm_liquidity
        has_book = rates.has_book
    fee = rates.amm_fee_bps / 10_000
    volume = rates.daily_volume
    return CostCurve(fixed, linear, quadratic, root, volume, pool, fee, has_book, rates.book)


def curve_cost(curve: CostCurve[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    """The cost of trading ``notional`` (quote, signed) by this curve, in quote."""
    size = abs(notional)
    cost = curve.fixed + curve.linear * size + curve.quadratic * size * size
    if curve.root > 0:
        cost = cost + curve.root * size * sqrt(size / curve.volume)
    if curve.pool > 0:
        cost = cost + swap_cost(curve.pool, curve.pool_fee, notional)
    if curve.has_book:
        cost = cost + walk_cost(curve.book, notional)
    return cost


def curve_slope(curve: CostCurve[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    """The marginal cost at ``notional`` (signed): quote per additional quote of size.

    At the end of a level of an order book it is the marginal cost of that level.
    """
    size = abs(notional)
    slope = curve.linear + 2 * curve.quadratic * size
    if curve.root > 0:
        slope = slope + 3 * curve.root * sqrt(size / curve.volume) / 2
    if curve.pool > 0:
        slope = slope + swap_slope(curve.pool, curve.pool_fee, notional)
    if curve.has_book:
        slope = slope + walk_slope(curve.book, notional)
    return slope


def is_tradable(curve: CostCurve[Num], notional: Num) -> bool:
    """Whether the market behind the curve is deep enough for ``notional`` (signed).

    An order book trades at most its depth. A pool sells less than its liquidity at any price, and
    buys any amount.
    """
    if curve.has_book:
        return abs(notional) <= side_depth(curve.book, notional > 0)
    return curve.pool == 0 or notional < curve.pool


def side_depth(book: Levels[Num], buys: bool) -> Num:
    """The depth of the book for a buyer or for a seller, quote at mid."""
    if buys:
        return book.ask_depth
    return book.bid_depth


def realised_coefficient(daily_volatility: Num) -> Num:
    """The coefficient of the square-root law in bps: 2/3 of the daily volatility (0.03 is 3 %)."""
    return daily_volatility * 20_000 / 3


def swap_cost(pool: Num, fee: Num, notional: Num) -> Num:
    """The cost against mid of swapping ``notional`` (signed) in a constant-product pool, quote."""
    size = abs(notional)
    kept = 1 - fee
    # both are the formulas above over one denominator, so that no digits cancel
    if notional > 0:
        return size * (size * kept + pool * fee) / ((pool - size) * kept)
    return size * (size * kept + pool * fee) / (pool + size * kept)


def swap_slope(pool: Num, fee: Num, notional: Num) -> Num:
    """The derivative of ``swap_cost`` with respect to the size."""
    size = abs(notional)
    kept = 1 - fee
    charged = pool * pool * fee
    if notional > 0:
        left = pool - size
        return (charged + size * kept * (pool + left)) / (left * left * kept)
    filled = pool + size * kept
    return (charged + size * kept * (pool + filled)) / (filled * filled)


def walk_cost(book: Levels[Num], notional: Num) -> Num:
    """The cost, against mid, of taking ``notional`` (signed) out of an order book; quote.

    Beyond the depth of the book the last level continues. No trade is that large.
    """
    left = abs(notional)
    cost = left * 0
    for i in range(len(book.bps)):
        there = book.asks[i] if notional > 0 else book.bids[i]
        if left <= there:
            there = left
        cost = cost + there * book.bps[i]
        left = left - there
        if left <= 0:
            break
    return (cost + left * book.bps[-1]) / 10_000


def walk_slope(book: Levels[Num], notional: Num) -> Num:
    """The distance from mid, as a share, of the last level that ``notional`` reaches."""
    left = abs(notional)
    for i in range(len(book.bps)):
        there = book.asks[i] if notional > 0 else book.bids[i]
        if there > 0 and left <= there:
            return book.bps[i] / 10_000
        left = left - there
    return book.bps[-1] / 10_000
