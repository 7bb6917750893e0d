"""Hypothesis plays all roles over a stage: see `play` for what is judged after each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from functools import wraps
from typing import Any

import boa
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from support.chain.book import DEAD
from support.chain.play import GIFTS, Play
from support.chain.refusals import Asked, is_liquidatable
from support.chain.series import WAD
from support.chain.stages import Stage

SHARES = st.sampled_from([Fraction(1, 10**12), Fraction(1, 997), Fraction(1, 7), Fraction(1, 2)])
SIZES = st.sampled_from([1, 10**9, 10**14 + 1, WAD, 70 * WAD, 350 * WAD + 3, 1_000 * WAD])
AUTHORS = st.sampled_from(["depositor", "attacker", "keeper", "lender"])
PUSHES = st.sampled_from([-2_000, -300, -60, -24, -9, 5, 12, 20, 60, 300, 2_000])
GIVEN = st.tuples(
    st.sampled_from(GIFTS),
    st.sampled_from([Fraction(1, 10**9), Fraction(1, 50), Fraction(1, 3), Fraction(2)]),
)
TRADES = st.one_of(
    st.tuples(st.just("mint"), SIZES),
    st.tuples(st.sampled_from(["redeem", "redeem_in_kind", "transfer"]), SIZES),
    st.tuples(st.just("push"), PUSHES),
    st.tuples(st.just("donate"), GIVEN),
)
REBALANCE = st.just(("rebalance", None))
RAIDS = st.tuples(
    st.lists(TRADES, max_size=2),
    st.lists(REBALANCE, min_size=1, max_size=1),
    st.lists(st.one_of(TRADES, REBALANCE), max_size=2),
)
SEIZED = st.sampled_from([0, 1, 3])
"""One part in how many is liquidated at once; 0: none."""
FOLLOWS = st.sampled_from([Fraction(1), Fraction(1), Fraction(999, 1_000), Fraction(1, 2)])
"""Which part of the feed's way the pool goes."""
HOUSEKEEPING = {
    "publish_health": "reserve",
    "allocate": "reserve",
    "close_minting": "contract",
    "collect_fees": "contract",
}
LIQUIDATION_INCENTIVE = Fraction(1_044, 1_000)
"""Of Morpho at a threshold of 86 %."""


def step(act: Callable[..., None]) -> Callable[..., None]:
    """A rule after which all is checked; what fails inside stops the machine's last act too."""

    @wraps(act)
    def checked(self: Any, *args: Any, **named: Any) -> None:
        self.broken = True
        act(self, *args, **named)
        self.broken = False

    return checked


class Stateful(RuleBasedStateMachine):
    """One token, from its launch to the last redemption."""

    stages: list[Stage]
    seen: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.broken = True
        self.stack = ExitStack()

    @initialize(
        case=st.integers(0, 7),
        launch=st.sampled_from([1_000 * WAD, 1_000 * WAD, 350 * WAD, 35 * WAD + 1, 10**13]),
        mortal=st.sampled_from([False, False, True]),
    )
    @step
    def begin(self, case: int, launch: int, mortal: bool) -> None:
        """One of the stages, launched by the depositor."""
        self.stage = self.stages[case % len(self.stages)]
        self.stack.enter_context(self.stage.played())
        self.world, self.token = self.stage.world, self.stage.token
        self.roles, self.mortal = self.world.roles, mortal
        self.play = Play(self.stage, self.seen)
        self.seen[f"stage: {self.stage.case.name}"] += 1
        self.play.episode(self.roles.depositor, [("mint", launch)])
        self.world.pool.move(self.world.feed_price)
        self.play.facts = self.play.book.read()

    def elsewhere(self, *, free: bool = False) -> None:
        """Something happened that is nobody's episode; the token's books are checked."""
        self.play.check(free=free)

    @rule(author=AUTHORS, trade=TRADES)
    @step
    def trade(self, author: str, trade: Any) -> None:
        """Somebody does one thing."""
        self.play.episode(getattr(self.roles, author), [trade])

    @rule(author=AUTHORS, trades=st.lists(TRADES, min_size=2, max_size=5), back=st.booleans())
    @step
    def attack(self, author: str, trades: list[Any], back: bool) -> None:
        """Somebody does several things at once, and maybe undoes them."""
        self.play.episode(getattr(self.roles, author), trades, back=back)

    @rule(author=AUTHORS, raid=RAIDS, back=st.booleans())
    @step
    def raid(self, author: str, raid: Any, back: bool) -> None:
        """Somebody rebalances in the middle of other things."""
        self.play.episode(getattr(self.roles, author), [*raid[0], *raid[1], *raid[2]], back=back)

    @rule(where=st.sampled_from(["low", "band", "high", "worst"]), pool=FOLLOWS)
    @step
    def price(self, where: str, pool: Fraction) -> None:
        """The feed moves to where leverage is so; the pool follows, all of the way or not."""
        self._place(where, pool, 0)

    @rule(pool=FOLLOWS, author=AUTHORS, raid=RAIDS, back=st.booleans())
    @step
    def out_below(self, pool: Fraction, author: str, raid: Any, back: bool) -> None:
        """Leverage falls out of its band, and somebody makes something of it."""
        self._cross("low", pool, 72, author, raid, back)

    @rule(
        where=st.sampled_from(["high", "worst"]),
        pool=FOLLOWS,
        author=AUTHORS,
        raid=RAIDS,
        back=st.booleans(),
    )
    @step
    def out_above(self, where: str, pool: Fraction, author: str, raid: Any, back: bool) -> None:
        """Leverage rises out of its band, and somebody makes something of it."""
        self._cross(where, pool, 72, author, raid, back)

    @rule(
        where=st.sampled_from(["stay", "band", "below"]),
        wait=st.sampled_from([660, 90_000]),
        author=AUTHORS,
        raid=RAIDS,
    )
    @step
    def later(self, where: str, wait: int, author: str, raid: Any) -> None:
        """Time passes near the target: clips become due, and the fallback."""
        self._cross(where, Fraction(1), wait, author, raid, False)

    @rule(where=st.sampled_from(["liquidatable", "lost"]), share=SEIZED, author=AUTHORS, raid=RAIDS)
    @precondition(lambda self: self.mortal)
    @step
    def ruin(self, where: str, share: int, author: str, raid: Any) -> None:
        """A crash that nobody met; liquidators come, or not, and then others."""
        self._place(where, Fraction(1), 72)
        self._liquidate(share)
        self._keep_house("close_minting")
        self.play.episode(getattr(self.roles, author), [*raid[0], *raid[1], *raid[2]])

    def _cross(
        self, where: str, pool: Fraction, wait: int, author: str, raid: Any, back: bool
    ) -> None:
        self.world.feed.set_fault(0)
        if where == "stay":
            self._to(self.world.feed_price, Fraction(1))
            self.world.pass_time(wait, every=wait // 2)
            self.elsewhere()
        else:
            self._place(where, pool, wait)
        self.play.episode(getattr(self.roles, author), [*raid[0], *raid[1], *raid[2]], back=back)

    def _place(self, where: str, pool: Fraction, wait: int) -> None:
        book, facts = self.play.book, self.play.book.read()
        if not facts.shares or not facts.collateral:
            return
        leverage = {
            "low": book.lower - book.slack - Fraction(1, 20),
            "band": book.target * Fraction(101, 100),
            "below": book.target * Fraction(98, 100),
            "high": (book.upper * 2 + book.emergency) / 3,
            "worst": book.emergency * Fraction(11, 10),
        }.get(where)
        ltv = {"liquidatable": Fraction(9, 10), "lost": Fraction(21, 20)}.get(where)
        if leverage:
            ltv = 1 - 1 / leverage if book.long else leverage / (1 + leverage)
        assert ltv is not None
        raw = facts.debt / facts.collateral / ltv
        price = (raw if book.long else 1 / raw) * Fraction(
            10**self.world.underlying_decimals, 10**self.world.quote_decimals
        )
        self._to(price, pool)
        self.world.pool.pass_time(wait, every=max(36, wait // 2))
        self.world.set_feed(self.world.feed_price)
        self.elsewhere()

    @rule(
        change=st.sampled_from([-3_000, -500, -100, -20, 20, 100, 500, 3_000]),
        pool=st.sampled_from([Fraction(1), Fraction(9, 10), Fraction(0)]),
    )
    @step
    def drift(self, change: int, pool: Fraction) -> None:
        """The feed moves by so many basis points."""
        self._to(self.world.feed_price * (1 + Fraction(change, 10_000)), pool)
        self.elsewhere()

    def _to(self, price: Fraction, pool: Fraction) -> None:
        then = self.world.feed_price
        price = min(max(price, Fraction(20)), Fraction(200_000))
        self.world.set_feed(price)
        if pool:
            self.world.pool.move(then + (price - then) * pool)

    @rule(fault=st.sampled_from(["reverts", "burns", "zero", "negative", "stale", "future", "no"]))
    @step
    def feed(self, fault: str) -> None:
        """The feed fails in one of its ways, or is well again."""
        feed, now = self.world.feed, boa.env.timestamp
        self.world.set_feed(self.world.feed_price)
        feed.set_fault({"reverts": 1, "burns": 2}.get(fault, 0))
        if fault in {"zero", "negative"}:
            feed.update(0 if fault == "zero" else -1)
        if fault in {"stale", "future"}:
            times = now - 3_701 if fault == "stale" else now + 60
            feed.set_times(times, times)
        self.seen[f"feed: {fault}"] += 1
        self.elsewhere()

    @rule(seconds=st.sampled_from([12, 60, 600, 3_600, 86_400, 604_800]), quiet=st.booleans())
    @step
    def time(self, seconds: int, quiet: bool) -> None:
        """Time passes; afterwards the view of the debt is what Morpho makes of it."""
        good = self.play.book.feed_is_good()
        if quiet:
            boa.env.time_travel(seconds=seconds)
        else:
            self.world.pool.pass_time(seconds, every=max(12, seconds // 2))
        if good:
            self.world.set_feed(self.world.feed_price)
        seen = self.token.state.position
        nav = self.token.contract.nav_underlying()
        facts = self.play.book.read()
        assert (seen.collateral, seen.shares) == (facts.collateral, facts.shares)
        assert seen.debt == -(-facts.debt.numerator // facts.debt.denominator), "interest"
        price = self.play.book.told_price
        exact = facts.nav(price) / price
        assert max(0, exact - 2 / min(price, 1) - 2) <= nav <= max(0, exact), "nav is rounded down"
        self.elsewhere()

    @rule(what=st.sampled_from(["all", "half", "most", "lend"]))
    @step
    def lending(self, what: str) -> None:
        """The lender takes out what can be lent, or brings it: the rate follows."""
        market, lending = self.token.market, self.world.lending
        most = lending.lendable(market)
        if what == "lend":
            lending.lend(market, 10 ** self.token.loan.decimals() * 50_000)
        else:
            held = self.world.morpho.position(market.id, self.roles.lender)[0]
            state = self.world.morpho.market(market.id)
            mine = held * (state[0] + 1) // (state[1] + 10**6)
            amount = min(most, mine) * {"all": 1_000, "half": 500, "most": 999}[what] // 1_000
            if amount:
                lending.withdraw(market, amount)
        self.elsewhere()

    @rule(
        underlying=st.sampled_from([0, 0, 50, 1_000, 20_000]),
        width=st.sampled_from([None, 0.02, 0.3]),
        share=st.sampled_from([Fraction(1, 2), Fraction(9, 10), Fraction(9_995, 10_000)]),
    )
    @step
    def liquidity(self, underlying: int, width: float | None, share: Fraction) -> None:
        """Liquidity comes, or that of the newest position goes; the witness's is always left."""
        newest = self.world.pool.token_ids[-1]
        if underlying:
            self.world.pool.add(underlying, width)
        elif int(self.world.positions.positions(newest)[7] * share):
            self.world.pool.remove(share, newest)
        self.elsewhere()

    @rule(what=st.sampled_from([*HOUSEKEEPING, "inject"]), amount=st.sampled_from([1, 10**8]))
    @step
    def housekeeping(self, what: str, amount: int) -> None:
        """Anybody does what anybody may do."""
        if what == "inject":
            self.play.reserve.inject(1, amount, sender=self.roles.liquidity_provider)
            self.elsewhere()
        else:
            self._keep_house(what)

    def _keep_house(self, what: str) -> None:
        contract = getattr(self.play, HOUSEKEEPING[what])
        closed = self.token.state.minting_closed
        self.play.facts = self.play.book.read()
        self.play.call(what, contract, what, sender=self.roles.keeper)
        assert self.token.state.minting_closed or not closed, "minting opened again"
        self.elsewhere()

    @rule(share=SEIZED)
    @precondition(lambda self: self.play.is_past_liquidation())
    @step
    def liquidate(self, share: int) -> None:
        """Morpho's liquidators seize what is above its threshold."""
        self._liquidate(share)

    def _liquidate(self, share: int) -> None:
        facts, book = self.play.book.read(), self.play.book
        ltv = facts.ltv(book.told_price)
        if not share or ltv <= book.lltv * (1 + Fraction(1, 10**6)) or not facts.collateral:
            return
        seized, repaid = facts.collateral // share, 0
        if ltv * LIQUIDATION_INCENTIVE < 1 + Fraction(1, 100):
            seized, repaid = 0, facts.shares // share // 2
        if seized or repaid:
            given = (tuple(self.token.market), self.token.contract.address, seized, repaid, b"")
            self.world.morpho.liquidate(*given, sender=self.roles.arbitrageur)
            self.seen["liquidated"] += 1
            if seized == facts.collateral:
                self.seen["wiped out"] += 1
        self.elsewhere(free=True)

    def teardown(self) -> None:
        """At the end everybody leaves in kind, unless Morpho itself would refuse it."""
        try:
            if not self.broken:
                self._all_leave()
        finally:
            self.stack.close()

    def _all_leave(self) -> None:
        play = self.play
        facts = play.book.read()
        if not facts.supply or is_liquidatable(Asked(play.book, facts)):
            return
        for who in self.roles:
            held = play.contract.balanceOf(who)
            if facts.collateral * held // max(1, facts.supply):
                play.episode(who, [("redeem_in_kind", held)])
                assert play.contract.balanceOf(who) == 0, "an exit was closed"
        left = play.contract.totalSupply() - play.contract.balanceOf(DEAD)
        assert left * facts.collateral < facts.supply * len(self.roles)
        self.seen["all left"] += 1
