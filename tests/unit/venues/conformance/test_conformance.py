"""What every venue must do: the suite is one, and each venue passes it unchanged.

A venue is added by a stage in ``tests/support/venue_stages.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import Rejected, Unknown
from steelyard.venues.protocol import (
    EARLY_MS,
    Limits,
    Mark,
    Movement,
    MovementKind,
    OrderRequest,
    OrderState,
    OrderStatus,
    Trade,
    TradeCause,
)
from support.venue_stages import STAGES, Stage

WINDOW_MS = 2_000


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Each venue in turn."""
    made = STAGES[request.param](tmp_path)
    yield made
    made.close()


class Caller:
    """Asks a stage's venue in few words, with an id of its own for each order."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.orders = 0

    def time(self) -> int:
        """The venue's clock."""
        return int(self.stage.do(self.stage.venue.time()))

    def request(self, units: str, **changes: Any) -> OrderRequest:
        """A request that is stamped now."""
        self.orders += 1
        given: dict[str, Any] = {
            "client_id": f"sy-BTC3L-{self.orders}-1",
            "units": Decimal(units),
            "limit": None,
            "reduce_only": False,
            "stamp_ms": self.time(),
            "window_ms": WINDOW_MS,
        }
        return OrderRequest(**{**given, **changes})

    def place(self, units: str, **changes: Any) -> OrderState:
        """The answer to an order."""
        request = self.request(units, **changes)
        answer: OrderState = self.stage.do(self.stage.venue.place(request))
        return answer

    def read(self, name: str, *arguments: Any) -> Any:
        """What the venue shows."""
        read = self.stage.do(getattr(self.stage.venue, name)(*arguments))
        assert 0 <= read.time_ms <= self.time()
        return read.value

    def trades(self) -> tuple[Trade, ...]:
        """All of them."""
        trades: tuple[Trade, ...] = self.read("trades_since", 0)
        return trades

    def movements(self) -> tuple[Movement, ...]:
        """All of them."""
        movements: tuple[Movement, ...] = self.read("movements_since", 0)
        return movements

    def limits(self) -> Limits:
        """What the venue takes."""
        limits: Limits = self.stage.do(self.stage.venue.limits())
        return limits

    def mark(self) -> Mark:
        """The mark now."""
        mark: Mark = self.stage.do(self.stage.venue.mark())
        return mark

    def cash(self) -> Decimal:
        """The fund's cash, as the venue's books say it."""
        cash: Decimal = self.read("balance").wallet - self.read("position").entry_cost
        return cash


@pytest.fixture
def caller(stage: Stage) -> Caller:
    """Who asks."""
    return Caller(stage)


def test_the_clock_never_goes_back(stage: Stage, caller: Caller) -> None:
    """Whatever is asked in between, a later answer is not of an earlier time."""
    times = [caller.time()]
    for _ in range(4):
        stage.move()
        times.append(caller.time())
    assert times == sorted(times)
    assert times[0] < times[-1]
    assert caller.mark().time_ms <= caller.time()


def test_limits_are_amounts_that_an_order_can_be_held_against(caller: Caller) -> None:
    """None is below zero, and the last digit of amounts is known."""
    limits = caller.limits()
    amounts = (limits.lot, limits.min_notional, limits.max_units, limits.price_step)
    assert all(amount >= 0 for amount in (*amounts, limits.price_bound, limits.lag_ms))
    assert limits.late_ms >= 0
    assert 0 < limits.quote_step < 1
    assert limits.requests_per_minute > 0
    assert limits.orders_per_minute > 0


def test_the_book_surrounds_the_mark(stage: Stage, caller: Caller) -> None:
    """Bids fall and asks rise from there, each with units that are above zero."""
    book, mark = stage.do(stage.venue.book()), caller.mark()
    bids, asks = ([price for price, _ in side] for side in (book.bids, book.asks))
    assert bids
    assert asks
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    if stage.kind != "future":
        assert bids[0] < mark.price < asks[0]
    assert all(units > 0 for _, units in (*book.bids, *book.asks))


def test_a_mark_follows_the_market(stage: Stage, caller: Caller) -> None:
    """It is above zero, and another one after the market has moved."""
    before = caller.mark()
    stage.move()
    after = caller.mark()
    assert before.price > 0
    assert after.price != before.price
    assert after.time_ms > before.time_ms


def test_an_account_begins_with_one_transfer(caller: Caller) -> None:
    """Nothing is held, no trade was made, and the wallet is what came in."""
    assert caller.read("position").units == 0
    assert caller.trades() == ()
    wallet = caller.read("balance").wallet
    assert wallet == sum(movement.amount for movement in caller.movements())
    assert {movement.kind for movement in caller.movements()} == {MovementKind.TRANSFER}
    assert caller.cash() == wallet > 0


@pytest.mark.parametrize("units", ["0.500", "-0.500"])
def test_everything_shows_a_fill_alike(caller: Caller, units: str) -> None:
    """Answer, look-up, trades, position and money say the same, long and short."""
    before = caller.cash()
    state = caller.place(units)
    assert (state.status, state.filled) == (OrderStatus.FILLED, Decimal(units))
    assert state.is_final
    found = caller.read("look_up", state.client_id)
    assert (found.order_id, found.status, found.filled) == (
        state.order_id,
        state.status,
        state.filled,
    )
    trades = caller.trades()
    assert {trade.order_id for trade in trades} == {state.order_id}
    assert {trade.client_id for trade in trades} == {state.client_id}
    assert sum(trade.units for trade in trades) == Decimal(units)
    assert caller.read("position").units == Decimal(units)
    paid = sum(trade.quote + trade.commission for trade in trades)
    assert caller.cash() == before - paid


def test_trades_told_along_are_among_those_of_the_list(caller: Caller) -> None:
    """One fill has one id, wherever it is heard of."""
    state = caller.place("0.500")
    told = {trade.trade_id: trade for trade in state.trades}
    listed = {trade.trade_id: trade for trade in caller.trades()}
    assert told.items() <= listed.items()


def test_an_id_that_was_never_sent_is_of_no_order(caller: Caller) -> None:
    """A look-up says that there is none, and it is no error."""
    assert caller.read("look_up", "sy-BTC3L-999-1") is None


def test_cash_is_wallet_less_what_was_paid_for_the_position(stage: Stage, caller: Caller) -> None:
    """Through adding, closing in part, turning round and closing: to the last digit of each trade.

    The amounts of the trades are exact; units times price is rounded once for each of them.
    """
    step, start = caller.limits().quote_step, caller.cash()
    held = Decimal(0)
    for units in ("0.500", "0.250", "-0.300", "-0.900", "0.150", "0.300"):
        caller.place(units)
        stage.move()
        held += Decimal(units)
        trades, movements = caller.trades(), caller.movements()
        own = {MovementKind.COMMISSION, MovementKind.REALISED, MovementKind.PURCHASE}
        own |= {MovementKind.TRANSFER}
        others = sum(movement.amount for movement in movements if movement.kind not in own)
        assert caller.read("position").units == held == sum(trade.units for trade in trades)
        assert caller.read("balance").wallet == sum(movement.amount for movement in movements)
        paid = sum(trade.quote + trade.commission for trade in trades)
        assert caller.cash() == start + others - paid
        for trade in trades:
            assert abs(trade.units * trade.price - trade.quote) <= step
    position = caller.read("position")
    assert (position.units, position.entry_cost, position.entry_price) == (0, 0, 0)


def test_a_charge_by_kind_is_all_of_the_cost(caller: Caller) -> None:
    """Where a venue says what a fill cost by kind, the kinds add up to what was paid."""
    caller.place("0.500")
    caller.place("-0.200")
    assert caller.trades()
    for trade in caller.trades():
        assert (trade.charges is None) == (trade.mark is None)
        if trade.charges is not None and trade.mark is not None and trade.contract == 0:
            notional = trade.units * trade.mark
            paid = trade.quote + trade.commission
            assert abs(paid - notional - sum(trade.charges)) <= caller.limits().quote_step


def test_every_record_has_an_id_of_its_own_and_stays_as_it_is(stage: Stage, caller: Caller) -> None:
    """Lists only grow, in the order of time."""
    caller.place("0.500")
    trades, movements = caller.trades(), caller.movements()
    stage.move()
    caller.place("-0.200", reduce_only=True)
    later = caller.trades(), caller.movements()
    assert later[0][: len(trades)] == trades
    assert later[1][: len(movements)] == movements
    assert len({trade.trade_id for trade in later[0]}) == len(later[0])
    assert len({movement.movement_id for movement in later[1]}) == len(later[1])
    for records in later:
        times = [record.time_ms for record in records]
        assert times == sorted(times)


def test_lists_begin_at_the_time_that_is_asked_for(stage: Stage, caller: Caller) -> None:
    """That instant itself is among them."""
    caller.place("0.500")
    stage.move()
    stage.move()
    caller.place("0.250")
    last = caller.trades()[-1]
    since = caller.read("trades_since", last.time_ms)
    assert {trade.client_id for trade in since} == {last.client_id}
    assert caller.read("trades_since", last.time_ms + 1) == ()
    booked = caller.read("movements_since", last.time_ms)
    assert booked
    assert all(movement.time_ms >= last.time_ms for movement in booked)


def test_what_only_lowers_never_turns_the_position_round(caller: Caller) -> None:
    """It is cut to the position, may be small, and is refused where nothing is held."""
    caller.place("0.500")
    state = caller.place("-0.001", reduce_only=True)
    assert state.filled == Decimal("-0.001")
    state = caller.place("-5.000", reduce_only=True)
    assert (state.units, state.filled) == (Decimal("-0.499"), Decimal("-0.499"))
    assert caller.read("position").units == 0
    with pytest.raises(Rejected):
        caller.place("-0.100", reduce_only=True)


def test_what_only_lowers_does_not_add(caller: Caller) -> None:
    """On the side of the position it is refused, and nothing happens."""
    caller.place("0.500")
    with pytest.raises(Rejected):
        caller.place("0.100", reduce_only=True)
    assert caller.read("position").units == Decimal("0.500")


@pytest.mark.parametrize(("units", "side"), [("0.500", 1), ("-0.500", -1)])
def test_no_fill_is_worse_than_its_limit_and_nothing_rests(
    stage: Stage, caller: Caller, units: str, side: int
) -> None:
    """Out of reach nothing is filled, then and later; within it the limit holds."""
    mark = stage.do(stage.venue.book())
    best = (mark.asks if side > 0 else mark.bids)[0][0]
    step = caller.limits().price_step or Decimal("0.1")
    out_of_reach = (best * (1 - side * Decimal("0.01"))) // step * step
    state = caller.place(units, limit=out_of_reach)
    assert (state.status, state.filled) == (OrderStatus.EXPIRED, 0)
    for _ in range(3):
        stage.move()
    assert caller.trades() == ()
    mark = stage.do(stage.venue.book())
    best = (mark.asks if side > 0 else mark.bids)[0][0]
    within = (best * (1 + side * Decimal("0.01"))) // step * step
    state = caller.place(units, limit=within)
    assert state.filled == Decimal(units)
    for trade in caller.trades():
        assert (within - trade.price) * side >= 0


def test_an_order_larger_than_its_limit_allows_is_filled_in_part(
    stage: Stage, caller: Caller
) -> None:
    """The rest expires, whole lots are filled, and the trades add up to what was."""
    book, limits = stage.do(stage.venue.book()), caller.limits()
    best, step = book.asks[0][0], limits.price_step or Decimal("0.1")
    limit = (best * Decimal("1.0001")) // step * step
    state = caller.place("20.000", limit=limit)
    assert state.status is OrderStatus.EXPIRED
    assert 0 < state.filled < state.units == 20
    assert state.filled % limits.lot == 0
    assert state.filled == sum(trade.units for trade in caller.trades())
    assert caller.read("position").units == state.filled
    assert all(trade.price <= limit for trade in caller.trades())


@pytest.mark.parametrize("units", ["0.0005", "0.5005", "-0.0005"])
def test_a_size_that_is_no_whole_lot_is_refused(caller: Caller, units: str) -> None:
    """It is not cut without a word."""
    assert caller.limits().lot == Decimal("0.001")
    with pytest.raises(Rejected):
        caller.place(units)
    assert caller.trades() == ()


def test_a_notional_below_the_smallest_is_refused(caller: Caller) -> None:
    """Unless it only lowers (above)."""
    assert caller.limits().min_notional == 100
    with pytest.raises(Rejected):
        caller.place("0.001")
    assert caller.trades() == ()


def test_an_order_beyond_the_margin_is_refused(caller: Caller) -> None:
    """Hundreds of times the wallet is more than any venue lends."""
    with pytest.raises(Rejected):
        caller.place("500.000")
    assert caller.read("position").units == 0


@pytest.mark.parametrize("late_ms", [1_000, 3_600_000])
def test_after_its_last_instant_nothing_comes_of_a_request(caller: Caller, late_ms: int) -> None:
    """The stamp that is signed bounds it, however long its way was."""
    stamp = caller.time() - WINDOW_MS - late_ms
    request = caller.request("0.500", stamp_ms=stamp)
    assert request.last_ms < caller.time()
    with pytest.raises(Rejected):
        caller.stage.do(caller.stage.venue.place(request))
    assert caller.trades() == ()
    assert caller.read("look_up", request.client_id) is None


def test_a_stamp_that_is_ahead_of_the_venues_clock_is_refused(caller: Caller) -> None:
    """By a second and more: so a wrong clock is noticed, and the window stays a bound."""
    with pytest.raises(Rejected):
        caller.place("0.500", stamp_ms=caller.time() + EARLY_MS + 500)
    assert caller.place("0.500", stamp_ms=caller.time() + EARLY_MS // 2).filled == Decimal("0.5")


def test_funding_is_paid_on_what_is_held_and_recorded_once(stage: Stage, caller: Caller) -> None:
    """A long pays the rate on its notional; the record has the time at which it was due."""
    if stage.kind != "perpetual":
        pytest.skip("only perpetuals pay funding")
    caller.place("0.500")
    before = caller.cash()
    stage.pass_funding()
    paid = [each for each in caller.movements() if each.kind is MovementKind.FUNDING]
    assert len(paid) == 1
    assert paid[0].time_ms % (8 * 3_600_000) == 0
    assert paid[0].amount == -Decimal("0.500") * caller.mark().price * Decimal("0.0001")
    assert caller.cash() == before + paid[0].amount
    stage.pass_funding()
    assert sum(each.kind is MovementKind.FUNDING for each in caller.movements()) == 2


def test_interest_on_what_is_borrowed_is_recorded(stage: Stage, caller: Caller) -> None:
    """On spot margin quote that is borrowed costs its rate, for the seconds that it was owed."""
    if stage.kind != "spot":
        pytest.skip("only spot margin pays interest")
    caller.place("3.000")
    before = caller.cash()
    assert before < 0
    stage.move()
    paid = [each for each in caller.movements() if each.kind is MovementKind.INTEREST]
    seconds = paid[-1].seconds
    assert seconds is not None
    assert paid[-1].rate == Decimal("0.05")
    exact = before * Decimal("0.05") * seconds / 31_536_000
    assert abs(paid[-1].amount - exact) <= caller.limits().quote_step
    assert caller.cash() == before + paid[-1].amount


def test_a_position_that_the_venue_closes_is_a_trade_with_its_cause(
    stage: Stage, caller: Caller
) -> None:
    """Liquidated in a crash: nothing is held, the wallet is not below zero, the lists say why."""
    caller.place("4.000")
    stage.crash()
    closing = caller.trades()[-1]
    assert closing.cause is TradeCause.LIQUIDATION
    assert closing.units == Decimal("-4.000")
    assert not closing.client_id.startswith("sy-")
    assert caller.read("position").units == 0
    wallet = caller.read("balance").wallet
    assert wallet >= 0
    assert wallet == sum(movement.amount for movement in caller.movements())
    assert caller.read("look_up", closing.client_id).order_id == closing.order_id


def test_an_answer_that_is_lost_is_unknown_and_can_be_looked_up(
    stage: Stage, caller: Caller
) -> None:
    """The order has filled all the same, and everything else says so."""
    request = caller.request("0.500")
    if not stage.lose_answer():
        pytest.skip("no answer can be lost in one process")
    with pytest.raises(Unknown):
        stage.do(stage.venue.place(request))
    found = caller.read("look_up", request.client_id)
    assert found.filled == Decimal("0.500")
    assert caller.read("position").units == Decimal("0.500")


def test_a_caller_that_comes_back_finds_everything_as_it_was(stage: Stage, caller: Caller) -> None:
    """Orders, trades, money and position live at the venue, not with the caller."""
    state = caller.place("0.500")
    stage.move()

    def everything() -> tuple[Any, ...]:
        reads = [caller.read(name) for name in ("position", "balance")]
        found = caller.read("look_up", state.client_id)
        return (*reads, caller.trades(), caller.movements(), found, caller.mark().price)

    before = everything()
    stage.restart()
    assert everything() == before
    assert caller.place("0.250").filled == Decimal("0.250")
    assert caller.read("position").units == Decimal("0.750")


def test_a_stream_tells_marks(stage: Stage) -> None:
    """Whoever listens hears of a price without asking."""
    stream = stage.venue.stream()
    heard = None
    stage.move()
    while not isinstance(heard, Mark):
        heard = stage.do(anext(stream))
    assert heard.price > 0
    stage.do(stream.aclose())
