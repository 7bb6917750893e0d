"""What a token is worth, and what it should do, in exact fractions and not by its own arithmetic.

Everything is read from Morpho, the pool, the feed and the tokens' balances. Prices are raw quote
per raw underlying; worth is in raw quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa

from support.chain.exact import LOWERING, LOWERING_TO_TARGET, RAISING
from support.chain.lending import VIRTUAL_ASSETS, VIRTUAL_SHARES
from support.chain.series import LONG, SHORT, WAD, wad
from support.chain.ticks import ratio_of

DEAD = "0x000000000000000000000000000000000000dEaD"
ONE_TICK = Fraction(2, 10_000)
"""The pool's mean is known to whole ticks, each a basis point: twice that is undecided."""
HAIR = Fraction(1, 10**9)
"""Nearer to a threshold than this nothing is decided here."""


@dataclass(frozen=True)
class Facts:
    """Position, market, supply and pool at one moment; interest accrued up to now."""

    long: bool
    collateral: int
    shares: int
    total_assets: int
    total_shares: int
    lendable: int
    supply: int
    pool_price: Fraction
    liquidity: int

    @property
    def debt(self) -> Fraction:
        """Exactly, not rounded as Morpho rounds it when it is repaid."""
        return Fraction(self.shares * self.total_assets, self.total_shares)

    def legs(self, price: Fraction) -> tuple[Fraction, Fraction]:
        """What collateral and debt are worth at a price."""
        if self.long:
            return self.collateral * price, self.debt
        return Fraction(self.collateral), self.debt * price

    def nav(self, price: Fraction) -> Fraction:
        """Collateral less debt, below zero where it is."""
        collateral, debt = self.legs(price)
        return collateral - debt

    def exposure(self, price: Fraction) -> Fraction:
        """The traded notional held: the underlying leg."""
        return self.legs(price)[0 if self.long else 1]

    def ltv(self, price: Fraction) -> Fraction:
        """Debt over collateral."""
        collateral, debt = self.legs(price)
        return debt / collateral if collateral else Fraction(0)

    def claim(self, tokens: int, price: Fraction) -> Fraction:
        """What tokens are worth redeemed in kind; nobody has to redeem what is worth less."""
        return max(Fraction(0), self.nav(price) * tokens / self.supply) if tokens else Fraction(0)


class Book:
    """Reads the facts of one token, and knows its terms as they were written down."""

    def __init__(self, token: Any) -> None:
        self.token, self.world, self.long = token, token.world, token.long
        terms = {**(LONG if self.long else SHORT)}
        terms = {key: getattr(token.terms, key) or value for key, value in terms.items()}
        self.terms = token.terms
        self.target, self.lower, self.upper, self.emergency = (
            Fraction(str(terms[key]))
            for key in ("target_leverage", "lower", "upper", "emergency_leverage")
        )
        self.slack = Fraction(token.terms.edge_slack) if token.terms.to_edge else Fraction(0)
        self.lltv = Fraction(self.world.setting.lltv, WAD)
        self.fee = Fraction(self.world.pool.fee, 10**6)

    def read(self) -> Facts:
        """Accrue interest, which changes nobody's claims, and read."""
        world, market = self.world, self.token.market
        world.morpho.accrueInterest(tuple(market), sender=world.roles.deployer)
        state = world.morpho.market(market.id)
        _, shares, collateral = world.morpho.position(market.id, self.token.contract.address)
        ratio = ratio_of(world.pool.contract.slot0()[0])
        return Facts(
            self.long,
            collateral,
            shares,
            state[2] + VIRTUAL_ASSETS,
            state[3] + VIRTUAL_SHARES,
            state[0] - state[2],
            self.token.contract.totalSupply(),
            ratio if world.underlying_first else 1 / ratio,
            world.pool.contract.liquidity(),
        )

    @property
    def feed_price(self) -> Fraction:
        """The feed's last answer, raw quote per raw underlying; it may not be good."""
        raw = Fraction(10**self.world.quote_decimals, 10**self.world.underlying_decimals)
        return self.world.feed.answer() * raw / 10**self.world.setting.feed_decimals

    @property
    def told_price(self) -> Fraction:
        """What Morpho is told, as raw quote per raw underlying."""
        told = Fraction(self.token.oracle.price(), 10**36)
        return told if self.long else 1 / told

    def feed_is_good(self) -> bool:
        """Whether its answer can be traded on: positive, not of the future and not too old."""
        feed, now = self.world.feed, boa.env.timestamp
        if feed.fault() or feed.answer() <= 0:
            return False
        updated = feed.updated_at()
        return 0 < updated <= now <= updated + self.terms.max_age

    def wealth(self, facts: Facts, who: Any, price: Fraction) -> Fraction:
        """Both assets and the tokens of somebody, the latter at their claim in kind."""
        underlying, quote = self.world.balances(who)
        held = self.token.contract.balanceOf(who)
        return underlying * price + quote + facts.claim(held, price)

    def danger(self, facts: Facts, price: Fraction) -> Fraction:
        """0 at the band's upper edge, 1 where Morpho liquidates."""
        calm = 1 - 1 / self.upper if self.long else self.upper / (1 + self.upper)
        # in whole units of debt, as Morpho has it repaid: to a position of few units no hair
        worth = facts.collateral * (price if self.long else 1 / price) // 1
        share = (Fraction(-(-facts.debt // 1), max(1, worth)) - calm) / (self.lltv - calm)
        return min(Fraction(1), max(Fraction(0), share))

    def widened(self, facts: Facts, price: Fraction, kind: str) -> Fraction:
        """The tolerance or the deviation at this moment."""
        ends = [wad(getattr(self.terms, f"{kind}_{end}")) for end in ("normal", "maximum")]
        normal, maximum = (Fraction(end, WAD) for end in ends)
        return normal + (maximum - normal) * self.danger(facts, price)

    def limit(self, facts: Facts, price: Fraction, *, up: bool) -> Fraction:
        """Where a rebalance's swap has to stop, as raw quote per raw underlying."""
        room = self.widened(facts, price, "tolerance") - self.fee
        worst = (price if self.long else 1 / price) * (1 + room if up else 1 - room)
        return worst if self.long else 1 / worst

    def decide(self, facts: Facts, price: Fraction) -> tuple[str | None, Fraction]:
        """The trigger and its destination; None where a threshold is too near to say."""
        nav, exposure = facts.nav(price), facts.exposure(price)
        state, now = self.token.state, boa.env.timestamp
        if nav <= 0 or state.minting_closed:
            return "idle", self.target
        leverage = exposure / nav
        lowest, highest = self.target, self.target
        if self.terms.to_edge:
            lowest, highest = self.lower, self.upper
        steps = [self.emergency, lowest, highest, self.upper + self.slack, self.lower - self.slack]
        if state.clip == LOWERING_TO_TARGET:
            steps.append(self.target)
        unsure = any(abs(leverage / step - 1) < HAIR for step in steps)
        clip = "clip" if now >= state.ready_at else "idle"
        name, destination = "idle", self.target
        if leverage >= self.emergency:
            name = "emergency"
        elif state.clip == RAISING and leverage < lowest:
            name, destination = clip, lowest
        elif state.clip == LOWERING and leverage > highest:
            name, destination = clip, highest
        elif state.clip == LOWERING_TO_TARGET and leverage > self.target:
            name, destination = clip, self.target
        elif leverage > self.upper + self.slack:
            name, destination = "band_down", highest
        elif leverage < self.lower - self.slack:
            name, destination = "band_up", lowest
        elif now >= state.last_rebalance + self.terms.fallback_after and not (
            lowest <= leverage <= highest
        ):
            name, destination = "fallback", highest if leverage > highest else lowest
        return None if unsure else name, destination

    def debt_cap(self, facts: Facts) -> Fraction:
        """The debt of which a full delever, twice nav, fits into half of the tolerance."""
        root, base = self.world.pool.contract.slot0()[0], 2**96
        loan_is_0 = int(self.token.loan.address, 16) < int(self.token.collateral.address, 16)
        depth = Fraction(facts.liquidity * base, root)
        if not loan_is_0:
            depth = Fraction(facts.liquidity * root, base)
        sold = (Fraction(str(self.terms.tolerance_maximum)) - self.fee) / 2
        debt_of_nav = self.target - 1 if self.long else self.target
        return depth * sold * debt_of_nav / 2
