"""From a decision of the fund to an order: it is made, stored, and then sent, or withheld.

An order is stored before it is sent, with its own id and the time stamp that will be signed. An
id is never used twice.
"""

from __future__ import annotations

from decimal import Decimal

from steelyard.fund.state import Intent
from steelyard.keeper.booking import ended, settle_nothing
from steelyard.keeper.commands import Send, Timer
from steelyard.keeper.desk import Desk, OutcomeEvidence, Phase
from steelyard.keeper.memory import StoredOrder, order_fields
from steelyard.keeper.order_ids import client_id
from steelyard.rules.order_limit import PriceGrid, limit_at_venue, order_limit
from steelyard.rules.sizing import order_units
from steelyard.rules.triggers import Trigger
from steelyard.venues.protocol import CallOutcome

__all__ = ["begin", "send", "stored"]

HOUR_MS = 3_600_000
STOPS_RAISING = ("books_differ", "order_unclear", "clock_differs")
"""While one of these alarms is on, only orders that lower the exposure are sent."""


def begin(desk: Desk, now_ms: int) -> None:
    """Make and store the order of the fund's intent, or tell the fund why none is sent."""
    intent = desk.state.intent
    assert intent is not None  # noqa: S101 (asked for where there is one)
    units, limits = intent.units, desk.limits
    if limits is not None:
        units = order_units(units, limits.lot, limits.max_units)
    why = withheld(desk, intent, units, now_ms)
    if why is not None:
        settle_nothing(desk, now_ms, intent.price, why)
        desk.publish(f"{_reason(intent)}: not sent, {why}")
        return
    order = order_of(desk, intent, units, now_ms)
    desk.note(now_ms, "order", order_fields(order))
    desk.phase, desk.store = Phase.STORING, None
    desk.proof, desk.heard = OutcomeEvidence(), {}
    limit = "any price" if order.limit is None else f"a limit of {order.limit:zf}"
    side = "buy" if order.units > 0 else "sell"
    desk.publish(f"{_reason(intent)}: {side} {abs(order.units):f} at {limit} as {order.client_id}")


def _reason(intent: Intent[Decimal]) -> str:
    reason = f"{Trigger(intent.trigger).name.lower()} at a price of {intent.price:zf}"
    # a fund has no leverage before its launch
    return f"{reason} and a leverage of {intent.leverage:z.4f}" if intent.leverage else reason


def lowers(desk: Desk, units: Decimal) -> bool:
    """Whether an order is opposite to the position: reduce-only, so it can only shrink it."""
    return units * desk.state.units < 0


def withheld(desk: Desk, intent: Intent[Decimal], units: Decimal, now_ms: int) -> str | None:
    """Why an order is not sent; None: it is sent.

    An order that lowers the exposure is withheld by no alarm, smallest notional or hourly limit.
    """
    limits, memory, guards = desk.limits, desk.memory, desk.guards
    venue_ms = desk.clock.venue_ms(now_ms)
    if limits is None or venue_ms is None:
        return "the venue was not read yet"
    if venue_ms < desk.refused_until_ms:
        return "the venue does not answer before a time that it named"
    if not desk.lease_covers(venue_ms + guards.recv_window_ms):
        return "the lease ends before the order could be refused"
    is_lowering = lowers(desk, units)
    if units == 0 or (not is_lowering and abs(units * intent.price) < limits.min_notional):
        return "it is less than the venue takes"
    if is_lowering:
        return None
    for name in STOPS_RAISING:
        if name in memory.alarms:
            return f"{name} stops what raises the exposure"
    recent = sum(stamp > venue_ms - HOUR_MS for stamp in memory.stamps)
    if recent >= guards.max_orders_per_hour:
        return f"{guards.max_orders_per_hour} orders went out in the last hour"
    return None


def order_of(desk: Desk, intent: Intent[Decimal], units: Decimal, now_ms: int) -> StoredOrder:
    """The order as it is stored and signed."""
    memory, guards = desk.memory, desk.guards
    is_lowering = lowers(desk, units)
    stamp = desk.clock.venue_ms(now_ms)
    assert stamp is not None  # noqa: S101 (withheld without it)
    sequence, attempt = memory.sequence + 1, memory.attempt + 1
    return StoredOrder(
        client_id(desk.symbol, sequence, attempt),
        sequence,
        attempt,
        units,
        intent.sent,
        limit_of(desk, intent, units),
        is_lowering,
        intent.price,
        desk.state.units,
        stamp,
        stamp + guards.recv_window_ms,
    )


def limit_of(desk: Desk, intent: Intent[Decimal], units: Decimal) -> Decimal | None:
    """The worst price that the rules allow, on the venue's price grid; None: any price."""
    state, limits = desk.state, desk.limits
    raises = intent.raises or not lowers(desk, units)
    price, is_buy = intent.price, units > 0
    asked = order_limit(
        desk.urgency, desk.guards.slippage_bps, state.cash, state.units, price, is_buy, raises
    )
    if limits is None:
        return None
    grid = PriceGrid(limits.price_step, limits.price_bound)
    limit = limit_at_venue(asked, price, is_buy, grid)
    return desk.fund.terms.number.amount(limit.price) if limit.exists else None


def stored(desk: Desk, now_ms: int, number: int) -> None:
    """Send the order, which is now in the journal, if the venue can still accept it."""
    order = desk.memory.order
    if desk.phase is not Phase.STORING or desk.store != number or order is None:
        return
    venue_ms = desk.clock.venue_ms(now_ms)
    if venue_ms is None or venue_ms > order.until_ms or not desk.lease_covers(order.until_ms):
        # this process has not sent the order, and no other process knows of it
        why = "it was stored too late to be sent"
        ended(desk, now_ms, CallOutcome.UNAVAILABLE.value, why, is_sent=False)
        return
    send(desk, now_ms, order)


def send(desk: Desk, now_ms: int, order: StoredOrder) -> None:
    """Send an order exactly as it is stored."""
    desk.phase = Phase.SENT
    desk.commands.append(Send(desk.symbol, order.request()))
    desk.set_timer(now_ms, Timer.LATE, desk.guards.answer_after_ms)
