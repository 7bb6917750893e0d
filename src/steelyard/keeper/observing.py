"""When a fund is observed, and which prices are not traded on.

Between two observations the books do not change, so each threshold is one price in closed form. A
price strictly between the nearest two thresholds triggers nothing. A price at or beyond one of them
is a scheduled observation at that price, and so is each full minute: the fund accrues, and all its
triggers are tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from steelyard.errors import InputError
from steelyard.fund.events import Crossed, Inputs, Observed
from steelyard.fund.group import Fund, Group
from steelyard.fund.step import step
from steelyard.fund.thresholds import next_crossing
from steelyard.keeper import reconciliation, sending
from steelyard.keeper.commands import Timer
from steelyard.keeper.desk import Desk
from steelyard.keeper.keeper_events import Priced
from steelyard.keeper.request_adoption import take_requests
from steelyard.keeper.sorted_thresholds import NEVER, WatchedMarket
from steelyard.keeper.unreadable import unreadable
from steelyard.rules.triggers import Crossing, Trigger, exceeds
from steelyard.venues.protocol import Mark

__all__ = [
    "arm",
    "is_stale",
    "launch",
    "launch_refusal",
    "observe",
    "priced",
    "resume",
    "ring_clock",
    "stop_on_way",
]

HOUR_MS = 3_600_000
FAR = 1_000
"""Thresholds are looked for from the present price divided by this to the price times this."""


def priced(market: WatchedMarket, desks: Mapping[str, Desk], event: Priced) -> list[Desk]:
    """Take a price, observe the funds whose threshold it has reached, and return those funds.

    A price that may not be traded on is recorded and has no other effect.
    """
    mark, now_ms = event.mark, event.now_ms
    why = unfit(market, desks, mark, now_ms)
    if why is not None:
        return refuse(market, desks, now_ms, mark, why)
    tell_missed_hours(market, desks, mark)
    is_first = market.mark is None
    market.mark, market.is_refused = mark, False
    if mark.is_clock:
        return read_first(market, desks, mark, now_ms)
    if market.low < mark.price < market.high:
        return []
    touched = [desks[symbol] for symbol in market.reached(mark.price)]
    for desk in touched:
        if is_first:
            resume(desk, now_ms)
        elif desk.stop is not None and desk.stop.price == mark.price and can_act(desk):
            cross(desk, now_ms, desk.stop)
        else:
            observe(desk, now_ms)
    return touched


def tell_missed_hours(market: WatchedMarket, desks: Mapping[str, Desk], mark: Mark) -> None:
    """Record that the last price still holds if a full hour had no price, as in a history's gap."""
    last = market.mark
    if last is None or (last.time_ms // HOUR_MS + 1) * HOUR_MS >= mark.time_ms:
        return
    for desk in desks.values():
        if desk.market is market and desk.is_launched and desk.state.ended is None:
            desk.recorder.see(last.price)


def resume(desk: Desk, now_ms: int) -> None:
    """Continue after a start. What happened meanwhile is not known, so the fund is observed.

    Where the marks schedule the observations (paper), the history has stood still meanwhile, and
    another observation would be one too many.
    """
    if desk.is_launched and desk.guards.clock_every_s == 0:
        arm(desk)
    else:
        observe(desk, now_ms)


def is_told(desk: Desk, mark: Mark) -> bool:
    """Whether an earlier process made the scheduled observation of this mark."""
    return (
        desk.guards.clock_every_s == 0
        and desk.state.time is not None
        and mark.time_ms <= desk.state.time * 1_000
    )


def read_first(
    market: WatchedMarket, desks: Mapping[str, Desk], mark: Mark, now_ms: int
) -> list[Desk]:
    """Read the account before a scheduled observation that the venue's mark calls for.

    So the venue's records up to that time are booked first. Returns the funds of this market.
    """
    touched = [desk for desk in desks.values() if desk.market is market]
    for desk in touched:
        desk.is_due = not is_told(desk, mark)
        desk.heading, desk.stop, desk.spent = None, None, 0
        reconciliation.start(desk, now_ms)
    return touched


def unfit(market: WatchedMarket, desks: Mapping[str, Desk], mark: Mark, now_ms: int) -> str | None:
    """Why a price may not be traded on; None: it may."""
    price, last = mark.price, market.mark
    if not (price.is_finite() and price > 0):
        return "expected one above 0"
    why = unreadable(mark)
    if why is not None:
        return f"it cannot be read: {why}"
    if last is not None and mark.time_ms < last.time_ms:
        return "it is before the last one"
    for desk in desks.values():
        if desk.market is market:
            venue_ms = desk.clock.venue_ms(now_ms)
            if venue_ms is None:
                return None
            stale_ms = desk.guards.stale_after_ms
            if venue_ms - mark.time_ms > stale_ms:
                return f"it is older than {stale_ms / 1000:g} s"
            if mark.time_ms - venue_ms > stale_ms + desk.clock.off_ms:
                # every later price would be older than this one, and so be refused
                return f"its time is more than {stale_ms / 1000:g} s ahead of the venue's clock"
            return None
    return None


def refuse(
    market: WatchedMarket, desks: Mapping[str, Desk], now_ms: int, mark: Mark, why: str
) -> list[Desk]:
    """Record a price that is not traded on, once until a sound price arrives."""
    if market.is_refused:
        return []
    market.is_refused = True
    touched = [each for each in desks.values() if each.market is market and each.is_launched]
    for desk in touched:
        desk.note(now_ms, "price_refused", {"price": str(mark.price), "why": why})
        desk.publish(f"price_refused: {mark.price} is not traded on: {why}", is_alarm=True)
    return touched


def ring_clock(desk: Desk, now_ms: int) -> None:
    """Observe the fund at a full minute, whatever its price, and set the next such timer."""
    every = desk.guards.clock_every_s * 1000
    venue_ms = desk.clock.venue_ms(now_ms)
    desk.set_timer(now_ms, Timer.CLOCK, every - (now_ms if venue_ms is None else venue_ms) % every)
    observe(desk, now_ms)


def is_stale(desk: Desk, now_ms: int) -> bool:
    """Whether the last price is too old to be traded on."""
    venue_ms = desk.clock.venue_ms(now_ms)
    if desk.mark is None or venue_ms is None:
        return True
    return venue_ms - desk.mark.time_ms > desk.guards.stale_after_ms


def observe(desk: Desk, now_ms: int) -> None:
    """Make a scheduled observation at the last price, and an order of the fund's decision."""
    if desk.mark is None or not can_act(desk):
        arm(desk)
        return
    if is_stale(desk, now_ms):
        desk.alarm(now_ms, "price_stale", "no price that is fresh enough", is_on=True)
        arm(desk)
        return
    desk.alarm(now_ms, "price_stale", "prices are fresh again", is_on=False)
    is_empty = desk.memory.is_ending and desk.state.units == 0
    if is_empty and not reconciliation.is_all_moved(desk, reconciliation.last_trade_ms(desk)):
        arm(desk)  # the fund ends at a later observation
        return
    price = desk.mark.price
    taken = take_requests(desk, now_ms, price)
    inputs: Inputs[Decimal] = Inputs(flows=taken.flows, ends=desk.memory.is_ending)
    desk.tell(Observed(desk.time(now_ms), price, False, taken.injections, (inputs,)))  # noqa: FBT003
    act(desk, now_ms)


def act(desk: Desk, now_ms: int) -> None:
    """Make an order of the fund's intent, and find the next thresholds."""
    if desk.state.intent is not None and desk.memory.order is None:
        sending.begin(desk, now_ms)
    arm(desk)


def stop_on_way(desk: Desk, here: Decimal, heading: Decimal) -> Decimal | None:
    """The price at which a history has to stop inside a bar, whose price path is continuous.

    It is the next threshold on the way from ``here`` to ``heading``; None: there is none. Triggers
    already crossed on this way without a trade are passed, and liquidation is left to the venue.
    """
    if heading != desk.heading:
        # a process that starts where the last one stopped has the crossing from the journal
        is_there = desk.heading is None and desk.stop is not None and desk.stop.price == here
        desk.heading = heading
        if not is_there:
            desk.stop, desk.spent = None, 0
        arm(desk)
    while can_act(desk):
        met = next_crossing(desk.fund, False, here, heading, desk.spent)  # noqa: FBT003
        if met.trigger in (Trigger.NONE, Trigger.LIQUIDATION):
            break
        is_again = met == desk.stop
        is_same_price = not (exceeds(met.price, here) or exceeds(here, met.price))
        if not is_again and not (desk.spent and is_same_price):
            desk.stop = met
            return met.price
        desk.spent |= 1 << met.trigger
    desk.stop = None
    return None


def cross(desk: Desk, now_ms: int, met: Crossing[Decimal]) -> None:
    """Tell the fund that the price is at a threshold on its path, and act on its decision."""
    desk.tell(Crossed(desk.time(now_ms), met.price, 0, met.trigger))
    is_decided = desk.state.intent is not None
    desk.spent = 0 if is_decided else desk.spent | 1 << met.trigger
    act(desk, now_ms)


def can_act(desk: Desk) -> bool:
    """Whether the fund is launched and not ended, and its venue was read.

    A fund whose position the venue has liquidated waits for its end and buys nothing more.
    """
    state = desk.state
    is_closed = desk.memory.is_liquidated and state.units == 0
    return desk.is_ready and desk.is_launched and state.ended is None and not is_closed


def arm(desk: Desk) -> None:
    """Find the nearest threshold on either side of the price, and watch for both."""
    desk.market.arm(desk.symbol, *nearest(desk))


def nearest(desk: Desk) -> tuple[Decimal, Decimal]:
    """The thresholds below and above the price; ``low`` above ``high`` means every price is one."""
    mark = desk.mark
    if not desk.is_launched or desk.state.ended is not None:
        return -NEVER, NEVER
    if mark is None or not desk.is_ready:
        return NEVER, -NEVER
    low, high = -NEVER, NEVER
    for end in (mark.price / FAR, mark.price * FAR):
        met = next_crossing(desk.fund, False, mark.price, end, desk.spent)  # noqa: FBT003
        # a price on a threshold is not past it: it acts as soon as the price moves outward
        if met.trigger != Trigger.NONE and end < mark.price:
            low = met.price
        elif met.trigger != Trigger.NONE:
            high = met.price
    return low, high


def launch_refusal(desk: Desk, now_ms: int) -> str | None:
    """Why the fund cannot be launched at the last price; None: it can."""
    try:
        # a refused launch may have changed the state already, so it is tried on a copy
        step(Group([Fund(desk.fund.terms, desk.state.copy())]), _first(desk, now_ms))
    except InputError as error:
        return str(error)
    return None


def launch(desk: Desk, now_ms: int) -> None:
    """Start the fund's clock, and order its first position."""
    desk.tell(_first(desk, now_ms))
    act(desk, now_ms)


def _first(desk: Desk, now_ms: int) -> Observed[Decimal]:
    assert desk.mark is not None  # noqa: S101 (asked for with a fresh price)
    return Observed(desk.time(now_ms), desk.mark.price, False, (), (Inputs(),))  # noqa: FBT003
