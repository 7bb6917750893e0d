"""The storage of a paper account: one SQLite file, with each change in one transaction.

A process that is killed leaves the last complete change. If a second process changes the same
account, its next change is detected and nothing of it is stored. An order id is stored once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard.errors import InputError, InvariantError, Unknown
from steelyard.fund.events import Charges
from steelyard.venues.account import OneWayAccount
from steelyard.venues.paper.account_state import AccountChange, PaperState
from steelyard.venues.protocol import (
    Movement,
    MovementKind,
    OrderState,
    OrderStatus,
    Trade,
    TradeCause,
)

__all__ = ["PaperStore"]

VERSION = 1
SCHEMA = """
CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1), history TEXT NOT NULL, changes INTEGER NOT NULL,
    wallet TEXT NOT NULL, units TEXT NOT NULL, cost TEXT NOT NULL, contract INTEGER NOT NULL,
    place INTEGER NOT NULL, price TEXT NOT NULL, charged_s INTEGER NOT NULL,
    is_clock INTEGER NOT NULL, number INTEGER NOT NULL) STRICT;
CREATE TABLE orders (
    client_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, status TEXT NOT NULL, units TEXT NOT NULL,
    filled TEXT NOT NULL, time_ms INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE TABLE trades (
    trade_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, client_id TEXT NOT NULL,
    time_ms INTEGER NOT NULL, units TEXT NOT NULL, price TEXT NOT NULL, quote TEXT NOT NULL,
    commission TEXT NOT NULL, realised TEXT NOT NULL, cause TEXT NOT NULL,
    contract INTEGER NOT NULL, fee TEXT NOT NULL, spread TEXT NOT NULL, impact TEXT NOT NULL,
    gas TEXT NOT NULL, mark TEXT NOT NULL) STRICT;
CREATE TABLE movements (
    movement_id TEXT PRIMARY KEY, kind TEXT NOT NULL, asset TEXT NOT NULL, amount TEXT NOT NULL,
    time_ms INTEGER NOT NULL, trade_id TEXT NOT NULL, rate TEXT, seconds INTEGER) STRICT;
CREATE INDEX trades_by_time ON trades (time_ms);
CREATE INDEX movements_by_time ON movements (time_ms);
"""


class PaperStore:
    """The file of one account.

    Args:
        path: the file's path; a missing file is created.
        history: the digest of the account's series and prices.

    Raises:
        InputError: the file belongs to another account or program, or cannot be opened.
    """

    def __init__(self, path: str | Path, history: str) -> None:
        self.path = str(path)
        self._history = history
        self._changes = 0
        try:
            self._file = sqlite3.connect(self.path, isolation_level=None, timeout=5.0)
            self._prepare()
        except sqlite3.Error as error:
            message = f"{self.path}: expected a file for a paper account, found: {error}."
            raise InputError(message, file=self.path) from error

    def _prepare(self) -> None:
        self._file.execute("PRAGMA journal_mode = WAL")
        # a killed process loses nothing; only a power failure may lose the last change
        self._file.execute("PRAGMA synchronous = NORMAL")
        (found,) = self._file.execute("PRAGMA user_version").fetchone()
        if found == 0:
            (tables,) = self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if tables:
                message = f"{self.path}: expected a paper account, found another database."
                raise InputError(message, file=self.path)
            with self._transaction():
                for statement in SCHEMA.split(";\n"):
                    self._file.execute(statement)
                self._file.execute(f"PRAGMA user_version = {VERSION}")
        elif found != VERSION:
            message = (
                f"{self.path}: expected a paper account of version {VERSION}, found version "
                f"{found}; use the steelyard that wrote it."
            )
            raise InputError(message, file=self.path, found=found, allowed=VERSION)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def state(self) -> PaperState | None:
        """The stored account; None: it is new.

        Raises:
            InputError: the account was made with another history or series.
        """
        row = self._file.execute("SELECT * FROM account").fetchone()
        if row is None:
            return None
        _, history, self._changes, wallet, units, cost, contract, *rest = row
        if history != self._history:
            message = (
                f"{self.path}: expected the series and the prices that this paper account began "
                f"with, found others; give those, or another file."
            )
            raise InputError(message, file=self.path)
        place, price, charged_s, is_clock, number = rest
        account = OneWayAccount(Decimal(wallet), Decimal(units), Decimal(cost), contract)
        return PaperState(account, place, Decimal(price), charged_s, bool(is_clock), number)

    def keep(self, change: AccountChange) -> None:
        """Store a change completely or not at all.

        Raises:
            InvariantError: another process has changed the account in the meantime.
            Unknown: the file could not be written, for example because the disk is full.
        """
        try:
            with self._transaction():
                self._keep_state(change.state)
                for order in change.orders:
                    self._insert("orders", _order_values(order))
                for trade in change.trades:
                    self._insert("trades", _trade_values(trade))
                for movement in change.movements:
                    self._insert("movements", _movement_values(movement))
        except sqlite3.Error as error:
            message = f"{self.path}: expected a file that can be written to, found: {error}."
            raise Unknown(message, file=self.path) from error
        self._changes += 1

    def _keep_state(self, state: PaperState) -> None:
        account = state.account
        values = (
            *map(str, account[:3]),
            account.contract,
            state.place,
            str(state.price),
            state.charged_s,
            int(state.is_clock),
            state.number,
        )
        if self._changes == 0:
            self._insert("account", (1, self._history, 1, *values))
            return
        done = self._file.execute(
            "UPDATE account SET changes = changes + 1, wallet = ?, units = ?, cost = ?, "
            "contract = ?, place = ?, price = ?, charged_s = ?, is_clock = ?, number = ? "
            "WHERE changes = ?",
            (*values, self._changes),
        )
        if done.rowcount != 1:
            message = (
                f"{self.path}: another process has changed this paper account; one account has "
                f"one process. Nothing was stored."
            )
            raise InvariantError(message, file=self.path)

    def _insert(self, table: str, values: tuple[object, ...]) -> None:
        marks = ", ".join("?" * len(values))
        self._file.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608 (ours)

    def order(self, client_id: str) -> OrderState | None:
        """The order with this id, with its trades; None: there is none."""
        asked = "SELECT * FROM orders WHERE client_id = ?"
        row = self._file.execute(asked, (client_id,)).fetchone()
        if row is None:
            return None
        _, order_id, status, units, filled, time_ms, reason = row
        found = self._file.execute("SELECT * FROM trades WHERE order_id = ?", (order_id,))
        return OrderState(
            client_id,
            order_id,
            OrderStatus(status),
            Decimal(units),
            Decimal(filled),
            time_ms,
            tuple(map(_trade, found)),
            reason,
        )

    def trades(self, since_ms: int) -> tuple[Trade, ...]:
        """The trades at or after a time, in the order in which they happened."""
        asked = "SELECT * FROM trades WHERE time_ms >= ? ORDER BY time_ms, rowid"
        return tuple(map(_trade, self._file.execute(asked, (since_ms,))))

    def movements(self, since_ms: int) -> tuple[Movement, ...]:
        """The money movements at or after a time, in the order in which they happened."""
        asked = "SELECT * FROM movements WHERE time_ms >= ? ORDER BY time_ms, rowid"
        return tuple(map(_movement, self._file.execute(asked, (since_ms,))))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _order_values(order: OrderState) -> tuple[object, ...]:
    return (
        order.client_id,
        order.order_id,
        str(order.status),
        str(order.units),
        str(order.filled),
        order.time_ms,
        order.reason,
    )


def _trade_values(trade: Trade) -> tuple[object, ...]:
    amounts = (trade.units, trade.price, trade.quote, trade.commission, trade.realised)
    return (
        trade.trade_id,
        trade.order_id,
        trade.client_id,
        trade.time_ms,
        *map(str, amounts),
        str(trade.cause),
        trade.contract,
        *map(str, trade.charges or ()),
        str(trade.mark),
    )


def _movement_values(movement: Movement) -> tuple[object, ...]:
    return (
        movement.movement_id,
        str(movement.kind),
        movement.asset,
        str(movement.amount),
        movement.time_ms,
        movement.trade_id,
        None if movement.rate is None else str(movement.rate),
        movement.seconds,
    )


def _trade(row: tuple[Any, ...]) -> Trade:
    trade_id, order_id, client_id, time_ms, *amounts, cause, contract = row[:11]
    *charges, mark = map(Decimal, row[11:])
    units, price, quote, commission, realised = map(Decimal, amounts)
    return Trade(
        trade_id,
        order_id,
        client_id,
        time_ms,
        units,
        price,
        quote,
        commission,
        realised,
        TradeCause(cause),
        contract,
        Charges(*charges),
        mark,
    )


def _movement(row: tuple[Any, ...]) -> Movement:
    movement_id, kind, asset, amount, time_ms, trade_id, rate, seconds = row
    return Movement(
        movement_id,
        MovementKind(kind),
        asset,
        Decimal(amount),
        time_ms,
        trade_id,
        None if rate is None else Decimal(rate),
        seconds,
    )
