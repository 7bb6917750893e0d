"""The rules on Fraction, asked in the contracts' words: the exact truth for their integers.

Nothing is computed here that ``steelyard.rules`` computes. This page only translates: a series
into the contract's Rule, a trigger into the answer of ``should_rebalance``, and a clip under way
into where it goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Any

from hypothesis import strategies as st

from steelyard.rules.decide import MoveTo, destination_of, is_clip_done
from steelyard.rules.numbers import FRACTION
from steelyard.rules.series import Series
from steelyard.rules.sizing import gap_to
from steelyard.rules.triggers import RebalanceRule, Trigger, first_trigger, is_emergency

WAD = 10**18
NO_CLIP, RAISING, LOWERING, LOWERING_TO_TARGET = range(4)

TEXT = """
schema = 1
symbol = "ETH"
underlying = "ETH/USDC"
quote = "USDC"
target_leverage = {target}
[rebalance]
move_to = "{move_to}"
edge_slack = {slack}
max_trade_notional = {max_trade_notional}
cooldown = "{cooldown}s"
emergency_leverage = {emergency}
[[rebalance.trigger]]
when = "band"
lower = {lower}
upper = {upper}
[[rebalance.trigger]]
when = "fallback"
after = "{fallback_after}s"
[venue]
kind = "spot"
liquidation_threshold = {lltv}
[costs]
impact = "amm"
amm_liquidity = 1.0
amm_fee_bps = {pool_fee_bps}
[reserve]
bears = ["fee", "spread", "impact", "gas"]
floor_ratio = 0.10
resume_ratio = 0.12
"""


def figure(thousandths: int) -> str:
    """A leverage as a series file writes it."""
    return f"{thousandths // 1000}.{thousandths % 1000:03}"


@dataclass(frozen=True)
class Law:
    """One series, as the rules take it and as the contract does.

    Leverages in thousandths: they are the same figure in the file, on Fraction and times 1e18.
    """

    long: bool
    target: int
    lower: int
    upper: int
    emergency: int
    to_edge: bool
    slack: int = 20
    max_trade_notional: int = 0
    cooldown: int = 600
    fallback_after: int = 86_400
    lltv: str = "0.99"
    pool_fee_bps: int = 5

    @property
    def side(self) -> int:
        """1 for a long, -1 for a short."""
        return 1 if self.long else -1

    @cached_property
    def series(self) -> Series:
        """The series, read from its file's text with all the checks of that."""
        written = TEXT.format(
            target=f"{'' if self.long else '-'}{figure(self.target)}",
            move_to="edge" if self.to_edge else "target",
            slack=figure(self.slack),
            max_trade_notional=f"{self.max_trade_notional}.0",
            cooldown=self.cooldown,
            emergency=figure(self.emergency),
            lower=figure(self.lower),
            upper=figure(self.upper),
            fallback_after=self.fallback_after,
            lltv=self.lltv,
            pool_fee_bps=f"{self.pool_fee_bps}.0",
        )
        return Series.loads(written)

    @cached_property
    def rule(self) -> RebalanceRule[Fraction]:
        """The rule of that series on Fraction."""
        return self.series.terms(FRACTION).rule

    @property
    def words(self) -> tuple[Any, ...]:
        """The contract's Rule, made of the rule of the series."""
        return words_of(self.rule)


def words_of(rule: RebalanceRule[Fraction]) -> tuple[Any, ...]:
    """A rule as the contract's Rule: absolute, times 1e18."""
    leverages = (
        abs(rule.target),
        rule.lower,
        rule.upper,
        rule.upper_limit - rule.upper,
        rule.emergency,
    )
    return (*(exactly(each * WAD) for each in leverages), rule.move_to == MoveTo.EDGE)


def exactly(figure: Fraction) -> int:
    """A figure that is a whole number."""
    assert figure.denominator == 1, f"{figure} is not whole"
    return int(figure)


def clip_destination(rule: RebalanceRule[Fraction], clip: int) -> Fraction:
    """Where clips go: a band's to the edge that was left or the target, others to the target."""
    if clip == LOWERING_TO_TARGET:
        return destination_of(rule, Trigger.EMERGENCY, rule.emergency)
    edge = rule.lower if clip == RAISING else rule.upper
    return destination_of(rule, Trigger.BAND, edge)


def decision(
    rule: RebalanceRule[Fraction], nav: Fraction, exposure: Fraction, clip: int, due: int
) -> tuple[str, Fraction]:
    """What `should_rebalance` says by the rules, and the destination; before suspensions.

    ``exposure`` is signed; of ``due`` bit 0 is that the wait between clips is over, bit 1 that the
    fallback is due. "idle" too where the gap is exactly none.
    """
    leverage = exposure / nav
    if is_emergency(rule, leverage):
        return "emergency", destination_of(rule, Trigger.EMERGENCY, leverage)
    if clip != NO_CLIP:
        destination = clip_destination(rule, clip)
        if not is_clip_done(destination, clip == RAISING, leverage):
            return "clip" if due & 1 else "idle", destination
    one = Fraction(1)
    trigger = first_trigger(rule, leverage, one, one, False, False, False, bool(due & 2))
    destination = destination_of(rule, trigger, leverage)
    gap = gap_to(destination, nav, exposure)
    if trigger == Trigger.NONE or gap == 0:
        return "idle", destination
    if trigger == Trigger.FALLBACK:
        return "fallback", destination
    return "band_up" if gap > 0 else "band_down", destination


# -- what is drawn -------------------------------------------------------------------------------

MOST = 2**140
"""Amounts up to here no function refuses: beyond what Morpho's 128 bits hold of any asset."""

AMOUNTS = (
    st.integers(0, 10)
    | st.integers(0, 140).flatmap(lambda n: st.integers(2**n - 1, 2**n))
    | st.builds(
        lambda whole, decimals, rest: whole * 10**decimals + rest,
        st.integers(0, 10**9),
        st.sampled_from([6, 8, 18]),
        st.integers(0, 10),
    )
    | st.integers(0, MOST)
)
"""Raw amounts: dust, powers of two, whole tokens of 6, 8 and 18 decimals, anything."""

HAIR = Fraction(1, 10**12)
APART = tuple(
    sign * (HAIR * near + less)
    for sign in (1, -1)
    for near in (0, 1)
    for less in (0, Fraction(1, 10**15), -Fraction(1, 10**15), Fraction(1, 10**30))
)
"""How far from a threshold: on it, a hair off, and just inside and outside of a hair."""


@st.composite
def laws(draw: st.DrawFn) -> Law:
    """Any series that the contract takes."""
    long = draw(st.booleans())
    # a long without debt is not levered; a short's edges are above nothing
    least = 1_001 if long else 1
    lower = draw(st.integers(least + 1, 9_000))
    target = lower + draw(st.integers(1, 5_000))
    upper = target + draw(st.integers(1, 5_000))
    to_edge = draw(st.booleans())
    slack = draw(st.integers(1, min(lower - least, 500)))
    emergency = upper + slack + draw(st.integers(1, 10_000))
    return Law(long, target, lower, upper, emergency, to_edge, slack)


@st.composite
def positions(draw: st.DrawFn, law: Law) -> tuple[int, int]:
    """Exposure and nav anywhere, at any leverage, or within a hair of a threshold of the law."""
    nav = max(1, draw(AMOUNTS))
    how = draw(st.sampled_from(["near", "exact", "leverage", "any"]))
    if how == "any":
        return draw(AMOUNTS), nav
    if how == "leverage":
        return nav * draw(st.integers(0, 2 * law.emergency)) // 1_000, nav
    rule = law.rule
    edges = (rule.lower_limit, rule.lower, rule.upper, rule.upper_limit, rule.emergency)
    edge = draw(st.sampled_from([abs(rule.target), *edges]))
    if how == "exact":
        # of so many units a hair is a whole number, so that it can be stood on
        nav = draw(st.integers(1, 2**40)) * 1_000 * 10**12 * (10**12 + 1)
        factor = draw(st.sampled_from([Fraction(1), 1 + HAIR, 1 - HAIR, 1 / (1 + HAIR)]))
        return exactly(edge * nav * factor) + draw(st.sampled_from([0, 0, 1, -1])), nav
    exposure = floor(edge * nav * (1 + draw(st.sampled_from(APART)))) + draw(st.integers(-1, 1))
    return max(0, exposure), nav


def down(figure: Fraction) -> int:
    """Rounded down."""
    return floor(figure)


def up(figure: Fraction) -> int:
    """Rounded up."""
    return ceil(figure)
