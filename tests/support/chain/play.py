"""What authors do to a token, each act judged: nobody is richer for it, and the books balance.

An episode is what one author does with nobody else acting in between. All of it is valued at one
price, that of the pool when it began: there nothing is gained by swaps alone, since what the pool's
liquidity is worth at a price is least when the pool stands at it; at any other price an author
gains by swapping, without the token. Tokens count as their claim in kind, or nothing where that is
below zero. So whatever an episode gains was somebody's claim, the reserve's, or the cost of a
rebalance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import boa

from support.chain.book import DEAD, Book, Facts
from support.chain.refusals import Asked, judge, reason
from support.chain.series import BPS
from support.chain.settling import Settling
from support.chain.stages import Stage

UNBOUNDED = 2**255
DIGITS = 10_000
"""Units of the coarser asset that a launch locks."""
GIFTS = ("collateral", "loan", "supply", "repay", "reserve", "reserve_quote")

Op = tuple[str, Any]


class Play:
    """One run over a stage: the acts, and the checks after each."""

    def __init__(self, stage: Stage, seen: Counter[str]) -> None:
        self.stage, self.seen = stage, seen
        self.world, self.fund, self.token = stage.world, stage.fund, stage.token
        self.contract, self.reserve = self.token.contract, self.fund.reserve
        self.book = Book(self.token)
        self.settling = Settling(self.book, seen)
        self.facts = self.book.read()
        self.loan_given, self.said = 0, ""
        roles = self.world.roles
        authors = (roles.depositor, roles.attacker, roles.keeper, roles.lender)
        self.holders = (*authors, roles.liquidity_provider, DEAD)
        self.allowed = Fraction(0)
        self.origin = self.facts.pool_price
        self.reserve_held = self._reserve()

    def _reserve(self) -> int:
        return self.world.underlying.balanceOf(self.reserve.address)

    def episode(self, author: Any, ops: Sequence[Op], *, back: bool = False) -> None:
        """Do all of it as one author; after each act it is no richer than it may be."""
        before = self.facts = self.book.read()
        root = self.world.pool.price
        self.origin, self.allowed = before.pool_price, Fraction(0)
        held = self.contract.balanceOf(author)
        start = self.book.wealth(before, author, self.origin)
        for act in ops:
            self._act(author, act, start)
        if back:
            more = self.contract.balanceOf(author) - held
            if more > 0:
                self._act(author, ("redeem_in_kind", more), start)
            self.world.pool.move(root, author)
            self.check()
            self._judge_wealth(author, start, "the way back")

    def _act(self, author: Any, act: Op, start: Fraction) -> None:
        name, size = act
        getattr(self, name)(author, size)
        self.check(free=name == "rebalance")
        self._judge_wealth(author, start, name)

    def is_past_liquidation(self) -> bool:
        """Whether Morpho's liquidators could act, by what was read last."""
        raw = self.world.feed_price * Fraction(
            10**self.world.quote_decimals, 10**self.world.underlying_decimals
        )
        return self.facts.ltv(raw) > self.book.lltv

    def _judge_wealth(self, author: Any, start: Fraction, name: str) -> None:
        gain = self.book.wealth(self.facts, author, self.origin) - start
        if gain > self.allowed:
            raise AssertionError(
                f"after {name} its author is richer by {float(gain)} of quote units, "
                f"and may be by {float(self.allowed)}"
            )

    def call(self, rule: str, contract: Any, method: str, *args: Any, **asked: Any) -> Any:
        """Call; None where it reverted for a reason that is accepted."""
        sender = asked.pop("sender")
        self.said = ""
        try:
            given = getattr(contract, method)(*args, sender=sender)
        except boa.BoaError:
            self.said = reason(contract)
            judge(rule, self.said, Asked(self.book, self.facts, **asked))
            self.seen[f"refused: {rule}: {self.said}"] += 1
            return None
        self.seen[rule] += 1
        return True if given is None else given

    def mint(self, author: Any, tokens: int) -> None:
        """Mint, and pay what was said; a bound of one unit less is kept."""
        before, first = self.facts, self.facts.supply == 0
        rule, kept = "launch" if first else "mint", self._collateral()
        paid = self.token.collateral.balanceOf(author)
        bounds = []
        if tokens % 7 == 0:
            with boa.env.anchor():
                given = (tokens, UNBOUNDED, author)
                cost = self.call(rule, self.contract, "mint", *given, sender=author, tokens=tokens)
            bounds = [(cost - 1, True)] if cost else []
        for bound, refused in [*bounds, (UNBOUNDED, False)]:
            given = (tokens, bound, author)
            asked = {"sender": author, "tokens": tokens, "bounded": refused}
            cost = self.call(rule, self.contract, "mint", *given, **asked)
            assert not (refused and cost), "a mint cost more than its author's bound"
        if cost is None:
            return
        assert paid - self.token.collateral.balanceOf(author) == cost
        fee = self._collateral() - kept
        assert 0 <= fee <= cost * self.token.terms.creation_bps // BPS
        after = self.book.read()
        assert after.supply - before.supply == tokens
        if first:
            self._judge_launch(after)

    def _judge_launch(self, after: Facts) -> None:
        price = self.book.told_price
        locked = after.claim(self.contract.balanceOf(DEAD), price)
        for unit in (1, price):
            assert locked >= (DIGITS - 2) * unit, "the launch locks too few digits"
        near = after.exposure(price) / after.nav(price) / self.book.target
        assert abs(near - 1) < Fraction(1, 1_000), "the launch is not at the target"

    def redeem(self, author: Any, tokens: int) -> None:
        """Redeem through the pool; what comes is what was said."""
        tokens, before, kept = self._own(author, tokens), self.facts, self._collateral()
        held = self.token.collateral.balanceOf(author)
        given = (tokens, 0, author)
        got = self.call("redeem", self.contract, "redeem", *given, sender=author, tokens=tokens)
        if got is None:
            return
        assert self.token.collateral.balanceOf(author) - held == got
        fee = self._collateral() - kept
        assert 0 <= fee <= (got + fee) * self.token.terms.redemption_bps // BPS
        assert before.supply - self.contract.totalSupply() == tokens

    def redeem_in_kind(self, author: Any, tokens: int) -> None:
        """Redeem a share of both legs: not a unit more than it, for not a unit less."""
        tokens, before = self._own(author, tokens), self.facts
        held, owed = (each.balanceOf(author) for each in (self.token.collateral, self.token.loan))
        given = (tokens, UNBOUNDED, author)
        asked = {"sender": author, "tokens": tokens}
        got = self.call("redeem_in_kind", self.contract, "redeem_in_kind", *given, **asked)
        if got is None:
            return
        assert self.token.collateral.balanceOf(author) - held == got[0]
        assert owed - self.token.loan.balanceOf(author) == got[1]
        assert got[0] <= Fraction(before.collateral * tokens, before.supply)
        assert got[1] >= before.debt * tokens / before.supply

    def rebalance(self, author: Any, _: Any) -> None:
        """Rebalance as the author; adds to what the episode may gain."""
        due = self.contract.should_rebalance()
        with self.settling.watch(self.facts, author, due) as watched:
            watched.done = self.call("rebalance", self.contract, "rebalance", sender=author)
            watched.said, watched.gas = self.said, self.contract._computation.get_gas_used()
        self.allowed += self.settling.allowance(watched, self.origin)
        self.reserve_held = self._reserve()

    def transfer(self, author: Any, tokens: int) -> None:
        """Give tokens away."""
        receiver = self.world.roles.liquidity_provider
        self.contract.transfer(receiver, self._own(author, tokens), sender=author)
        self.seen["transfer"] += 1

    def push(self, author: Any, basis_points: int) -> None:
        """Move the pool by a swap."""
        self.world.pool.move(self.world.pool.price * (1 + Fraction(basis_points, BPS)), author)
        self.seen["push"] += 1

    def donate(self, author: Any, gift: tuple[str, Fraction]) -> None:
        """Give away a part of what the position holds or owes, one way or another."""
        kind, share = gift
        collateral, loan, token = self.token.collateral, self.token.loan, self.contract.address
        worth, owed = int(self.facts.collateral * share), int(self.facts.debt * share)
        market, morpho = tuple(self.token.market), self.world.morpho
        if kind == "supply" and worth:
            morpho.supplyCollateral(market, worth, token, b"", sender=author)
        elif kind == "repay" and self.facts.shares:
            shares = max(1, int(self.facts.shares * min(share, 1)))
            morpho.repay(market, 0, shares, token, b"", sender=author)
        elif kind == "collateral":
            collateral.transfer(token, worth, sender=author)
        elif kind == "loan":
            loan.transfer(token, owed, sender=author)
            self.loan_given += owed
        elif kind in {"reserve", "reserve_quote"}:
            asset = self.world.underlying if kind == "reserve" else self.world.quote
            amount = worth if asset.address == collateral.address else owed
            asset.transfer(self.reserve.address, amount, sender=author)
        self.reserve_held = self._reserve()
        self.seen[f"donate: {kind}"] += 1

    def _own(self, author: Any, tokens: int) -> int:
        return min(tokens, self.contract.balanceOf(author))

    def _collateral(self) -> int:
        return self.token.collateral.balanceOf(self.contract.address)

    def check(self, *, free: bool = False) -> None:
        """What holds after every step; `free`: the position may have changed, by the rules."""
        before, after = self.facts, self.book.read()
        held = sum(self.contract.balanceOf(who) for who in self.holders)
        assert held == after.supply, "supply is not what is held"
        loan = self.token.loan.balanceOf(self.contract.address)
        assert loan == self.loan_given, "borrowed tokens are left in the contract"
        if before.supply:
            assert after.supply, "the locked tokens are gone"
        if before.supply and not free:
            collateral = after.collateral * before.supply - before.collateral * after.supply
            shares = after.shares * before.supply - before.shares * after.supply
            assert collateral >= 0, "collateral per token fell"
            assert shares <= 0, "debt per token rose"
        now = self._reserve()
        assert now >= self.reserve_held, "the reserve fell without a rebalance"
        self.reserve_held = now
        self.facts = after
