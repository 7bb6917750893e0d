"""The size of a rebalance that an auction sells, so that no fill overshoots its destination.

A fill has the notional N and the premium p, of which the reserve pays R (it receives a negative R).
It changes the collateral C and the debt D, in quote at the oracle's price, to::

    raise   C + N,               D + N (1 + p) - R
    lower   C - N (1 + p) + R,   D - N

so that nav pays ``p N - R``. With the gap to the destination, and ``m`` for the collateral per nav
at the destination, leverage lands there at::

    raise   N = (gap + m R) / (1 + m p)
    lower   N = (gap - (m - 1) R) / (1 - (m - 1) p)

How much the reserve will pay is not known beforehand, so the size is the smallest such N: a raise
is sized as if the reserve paid nothing, and a reduction as if it paid all that it can. See FORMULAS
14.
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
"""Outside an emergency a fill takes at least one part in this many of what is on sale."""


def fill_most(gap: Num, multiple: Num, premium: Num, cap: Num, raises: bool) -> Num:
    """The largest notional that cannot overshoot, whatever the reserve pays up to ``cap``; quote.

    Args:
        gap: notional missing to the destination, not negative; quote.
        multiple: collateral per nav at the destination.
        premium: share of notional; the taker pays it where it is negative.
        cap: the most that the reserve could pay, quote.
        raises: whether the fill raises leverage.
    """
    if raises:
        if premium <= 0:
            # in the worst case nav gains nothing of what the taker pays
            return gap
        return gap / (1 + multiple * premium)
    borrowed = multiple - 1
    if premium <= 0:
        # in the worst case nav gains all that the taker pays
        return gap / (1 - borrowed * premium)
    if premium * gap <= cap:
        return gap
    if borrowed * premium * 2 >= 1:
        # the factory refuses so high a premium; without this case the size would be infinite
        return (gap - borrowed * cap) * 2
    return (gap - borrowed * cap) / (1 - borrowed * premium)


def lendable_size(most: Num, premium: Num, lendable: Num) -> Num:
    """The largest raise up to ``most`` that needs a loan of at most ``lendable``; all in quote."""
    size = lendable
    if premium > 0:
        size = lendable / (1 + premium)
    if size < most:
        return size
    return most


def fill_least(most: Num, emergency: bool) -> Num:
    """The smallest fill accepted: a tenth of what is on sale, or a 100th in an emergency; quote."""
    if emergency:
        return most / 100
    return most / LEAST_PARTS


def rescue_least(debt: Num, collateral: Num, threshold: Num, premium: Num, paid: Num) -> Num:
    """The notional that brings a position from beyond the lender's threshold down to it; quote.

    ``N = (debt - threshold (collateral + paid)) / (1 - threshold (1 + premium))``. It is zero where
    the position is not beyond the threshold. Computed with ``paid`` at zero it suffices whatever
    the reserve pays.
    """
    over = debt - threshold * (collateral + paid)
    if over <= 0:
        return over * 0
    return over / (1 - threshold * (1 + premium))


def is_fill_taken(size: Num, least: Num, most: Num) -> bool:
    """Whether a fill of ``size`` is accepted: at least ``least``, or all of ``most``."""
    return size > 0 and (size == most or least <= size < most)


def has_arrived(whole: Num, size: Num, gap: Num) -> bool:
    """Whether a fill has arrived at its destination: at most a 200th of the gap is left to sell."""
    return (whole - size) * 200 <= gap
