"""The listed contracts: filters, fees and margin tiers, as the exchange publishes them.

A tier applies to notionals above its floor::

    maintenance = notional * rate - cum

where ``cum`` makes the margin continuous with that of the tier below.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

__all__ = [
    "COLLATERAL",
    "CONTRACTS",
    "HOUR_MS",
    "STEP",
    "Contract",
    "Tier",
    "exchange_info",
    "tier_of",
]

STEP = Decimal("0.00000001")
"""The last digit of quote amounts."""
HOUR_MS = 3_600_000
FOREVER_MS = 4_133_404_800_000
LISTED_MS = 1_569_398_400_000
COLLATERAL = {
    "BNFCR": Decimal(1),
    "USDC": Decimal("0.9999"),
    "BTC": Decimal("0.95"),
    "ETH": Decimal("0.95"),
}
"""The share of other assets that counts as margin in multi-asset mode."""


class Tier(NamedTuple):
    """A margin tier."""

    floor: Decimal
    cap: Decimal
    leverage: int
    rate: Decimal
    cum: Decimal


class Contract(NamedTuple):
    """A linear perpetual. Prices in quote, sizes in base, fees as shares of the notional."""

    symbol: str
    base: str
    tick: Decimal
    lot: Decimal
    most_limit: Decimal
    """The largest limit order in units; ``most_market`` is that of a market order."""
    most_market: Decimal
    least_notional: Decimal
    least_price: Decimal
    most_price: Decimal
    bound: Decimal
    """The largest distance from the mark, as a share of it, of limit prices and market fills."""
    tiers: tuple[Tier, ...]
    quote: str = "USDT"
    maker: Decimal = Decimal("0.0002")
    taker: Decimal = Decimal("0.0005")
    liquidation_fee: Decimal = Decimal("0.0125")
    interest: Decimal = Decimal("0.0001")
    """The interest part of a funding rate, per 8 hours; the rest is premium."""
    funding_cap: Decimal = Decimal("0.02")
    funding_every_ms: int = 8 * HOUR_MS

    def cap_at(self, leverage: int) -> Decimal:
        """The largest notional, quote, at a leverage setting; 0 if no tier allows that setting."""
        caps = [tier.cap for tier in self.tiers if tier.leverage >= leverage]
        return max(caps, default=Decimal(0))


def _tiers(*rows: tuple[int, int, str]) -> tuple[Tier, ...]:
    """Tiers from rows of cap, leverage and rate; each starts where the one before it ends."""
    made: list[Tier] = []
    floor, cum, before = Decimal(0), Decimal(0), Decimal(0)
    for cap, leverage, text in rows:
        rate = Decimal(text)
        cum += floor * (rate - before)
        made.append(Tier(floor, Decimal(cap), leverage, rate, cum))
        floor, before = Decimal(cap), rate
    return tuple(made)


CONTRACTS = {
    contract.symbol: contract
    for contract in (
        Contract(
            symbol="BTCUSDT",
            base="BTC",
            tick=Decimal("0.10"),
            lot=Decimal("0.001"),
            most_limit=Decimal(1000),
            most_market=Decimal(120),
            least_notional=Decimal(100),
            least_price=Decimal("261.10"),
            most_price=Decimal(809484),
            bound=Decimal("0.05"),
            tiers=_tiers(
                (300_000, 125, "0.004"),
                (800_000, 100, "0.005"),
                (3_000_000, 75, "0.0065"),
                (12_000_000, 50, "0.01"),
                (70_000_000, 25, "0.02"),
                (100_000_000, 20, "0.025"),
                (230_000_000, 10, "0.05"),
                (480_000_000, 5, "0.1"),
                (600_000_000, 4, "0.125"),
                (800_000_000, 3, "0.15"),
                (1_200_000_000, 2, "0.25"),
                (1_800_000_000, 1, "0.5"),
            ),
        ),
        Contract(
            symbol="ETHUSDT",
            base="ETH",
            tick=Decimal("0.01"),
            lot=Decimal("0.001"),
            most_limit=Decimal(10000),
            most_market=Decimal(2000),
            least_notional=Decimal(20),
            least_price=Decimal("18.67"),
            most_price=Decimal(100000),
            bound=Decimal("0.05"),
            tiers=_tiers(
                (300_000, 125, "0.004"),
                (800_000, 100, "0.005"),
                (3_000_000, 75, "0.0065"),
                (12_000_000, 50, "0.01"),
                (50_000_000, 25, "0.02"),
                (65_000_000, 20, "0.025"),
                (150_000_000, 10, "0.05"),
                (320_000_000, 5, "0.1"),
                (400_000_000, 4, "0.125"),
                (530_000_000, 3, "0.15"),
                (800_000_000, 2, "0.25"),
                (1_200_000_000, 1, "0.5"),
            ),
        ),
    )
}


def tier_of(contract: Contract, notional: Decimal) -> Tier:
    """The tier of a notional of either sign; beyond the last cap the last tier applies."""
    size = abs(notional)
    for tier in contract.tiers:
        if size <= tier.cap:
            return tier
    return contract.tiers[-1]


def _digits(step: Decimal) -> int:
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def exchange_info(contract: Contract) -> dict[str, Any]:
    """A contract as ``exchangeInfo`` lists it."""
    lots = {"minQty": str(contract.lot), "stepSize": str(contract.lot)}
    return {
        "symbol": contract.symbol,
        "pair": contract.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": FOREVER_MS,
        "onboardDate": LISTED_MS,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": contract.base,
        "quoteAsset": contract.quote,
        "marginAsset": contract.quote,
        "pricePrecision": max(2, _digits(contract.tick)),
        "quantityPrecision": _digits(contract.lot),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW" if contract.base == "BTC" else "Layer-1"],
        "triggerProtect": str(contract.bound),
        "liquidationFee": f"{contract.liquidation_fee:zf}",
        "marketTakeBound": str(contract.bound),
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": str(contract.least_price),
                "maxPrice": str(contract.most_price),
                "tickSize": str(contract.tick),
            },
            {"filterType": "LOT_SIZE", "maxQty": str(contract.most_limit), **lots},
            {"filterType": "MARKET_LOT_SIZE", "maxQty": str(contract.most_market), **lots},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": str(contract.least_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": str(1 + contract.bound),
                "multiplierDown": str(1 - contract.bound),
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }
