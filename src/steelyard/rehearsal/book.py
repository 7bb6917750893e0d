"""The order book around a price: what rests at each level, and what an order takes from it.

Levels lie at fixed shares of the mid. What an order takes stays gone until the price next moves.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import NamedTuple

from steelyard.rehearsal.contracts import Contract
from steelyard.rehearsal.records import Market

__all__ = ["MODELLED", "LevelFill", "best", "levels", "take"]

Depth = tuple[tuple[Decimal, Decimal, Decimal], ...]

MODELLED: Depth = tuple(
    (Decimal(bps) / 10_000, Decimal(notional), Decimal(notional))
    for bps, notional in (
        ("0.1", 500_000),
        ("0.3", 500_000),
        ("0.6", 750_000),
        ("1", 1_000_000),
        ("2", 2_000_000),
        ("4", 3_000_000),
        ("7", 4_000_000),
        ("12", 6_000_000),
        ("20", 8_000_000),
        ("35", 10_000_000),
        ("60", 15_000_000),
        ("100", 20_000_000),
        ("200", 30_000_000),
        ("400", 40_000_000),
    )
)
"""A deep book: half a million at a tenth of a basis point from the mid, 140 million up to 4 %."""


class LevelFill(NamedTuple):
    """The fill at one level; units are above zero."""

    price: Decimal
    units: Decimal


def levels(market: Market, depth: Depth, side: int) -> list[LevelFill]:
    """The levels that rest now: the asks from the lowest (1), or the bids from the highest (-1)."""
    contract, gone = market.contract, market.taken.get(side, Decimal(0))
    found: list[LevelFill] = []
    for share, bids, asks in depth:
        rests = asks if side > 0 else bids
        left = max(Decimal(0), rests - gone)
        gone = max(Decimal(0), gone - rests)
        price = _to_tick(contract, market.index * (1 + side * share), side)
        units = (left / price).quantize(contract.lot, ROUND_DOWN)
        if units <= 0:
            continue
        if found and found[-1].price == price:
            found[-1] = LevelFill(price, found[-1].units + units)
        else:
            found.append(LevelFill(price, units))
    return found


def _to_tick(contract: Contract, price: Decimal, side: int) -> Decimal:
    """A price rounded to whole ticks, away from the mid."""
    way = ROUND_CEILING if side > 0 else ROUND_FLOOR
    return (price / contract.tick).quantize(Decimal(1), way) * contract.tick


def best(market: Market, depth: Depth, side: int) -> Decimal | None:
    """The lowest ask (1) or the highest bid (-1); None: nothing is left."""
    found = levels(market, depth, side)
    return found[0].price if found else None


def take(
    market: Market, depth: Depth, side: int, units: Decimal, worst: Decimal | None
) -> list[LevelFill]:
    """The fills that an order would get up to its worst price; the book does not change."""
    fills, left = [], units
    for price, rests in levels(market, depth, side):
        if left <= 0 or (worst is not None and (price - worst) * side > 0):
            break
        got = min(left, rests)
        fills.append(LevelFill(price, got))
        left -= got
    return fills
