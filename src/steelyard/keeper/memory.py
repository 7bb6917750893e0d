"""What a keeper's own rows left: the open order, what is booked, which alarms hold.

``Memory.take`` is the one place where it changes, while the keeper lives and when the journal is
folded. Nothing is decided here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from steelyard.keeper.order_ids import sequence_of
from steelyard.ledger.amounts import amount_text, decimal_of
from steelyard.venues.protocol import OrderRequest

__all__ = ["Memory", "StoredOrder", "order_fields"]

NOTHING = Decimal(0)
MOVES_NOTHING = frozenset({"commission", "realised", "purchase"})
"""Their trade says them already."""


class StoredOrder(NamedTuple):
    """An order that was stored, and whose end is not."""

    client_id: str
    sequence: int
    attempt: int
    units: Decimal
    notional: Decimal
    limit: Decimal | None
    reduce_only: bool
    price: Decimal
    """The mark that it was decided at."""
    before: Decimal
    """Units held before it."""
    stamp_ms: int
    until_ms: int
    """The last instant of the venue's clock at which it can be accepted."""

    def request(self) -> OrderRequest:
        """The request, the same whenever it is made: the stamp that was stored is signed."""
        return OrderRequest(
            self.client_id,
            self.units,
            self.limit,
            self.reduce_only,
            self.stamp_ms,
            self.until_ms - self.stamp_ms,
            self.notional,
        )


def order_fields(order: StoredOrder) -> dict[str, Any]:
    """The row of an order."""
    return {
        "id": order.client_id,
        "sequence": order.sequence,
        "attempt": order.attempt,
        "units": amount_text(order.units),
        "notional": amount_text(order.notional),
        "limit": None if order.limit is None else amount_text(order.limit),
        "reduce_only": order.reduce_only,
        "price": amount_text(order.price),
        "before": amount_text(order.before),
        "stamp": order.stamp_ms,
        "until": order.until_ms,
    }


@dataclass(slots=True)
class Memory:
    """What the rows of one fund's keeper say, so far."""

    order: StoredOrder | None = None
    sequence: int = 0
    """Of the last order of which something came."""
    attempt: int = 0
    """How many orders came to nothing since."""
    is_open: bool = False
    """The account was read before the launch."""
    opened_ms: int = 0
    """The venue's clock when it was opened."""
    cash: Decimal = NOTHING
    """What the account holds beside its position, by its own records."""
    wallet: Decimal = NOTHING
    """Its balance, by the same records: what was paid for the position is still in it."""
    units: Decimal = NOTHING
    """Its position, by its own trades."""
    transferred: Decimal = NOTHING
    """Quote that came from outside since the launch."""
    trades: dict[str, int] = field(default_factory=dict)
    """Ids that are booked, or were there before the fund, with their times."""
    movements: dict[str, int] = field(default_factory=dict)
    traded: int = 0
    """Trades since the account was opened: each is rounded to the venue's last digit."""
    stamps: deque[int] = field(default_factory=deque)
    """When orders of the last hour were stored, but those that never left."""
    alarms: dict[str, str] = field(default_factory=dict)
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was asked for, by its key."""
    is_liquidated: bool = False
    """The venue closed the position, or a part of it, by its own rule."""
    is_ending: bool = False
    """The fund is to be wound down."""

    def take(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take one row in; a kind that is not the keeper's changes nothing."""
        change = CHANGES.get(kind)
        if change is not None:
            change(self, fields)


def _account_opened(memory: Memory, fields: Mapping[str, Any]) -> None:
    memory.is_open, memory.cash = True, decimal_of(fields["cash"])
    memory.wallet = memory.cash  # an account with a position is refused
    memory.opened_ms = fields["venue_time"]
    memory.trades.update(dict.fromkeys(fields["trades"], fields["venue_time"]))
    memory.movements.update(dict.fromkeys(fields["movements"], fields["venue_time"]))


def _order(memory: Memory, fields: Mapping[str, Any]) -> None:
    limit = fields["limit"]
    memory.order = StoredOrder(
        fields["id"],
        fields["sequence"],
        fields["attempt"],
        decimal_of(fields["units"]),
        decimal_of(fields["notional"]),
        None if limit is None else decimal_of(limit),
        fields["reduce_only"],
        decimal_of(fields["price"]),
        decimal_of(fields["before"]),
        fields["stamp"],
        fields["until"],
    )
    memory.stamps.append(fields["stamp"])
    while memory.stamps[0] < fields["stamp"] - 3_600_000:
        memory.stamps.popleft()


def _order_ended(memory: Memory, fields: Mapping[str, Any]) -> None:
    order = memory.order
    memory.order = None
    if order is None:
        return
    # rows of before this was noted do not have it
    if not fields.get("sent", True) and order.stamp_ms in memory.stamps:
        memory.stamps.remove(order.stamp_ms)
    if decimal_of(fields["filled"]) != 0:
        memory.sequence, memory.attempt = max(order.sequence, memory.sequence), 0
    else:
        memory.attempt = order.attempt


def _venue_trade(memory: Memory, fields: Mapping[str, Any]) -> None:
    memory.trades[fields["trade"]] = fields["venue_time"]
    memory.traded += 1
    if fields["order"] is not None and sequence_of(fields["order"]) > memory.sequence:
        # of an order that no row here knows: its id is used up
        memory.sequence, memory.attempt = sequence_of(fields["order"]), 0
    if fields["cause"] == "liquidation":
        memory.is_liquidated = True
    memory.units += decimal_of(fields["units"])
    memory.cash -= decimal_of(fields["quote"]) + decimal_of(fields["commission"])


def _movement(memory: Memory, fields: Mapping[str, Any]) -> None:
    memory.movements[fields["movement"]] = fields["venue_time"]
    what, amount = fields["what"], decimal_of(fields["amount"])
    memory.wallet += amount
    if what not in MOVES_NOTHING:
        memory.cash += amount
    if what == "transfer":
        memory.transferred += amount


def _alarm(memory: Memory, fields: Mapping[str, Any]) -> None:
    if fields["is_on"]:
        memory.alarms[fields["name"]] = fields["why"]
    else:
        memory.alarms.pop(fields["name"], None)


def _request(memory: Memory, fields: Mapping[str, Any]) -> None:
    memory.requests[fields["key"]] = fields
    if fields["what"] == "wind_down" and fields["outcome"] == "done":
        memory.is_ending = True


CHANGES: dict[str, Callable[[Memory, Mapping[str, Any]], None]] = {
    "account_opened": _account_opened,
    "order": _order,
    "order_ended": _order_ended,
    "venue_trade": _venue_trade,
    "movement": _movement,
    "alarm": _alarm,
    "request": _request,
}
