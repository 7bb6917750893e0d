"""The end of an order: its trades are booked, each once, in the transaction that ends it.

An order is at its end once every trade that its state speaks of is seen, or once it is proved that
nothing came of it. What was not filled is the next clip.
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
    """The venue says what came of an order: book its trades once they are all there."""
    order = desk.memory.order
    if order is None:
        return
    reconciliation.adopt_trades(desk, now_ms, final.trades)
    if final.filled == 0 and not desk.heard:
        outcome = "rejected" if final.status is OrderStatus.REJECTED else "nothing"
        ended(desk, now_ms, outcome, final.reason or "nothing was there within its limit")
    elif is_whole(desk, final) and waits_for_money(desk):
        # the timer asks again once the venue's list of money movements has come so far
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
    """What the venue says of the open order does not fit; after ``disagree_after`` it is told."""
    proof = desk.proof
    if proof.unclear_since is None or proof.unclear_since > now_ms:  # or the clock was set back
        proof.unclear_since = now_ms
    if now_ms - proof.unclear_since >= desk.guards.disagree_after_ms:
        desk.alarm(now_ms, "order_unclear", why, is_on=True)


def waits_for_money(desk: Desk) -> bool:
    """Whether the order closes the fund, and what fell due before that may not be booked yet."""
    intent = desk.state.intent
    if intent is None or intent.trigger != Trigger.WIND_DOWN:
        return False
    return not reconciliation.is_all_moved(desk, max(each.time_ms for each in desk.heard.values()))


def is_whole(desk: Desk, final: OrderState) -> bool:
    """Whether all trades of an order are seen that its state speaks of."""
    return sum((trade.units for trade in desk.heard.values()), NOTHING) == final.filled


def ended(desk: Desk, now_ms: int, outcome: str, why: str, *, is_sent: bool = True) -> None:
    """Nothing more can come of the open order: settle what it did, in one transaction."""
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
    """Book the trades of an order, in their order; what is left undone is the next clip."""
    intent, time = desk.state.intent, desk.time(now_ms)
    goes_on = is_short or (intent is not None and intent.clipped)
    waiting = deque(trades)
    while waiting:
        trade = waiting.popleft()
        reconciliation.note_trade(desk, now_ms, trade, order.client_id)
        fill = reconciliation.fill_of(desk, trade, order.price)
        desk.tell(fill._replace(time=time, final=not waiting, goes_on=goes_on))


def settle_nothing(desk: Desk, now_ms: int, price: Decimal, why: str) -> None:
    """Nothing came of the fund's intent."""
    nothing = Filled(desk.time(now_ms), price, NOTHING, NOTHING, FREE, why=why)
    desk.tell(nothing)


def lag_ms(desk: Desk) -> int:
    """How much later than its own time the venue may show a record."""
    return 0 if desk.limits is None else desk.limits.lag_ms


def trades_since(desk: Desk, order: StoredOrder) -> int:
    """From when on trades are read for an order: also what other rounds have not seen yet."""
    return min(
        max(order.stamp_ms - lag_ms(desk), 0), reconciliation.since_ms(desk, AccountReading.TRADES)
    )
