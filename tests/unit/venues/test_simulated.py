"""The simulated venue: it fails as its faults say, repeats exactly, and its books stay whole."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from decimal import Decimal
from random import Random

import pytest

from steelyard.venues.protocol import (
    CallOutcome,
    Failure,
    Limits,
    MovementKind,
    OrderRequest,
    OrderState,
    OrderStatus,
    Read,
    TradeCause,
)
from steelyard.venues.simulated.fault_chances import CALM, ROUGH, FaultChances
from steelyard.venues.simulated.market import MarketTerms
from steelyard.venues.simulated.network import Ask, Reply, SimulatedVenue, VenueCall
from steelyard.venues.simulated.simulated_exchange import SimulatedExchange

PRICE = Decimal(68_000)
WALLET = Decimal(100_000)
STEP = MarketTerms().quote_step


def order(
    units: str,
    now_ms: int = 0,
    client_id: str = "sy-1",
    limit: str | None = None,
    *,
    reduce_only: bool = False,
) -> OrderRequest:
    """A request that is stamped now, with a window of two seconds."""
    price = None if limit is None else Decimal(limit)
    return OrderRequest(client_id, Decimal(units), price, reduce_only, now_ms, 2_000)


def asked(
    venue: SimulatedVenue, now_ms: int, call: VenueCall, wait_ms: int = 20_000
) -> list[Reply]:
    """All answers to one call."""
    ticket = venue.send(now_ms, call)
    return [told for told in venue.advance(now_ms + wait_ms) if told.ticket == ticket]


def placed(venue: SimulatedVenue, request: OrderRequest, now_ms: int = 0) -> OrderState:
    """The answer to an order that nothing goes wrong with."""
    (told,) = asked(venue, now_ms, VenueCall(Ask.PLACE, request), 100)
    assert isinstance(told.value, OrderState), told.value
    return told.value


def history(
    seed: int, faults: FaultChances, steps: int = 400
) -> tuple[SimulatedVenue, list[Reply]]:
    """A venue that is asked at random, while its price moves at random."""
    terms = MarketTerms(funding_every_ms=60_000)
    venue = SimulatedVenue(seed, PRICE, faults=faults, terms=terms)
    chance, told = Random(seed), list[Reply]()  # noqa: S311 (a simulation)
    price, now_ms = PRICE, 0
    for step in range(steps):
        now_ms += chance.randint(1, 2_000)
        told += venue.advance(now_ms)
        price = (price * Decimal(1 + chance.gauss(0, 0.004))).quantize(Decimal("0.1"))
        venue.move(now_ms, price)
        venue.exchange.funding_rate = Decimal("0.0001")
        ask = chance.choice(list(Ask))
        request = None
        if ask is Ask.PLACE:
            stamp_ms = now_ms + venue.skew_ms
            units = str(Decimal(chance.randint(-900, 900) or 1) / 1_000)
            request = order(units, stamp_ms, f"sy-{step}", reduce_only=chance.random() < 0.3)
        venue.send(now_ms, VenueCall(ask, request, f"sy-{step - 1}", now_ms - 60_000))
    return venue, told + venue.advance(now_ms + 60_000)


def digest(told: list[Reply]) -> str:
    """One text for a whole history."""
    return hashlib.sha256(repr(told).encode()).hexdigest()


def test_a_seed_repeats_exactly_and_another_is_another_history() -> None:
    """The same calls under one seed get the same answers at the same times."""
    assert digest(history(7, ROUGH)[1]) == digest(history(7, ROUGH)[1])
    assert digest(history(7, ROUGH)[1]) != digest(history(8, ROUGH)[1])


@pytest.mark.parametrize("seed", range(20))
def test_its_own_books_are_whole_whatever_goes_wrong(seed: int) -> None:
    """Trades add up to the position, movements to the wallet, and cash to what was paid."""
    venue, _ = history(seed, ROUGH)
    exchange, account = venue.exchange, venue.exchange.account
    trades, movements = exchange.trades.all(), exchange.movements.all()
    assert len({trade.trade_id for trade in trades}) == len(trades)
    assert len({movement.movement_id for movement in movements}) == len(movements)
    assert account.units == sum(trade.units for trade in trades)
    assert account.wallet == sum(movement.amount for movement in movements)
    own = (MovementKind.COMMISSION, MovementKind.REALISED)
    others = sum(movement.amount for movement in movements if movement.kind not in own)
    paid = sum(trade.quote + trade.commission for trade in trades)
    assert account.wallet - account.cost == others - paid
    exact = sum(trade.units * trade.price + trade.commission for trade in trades)
    assert abs(account.wallet - account.cost - others + exact) <= STEP * len(trades)
    for states in exchange.orders.values():
        for state in states:
            assert state.filled == sum(trade.units for trade in state.trades)


def test_every_fault_happens() -> None:
    """A chance that never comes true tests nothing: over some seeds each one is counted."""
    counts: dict[str, int] = {}
    for seed in range(60):
        for name, count in history(seed, replace(ROUGH, deleveraged=0.002))[0].counts.items():
            counts[name] = counts.get(name, 0) + count
    chances = {each.name for each in fields(FaultChances) if isinstance(each.default, float)}
    sizes = {"delay_ms"}
    assert chances - sizes <= set(counts), chances - set(counts)
    assert {"429", "418", "unknown_done"} <= set(counts)


def test_without_faults_an_order_fills_at_the_book_and_everything_shows_it_at_once() -> None:
    """Answer, look-up, trades, position and wallet say the same, to the last digit."""
    venue = SimulatedVenue(1, PRICE)
    state = placed(venue, order("0.500"))
    assert (state.status, state.filled, state.trades) == (OrderStatus.FILLED, Decimal("0.5"), ())
    (found,) = asked(venue, 100, VenueCall(Ask.LOOK_UP, client_id="sy-1"))
    assert isinstance(found.value, Read)
    assert found.value.value == state
    (trade,) = venue.exchange.trades_since(0).value
    assert trade.price == Decimal("68003.4")  # half a basis point over the mark, to the step
    assert trade.quote == Decimal("34001.70")
    assert trade.commission == Decimal("17.00085")
    assert venue.exchange.position().value.units == Decimal("0.5")
    assert venue.exchange.balance().value.wallet == WALLET - trade.commission


def test_an_order_takes_level_by_level_up_to_its_limit() -> None:
    """Each level is a trade of its own, and what the limit forbids expires."""
    venue = SimulatedVenue(1, PRICE)
    venue.exchange.transfer(Decimal(10_000_000))
    state = placed(venue, order("100", limit="68050"))
    assert state.status is OrderStatus.EXPIRED
    assert state.filled == 80  # two levels of 40 lie below the limit
    prices = [trade.price for trade in venue.exchange.trades.all()]
    assert prices == sorted(prices)
    assert max(prices) <= 68_050


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (order("0.5", 1_100), "-1021"),
        (order("0.5", -2_100), "-1021"),
        (order("0.0005"), "-1111"),
        (order("0.001"), "-4164"),
        (order("1001"), "-4005"),
        (order("0.5", limit="68000.05"), "-4014"),
        (order("0.5", limit="72000"), "-4016"),
        (order("-0.5", limit="64000"), "-4016"),
        (order("50"), "-2019"),
        (order("0.5", reduce_only=True), "-2022"),
    ],
)
def test_what_it_does_not_take_it_refuses_and_nothing_happens(
    request_: OrderRequest, code: str
) -> None:
    """Stamp, lot, size, price step and bound, margin and reduce-only, by the venue's own codes."""
    venue = SimulatedVenue(1, PRICE)
    (told,) = asked(venue, 0, VenueCall(Ask.PLACE, request_), 100)
    assert isinstance(told.value, Failure)
    assert (told.value.outcome, told.value.code) == (CallOutcome.REJECTED, code)
    assert venue.exchange.trades.all() == ()
    assert venue.exchange.orders == {}


def test_the_last_instant_of_acceptance_is_exact() -> None:
    """At stamp plus window it is taken, a millisecond later it is not; so with one too early."""
    for stamp_ms, accepted in ((-2_000, True), (-2_001, False), (999, True), (1_000, False)):
        exchange = SimulatedExchange(MarketTerms(), WALLET, PRICE, 0)
        found = exchange.place(order("0.5", stamp_ms))
        assert isinstance(found, OrderState) == accepted


def test_what_only_lowers_is_cut_to_the_position_and_may_be_small() -> None:
    """A reduce-only order never turns the position round, and no smallest notional stops it."""
    venue = SimulatedVenue(1, PRICE)
    placed(venue, order("0.002"))
    state = placed(venue, order("-0.001", 100, reduce_only=True), 100)
    assert state.filled == Decimal("-0.001")
    state = placed(venue, order("-5", 200, reduce_only=True), 200)
    assert (state.units, state.filled) == (Decimal("-0.001"), Decimal("-0.001"))
    assert venue.exchange.account.units == 0


def test_an_id_is_accepted_again_once_its_order_has_filled() -> None:
    """The venue's ids protect nobody from sending twice: the position moves twice."""
    venue = SimulatedVenue(1, PRICE)
    request = order("0.5")
    placed(venue, request)
    placed(venue, request, 200)
    assert len(venue.exchange.orders["sy-1"]) == 2
    assert venue.exchange.account.units == 1


ALWAYS = {
    "refused": (CallOutcome.UNAVAILABLE, 0),
    "dropped_before": (CallOutcome.UNKNOWN, 0),
    "dropped_after": (CallOutcome.UNKNOWN, 1),
    "garbled": (CallOutcome.UNKNOWN, 1),
    "unavailable": (CallOutcome.UNAVAILABLE, 0),
    "overloaded": (CallOutcome.UNAVAILABLE, 0),
    "banned": (CallOutcome.UNAVAILABLE, 0),
}


@pytest.mark.parametrize("fault", ALWAYS)
def test_a_fault_says_what_it_knows_and_no_more(fault: str) -> None:
    """Unavailable means that nothing happened; unknown is said whether it happened or not."""
    outcome, orders = ALWAYS[fault]
    venue = SimulatedVenue(1, PRICE, faults=replace(CALM, **{fault: 1.0}))
    (told,) = asked(venue, 0, VenueCall(Ask.PLACE, order("0.5")))
    assert isinstance(told.value, Failure)
    assert told.value.outcome is outcome
    assert len(venue.exchange.orders) == orders


@pytest.mark.parametrize(("fault", "orders"), [("lost_before", 0), ("lost_after", 1)])
def test_a_loss_is_silent(fault: str, orders: int) -> None:
    """No answer comes, whether the order was filled or never arrived."""
    venue = SimulatedVenue(1, PRICE, faults=replace(CALM, **{fault: 1.0}))
    assert asked(venue, 0, VenueCall(Ask.PLACE, order("0.5"))) == []
    assert len(venue.exchange.orders) == orders


def test_a_timeout_inside_the_venue_is_one_answer_for_both_outcomes() -> None:
    """Of many, about half were carried out, and the answer does not tell which."""
    answers, done = set(), 0
    for seed in range(40):
        venue = SimulatedVenue(seed, PRICE, faults=replace(CALM, unknown=1.0))
        (told,) = asked(venue, 0, VenueCall(Ask.PLACE, order("0.5")))
        answers.add(told.value)
        done += len(venue.exchange.orders)
    assert len(answers) == 1
    assert 10 < done < 30


def test_an_overload_lets_through_what_sheds_load() -> None:
    """Reduce-only orders are exempt from -1008."""
    venue = SimulatedVenue(1, PRICE)
    placed(venue, order("0.5"))
    venue.faults = replace(CALM, overloaded=1.0)
    assert placed(venue, order("-0.5", 100, reduce_only=True), 100).filled == Decimal("-0.5")


def test_an_answer_comes_twice_and_out_of_order() -> None:
    """A duplicate is the same answer again; a slow way lets a later answer overtake."""
    venue = SimulatedVenue(1, PRICE, faults=replace(CALM, duplicate=1.0))
    first, second = asked(venue, 0, VenueCall(Ask.TIME))
    assert first.value == second.value
    overtaken = 0
    for seed in range(30):
        venue = SimulatedVenue(seed, PRICE, faults=replace(CALM, slow=0.3))
        for now_ms in range(0, 1_000, 100):
            venue.send(now_ms, VenueCall(Ask.TIME))
        tickets = [told.ticket for told in venue.advance(60_000)]
        overtaken += tickets != sorted(tickets)
    assert overtaken > 10


def test_views_lag_each_by_itself_and_no_longer_than_said() -> None:
    """Some show the fill before others do, and after ``lag_ms`` all of them do."""
    seen = set()
    faults = replace(CALM, lag=0.5, lag_ms=1_000)
    for seed in range(60):
        venue = SimulatedVenue(seed, PRICE, faults=faults)
        exchange = venue.exchange
        venue.advance(2_000)
        exchange.place(order("0.5", 2_000))
        shows = []
        for at_ms in (2_000, 3_000):
            exchange.run_to(at_ms + venue.skew_ms)
            shows.append(
                (
                    exchange.look_up("sy-1").value is not None,
                    len(exchange.trades_since(0).value) == 1,
                    exchange.position().value.units != 0,
                    exchange.balance().value.wallet != WALLET,
                )
            )
        seen.add(shows[0])
        assert shows[1] == (True, True, True, True)
    assert len(seen) > 8


def test_funding_is_paid_on_what_was_held_and_may_be_booked_late() -> None:
    """The record carries the time at which it was due, and the wallet moves when it is booked."""
    every = MarketTerms().funding_every_ms
    exchange = SimulatedExchange(MarketTerms(), WALLET, PRICE, every - 60_000, late=lambda: 30_000)
    exchange.funding_rate = Decimal("0.0001")
    exchange.place(order("0.5", every - 60_000))
    before = exchange.account.wallet
    exchange.run_to(every + 29_999)
    assert exchange.account.wallet == before
    exchange.run_to(every + 30_000)
    payment = exchange.movements_since(every).value[-1]
    assert (payment.kind, payment.time_ms) == (MovementKind.FUNDING, every)
    assert payment.amount == Decimal("-3.4")
    assert payment.rate == Decimal("0.0001")
    assert exchange.account.wallet == before - Decimal("3.4")


def test_a_position_without_margin_is_closed_by_the_venue() -> None:
    """It is one trade with an id of the venue's own, a fee, and never a wallet below zero."""
    venue = SimulatedVenue(1, PRICE)
    placed(venue, order("20"))
    venue.move(1_000, Decimal(63_200))
    closing = venue.exchange.trades.all()[-1]
    assert closing.cause is TradeCause.LIQUIDATION
    assert closing.client_id.startswith("autoclose-")
    assert closing.units == -20
    assert venue.exchange.account.units == 0
    kinds = [movement.kind for movement in venue.exchange.movements.all()]
    assert MovementKind.LIQUIDATION_FEE in kinds
    assert venue.exchange.account.wallet >= 0
    told = venue.advance(2_000)
    assert any(each.ticket == 0 and isinstance(each.value, OrderState) for each in told)


def test_a_gap_through_the_margin_leaves_nothing_and_owes_nothing() -> None:
    """The venue's insurance makes good what the account cannot pay."""
    venue = SimulatedVenue(1, PRICE)
    placed(venue, order("20"))
    venue.move(1_000, Decimal(50_000))
    assert venue.exchange.account.wallet == 0
    assert venue.exchange.movements.all()[-1].kind is MovementKind.OTHER


def test_a_position_can_vanish_by_auto_deleveraging() -> None:
    """A share of it is closed at the mark, in whole lots, without a commission."""
    venue = SimulatedVenue(1, PRICE)
    placed(venue, order("-1.001"))
    venue.exchange.deleverage(Decimal("0.5"))
    trade = venue.exchange.trades.all()[-1]
    assert (trade.cause, trade.client_id) == (TradeCause.AUTO_DELEVERAGING, "adl_autoclose")
    assert (trade.units, trade.price, trade.commission) == (Decimal("0.500"), PRICE, 0)


def test_too_many_calls_are_turned_away_and_asking_on_is_a_ban_with_an_end() -> None:
    """429 says until when; a call before that is a 418; at its end calls are let in again."""
    venue = SimulatedVenue(1, PRICE, terms=MarketTerms(requests_per_minute=3), faults=CALM)
    values = [asked(venue, at, VenueCall(Ask.TIME), 100)[0].value for at in (0, 200, 400, 600)]
    refused = values[3]
    assert isinstance(refused, Failure)
    assert (refused.outcome, refused.code) == (CallOutcome.UNAVAILABLE, "429")
    assert refused.until_ms is not None
    (told,) = asked(venue, 900, VenueCall(Ask.TIME), 100)
    banned = told.value
    assert isinstance(banned, Failure)
    assert banned.code == "418"
    assert banned.until_ms is not None
    assert banned.until_ms > refused.until_ms
    (told,) = asked(venue, banned.until_ms, VenueCall(Ask.TIME), 100)
    assert isinstance(told.value, int)


def test_the_venues_clock_is_its_own() -> None:
    """It is off by what the seed says, and stamps are judged by it alone."""
    skews = set()
    for seed in range(30):
        venue = SimulatedVenue(seed, PRICE, faults=replace(CALM, skew_ms=900))
        skews.add(venue.skew_ms)
        (told,) = asked(venue, 5_000, VenueCall(Ask.TIME))
        assert isinstance(told.value, int)
        assert 5_000 <= told.value - venue.skew_ms < 6_000
    assert max(skews) > 300
    assert min(skews) < -300


def test_while_it_is_down_nothing_is_sent() -> None:
    """An outage of any length is a connection refused, before and after it is not."""
    week_ms = 7 * 86_400_000
    venue = SimulatedVenue(1, PRICE, faults=replace(CALM, down=((1_000, 1_000 + week_ms),)))
    for at_ms, is_up in ((0, True), (1_000, False), (week_ms, False), (1_000 + week_ms, True)):
        (told,) = asked(venue, at_ms, VenueCall(Ask.TIME), 100)
        assert isinstance(told.value, int) == is_up
        if isinstance(told.value, Failure):
            assert told.value.outcome is CallOutcome.UNAVAILABLE


def test_nothing_is_seen_later_than_its_limits_say() -> None:
    """Views lag by at most ``lag_ms``, and money movements come by at most ``late_ms`` after."""
    calm = replace(CALM, lag=ROUGH.lag, late_funding=ROUGH.late_funding)
    (told,) = asked(SimulatedVenue(3, PRICE, faults=calm), 0, VenueCall(Ask.LIMITS))
    limits = told.value
    assert isinstance(limits, Limits)
    trades, movements = [0], [0]
    for seed in range(10):
        exchange = history(seed, ROUGH)[0].exchange
        trades += [seen_ms - each.time_ms for seen_ms, each in exchange.trades._items]
        movements += [seen_ms - each.time_ms for seen_ms, each in exchange.movements._items]
    assert limits.lag_ms / 2 < max(trades) <= limits.lag_ms
    assert limits.late_ms / 2 < max(movements) <= limits.late_ms


def test_a_clock_before_the_epoch_is_a_clock() -> None:
    """A venue whose clock is behind a driver that begins at 0 turns nobody away."""
    venue = SimulatedVenue(1, PRICE, now_ms=-50_000)
    (told,) = asked(venue, -49_000, VenueCall(Ask.TIME))
    assert isinstance(told.value, int)
    assert told.value < 0
