"""Faults of a keeper, planted one at a time: the simulator has to find each of them.

Each takes the place of one function of the production core, or of what carries its commands out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from steelyard.keeper import booking, core, following, reconciliation, sending, venue_clock
from steelyard.keeper.commands import Command, Send, Store, Timer
from steelyard.keeper.desk import Desk, Phase
from steelyard.keeper.memory import StoredOrder
from steelyard.venues.protocol import (
    Failure,
    Movement,
    MovementKind,
    OrderState,
    OrderStatus,
    Read,
    Trade,
    TradeCause,
)
from support.keeper_sim.process import Process

__all__ = ["PLANTS", "planted"]

NOTHING = Decimal(0)
Changes = list[tuple[Any, str, Any]]


def _timeout_taken_for_a_failure() -> Changes:
    def unknown(desk: Desk, now_ms: int, heard: str, outcome: str, why: str) -> None:  # noqa: ARG001
        if desk.memory.order is not None:
            booking.ended(desk, now_ms, "rejected", why)

    return [(following, "unknown", unknown)]


def _sent_again_at_once() -> Changes:
    ask = following.unknown

    def unknown(desk: Desk, now_ms: int, heard: str, outcome: str, why: str) -> None:
        order = desk.memory.order
        if order is not None and desk.phase is Phase.SENT and heard == "answer":
            desk.commands.append(Send(desk.symbol, order.request()))
            desk.set_timer(now_ms, Timer.LATE, desk.guards.answer_after_ms)
        else:
            ask(desk, now_ms, heard, outcome, why)

    return [(following, "unknown", unknown)]


def _looked_up_once_only() -> Changes:
    def absent(desk: Desk, now_ms: int, order: StoredOrder, found: Read[Any]) -> None:  # noqa: ARG001
        booking.ended(desk, now_ms, "void", "it was not found")

    return [(following, "absent", absent)]


def _sent_before_it_is_stored() -> Changes:
    def arranged(desk: Desk, store: Store, commands: list[Command]) -> list[Command]:
        order = desk.memory.order
        if desk.phase is Phase.STORING and order is not None:
            desk.phase = Phase.SENT
            desk.set_timer(order.stamp_ms, Timer.LATE, desk.guards.answer_after_ms)
            timer = desk.commands.pop()
            return [Send(desk.symbol, order.request()), store, *commands, timer]
        return [store, *commands]

    return [(core, "arranged", arranged)]


def _signed_with_the_time_of_sending() -> Changes:
    send = Process._send

    def _send(process: Process, command: Send) -> None:
        venue_ms = process.desk.clock.venue_ms(process.now_ms)
        with patch.object(process.world.laws, "sent"):
            # the law on the stamp itself is left out: what comes of it has to be found
            send(process, replace(command, request=replace(command.request, stamp_ms=venue_ms)))

    return [(Process, "_send", _send)]


def _fence_not_looked_at() -> Changes:
    def _is_fenced(process: Process, command: Store) -> bool:  # noqa: ARG001
        return True

    return [(Process, "_is_fenced", _is_fenced)]


def _duplicate_answer_settled_twice() -> Changes:
    def duplicate(desk: Desk, now_ms: int, found: OrderState | Failure) -> None:
        if isinstance(found, OrderState) and desk.memory.is_open:
            for trade in found.trades:
                reconciliation.adopt_trade(desk, now_ms, trade)

    return [(following, "duplicate", duplicate)]


def _settled_from_stream_and_look_up() -> Changes:
    hint = following.streamed

    def streamed(desk: Desk, event: Any) -> None:
        order, told = desk.memory.order, event.order
        if order is not None and order.client_id == told.client_id and told.filled != 0:
            price = order.price
            trade = Trade(
                f"stream-{told.client_id}",
                told.order_id,
                told.client_id,
                told.time_ms,
                told.filled,
                price,
                told.filled * price,
                NOTHING,
            )
            reconciliation.adopt_trade(desk, event.now_ms, trade)
        hint(desk, event)

    return [(following, "streamed", streamed)]


def _partial_taken_for_the_whole() -> Changes:
    def came_to_end(desk: Desk, now_ms: int, final: OrderState) -> None:
        order = desk.memory.order
        if order is None:
            return
        if final.status is OrderStatus.EXPIRED and final.filled != 0:
            final = replace(final, filled=order.units)
            desk.heard = {
                "whole": Trade(
                    final.order_id,
                    final.order_id,
                    final.client_id,
                    final.time_ms,
                    order.units,
                    order.price,
                    order.units * order.price,
                    NOTHING,
                )
            }
        kept(desk, now_ms, final)

    kept = booking.came_to_end
    return [(following, "came_to_end", came_to_end)]


def _funding_booked_twice() -> Changes:
    heard: dict[str, int] = {}

    def is_adopted(desk: Desk, movement: Movement) -> bool:
        name = movement.movement_id
        if movement.kind is not MovementKind.FUNDING:
            return name in desk.memory.movements
        heard[name] = heard.get(name, 0) + 1
        return heard[name] > 2

    return [(reconciliation, "is_adopted", is_adopted)]


def _unexpected_position_ignored() -> Changes:
    adopt = reconciliation.adopt_trade

    def adopt_trade(desk: Desk, now_ms: int, trade: Trade) -> None:
        if trade.cause is TradeCause.ORDER:
            adopt(desk, now_ms, trade)

    return [(reconciliation, "adopt_trade", adopt_trade)]


def _suspension_stops_a_lowering() -> Changes:
    may = sending.withheld

    def withheld(desk: Desk, intent: Any, units: Decimal, now_ms: int) -> str | None:
        if (
            desk.state.reserve.suspended
            or len(desk.memory.stamps) >= desk.guards.max_orders_per_hour
        ):
            return "what the fund does is suspended"
        return may(desk, intent, units, now_ms)

    return [(sending, "withheld", withheld)]


def _own_clock_taken_for_the_venues() -> Changes:
    def venue_ms(clock: Any, now_ms: int) -> int:  # noqa: ARG001
        return now_ms

    def venue_time(found: Any, now_ms: int) -> int:  # noqa: ARG001
        return now_ms

    return [(venue_clock.VenueClock, "venue_ms", venue_ms), (following, "venue_time", venue_time)]


PLANTS: dict[str, Callable[[], Changes]] = {
    "a time-out taken for a failure": _timeout_taken_for_a_failure,
    "sent again at once under the same id": _sent_again_at_once,
    "looked up once only": _looked_up_once_only,
    "sent before the intent is stored": _sent_before_it_is_stored,
    "signed with the time of sending": _signed_with_the_time_of_sending,
    "the fence not looked at": _fence_not_looked_at,
    "a duplicate answer settled twice": _duplicate_answer_settled_twice,
    "a fill settled from stream and from look-up": _settled_from_stream_and_look_up,
    "a partial fill taken for the whole": _partial_taken_for_the_whole,
    "a funding record booked twice": _funding_booked_twice,
    "an unexpected position ignored": _unexpected_position_ignored,
    "a suspension that stops a lowering": _suspension_stops_a_lowering,
    "one's own clock taken for the venue's": _own_clock_taken_for_the_venues,
}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The keeper with one fault; with none where the name is None."""
    if name is None:
        yield
        return
    changes = PLANTS[name]()
    patches = [patch.object(where, what, new) for where, what, new in changes]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
