"""The streams of a real exchange: they wake up, they are replaced, and they decide nothing.

Unmodified ccxt.pro on real sockets, at a rehearsal exchange that is a process of its own. So that
a mark can have come by no other way than the stream, most venues here ask for one by themselves
only after ten minutes.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from steelyard.venues.exchange.venue import ExchangeVenue, open_exchange
from steelyard.venues.protocol import Heard, Mark, OrderRequest, OrderState
from support.exchange_process import RehearsalProcess

pytestmark = pytest.mark.xdist_group("processes")

SYMBOL, PRICE = "BTC/USDT:USDT", 68_000
BOTH = {"": 1, "main": 1}
LONG_MS = 1_200_000
SHORT_MS = 1_000
WAIT_S = 120.0
"""A limit that a busy machine does not reach; nothing is said of times."""
T = TypeVar("T")


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalProcess]:
    """One exchange for all of them."""
    folder = tmp_path_factory.mktemp("streams") / "exchange"
    found = RehearsalProcess(folder, f"BTCUSDT=hand:{PRICE}")
    yield found
    found.kill()


class Ear:
    """Listens to a venue, beside the test."""

    def __init__(self, venue: ExchangeVenue, exchange: RehearsalProcess) -> None:
        self.venue, self._exchange = venue, exchange
        self.heard: list[Heard] = []
        self._task = asyncio.ensure_future(self._listen())

    async def _listen(self) -> None:
        async for each in self.venue.stream():
            self.heard.append(each)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that is to happen."""
        async with asyncio.timeout(WAIT_S):
            while not is_so():
                assert not self._task.done()
                await asyncio.sleep(0.02)

    async def until_streamed(self) -> None:
        """Both streams are there: the exchange has no other sockets."""
        await self.until(lambda: self.is_streamed and sockets(self._exchange) == BOTH)

    @property
    def is_streamed(self) -> bool:
        """Whether marks come in by a stream."""
        listener = self.venue._listener
        return listener is not None and listener.tells_marks

    async def until_mark(self, price: int) -> None:
        """Wait for the mark at a price."""
        await self.until(lambda: any(_price(each) == price for each in self.heard))

    async def until_order(self, client_id: str) -> OrderState:
        """Wait for the end of an order."""

        def found() -> list[OrderState]:
            orders = [each for each in self.heard if isinstance(each, OrderState)]
            return [each for each in orders if each.client_id == client_id and each.is_final]

        await self.until(lambda: bool(found()))
        return found()[0]

    async def close(self) -> None:
        """Stop listening, as the keeper does."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.venue.close()


def _price(heard: Heard) -> int | None:
    return int(heard.price) if isinstance(heard, Mark) else None


@asynccontextmanager
async def listening(exchange: RehearsalProcess, stale_after_ms: int) -> AsyncIterator[Ear]:
    """A venue that is listened to."""
    venue = open_exchange(
        SYMBOL,
        "USDT",
        exchange.secrets(),
        rehearsal=exchange.folder,
        stale_after_ms=stale_after_ms,
    )
    ear = Ear(venue, exchange)
    try:
        yield ear
    finally:
        await ear.close()


def run(exchange: RehearsalProcess, stale_after_ms: int, act: Callable[[Ear], Awaitable[T]]) -> T:
    """What an act comes to; nothing of it is left behind in the loop.

    That is: no task, no error that nobody took, no session or socket that was not closed (what is
    not closed is told when it is collected, and a warning is an error here).
    """
    untaken: list[dict[str, Any]] = []

    async def ran() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: untaken.append(context))
        while sockets(exchange):  # noqa: ASYNC110 (those of the test before are another process's)
            await asyncio.sleep(0.02)
        async with listening(exchange, stale_after_ms) as ear:
            found = await act(ear)
        for _ in range(3):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        gc.collect()
        if stale_after_ms == SHORT_MS:
            time.sleep(SHORT_MS / 1_000)  # noqa: ASYNC251 (a timer that is left is due at the end)
        return found

    found = asyncio.run(ran())
    gc.collect()
    assert untaken == []
    return found


def control(exchange: RehearsalProcess, path: str, **given: object) -> Any:
    """A hand on the exchange."""
    return exchange.control("POST", path, **given)


def sockets(exchange: RehearsalProcess, what: str = "open") -> dict[str, int]:
    """How many are open, or were opened so far: of marks (no name) and of the account."""
    found: dict[str, int] = exchange.control("GET", "/state")["sockets"][what]
    return found


async def place(ear: Ear, client_id: str) -> None:
    """An order that fills."""
    now = await ear.venue.time()
    request = OrderRequest(client_id, Decimal("0.010"), None, False, now, 5_000)
    assert (await ear.venue.place(request)).is_final


def test_a_mark_from_the_stream_is_passed_on_as_rest_says_it(exchange: RehearsalProcess) -> None:
    """A price that moves wakes the listener up, once for each time that it moves."""

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        for price in (68_100, 67_900):
            control(exchange, "/price", symbol="BTCUSDT", price=price)
            await ear.until_mark(price)
        prices = [_price(each) for each in ear.heard]
        assert prices[-2:] == [68_100, 67_900]

    run(exchange, LONG_MS, act)


def test_an_order_is_told_whoever_made_it(exchange: RehearsalProcess) -> None:
    """The venue's own, and one of the exchange: with its id, its side and what was filled."""

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        await place(ear, "sy-ear-1-1")
        told = await ear.until_order("sy-ear-1-1")
        assert told.filled == told.units == Decimal("0.010")
        assert (await ear.venue.look_up("sy-ear-1-1")).value == told
        control(exchange, "/adl", account="main", symbol="BTCUSDT", units="0.010")
        assert (await ear.until_order("adl_autoclose")).filled == Decimal("-0.010")

    run(exchange, LONG_MS, act)


def test_a_stream_that_is_cut_is_opened_again(exchange: RehearsalProcess) -> None:
    """Both are; meanwhile marks are asked for, and afterwards the streams tell again."""

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        assert control(exchange, "/streams", cut=True)["cut"] == 2
        control(exchange, "/price", symbol="BTCUSDT", price=68_200)
        await ear.until_mark(68_200)
        await ear.until_streamed()
        control(exchange, "/price", symbol="BTCUSDT", price=68_300)
        await ear.until_mark(68_300)
        await place(ear, "sy-ear-2-1")
        await ear.until_order("sy-ear-2-1")

    run(exchange, LONG_MS, act)


def test_a_silent_stream_is_replaced_and_marks_are_asked_for(exchange: RehearsalProcess) -> None:
    """The sockets stay open and nothing is told: of the mark, and of an order that has ended."""

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        control(exchange, "/streams", silent_ms=10 * LONG_MS)
        opened = sockets(exchange, "opened")
        await ear.until(lambda: not ear.is_streamed)
        control(exchange, "/price", symbol="BTCUSDT", price=68_400)
        await ear.until_mark(68_400)
        await place(ear, "sy-ear-3-1")
        await ear.until(lambda: sockets(exchange, "opened")["main"] > opened["main"])
        await ear.until(lambda: sockets(exchange, "opened")[""] > opened[""])
        control(exchange, "/streams", silent_ms=0)
        await ear.until_streamed()
        await place(ear, "sy-ear-3-2")
        await ear.until_order("sy-ear-3-2")
        assert all(
            not isinstance(each, OrderState) or each.client_id != "sy-ear-3-1" for each in ear.heard
        )

    run(exchange, SHORT_MS, act)


def test_a_listen_key_that_expires_is_replaced(exchange: RehearsalProcess) -> None:
    """Nothing closes the socket then: the key cannot be renewed, so another one is asked for."""

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        opened = sockets(exchange, "opened")
        control(exchange, "/streams", expire=True)
        await ear.until(lambda: sockets(exchange, "opened")["main"] > opened["main"])
        await ear.until_streamed()
        await place(ear, "sy-ear-4-1")
        await ear.until_order("sy-ear-4-1")

    run(exchange, SHORT_MS, act)


def test_nothing_is_asked_while_the_exchange_refuses(exchange: RehearsalProcess) -> None:
    """In a ban the streams that were cut are not opened again; once it is over they are."""

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        ear.venue._budget.refused_until_ms = 10**15
        opened = sockets(exchange, "opened")
        control(exchange, "/streams", cut=True)
        await ear.until(lambda: not ear.is_streamed)
        await asyncio.sleep(3)
        assert sockets(exchange) == {}
        assert sockets(exchange, "opened") == opened
        ear.venue._budget.refused_until_ms = 0
        await ear.until_streamed()

    run(exchange, SHORT_MS, act)


@pytest.mark.parametrize("passes", [0, 1, 5, 20, 60])
def test_it_can_be_closed_at_any_moment(exchange: RehearsalProcess, passes: int) -> None:
    """Before the streams are open, while they are being opened, and right after."""

    async def act(_: Ear) -> None:
        for _ in range(passes):
            await asyncio.sleep(0.005)

    run(exchange, LONG_MS, act)


def test_an_exchange_that_comes_back_is_heard_again(tmp_path: Path) -> None:
    """It is killed, the listener goes on asking, and hears it by its streams once it is there."""
    exchange = RehearsalProcess(tmp_path / "exchange", f"BTCUSDT=hand:{PRICE}")

    async def act(ear: Ear) -> None:
        await ear.until_streamed()
        exchange.kill()
        await ear.until(lambda: not ear.is_streamed)
        exchange.start()
        await ear.until_streamed()
        control(exchange, "/price", symbol="BTCUSDT", price=68_500)
        await ear.until_mark(68_500)

    try:
        run(exchange, LONG_MS, act)
    finally:
        exchange.kill()
