"""An index of series and reserves, made of raw logs alone.

`Index.take` reads the logs of series, reserves, oracles and factory, of Morpho Blue (accruals, and
what others do on a series' behalf) and of the feeds. What never changes it reads from the clones'
code, by `config()`. It asks no contract for anything that was once otherwise.

Three things no event of ours says, and are worked out here: the clock after a fill in part, which
`Decision` decides; what accounts hold after a publisher's refund; what the caps remember. The
Decision is a function of what it is given and of the time alone: an index may have it as code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support.chain.logs import Event
from support.chain.series import DAY, SCALE, WAD, ZERO

WEEK = 7 * DAY
UNIT = 10**9
AMOUNT = 2**96 - 1
FLOOR, RESUME = WAD // 10, 12 * WAD // 100
JUMP, FADE, ROUNDS = WAD // 20, 60, 5


def _up(amount: int, by: int) -> int:
    return -(-amount // by)


@dataclass
class MarketBook:
    """A market of Morpho: what was supplied and borrowed, and its positions."""

    supplied: int = 0
    borrowed: int = 0
    shares: int = 0
    owed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def debt(self, who: str) -> int:
        """Raw, rounded up, with Morpho's virtual asset and shares."""
        return _up(self.owed[who] * (self.borrowed + 1), self.shares + 10**6)

    @property
    def lendable(self) -> int:
        """What it could lend."""
        return max(0, self.supplied - self.borrowed)

    def take(self, name: str, told: dict[str, Any]) -> None:
        """One event of Morpho."""
        assets, shares, who = told.get("assets", 0), told.get("shares", 0), told.get("onBehalf", "")
        if name == "Supply":
            self.supplied += assets
        elif name == "Withdraw":
            self.supplied -= assets
        elif name == "Borrow":
            self._owe(who, assets, shares)
        elif name == "Repay":
            self._owe(who, -assets, -shares)
        elif name == "SupplyCollateral":
            self.held[who] += assets
        elif name == "WithdrawCollateral":
            self.held[who] -= assets
        elif name == "AccrueInterest":
            self.borrowed += told["interest"]
            self.supplied += told["interest"]
        elif name == "Liquidate":
            who = told["borrower"]
            self._owe(who, -told["repaidAssets"], -told["repaidShares"])
            self._owe(who, -told["badDebtAssets"], -told["badDebtShares"])
            self.supplied -= told["badDebtAssets"]
            self.held[who] -= told["seizedAssets"]

    def _owe(self, who: str, assets: int, shares: int) -> None:
        self.owed[who] += shares
        self.shares += shares
        # the last one repays a unit more than there is
        self.borrowed = max(0, self.borrowed + assets)


@dataclass
class Feed:
    """A feed's rounds, by number: answer and time."""

    rounds: dict[int, tuple[int, int]] = field(default_factory=dict)
    last: int = 0

    def jump(self, now: int) -> int:
        """As the Oracle's `feed_reader` reads it off the feed."""
        jump, (newer, since) = 0, self.rounds[self.last]
        for back in range(1, ROUNDS + 1):
            age = now - min(since, now)
            if age >= FADE or self.last - back not in self.rounds:
                break
            before, when = self.rounds[self.last - back]
            low, high = sorted((newer, before))
            moved = _up((high - low) * WAD, low)
            if moved > JUMP:
                jump = max(jump, _up(moved * (FADE - age), FADE))
            newer, since = before, when
        return jump


@dataclass
class SeriesBook:
    """What is known of one series."""

    reserve: str
    market: bytes
    oracle: str
    config: Any
    supply: int = 0
    fees: int = 0
    day: int = 0
    week: int = 0
    at: int = 0
    clock: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] | None = None
    """Position and market as a fill under way found them."""
    settled: tuple[Event, int] | None = None
    """The payment of a fill under way, and what the account held before it."""

    def means(self, now: int) -> tuple[int, int]:
        """The supply averaged over a day and over seven, since it last changed."""
        units, elapsed = self.supply // UNIT, now - self.at
        day = (self.day // UNIT * DAY + units * elapsed) // (DAY + elapsed)
        week = (self.week // UNIT * WEEK + units * elapsed) // (WEEK + elapsed)
        return day * UNIT, week * UNIT


@dataclass
class Account:
    """A series' account, and what its caps remember."""

    held: int = 0
    suspended: bool = False
    paid: int = 0
    gained: int = 0
    settled_at: int = 0
    rescued: int = 0
    rescued_at: int = 0


@dataclass
class ReserveBook:
    """What is known of one reserve."""

    common: int = 0
    drawn: tuple[int, int] = (0, 0)
    health: tuple[int, int, int] = (0, 0, 0)
    accounts: dict[str, Account] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    published: dict[str, dict[str, Any]] = field(default_factory=dict)


def _remembered(used: int, cap: int, elapsed: int, period: int) -> int:
    return used - min(used, cap * elapsed // period)


class Index:
    """All series and reserves of a factory, from their logs."""

    def __init__(
        self,
        config_of: Callable[[str], Any],
        oracle_of: Callable[[str], Any],
        decide: Callable[[Any, dict[str, int]], Any],
    ) -> None:
        """By what is in a clone's code, and by the Decision at the time of the last log."""
        self.config_of, self.oracle_of, self.decide = config_of, oracle_of, decide
        self.series: dict[str, SeriesBook] = {}
        self.reserves: dict[str, ReserveBook] = defaultdict(ReserveBook)
        self.registry: list[dict[str, Any]] = []
        self.markets: dict[bytes, MarketBook] = defaultdict(MarketBook)
        self.feeds: dict[str, Feed] = defaultdict(Feed)
        self.poked: dict[str, int] = {}
        self.holders: dict[tuple[str, str], int] = defaultdict(int)
        self.afters: list[tuple[Event, dict[str, int]]] = []
        self._early: dict[str, list[Event]] = defaultdict(list)

    # -- what it says ------------------------------------------------------------------------

    def state(self, series: str, now: int) -> dict[str, int]:
        """As the series' own `state()`."""
        book = self.series[series]
        market, (day, week) = self.markets[book.market], book.means(now)
        return {
            "collateral": market.held[series] - min(market.held[series], book.fees),
            "shares": market.owed[series],
            "debt": market.debt(series),
            "fees": book.fees,
            "supply": book.supply,
            "mean_day": day,
            "mean_week": week,
        }

    def price(self, oracle: str) -> int:
        """Debt units per collateral unit, times 1e36; of one feed."""
        config = self.oracle_of(oracle)
        feed = self.feeds[config.base]
        answer = feed.rounds[feed.last][0]
        return answer * config.factor if config.long else config.factor // answer

    def facts(self, series: str, now: int) -> dict[str, int]:
        """As the series' own `facts()`."""
        book, state = self.series[series], self.state(series, now)
        config = self.oracle_of(book.oracle)
        feed = self.feeds[config.base]
        stale = now - feed.rounds[feed.last][1] > config.base_age
        return {
            "collateral": state["collateral"],
            "debt": state["debt"],
            "price": self.price(book.oracle),
            "jump": 0 if stale else feed.jump(now),
            "threshold": book.config.market.lltv,
            "lendable": self.markets[book.market].lendable,
            "suspended": False,
            **book.clock,
        }

    def nav(self, series: str, now: int) -> int:
        """In the underlying, of the whole supply."""
        book, state = self.series[series], self.state(series, now)
        price = self.price(book.oracle)
        worth = state["collateral"] * price // SCALE
        return self._underlying(book, worth - min(worth, state["debt"]), price)

    def nav_per_token(self, series: str, now: int) -> int:
        """In the underlying, of a whole token."""
        return self.nav(series, now) * WAD // self.series[series].supply

    def suspended(self, series: str, now: int) -> bool:
        """Whether what raises leverage would be refused now."""
        book = self.series[series]
        reserve = self.reserves[book.reserve]
        account = reserve.accounts[series]
        slow = self.nav(series, now) * book.means(now)[1] // max(1, book.supply)
        if slow == 0:
            return False
        share = min(reserve.common, reserve.health[1] * slow // WAD)
        level = (account.held + share) * WAD // slow
        return level < (RESUME if account.suspended else FLOOR)

    # -- what it hears -----------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """One log, in its order."""
        if "id" in event.fields:
            self._take_morpho(event)
            return
        getattr(self, f"_take_{event.name}", self._ignore)(event, event.fields)

    def _ignore(self, event: Event, told: dict[str, Any]) -> None:
        """Approvals, ownership, and what repeats another event."""

    def _take_morpho(self, event: Event) -> None:
        market, told = self.markets[event.fields["id"]], event.fields
        book = self.series.get(told.get("caller", ""))
        if book is not None and book.before is None and event.name in ("SupplyCollateral", "Repay"):
            book.before = self.facts(told["caller"], event.time)
        market.take(event.name, told)

    def _take_AnswerUpdated(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        feed = self.feeds[event.address]
        feed.last = told["roundId"]
        feed.rounds[feed.last] = (told["current"], told["updatedAt"])

    def _take_Poked(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        self.poked[event.address] = told["price"]

    def _take_Transfer(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        if told["sender"] != ZERO:
            self.holders[event.address, told["sender"]] -= told["value"]
        if told["receiver"] != ZERO:
            self.holders[event.address, told["receiver"]] += told["value"]

    def _take_Launched(self, event: Event, _: dict[str, Any]) -> None:  # noqa: N802
        # which series it is the factory says after it
        self._early[event.address].append(event)

    def _take_SeriesLaunched(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        series, (launch,) = told["series"], self._early.pop(told["series"])
        self.registry.append(told)
        self.series[series] = SeriesBook(
            told["reserve"],
            told["market"],
            told["oracle"],
            self.config_of(series),
            supply=launch.fields["tokens"],
            week=launch.fields["tokens"],
            at=launch.time,
            clock={
                "arrived": launch.time,
                "opened": 0,
                "opened_up": False,
                "filled": 0,
                "filled_trigger": 0,
                "allocated": launch.time,
            },
        )
        state = self.state(series, event.time)
        assert launch.fields["collateral"] == state["collateral"]
        assert 0 <= state["debt"] - launch.fields["debt"] <= 1

    def _after(self, event: Event, told: dict[str, Any]) -> None:
        """What an event of a series says of the state after it: nothing of it is read twice."""
        book, after = self.series[event.address], told["after"]
        book.before = None
        if event.name != "Rebalanced":
            book.supply, book.fees, book.at = after["supply"], after["fees"], event.time
            book.day, book.week = after["mean_day"], after["mean_week"]
        self.afters.append((event, self.state(event.address, event.time)))

    def _take_Minted(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        self._after(event, told)

    _take_Redeemed = _take_Minted  # noqa: N815

    def _take_Allocated(self, event: Event, _: dict[str, Any]) -> None:  # noqa: N802
        book = self.series[event.address]
        book.fees, book.clock["allocated"], book.before = 0, event.time, None

    def _take_Opened(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        clock = self.series[event.address].clock
        clock.update(opened=told["opened"], opened_up=told["up"], filled=0, filled_trigger=0)

    def _take_Rebalanced(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        book, now = self.series[event.address], event.time
        account = self.reserves[book.reserve].accounts[event.address]
        if told["up"]:
            account.suspended = False
        if told["arrived"]:
            book.clock.update(arrived=now, opened=0, filled=0, filled_trigger=0)
        else:
            self._advance(book, told, now)
        if book.settled is not None:
            self._remember(book, account, told, *book.settled)
            book.settled = None
        self._after(event, told)

    def _advance(self, book: SeriesBook, told: dict[str, Any], now: int) -> None:
        """The clock after a fill in part, as `auction_fill` writes it."""
        assert book.before is not None
        plan = self.decide(book.config.terms, book.before)
        assert (plan.premium, plan.trigger) == (told["premium"], told["trigger"])
        size = told["notional"]
        if size < plan.least:
            return
        pause = book.config.terms.cooldown * size // max(plan.most, 10 * (plan.least - 1))
        began = plan.began or now
        book.clock.update(
            opened=began if plan.emergency else began + pause,
            opened_up=plan.up,
            filled=now,
            filled_trigger=plan.trigger,
        )

    @staticmethod
    def _underlying(book: SeriesBook, amount: int, price: int) -> int:
        return amount * SCALE // price if book.config.terms.long else amount

    def _remember(
        self, book: SeriesBook, account: Account, told: dict[str, Any], settled: Event, held: int
    ) -> None:
        """What the caps remember of a payment, as `reserve_payments` writes it."""
        supply, now = told["after"]["supply"], settled.time
        counts = min(told["after"]["mean_day"], supply)
        nav = self._underlying(book, told["nav_before"], told["price"])
        said, gains = settled.fields, told["premium"] < 0
        if said["emergency"] and not gains:
            used = account.rescued if now - account.rescued_at < DAY else 0
            if said["counted"]:
                account.rescued, account.rescued_at = used + said["counted"], now
            return
        cap = min(nav * counts // supply * book.config.terms.account_rate // WAD, AMOUNT)
        elapsed = now - account.settled_at
        most = min(cap, (held + account.paid) // 25)
        account.paid = _remembered(account.paid, most, elapsed, WEEK)
        account.gained = _remembered(account.gained, cap, elapsed, WEEK)
        account.settled_at = now
        if gains:
            account.gained += said["counted"]
        else:
            account.paid += said["counted"]

    def _take_Injected(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        reserve = self.reserves[event.address]
        reserve.common = told["common"]
        if told["series"] != ZERO:
            reserve.accounts.setdefault(told["series"], Account()).held = told["account"]

    def _take_Credited(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        reserve = self.reserves[event.address]
        reserve.common = told["common"]
        reserve.accounts[told["series"]].held = told["account"]
        reserve.owed[told["recipient"]] += told["owed"]

    def _take_Claimed(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        self.reserves[event.address].owed[told["recipient"]] = 0

    def _take_CommonChanged(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        reserve = self.reserves[event.address]
        if told["common"] < reserve.common:
            used, when = reserve.drawn
            used = used if event.time - when < DAY else 0
            reserve.drawn = used + reserve.common - told["common"], event.time
        reserve.common = told["common"]

    def _take_Settled(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        account = self.reserves[event.address].accounts[told["series"]]
        self.series[told["series"]].settled = event, account.held
        account.held = told["account"]

    def _take_Published(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        reserve = self.reserves[event.address]
        account = reserve.accounts[told["series"]]
        assert account.held == told["account"]
        account.suspended = told["suspended"]
        reserve.published[told["series"]] = told

    def _take_HealthPublished(self, event: Event, told: dict[str, Any]) -> None:  # noqa: N802
        reserve = self.reserves[event.address]
        reserve.health = event.time, told["common_share"], told["level"]
        assert reserve.common == told["common"]
        pools = [*(each.held for each in reserve.accounts.values()), reserve.common]
        assert sum(pools) == told["books"]
        # each part is rounded down: what was wanted is at most a unit each more than what was paid
        for wanted in range(told["refund"], told["refund"] + len(pools)):
            parts = [wanted * each // max(1, told["books"]) for each in pools]
            if sum(parts) == told["refund"]:
                break
        else:
            raise AssertionError("the refund was not taken from all in proportion")
        for account, part in zip(reserve.accounts.values(), parts, strict=False):
            account.held -= part
        reserve.common -= parts[-1]
