"""A simulated market: the terms of a contract, and a book of a few levels around the mark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from steelyard.venues.protocol import BookLevels, Limits

__all__ = ["MarketTerms", "book_at", "fills"]

BPS = Decimal(10_000)


@dataclass(frozen=True)
class MarketTerms:
    """A contract like Binance's BTCUSDT; shares of notional are fractions, so 0.0005 is 5 bps."""

    asset: str = "USDT"
    lot: Decimal = Decimal("0.001")
    price_step: Decimal = Decimal("0.10")
    quote_step: Decimal = Decimal("0.00000001")
    min_notional: Decimal = Decimal(100)
    max_units: Decimal = Decimal(1_000)
    price_bound: Decimal = Decimal("0.05")
    """A share of the mark: limits farther off are refused, and orders without one stop there."""
    taker_fee: Decimal = Decimal("0.0005")
    initial_margin: Decimal = Decimal("0.05")
    maintenance_margin: Decimal = Decimal("0.004")
    liquidation_fee: Decimal = Decimal("0.0125")
    funding_every_ms: int = 8 * 3_600_000
    half_spread_bps: Decimal = Decimal("0.5")
    level_bps: Decimal = Decimal(4)
    """The distance between two levels of the book."""
    level_units: Decimal = Decimal(40)
    """The units that rest at each level."""
    levels: int = 5
    requests_per_minute: int = 2_400
    orders_per_minute: int = 1_200

    def limits(self, lag_ms: int, late_ms: int) -> Limits:
        """The terms as the protocol's limits."""
        return Limits(
            self.lot,
            self.min_notional,
            self.max_units,
            self.price_step,
            self.price_bound,
            self.quote_step,
            self.requests_per_minute,
            self.orders_per_minute,
            lag_ms,
            late_ms,
        )


def book_at(terms: MarketTerms, mark: Decimal, time_ms: int) -> BookLevels:
    """The order book around a mark."""
    bids, asks = (tuple(_levels(terms, mark, side, Decimal(1))) for side in (-1, 1))
    return BookLevels(bids, asks, time_ms)


def fills(
    terms: MarketTerms, mark: Decimal, units: Decimal, limit: Decimal | None, depth: Decimal
) -> list[tuple[Decimal, Decimal]]:
    """The price and signed units of each level that an order takes at once.

    Args:
        terms: the terms of the contract.
        mark: the present mark.
        units: the order's units, signed, in whole lots.
        limit: the order's worst price; None: the bound that the venue sets to every order.
        depth: the share of the usual book that is available.
    """
    side, left, taken = 1 if units > 0 else -1, abs(units), []
    worst = mark * (1 + side * terms.price_bound) if limit is None else limit
    for price, there in _levels(terms, mark, side, depth):
        if (price - worst) * side > 0 or left == 0:
            break
        size = min(there, left)
        if size > 0:
            taken.append((price, side * size))
            left -= size
    return taken


def _levels(
    terms: MarketTerms, mark: Decimal, side: int, depth: Decimal
) -> Iterator[tuple[Decimal, Decimal]]:
    """The price and units at each level that an order meets, best first; ``side`` 1 is a buy."""
    step = terms.price_step
    there = terms.level_units * depth // terms.lot * terms.lot
    for level in range(terms.levels):
        off = (terms.half_spread_bps + level * terms.level_bps) / BPS
        exact = mark * (1 + side * off)
        price = exact // step * step
        if side > 0 and price < exact:
            price += step
        yield price, there
