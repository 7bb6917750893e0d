"""Reconciliation with the venue's account: each record is adopted once, then both are compared.

The fund's cash at the venue is ``wallet - entry_cost``. On spot it is the wallet alone, which is
below 0 where quote is borrowed, since what is bought there is owned and paid for. Each trade
changes the cash by ``-(quote + commission)``, and each other record by its amount. So after all of
them::

    |cash - (wallet - entry_cost)| <= quote_step * trades,    units == position

Otherwise the fund does not raise leverage until books and venue agree again, and an alarm states
the difference. A trade that the fund did not order (auto-deleveraging, liquidation, or a trade by
hand) is adopted as well: the books follow the venue, and the rules act on the new position.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from steelyard.fund.events import Charges, Filled, Liquidated, MoneyMoved, Traded
from steelyard.keeper.commands import AccountReading, ReadVenue, Timer
from steelyard.keeper.desk import Desk
from steelyard.keeper.keeper_events import WasRead
from steelyard.keeper.order_ids import own_order
from steelyard.ledger.amounts import amount_text
from steelyard.venues.protocol import (
    Balance,
    Failure,
    Movement,
    MovementKind,
    Position,
    Read,
    Trade,
)

__all__ = [
    "adopt_movements",
    "adopt_trades",
    "compare",
    "end_if_liquidated",
    "fill_of",
    "is_all_moved",
    "judge_clock",
    "last_trade_ms",
    "note_trade",
    "open_account",
    "read",
    "start",
    "start_soon",
    "unfit_for_launch",
]

NOTHING = Decimal(0)
LATEST_MS = 300_000
"""Before the first such round, lists are read from this long before the account's opening."""
ROUND = (
    AccountReading.TRADES,
    AccountReading.MOVEMENTS,
    AccountReading.POSITION,
    AccountReading.BALANCE,
)
MOVES_MONEY = {
    MovementKind.FUNDING: "funding",
    MovementKind.INTEREST: "interest",
    MovementKind.LIQUIDATION_FEE: "liquidation_fee",
    MovementKind.OTHER: "other",
}
"""The movements that change the fund's cash by themselves. A trade includes its own commission and
profit. A transfer settles what the fund owes or is owed, and does not change nav."""


def start(desk: Desk, now_ms: int) -> None:
    """Begin a round of readings of the whole account; it replaces a round that was under way."""
    desk.is_reading, desk.reading_since, desk.readings = True, now_ms, {}
    tell_unread(desk, now_ms)
    venue_ms = desk.clock.venue_ms(now_ms)
    if venue_ms is not None and venue_ms < desk.refused_until_ms:
        # a request before that time would prolong the ban
        desk.set_timer(now_ms, Timer.READ, desk.refused_until_ms - venue_ms)
        return
    if desk.limits is None:
        desk.commands.append(ReadVenue(desk.symbol, AccountReading.LIMITS, now_ms))
    for what in (AccountReading.TRADES, AccountReading.MOVEMENTS):
        desk.commands.append(ReadVenue(desk.symbol, what, now_ms, since_ms(desk, what)))
    desk.commands.append(ReadVenue(desk.symbol, AccountReading.POSITION, now_ms))
    desk.commands.append(ReadVenue(desk.symbol, AccountReading.BALANCE, now_ms))
    desk.set_timer(now_ms, Timer.READ, desk.guards.read_after_ms)


def start_soon(desk: Desk, now_ms: int) -> None:
    """Read the account because a stream told something; rounds for that are some time apart.

    A liquidation may be told in hundreds of parts: a round for each would spend the rate limit.
    """
    since_ms = now_ms - desk.reading_since
    wait_ms = desk.guards.read_after_ms - since_ms
    if since_ms < 0 or wait_ms <= 0:
        start(desk, now_ms)
    else:
        desk.set_timer(now_ms, Timer.READ, wait_ms)


def tell_unread(desk: Desk, now_ms: int) -> None:
    """Raise an alarm if no round has read the whole account for ``disagree_after``."""
    if desk.unread_since is None or desk.unread_since > now_ms:  # or the clock was set back
        desk.unread_since = now_ms
    elif now_ms - desk.unread_since >= desk.guards.disagree_after_ms:
        why = desk.unread_why or "no answer came"
        desk.alarm(now_ms, "account_unread", why, is_on=True)


def since_ms(desk: Desk, what: AccountReading) -> int:
    """The venue's time, ms, from which a list must be read so that no record is missed.

    It is the last round of this process in which books and venue agreed, less the time by which a
    record may appear late. Before the first such round it is shortly before the opening of the
    account, and before the opening it is 0, so that the whole list is read.

    While books and venue differ, a record is missing, and the list may show it later than the venue
    promises, so the time does not advance. The time of the last booked record would not be safe: an
    order's trades are known from its answer, possibly before the list shows an earlier trade that
    the fund did not order.
    """
    limits, listed = desk.limits, desk.listed_ms
    if not desk.memory.is_open:
        return 0
    if limits is None or listed is None:
        return max(desk.memory.opened_ms - LATEST_MS, 0)
    late = limits.lag_ms if what is AccountReading.TRADES else max(limits.late_ms, limits.lag_ms)
    return max(listed - late, 0)


def read(desk: Desk, event: WasRead) -> bool:
    """Take a reading, and say whether it completed the round of the account."""
    found = event.found
    if isinstance(found, Failure):
        desk.hear_refusal(found)
        desk.unread_why = found.reason
        return False  # the round's timer will start another
    if event.what is AccountReading.LIMITS:
        desk.limits = found.value
        return False
    desk.clock.see(event.asked_ms, event.now_ms, found.time_ms)
    if event.what is AccountReading.TRADES and desk.memory.is_open:
        adopt_trades(desk, event.now_ms, found.value)
    elif event.what is AccountReading.MOVEMENTS and desk.memory.is_open:
        adopt_movements(desk, event.now_ms, found.value)
        desk.moved_ms = max(desk.moved_ms or 0, found.time_ms)
    if not desk.is_reading or event.asked_ms < desk.reading_since:
        return False
    desk.readings[event.what] = found
    if desk.limits is None or len(desk.readings) < len(ROUND):
        return False
    desk.is_reading, desk.unread_since = False, None
    desk.alarm(event.now_ms, "account_unread", "the account was read whole", is_on=False)
    desk.drop_timer(Timer.READ)
    return True


# -- trades ----------------------------------------------------------------------------------------


def is_booked(desk: Desk, trade: Trade) -> bool:
    """Whether a trade is in the books already, whichever way it was reported."""
    return trade.trade_id in desk.memory.trades


def adopt_trades(desk: Desk, now_ms: int, trades: Iterable[Trade]) -> None:
    """Book trades of other origins than the open order, whose own trades wait for its end."""
    order = desk.memory.order
    for trade in trades:
        if is_booked(desk, trade):
            continue
        if order is not None and trade.client_id == order.client_id:
            desk.heard[trade.trade_id] = trade
        else:
            adopt_trade(desk, now_ms, trade)


def adopt_trade(desk: Desk, now_ms: int, trade: Trade) -> None:
    """Book a trade that belongs to no open order of the fund."""
    note_trade(desk, now_ms, trade, own_order(desk.symbol, trade.client_id))
    fill = fill_of(desk, trade, desk.state.price or trade.price)
    time = desk.time(now_ms)
    desk.tell(Traded(time, fill.price, fill.units, fill.notional, fill.charges))
    desk.publish(
        f"the venue traded {trade.units} at {trade.price} without an order of the fund "
        f"({trade.cause.value}): the books follow"
    )


def note_trade(desk: Desk, now_ms: int, trade: Trade, order: str | None) -> None:
    """Write the journal row of a trade."""
    fields = {
        "trade": trade.trade_id,
        "order": order,
        "units": amount_text(trade.units),
        "price": amount_text(trade.price),
        "quote": amount_text(trade.quote),
        "commission": amount_text(trade.commission),
        "cause": trade.cause.value,
        "venue_time": trade.time_ms,
    }
    desk.note(now_ms, "venue_trade", fields)


def fill_of(desk: Desk, trade: Trade, mark: Decimal) -> Filled[Decimal]:
    """A trade as an event of the fund: the difference of its price from the mark is its spread.

    The cash that it moves is exactly ``quote + commission``.
    """
    charges = trade.charges
    if charges is None or trade.mark is None:
        notional = desk.fund.terms.number.amount(trade.units * mark)
        charges = Charges(trade.commission, trade.quote - notional, NOTHING, NOTHING)
    else:
        mark = trade.mark
        notional = trade.quote + trade.commission - sum(charges, NOTHING)
    return Filled(0, mark, trade.units, notional, charges)


def is_all_moved(desk: Desk, until_ms: int) -> bool:
    """Whether all money movements up to an instant of the venue's clock have been read and booked.

    A fund ends with everything that it owes and is owed, so that nobody redeems at a nav without
    the last funding payment.
    """
    limits, moved_ms = desk.limits, desk.moved_ms
    if limits is None or moved_ms is None:
        return False
    return moved_ms >= until_ms + max(limits.late_ms, limits.lag_ms)


def last_trade_ms(desk: Desk) -> int:
    """The venue's clock, ms, at the last booked trade; 0: there is none."""
    return max(desk.memory.trades.values(), default=0)


def end_if_liquidated(desk: Desk, now_ms: int) -> None:
    """End a fund whose position the venue liquidated, with what is left after all bookings.

    Fees owed to the issuer are not paid beyond that.
    """
    state = desk.state
    if not desk.memory.is_liquidated or state.ended is not None or state.units != 0:
        return
    if not is_all_moved(desk, last_trade_ms(desk)):
        return
    price = state.price if desk.mark is None else desk.mark.price
    assert price is not None  # noqa: S101 (a position was held)
    desk.tell(Liquidated(desk.time(now_ms), price, max(state.cash, NOTHING)))
    desk.publish(f"liquidated: the venue closed the position, {state.cash} is left", is_alarm=True)


# -- money -----------------------------------------------------------------------------------------


def is_adopted(desk: Desk, movement: Movement) -> bool:
    """Whether a money movement is in the books already."""
    return movement.movement_id in desk.memory.movements


def adopt_movements(desk: Desk, now_ms: int, movements: Iterable[Movement]) -> None:
    """Book the venue's money movements, each record once."""
    for movement in movements:
        if is_adopted(desk, movement):
            continue
        fields = {
            "movement": movement.movement_id,
            "what": movement.kind.value,
            "amount": amount_text(movement.amount),
            "trade": movement.trade_id or None,
            "venue_time": movement.time_ms,
        }
        desk.note(now_ms, "movement", fields)
        what = MOVES_MONEY.get(movement.kind)
        if what is not None and desk.state.price is not None and not is_after_end(desk, movement):
            time = desk.time(now_ms)
            desk.tell(MoneyMoved(time, desk.state.price, what, movement.amount))


def is_after_end(desk: Desk, movement: Movement) -> bool:
    """Whether a movement is interest on money left after the fund's end, which changes no books."""
    ended = desk.state.ended
    is_interest = movement.kind is MovementKind.INTEREST
    return is_interest and ended is not None and movement.time_ms > ended.time * 1_000


# -- comparison ------------------------------------------------------------------------------------


def differences(desk: Desk) -> str | None:
    """How the books and the readings of this round differ; None: they agree."""
    position: Position = desk.readings[AccountReading.POSITION].value
    balance: Balance = desk.readings[AccountReading.BALANCE].value
    memory, limits = desk.memory, desk.limits
    assert limits is not None  # noqa: S101 (a round is complete with them)
    if position.units != memory.units:
        return f"the venue holds {position.units} units, expected {memory.units}"
    there = balance.wallet - position.entry_cost
    if abs(there - memory.cash) > limits.quote_step * memory.traded:
        return f"the venue's cash is {there}, expected {memory.cash}"
    return None


def compare(desk: Desk, now_ms: int) -> bool:
    """Compare the books with the venue after a round, and say whether the fund may act.

    The readings of a round are not of one instant, so after a difference the account is read again.
    A difference that lasts for ``disagree_after`` raises an alarm, and no leverage is raised until
    it is gone.
    """
    if desk.memory.order is not None:
        return False  # its effect on the position is not known yet
    why = differences(desk)
    if why is None:
        desk.differs_since = None
        lists = (desk.readings[each] for each in (AccountReading.TRADES, AccountReading.MOVEMENTS))
        desk.listed_ms = min(each.time_ms for each in lists)
        desk.alarm(now_ms, "books_differ", "books and venue agree again", is_on=False)
        return True
    if desk.differs_since is None or desk.differs_since > now_ms:  # or the clock was set back
        desk.differs_since = now_ms
    lasts_ms = now_ms - desk.differs_since
    is_lasting = lasts_ms >= desk.guards.disagree_after_ms
    if is_lasting:
        desk.alarm(now_ms, "books_differ", why, is_on=True)
    # soon at first, then less and less often: rounds must not spend what orders need
    wait_ms = min(lasts_ms // 4, desk.guards.read_after_ms)
    desk.set_timer(now_ms, Timer.READ, max(wait_ms, desk.guards.ask_every_ms))
    return is_lasting


def judge_clock(desk: Desk, now_ms: int) -> None:
    """Raise an alarm, which stops leverage from being raised, if this machine's clock is far off.

    The stamps of its orders would be unreliable.
    """
    ahead, off = desk.clock.ahead_ms or 0, desk.clock.off_ms
    is_on = abs(ahead) - off > desk.guards.clock_off_ms
    why = f"the venue's clock is {ahead} ms ahead of this machine's, to {off} ms"
    desk.alarm(now_ms, "clock_differs", why, is_on=is_on)


def is_still(desk: Desk) -> bool:
    """Whether two rounds that are farther apart than the venue's lag show the same account.

    Otherwise the balance may include a deposit that the list does not show yet, and the deposit
    would be booked twice.
    """
    limits, before = desk.limits, desk.seen_before
    assert limits is not None  # noqa: S101 (a round is complete with them)
    if limits.lag_ms == 0:
        return True
    seen = tuple(desk.readings[what].value for what in ROUND)
    first_ms = min(desk.readings[what].time_ms for what in ROUND)
    if before is None or before[0] != seen:
        desk.seen_before = seen, max(desk.readings[what].time_ms for what in ROUND)
        return False
    return bool(first_ms >= before[1] + limits.lag_ms)


def unfit_for_launch(desk: Desk) -> str | None:
    """Why a fund cannot be launched on the account that was read; None: it can."""
    position: Read[Position] = desk.readings[AccountReading.POSITION]
    balance: Read[Balance] = desk.readings[AccountReading.BALANCE]
    cash = balance.value.wallet - position.value.entry_cost
    if position.value.units != 0:
        return f"expected an account without a position, found {position.value.units} units"
    if cash != desk.state.cash:
        wanted, found = amount_text(desk.state.cash), amount_text(cash)
        missing = amount_text(desk.state.cash - cash)
        return (
            f"expected an account that holds the fund's first assets of {wanted}, found {found}: "
            f"transfer {missing}"
        )
    return None


def open_account(desk: Desk, now_ms: int) -> None:
    """Record the account's cash, trades and movements as they are before the launch."""
    position: Read[Position] = desk.readings[AccountReading.POSITION]
    balance: Read[Balance] = desk.readings[AccountReading.BALANCE]
    cash = balance.value.wallet - position.value.entry_cost
    fields = {
        "cash": amount_text(cash),
        "trades": [each.trade_id for each in desk.readings[AccountReading.TRADES].value],
        "movements": [each.movement_id for each in desk.readings[AccountReading.MOVEMENTS].value],
        "venue_time": balance.time_ms,
    }
    desk.note(now_ms, "account_opened", fields)
