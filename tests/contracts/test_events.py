"""Events: an index that reads logs alone says what the views say, after each act of a long story.

What a story does is played on the real bytecode, its logs are kept as a node gives them, and
`support.chain.event_index` makes of them what an index wants. It needs no archive node: it is held
to the views of the head after each act, and reads nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.attacking import gift, wait_for_fallback
from support.chain.event_index import Index
from support.chain.logs import Raw, Reader, recorded
from support.chain.series import (
    COOLING,
    DAILY,
    DAY,
    LEAST_PREMIUM,
    MOST,
    OPEN,
    WAD,
    ZERO,
    Fund,
    Series,
    Terms,
    base_fee,
    new_transaction,
    wad,
)
from support.chain.world import PLENTY

FIELDS = {
    "facts": (
        "collateral",
        "debt",
        "price",
        "jump",
        "threshold",
        "lendable",
        "suspended",
        "arrived",
        "opened",
        "opened_up",
        "filled",
        "filled_trigger",
        "allocated",
    ),
    "state": ("collateral", "shares", "debt", "fees", "supply", "mean_day", "mean_week"),
    "account": (
        "held",
        "suspended",
        "paid",
        "gained",
        "settled_at",
        "rescued",
        "rescued_at",
    ),
}


class Story:
    """Acts, and after each the index beside the views."""

    def __init__(self, fund: Fund, raw: list[Raw]) -> None:
        self.protocol, self.world = fund.protocol, fund.world
        self.raw, self.read, self.reader = raw, 0, Reader()
        self.funds: list[Fund] = []
        self.known: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        token, oracle = self.protocol.at, self.protocol.at
        self.index = Index(
            lambda address: token("LeveragedToken", address).config(),
            lambda address: oracle("Oracle", address).config(),
            lambda terms, facts: self.protocol.decision.decide(
                terms, tuple(facts[name] for name in FIELDS["facts"])
            ),
        )

    def hold(self) -> None:
        """Read the logs that are new, and hold the index to the views."""
        fresh, self.read = self.raw[self.read :], len(self.raw)
        for event in self.reader.read(fresh):
            self.index.take(event)
            self.known[event.name] += 1
        for event, state in self.index.afters:
            # what the event itself says is the state that all logs before it make
            assert event.fields["after"] == state, event.name
        self.index.afters.clear()
        for fund in self.funds:
            for each in fund.series:
                self.hold_series(fund, each)
            self.hold_reserve(fund)
        self.hold_registry()

    def hold_series(self, fund: Fund, series: Series) -> None:
        """Position, supply, clocks, prices and holders of a series."""
        index, at, now = self.index, series.address, boa.env.timestamp
        assert index.state(at, now) == dict(zip(FIELDS["state"], series.state, strict=True))
        facts = series.contract.facts()
        assert index.facts(at, now) == dict(zip(FIELDS["facts"], facts, strict=True))
        nav, supply, mean = series.contract.standing()
        assert (nav, supply, mean) == (
            index.nav(at, now),
            index.series[at].supply,
            index.series[at].means(now)[1],
        )
        assert index.nav_per_token(at, now) == nav * WAD // supply
        assert index.poked[series.market.oracle] == series.oracle.last_good()
        assert index.suspended(at, now) == fund.reserve.suspended(at)
        holders = {who: held for (token, who), held in index.holders.items() if token == at}
        assert sum(holders.values()) == supply
        for who, held in holders.items():
            assert series.contract.balanceOf(who) == held

    def hold_reserve(self, fund: Fund) -> None:
        """Accounts, common part, what is owed, what the caps remember, and the publication."""
        book = self.index.reserves[fund.reserve.address]
        assert book.common == fund.reserve.common()
        assert book.drawn == tuple(fund.reserve.drawn())
        assert book.health == tuple(fund.reserve.health())
        assert list(book.accounts) == fund.reserve.series()
        for each in fund.series:
            account = vars(book.accounts[each.address])
            assert account == dict(zip(FIELDS["account"], each.account, strict=True))
        for recipient, owed in book.owed.items():
            assert fund.reserve.owed(recipient) == owed

    def hold_registry(self) -> None:
        """What the factory lists: series in their order, by whom, on what."""
        entries = self.index.registry
        found, _ = self.protocol.factory.find(ZERO, ZERO, ZERO, ZERO, self.skipped)
        assert [each["series"] for each in entries] == found
        for each in entries:
            reserve = self.protocol.at("Reserve", each["reserve"])
            assert self.protocol.factory.is_series(each["series"])
            assert (reserve.creator(), reserve.underlying()) == (
                each["creator"],
                each["underlying"],
            )
            config = self.index.series[each["series"]].config
            assert (config.reserve, config.market.oracle) == (each["reserve"], each["oracle"])

    skipped = 0
    """Reserves that were launched before the story began."""


@pytest.fixture
def story(fund: Fund) -> Iterator[Story]:
    """Recorded from here on, beside a fund that was launched before."""
    with recorded() as raw:
        made = Story(fund, raw)
        made.skipped = fund.factory.reserve_count()
        yield made


def launched(story: Story, fund: Fund, *terms: Terms, salt: bytes, common: int = 0) -> Fund:
    """A reserve with these series, whose launch the story knows."""
    new_transaction()
    boa.env.set_balance(fund.world.roles.deployer, 2 * PLENTY * WAD)
    made = Fund(fund.world, *terms, protocol=fund.protocol, salt=salt, common=common, age=DAY)
    story.funds.append(made)
    story.hold()
    return made


def fill(story: Story, series: Series, part: Any = 1, most: int | None = None) -> Any:
    """A fill of a part of what is on sale, and the index after it."""
    series.accrue()
    plan = series.plan
    assert plan.state == OPEN
    most = max(plan.least, int(plan.most * part)) if most is None else most
    series.rebalance(most)
    (event,) = (e for e in series.contract.get_logs() if type(e).__name__ == "Rebalanced")
    way = ("up" if event.up else "down", event.trigger, "arrived" if event.arrived else "in part")
    story.seen[" ".join(map(str, way))] += 1
    story.seen["reserve pays" if event.paid_by_reserve > 0 else "reserve does not pay"] += 1
    story.hold()
    return event


def test_an_index_of_logs_alone_says_what_the_views_say(fund: Fund, story: Story) -> None:
    """Events say everything, and the state after it.

    Scenario: a long and a short with one reserve: launch, mints, redemptions, transfers, an
    opening that is found void, fills by band, fallback and emergency, in part and whole, with a
    jump of the feed, gifts, injections, refunded publications, allocations, a claim, a suspension
    and its end, payments by the common part, a squeezed market and a liquidation.

    Property: after each act the index, which reads logs alone, says what each view says: position,
    supply and its means, clocks, price and nav per token, holders, accounts and what their caps
    remember, common part, debts to recipients, publication, suspensions and registry. What each
    event says of the state after it is that state.
    """
    world, roles = fund.world, fund.world.roles
    recipient = boa.env.generate_address("recipient")
    share = {"reserve_share": "0.9", "recipient": recipient, "injects": "0.3"}
    pair = launched(
        story, fund, Terms(**share), Terms(long=False, **share), salt=b"\3" * 32, common=WAD // 10
    )
    reserve, (long, short) = pair.reserve, pair.series
    for series in (long, short):
        series.mint(300)
        story.hold()
        series.contract.transfer(roles.keeper, wad(20), sender=roles.holder)
        series.contract.approve(roles.keeper, wad(1), sender=roles.holder)
        series.contract.transferFrom(roles.holder, roles.lender, wad(1), sender=roles.keeper)
        pair.sleep(3_600)
        series.redeem(50)
        story.hold()
    with base_fee(10**7):
        assert reserve.publish(sender=roles.attacker) > 0
    story.hold()
    for where in (long.address, short.address, ZERO):
        reserve.inject(where, WAD // 7, sender=roles.lender)
        story.hold()
    allocations(story, pair)
    assert reserve.claim(recipient) > 0
    story.hold()
    for series in (long, short):
        bands(story, series)
        fallbacks(story, series)
        jumped(story, series)
    squeezed(story, long)
    gifts(story, long)
    suspension(story, pair)
    emergencies(story, pair)
    liquidation(story, long)
    assert {name for name in story.known if name[0] != "_"} >= {
        "Launched", "SeriesLaunched", "Minted", "Redeemed", "Opened", "Rebalanced", "Allocated",
        "Injected", "Credited", "Claimed", "Settled", "CommonChanged", "Published",
        "HealthPublished", "Poked", "Transfer", "Liquidate", "AccrueInterest", "AnswerUpdated",
    }  # fmt: skip
    wanted = ("up 3", "down 3", "up 8", "down 8", "down 2")
    for kind in wanted:
        for end in ("arrived", "in part"):
            assert story.seen[f"{kind} {end}"], f"{kind} {end} was not played"
    assert story.seen["reserve pays"]
    assert story.seen["reserve does not pay"]
    assert world.feed.fault() == 0


def allocations(story: Story, pair: Fund) -> None:
    """Fees of both leave, the short's by its auction."""
    long, short = pair.series
    long.contract.allocate(0, sender=pair.world.roles.keeper)
    story.hold()
    since = boa.env.timestamp - short.contract.facts().allocated - DAY
    pair.sleep((1_000 - since) % 2_400)
    short.contract.allocate(LEAST_PREMIUM, sender=pair.world.roles.keeper)
    story.hold()


def bands(story: Story, series: Series) -> None:
    """Auctions of a band: void, taken in part, cooling, taken whole; both ways."""
    low, high = ("2.5", "3.5") if series.long else ("0.7", "1.3")
    series.go(low)
    series.open()
    story.hold()
    pair = series.fund
    series.go(series.terms.figure("target"), 12)
    series.open()
    story.hold()
    assert series.contract.facts().opened == 0
    for leverage in (low, high):
        series.go(leverage, 12)
        series.open()
        story.hold()
        pair.sleep(600)
        story.hold()
        fill(story, series, 0.3)
        assert series.plan.state == COOLING
        pair.sleep(70)
        fill(story, series, 0)
        pair.sleep(400)
        assert fill(story, series).arrived


def fallbacks(story: Story, series: Series) -> None:
    """A day after an arrival, inside the band, both ways."""
    for leverage in ("2.9", "3.1") if series.long else ("0.95", "1.05"):
        wait_for_fallback(series, 900)
        series.go(leverage, 0)
        fill(story, series, 0.5)
        series.fund.sleep(61)
        fill(story, series)


def jumped(story: Story, series: Series) -> None:
    """A fill within a minute of a jump of the feed by more than 5 %."""
    series.go("2.9" if series.long else "1.2")
    series.accrue()
    start = series.world.feed_price
    series.world.set_feed(start * Fraction(100, 92))
    story.hold()
    boa.env.time_travel(seconds=20)
    story.hold()
    assert series.contract.facts().jump > 0
    if series.plan.state != OPEN:
        series.open()
        boa.env.time_travel(seconds=24)
    story.hold()
    fill(story, series, 0.4)
    series.fund.sleep(1_000)
    fill(story, series)


def squeezed(story: Story, series: Series) -> None:
    """A fill below the least, which is all that can be lent: no clock remembers it."""
    world = series.world
    series.go("2.5", 12)
    series.open()
    series.fund.sleep(900)
    series.accrue()
    lender, lendable = world.roles.lender, series.contract.facts().lendable
    left = series.plan.least // 2
    market = tuple(series.market)
    world.morpho.withdraw(market, lendable - left, 0, lender, lender, sender=lender)
    story.hold()
    clock = series.contract.facts().filled
    fill(story, series, most=MOST)
    assert series.contract.facts().filled == clock
    world.morpho.supply(market, lendable, 0, lender, b"", sender=lender)
    story.hold()
    fill(story, series)


def gifts(story: Story, series: Series) -> None:
    """Others repay and supply on its behalf, and poke its oracle."""
    world, who = series.world, series.world.roles.attacker
    gift(series, "2.8", who)
    story.hold()
    market = tuple(series.market)
    world.morpho.supplyCollateral(market, WAD // 3, series.address, b"", sender=who)
    story.hold()
    world.underlying.transfer(series.fund.reserve.address, WAD, sender=who)
    world.set_feed(world.feed_price * Fraction(101, 100))
    series.oracle.poke(sender=who)
    story.hold()


def suspension(story: Story, pair: Fund) -> None:
    """Many enter: the level falls below the floor, and an injection raises it again."""
    long, short = pair.series
    reserve, roles = pair.reserve, pair.world.roles
    for series in (long, short):
        series.go(series.terms.figure("target"), 12)
        series.mint(80_000)
        story.hold()
    pair.sleep(20 * DAY)
    story.hold()
    reserve.publish(sender=roles.keeper)
    story.hold()
    assert long.account.suspended
    reserve.inject(long.address, 300 * WAD, sender=roles.lender)
    story.hold()
    # the flag stays until a raise or a publication ends it
    assert long.account.suspended
    wait_for_fallback(long, 900)
    long.go("2.9", 0)
    fill(story, long)
    assert not long.account.suspended


def emergencies(story: Story, pair: Fund) -> None:
    """Rescues of both, the short's from the common part as well."""
    for series, leverage in zip(pair.series, ("5.2", "2.9"), strict=True):
        series.go(leverage, 72)
        story.hold()
        # in an emergency no cooldown follows
        fill(story, series, 0.05)
        fill(story, series, 0)
        fill(story, series)
    assert pair.reserve.drawn()[0] > 0
    pair.sleep(DAY)
    series.go(leverage, 72)
    fill(story, series)


def liquidation(story: Story, series: Series) -> None:
    """Past Morpho's threshold a liquidator takes a part."""
    world, who = series.world, series.world.roles.attacker
    series.go("7.6")
    series.accrue()
    story.hold()
    shares = series.state.shares // 3
    world.morpho.liquidate(tuple(series.market), series.address, 0, shares, b"", sender=who)
    story.hold()
    series.redeem(10, world.roles.deployer)
    story.hold()


def test_an_index_knows_daily_rebalances_and_the_edge_too(fund: Fund, story: Story) -> None:
    """Scenario: a second launch, of a series that goes to its edge in clips, and each day.

    Property: as above, for fills by day and to the edge, and for a registry of two launches.
    """
    first = launched(story, fund, Terms(), salt=b"\5" * 32)
    other = launched(
        story,
        fund,
        Terms(
            to_edge=True,
            edge_slack="0.05",
            largest_clip=2_000,
            daily_at=3_600,
            # an auction of the fallback would be older, and its rest would be void earlier
            fallback_after=3 * DAY,
            tokens=2_000,
        ),
        salt=b"\6" * 32,
        common=WAD,
    )
    (series,) = other.series
    series.mint(100)
    first.series[0].mint(10)
    story.hold()
    series.go("2.4", 12)
    series.open()
    story.hold()
    for _ in range(3):
        other.sleep(500)
        fill(story, series)
    series.go("3.05", 0)
    daily = 3_600 - boa.env.timestamp % DAY
    other.sleep(daily % DAY + 1_000)
    assert series.plan.trigger == DAILY
    event = fill(story, series)
    assert event.trigger == DAILY
    # its rest goes on, whatever the band says
    series.go("3.6", 12)
    other.sleep(900)
    assert fill(story, series).trigger == DAILY
    assert len(story.index.registry) == 2
