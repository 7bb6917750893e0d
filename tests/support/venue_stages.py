"""Stages on which the conformance suite plays: a venue, and a hand on its market and its clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from steelyard.market import Feed
from steelyard.rules.series import Series
from steelyard.venues.clocks import VirtualClock
from steelyard.venues.exchange.venue import open_exchange
from steelyard.venues.paper.venue import PaperVenue, open_paper
from steelyard.venues.protocol import Venue
from steelyard.venues.simulated.fault_chances import CALM
from steelyard.venues.simulated.market import MarketTerms
from steelyard.venues.simulated.network import SimulatedVenue
from steelyard.venues.simulated.venue import SimulatedFace
from support.exchange_process import RehearsalProcess
from support.paper_funds import now

__all__ = ["BTC3L", "STAGES", "Stage"]

HOUR_MS = 3_600_000
PRICE = Decimal(68_000)
BTC3L = """
schema = 1
symbol = "BTC3L"
underlying = "BTC/USDT:USDT"
quote = "USDT"
target_leverage = 3.0
[rebalance]
move_to = "target"
[[rebalance.trigger]]
when = "band"
lower = 2.5
upper = 3.5
"""
"""A token's file up to its venue."""
SERIES = f"""{BTC3L}
[venue]
{{venue}}
[costs]
taker_fee_bps = 5.0
half_spread_bps = 1.0
impact = "linear"
impact_coefficient = 2.0
[execution]
lot_units = 0.001
min_notional = 100.0
"""
KINDS = {
    "perpetual": 'kind = "perpetual"\nmaintenance_margin = 0.005\nliquidation_fee = 0.01',
    "spot": 'kind = "spot"\nliquidation_threshold = 0.9\nrate_per_year = 0.05',
    "future": 'kind = "future"\nmaintenance_margin = 0.005\nbasis_per_year = 0.05',
}


THIN_BOOK = """bps_from_mid,bid_notional,ask_notional
1,400000,400000
3,400000,400000
10,4000000,4000000
100,40000000,40000000
"""
"""Five or six units within a basis point of the best price."""


class Stage(Protocol):
    """A venue with some 100,000 quote in its wallet and nothing held, at a price near 68,000."""

    venue: Venue
    kind: str
    """``perpetual``, ``spot`` or ``future``."""

    def do(self, answer: Coroutine[Any, Any, Any]) -> Any:
        """The answer to a call."""

    def move(self) -> None:
        """The mark moves by about one percent, and some time passes."""

    def pass_funding(self) -> None:
        """Time passes until one funding payment has fallen due and is booked."""

    def crash(self) -> None:
        """The mark falls by more than half."""

    def lose_answer(self) -> bool:
        """The next order is carried out and its answer is lost; false: it cannot be lost here."""

    def restart(self) -> None:
        """The caller's process ends, and another one asks the venue."""

    def close(self) -> None:
        """The end."""


@dataclass
class SimulatedStage:
    """The simulated venue without faults, but those that a test asks for."""

    kind: str = "perpetual"

    def __post_init__(self) -> None:
        self.clock = VirtualClock(HOUR_MS)
        terms = MarketTerms(maintenance_margin=Decimal("0.005"), level_units=Decimal(5))
        self.world = SimulatedVenue(1, PRICE, terms=terms, now_ms=HOUR_MS)
        self.world.exchange.funding_rate = Decimal("0.0001")
        self.price, self.moves = PRICE, 0
        self.restart()

    def do(self, answer: Coroutine[Any, Any, Any]) -> Any:
        """The answer to a call, and from then on no fault."""
        try:
            return now(answer)
        finally:
            self.world.faults = CALM

    def move(self) -> None:
        """Up and down in turn."""
        self.moves += 1
        self.price += 680 if self.moves % 2 else -680
        self._at(self.clock.now_ms() + 60_000)

    def pass_funding(self) -> None:
        """To just after the next eight hours."""
        every = self.world.exchange.terms.funding_every_ms
        self._at((self.clock.now_ms() // every + 1) * every + 1_000)

    def crash(self) -> None:
        """To forty percent."""
        self.price = self.price * 4 / 10
        self._at(self.clock.now_ms() + 1_000)

    def _at(self, now_ms: int) -> None:
        now(self.clock.sleep_until(now_ms))
        self.world.move(now_ms, self.price)

    def lose_answer(self) -> bool:
        """By the venue's own fault."""
        self.world.faults = replace(CALM, lost_after=1.0)
        return True

    def restart(self) -> None:
        """Another caller of the same venue."""
        self.venue = SimulatedFace(self.world, self.clock)

    def close(self) -> None:
        """Nothing is held open."""


@dataclass
class PaperStage:
    """A paper account on hourly bars that are made for it."""

    kind: str
    folder: Path

    def __post_init__(self) -> None:
        self.series = Series.loads(SERIES.format(venue=KINDS[self.kind]))
        hours, crash = 48, 36
        closes = [68_000.0 if hour % 2 else 67_320.0 for hour in range(hours)]
        closes[crash:] = [27_000.0] * (hours - crash)
        self.crash_ms = (crash + 1) * HOUR_MS
        self.prices = {"time": range(0, hours * 3_600, 3_600), "close": closes}
        self.funding = None
        if self.kind == "perpetual":
            times = range(28_800, hours * 3_600, 28_800)
            self.funding = {"time": times, "rate": [0.0001] * len(times)}
        self.restart()

    def do(self, answer: Coroutine[Any, Any, Any]) -> Any:
        """The answer to a call."""
        return now(answer)

    def move(self) -> None:
        """To the next bar."""
        assert now(self.venue.next()) is not None

    def pass_funding(self) -> None:
        """To the first bar at or after the next eight hours."""
        due = (self.venue.now_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS
        while self.venue.now_ms < due:
            self.move()

    def crash(self) -> None:
        """To the bar that falls."""
        while self.venue.now_ms < self.crash_ms:
            self.move()

    def lose_answer(self) -> bool:
        """No answer is lost in one process."""
        return False

    def restart(self) -> None:
        """Open the same file again."""
        if hasattr(self, "venue"):
            self.close()
        self.venue: PaperVenue = open_paper(
            self.folder / "paper.db", self.series, Feed(self.prices, funding=self.funding)
        )

    def close(self) -> None:
        """Give the file back."""
        now(self.venue.close())


@dataclass
class ExchangeStage:
    """An account at Binance USD-M, rehearsed by a process of its own."""

    folder: Path
    kind: str = "perpetual"
    skew_ms: int = 0

    def __post_init__(self) -> None:
        book = self.folder / "book.csv"
        book.write_text(THIN_BOOK)
        options = ("--book", str(book))
        folder = self.folder / "exchange"
        self.exchange = RehearsalProcess(folder, "BTCUSDT=hand:68000", options=options)
        self.loop = asyncio.new_event_loop()
        self.price, self.moves = PRICE, 0
        self.restart()

    def do(self, answer: Coroutine[Any, Any, Any]) -> Any:
        """The answer to a call, and from then on no fault."""
        try:
            return self.loop.run_until_complete(answer)
        finally:
            self.exchange.control("DELETE", "/fault")

    def move(self) -> None:
        """Up and down in turn."""
        self.moves += 1
        self.price += 680 if self.moves % 2 else -680
        self._to(self.price)

    def pass_funding(self) -> None:
        """The exchange's clock is set to just after the next eight hours."""
        now_ms = self.exchange.control("GET", "/state")["time"]
        every = 8 * HOUR_MS
        self.skew_ms += (now_ms // every + 1) * every + 1_000 - now_ms
        self.exchange.control("POST", "/clock", skew_ms=self.skew_ms)

    def crash(self) -> None:
        """To forty percent."""
        self._to(self.price * 4 / 10)

    def _to(self, price: Decimal) -> None:
        self.exchange.control("POST", "/price", symbol="BTCUSDT", price=str(price))

    def lose_answer(self) -> bool:
        """The connection is cut once the order was carried out."""
        self.exchange.control("POST", "/fault", fault="drop_after")
        return True

    def restart(self) -> None:
        """Another caller of the same account."""
        if hasattr(self, "venue"):
            self.loop.run_until_complete(self.venue.close())
        self.venue = open_exchange(
            "BTC/USDT:USDT", "USDT", self.exchange.secrets(), rehearsal=self.exchange.folder
        )

    def close(self) -> None:
        """End the exchange's process."""
        self.loop.run_until_complete(self.venue.close())
        self.loop.close()
        self.exchange.kill()


STAGES: dict[str, Callable[[Path], Stage]] = {
    "simulated": lambda _: SimulatedStage(),
    "paper perpetual": lambda folder: PaperStage("perpetual", folder),
    "paper spot": lambda folder: PaperStage("spot", folder),
    "paper future": lambda folder: PaperStage("future", folder),
    "exchange": ExchangeStage,
}
"""Every venue that the suite holds to the protocol, each made anew in a folder of its own."""
