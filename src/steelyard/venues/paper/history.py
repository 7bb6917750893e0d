"""The events of a paper account as its history advances.

A scheduled observation follows the order of a simulation (SPEC 2): the price jumps there, funding
and then interest are charged, an expired future is settled, and the venue's liquidation rule is
tested. Inside a bar the price passes through every value between two places, and the venue closes
the position at the exact price at which its margin is used up.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from steelyard.rules.accruals import cash_interest, funding_payment, units_interest
from steelyard.rules.liquidation import (
    is_liquidated,
    is_nav_gone,
    liquidation_price,
    nav_after_liquidation,
)
from steelyard.rules.numbers import DECIMAL18
from steelyard.venues.account import OneWayAccount
from steelyard.venues.paper.account_feed import Moment
from steelyard.venues.paper.account_state import (
    AccountChange,
    PaperState,
    PaperTerms,
    booked,
    order_of,
    with_order,
)
from steelyard.venues.protocol import Movement, MovementKind, TradeCause

__all__ = ["arrived", "opened", "transferred", "visited"]

NOTHING = Decimal(0)
MS = 1_000


def opened(terms: PaperTerms) -> AccountChange:
    """A new account at the first place of its feed, with the fund's first assets in its wallet."""
    number, first = DECIMAL18.of, terms.feed.moment(0)
    money = DECIMAL18.amount(number(terms.series.initial_nav) * number(terms.series.initial_tokens))
    state = PaperState(
        OneWayAccount(NOTHING), 0, first.price, first.time_s, is_clock=True, number=0
    )
    return booked(state, MovementKind.TRANSFER, terms.series.quote, money, first.time_s * MS)


def transferred(
    terms: PaperTerms, state: PaperState, amount: Decimal, now_ms: int
) -> AccountChange:
    """Transfer quote into the account, or out of it if the amount is negative."""
    moved = DECIMAL18.amount(amount)
    return booked(state, MovementKind.TRANSFER, terms.series.quote, moved, now_ms)


def arrived(terms: PaperTerms, state: PaperState, place: int) -> AccountChange:
    """Move the price to the next place of the feed."""
    moment = terms.feed.moment(place)
    if not moment.is_clock:
        change = _moved(terms, state, moment, moment.price)
        return change._replace(state=replace(change.state, place=place))
    change = _charged(terms, replace(state, place=place, price=moment.price, is_clock=True), moment)
    change = change.then(_expired(terms, change.state, moment))
    if _is_over(terms, change.state, moment, moment.price):
        return change.then(_liquidated(terms, change.state, moment, moment.price))
    return change


def visited(terms: PaperTerms, state: PaperState, price: Decimal) -> AccountChange:
    """Move the price to one on its way to the next place, which is inside the same bar."""
    return _moved(terms, state, terms.feed.moment(state.place + 1), price)


# --- The venue's liquidation rule ---------------------------------------------------------------


def _moved(terms: PaperTerms, state: PaperState, moment: Moment, price: Decimal) -> AccountChange:
    """Move the price continuously to ``price``, and liquidate on the way if the rule says so."""
    if not _is_over(terms, state, moment, price):
        return AccountChange(replace(state, price=price, is_clock=False))
    end = liquidation_price(terms.rules.venue, *terms.holdings(state, moment.time_s))
    # a liquidation is never at a better price than the one that the move began at
    end = min(end, state.price) if state.account.units > 0 else max(end, state.price)
    change = _liquidated(terms, replace(state, price=end), moment, end)
    return change._replace(state=replace(change.state, price=price, is_clock=False))


def _is_over(terms: PaperTerms, state: PaperState, moment: Moment, price: Decimal) -> bool:
    """Whether the venue liquidates the position at a price."""
    cash, units = terms.holdings(state, moment.time_s)
    if units == 0:
        return False
    return is_liquidated(terms.rules.venue, cash, units, price) or is_nav_gone(cash, units, price)


def _liquidated(
    terms: PaperTerms, state: PaperState, moment: Moment, price: Decimal
) -> AccountChange:
    """Liquidate the position at a price; the venue takes its fee from what is left."""
    cash, units = terms.holdings(state, moment.time_s)
    kept = DECIMAL18.amount(nav_after_liquidation(terms.rules.venue, cash, units, price))
    change = _closed(terms, state, moment, price, "autoclose", TradeCause.LIQUIDATION)
    fee = kept - change.state.account.wallet
    kind, quote = MovementKind.LIQUIDATION_FEE, terms.series.quote
    if fee == 0:
        return change
    return change.then(booked(change.state, kind, quote, fee, moment.time_s * MS))


def _expired(terms: PaperTerms, state: PaperState, moment: Moment) -> AccountChange:
    """Settle a future that is held at its expiry, at the underlying's price."""
    contract = state.account.contract
    if contract == 0 or moment.time_s < contract:
        return AccountChange(state)
    return _closed(terms, state, moment, moment.price, "settlement", TradeCause.EXPIRY)


def _closed(
    terms: PaperTerms,
    state: PaperState,
    moment: Moment,
    price: Decimal,
    name: str,
    cause: TradeCause,
) -> AccountChange:
    account, time_ms = state.account, moment.time_s * MS
    client_id = f"{name}-{state.number + 1}"
    mark = price * terms.factor(account.contract, moment.time_s)
    order = order_of(client_id, -account.units, -account.units, time_ms)
    quote = DECIMAL18.amount(-account.units * mark)
    return with_order(terms, state, order, account.contract, quote, cause=cause)


# --- Funding and interest -----------------------------------------------------------------------


def _charged(terms: PaperTerms, state: PaperState, moment: Moment) -> AccountChange:
    """Charge funding and interest since the last scheduled observation."""
    since, now_s = state.charged_s, moment.time_s
    state = replace(state, charged_s=now_s)
    if now_s <= since:
        return AccountChange(state)
    if terms.rules.venue.spot:
        return _interest(terms, state, since, now_s)
    if terms.is_future or state.account.units == 0:
        return AccountChange(state)
    change, units = AccountChange(state), state.account.units
    times, rates = terms.feed.schedule.funding_within(since, now_s)
    for time_s, rate in zip(times, rates, strict=True):
        paid = DECIMAL18.amount(funding_payment(units, moment.price, rate))
        kind, quote = MovementKind.FUNDING, terms.series.quote
        change = change.then(booked(change.state, kind, quote, -paid, time_s * MS, rate=rate))
    return change


def _interest(terms: PaperTerms, state: PaperState, since: int, now_s: int) -> AccountChange:
    """Charge interest on the wallet, at each rate that was in force, and on borrowed units."""
    venue, amount, account = terms.rules.venue, DECIMAL18.amount, state.account
    change, owed = AccountChange(state), account.wallet * 0
    kind, quote = MovementKind.INTEREST, terms.series.quote
    for rate, time_s in terms.feed.schedule.rates_between(since, now_s):
        so_far = amount(owed)
        owed += cash_interest(
            account.wallet, rate, venue.borrow_spread, venue.supply_spread, time_s
        )
        # each piece is a difference of rounded sums, so the pieces add up to the rounded whole
        paid = amount(owed) - so_far
        change = change.then(
            booked(change.state, kind, quote, -paid, now_s * MS, rate=rate, seconds=time_s)
        )
    grown = amount(units_interest(account.units, venue.units_borrow_rate, now_s - since))
    if grown != 0:
        change = change.then(_grown(terms, change.state, grown, now_s, now_s - since))
    return change


def _grown(
    terms: PaperTerms, state: PaperState, grown: Decimal, now_s: int, time_s: int
) -> AccountChange:
    """Add interest to borrowed units, which is owed in units."""
    number, kind = state.number + 1, MovementKind.INTEREST
    rate = terms.rules.venue.units_borrow_rate
    movement = Movement(
        f"{kind}:{number}",
        kind,
        terms.series.underlying,
        -grown,
        now_s * MS,
        rate=rate,
        seconds=time_s,
    )
    account = state.account._replace(units=state.account.units - grown)
    return AccountChange(replace(state, account=account, number=number), movements=(movement,))
