"""A keeper's folder whose fund has an account at a rehearsal exchange, a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard.keeper.settings import read_settings
from steelyard.keeper.status import status_of
from steelyard.ledger import Journal
from steelyard.venues.exchange.binanceusdm import BINANCE_USDM
from steelyard.venues.exchange.client import open_client
from steelyard.venues.exchange.session import read_rehearsal
from steelyard.venues.secrets import Secrets, read_secrets
from support.command import SCRIPT, command, environment
from support.exchange_process import RehearsalProcess

__all__ = ["KEEPER", "SERIES", "ExchangeFolder"]

SERIES = """
schema = 1
symbol = "BTC3L"
underlying = "BTC/USDT:USDT"
quote = "USDT"
target_leverage = 3.0
initial_tokens = 1000.0
[rebalance]
move_to = "target"
[[rebalance.trigger]]
when = "band"
lower = 2.5
upper = 3.5
[venue]
kind = "perpetual"
maintenance_margin = 0.005
[costs]
taker_fee_bps = 5.0
"""
KEEPER = """
journal = "sqlite:keeper.db"
[[venue]]
name = "main"
kind = "exchange"
exchange = "binanceusdm"
rehearsal = "exchange"
secrets = "file:secrets.toml"
[[fund]]
series = "btc3l.toml"
venue = "main"
[guards]
slippage_bps = 100.0
max_orders_per_hour = 1000
"""
PRICE = 68_000
ENDS_WITHIN_S = 120.0


class ExchangeFolder:
    """The folder, and the exchange beside it."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self.exchange = RehearsalProcess(folder / "exchange", f"BTCUSDT=hand:{PRICE}", *more)
        self.secrets = self.exchange.secrets()
        self.sign("main")
        (folder / "btc3l.toml").write_text(SERIES)
        (folder / "keeper.toml").write_text(KEEPER)

    @classmethod
    def of_another(cls, folder: Path) -> ExchangeFolder:
        """The folder as somebody else has made it, with an exchange that runs."""
        found = cls.__new__(cls)
        found.folder = folder
        found.exchange = RehearsalProcess.of_another(folder / "exchange")
        return found

    def sign(self, name: str) -> Secrets:
        """Let the keeper sign by ``main`` (HMAC) or ``main.ed25519``."""
        path = self.folder / "secrets.toml"
        path.touch(0o600)
        path.write_text((self.exchange.folder / f"{name}.toml").read_text())
        return read_secrets("file:secrets.toml", self.folder)

    @contextmanager
    def running(self, *options: str) -> Iterator[Path]:
        """A keeper that runs until the end of the block, and is then asked to stop; its log."""
        log = self.folder / "keeper.log"
        with log.open("ab") as file:
            keeper = subprocess.Popen(
                [SCRIPT, "keeper", "run", "keeper.toml", "--live", *options],
                cwd=self.folder,
                env=environment(),
                stdout=file,
                stderr=file,
            )
        try:
            yield log
            keeper.terminate()
            assert keeper.wait(ENDS_WITHIN_S) == 0, log.read_text()
        finally:
            keeper.kill()
            keeper.wait()

    def journal(self, url: str) -> None:
        """Let the journal be in another place."""
        path = self.folder / "keeper.toml"
        path.write_text(path.read_text().replace("sqlite:keeper.db", url))

    def pass_once(self) -> bool:
        """One pass of a keeper that another's lease may keep out; whether it is to be repeated."""
        done = command("keeper", "once", "keeper.toml", "--live", cwd=self.folder)
        return done.returncode != 0 or not self.status()["venue"]["agrees"]

    def keeper(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """What a command of the keeper prints, on standard output and standard error."""
        done = command("keeper", *arguments, cwd=self.folder)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    def once(self, *options: str) -> str:
        """What one pass of the keeper says, with ``--live``."""
        return self.keeper("once", "keeper.toml", "--live", *options)[1]

    def price(self, price: int) -> None:
        """The market moves."""
        self.exchange.control("POST", "/price", symbol="BTCUSDT", price=str(price))

    def cross(self, leverage: Decimal) -> None:
        """The market moves to where the fund's leverage is so much; nothing where it holds none."""
        units = self.units()
        if units != 0:
            self.price(int(leverage * self.cash() / (units * (1 - leverage))))

    def fault(self, name: str, **more: object) -> None:
        """The next order meets this fault."""
        self.exchange.control("POST", "/fault", fault=name, **more)

    def account(self) -> dict[str, Any]:
        """The account as the exchange has it."""
        found: dict[str, Any] = self.exchange.control("GET", "/state")["accounts"]["main"]
        return found

    def sockets(self, what: str = "open") -> dict[str, int]:
        """How many are open, or were opened so far: of marks (no name) and of the account."""
        found: dict[str, int] = self.exchange.control("GET", "/state")["sockets"][what]
        return found

    def units(self) -> Decimal:
        """What the exchange holds for the fund."""
        held = self.account()["positions"].get("BTCUSDT", {"units": "0"})
        return Decimal(held["units"])

    def cash(self) -> Decimal:
        """The fund's cash, as the exchange has it."""
        account = self.account()
        held = account["positions"].get("BTCUSDT", {"cost": "0"})
        return Decimal(account["wallet"]) - Decimal(held["cost"])

    def status(self) -> dict[str, Any]:
        """What ``status`` says of the fund."""
        settings = read_settings(self.folder / "keeper.toml")
        with Journal.open(settings.journal) as journal:
            found = status_of(settings, journal, time.time_ns() // 1_000_000)
        (fund,) = found["funds"]
        assert isinstance(fund, dict)
        return fund

    def calls(self, *calls: tuple[str, dict[str, Any]]) -> None:
        """What a hand does on the account, by ccxt's names of the endpoints."""

        async def made() -> None:
            place = read_rehearsal(self.exchange.folder)
            client = open_client(BINANCE_USDM, self.exchange.secrets(), place)
            try:
                for name, params in calls:
                    await client.call(name, params)
            finally:
                await client.close()

        asyncio.run(made())

    def rows(self, *kinds: str) -> list[dict[str, Any]]:
        """The fields of the journal's rows of these kinds."""
        with Journal.open(read_settings(self.folder / "keeper.toml").journal) as journal:
            return [dict(row.fields) for row in journal.events(kinds=list(kinds))]

    def check_agreement(self) -> None:
        """Books and exchange agree, and each order has one end."""
        status = self.status()
        assert status["intent"] is None
        assert status["venue"]["agrees"]
        assert Decimal(status["books"]["units"]) == self.units()
        trades = self.account()["trades"]
        assert len(self.rows("venue_trade")) == trades
        off = abs(Decimal(status["books"]["cash"]) - self.cash())
        assert off <= Decimal("1e-8") * trades
        sent, ended = (self.rows(kind) for kind in ("order", "order_ended"))
        assert [each["id"] for each in sent] == [each["id"] for each in ended]
        assert len({each["id"] for each in sent}) == len(sent)

    def verify(self) -> None:
        """The journal is whole."""
        journal = read_settings(self.folder / "keeper.toml").journal
        done = command("journal", "verify", journal, cwd=self.folder)
        assert done.returncode == 0, done.stderr
