"""Nav, leverage, and how leverage drifts as the price moves.

``nav = cash + units * price`` and ``leverage = units * price / nav``; cash is negative when
borrowed, units are negative for a short. After a move r leverage is ``L (1 + r) / (1 + L r)``
(FORMULAS 1): it falls when the token gains, for longs and shorts alike.
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
    """Leverage after the price moved by the simple return ``move``, nothing traded."""
    return leverage * (1 + move) / (1 + leverage * move)


def move_to_leverage(leverage: Num, reached: Num) -> Num:
    """The simple return that takes ``leverage`` to ``reached`` (neither is 0 or 1)."""
    return (reached - leverage) / (leverage * (1 - reached))


def price_at_leverage(cash: Num, units: Num, leverage: Num) -> Num:
    """The price at which the position has this signed leverage (not 1); negative: nowhere."""
    return leverage * cash / (units * (1 - leverage))


def wipeout_move(leverage: Num) -> Num:
    """The simple return that takes nav to zero: ``-1 / L``."""
    return -1 / leverage


def rebalance_demand(assets: Num, leverage: Num, move: Num, inflow: Num) -> Num:
    """Signed notional that a reset to target trades: ``A L (L-1) r + L F``.

    ``assets`` are those before the move, ``inflow`` is net creation after it, in quote.
    Source: Cheng & Madhavan 2009, "The Dynamics of Leveraged and Inverse ETFs", section 3.
    """
    return assets * leverage * (leverage - 1) * move + leverage * inflow


def feedback_gain(impact: Num, demand: Num) -> Num:
    """What a move comes back as through the rebalances that it causes, as a share of it.

    ``impact`` is the move of the price per unit of notional traded, ``demand`` the notional that
    resets trade per unit of move, ``sum A L (L-1)``. At 1 the market is unstable. FORMULAS 8.
    """
    return impact * demand


def amplified_move(shock: Num, gain: Num) -> Num:
    """The move to which a shock grows, each answer of the resets answered: ``r / (1 - gain)``.

    ``gain`` is below 1. FORMULAS 8.
    """
    return shock / (1 - gain)
