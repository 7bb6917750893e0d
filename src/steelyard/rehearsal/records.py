"""What the exchange keeps: accounts, orders, trades, money movements, and the state of a market.

Records are changed by the core alone, which names each change in ``World.changes``; the shell
stores and streams those before it answers. Units and quotes are signed: positive is bought or long.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from steelyard.rehearsal.contracts import Contract

__all__ = [
    "Account",
    "Change",
    "Holding",
    "Income",
    "Market",
    "Order",
    "Trade",
    "VisibleAccount",
    "World",
]

NOTHING = Decimal(0)


class Holding(NamedTuple):
    """A position: units, and what was paid for them (units times the entry price)."""

    units: Decimal = NOTHING
    cost: Decimal = NOTHING


@dataclass(slots=True)
class Order:
    """An order as the exchange took it."""

    order_id: int
    client_id: str
    symbol: str
    kind: str
    """``MARKET`` or ``LIMIT``."""
    tif: str
    price: Decimal
    """0 for a market order."""
    units: Decimal
    reduce_only: bool
    time_ms: int
    update_ms: int
    seen_ms: int
    """Before which look-ups do not find it."""
    status: str = "NEW"
    filled: Decimal = NOTHING
    quote: Decimal = NOTHING
    close_position: bool = False
    cause: str = ""
    """``LIQUIDATION`` or ``ADL`` where the exchange closed the position itself."""


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


class VisibleAccount(NamedTuple):
    """What look-ups show of an account from an instant on."""

    seen_ms: int
    wallet: Decimal
    holdings: dict[str, Holding]
    time_ms: int = 0
    """When it became so."""


@dataclass(slots=True)
class Account:
    """One account, with the settings that its owner may change."""

    name: str
    wallet: Decimal = NOTHING
    holdings: dict[str, Holding] = field(default_factory=dict)
    leverages: dict[str, int] = field(default_factory=dict)
    isolated: list[str] = field(default_factory=list)
    """Symbols set to isolated margin. It is shown, and the margin stays that of the account."""
    is_hedge: bool = False
    is_multi_asset: bool = False
    burns_fees: bool = False
    permissions: dict[str, bool] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)
    """The newest order of each client id."""
    open_ids: list[int] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    incomes: list[Income] = field(default_factory=list)
    seen: deque[VisibleAccount] = field(default_factory=deque)
    update_ms: int = 0


@dataclass(slots=True)
class Market:
    """One contract's prices."""

    contract: Contract
    index: Decimal
    mark: Decimal
    next_funding_ms: int
    """By the clock of the market, which may run faster than the exchange's."""
    premium: Decimal = NOTHING
    """By how much of the index the mark lies above it."""
    taken: dict[int, Decimal] = field(default_factory=dict)
    """Notional that was taken from the asks (1) and bids (-1) since the price last moved."""
    rates: list[tuple[int, Decimal, Decimal]] = field(default_factory=list)
    """Funding that was settled: time, rate, mark."""


class Change(NamedTuple):
    """Something changed: what the store writes and what streams tell."""

    account: str
    record: Order | Trade | Income | Account | Market
    event: str = ""
    """Why, in the exchange's own word (``ORDER``, ``FUNDING_FEE``, ...)."""
    trade: Trade | None = None
    """The fill that an order's change is about."""


@dataclass(slots=True)
class World:
    """The whole exchange."""

    markets: dict[str, Market]
    accounts: dict[str, Account]
    depth: tuple[tuple[Decimal, Decimal, Decimal], ...]
    """Share of the mid at which a level lies, and the notional that rests there: bids, asks."""
    number: int = 1_000
    """The last id that was given to an order, a trade or a movement."""
    lag_ms: int = 0
    """How much later than it happens a change is seen by look-ups."""
    changes: list[Change] = field(default_factory=list)

    def next_number(self) -> int:
        """An id that nothing else has."""
        self.number += 1
        return self.number

    def drain(self) -> list[Change]:
        """What changed since this was last asked."""
        changes, self.changes = self.changes, []
        return changes
