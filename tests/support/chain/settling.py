"""What a rebalance did, judged from balances: its direction, its price, its pay and its payers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import boa

from support.chain.book import HAIR, Book, Facts
from support.chain.series import COIN_DECIMALS, NATIVE_PRICE, WAD, trigger, wad

DAY = 86_400
NEAR = Fraction(1, 2_000)
"""5 bp: where a rebalance has arrived."""
MOST_PAY = Fraction(1, 100)
GAS_AROUND = 60_000
"""Gas that a call does not count as its own: the transaction's, and what follows the pay."""
SEEN_BY_THE_VIEW = {
    "leveraged_token: nothing to do",
    "leveraged_token: not to be raised",
    "oracle_guard: refused",
}


@dataclass
class Watched:
    """A rebalance: the facts, balances before it, and after it what they changed by."""

    before: Facts
    author: Any
    due: str
    expected: str | None
    destination: Fraction
    price: Fraction
    suspended: bool
    available: int
    balances: list[int] = field(default_factory=list)
    after: Any = None
    done: Any = None
    said: str = ""
    gas: int = 0
    told: Any = None
    units: int = 0
    quote: int = 0
    reserve: int = 0
    pay: int = 0


def told_emergency(watched: Watched) -> bool:
    """Whether the event calls it an emergency."""
    return trigger(watched.told.trigger) == "emergency"


class Settling:
    """Watches the rebalances of one token; knows what the reserve has paid today."""

    def __init__(self, book: Book, seen: Counter[str]) -> None:
        self.book, self.seen = book, seen
        self.world, self.token = book.world, book.token
        self.reserve = self.token.fund.reserve
        self.day, self.cap, self.spent = -1, 0, 0

    def _balances(self, author: Any) -> list[int]:
        world = self.world
        holders = (world.pool.address, self.reserve.address, author)
        held = [world.underlying.balanceOf(who) for who in holders]
        return [*held, world.quote.balanceOf(world.pool.address)]

    def _left_today(self) -> int:
        """What the reserve may still pay this token today, at most its balance."""
        held = self.world.underlying.balanceOf(self.reserve.address)
        if boa.env.timestamp // DAY == self.day:
            return min(held, self.cap - self.spent)
        return held * wad(self.token.fund.terms.daily_share) // WAD

    @contextmanager
    def watch(self, before: Facts, author: Any, due: int) -> Iterator[Watched]:
        """What happens inside is the rebalance; it is judged when that is over."""
        price = self.book.told_price
        expected, destination = self.book.decide(before, price)
        standing = (self.reserve.suspended(), self._left_today())
        watched = Watched(before, author, trigger(due), expected, destination, price, *standing)
        watched.balances = self._balances(author)
        yield watched
        if watched.done is None:
            refused = watched.said not in SEEN_BY_THE_VIEW
            assert refused or watched.due == "idle", "the view asks for what the act refuses"
            return
        watched.told = self.token.event("Rebalanced")
        watched.after = self.book.read()
        pool, reserve, keeper, quote = (
            now - then for now, then in zip(self._balances(author), watched.balances, strict=True)
        )
        watched.units, watched.quote = pool, quote
        watched.reserve, watched.pay = reserve, keeper
        self._judge_decision(watched)
        self._judge_leverage(watched)
        self._judge_costs(watched)
        self._judge_pay(watched)
        self._judge_reserve(watched)

    def up(self, watched: Watched) -> bool:
        """Whether leverage rose: a long buys the underlying for it, a short sells it."""
        return (watched.units < 0) == self.book.long

    def _judge_decision(self, watched: Watched) -> None:
        told = trigger(watched.told.trigger)
        # the view is idle too where the pool's liquidity in range is thin: more may lie beyond it
        assert watched.due in {told, "idle"}, "the view and the act disagree"
        if watched.due == "idle":
            self.seen["acted where the view saw thin liquidity"] += 1
        assert watched.expected in {told, None}, f"by the rules it is {watched.expected}"
        self.seen[f"rebalance: {told}"] += 1
        self.seen["rebalance up" if self.up(watched) else "rebalance down"] += 1
        if watched.told.clipped:
            self.seen["partial fill"] += 1
        assert self.book.feed_is_good(), "rebalanced on a bad feed"

    def _judge_leverage(self, watched: Watched) -> None:
        """Nearer, and not across; arrived unless it says that it was clipped."""
        price, before, after = watched.price, watched.before, watched.after
        up = self.up(watched)
        goal = watched.destination
        gaps = [goal * each.nav(price) - each.exposure(price) for each in (before, after)]
        if not up:
            gaps = [-gap for gap in gaps]
        then, now = before.exposure(price), after.exposure(price)
        assert gaps[0] > 0, "it went away from its destination"
        assert gaps[1] * before.nav(price) < gaps[0] * after.nav(price), "not nearer"
        unit = 4 * max(Fraction(1), price) * (1 + goal)
        assert gaps[1] >= -now * NEAR - unit, "across"
        if not watched.told.clipped:
            assert gaps[1] <= now * NEAR + unit, "it says that it has arrived"
        if up:
            assert not watched.suspended, "raised while the reserve was under its floor"
        assert (now > then) == up

    def _judge_costs(self, watched: Watched) -> None:
        """The pool ends inside the tolerance, and what the swap lost is at most that."""
        price, before, up = watched.price, watched.before, self.up(watched)
        end = self.book.limit(before, price, up=up)
        buys = watched.units < 0
        stood = watched.after.pool_price
        assert stood <= end * (1 + HAIR) if buys else stood >= end * (1 - HAIR), "beyond tolerance"
        lost = watched.units * price + watched.quote
        notional = abs(watched.units) * price
        most = self.book.widened(before, price, "tolerance") * notional * (1 + Fraction(1, 10))
        assert lost <= most + self._units(price)
        navs = [each.nav(price) for each in (before, watched.after)]
        fell = lost + (watched.pay + watched.reserve) * price
        assert abs(navs[0] - navs[1] - fell) <= self._units(price), "something went elsewhere"
        # all of it may be lost in one swap and gained in another: what is lost is not netted
        if watched.available * price >= most + watched.pay * price:
            assert navs[1] >= navs[0] - self._units(price), "nav paid while the reserve could"

    def _units(self, price: Fraction) -> Fraction:
        """A few units of both assets: what roundings may come to."""
        return 12 * (price + 1)

    def _judge_pay(self, watched: Watched) -> None:
        """Pay is gas and the premium of what was moved, at most 1 % of it."""
        price, before = watched.price, watched.before
        moved = abs(watched.quote) / price
        distance = self.book.danger(before, price)
        if distance == 0:
            edge = self.book.lower * before.nav(price)
            distance = max(Fraction(0), (edge - before.exposure(price)) / edge)
        used = watched.gas + GAS_AROUND
        gas = Fraction(used * boa.env.evm.vm.state.execution_context.base_fee_per_gas)
        if self.world.underlying_decimals != COIN_DECIMALS:
            quote = gas * NATIVE_PRICE * 10**self.world.quote_decimals / 10**COIN_DECIMALS
            gas = quote / price
        rate = Fraction(wad(self.token.terms.premium), WAD)
        most = min(MOST_PAY * moved, rate * distance * moved + gas)
        assert 0 <= watched.pay <= most + 2, "the keeper got more than its pay"
        assert watched.pay == watched.told.pay_by_reserve + watched.told.pay_by_nav
        if watched.told.pay_by_nav:
            self.seen["pay by nav"] += 1
            assert told_emergency(watched)

    def _judge_reserve(self, watched: Watched) -> None:
        """What left the reserve was this token's, and no more than its day."""
        told = watched.told
        out = told.covered + told.pay_by_reserve
        assert watched.reserve == told.gained - out, "the reserve's account"
        if out == 0:
            # a day's share is of what is there at the first payment
            return
        day = boa.env.timestamp // DAY
        if day != self.day:
            held = watched.balances[1] + told.gained
            self.day, self.spent = day, 0
            self.cap = held * wad(self.token.fund.terms.daily_share) // WAD
        self.spent += out
        assert self.spent <= self.cap, "the reserve paid more than a day's share"
        self.seen["reserve pays"] += 1

    def allowance(self, watched: Watched, origin: Fraction) -> Fraction:
        """What an episode that began at the pool's price `origin` may gain by this rebalance.

        The pay, and what the swap can have cost up to its limit: (tolerance - pool fee) * notional
        where the pool began at the feed's price. The pool's fee goes to others.
        """
        if watched.done is None:
            return Fraction(0)
        price = watched.price
        end = self.book.limit(watched.before, price, up=self.up(watched))
        apart = end - min(origin, price) if watched.units < 0 else max(origin, price) - end
        gain = abs(watched.units) * max(Fraction(0), apart) * (1 + HAIR)
        return watched.pay * origin + gain + self._units(origin)
