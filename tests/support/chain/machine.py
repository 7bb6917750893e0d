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
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from support.chain.attacking import gift, size_of_gift
from support.chain.play import Play
from support.chain.series import WAD
from support.chain.stages import Stage

SIZES = st.sampled_from([1, 10**9 + 1, WAD, 70 * WAD, 1_000 * WAD, 100_000 * WAD + 3])
AUTHORS = st.sampled_from(["holder", "attacker", "keeper", "deployer"])
PLACES = st.integers(0, 1)
GIFTS = st.tuples(
    PLACES,
    st.sampled_from(["repay", "supply", "assets", "reserve"]),
    st.sampled_from([Fraction(1, 10**9), Fraction(1, 50), Fraction(1, 5), Fraction(1)]),
)
PARTS = st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 3), Fraction(0)])
TRADES = st.one_of(
    st.tuples(st.sampled_from(["mint", "mint", "redeem", "transfer"]), st.tuples(PLACES, SIZES)),
    st.tuples(st.just("donate"), GIFTS),
    st.tuples(st.just("push"), st.sampled_from([-300, -20, 20, 300])),
    st.tuples(st.sampled_from(["open", "allocate", "drain"]), st.tuples(PLACES)),
    st.tuples(st.just("publish"), st.none()),
)
FILLS = st.tuples(st.just("fill"), st.tuples(PLACES, PARTS))
WAITS = st.sampled_from([0, 12, 61, 600, 1_200, 3_000, 90_000])
LEVERAGES = {
    "low": ("2.5", "0.7"),
    "below": ("2.7", "0.85"),
    "target": ("3", "1"),
    "above": ("3.3", "1.2"),
    "high": ("3.6", "1.35"),
    "worst": ("5.2", "2.8"),
    "beyond": ("7.6", "6.8"),
}


def step(act: Callable[..., None]) -> Callable[..., None]:
    """A rule; what fails inside stops the machine's last act too."""

    @wraps(act)
    def checked(self: Any, *args: Any, **named: Any) -> None:
        self.broken = True
        act(self, *args, **named)
        self.broken = False

    return checked


class Stateful(RuleBasedStateMachine):
    """One fund, from two months after its launch to the last redemption."""

    stages: list[Stage]
    seen: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.broken = True
        self.stack = ExitStack()

    @initialize(case=st.integers(0, 5))
    @step
    def begin(self, case: int) -> None:
        """One of the stages."""
        self.stage = self.stages[case % len(self.stages)]
        self.stack.enter_context(self.stage.played())
        self.world, self.fund = self.stage.world, self.stage.fund
        self.play = Play(self.stage, self.seen)

    def _role(self, name: str) -> Any:
        return getattr(self.world.roles, name)

    def _ready(self) -> None:
        """Feed and pool agree and answer when somebody acts on them."""
        self.world.feed.set_fault(0)
        self.world.pool.move(self.world.feed_price)
        self.world.refresh_feeds()

    @rule(author=AUTHORS, trades=st.lists(TRADES, min_size=1, max_size=4))
    @step
    def trade(self, author: str, trades: list[Any]) -> None:
        """Somebody does things at once."""
        self._ready()
        self.play.episode(self._role(author), trades)

    @rule(
        place=PLACES,
        where=st.sampled_from([*LEVERAGES, "low", "high", "worst", "stay"]),
        opens=st.booleans(),
        wait=WAITS,
        author=AUTHORS,
        first=st.lists(TRADES, max_size=2),
        part=PARTS,
        last=st.lists(st.one_of(TRADES, FILLS), max_size=2),
    )
    @step
    def raid(
        self,
        place: int,
        where: str,
        opens: bool,
        wait: int,
        author: str,
        first: list[Any],
        part: Fraction,
        last: list[Any],
    ) -> None:
        """Leverage goes somewhere, an auction may be opened, and somebody makes something of it."""
        self._ready()
        self._place(place, where)
        if opens:
            self.play.episode(self._role("keeper"), [("open", (place,))])
        self._wait(wait)
        ops = [*first, ("fill", (place, part)), *last]
        self.play.episode(self._role(author), ops)

    @rule(
        place=PLACES,
        size=SIZES,
        where=st.sampled_from(["below", "target", "above"]),
        level=st.sampled_from(["2.99/0.99", "2.9/0.95", "2.59/0.79", "2.2/0.7"]),
        wait=st.sampled_from([1_200, 90_000, 91_200]),
        author=AUTHORS,
        again=st.booleans(),
    )
    @step
    def farm(
        self, place: int, size: int, where: str, level: str, wait: int, author: str, again: bool
    ) -> None:
        """C1: mint, gift, fill, leave; once or twice in a transaction."""
        self._ready()
        self._place(place, where)
        self._wait(wait)
        self._ready()
        series = self.fund.series[place]
        series.accrue()
        share = self._share(series, size, level.split("/")[0 if series.long else 1])
        once = (
            [("donate", (place, "repay", share)), ("fill", (place, Fraction(1)))] if share else []
        )
        ops = [("mint", (place, size)), *once, *(once if again else [])]
        self.play.episode(self._role(author), [*ops, ("redeem", (place, size))])

    @rule(
        place=PLACES,
        where=st.sampled_from(["worst", "worst", "beyond"]),
        waits=st.lists(st.sampled_from([61, 3_600, 40_000, 90_000]), min_size=2, max_size=3),
        part=PARTS,
        author=AUTHORS,
    )
    @step
    def relapse(
        self, place: int, where: str, waits: list[int], part: Fraction, author: str
    ) -> None:
        """One crash after the other, each rescued after the jump has faded."""
        for wait in waits:
            self._ready()
            self._place(place, where)
            self._wait(wait)
            self.play.episode(self._role(author), [("fill", (place, part))])

    def _share(self, series: Any, size: int, level: str) -> Fraction:
        """The part of all debt, after a mint, whose repayment takes leverage there."""
        del size
        debt, amount = series.state.debt, size_of_gift(series, level)
        return Fraction(amount, debt) if 0 < amount < debt else Fraction(0)

    @rule(size=SIZES, place=PLACES, author=AUTHORS, wait=st.sampled_from([3_600, 90_000]))
    @step
    def forge(self, size: int, place: int, author: str, wait: int) -> None:
        """H1: mint, publish, leave."""
        self._wait(wait)
        self._ready()
        ops = [("mint", (place, size)), ("publish", None), ("redeem", (place, size))]
        self.play.episode(self._role(author), ops[:2])
        self.play.episode(self._role(author), ops[2:])

    @rule(fault=st.sampled_from(["reverts", "burns", "zero", "negative", "stale"]), author=AUTHORS)
    @step
    def feed(self, fault: str, author: str) -> None:
        """The feed fails, somebody tries to act on it, everybody can leave."""
        self._ready()
        feed, answer = self.world.feed, self.world.feed.answer()
        feed.set_fault({"reverts": 1, "burns": 2}.get(fault, 0))
        if fault in {"zero", "negative"}:
            feed.update(0 if fault == "zero" else -1)
        if fault == "stale":
            feed.set_times(1, 1)
        who = self._role(author)
        boa.env.evm.vm.state.clear_transient_storage()
        for series in self.fund.series:
            for act, args in (("mint", (WAD, 2**255, who)), ("rebalance", (2**255, -(2**255)))):
                try:
                    getattr(series.contract, act)(*args, sender=who)
                except boa.BoaError:
                    continue
                raise AssertionError(f"{act} worked on a feed that {fault}")
        self.play.exits()
        feed.set_fault(0)
        feed.update(answer)
        self.seen[f"feed: {fault}"] += 1

    @rule(what=st.sampled_from(["all", "half", "lend"]), place=PLACES)
    @step
    def lending(self, what: str, place: int) -> None:
        """The lender takes out what can be lent, or brings more; exits stay open."""
        series, lending = self.fund.series[place], self.world.lending
        series.accrue()
        if what == "lend":
            series.lend(10**6)
        else:
            most = lending.lendable(series.market)
            held = self.world.morpho.position(series.market.id, self.world.roles.lender)[0]
            state = self.world.morpho.market(series.market.id)
            amount = min(most, held * (state[0] + 1) // (state[1] + 10**6) * 999 // 1_000)
            amount = amount if what == "all" else amount // 2
            if amount:
                lending.withdraw(series.market, amount)
        self.play.exits()

    @rule(place=PLACES)
    @step
    def liquidate(self, place: int) -> None:
        """Morpho's liquidators take a tenth of what is above its threshold."""
        series = self.fund.series[place]
        series.accrue()
        if not self.play.is_lost(series) or series.ltv <= Fraction(8601, 10_000):
            return
        seized = series.state.collateral // 10
        if seized and series.ltv < Fraction(95, 100):
            who = self.world.roles.arbitrageur
            given = (tuple(series.market), series.address, seized, 0, b"")
            self.world.morpho.liquidate(*given, sender=who)
            self.seen["liquidated"] += 1

    def _wait(self, seconds: int) -> None:
        if seconds:
            boa.env.time_travel(seconds=seconds)
            self.world.refresh_feeds()
            self.play.weigh()

    def _place(self, place: int, where: str) -> None:
        series = self.fund.series[place]
        state = series.state
        if where == "stay" or not state.shares or not state.collateral:
            return
        price = series.price_at(LEVERAGES[where][0 if series.long else 1])
        price = min(max(price, Fraction(100)), Fraction(40_000))
        self.world.move(price)
        self.play.weigh()
        self.seen[f"at: {where}"] += 1

    def teardown(self) -> None:
        """At the end everybody can leave, unless Morpho itself would refuse it."""
        try:
            if not self.broken:
                self.play.exits()
        finally:
            self.stack.close()


__all__ = ["Stateful", "gift"]
