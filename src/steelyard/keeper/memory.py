"""The memory of a fund's keeper: the open order, what is booked, and the alarms that are set.

It is the sum of the keeper's own journal rows. Only ``Memory.take`` changes it, both while the
keeper runs and when the journal is folded. It makes no decisions.
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
"""Movements that the trade itself already includes, so that they do not change ``cash`` again."""


class StoredOrder(NamedTuple):
    """An order that is stored in the journal and whose end is not: the open order."""

    client_id: str
    sequence: int
    attempt: int
    units: Decimal
    notional: Decimal
    limit: Decimal | None
    reduce_only: bool
    price: Decimal
    """The mark at which it was decided."""
    before: Decimal
    """The units held before it."""
    stamp_ms: int
    until_ms: int
    """The last instant of the venue's clock at which it can be accepted."""

    def request(self) -> OrderRequest:
        """The request to the venue; it is always the same, since the stored stamp is signed."""
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
    """The fields of the order's journal row."""
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
    """What the keeper's own rows of one fund add up to so far."""

    order: StoredOrder | None = None
    sequence: int = 0
    """The sequence number of the last order that traded."""
    attempt: int = 0
    """How many orders have traded nothing since then."""
    is_open: bool = False
    """Whether the account was opened, which the launch does."""
    opened_ms: int = 0
    """The venue's clock, ms, at the opening."""
    cash: Decimal = NOTHING
    """The fund's cash by the account's records, in quote: wallet less the position's entry cost."""
    wallet: Decimal = NOTHING
    """The wallet balance by the same records, in quote; it still includes the entry cost."""
    units: Decimal = NOTHING
    """The position by the account's own trades."""
    transferred: Decimal = NOTHING
    """Quote transferred in from outside since the launch; negative: out."""
    trades: dict[str, int] = field(default_factory=dict)
    """The ids of trades that are booked or older than the fund, with their venue times in ms."""
    movements: dict[str, int] = field(default_factory=dict)
    traded: int = 0
    """Trades since the opening; each is rounded to the venue's last digit."""
    stamps: deque[int] = field(default_factory=deque)
    """The stamps, ms, of the orders of the last hour, except those that never left."""
    alarms: dict[str, str] = field(default_factory=dict)
    requests: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The requests, by their keys."""
    is_liquidated: bool = False
    """Whether the venue closed the position or part of it by its own rule."""
    is_ending: bool = False
    """Whether the fund is to be wound down."""

    def take(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Apply one journal row; rows of other kinds than the keeper's change nothing."""
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
    # rows of earlier versions do not have this field
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
        # the order is in no row of this journal, but its id has been used
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
