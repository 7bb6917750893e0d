"""The books of one account in one-way mode: a wallet, one position, and what was paid for it.

A trade that adds to the position adds to its cost. One that takes from it moves the profit of the
part that was closed into the wallet. One that turns it round does both. Whatever it is::

    wallet - cost  changes by exactly  - quote - commission

so that ``wallet - cost`` is the fund's cash (SPEC 2). Amounts are whole multiples of the venue's
last digit; what rounding leaves of a part that is closed stays in the cost of the rest.

On spot nothing is marked: what is bought is owned, its cost is 0, and the wallet is the cash.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from steelyard.venues.protocol import Position

__all__ = ["OneWayAccount", "cut_to_position", "position_of", "rounded", "traded"]

NOTHING = Decimal(0)


class OneWayAccount(NamedTuple):
    """What the venue holds for a fund."""

    wallet: Decimal
    units: Decimal = NOTHING
    cost: Decimal = NOTHING
    """Signed as ``units``: these times the entry price."""
    contract: int = 0
    """Of the future that is held, epoch s."""


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """An amount in whole steps of the venue's last digit, half to even."""
    return amount.quantize(step, ROUND_HALF_EVEN)


def cut_to_position(units: Decimal, held: Decimal) -> Decimal:
    """The part of a reduce-only order that makes the position smaller; zero where none does."""
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
        account: before it.
        units: signed, not zero.
        quote: signed as ``units``: what they were bought for, in whole steps.
        commission: paid, in whole steps.
        step: the venue's last digit.
        is_spot: what is bought is owned.
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
    """What the venue says that the account holds."""
    _, units, cost, contract = account
    entry = cost / units if units != 0 else NOTHING
    return Position(units, entry, cost, contract, liquidation_price)
