r"""The one order in flight, from sending to its end.

    sent -> answered -> its trades are booked, or it traded nothing
        \-> unknown -> looked up until one of these is proved

The call that sends an order ends in one of these ways. It gives the order's final state. It is
*rejected* or *unavailable*: nothing happened. Anything that is not proved to be one of these is
*unknown*: the order is looked up by its id until its last instant of acceptance has passed on the
venue's clock, and once more after the venue's lists have caught up with that instant. An order is
void only if the order look-up, the trades and the position all show that nothing happened.
"""

from __future__ import annotations

from decimal import Decimal

from steelyard.keeper import reconciliation
from steelyard.keeper.booking import (
    came_to_end,
    ended,
    is_whole,
    lag_ms,
    trades_since,
    unclear,
    waits_for_money,
)
from steelyard.keeper.commands import AccountReading, LookUp, ReadVenue, Timer
from steelyard.keeper.desk import Desk, Phase
from steelyard.keeper.keeper_events import Answered, LookedUp, Streamed, WasRead
from steelyard.keeper.memory import StoredOrder
from steelyard.keeper.order_ids import own_order
from steelyard.keeper.sending import send
from steelyard.venues.protocol import EARLY_MS, CallOutcome, Failure, OrderState, Read

__all__ = ["answered", "ask", "late", "looked_up", "read_for_proof", "streamed"]


# -- answers and look-ups --------------------------------------------------------------------------


def answered(desk: Desk, event: Answered) -> None:
    """Handle the answer to an order. A late or repeated answer adds nothing new to the order."""
    found, now_ms = event.found, event.now_ms
    if isinstance(found, Failure):
        desk.hear_refusal(found)
    order = desk.memory.order
    if order is None or order.client_id != event.client_id or desk.phase is Phase.STORING:
        duplicate(desk, now_ms, found)
        return
    if isinstance(found, OrderState):
        if is_earlier(order, found):
            unknown(desk, now_ms, "answer", "unknown", "it is about an earlier order of this id")
        elif found.is_final:
            came_to_end(desk, now_ms, found)
        else:
            unknown(desk, now_ms, "answer", "open", "it is not at its end")
    elif found.outcome is CallOutcome.UNKNOWN:
        unknown(desk, now_ms, "answer", "unknown", found.reason)
    elif desk.phase is Phase.SENT:
        ended(desk, now_ms, found.outcome.value, found.reason, is_sent=found.is_sent)


def duplicate(desk: Desk, now_ms: int, found: OrderState | Failure) -> None:
    """Handle an answer to an order that has ended: each of its trades is booked once."""
    if isinstance(found, OrderState) and desk.memory.is_open:
        reconciliation.adopt_trades(desk, now_ms, found.trades)


def late(desk: Desk, now_ms: int) -> None:
    """Treat the open order as unknown if its answer has not arrived in time."""
    if desk.memory.order is not None and desk.phase is Phase.SENT:
        unknown(desk, now_ms, "timer", "unknown", "no answer came in time")


def unknown(desk: Desk, now_ms: int, heard: str, outcome: str, why: str) -> None:
    """Record that the order's outcome is unknown, and look the order up."""
    order = desk.memory.order
    if order is None:
        return
    if desk.phase is not Phase.ASKING:
        fields = {"id": order.client_id, "heard": heard, "outcome": outcome, "why": why}
        desk.note(now_ms, "answer", fields)
        desk.publish(f"{order.client_id}: its outcome is not known ({why}): it is looked up")
    desk.phase = Phase.ASKING
    ask(desk, now_ms)


def ask(desk: Desk, now_ms: int) -> None:
    """Look the open order up, and set a timer that repeats this if no answer arrives."""
    order = desk.memory.order
    if order is None or desk.phase is Phase.STORING:
        return
    desk.phase = Phase.ASKING
    desk.commands.append(LookUp(desk.symbol, order.client_id, now_ms))
    desk.set_timer(now_ms, Timer.ASK, desk.guards.answer_after_ms)


def streamed(desk: Desk, event: Streamed) -> None:
    """Handle a message of the stream, which speeds things up but never changes the books itself.

    A final state of the open order leads to a look-up. A fill of an order that the fund did not
    send, such as a liquidation, leads to a reading of the whole account.
    """
    order, told, now_ms = desk.memory.order, event.order, event.now_ms
    if order is not None and order.client_id == told.client_id:
        if told.is_final and not desk.proof.is_told:
            desk.proof.is_told = True  # told again it is no news: the timer asks on
            ask(desk, now_ms)
    elif told.filled != 0 and own_order(desk.symbol, told.client_id) is None:
        if desk.is_reading:
            # part of this round may have been read before the order was filled
            desk.is_told = True
        else:
            reconciliation.start_soon(desk, now_ms)


def looked_up(desk: Desk, event: LookedUp) -> None:
    """Handle the result of a look-up of the open order."""
    order, found, now_ms = desk.memory.order, event.found, event.now_ms
    if order is None or order.client_id != event.client_id or desk.phase is Phase.STORING:
        return
    if isinstance(found, Failure):
        desk.hear_refusal(found)
        unclear(desk, now_ms, f"{order.client_id} cannot be looked up: {found.reason}")
        again(desk, now_ms)
        return
    desk.clock.see(event.asked_ms, now_ms, found.time_ms)
    if found.value is None or is_earlier(order, found.value):
        absent(desk, now_ms, order, found)
    elif found.value.is_final:
        came_to_end(desk, now_ms, found.value)
    else:
        unclear(desk, now_ms, f"{order.client_id} is shown as open, which nothing is for long")
        again(desk, now_ms)


def is_earlier(order: StoredOrder, found: OrderState) -> bool:
    """Whether an order had changed for the last time before this one could be accepted.

    A journal that was begun anew on an account gives the ids of the one before a second time.
    """
    return found.is_final and found.time_ms <= order.stamp_ms - EARLY_MS


def again(desk: Desk, now_ms: int) -> None:
    """Set the timer for the next look-up, which is not before a ban ends."""
    wait = desk.guards.ask_every_ms
    venue_ms = desk.clock.venue_ms(now_ms)
    if venue_ms is not None:
        wait = max(wait, desk.refused_until_ms - venue_ms)
    desk.set_timer(now_ms, Timer.ASK, wait)


# -- proof that an order traded nothing ------------------------------------------------------------


def absent(desk: Desk, now_ms: int, order: StoredOrder, found: Read[OrderState | None]) -> None:
    """The venue knows no such order, which proves something only after the order's last instant."""
    proof = desk.proof
    if never_came(desk, order, found):
        send(desk, now_ms, order)
        return
    if desk.limits is None or venue_time(found, now_ms) <= order.until_ms:
        # the limits give the lag of the venue's views; without them, absence proves nothing
        again(desk, now_ms)
        return
    proof.absent += 1
    if proof.absent <= 1 or venue_time(found, now_ms) <= settled_ms(desk, order):
        again(desk, now_ms)
        return
    # trades and position must confirm it
    proof.is_reading, proof.position, proof.trades_ms = True, None, 0
    since = trades_since(desk, order)
    desk.commands.append(ReadVenue(desk.symbol, AccountReading.TRADES, now_ms, since))
    desk.commands.append(ReadVenue(desk.symbol, AccountReading.POSITION, now_ms))
    desk.set_timer(now_ms, Timer.ASK, desk.guards.answer_after_ms)


def never_came(desk: Desk, order: StoredOrder, found: Read[OrderState | None]) -> bool:
    """Whether a stored order was never sent and can still be accepted.

    Only a venue in this process can prove that by not knowing the order, since no request to it can
    be under way. The process that stored the order was killed before it sent it.
    """
    is_known = desk.limits is not None and desk.limits.is_at_once
    return is_known and found.time_ms <= order.until_ms and desk.lease_covers(order.until_ms)


def venue_time(found: Read[OrderState | None], _now_ms: int) -> int:
    """The venue's clock at the look-up; the machine's own clock proves nothing about the venue."""
    return found.time_ms


def settled_ms(desk: Desk, order: StoredOrder) -> int:
    """The venue's clock, ms, after which every result of an order must be visible."""
    return order.until_ms + lag_ms(desk)


def read_for_proof(desk: Desk, event: WasRead) -> None:
    """Take a reading of trades, money movements or the position as evidence on the open order."""
    order, proof, now_ms, found = desk.memory.order, desk.proof, event.now_ms, event.found
    if order is None or isinstance(found, Failure):
        return
    if proof.final is not None:
        if is_whole(desk, proof.final) and not waits_for_money(desk):
            came_to_end(desk, now_ms, proof.final)
        return  # otherwise the timer asks again
    if not proof.is_reading or found.time_ms <= settled_ms(desk, order):
        return
    if event.what is AccountReading.TRADES:
        proof.trades_ms = found.time_ms
    elif event.what is AccountReading.POSITION:
        proof.position = found
    if proof.trades_ms and proof.position is not None:
        proof.is_reading = False
        weigh(desk, now_ms, order, proof.position.value.units)


def weigh(desk: Desk, now_ms: int, order: StoredOrder, held: Decimal) -> None:
    """Void the order if order, trades and position all show that nothing happened."""
    if not desk.heard and held == desk.memory.units:
        ended(desk, now_ms, "void", "order, trades and position say that nothing came of it")
        return
    why = (
        f"{order.client_id} is not known, and {len(desk.heard)} trades of it are seen; "
        f"the position is {held}, expected {desk.memory.units}"
    )
    unclear(desk, now_ms, why)
    again(desk, now_ms)
