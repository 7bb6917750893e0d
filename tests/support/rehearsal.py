"""The rehearsal exchange for tests: its core in process, and a real one with unmodified ccxt."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard.rehearsal.book import MODELLED
from steelyard.rehearsal.ccxt_setup import ccxt_lines
from steelyard.rehearsal.contracts import CONTRACTS, HOUR_MS
from steelyard.rehearsal.matching import NewOrder
from steelyard.rehearsal.records import Account, Market, World
from steelyard.rehearsal.upkeep import move
from support.command import SCRIPT, environment

__all__ = [
    "PAIR",
    "Served",
    "market_order",
    "one_account",
    "opened",
    "served",
]

PAIR = "BTC/USDT:USDT"
WAIT_S = 120
NOW_MS = 1_584_000_000_000


def one_account(price: str = "60000", wallet: str = "100000") -> tuple[World, Account, Market]:
    """A world of one account and one market, with the modelled book."""
    contract = CONTRACTS["BTCUSDT"]
    market = Market(contract, Decimal(price), Decimal(price), NOW_MS + 8 * HOUR_MS)
    account = Account("main", Decimal(wallet), leverages={"BTCUSDT": 5})
    world = World({"BTCUSDT": market}, {"main": account}, MODELLED)
    move(world, market, Decimal(price), NOW_MS)
    world.drain()
    return world, account, market


def market_order(units: str, **more: Any) -> NewOrder:
    """A market order of BTCUSDT."""
    return NewOrder("BTCUSDT", Decimal(units), "MARKET", **more)


class Served:
    """A rehearsal exchange that runs as a process of its own.

    Args:
        folder: where it is kept.
        options: of ``steelyard rehearsal serve``.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.process = subprocess.Popen(
            [SCRIPT, "rehearsal", "serve", str(self.folder), *self.options],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        until = time.monotonic() + WAIT_S
        while True:
            assert self.process.poll() is None, self.process.stderr.read().decode()  # type: ignore[union-attr]
            assert time.monotonic() < until, "the exchange has not begun to answer"
            try:
                if self._address()["process"] == self.process.pid:
                    self.state()
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.05)

    def _address(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "address.json").read_text())
        return found

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self.process.kill()
        self._wait()

    def stop(self) -> int:
        """Ask it to stop. Returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def _wait(self) -> int:
        code = self.process.wait(timeout=WAIT_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def control(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Ask the control port; what it refuses comes back as its words."""
        url = self._address()["control"] + path
        body = json.dumps(given).encode() if given else None
        request = urllib.request.Request(url, body, method=method)  # noqa: S310 (loopback)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310 (loopback)
                found: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                found = json.loads(error.read())
        return found

    def state(self) -> dict[str, Any]:
        """Everything as it is."""
        return self.control("GET", "/state")

    def units(self, account: str = "main") -> Decimal:
        """What an account holds."""
        held = self.state()["accounts"][account]["positions"].get("BTCUSDT")
        return Decimal(held["units"]) if held else Decimal(0)

    def keys(self, place: int = 0) -> dict[str, Any]:
        """The keys of an account."""
        found: list[dict[str, Any]] = json.loads((self.folder / "accounts.json").read_text())
        return found[place]


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """A rehearsal exchange until the end of the block, when it stops as it is asked to."""
    exchange = Served(folder, *options)
    try:
        yield exchange
        assert exchange.stop() == 0
    finally:
        if exchange.process.poll() is None:
            exchange.kill()


@asynccontextmanager
async def opened(exchange: Served, **settings: Any) -> AsyncIterator[Any]:
    """An unmodified ccxt, pointed there by the lines that ``--print-ccxt`` prints."""
    names: dict[str, Any] = {}
    exec(ccxt_lines(exchange.folder), names)  # noqa: S102 (the lines are what is tested)
    client, session = await names["open_exchange"]()
    client.enableRateLimit = False
    client.timeout = WAIT_S * 1_000
    for name, value in settings.items():
        setattr(client, name, value)
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()
        await session.close()
