"""The storage of the exchange: one SQLite file, with the changes of each request in a transaction.

If the process is killed, the file holds the exchange as it was after the last request that was
carried out, whether or not that request's answer reached the client.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import orjson

from steelyard.errors import InputError, JournalError
from steelyard.rehearsal.contracts import CONTRACTS
from steelyard.rehearsal.records import (
    Account,
    Candle,
    Change,
    Holding,
    Income,
    Market,
    Order,
    Trade,
    VisibleAccount,
    World,
)

__all__ = ["ExchangeFile"]

VERSION = 2
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE market (symbol TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE candle (symbol TEXT, time INTEGER, body TEXT NOT NULL, PRIMARY KEY (symbol, time))
STRICT;
CREATE TABLE account (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE orders (id INTEGER PRIMARY KEY, account TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE trade (id INTEGER PRIMARY KEY, account TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE income (id INTEGER PRIMARY KEY, account TEXT NOT NULL, body TEXT NOT NULL) STRICT;
"""
OPEN = {"NEW", "PARTIALLY_FILLED"}
SETTINGS = ("leverages", "isolated", "is_hedge", "is_multi_asset", "burns_fees", "permissions")

Record = TypeVar("Record", Order, Trade, Income, Candle)


class ExchangeFile:
    """The file of an exchange.

    Args:
        path: the file's path; a missing file is created.

    Raises:
        InputError: the file belongs to another program, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = sqlite3.connect(path, isolation_level=None, timeout=2.0)
            # two processes on one folder would corrupt its file, so a second one gets no access
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            version = self._file.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._file.executescript(
                    f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"
                )
        except sqlite3.Error as error:
            message = f"{path}: expected a file of a rehearsal exchange, found: {error}."
            raise InputError(message, file=str(path)) from error
        if version not in {0, VERSION}:
            message = f"{path}: expected version {VERSION} of the file, found {version}."
            raise InputError(message, file=str(path))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    # -- writing -------------------------------------------------------------------------------

    def write(self, world: World, changes: Iterable[Change], **meta: object) -> None:
        """Store changes, completely or not at all.

        Raises:
            JournalError: the file could not be written, for example because the disk is full.
        """
        run = self._file.execute
        try:
            run("BEGIN IMMEDIATE")
            for name, body in {"number": world.number, **meta}.items():
                run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, _text(body)))
            # a record that changed more than once is written once, in its present state
            for change in {id(one.record): one for one in changes}.values():
                run(*_row(change))
            run("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                run("ROLLBACK")
            message = f"{self.path}: expected to store what happened, found: {error}."
            raise JournalError(message, file=str(self.path)) from error

    # -- reading -------------------------------------------------------------------------------

    def meta(self, name: str) -> Any:  # noqa: ANN401 (whatever was stored)
        """The value stored under a name; None: there is none."""
        row = self._file.execute("SELECT body FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else orjson.loads(row[0])

    def load(self, world: World) -> None:
        """Load the stored records into a world; everything else in it stays unchanged."""
        world.number = self.meta("number") or world.number
        for symbol, body in self._file.execute("SELECT symbol, body FROM market"):
            world.markets[symbol] = _market(symbol, orjson.loads(body))
        for (body,) in self._file.execute("SELECT body FROM candle ORDER BY time"):
            candle = _read(Candle, orjson.loads(body))
            world.markets[candle.symbol].candles[candle.time_ms] = candle
        for name, body in self._file.execute("SELECT name, body FROM account"):
            world.accounts[name] = _account(name, orjson.loads(body))
        for name, body in self._rows("orders"):
            _put_order(world.accounts[name], _read(Order, body))
        for name, body in self._rows("trade"):
            world.accounts[name].trades.append(_read(Trade, body))
        for name, body in self._rows("income"):
            world.accounts[name].incomes.append(_read(Income, body))

    def _rows(self, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
        rows = self._file.execute(f"SELECT account, body FROM {table} ORDER BY id")  # noqa: S608 (our names)
        for account, body in rows:
            yield account, orjson.loads(body)


def _text(body: object) -> str:
    return orjson.dumps(body, default=str).decode()


def _row(change: Change) -> tuple[str, tuple[object, ...]]:
    """The SQL statement that stores a change, with its values."""
    record = change.record
    if isinstance(record, Market):
        body: object = {
            "index": record.index,
            "mark": record.mark,
            "premium": record.premium,
            "next_funding_ms": record.next_funding_ms,
            "rates": record.rates,
        }
        return "INSERT OR REPLACE INTO market VALUES (?, ?)", (record.contract.symbol, _text(body))
    if isinstance(record, Candle):
        row = (record.symbol, record.time_ms, _text(record))
        return "INSERT OR REPLACE INTO candle VALUES (?, ?, ?)", row
    if isinstance(record, Account):
        holdings = {name: list(held) for name, held in record.holdings.items()}
        settings = {name: getattr(record, name) for name in SETTINGS}
        body = {"wallet": record.wallet, "holdings": holdings, "assets": record.assets}
        text = _text({**body, **settings, "update_ms": record.update_ms})
        return "INSERT OR REPLACE INTO account VALUES (?, ?)", (record.name, text)
    if isinstance(record, Order):
        table, number = "orders", record.order_id
    elif isinstance(record, Trade):
        table, number = "trade", record.trade_id
    else:
        table, number = "income", record.tran_id
    named = (number, change.account, _text(record))
    return f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", named  # noqa: S608 (our names)


def _read(record: type[Record], body: dict[str, Any]) -> Record:
    decimals = {field.name for field in fields(record) if field.type == "Decimal"}
    given: dict[str, Any] = {k: Decimal(v) if k in decimals else v for k, v in body.items()}
    return record(**given)


def _put_order(account: Account, order: Order) -> None:
    account.orders[order.order_id] = order
    account.latest[order.client_id] = order.order_id
    if order.status in OPEN:
        account.open_ids.append(order.order_id)


def _market(symbol: str, body: dict[str, Any]) -> Market:
    return Market(
        contract=CONTRACTS[symbol],
        index=Decimal(body["index"]),
        mark=Decimal(body["mark"]),
        next_funding_ms=body["next_funding_ms"],
        premium=Decimal(body["premium"]),
        rates=[(time, Decimal(rate), Decimal(mark)) for time, rate, mark in body["rates"]],
    )


def _account(name: str, body: dict[str, Any]) -> Account:
    holdings = {
        key: Holding(*(Decimal(part) for part in parts)) for key, parts in body["holdings"].items()
    }
    wallet = Decimal(body["wallet"])
    assets = {asset: Decimal(held) for asset, held in body["assets"].items()}
    account = Account(name, wallet, assets, holdings, update_ms=body["update_ms"])
    for setting in SETTINGS:
        setattr(account, setting, body[setting])
    account.seen.append(VisibleAccount(0, wallet, dict(holdings), account.update_ms))
    return account
