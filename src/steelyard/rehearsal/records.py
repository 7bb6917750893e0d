"""The records of the exchange: accounts, orders, trades, money movements, and market states.

Only the core changes records, and it names each change in ``World.changes``. The shell stores and
streams these changes before it answers. Units and quotes are signed: positive is bought or long.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from steelyard.rehearsal.contracts import Contract

__all__ = [
    "MINUTE_MS",
    "Account",
    "Candle",
    "Change",
    "Holding",
    "Income",
    "Market",
    "Order",
    "Trade",
    "VisibleAccount",
    "World",
    "key_of",
    "side_of_key",
    "symbol_of",
]

NOTHING = Decimal(0)
MINUTE_MS = 60_000
BOTH = "BOTH"


class Holding(NamedTuple):
    """A position: its units, and its cost (units times the entry price)."""

    units: Decimal = NOTHING
    cost: Decimal = NOTHING
    margin: Decimal = NOTHING
    """The part of the wallet that is set apart for it, if its margin is isolated."""


def key_of(symbol: str, side: str) -> str:
    """The key of a position: its symbol, and in hedge mode its side too (``BTCUSDT:LONG``)."""
    return symbol if side == BOTH else f"{symbol}:{side}"


def symbol_of(key: str) -> str:
    """The symbol of a position's key."""
    return key.partition(":")[0]


def side_of_key(key: str) -> str:
    """The side of a position's key: ``LONG`` or ``SHORT`` in hedge mode, otherwise ``BOTH``."""
    return key.partition(":")[2] or BOTH


@dataclass(slots=True)
class Order:
    """An order as the exchange accepted it."""

    order_id: int
    client_id: str
    symbol: str
    kind: str
    """``MARKET`` or ``LIMIT``."""
    tif: str
    price: Decimal
    """The limit price; 0 for a market order."""
    units: Decimal
    reduce_only: bool
    time_ms: int
    update_ms: int
    seen_ms: int
    """The time, ms, from which look-ups find it."""
    status: str = "NEW"
    filled: Decimal = NOTHING
    quote: Decimal = NOTHING
    close_position: bool = False
    cause: str = ""
    """``LIQUIDATION`` or ``ADL`` if the exchange itself closed the position."""
    position_side: str = BOTH


@dataclass(slots=True)
class Trade:
    """One fill."""

    trade_id: int
    order_id: int
    symbol: str
    units: Decimal
    price: Decimal
    quote: Decimal
    commission: Decimal
    realised: Decimal
    is_maker: bool
    time_ms: int
    seen_ms: int
    position_side: str = BOTH


@dataclass(slots=True)
class Income:
    """One movement of money in the wallet."""

    tran_id: int
    kind: str
    symbol: str
    amount: Decimal
    info: str
    trade_id: str
    time_ms: int
    seen_ms: int
    asset: str = ""
    """The asset; empty: the quote."""


class VisibleAccount(NamedTuple):
    """The state of an account that look-ups show from an instant on."""

    seen_ms: int
    wallet: Decimal
    holdings: dict[str, Holding]
    time_ms: int = 0
    """The time, ms, of the change."""


@dataclass(slots=True)
class Account:
    """One account, with the settings that its owner may change."""

    name: str
    wallet: Decimal = NOTHING
    """The wallet in quote, including what is set apart for isolated positions."""
    assets: dict[str, Decimal] = field(default_factory=dict)
    """The amounts of other assets, which are margin only in multi-asset mode."""
    holdings: dict[str, Holding] = field(default_factory=dict)
    """The positions, by their ``key_of``."""
    leverages: dict[str, int] = field(default_factory=dict)
    isolated: list[str] = field(default_factory=list)
    """The symbols that are set to isolated margin."""
    is_hedge: bool = False
    is_multi_asset: bool = False
    burns_fees: bool = False
    permissions: dict[str, bool] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)
    """The newest order with each client id."""
    open_ids: list[int] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    incomes: list[Income] = field(default_factory=list)
    seen: deque[VisibleAccount] = field(default_factory=deque)
    update_ms: int = 0


@dataclass(slots=True)
class Candle:
    """The prices of one minute of the exchange's clock in which the price moved."""

    symbol: str
    time_ms: int
    """The beginning of the minute, ms."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(slots=True)
class Market:
    """The market of one contract, with its prices."""

    contract: Contract
    index: Decimal
    mark: Decimal
    next_funding_ms: int
    """The next funding by the market's clock, ms, which may run faster than the exchange's."""
    premium: Decimal = NOTHING
    """How far the mark lies above the index, as a share of the index."""
    taken: dict[int, Decimal] = field(default_factory=dict)
    """The notional taken from the asks (1) and the bids (-1) since the price last moved."""
    rates: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)
    """The funding that was settled: time, rate and mark."""
    candles: dict[int, Candle] = field(default_factory=dict)
    """The candles by the beginnings of their minutes, oldest first."""


class Change(NamedTuple):
    """A change of a record, which the store writes and the streams report."""

    account: str
    record: Order | Trade | Income | Account | Market | Candle
    event: str = ""
    """The reason, in the exchange's terms (``ORDER``, ``FUNDING_FEE``, ...)."""
    trade: Trade | None = None
    """The fill that changed an order, if one did."""


@dataclass(slots=True)
class World:
    """The whole exchange."""

    markets: dict[str, Market]
    accounts: dict[str, Account]
    depth: tuple[tuple[Decimal, Decimal, Decimal], ...]
    """For each level its distance as a share of the mid, and its notional: bids, asks."""
    number: int = 1_000
    """The last id given to an order, a trade or a movement."""
    lag_ms: int = 0
    """How much later than it happens look-ups show a change."""
    changes: list[Change] = field(default_factory=list)

    def next_number(self) -> int:
        """A new id, which is unique in this world."""
        self.number += 1
        return self.number

    def drain(self) -> list[Change]:
        """Remove and return the changes since the last call."""
        changes, self.changes = self.changes, []
        return changes
