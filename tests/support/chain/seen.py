"""A token on the chain as the rules see it: its own position and price, on Fraction.

Everything is in debt units, the numeraire of the contract; the rules know no numeraire. Only what
a series says in quote, the largest clip, is put into it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

import boa

from steelyard.rules.costs import cost_curve
from steelyard.rules.decide import Outcome, Plan, TradeLimits, plan_trade
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import FRACTION
from steelyard.rules.sizing import Payers, gap_to, is_nothing_to_trade
from steelyard.rules.triggers import RebalanceRule, Trigger
from support.chain.exact import Law, decision

if TYPE_CHECKING:
    from support.chain.series import Token

SCALE = 10**36
NO_LIMITS = TradeLimits(Fraction(0), Fraction(0), False, Fraction(0))
TRIGGERS = {
    "emergency": Trigger.EMERGENCY,
    "fallback": Trigger.FALLBACK,
    "band_up": Trigger.BAND,
    "band_down": Trigger.BAND,
    "clip": Trigger.BAND,
}


@dataclass(frozen=True)
class Due:
    """What the rules say should be done: the contract's word for it, and the plan."""

    name: str
    plan: Plan[Fraction] | None


class Seen:
    """What `state()` says at this moment, as the rules take it."""

    def __init__(self, token: Token, law: Law) -> None:
        self.token, self.law = token, law
        self.state: Any = token.contract.state()
        self.held: Any = self.state.position
        self.now = boa.env.timestamp
        self.price = price = Fraction(self.state.price, SCALE)
        """Debt units per collateral unit."""
        self.quote_per_underlying = price if law.long else 1 / price
        if law.long:
            self.cash, self.units = Fraction(-self.held.debt), Fraction(self.held.collateral)
        else:
            self.cash, self.units = Fraction(self.held.collateral), Fraction(-self.held.debt)
        value = floor(self.held.collateral * price)
        """The contract's own: the collateral in whole debt units."""
        self.nav = Fraction(value - self.held.debt)
        self.exposure = Fraction(value if law.long else -self.held.debt)
        self.unit = max(Fraction(1), price)
        """A unit of the coarser of collateral and debt, in debt units."""

    @property
    def exact_nav(self) -> Fraction:
        """Net asset value in raw quote, nothing rounded."""
        return nav_of(self.cash, self.units, self.quote_per_underlying)

    @property
    def exact_leverage(self) -> Fraction:
        """Signed leverage, nothing rounded."""
        return leverage_of(self.cash, self.units, self.quote_per_underlying)

    @property
    def quote(self) -> Fraction:
        """One unit of quote in debt units."""
        return Fraction(1) if self.law.long else 1 / self.quote_per_underlying

    @property
    def underlying(self) -> Fraction:
        """One unit of the underlying in debt units."""
        return self.quote_per_underlying if self.law.long else Fraction(1)

    def standing(self) -> tuple[bool, Fraction]:
        """Whether raising is suspended, and what the reserve would pay, in debt units."""
        suspended, available = self.token.fund.reserve.standing(self.token.contract.address)
        return suspended, available * self.underlying

    def rule(self) -> RebalanceRule[Fraction]:
        """The series' rule, its largest clip in debt units."""
        rule = self.law.rule
        raw = 10**self.token.world.quote_decimals * self.quote
        return rule._replace(max_trade_notional=rule.max_trade_notional * raw)

    def pool_side(self) -> Fraction:
        """The pool's liquidity on its quote side at its price, in debt units."""
        pool = self.token.world.pool.contract
        liquidity, root = pool.liquidity(), Fraction(pool.slot0()[0], 2**96)
        first = self.token.world.underlying_first
        return (liquidity * root if first else liquidity / root) * self.quote

    def due(self) -> Due:
        """The decision and the plan of the rules: `plan_trade`, in a pool of constant product."""
        state, law = self.state, self.law
        ready = self.now >= state.ready_at
        stale = self.now >= state.last_rebalance + law.fallback_after
        name, destination = decision(
            law.rule, self.nav, self.exposure, state.clip, ready + 2 * stale
        )
        gap = abs(gap_to(destination, self.nav, self.exposure))
        # in whole debt units; fewer than four units of either asset are not swapped
        few = floor(gap) < 4 * max(Fraction(1), self.price)
        nothing = few or is_nothing_to_trade(Fraction(floor(gap)), self.nav)
        if name == "idle" or nothing:
            return Due("idle", None)
        rates = law.series.terms(FRACTION).rates._replace(amm_liquidity=self.pool_side())
        suspended, available = self.standing()
        payers = Payers(cost_curve(rates, False), cost_curve(rates, True), available)
        plan = plan_trade(
            self.rule(),
            rates,
            payers,
            NO_LIMITS,
            TRIGGERS[name],
            destination,
            self.nav,
            self.exposure,
            suspended,
            FRACTION.sqrt,
        )
        return Due(name if plan.outcome == Outcome.TRADE else "idle", plan)
