"""The end of an order: each of its trades is booked once, in the transaction that ends the order.

An order ends once every trade that its state counts has been seen, or once it is proved that it
traded nothing. The part that was not filled becomes the next clip.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from steelyard.fund.events import Charges, Filled
from steelyard.keeper import reconciliation
from steelyard.keeper.commands import AccountReading, ReadVenue, Timer
from steelyard.keeper.desk import Desk, OutcomeEvidence, Phase
from steelyard.keeper.memory import StoredOrder
from steelyard.ledger.amounts import amount_text
from steelyard.rules.triggers import Trigger
from steelyard.venues.protocol import OrderState, OrderStatus, Trade

__all__ = [
    "came_to_end",
    "ended",
    "is_whole",
    "lag_ms",
    "settle_nothing",
    "trades_since",
    "unclear",
    "waits_for_money",
]

NOTHING = Decimal(0)
FREE = Charges(NOTHING, NOTHING, NOTHING, NOTHING)


def came_to_end(desk: Desk, now_ms: int, final: OrderState) -> None:
    """Take the final state of the open order; book its trades once all of them have been seen."""
    order = desk.memory.order
    if order is None:
        return
    reconciliation.adopt_trades(desk, now_ms, final.trades)
    if final.filled == 0 and not desk.heard:
        outcome = "rejected" if final.status is OrderStatus.REJECTED else "nothing"
        ended(desk, now_ms, outcome, final.reason or "nothing was there within its limit")
    elif is_whole(desk, final) and waits_for_money(desk):
        # the order ends later, when the venue's list of money movements reaches its last trade
        desk.phase, desk.proof.final = Phase.ASKING, final
        since = reconciliation.since_ms(desk, AccountReading.MOVEMENTS)
        desk.commands.append(ReadVenue(desk.symbol, AccountReading.MOVEMENTS, now_ms, since))
        desk.set_timer(now_ms, Timer.ASK, desk.guards.read_after_ms)
    elif is_whole(desk, final):
        ended(desk, now_ms, "filled" if final.filled == order.units else "partly", final.reason)
    else:
        desk.phase, desk.proof.final = Phase.ASKING, final
        seen = sum((trade.units for trade in desk.heard.values()), NOTHING)
        why = f"{order.client_id} filled {final.filled}, and trades of {seen} are seen"
        unclear(desk, now_ms, why)
        since = trades_since(desk, order)
        desk.commands.append(ReadVenue(desk.symbol, AccountReading.TRADES, now_ms, since))
        desk.set_timer(now_ms, Timer.ASK, desk.guards.ask_every_ms)


def unclear(desk: Desk, now_ms: int, why: str) -> None:
    """Note that the records of the open order conflict; after ``disagree_after`` raise an alarm."""
    proof = desk.proof
    if proof.unclear_since is None or proof.unclear_since > now_ms:  # or the clock was set back
        proof.unclear_since = now_ms
    if now_ms - proof.unclear_since >= desk.guards.disagree_after_ms:
        desk.alarm(now_ms, "order_unclear", why, is_on=True)


def waits_for_money(desk: Desk) -> bool:
    """Whether the order winds the fund down, and earlier money movements may still be unbooked."""
    intent = desk.state.intent
    if intent is None or intent.trigger != Trigger.WIND_DOWN:
        return False
    return not reconciliation.is_all_moved(desk, max(each.time_ms for each in desk.heard.values()))


def is_whole(desk: Desk, final: OrderState) -> bool:
    """Whether every trade that the order's state counts has been seen."""
    return sum((trade.units for trade in desk.heard.values()), NOTHING) == final.filled


def ended(desk: Desk, now_ms: int, outcome: str, why: str, *, is_sent: bool = True) -> None:
    """End the open order, which can trade no more, and settle its trades in one transaction."""
    order = desk.memory.order
    assert order is not None  # noqa: S101 (called for an open order)
    trades = sorted(desk.heard.values(), key=lambda each: (each.time_ms, each.trade_id))
    filled = sum((trade.units for trade in trades), NOTHING)
    desk.phase, desk.proof, desk.heard = Phase.IDLE, OutcomeEvidence(), {}
    desk.ended_now = True
    for timer in (Timer.LATE, Timer.ASK):
        desk.drop_timer(timer)
    fields = {
        "id": order.client_id,
        "outcome": outcome,
        "filled": amount_text(filled),
        "why": why,
        "sent": is_sent,
    }
    desk.note(now_ms, "order_ended", fields)
    reason = f" ({why})" if why else ""
    desk.publish(f"{order.client_id}: {outcome}, {filled:zf} of {order.units:zf}{reason}")
    desk.alarm(now_ms, "order_unclear", "the order came to its end", is_on=False)
    if trades:
        settle_trades(desk, now_ms, order, trades, is_short=filled != order.units)
    else:
        settle_nothing(desk, now_ms, order.price, outcome)
        desk.set_timer(now_ms, Timer.RETRY, desk.guards.retry_after_ms)


def settle_trades(
    desk: Desk, now_ms: int, order: StoredOrder, trades: list[Trade], *, is_short: bool
) -> None:
    """Book the trades of an order in the order of time; what was not filled is the next clip."""
    intent, time = desk.state.intent, desk.time(now_ms)
    goes_on = is_short or (intent is not None and intent.clipped)
    waiting = deque(trades)
    while waiting:
        trade = waiting.popleft()
        reconciliation.note_trade(desk, now_ms, trade, order.client_id)
        fill = reconciliation.fill_of(desk, trade, order.price)
        desk.tell(fill._replace(time=time, final=not waiting, goes_on=goes_on))


def settle_nothing(desk: Desk, now_ms: int, price: Decimal, why: str) -> None:
    """Tell the fund that its intent traded nothing, and why."""
    nothing = Filled(desk.time(now_ms), price, NOTHING, NOTHING, FREE, why=why)
    desk.tell(nothing)


def lag_ms(desk: Desk) -> int:
    """The venue's lag, ms: how much later it may show a record; 0 before limits are read."""
    return 0 if desk.limits is None else desk.limits.lag_ms


def trades_since(desk: Desk, order: StoredOrder) -> int:
    """The time, ms of the venue's clock, from which an order's trades are read.

    It is early enough to include trades that other readings of the account have not seen yet.
    """
    return min(
        max(order.stamp_ms - lag_ms(desk), 0), reconciliation.since_ms(desk, AccountReading.TRADES)
    )
