"""Nav and leverage, and the drift of leverage as the price moves.

``nav = cash + units * price`` and ``leverage = units * price / nav``. Cash is negative when it is
borrowed, and units are negative for a short. After a move r leverage is ``L (1 + r) / (1 + L r)``
(FORMULAS 1). It falls when the token gains, for longs and shorts alike.
"""

from __future__ import annotations

from steelyard.rules.numbers import Num

__all__ = [
    "amplified_move",
    "feedback_gain",
    "leverage_after_move",
    "leverage_of",
    "move_to_leverage",
    "nav_of",
    "price_at_leverage",
    "rebalance_demand",
    "wipeout_move",
]


def nav_of(cash: Num, units: Num, price: Num) -> Num:
    """Net asset value in quote."""
    return cash + units * price


def leverage_of(cash: Num, units: Num, price: Num) -> Num:
    """Signed leverage: notional over nav, which must not be zero."""
    notional = units * price
    return notional / (cash + notional)


def leverage_after_move(leverage: Num, move: Num) -> Num:
    """Leverage after the price moved by the simple return ``move`` and nothing was traded."""
    return leverage * (1 + move) / (1 + leverage * move)


def move_to_leverage(leverage: Num, reached: Num) -> Num:
    """The simple return that takes ``leverage`` to ``reached`` (neither is 0 or 1)."""
    return (reached - leverage) / (leverage * (1 - reached))


def price_at_leverage(cash: Num, units: Num, leverage: Num) -> Num:
    """The price at which the position has this signed leverage (not 1), in quote.

    A negative result means that no price gives this leverage.
    """
    return leverage * cash / (units * (1 - leverage))


def wipeout_move(leverage: Num) -> Num:
    """The simple return that takes nav to zero: ``-1 / L``."""
    return -1 / leverage


def rebalance_demand(assets: Num, leverage: Num, move: Num, inflow: Num) -> Num:
    """The signed notional (quote) that a reset to target trades: ``A L (L-1) r + L F``.

    ``assets`` are net assets before the move, and ``inflow`` is net creation after it, both in
    quote. Source: Cheng & Madhavan 2009, "The Dynamics of Leveraged and Inverse ETFs", section 3.
    """
    return assets * leverage * (leverage - 1) * move + leverage * inflow


def feedback_gain(impact: Num, demand: Num) -> Num:
    """The move that the rebalances after a price move cause, as a share of that price move.

    ``impact`` is the move of the price per unit of notional traded. ``demand`` is the notional that
    resets trade per unit of move, ``sum A L (L-1)``. From 1 upward the market is unstable. See
    FORMULAS 8.
    """
    return impact * demand


def amplified_move(shock: Num, gain: Num) -> Num:
    """The final size of a shock once the resets have reacted to it: ``r / (1 - gain)``.

    It includes the reactions to each reaction. ``gain`` is below 1. See FORMULAS 8.
    """
    return shock / (1 - gain)
