"""The streams of an exchange, through ccxt.pro: the mark, and the orders of an account.

They wake their listener up, and decide nothing. Each of the two streams has its own connection. A
stream that fails, or that is silent for ``stale_after`` while a message is due, is replaced: its
connection is closed, and after a wait another one is opened.

On the stream of marks a message is always due. On the stream of orders one is due after an order
has ended by its answer. At all other times that connection is pinged, and its listen key is renewed
every ``stale_after``, which fails once the key has expired. The account's secret is not needed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.venues.exchange.client import INSTALL, Client, answer_of
from steelyard.venues.exchange.parsing import readable
from steelyard.venues.protocol import Mark, OrderState

if TYPE_CHECKING:
    from steelyard.venues.exchange.binanceusdm import BinanceUsdm
    from steelyard.venues.exchange.session import Rehearsal

__all__ = ["Listener", "load_streams"]

TIMEOUT_MS = 5_000
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
"""The longest wait before a stream is opened again; waits double up to it."""
LOOK_S = 0.5
"""Seconds between two checks whether a stream is overdue."""
KEPT_IDS = 100
"""How many ids of the orders reported last are kept."""
KEPT_ORDERS = 1_000
"""How many events wait for a listener; more are dropped, since the account is read anyway."""


def load_streams() -> Any:  # noqa: ANN401 (ccxt ships no types)
    """Import ccxt.pro, which takes some time at first.

    Raises:
        InputError: ccxt is not installed.
    """
    try:
        import ccxt.pro
    except ImportError as error:
        message = f"a real exchange needs ccxt, which is not installed: {INSTALL}"
        raise InputError(message, missing="ccxt") from error
    return ccxt.pro


class _Stream:
    """One stream, which is opened again whenever it ends.

    Args:
        opened: makes a new client of ccxt.pro, which is closed at the end of the block.
        watch: waits for the stream's next message.
        tell: is called with the message.
        is_overdue: says whether the stream has been silent too long since it was opened.
    """

    def __init__(
        self,
        opened: Callable[[], Any],
        watch: Callable[[Any], Awaitable[Any]],
        tell: Callable[[Any], None],
        is_overdue: Callable[[], bool],
    ) -> None:
        self._opened, self._watch, self._tell, self._is_overdue = opened, watch, tell, is_overdue
        self.opened_s = 0.0
        """The time of opening, by this machine's monotonic clock, s."""
        self.is_alive = False
        """Whether it is open and has reported something."""

    async def run(self) -> None:
        """Listen until cancelled."""
        wait_s = FIRST_WAIT_S
        while True:
            self.opened_s = time.monotonic()
            try:
                async with self._opened() as client:
                    await self._while_it_tells(asyncio.ensure_future(self._pass_on(client)))
            except Exception:  # noqa: BLE001, S110 (whatever ended it, another one is opened)
                pass
            if self.is_alive:
                wait_s = FIRST_WAIT_S
            self.is_alive = False
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _pass_on(self, client: Any) -> None:  # noqa: ANN401 (ccxt's)
        """Pass messages on without a pause: ccxt wakes nobody for one that arrives in a pause."""
        while True:
            self._tell(await self._watch(client))
            self.is_alive = True

    async def _while_it_tells(self, work: asyncio.Task[None]) -> None:
        """Wait until passing on ends.

        Raises:
            TimeoutError: the stream is overdue.
        """
        try:
            while not work.done():
                if self._is_overdue():
                    raise TimeoutError
                await asyncio.wait({work}, timeout=LOOK_S)
            work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


class Listener:
    """Both streams of an account; ``start`` opens them.

    Args:
        exchange: the traits of the exchange.
        key: the API key, which identifies the account.
        row: the perpetual's row in ``exchangeInfo``.
        client: the account's client, which keeps bans and counts requests.
        rehearsal: the result of ``read_rehearsal``; None: the real hosts.
        stale_after_ms: the silence, ms, after which a stream is replaced.
    """

    def __init__(
        self,
        exchange: BinanceUsdm,
        key: str,
        row: Mapping[str, Any],
        client: Client,
        rehearsal: Rehearsal | None = None,
        stale_after_ms: int = 10_000,
    ) -> None:
        self._exchange, self._key, self._row, self._client = exchange, key, row, client
        self._rehearsal, self._stale_ms = rehearsal, stale_after_ms
        self._symbol = ""
        self._mark: Mark | None = None
        self._orders: deque[OrderState] = deque(maxlen=KEPT_ORDERS)
        self._marked_s = 0.0
        self._due: dict[str, float] = {}
        """Ended orders that the stream has not reported yet, with the time of each end, s."""
        self._told: deque[str] = deque(maxlen=KEPT_IDS)
        self._came = asyncio.Event()
        self._marks = _Stream(self._opened, self._watch_mark, self._hear_mark, self._lacks_mark)
        self._of_orders = _Stream(
            self._opened, self._watch_orders, self._hear_orders, self._lacks_orders
        )
        self._tasks: list[asyncio.Task[None]] = []

    # -- for the listener ----------------------------------------------------------------------

    @property
    def tells_marks(self) -> bool:
        """Whether marks arrive; while they do not, they have to be requested."""
        return self._marks.is_alive

    def start(self) -> None:
        """Open the streams if they are not open, inside a running event loop."""
        if not self._tasks:
            load_streams()
            streams = (self._marks, self._of_orders)
            self._tasks = [asyncio.ensure_future(each.run()) for each in streams]

    async def hear(self, wait_s: float) -> tuple[Mark | None, list[OrderState]]:
        """The last mark and all orders reported since the last call; possibly none after a wait.

        Args:
            wait_s: the longest time to wait for a message, s.
        """
        if not self._came.is_set():
            came = asyncio.ensure_future(self._came.wait())
            try:
                await asyncio.wait({came}, timeout=wait_s)
            finally:
                came.cancel()
                await asyncio.gather(came, return_exceptions=True)
        self._came.clear()
        mark, orders = self._mark, list(self._orders)
        self._mark = None
        self._orders.clear()
        return mark, orders

    def expect(self, client_id: str) -> None:
        """Note that an order has ended by its answer, so that the stream must report it too."""
        if client_id not in self._told:
            self._due[client_id] = time.monotonic()

    async def close(self) -> None:
        """Close the streams, and wait until they are closed."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- marks ---------------------------------------------------------------------------------

    async def _watch_mark(self, client: Any) -> Any:  # noqa: ANN401 (ccxt's)
        return (await client.watch_mark_price(self._symbol))["info"]

    def _hear_mark(self, told: Mapping[str, Any]) -> None:
        with readable():
            self._mark = self._exchange.streamed_mark(told)
        self._marked_s = time.monotonic()
        self._came.set()

    def _lacks_mark(self) -> bool:
        since_s = max(self._marks.opened_s, self._marked_s)
        return time.monotonic() - since_s > self._stale_ms / 1_000

    # -- orders --------------------------------------------------------------------------------

    async def _watch_orders(self, client: Any) -> Any:  # noqa: ANN401 (ccxt's)
        told = await client.watch_orders(self._symbol)
        return [each["info"] for each in told]

    def _hear_orders(self, told: list[Mapping[str, Any]]) -> None:
        with readable():
            orders = [self._exchange.streamed_order(each) for each in told]
        for each in orders:
            self._orders.append(each)
            if each.is_final:
                self._told.append(each.client_id)
                self._due.pop(each.client_id, None)
        self._came.set()

    def _lacks_orders(self) -> bool:
        # this connection does not report what happened before it was opened
        since_s = [each for each in self._due.values() if each >= self._of_orders.opened_s]
        return any(time.monotonic() - each > self._stale_ms / 1_000 for each in since_s)

    # -- connections ---------------------------------------------------------------------------

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Any]:
        """A client of ccxt.pro with its own session."""
        from steelyard.venues.exchange.session import open_session

        session = open_session(self._rehearsal, self._check)
        settings = {
            "apiKey": self._key,
            "session": session,
            "timeout": TIMEOUT_MS,
            "number": str,  # amounts stay as the exchange wrote them
            "enableRateLimit": False,  # the answers' headers are counted instead
            "options": {
                "maxRetriesOnFailure": 0,
                "listenKeyRefreshRate": self._stale_ms,
                "watchPositions": {"fetchPositionsSnapshot": False},
                "ws": {"keepAlive": max(1, self._stale_ms // 2)},
            },
        }
        client = getattr(load_streams(), self._exchange.ID)(settings)
        client.on_rest_response = self._on_rest_response
        # at level DEBUG ccxt logs each request with its key
        logging.getLogger(client.logger.name).setLevel(logging.INFO)
        try:
            market = client.parse_market(self._row)
            client.set_markets([market])
            self._symbol = market["symbol"]
            yield client
        finally:
            await client.close()
            await session.close()

    def _check(self) -> None:
        """Raise, so that nothing is sent, while the exchange must not be asked."""
        held_back = self._client.budget.held_back(is_urgent=True)
        if held_back is not None:
            raise held_back.error()

    def _on_rest_response(
        self,
        code: int,
        _reason: str,
        _url: str,
        _method: str,
        response_headers: Mapping[str, str],
        response_body: str,
        _request_headers: object,
        _request_body: object,
    ) -> str:
        self._client.note(answer_of(code, response_body, dict(response_headers)))
        return response_body.strip()
