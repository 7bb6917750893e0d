"""Whether an answer of a venue can be read; if not, its outcome is unknown, as without an answer.

An amount that is missing or not finite would spread through the books into every later figure. An
invalid time, or an answer about another order, would do similar harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from steelyard.keeper.keeper_events import Answered, LookedUp, WasRead
from steelyard.venues.protocol import (
    Balance,
    CallOutcome,
    Failure,
    Limits,
    Mark,
    Movement,
    OrderState,
    OrderStatus,
    Position,
    Read,
    Trade,
)

__all__ = ["readable", "unreadable"]

MOST = Decimal(10) ** 15
"""Amounts and prices must be below this, so that a product of two keeps its 18 places."""
FINEST = -100
"""The smallest exponent allowed: a quotient keeps 50 significant figures after its zeros."""
LAST_MS = 2**53
LONGEST_ID = 200

Heard = TypeVar("Heard", Answered, LookedUp, WasRead)


def readable(event: Heard) -> Heard:
    """The event unchanged, or with an unreadable answer replaced by a failure (unknown)."""
    found: Any = event.found
    if isinstance(found, Failure):
        return event
    why = unreadable(found)
    if why is None and not isinstance(event, WasRead):
        why = _of_another(event.client_id, found.value if isinstance(found, Read) else found)
    if why is None:
        return event
    return replace(event, found=Failure(CallOutcome.UNKNOWN, f"the answer cannot be read: {why}"))


def unreadable(value: object) -> str | None:
    """Why an answer cannot be read; None: it can be."""
    check = CHECKS.get(type(value))
    return None if check is None else check(value)


def _of_another(client_id: str, found: OrderState | None) -> str | None:
    if found is not None and found.client_id != client_id:
        return f"it is about the order {found.client_id[:LONGEST_ID]!r}"
    return None


def _amounts(of: object, names: tuple[str, ...]) -> str | None:
    for name in names:
        found = getattr(of, name)
        if found is None and name in MAY_BE_NONE:
            continue
        if not _is_amount(found):
            return f"{name} is {str(found)[:LONGEST_ID]}"
    return None


MAY_BE_NONE = frozenset({"index", "liquidation_price", "mark", "rate"})


def _is_amount(found: object) -> bool:
    if not isinstance(found, Decimal) or not found.is_finite() or not -MOST < found < MOST:
        return False
    exponent = found.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= FINEST


def _time(of: Any) -> str | None:  # noqa: ANN401 (whatever has a time)
    time_ms = of.time_ms
    if type(time_ms) is not int or not 0 <= time_ms < LAST_MS:
        return f"time_ms is {str(time_ms)[:LONGEST_ID]}"
    return None


def _id(found: object, name: str) -> str | None:
    is_one = isinstance(found, str) and 0 < len(found) <= LONGEST_ID and found.isprintable()
    return None if is_one else f"{name} is {ascii(found)[:LONGEST_ID]}"


def _read(found: Read[Any]) -> str | None:
    return _time(found) or unreadable(found.value)


def _list(found: tuple[object, ...]) -> str | None:
    for each in found:
        why = unreadable(each)
        if why is not None:
            return why
    return None


def _order(found: OrderState) -> str | None:
    why = _time(found) or _amounts(found, ("units", "filled")) or _list(found.trades)
    if why is None and found.status is OrderStatus.FILLED and found.filled != found.units:
        why = f"it is filled, by {found.filled} of {found.units}"
    if why is None and (found.filled * found.units < 0 or abs(found.filled) > abs(found.units)):
        why = f"{found.filled} of {found.units} are filled"
    return why


def _mark(found: Mark) -> str | None:
    return _time(found) or _amounts(found, ("price", "index"))


def _trade(found: Trade) -> str | None:
    names = ("units", "price", "quote", "commission", "realised", "mark")
    why = _id(found.trade_id, "trade_id") or _time(found) or _amounts(found, names)
    if why is None and (found.units == 0 or found.price <= 0):
        why = f"a trade of {found.units} at {found.price}"
    if why is None and found.charges is not None:
        why = _amounts(found.charges, found.charges._fields)
    return why


def _movement(found: Movement) -> str | None:
    why = _id(found.movement_id, "movement_id") or _time(found)
    return why or _amounts(found, ("amount", "rate"))


def _position(found: Position) -> str | None:
    return _amounts(found, ("units", "entry_price", "entry_cost", "liquidation_price"))


def _balance(found: Balance) -> str | None:
    return _amounts(found, ("wallet",))


def _limits(found: Limits) -> str | None:
    names = ("lot", "min_notional", "max_units", "price_step", "price_bound", "quote_step")
    why = _amounts(found, names)
    if why is None:
        below = [name for name in names if getattr(found, name) < 0]
        below += [name for name in ("lag_ms", "late_ms") if not 0 <= getattr(found, name) < LAST_MS]
        why = f"{below[0]} is {getattr(found, below[0])}" if below else None
    return why


CHECKS: dict[type, Callable[[Any], str | None]] = {
    Read: _read,
    tuple: _list,
    OrderState: _order,
    Mark: _mark,
    Trade: _trade,
    Movement: _movement,
    Position: _position,
    Balance: _balance,
    Limits: _limits,
}
