"""Fills of a paper venue, by the series' own cost model, as a simulation fills orders.

The model is read as an order book: each further part of an order costs the model's slope at that
size. An order fills up to its limit, and up to the size that the book or the pool of the model
holds; the rest is left unfilled.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from steelyard.fund.costing import charges_of
from steelyard.fund.events import Charges
from steelyard.rules.costs import CostCurve, CostRates, cost_curve, curve_slope, is_tradable
from steelyard.rules.numbers import DECIMAL18

__all__ = ["PaperFill", "filled", "model_book"]

SMALLEST = Decimal("1e-18")
HALVINGS = 80
BOOK_SIZES = (Decimal(10_000), Decimal(100_000), Decimal(1_000_000), Decimal(10_000_000))
"""The sizes, in quote, up to which a modelled book has its levels."""


class PaperFill(NamedTuple):
    """The filled part of an order, with the order's sign."""

    units: Decimal
    notional: Decimal
    """The notional at the mark, in quote."""
    charges: Charges[Decimal]

    @property
    def quote(self) -> Decimal:
        """What the units were bought for (negative: sold for), including spread and impact."""
        return self.notional + self.charges.spread + self.charges.impact

    @property
    def commission(self) -> Decimal:
        """The commission paid, in quote."""
        return self.charges.fee + self.charges.gas


def filled(
    rates: CostRates[Decimal],
    units: Decimal,
    price: Decimal,
    limit: Decimal | None,
    lot: Decimal,
    planned: Decimal | None = None,
) -> PaperFill | None:
    """The part of an order that is filled; None: nothing.

    Args:
        rates: the present cost of trades.
        units: the order's units, signed.
        price: the mark of the traded instrument.
        limit: the worst price; None: any.
        lot: the size of which fills are multiples; 0: any.
        planned: the notional from which the units were rounded, if it is known.
    """
    curve = _curve(rates)
    if _is_taken(curve, units, price, limit):
        return _fill(rates, units, price, planned)
    side, low, high = (1 if units > 0 else -1), Decimal(0), abs(units)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _is_taken(curve, side * middle, price, limit):
            low = middle
        else:
            high = middle
    size = (low // lot * lot) if lot > 0 else low.quantize(SMALLEST, ROUND_DOWN)
    return _fill(rates, side * size, price, None) if size > 0 else None


def _fill(
    rates: CostRates[Decimal], units: Decimal, price: Decimal, planned: Decimal | None
) -> PaperFill:
    amount, notional = DECIMAL18.amount, units * price
    if planned is not None and amount(planned / price) == units:
        # the order was decided at this very mark, so the planned amount is exact
        notional = planned
    charges = charges_of(rates, notional, DECIMAL18.sqrt)
    return PaperFill(units, amount(notional), Charges(*map(amount, charges)))


def _curve(rates: CostRates[Decimal]) -> CostCurve[Decimal]:
    """The costs that change the price of a fill: spread and impact, whoever bears them."""
    nothing = rates.gas * 0
    alone = rates._replace(
        taker_fee_bps=nothing,
        gas=nothing,
        bears_fee=False,
        bears_spread=False,
        bears_impact=False,
        bears_gas=False,
    )
    return cost_curve(alone, borne=False)


def _is_taken(
    curve: CostCurve[Decimal], units: Decimal, price: Decimal, limit: Decimal | None
) -> bool:
    """Whether the market holds that size, and the limit allows the price of its last part."""
    notional = units * price
    if not is_tradable(curve, notional):
        return False
    if limit is None:
        return True
    off = price * curve_slope(curve, notional, DECIMAL18.sqrt)
    return price + off <= limit if units > 0 else price - off >= limit


def model_book(
    rates: CostRates[Decimal], price: Decimal
) -> tuple[tuple[tuple[Decimal, Decimal], ...], tuple[tuple[Decimal, Decimal], ...]]:
    """Bids and asks whose cost is that of the model, up to the size that it holds."""
    sides, curve = [], _curve(rates)
    for side in (-1, 1):
        levels, taken, paid = [], Decimal(0), Decimal(0)
        for size in BOOK_SIZES:
            units = side * size / price
            if not _is_taken(curve, units, price, None):
                break
            fill = _fill(rates, units, price, None)
            cost = fill.charges.spread + fill.charges.impact
            off = (cost - paid) / (size - taken)
            at = DECIMAL18.amount(price * (1 + side * off))
            if at <= 0:
                break
            levels.append((at, DECIMAL18.amount((size - taken) / price)))
            taken, paid = size, cost
        sides.append(tuple(levels))
    return sides[0], sides[1]
