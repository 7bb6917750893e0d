"""The running exchange: the core, its clock, its store and its listeners.

Each step is taken on the core, then stored, then reported to the streams, in this order, and only
then answered. So a client never learns of anything that would be lost if the exchange were killed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import merge
from operator import attrgetter

from steelyard.errors import InputError, JournalError
from steelyard.rehearsal.account_entries import pay, show
from steelyard.rehearsal.book import MODELLED, Depth
from steelyard.rehearsal.contracts import CONTRACTS
from steelyard.rehearsal.credentials import Credential, credentials_of
from steelyard.rehearsal.exchange_file import ExchangeFile
from steelyard.rehearsal.price_feeds import MarketClock, PriceFeed
from steelyard.rehearsal.records import Account, Change, Market, World
from steelyard.rehearsal.throttle import Throttle
from steelyard.rehearsal.upkeep import move, pay_funding

__all__ = ["Exchange", "SetUp"]

LISTEN_KEY_MS = 3_600_000
QUOTE = "USDT"
PERMISSIONS = {
    "ipRestrict": True,
    "enableReading": True,
    "enableFutures": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "permitsUniversalTransfer": False,
    "enableSpotAndMarginTrading": False,
    "enableMargin": False,
    "enableVanillaOptions": False,
    "enablePortfolioMarginTrading": False,
}


@dataclass(frozen=True, slots=True)
class SetUp:
    """The setup of an exchange, which is stored and must be the same at the next start."""

    feeds: tuple[PriceFeed, ...]
    accounts: tuple[str, ...]
    wallet: Decimal
    seed: int = 0
    speed: float = 1.0
    start_ms: int | None = None
    """The start of the market's clock, ms; None: now."""
    depth: Depth = MODELLED
    history: str = ""
    """A description that distinguishes these prices from others."""
    is_held: bool = False
    """Whether the market's clock stands still until the first order."""


@dataclass
class Exchange:
    """A running exchange.

    Args:
        set_up: prices, accounts, seed.
        store: the file that stores it.
        wall: returns the machine's clock, ms UTC.
    """

    set_up: SetUp
    store: ExchangeFile
    wall: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    throttle: Throttle = field(default_factory=Throttle)
    skew_ms: int = 0
    """How far its clock is ahead of the machine's, ms."""
    listeners: list[Callable[[Iterable[Change]], None]] = field(default_factory=list)
    listen_keys: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The account of each listen key, and its end, ms."""
    broken: JournalError | None = None
    """The error of a failed store: the exchange is then ahead of its file, and must end."""

    def __post_init__(self) -> None:
        now = self.now_ms()
        kept = self.store.meta("set_up")
        said = {"history": self.set_up.history, "seed": self.set_up.seed}
        if kept is None:
            start = self.set_up.start_ms
            kept = {**said, "begun_ms": now, "start_ms": now if start is None else start}
            kept |= {"speed": self.set_up.speed, "walked_ms": kept["start_ms"]}
            kept |= {"is_held": self.set_up.is_held}
        elif {name: kept[name] for name in said} != said:
            message = (
                f"{self.store.path}: expected the prices and the seed that it was set up with "
                f"({kept['history']}, seed {kept['seed']}), found {self.set_up.history}, seed "
                f"{self.set_up.seed}: give the same, or another folder."
            )
            raise InputError(message, file=str(self.store.path))
        self._kept = kept
        self._set_clock()
        self.walked_ms = self.store.meta("walked_ms") or kept["start_ms"]
        self.feeds = {feed.symbol: feed for feed in self.set_up.feeds}
        self.world = World({}, {}, self.set_up.depth)
        self.store.load(self.world)
        self.credentials: dict[str, Credential] = {}
        self._add_markets()
        self._add_accounts(now)
        self.store.write(self.world, self.world.drain(), set_up=kept)

    def _add_markets(self) -> None:
        for symbol, feed in self.feeds.items():
            contract = CONTRACTS[symbol]
            if symbol not in self.world.markets:
                first, every = feed.first(), contract.funding_every_ms
                due = (self.walked_ms // every + 1) * every
                market = Market(contract, first, first, due)
                self.world.markets[symbol] = market
                move(self.world, market, first, self.now_ms())

    def _add_accounts(self, now: int) -> None:
        for name in self.set_up.accounts:
            if name not in self.world.accounts:
                account = Account(name, permissions=dict(PERMISSIONS))
                self.world.accounts[name] = account
                show(self.world, account, now)
                pay(self.world, account, "TRANSFER", self.set_up.wallet, now)
        for name in self.world.accounts:
            for credential in credentials_of(name, self.set_up.seed):
                self.credentials[credential.api_key] = credential

    # -- time ----------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The exchange's clock, ms UTC."""
        return self.wall() + self.skew_ms

    def advance(self) -> int:
        """Advance to now, moving prices and paying funding on the way. Returns the clock, ms.

        Raises:
            JournalError: a change could not be stored, now or earlier.
        """
        if self.broken is not None:
            raise self.broken
        now = self.now_ms()
        if self._kept.get("is_held"):
            self._hold(now)
        market_ms = self.clock.at(now)
        if market_ms > self.walked_ms:
            markets = self.world.markets
            ahead = (
                feed.points(self.walked_ms, market_ms, markets[symbol].index)
                for symbol, feed in self.feeds.items()
            )
            for point in merge(*ahead, key=attrgetter("time_ms")):
                self._pay_funding(point.time_ms, now)
                at_ms = self.clock.until(point.time_ms, now)
                move(self.world, markets[point.symbol], point.price, now, at_ms)
            self._pay_funding(market_ms, now)
            self.walked_ms = market_ms
            if self.world.changes:
                self.commit()
        return now

    def _set_clock(self) -> None:
        kept = self._kept
        self.clock = MarketClock(kept["begun_ms"], kept["start_ms"], kept["speed"])

    def _hold(self, now: int) -> None:
        """Restart the market's clock at now, until the first order starts it for good."""
        is_held = not any(account.orders for account in self.world.accounts.values())
        kept = {**self._kept, "begun_ms": now, "is_held": is_held}
        if not is_held:
            self.store.write(self.world, (), set_up=kept)
        self._kept = kept
        self._set_clock()

    def _pay_funding(self, market_ms: int, now: int) -> None:
        for market in self.world.markets.values():
            if market.next_funding_ms <= market_ms:
                pay_funding(self.world, market, market_ms, now)

    def next_funding_ms(self, market: Market, now: int) -> int:
        """The time of the market's next funding, ms of the exchange's clock."""
        return self.clock.until(market.next_funding_ms, now)

    def commit(self) -> None:
        """Store the changes, then report them to the streams.

        Raises:
            JournalError: a change could not be stored.
        """
        changes = self.world.drain()
        if changes:
            try:
                self.store.write(self.world, changes, walked_ms=self.walked_ms)
            except JournalError as error:
                self.broken = error
                raise
            for tell in self.listeners:
                tell(changes)

    # -- listen keys ---------------------------------------------------------------------------

    def listen_key(self, account: str, now: int) -> str:
        """The account's listen key, renewed for an hour; it is the same until it expires."""
        for key, (owner, end) in self.listen_keys.items():
            if owner == account and end > now:
                self.listen_keys[key] = (owner, now + LISTEN_KEY_MS)
                return key
        key = secrets.token_urlsafe(48)
        self.listen_keys[key] = (account, now + LISTEN_KEY_MS)
        return key
