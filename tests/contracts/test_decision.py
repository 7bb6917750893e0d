"""The decision on integers is the rules' on fractions, rounded in the named direction."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, Phase, assume, event, given, settings
from hypothesis import strategies as st

from steelyard.rules.auction import AuctionTerms, loan_to_value
from steelyard.rules.auction_clock import AuctionClock
from steelyard.rules.auction_plan import AuctionBooks, AuctionPlan, AuctionState, plan_auction
from steelyard.rules.decide import MoveTo
from steelyard.rules.triggers import RebalanceRule, Trigger
from support.chain.deploying import deploy_source
from support.chain.series import CONTRACTS, DAY, NEVER, SCALE, WAD, Terms, wad

NOW = 2_000_000_000
THRESHOLD = wad("0.86")
HALF = Fraction(1, 2)
"""The most that a jump takes off."""
FEW = settings(
    max_examples=300,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TERMS = (
    Terms(long=True, daily_at=3_600),
    Terms(long=False),
    Terms(long=True, to_edge=True, edge_slack="0.05", largest_clip=1_000),
    Terms(long=False, to_edge=True, edge_slack="0.02", largest_clip=1_000, daily_at=0),
    Terms(long=True, target=2, lower="1.8", upper="2.3", emergency="3.5", cooldown=600),
)


@pytest.fixture(scope="module")
def decision() -> Any:
    """The contract."""
    return deploy_source(CONTRACTS / "Decision.vy")


def terms_words(terms: Terms) -> tuple[Any, ...]:
    """Terms as the contract takes them; a clip in raw quote of 6 decimals."""
    names = ("target", "lower", "upper", "edge_slack")
    return (
        terms.long,
        *(wad(terms.figure(name)) for name in names),
        terms.to_edge,
        *(wad(terms.figure(n)) for n in ("emergency", "start", "calm_top", "emergency_top")),
        terms.duration,
        terms.fallback_after,
        terms.daily_at,
        terms.cooldown,
        int(Fraction(str(terms.largest_clip)) * 10**6),
        wad(terms.account_rate),
    )


def rule_of(terms: Terms, clip: Fraction) -> RebalanceRule[Fraction]:
    """Terms as the rules take them."""
    sign = 1 if terms.long else -1
    figures = {name: Fraction(str(terms.figure(name))) for name in ("target", "lower", "upper")}
    slack = Fraction(str(terms.edge_slack))
    return RebalanceRule(
        target=sign * figures["target"],
        move_to=MoveTo.EDGE_OR_TARGET if terms.to_edge else MoveTo.TARGET,
        recentering_speed=Fraction(0),
        has_band=True,
        has_lower=True,
        lower=figures["lower"],
        upper=figures["upper"],
        lower_limit=figures["lower"] - slack,
        upper_limit=figures["upper"] + slack,
        has_emergency=True,
        emergency=Fraction(str(terms.figure("emergency"))),
        has_move=False,
        move_threshold=Fraction(0),
        move_losing_side_only=False,
        max_trade_notional=clip,
    )


def auction_of(terms: Terms) -> AuctionTerms[Fraction]:
    """Their auction as the rules take it."""
    where = Fraction(str(terms.figure("upper"))) + Fraction(str(terms.edge_slack))
    return AuctionTerms(
        start=Fraction(terms.start),
        calm_top=Fraction(terms.calm_top),
        emergency_top=Fraction(terms.emergency_top),
        duration_s=terms.duration,
        cooldown_s=terms.cooldown,
        fallback_s=terms.fallback_after,
        daily_at_s=-1 if terms.daily_at == NEVER else terms.daily_at,
        calm_ltv=loan_to_value(where if terms.long else -where),
        threshold=Fraction(THRESHOLD, WAD),
        reserve_cap=Fraction(terms.account_rate),
    )


clocks = st.tuples(
    st.integers(0, 3 * DAY),
    st.none() | st.integers(-600, 3_000),
    st.booleans(),
    st.booleans(),
    st.sampled_from([2, 3, 7, 8]),
)


def close_below(integer: int, truth: Fraction, slack: Fraction) -> bool:
    """Whether an integer is the truth, rounded down."""
    return truth - slack <= integer <= truth


@given(
    terms=st.sampled_from(TERMS),
    leverage=st.integers(300, 7_000),
    nav=st.integers(10**6, 10**16),
    price=st.integers(10**8, 10**10),
    jump=st.sampled_from([0, wad("0.06"), wad("0.7")]),
    lendable=st.sampled_from([0, 10**7, 10**40]),
    clock=clocks,
    suspended=st.booleans(),
)
@FEW
def test_the_decision_is_the_rules(
    decision: Any,
    terms: Terms,
    leverage: int,
    nav: int,
    price: int,
    jump: int,
    lendable: int,
    clock: Any,
    suspended: bool,
) -> None:
    """State, trigger, direction, clock, premium and sizes, for any position, clock and terms."""
    boa.env.timestamp = NOW
    ratio = Fraction(leverage, 1_000)
    assume(not terms.long or ratio > 1)
    # raw debt per raw collateral, of an asset of 18 and one of 6 decimals
    raw = price * 10**16 if terms.long else SCALE * 10**16 // price
    value = int(nav * ratio) if terms.long else int(nav * (1 + ratio))
    collateral = value * SCALE // raw
    value = collateral * raw // SCALE
    debt = value - nav
    assume(value > debt >= 0)
    arrived, opened, up, filled, trigger = clock
    began = 0 if opened is None else NOW - opened
    filled_at = NOW - opened - terms.cooldown if opened is not None and filled else 0
    if opened is not None and opened < 0:
        filled_at = NOW - 1
    facts = (
        collateral, debt, raw, jump, THRESHOLD, lendable, suspended,
        NOW - arrived, began, up, filled_at, trigger if filled_at else 0, 0,
    )  # fmt: skip
    plan = decision.decide(terms_words(terms), facts)
    clip = Fraction(int(Fraction(terms.largest_clip) * 10**6))
    if not terms.long:
        clip = Fraction(int(clip) * raw // SCALE)
    truth = plan_auction(
        rule_of(terms, clip),
        auction_of(terms),
        AuctionClock(NOW - arrived, began, up, filled_at, trigger if filled_at else 0),
        AuctionBooks(
            Fraction(value),
            Fraction(debt),
            Fraction(lendable),
            min(Fraction(jump, WAD), HALF),
        ),
        suspended,
        NOW,
    )
    event(AuctionState(truth.state).name)
    # from beyond the threshold the least divides by 1 - threshold * (1 + premium)
    over = 1 - auction_of(terms).threshold * (1 + truth.premium)
    steep = 1 / over if debt > value * auction_of(terms).threshold else Fraction(0)
    same(plan, truth, Fraction(nav), auction_of(terms), steep)
    if truth.state == AuctionState.OPEN:
        # of a rise from far below the band nothing is paid
        assert plan.pays == (not plan.up or plan.leverage * 5 >= wad(terms.figure("lower")) * 4)


def same(
    plan: Any,
    truth: AuctionPlan[Fraction],
    nav: Fraction,
    auction: AuctionTerms[Fraction],
    steep: Fraction,
) -> None:
    """A plan of the contract is the rules', rounded down; ``steep`` is what a rescue divides by."""
    assert (plan.state, plan.trigger) == (truth.state, truth.trigger)
    if truth.trigger == Trigger.NONE:
        return
    assert (plan.emergency, plan.up) == (truth.emergency, truth.raises)
    assert plan.began == max(truth.began_s, 0)
    assert abs(Fraction(plan.destination, WAD) - abs(truth.destination)) <= Fraction(1, WAD)
    # two loan-to-values are rounded by a unit, and their difference is divided by this
    unit = 2 / (auction.threshold - auction.calm_ltv)
    assert close_below(plan.danger, truth.danger * WAD, 2 * unit + 1)
    if truth.state != AuctionState.OPEN:
        return
    assert close_below(plan.premium, truth.premium * WAD, Fraction(6))
    slack = 3 + nav * 100 / WAD
    assert abs(plan.gap - truth.gap) <= slack
    assert truth.whole - slack <= plan.whole <= truth.whole + slack
    assert truth.most - slack <= plan.most <= truth.most + slack
    assert abs(plan.least - truth.least) <= slack + 2 * steep


def test_a_gap_of_a_unit_may_be_open_with_nothing_to_take(decision: Any) -> None:
    """Found by 2,000 examples of the stateful test.

    Scenario: a long's fallback is due, its leverage is off the target by a raw unit of quote, and
    the feed has jumped so far that half of the price is taken off.
    Property: the plan is open and its sizes are rounded down to none; the rules have less than one.
    """
    boa.env.timestamp = NOW
    terms, jump = TERMS[0], wad("1.170884490481522334")
    raw, due = 2_000_131_459_250_000_000_000_000_000, NOW - 5_184_024
    collateral, debt = 30 * WAD, 40_002_629_185
    facts = (collateral, debt, raw, jump, THRESHOLD, 10**14, False, due, 0, False, 0, 0, due)
    plan = decision.decide(terms_words(terms), facts)
    assert (plan.state, plan.gap) == (AuctionState.OPEN, 1)
    assert plan.whole == plan.most == plan.least == 0
    truth = plan_auction(
        rule_of(terms, Fraction(0)),
        auction_of(terms),
        AuctionClock(due, 0, False, 0, 0),
        AuctionBooks(Fraction(collateral * raw // SCALE), Fraction(debt), Fraction(10**14), HALF),
        False,
        NOW,
    )
    assert truth.state == AuctionState.OPEN
    assert 0 < truth.whole < 1


def test_no_size_goes_across(decision: Any) -> None:
    """Sizes are rounded so that the fill that takes them all stays on its side: see the fills."""
    boa.env.timestamp = NOW
    for terms in TERMS[:2]:
        raw = 2 * 10**27 if terms.long else SCALE // (2 * 10**9) * 10**18
        for value in (10**9 + 7, 10**15 + 1):
            debt = value * 3 // 4 if terms.long else value * 3 // 5
            facts = (
                value * SCALE // raw,
                debt,
                raw,
                0,
                THRESHOLD,
                10**40,
                False,
                NOW,
                NOW - 900,
                False,
                0,
                0,
                0,
            )
            plan = decision.decide(terms_words(terms), facts)
            assert plan.state == AuctionState.OPEN
            assert 0 < plan.least <= plan.most <= plan.whole
