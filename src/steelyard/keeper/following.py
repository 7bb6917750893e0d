r"""The one order that is in flight, from its sending to its end.

    sent -> answered -> its trades are booked, or nothing came of it
        \-> unknown -> looked up until that is proved

An order that was sent has three outcomes. *Rejected* and *unavailable*: nothing happened. Whatever
is not proved to be one of these, or a fill, is *unknown*: it is looked up by its id until its last
instant of acceptance has passed on the venue's clock, and once more after the venue's lists have
caught up with that. Only where the order, the trades and the position all say that nothing
happened is it void.
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


# -- what is heard of it ---------------------------------------------------------------------------


def answered(desk: Desk, event: Answered) -> None:
    """The answer to an order: late and doubled ones say nothing that is not known by then."""
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
    """An answer to an order that has ended: its trades are booked, each once, like any other."""
    if isinstance(found, OrderState) and desk.memory.is_open:
        reconciliation.adopt_trades(desk, now_ms, found.trades)


def late(desk: Desk, now_ms: int) -> None:
    """No answer came in time."""
    if desk.memory.order is not None and desk.phase is Phase.SENT:
        unknown(desk, now_ms, "timer", "unknown", "no answer came in time")


def unknown(desk: Desk, now_ms: int, heard: str, outcome: str, why: str) -> None:
    """Anything may have happened: look the order up."""
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
    """Look the open order up, and again where no answer comes."""
    order = desk.memory.order
    if order is None or desk.phase is Phase.STORING:
        return
    desk.phase = Phase.ASKING
    desk.commands.append(LookUp(desk.symbol, order.client_id, now_ms))
    desk.set_timer(now_ms, Timer.ASK, desk.guards.answer_after_ms)


def streamed(desk: Desk, event: Streamed) -> None:
    """A stream only makes things faster: the books move by what is asked.

    Of the open order that is what came of it. An order that the fund did not send, such as a
    liquidation, is a reason to read the whole account.
    """
    order, told, now_ms = desk.memory.order, event.order, event.now_ms
    if order is not None and order.client_id == told.client_id:
        if told.is_final and not desk.proof.is_told:
            desk.proof.is_told = True  # told again it is no news: the timer asks on
            ask(desk, now_ms)
    elif told.filled != 0 and own_order(desk.symbol, told.client_id) is None:
        if desk.is_reading:
            # a part of this round may have been read before the order was filled
            desk.is_told = True
        else:
            reconciliation.start_soon(desk, now_ms)


def looked_up(desk: Desk, event: LookedUp) -> None:
    """What the venue knows of the open order."""
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
    """Ask once more, a little later; not before a ban has ended."""
    wait = desk.guards.ask_every_ms
    venue_ms = desk.clock.venue_ms(now_ms)
    if venue_ms is not None:
        wait = max(wait, desk.refused_until_ms - venue_ms)
    desk.set_timer(now_ms, Timer.ASK, wait)


# -- whether nothing came of it --------------------------------------------------------------------


def absent(desk: Desk, now_ms: int, order: StoredOrder, found: Read[OrderState | None]) -> None:
    """The venue knows of no such order: that means something after its last instant only."""
    proof = desk.proof
    if never_came(desk, order, found):
        send(desk, now_ms, order)
        return
    if desk.limits is None or venue_time(found, now_ms) <= order.until_ms:
        # by how much the venue's views lag is in its limits: without them absence proves nothing
        again(desk, now_ms)
        return
    proof.absent += 1
    if proof.absent <= 1 or venue_time(found, now_ms) <= settled_ms(desk, order):
        again(desk, now_ms)
        return
    # trades and position have to say the same
    proof.is_reading, proof.position, proof.trades_ms = True, None, 0
    since = trades_since(desk, order)
    desk.commands.append(ReadVenue(desk.symbol, AccountReading.TRADES, now_ms, since))
    desk.commands.append(ReadVenue(desk.symbol, AccountReading.POSITION, now_ms))
    desk.set_timer(now_ms, Timer.ASK, desk.guards.answer_after_ms)


def never_came(desk: Desk, order: StoredOrder, found: Read[OrderState | None]) -> bool:
    """Whether an order that is stored was never sent, and can still be accepted.

    Only a venue in this process, on which no request can be under way, proves that by not knowing
    it. The process that stored it was killed before it sent.
    """
    is_known = desk.limits is not None and desk.limits.is_at_once
    return is_known and found.time_ms <= order.until_ms and desk.lease_covers(order.until_ms)


def venue_time(found: Read[OrderState | None], _now_ms: int) -> int:
    """The venue's clock when it said so: the machine's own proves nothing about the venue."""
    return found.time_ms


def settled_ms(desk: Desk, order: StoredOrder) -> int:
    """The venue's clock after which all that came of an order is to be seen."""
    return order.until_ms + lag_ms(desk)


def read_for_proof(desk: Desk, event: WasRead) -> None:
    """Trades, money or the position were read while an order is open: take them as evidence."""
    order, proof, now_ms, found = desk.memory.order, desk.proof, event.now_ms, event.found
    if order is None or isinstance(found, Failure):
        return
    if proof.final is not None:
        if is_whole(desk, proof.final) and not waits_for_money(desk):
            came_to_end(desk, now_ms, proof.final)
        return  # else the timer asks again
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
    """Order, trades and position are there: void where all say that nothing happened."""
    if not desk.heard and held == desk.memory.units:
        ended(desk, now_ms, "void", "order, trades and position say that nothing came of it")
        return
    why = (
        f"{order.client_id} is not known, and {len(desk.heard)} trades of it are seen; "
        f"the position is {held}, expected {desk.memory.units}"
    )
    unclear(desk, now_ms, why)
    again(desk, now_ms)
