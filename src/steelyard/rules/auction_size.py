"""How much of a rebalance an auction sells, so that no fill ever goes across its destination.

A fill of the notional N at the premium p, of which the reserve pays R (below zero: receives),
moves collateral C and debt D, in quote at the oracle's price, to::

    raise   C + N,               D + N (1 + p) - R
    lower   C - N (1 + p) + R,   D - N

so that nav pays ``p N - R``. With the gap to the destination and ``m`` the collateral per nav
there, leverage lands on it at::

    raise   N = (gap + m R) / (1 + m p)
    lower   N = (gap - (m - 1) R) / (1 - (m - 1) p)

What the reserve will pay is not known before; the smallest such N is the size: a raise as if it
paid nothing, a lowering as if it paid all it can. FORMULAS 14.
"""

from __future__ import annotations

from steelyard.rules.numbers import Num

__all__ = [
    "LEAST_PARTS",
    "fill_least",
    "fill_most",
    "has_arrived",
    "is_fill_taken",
    "lendable_size",
    "rescue_least",
]

LEAST_PARTS = 10
"""Outside an emergency a fill takes at least so small a part of what is on sale."""


def fill_most(gap: Num, multiple: Num, premium: Num, cap: Num, raises: bool) -> Num:
    """The largest notional that does not go across, whatever the reserve pays up to ``cap``.

    Args:
        gap: notional missing to the destination, not negative; quote.
        multiple: collateral per nav at the destination.
        premium: share of notional; below zero the taker pays it.
        cap: the most that the reserve could pay, quote.
        raises: whether the fill raises leverage.
    """
    if raises:
        if premium <= 0:
            # nav may gain nothing of what the taker pays
            return gap
        return gap / (1 + multiple * premium)
    borrowed = multiple - 1
    if premium <= 0:
        # nav may gain all that the taker pays
        return gap / (1 - borrowed * premium)
    if premium * gap <= cap:
        return gap
    if borrowed * premium * 2 >= 1:
        # so dear a premium is refused by the factory; a size without end would be worse
        return (gap - borrowed * cap) * 2
    return (gap - borrowed * cap) / (1 - borrowed * premium)


def lendable_size(most: Num, premium: Num, lendable: Num) -> Num:
    """A raise of at most ``most`` for which no more than ``lendable`` (quote) has to be lent."""
    size = lendable
    if premium > 0:
        size = lendable / (1 + premium)
    if size < most:
        return size
    return most


def fill_least(most: Num, emergency: bool) -> Num:
    """The least part of what is on sale that a fill takes: a tenth, in an emergency a 100th."""
    if emergency:
        return most / 100
    return most / LEAST_PARTS


def rescue_least(debt: Num, collateral: Num, threshold: Num, premium: Num, paid: Num) -> Num:
    """The notional that brings a position from beyond the lender's threshold down to it.

    ``N = (debt - threshold (collateral + paid)) / (1 - threshold (1 + premium))``: zero where it
    is not beyond. With ``paid`` at zero it is enough whatever the reserve pays. Quote.
    """
    over = debt - threshold * (collateral + paid)
    if over <= 0:
        return over * 0
    return over / (1 - threshold * (1 + premium))


def is_fill_taken(size: Num, least: Num, most: Num) -> bool:
    """Whether a fill of ``size`` is allowed: all that is on sale, or at least the least part."""
    return size > 0 and (size == most or least <= size < most)


def has_arrived(whole: Num, size: Num, gap: Num) -> bool:
    """Whether a fill is at its destination: at most a 200th of the gap is left to be sold."""
    return (whole - size) * 200 <= gap
