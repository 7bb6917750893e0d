"""The paper venue: its clock, its ways inside a bar, and a file that survives its process."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import DataError, InputError, InvariantError, Rejected
from steelyard.rules.series import Series
from steelyard.venues.paper.pace import Pace
from steelyard.venues.paper.venue import PaperVenue, open_paper
from steelyard.venues.protocol import MovementKind, OrderRequest, OrderState, TradeCause
from support import paper_trader
from support.feeding import fed, others_in
from support.paper_funds import now
from support.venue_stages import KINDS, SERIES

KILLS = int(os.environ.get("STEELYARD_TEST_KILLS", "6"))
"""By hand: a hundred."""
PERPETUAL = Series.loads(SERIES.format(venue=KINDS["perpetual"]))
BARS = {
    "time": [0, 3_600, 7_200, 10_800],
    "open": [68_000.0, 68_100.0, 67_900.0, 68_000.0],
    "high": [68_500.0, 68_600.0, 68_400.0, 68_500.0],
    "low": [67_500.0, 67_600.0, 50_000.0, 67_500.0],
    "close": [68_100.0, 67_900.0, 68_000.0, 68_200.0],
}


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., PaperVenue]:
    """Opens the account in one file, as often as it is called."""

    def open_(series: Series = PERPETUAL, prices: object = BARS, **given: Any) -> PaperVenue:
        return open_paper(tmp_path / "paper.db", series, fed(prices, given), **others_in(given))

    return open_


def placed(venue: PaperVenue, number: int, units: str, **changes: Any) -> OrderState:
    """The answer to an order."""
    given = {"limit": None, "reduce_only": False, **changes}
    request = OrderRequest(
        client_id=f"sy-{number}",
        units=Decimal(units),
        stamp_ms=venue.now_ms,
        window_ms=2_000,
        **given,
    )
    state: OrderState = now(venue.place(request))
    return state


def test_a_bar_is_one_clock_observation_and_three_ways(opened: Callable[..., PaperVenue]) -> None:
    """Open, the low first for a long, the high, the close; all at the bar's opening instant."""
    venue, seen = opened(), []
    mark = now(venue.mark())
    while mark is not None:
        seen.append((mark.time_ms // 1_000, float(mark.price), mark.is_clock))
        mark = now(venue.next())
    expected = []
    for row, time_s in enumerate(BARS["time"]):
        stops = [BARS[name][row] for name in ("open", "low", "high", "close")]
        expected += [(time_s, price, place == 0) for place, price in enumerate(stops)]
    assert seen == expected
    assert venue.next_ms is None
    assert now(venue.next()) is None


def test_a_short_sees_the_high_first(opened: Callable[..., PaperVenue]) -> None:
    """What hurts comes first, as in a backtest."""
    text = SERIES.format(venue=KINDS["perpetual"]).replace("= 3.0", "= -1.0")
    text = text.replace("lower = 2.5", "lower = 0.8").replace("upper = 3.5", "upper = 1.2")
    venue = opened(Series.loads(text))
    assert now(venue.next()).price == 68_500


def test_the_price_stops_on_its_way_and_nowhere_else(opened: Callable[..., PaperVenue]) -> None:
    """A path price is the mark, orders fill at it, and from there the way goes on."""
    venue = opened()
    assert venue.heading == 67_500
    assert venue.visit(Decimal("67890.5")).price == Decimal("67890.5")
    assert not now(venue.mark()).is_clock
    (trade,) = placed(venue, 1, "0.500").trades
    assert trade.mark == Decimal("67890.5")
    for off in ("67891", "67499"):
        with pytest.raises(InputError, match="on its way"):
            venue.visit(Decimal(off))
    assert now(venue.next()).price == 67_500
    for _ in range(2):
        now(venue.next())
    # from the close the price jumps to the next open
    assert venue.heading is None
    with pytest.raises(InputError, match="no way"):
        venue.visit(Decimal(68_100))


def test_a_stream_stops_where_its_listener_wants(opened: Callable[..., PaperVenue]) -> None:
    """On each way it is asked where; after each stop again, from there."""
    venue, asked = opened(), []

    def stops(here: Decimal, heading: Decimal) -> Decimal | None:
        asked.append((here, heading))
        below = heading < here
        wanted = [Decimal(67_800), Decimal(67_600)] if below else [Decimal(68_300)]
        return next((at for at in wanted if min(here, heading) < at < max(here, heading)), None)

    venue.stops = stops

    async def heard() -> list[Decimal]:
        found = []
        async for mark in venue.stream():
            found.append(mark.price)
            if len(found) == 7:
                break
        return found

    assert now(heard()) == [68_000, 67_800, 67_600, 67_500, 68_300, 68_500, 68_100]
    assert asked[:3] == [(68_000, 67_500), (67_800, 67_500), (67_600, 67_500)]


def test_inside_a_bar_the_venue_closes_at_the_very_price(opened: Callable[..., PaperVenue]) -> None:
    """Where the margin is gone, and not at the low that the price goes on to."""
    venue = opened()
    placed(venue, 1, "8.000")
    while now(venue.mark()).price != 50_000:
        now(venue.next())
    closing = now(venue.trades_since(0)).value[-1]
    opening = now(venue.trades_since(0)).value[0]
    assert closing.cause is TradeCause.LIQUIDATION
    cash = 100_000 - opening.quote - opening.commission
    end = -cash / (8 * (1 - Decimal("0.005")))
    assert abs(closing.price - end) < Decimal("1e-12")
    assert closing.price > 50_000
    # the fee of one percent is more than the half percent of margin that was left
    fee = now(venue.movements_since(0)).value[-1]
    assert fee.kind is MovementKind.LIQUIDATION_FEE
    assert abs(fee.amount + 8 * end * Decimal("0.005")) < Decimal("1e-9")
    assert now(venue.balance()).value.wallet == 0


def test_a_future_that_is_held_at_its_expiry_is_settled(opened: Callable[..., PaperVenue]) -> None:
    """At the underlying's price; and one contract has to be closed before another is opened."""
    days = range(0, 120 * 86_400, 86_400)
    prices = {"time": days, "close": [68_000.0] * len(days)}
    venue = opened(Series.loads(SERIES.format(venue=KINDS["future"])), prices)
    (trade,) = placed(venue, 1, "0.500").trades
    contract = trade.contract
    assert contract > 0
    assert trade.mark == 68_000
    assert trade.price > Decimal(68000) * Decimal("1.001")
    with pytest.raises(Rejected, match="closed"):
        placed(venue, 2, "0.500", contract=contract + 86_400)
    while venue.now_ms < contract * 1_000:
        now(venue.next())
    settlement = now(venue.trades_since(0)).value[-1]
    assert (settlement.cause, settlement.units) == (TradeCause.EXPIRY, Decimal("-0.500"))
    assert settlement.price == 68_000
    assert now(venue.position()).value.units == 0
    assert placed(venue, 3, "0.500").trades[0].contract > contract


def test_an_id_is_filled_once(opened: Callable[..., PaperVenue]) -> None:
    """A second order under it is refused, also by the next process."""
    venue = opened()
    placed(venue, 1, "0.500")
    with pytest.raises(Rejected, match="again"):
        placed(venue, 1, "0.500")
    now(venue.close())
    venue = opened()
    with pytest.raises(Rejected, match="again"):
        placed(venue, 1, "0.500")
    assert now(venue.position()).value.units == Decimal("0.500")
    now(venue.close())


def test_it_goes_on_where_it_was_left_also_inside_a_bar(opened: Callable[..., PaperVenue]) -> None:
    """Place, price and clock are in the file; what was told last is told first."""
    venue = opened()
    now(venue.next())
    venue.visit(Decimal(67_999))
    placed(venue, 1, "0.500")
    before = now(venue.mark()), venue.heading, now(venue.position()), now(venue.balance())
    now(venue.close())
    venue = opened()
    assert (now(venue.mark()), venue.heading, now(venue.position()), now(venue.balance())) == before
    stream = venue.stream()
    assert now(anext(stream)) == before[0]
    assert now(anext(stream)).price == before[1]
    now(venue.close())


def test_a_file_of_another_history_is_refused(opened: Callable[..., PaperVenue]) -> None:
    """Another series, other prices, or another way through the bars."""
    now(opened().close())
    dearer = PERPETUAL.loads(SERIES.format(venue=KINDS["perpetual"]).replace("5.0", "6.0"))
    moved = {**BARS, "close": [68_101.0, *BARS["close"][1:]]}
    for given in ({"series": dearer}, {"prices": moved}, {"intrabar": "close"}):
        with pytest.raises(InputError, match="began with"):
            opened(**given)


def test_a_feed_of_what_no_venue_knows_is_refused(opened: Callable[..., PaperVenue]) -> None:
    """Flows are asked of the keeper: at its venue they would be left out without a word."""
    with pytest.raises(InputError, match="found flows, which a venue does not know of") as caught:
        opened(flows={"time": [3_600], "tokens": [1.0]})
    assert caught.value.details["allowed"] == ("funding", "rates", "book")


def test_a_file_that_is_no_paper_account_is_refused(tmp_path: Path) -> None:
    """Another database, another version, and no database at all are left as they are."""
    other, text = tmp_path / "other.db", tmp_path / "text.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    text.write_text("hello, this is no database, whatever its name says" * 20)
    for path in (other, text):
        with pytest.raises(InputError, match="expected a"):
            open_paper(path, PERPETUAL, BARS)
    newer = tmp_path / "newer.db"
    now(open_paper(newer, PERPETUAL, BARS).close())
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 9")
    with pytest.raises(InputError, match="version 9"):
        open_paper(newer, PERPETUAL, BARS)


def test_one_account_has_one_process(opened: Callable[..., PaperVenue]) -> None:
    """Of two that change it the one that is behind stores nothing and stops."""
    first, second = opened(), opened()
    placed(first, 1, "0.500")
    with pytest.raises(InvariantError, match="another process"):
        placed(second, 2, "0.500")
    assert now(first.look_up("sy-2")).value is None
    assert now(first.position()).value.units == Decimal("0.500")
    now(first.close())
    now(second.close())


def test_a_series_against_its_own_reserve_has_no_venue(opened: Callable[..., PaperVenue]) -> None:
    """Its trades go nowhere, so there is nothing to be opened."""
    text = SERIES.format(venue='kind = "pool"')
    text += "[reserve]\ninitial_units = 10.0\n[fees]\nmanagement_per_year = 0.0\n"
    series = Series.loads(text.replace("lot_units = 0.001", "").replace("min_notional = 100.0", ""))
    with pytest.raises(InputError, match="no venue"):
        opened(series)


def test_a_hand_outside_moves_money(opened: Callable[..., PaperVenue]) -> None:
    """What an issuer takes out or puts in is a transfer like the first."""
    venue = opened()
    venue.transfer(Decimal("-25.5"))
    last = now(venue.movements_since(0)).value[-1]
    assert (last.kind, last.amount) == (MovementKind.TRANSFER, Decimal("-25.5"))
    assert now(venue.balance()).value.wallet == Decimal("99974.5")


def test_at_a_speed_the_clock_goes_on_but_not_past_the_next_bar(
    opened: Callable[..., PaperVenue],
) -> None:
    """An hour of history takes a second at 3,600; at 0 the clock stands until it is moved."""
    machine = [100.0]
    venue = opened(prices={"time": [0, 3_600, 7_200], "close": [1.0, 2.0, 3.0]})
    start = venue.now_ms
    venue._pace = Pace(0.0, lambda: machine[0])
    machine[0] += 50
    assert venue.now_ms == start
    venue._pace = Pace(3_600.0, lambda: machine[0])
    machine[0] += 0.5
    assert venue.now_ms == start + 1_800_000
    machine[0] += 0.75
    assert venue.now_ms == start + 3_600_000 - 1
    mark = now(venue.next())
    assert (mark.price, mark.time_ms, mark.is_clock) == (2, start + 3_600_000, True)
    # a quarter of a second that the caller took is made up for, and an hour's sleep is not
    assert venue.now_ms == start + 3_600_000 + 900_000
    assert not now(venue.mark()).is_clock
    pace = Pace(10.0, lambda: machine[0])
    machine[0] += 3_600
    pace.came(1_000)
    assert pace.passed_ms() == 10_000


def test_a_caller_that_overlaps_as_told_misses_no_record(
    opened: Callable[..., PaperVenue],
) -> None:
    """Funding carries the time at which it was due, which may lie before a trade made since."""
    machine = [0.0]
    hours = range(0, 12 * 3_600, 4 * 3_600)
    prices = {"time": hours, "close": [68_000.0] * len(hours)}
    venue = opened(prices=prices, funding={"time": [5 * 3_600], "rate": [0.0001]})
    assert now(venue.limits()).late_ms == 0
    venue._pace = Pace(3_600.0, lambda: machine[0])
    machine[0] += 2
    placed(venue, 1, "0.500")
    seen = now(venue.movements_since(0)).value[-1].time_ms
    machine[0] += 5
    now(venue.next())
    funding = now(venue.movements_since(0)).value[-2]
    assert funding.kind is MovementKind.FUNDING
    assert funding.time_ms == 5 * 3_600_000 < seen
    late_ms = now(venue.limits()).late_ms
    assert funding in now(venue.movements_since(seen - late_ms)).value


def test_a_history_at_a_speed_takes_its_time(opened: Callable[..., PaperVenue]) -> None:
    """Ten hours at an hour in twenty milliseconds: a fifth of a second, and not less."""
    prices = {"time": range(0, 11 * 3_600, 3_600), "close": [68_000.0] * 11}
    venue = opened(prices=prices, speed=180_000.0)

    async def heard() -> list[int]:
        return [mark.time_ms async for mark in venue.stream()]

    before = time.monotonic()
    assert asyncio.run(heard()) == [hour * 3_600_000 for hour in range(1, 12)]
    assert time.monotonic() - before >= 0.2


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
def test_a_speed_is_a_finite_number(speed: float) -> None:
    """Below zero or without end it is refused."""
    with pytest.raises(InputError, match="speed"):
        Pace(speed)


def test_a_killed_process_loses_no_order_and_doubles_none(tmp_path: Path) -> None:
    """Killed by -9 at random moments: each id stands once, and the books add up."""
    path, chance, before = str(tmp_path / "paper.db"), random.Random(), 0  # noqa: S311
    for _ in range(KILLS):
        wait_s = chance.uniform(0, 0.3)
        acknowledged = max(before, _killed_after(path, wait_s))
        venue = paper_trader.opened(path)
        trades = now(venue.trades_since(0)).value
        ids = [trade.client_id for trade in trades]
        assert ids == [f"n-{number}" for number in range(1, len(ids) + 1)], wait_s
        assert acknowledged <= len(ids) <= acknowledged + 1, wait_s
        for number, trade in enumerate(trades, 1):
            assert trade.units == paper_trader.units_of(number)
        movements = now(venue.movements_since(0)).value
        position, wallet = now(venue.position()).value, now(venue.balance()).value.wallet
        assert position.units == sum(trade.units for trade in trades)
        assert wallet == sum(movement.amount for movement in movements)
        paid = sum(trade.quote + trade.commission for trade in trades)
        assert wallet - position.entry_cost == 100_000 - paid
        before = len(ids)
        now(venue.close())
    assert before > KILLS


def _killed_after(path: str, wait_s: float) -> int:
    """The last order that a trader was answered before it was killed."""
    command = [sys.executable, "-m", "support.paper_trader", path]
    tests = Path(paper_trader.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tests) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        time.sleep(wait_s)
        process.kill()
        said = process.stdout.read()
    whole = said.rpartition(b"\n")[0].split(b"\n")
    return int(whole[-1]) if whole[-1] else 0


def books_at(*mids: float) -> dict[str, list[Any]]:
    """A snapshot an hour of two levels a side: one unit 1 away from mid, two units 10 away."""
    rows: dict[str, list[Any]] = {
        name: [] for name in ("time", "level", "bid_px", "bid_qty", "ask_px", "ask_qty")
    }
    for hour, mid in enumerate(mids):
        for level, (off, units) in enumerate(((1.0, 1.0), (10.0, 2.0)), 1):
            row = (hour * 3_600, level, mid - off, units, mid + off, units)
            for name, value in zip(rows, row, strict=True):
                rows[name].append(value)
    return rows


def test_an_order_walks_the_book_that_was_recorded_last(opened: Callable[..., PaperVenue]) -> None:
    """Level by level around the mark, up to its limit and to the book's end; its fee is as ever."""
    prices = {"time": [0, 3_600], "close": [10_000.0, 20_000.0]}
    venue = opened(prices=prices, books=books_at(9_000.0, 10_000.0, 20_000.0))
    assert venue.now_ms == 3_600_000
    book = now(venue.book())
    assert float(book.asks[0][0]) == pytest.approx(10_001, abs=0.01)
    (trade,) = placed(venue, 1, "2.000").trades
    # one unit at 10,001 and one at 10,010
    assert float(trade.quote) == pytest.approx(20_011, abs=0.01)
    assert float(trade.commission) == pytest.approx(20_000 * 5e-4)
    state = placed(venue, 2, "-5.000")
    assert (state.status, float(state.filled)) == ("expired", pytest.approx(-3, abs=1e-3))
    limited = placed(venue, 3, "2.000", limit=Decimal(10_005))
    assert float(limited.filled) == pytest.approx(1, abs=1e-3)
    now(venue.next())
    (trade,) = placed(venue, 4, "0.500").trades
    assert float(trade.price) == pytest.approx(20_001, abs=0.02)


def test_books_that_begin_after_the_history_are_refused(opened: Callable[..., PaperVenue]) -> None:
    """No liquidity is made up for the time before the first snapshot."""
    late = {**books_at(10_000.0), "time": [7_200, 7_200]}
    with pytest.raises(DataError, match="snapshot by"):
        opened(prices={"time": [0, 3_600], "close": [10_000.0, 20_000.0]}, books=late)


def test_books_are_part_of_what_an_account_began_with(opened: Callable[..., PaperVenue]) -> None:
    """Other books are another history."""
    prices = {"time": [0, 3_600], "close": [10_000.0, 20_000.0]}
    now(opened(prices=prices, books=books_at(10_000.0, 10_000.0)).close())
    with pytest.raises(InputError, match="began with"):
        opened(prices=prices, books=books_at(10_000.0, 10_001.0))
    with pytest.raises(InputError, match="began with"):
        opened(prices=prices)
