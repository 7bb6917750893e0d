"""What authors do to a fund, each act judged: nobody is richer for it, and the books balance.

An episode is what one author does in one transaction, valued at the feed's price, where the pool
stands when it begins. Tokens count as their claim in kind, and tokens that came in the episode
less the fee of leaving. Then an episode may gain, for each fill, the fill's premium on what closes
the gap that there was when it began, and the author's share of what the reserve paid; nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import boa

from support.chain.attacking import fortune
from support.chain.series import DAY, DEAD, EMERGENCY, LEAST_PREMIUM, MOST, SCALE, WAD, wad
from support.chain.stages import Stage

HAIR = Fraction(1, 10**9)
CALM_WEEK = Fraction(8, 7)
RESCUE = Fraction(1, 50)
EXPECTED = (
    "leveraged_token: nothing on sale",
    "leveraged_token: nothing to open",
    "leveraged_token: above the band",
    "leveraged_token: debt_cap",
    "leveraged_token: filled before",
    "leveraged_token: fill too small",
    "leveraged_token: more than most",
    "series_state: no good price",
    "reserve: raising is suspended",
    "reserve: published this hour",
    "fee_allocation: no fees due",
    "insufficient liquidity",
    "insufficient collateral",
    "inconsistent input",
    "zero assets",
)
"""Refusals that are somebody's own fault. All others, and some of these, are faults of ours."""

NOTHING = ("zero assets",)
"""What Morpho says of a transfer of nothing: only a fill may be so small."""
UNITS = 3
"""A gap of so many raw units, or fewer, may round to no size at all."""

Op = tuple[str, Any]


def said(error: boa.BoaError) -> str:
    """The reason of a revert, in the words of the contract where it began."""
    text = str(error)
    return next((each for each in EXPECTED if each in text), text[-600:])


class Play:
    """One run over a stage: the acts, and the checks after each."""

    def __init__(self, stage: Stage, seen: Counter[str]) -> None:
        self.stage, self.seen = stage, seen
        self.world, self.fund, self.reserve = stage.world, stage.fund, stage.fund.reserve
        self.series = self.fund.series
        self.allowed = Fraction(0)
        self.given = self._surplus()
        self.paid: list[tuple[int, Any, bool, int]] = []
        """When, series, in an emergency, raw underlying."""
        self.weights = dict.fromkeys((s.address for s in self.series), Fraction(0))
        self.opened = dict.fromkeys((s.address for s in self.series), 0)
        self.arrived = {s.address: s.contract.facts().arrived for s in self.series}
        self.common_most = int(self.reserve.common())

    # -- what is known of a series -----------------------------------------------------------

    def unit(self) -> Fraction:
        """A few raw units of both assets, in whole quote."""
        price = self.world.feed_price
        coins = Fraction(1, 10**self.world.quote_decimals)
        return 40 * (coins + price / 10**self.world.underlying_decimals)

    def worth(self, series: Any, raw_debt: Fraction) -> Fraction:
        """Debt units in whole quote."""
        whole = Fraction(raw_debt, 10 ** series.loan.decimals())
        return whole if series.long else whole * self.world.feed_price

    def underlying_worth(self, raw: int) -> Fraction:
        """Raw underlying in whole quote."""
        return Fraction(raw, 10**self.world.underlying_decimals) * self.world.feed_price

    def is_lost(self, series: Any) -> bool:
        """Whether Morpho could liquidate it."""
        state = series.state
        value = Fraction(state.collateral * series.price, SCALE)
        return state.debt > value * (series.market.lltv - wad("0.0001")) / WAD

    def _weight(self, series: Any) -> Fraction:
        """W at this moment, in raw underlying."""
        nav, supply, _ = series.contract.standing()
        return Fraction(nav * min(series.state.mean_day, supply), max(supply, 1))

    def weigh(self) -> None:
        """The largest W of each series: what its calm payments are held to."""
        for series in self.series:
            largest = max(self.weights[series.address], self._weight(series))
            self.weights[series.address] = largest

    # -- episodes ---------------------------------------------------------------------------

    def episode(self, author: Any, ops: Sequence[Op]) -> None:
        """Do all of it as one author in one transaction; then it is no richer than it may be."""
        boa.env.evm.vm.state.clear_transient_storage()
        for series in self.series:
            series.accrue()
        self.weigh()
        self.allowed = Fraction(0)
        address = getattr(author, "address", author)
        held = {s.address: s.contract.balanceOf(address) for s in self.series}
        gaps = {s.address: self._gap(s) for s in self.series}
        marks = {s.address: self._mark(s) for s in self.series}
        means = {s.address: (s.state.mean_day, s.state.mean_week) for s in self.series}
        flags = {s.address: self.reserve.suspended(s.address) for s in self.series}
        before, names = fortune(self.fund, author), [name for name, _ in ops]
        for name, given in ops:
            # a gift of this very transaction counts: W is valued at the present nav
            self.weigh()
            getattr(self, name)(author, given, held, gaps)
            # a series that was filled starts anew
            for series in self.series:
                self._judge_claims(series, marks)
        gain = fortune(self.fund, author) - before
        for series in self.series:
            gain -= self._exit_fee(
                series, series.contract.balanceOf(address) - held[series.address]
            )
        roundings = 2 * len(ops) * self.unit()
        assert gain <= self.allowed + roundings, (
            f"{names} made its author richer by {float(gain)}, and may by {float(self.allowed)}"
        )
        for series in self.series:
            state = series.state
            assert abs(state.mean_day - means[series.address][0]) <= 2 * 10**9, "the mean moved"
            assert abs(state.mean_week - means[series.address][1]) <= 2 * 10**9, "the mean moved"
            if set(names) <= {"mint", "redeem", "publish", "transfer"}:
                self._judge_suspension(series, flags[series.address], names)
        self.check()

    def _judge_suspension(self, series: Any, before: bool, names: list[str]) -> None:
        """Capital of a moment suspends nothing: not by itself, and not by a publication."""
        now = self.reserve.suspended(series.address)
        if abs(self._level(series) - Fraction(1, 10)) < Fraction(1, 10_000):
            return
        if "publish" not in names:
            assert now == before, "capital of a moment suspended a series"
        floor = Fraction(12 if series.account.suspended else 10, 100)
        assert now == (self._level(series) < floor), "suspended by another level than the week's"

    def _gap(self, series: Any) -> Fraction:
        """How far the exposure is from the target, whole quote."""
        state, target = series.state, Fraction(series.config.terms.target, WAD)
        value = Fraction(state.collateral * series.price, SCALE)
        exposure = value if series.long else Fraction(state.debt)
        return self.worth(series, abs(target * (value - state.debt) - exposure))

    def _mark(self, series: Any) -> tuple[int, int, int]:
        state = series.state
        return state.collateral, state.shares, state.supply

    def _judge_claims(self, series: Any, marks: dict[str, Any]) -> None:
        """Collateral per token never falls and debt per token never rises, but by a fill."""
        collateral, shares, supply = marks[series.address]
        now = self._mark(series)
        marks[series.address] = now
        if self.filled_now == series.address:
            self.filled_now = ""
            return
        assert now[2] > 0, "the locked tokens are gone"
        assert now[0] * supply >= collateral * now[2], "collateral per token fell"
        assert now[1] * supply <= shares * now[2], "debt per token rose"

    filled_now = ""

    def _exit_fee(self, series: Any, tokens: int) -> Fraction:
        """What leaving with tokens that were minted costs, whole quote."""
        if tokens <= 0:
            return Fraction(0)
        state, config = series.state, series.config
        multiple = config.terms.target + (0 if series.long else WAD)
        fee = Fraction(state.collateral * tokens * config.fee, state.supply * multiple)
        whole = fee / 10 ** series.collateral.decimals()
        return whole * self.world.feed_price if series.long else whole

    def attempt(self, name: str, act: Callable[[], Any], never: tuple[str, ...] = NOTHING) -> Any:
        """Call; None where it reverted for a reason that is expected of it."""
        try:
            given = act()
        except boa.BoaError as error:
            reason = said(error)
            assert reason in EXPECTED, f"{name}: {reason}"
            assert reason not in never, f"{name} was refused: {reason}"
            self.seen[f"refused: {name}: {reason}"] += 1
            return None
        self.seen[name] += 1
        return True if given is None else given

    # -- acts --------------------------------------------------------------------------------

    def mint(self, author: Any, given: Any, *_: Any) -> None:
        """Mint in kind."""
        series, tokens = self.series[given[0]], given[1]
        made = self.attempt(
            "mint", lambda: series.contract.mint(tokens, MOST, author, sender=author)
        )
        assert made is None or self.world.feed.fault() == 0, "minted on a dead feed"

    def redeem(self, author: Any, given: Any, *_: Any) -> None:
        """Redeem in kind: nothing but Morpho's threshold refuses it, and there is a fee."""
        series, tokens = self.series[given[0]], given[1]
        tokens = min(tokens, series.contract.balanceOf(author))
        before = series.state
        share = Fraction(before.collateral * tokens, before.supply)
        never = NOTHING if self.is_lost(series) else (*NOTHING, "insufficient collateral")
        got = self.attempt(
            "redeem", lambda: series.contract.redeem(tokens, MOST, author, sender=author), never
        )
        if got is None:
            assert self.is_lost(series), "an exit was closed"
            return
        multiple = series.config.terms.target + (0 if series.long else WAD)
        assert got[0] <= share * (1 - Fraction(series.config.fee, multiple)) + 1, "a free exit"
        assert got[1] >= Fraction((before.debt - 1) * tokens, before.supply), "debt was left"

    def transfer(self, author: Any, given: Any, *_: Any) -> None:
        """Give tokens away."""
        series, tokens = self.series[given[0]], given[1]
        tokens = min(tokens, series.contract.balanceOf(author))
        series.contract.transfer(self.world.roles.liquidity_provider, tokens, sender=author)

    def donate(self, author: Any, given: Any, *_: Any) -> None:
        """Give a part of what the position owes or holds, or raw assets."""
        place, kind, share = given
        series, morpho = self.series[place], self.world.morpho
        state, market = series.state, tuple(series.market)
        worth, owed = int(state.collateral * share), int(state.shares * min(share, 1))
        if kind == "repay" and owed:
            morpho.repay(market, 0, owed, series.address, b"", sender=author)
        elif kind == "supply" and worth:
            morpho.supplyCollateral(market, worth, series.address, b"", sender=author)
        elif kind == "assets":
            series.collateral.transfer(series.address, worth, sender=author)
        elif kind == "reserve":
            amount = 10**self.world.underlying_decimals // 7
            self.world.underlying.transfer(self.reserve.address, amount, sender=author)
            self.given += amount
        self.seen[f"donate: {kind}"] += 1

    def push(self, author: Any, given: Any, *_: Any) -> None:
        """Move the pool by a swap."""
        self.world.pool.move(self.world.pool.price * (1 + Fraction(given, 10_000)), author)
        self.seen["push"] += 1

    def drain(self, author: Any, given: Any, *_: Any) -> None:
        """Borrow what can be lent, or pay all of it back."""
        series, morpho = self.series[given[0]], self.world.morpho
        market, owed = tuple(series.market), morpho.position(series.market.id, author)[1]
        if owed:
            morpho.repay(market, 0, owed, author, b"", sender=author)
            return
        amount = self.world.lending.lendable(series.market)
        pledge = amount * SCALE * 5 // max(1, series.price) * 4 // 5 * 2 + 1
        if amount and pledge < series.collateral.balanceOf(author):
            morpho.supplyCollateral(market, pledge, author, b"", sender=author)
            morpho.borrow(market, amount, 0, author, author, sender=author)
            self.seen["drained"] += 1

    def open(self, author: Any, given: Any, *_: Any) -> None:
        """Open, or end, a band's auction."""
        series = self.series[given[0]]
        if self.attempt("open", lambda: series.contract.open(sender=author)) is not None:
            self.opened[series.address] = boa.env.timestamp

    def publish(self, author: Any, *_: Any) -> None:
        """Publish health; the gas of it is paid back, a 4,000th of the reserve at most."""
        books = self.reserve.common() + sum(s.account.held for s in self.series)
        refund = self.attempt("publish", lambda: self.reserve.publish(sender=author))
        if refund is not None:
            paid = books - self.reserve.common() - sum(s.account.held for s in self.series)
            assert 0 <= paid <= books // 4_000, "a publication was paid too much"
            self.allowed += self.underlying_worth(paid)

    def allocate(self, author: Any, given: Any, *_: Any) -> None:
        """Send fees to the reserve; whoever buys a short's gets the premium of that."""
        series = self.series[given[0]]
        fees = series.state.fees
        got = self.attempt(
            "allocate", lambda: series.contract.allocate(LEAST_PREMIUM, sender=author)
        )
        if got is not None and not series.long:
            top = Fraction(series.config.terms.calm_top, WAD)
            self.allowed += Fraction(fees, 10 ** series.collateral.decimals()) * top

    def fill(self, author: Any, given: Any, held: Any, gaps: Any) -> None:
        """Take a part of what is on sale."""
        series, part = self.series[given[0]], given[1]
        plan, before = series.plan, self._mark(series)
        level, weight = self._level(series), self._weight(series)
        never = ("leveraged_token: fill too small",)
        if plan.state == 2 and self.world.feed.fault() == 0:
            never += ("insufficient collateral", "leveraged_token: nothing on sale")
        most = max(plan.least, int(plan.most * part))
        # with a collateral of few decimals, what is due may be worth less than a raw unit of it
        pays = min(Fraction(WAD), Fraction(WAD + plan.premium)) / WAD
        if pays * most * SCALE >= 2 * series.price:
            never += NOTHING
        if plan.state == 2 and plan.whole == 0:
            # a gap of a raw unit or two may round to a size of none: open, and nothing to take
            assert plan.gap <= UNITS, "an open auction of nothing"
            never = ()
        filled = self.attempt(
            "fill",
            lambda: series.contract.rebalance(most, LEAST_PREMIUM, sender=author),
            never if plan.state == 2 else (),
        )
        if filled is None:
            return
        (event,) = (e for e in series.contract.get_logs() if type(e).__name__ == "Rebalanced")
        self.filled_now = series.address
        self._judge_fill(series, event, before, level)
        self._judge_payment(series, event, weight)
        share = Fraction(held[series.address], max(1, event.after.supply))
        paid = max(0, event.paid_by_reserve)
        premium = Fraction(max(0, event.premium), WAD)
        # what nav pays of the premium widens the gap: a lowering trades gap / (1 - (m - 1) p)
        more = Fraction(series.config.terms.target, WAD) - (1 if series.long else 0)
        wider = 1 if event.up else 1 - more * premium
        self.allowed += premium * gaps[series.address] / wider * (1 + HAIR)
        self.allowed += self.underlying_worth(paid) * share
        gaps[series.address] = Fraction(0)

    # -- judgements --------------------------------------------------------------------------

    def _level(self, series: Any) -> Fraction:
        """Account and published share of the common part, over nav at the week's mean."""
        nav, supply, mean = series.contract.standing()
        slow = Fraction(nav * mean, max(1, supply))
        if slow == 0:
            return Fraction(10**9)
        share = self.reserve.health().common_share * slow / WAD
        return (series.account.held + min(Fraction(self.reserve.common()), share)) / slow

    def _leverage(self, series: Any, collateral: int, shares: int) -> Fraction:
        market = self.world.morpho.market(series.market.id)
        debt = Fraction(shares * (market[2] + 1), market[3] + 10**6)
        value = Fraction(collateral * series.price, SCALE)
        if value <= debt:
            return Fraction(10**9)
        return (value if series.long else debt) / (value - debt)

    def _judge_fill(self, series: Any, event: Any, before: Any, level: Fraction) -> None:
        terms, now, key = series.config.terms, boa.env.timestamp, series.address
        target, slack = Fraction(terms.target, WAD), Fraction(terms.edge_slack, WAD)
        then = self._leverage(series, before[0], before[1])
        after = self._leverage(series, *self._mark(series)[:2])
        goals = [target]
        if terms.to_edge:
            goals += [Fraction(terms.lower, WAD), Fraction(terms.upper, WAD)]
        digits = Fraction(10**6, max(1, before[0])) + Fraction(10**6, max(1, before[1]))
        near = target * (HAIR + digits) + Fraction(1, 10**5)
        fine = [(then - g) * (after - g) >= 0 or abs(after - g) <= near for g in goals]
        assert any(fine), f"across: {float(then)} -> {float(after)}"
        assert abs(after - target) <= abs(then - target) + near, "away from the target"
        assert (event.after.supply) == before[2], "a fill changed the supply"
        emergency, lowers = event.trigger == EMERGENCY, not event.up
        # of dust at the target the asset's last digit, which is nav's, is more than what is raised
        assert lowers or after >= then - target * (HAIR + digits), "the direction is wrong"
        if event.up:
            assert level >= Fraction(10, 100) * (1 - HAIR), "raised below the reserve's floor"
        top, start = terms.emergency_top, terms.start
        assert -start - wad("0.5") <= event.premium <= top, "the premium left its bounds"
        calm = Fraction(terms.upper, WAD) + slack
        if then <= calm * (1 - HAIR):
            assert event.premium <= terms.calm_top, "a calm fill cost more than its top"
            due = self.arrived[key] + terms.fallback_after
            if terms.daily_at < DAY:
                passed = (self.arrived[key] - terms.daily_at) // DAY + 1
                due = min(due, terms.daily_at + passed * DAY)
            stale = now > self.opened[key] + 2 * terms.duration + terms.cooldown
            assert not stale or now >= due, "filled in an auction that was void"
        assert self.world.feed.fault() == 0, "filled on a dead feed"
        if event.arrived:
            self.arrived[key], self.opened[key] = now, 0
        else:
            self.opened[key] = now
        self.seen[f"fill: {('emergency' if emergency else 'up' if event.up else 'down')}"] += 1
        self.seen[f"fill: trigger {event.trigger}"] += 1

    def _judge_payment(self, series: Any, event: Any, present: Fraction) -> None:
        """What was paid in a day follows W and time, whatever was filled.

        An emergency is paid what 2 % of the present W leaves after all of the day: W is smaller in
        each crash after the first, and the largest of the day would allow what no cap does.
        """
        emergency = event.trigger == EMERGENCY
        paid, now = event.paid_by_reserve, boa.env.timestamp
        premium = Fraction(event.notional * event.premium, WAD)
        raw = paid * series.price // SCALE if series.long else paid
        assert raw <= max(premium, 0) + series.price // SCALE + 2, "paid more than the premium"
        if paid <= 0:
            return
        self.seen["reserve pays"] += 1
        self.paid.append((now, series.address, emergency, paid))
        rate = Fraction(series.config.terms.account_rate, WAD)
        most = present * RESCUE if emergency else self.weights[series.address] * rate * CALM_WEEK
        day = sum(
            amount
            for at, who, in_emergency, amount in self.paid
            if who == series.address and in_emergency == emergency and at > now - DAY
        )
        assert day <= most * (1 + HAIR) + 100, "the reserve paid more than a day's cap"

    def _surplus(self) -> int:
        """What lies in the reserve and is in no book."""
        held = self.world.underlying.balanceOf(self.reserve.address)
        booked = sum(s.account.held for s in self.series) + self.reserve.common()
        recipients = {s.config.fee_recipient for s in self.series}
        return int(held - booked - sum(self.reserve.owed(who) for who in recipients))

    def check(self) -> None:
        """What holds after every step."""
        assert self._surplus() == self.given, "the reserve's books do not add up"
        for series in self.series:
            who = (*self.world.roles, DEAD)
            held = sum(series.contract.balanceOf(each) for each in who)
            assert held == series.state.supply, "supply is not what is held"
            assert series.loan.balanceOf(series.address) == 0, "debt assets lie in the contract"

    def exits(self) -> None:
        """Everybody can leave now, whatever fails; undone afterwards."""
        with boa.env.anchor():
            boa.env.evm.vm.state.clear_transient_storage()
            for series in self.series:
                series.accrue()
                if self.is_lost(series):
                    continue
                for who in self.world.roles:
                    held = series.contract.balanceOf(who)
                    if held:
                        self.attempt(
                            "leave",
                            lambda s=series, w=who, h=held: s.contract.redeem(h, MOST, w, sender=w),
                            EXPECTED,
                        )
        self.seen["all left"] += 1
