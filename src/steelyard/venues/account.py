"""The books of one account in one-way mode: a wallet, one position, and the position's cost.

A trade that adds to the position adds to its cost. A trade that reduces it moves the profit of the
closed part into the wallet. A trade that reverses it does both. In every case::

    wallet - cost  changes by exactly  - quote - commission

so that ``wallet - cost`` is the fund's cash (SPEC 2). Amounts are whole multiples of the venue's
last digit; the rounding of a closed part stays in the cost of the rest.

On spot nothing is marked: what is bought is owned, its cost is 0, and the wallet is the cash.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from steelyard.venues.protocol import Position

__all__ = ["OneWayAccount", "cut_to_position", "position_of", "rounded", "traded"]

NOTHING = Decimal(0)


class OneWayAccount(NamedTuple):
    """The account of a fund at the venue; amounts are in quote."""

    wallet: Decimal
    units: Decimal = NOTHING
    cost: Decimal = NOTHING
    """The entry cost: units times the entry price, with the sign of the units."""
    contract: int = 0
    """The expiry of the future that is held, epoch s; 0: none."""


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """An amount rounded to the venue's last digit, half to even."""
    return amount.quantize(step, ROUND_HALF_EVEN)


def cut_to_position(units: Decimal, held: Decimal) -> Decimal:
    """The part of a reduce-only order that reduces the position; 0 if it would not reduce it."""
    if units * held >= 0:
        return NOTHING
    return -held if abs(units) > abs(held) else units


def traded(
    account: OneWayAccount,
    units: Decimal,
    quote: Decimal,
    commission: Decimal,
    step: Decimal,
    *,
    is_spot: bool = False,
) -> tuple[OneWayAccount, Decimal]:
    """The account after a trade, and the profit that moved into the wallet.

    Args:
        account: the account before the trade.
        units: the units traded, signed, not zero.
        quote: what the units were bought for, with their sign, in whole steps.
        commission: the commission paid, quote, in whole steps.
        step: the venue's last digit.
        is_spot: whether the venue is spot, where what is bought is owned.
    """
    wallet, held, cost, contract = account
    after = held + units
    if is_spot:
        return OneWayAccount(wallet - quote - commission, after, cost, contract), NOTHING
    if held * units >= 0:
        return OneWayAccount(wallet - commission, after, cost + quote, contract), NOTHING
    if abs(units) < abs(held):
        closed_cost, closed_quote = rounded(-cost * units / held, step), quote
    elif abs(units) == abs(held):
        closed_cost, closed_quote = cost, quote
    else:
        closed_cost, closed_quote = cost, rounded(-quote * held / units, step)
    realised = -closed_quote - closed_cost
    new_cost = cost - closed_cost + quote - closed_quote
    return OneWayAccount(wallet + realised - commission, after, new_cost, contract), realised


def position_of(account: OneWayAccount, liquidation_price: Decimal | None = None) -> Position:
    """The position of an account, as the venue reports it."""
    _, units, cost, contract = account
    entry = cost / units if units != 0 else NOTHING
    return Position(units, entry, cost, contract, liquidation_price)
