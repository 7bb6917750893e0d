"""Laws of auctions: what a premium is, when an auction runs, how much it sells."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rules.auction import (
    AuctionFault,
    auction_fault,
    danger_at,
    guarded_premium,
    jump_between,
    jump_shift,
    liquidation_incentive,
    loan_to_value,
    premium_at,
    premium_beyond_cost,
    taker_wait,
)
from steelyard.rules.auction_clock import (
    AuctionClock,
    arrived_clock,
    auction_began,
    is_fallback_due,
    opened_clock,
)
from steelyard.rules.auction_plan import (
    AuctionBooks,
    AuctionState,
    clock_after_call,
    clock_after_fill,
    plan_auction,
)
from steelyard.rules.auction_size import fill_most, is_fill_taken, rescue_least
from steelyard.rules.decide import MoveTo
from steelyard.rules.numbers import FRACTION
from steelyard.rules.triggers import Trigger
from support.auction_cases import LAUNCHED_S, Auction, Books, auctions, books, clocks
from support.rule_cases import Rule, exact, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY_S = 86_400
PLAIN = Auction()
TERMS = PLAIN.of(FRACTION)
RULE = Rule(
    target=Decimal(3), lower=Decimal("2.6"), upper=Decimal("3.4"), emergency=Decimal("4.8")
).of(FRACTION)
SHORT_RULE = Rule(
    target=Decimal(-1), lower=Decimal("0.8"), upper=Decimal("1.25"), emergency=Decimal(2)
).of(FRACTION)
NOTHING = Fraction(0)
LTVS = written("0.3", "0.99", 4).map(exact)


def books_at(leverage: Fraction, nav: Fraction = Fraction(1_000)) -> AuctionBooks[Fraction]:
    """A long at this leverage, with all that it could borrow and no jump."""
    return AuctionBooks(nav * leverage, nav * (leverage - 1), Fraction(10**9), NOTHING)


# -- the premium ---------------------------------------------------------------------------------


@given(st.integers(0, 4_000), st.integers(0, 4_000), LTVS, LTVS)
def test_a_premium_rises_with_time_and_danger_from_start_to_top(
    one_s: int, other_s: int, one: Fraction, other: Fraction
) -> None:
    """Never falling in either, from what the taker pays to the emergency's top."""
    early, late = sorted((one_s, other_s))
    calm, near = sorted((danger_at(TERMS, one), danger_at(TERMS, other)))
    low, high = premium_at(TERMS, early, calm), premium_at(TERMS, late, near)
    assert -TERMS.start <= low <= high <= TERMS.emergency_top


def test_a_premium_is_what_its_formula_says() -> None:
    """Calm: linear in time. In danger: at once, and its top is the emergency's half way."""
    assert premium_at(TERMS, 0, NOTHING) == Fraction(-5, 1000)
    assert premium_at(TERMS, 600, NOTHING) == Fraction(15, 10_000)
    assert premium_at(TERMS, 1_200, NOTHING) == premium_at(TERMS, 9_999, NOTHING)
    assert premium_at(TERMS, 1_200, NOTHING) == Fraction(8, 1000)
    half_way = (TERMS.calm_ltv + TERMS.threshold) / 2
    assert danger_at(TERMS, TERMS.calm_ltv) == 0
    assert danger_at(TERMS, half_way) == danger_at(TERMS, TERMS.threshold) == 1
    assert danger_at(TERMS, (TERMS.calm_ltv + half_way) / 2) == Fraction(1, 2)
    assert premium_at(TERMS, 0, Fraction(1)) == Fraction(325, 10_000)
    # half the danger: half of the way to a top half way between calm and emergency
    middle = Fraction(8 + 325 // 10, 2000) + Fraction(1, 4000)
    assert premium_at(TERMS, 0, Fraction(1, 2)) == (middle + TERMS.start) / 2 - TERMS.start
    assert loan_to_value(Fraction(5)) == Fraction(4, 5)
    assert loan_to_value(Fraction(-1)) == Fraction(1, 2)


@given(written("1", "4000", 2), written("1", "4000", 2), st.integers(0, 90), LTVS)
def test_a_jump_shifts_against_the_taker_and_fades(
    answer: Decimal, before: Decimal, age_s: int, ltv: Fraction
) -> None:
    """Above 5 % by the jump, at most a half; nothing after a minute or beyond the threshold."""
    jump = jump_between(exact(answer), exact(before))
    assert jump == jump_between(exact(before), exact(answer)) >= 0
    shift = jump_shift(jump, age_s)
    assert 0 <= shift <= min(jump, Fraction(1, 2))
    assert jump_shift(jump, age_s + 1) <= shift
    assert (shift > 0) == (jump > Fraction(1, 20) and age_s < 60)
    if age_s == 0 and Fraction(1, 20) < jump <= Fraction(1, 2):
        assert shift == jump
    left = guarded_premium(TERMS, Fraction(1, 100), shift, ltv)
    assert left == Fraction(1, 100) - (shift if ltv < TERMS.threshold else 0)


def test_the_inequalities_of_an_auction_are_checked_one_by_one() -> None:
    """The suggested figures pass at Morpho's 86 %; each broken inequality is named."""
    target, pool_fee = Fraction(3), Fraction(5, 10_000)
    assert round(float(liquidation_incentive(Fraction(86, 100))), 4) == 0.0438
    assert auction_fault(TERMS, target, 12, pool_fee) == AuctionFault.NONE
    broken = {
        AuctionFault.RANGE: {"start": NOTHING},
        AuctionFault.RISES_TOO_FAST: {"duration_s": 779},
        AuctionFault.CALM_TOP_TOO_LOW: {"calm_top": Fraction(59, 10_000)},
        AuctionFault.EMERGENCY_TOP_TOO_LOW: {"emergency_top": Fraction(299, 10_000)},
        AuctionFault.EMERGENCY_TOP_TOO_HIGH: {"emergency_top": Fraction(44, 1000)},
    }
    for fault, change in broken.items():
        assert auction_fault(TERMS._replace(**change), target, 12, pool_fee) == fault
    assert auction_fault(TERMS._replace(duration_s=780), target, 12, pool_fee) == AuctionFault.NONE
    assert auction_fault(TERMS, Fraction(31), 12, pool_fee) == AuctionFault.GIFT_PAYS
    assert auction_fault(TERMS, Fraction(-30), 12, pool_fee) == AuctionFault.GIFT_PAYS


@given(written("0", "50", 1), written("20", "90", 1), written("0", "1", 3), st.integers(0, 3_000))
def test_a_taker_that_waits_gets_the_premium_of_that_moment(
    start: Decimal, top: Decimal, share: Decimal, delay_s: int
) -> None:
    """Its own cost and what is beyond it are the premium at the moment of its fill."""
    start_, top_, cost = exact(start) / 10_000, exact(top) / 10_000, exact(top * share) / 10_000
    beyond = premium_beyond_cost(start_, top_, cost, delay_s, 1_200)
    wait_s = taker_wait(start_, top_, cost, delay_s, 1_200)
    at_fill = min(top_, (top_ + start_) * wait_s / 1_200 - start_)
    assert cost + beyond == at_fill


# -- the clock -----------------------------------------------------------------------------------


@given(auctions(), clocks(), st.booleans())
def test_the_oldest_running_auction_counts_and_none_is_stale(
    made: tuple[Rule, Auction], at: tuple[AuctionClock, int], raises: bool
) -> None:
    """None is older than two durations, and one of the other direction never counts."""
    (_, auction), (clock, now_s) = made, at
    terms = auction.of(FRACTION)
    began_s = auction_began(terms, clock, raises, now_s)
    assert began_s == -1 or now_s - began_s <= 2 * terms.duration_s
    opened = opened_clock(clock, raises, now_s - 1)
    other = opened_clock(clock, not raises, now_s - 1)
    unopened = AuctionClock(clock.arrived_s, 0, False, 0, Trigger.NONE)
    of_due = auction_began(terms, unopened, raises, now_s)
    assert auction_began(terms, other, raises, now_s) == of_due
    assert auction_began(terms, opened, raises, now_s) == (
        now_s - 1 if of_due == -1 else min(of_due, now_s - 1)
    )


@given(st.integers(0, 20_000))
def test_a_fallback_begins_anew_every_two_durations(since_s: int) -> None:
    """From its known due time, whoever calls when."""
    clock = arrived_clock(LAUNCHED_S)
    now_s = LAUNCHED_S + DAY_S + since_s
    assert is_fallback_due(TERMS, clock, now_s)
    assert not is_fallback_due(TERMS, clock, LAUNCHED_S + DAY_S - 1)
    assert now_s - auction_began(TERMS, clock, True, now_s) == since_s % 2_400


def test_a_daily_rebalance_is_due_at_its_time_and_until_an_arrival() -> None:
    """From 00:02 UTC on, in rounds as a fallback's, and not again before the next day."""
    terms = Auction(fallback_s=0, daily_at_s=120).of(FRACTION)
    midnight = LAUNCHED_S // DAY_S * DAY_S + DAY_S
    clock = arrived_clock(midnight - 5_000)
    drifted = books_at(Fraction(29, 10))
    early = plan_auction(RULE, terms, clock, drifted, False, midnight + 119)
    due = plan_auction(RULE, terms, clock, drifted, False, midnight + 720)
    assert early.state == AuctionState.IDLE
    assert (due.state, due.trigger) == (AuctionState.OPEN, Trigger.DAILY)
    assert due.premium == premium_at(terms, 600, NOTHING)
    after = clock_after_fill(terms, clock, due, due.most, midnight + 720)
    assert after == arrived_clock(midnight + 720)
    later = plan_auction(RULE, terms, after, drifted, False, midnight + DAY_S)
    assert later.state == AuctionState.IDLE


def test_a_gift_across_the_edge_restarts_nothing() -> None:
    """A fallback that runs goes on at its age when leverage leaves the band."""
    clock, now_s = arrived_clock(LAUNCHED_S), LAUNCHED_S + DAY_S + 900
    inside = plan_auction(RULE, TERMS, clock, books_at(Fraction(27, 10)), False, now_s)
    outside = plan_auction(RULE, TERMS, clock, books_at(Fraction(25, 10)), False, now_s)
    assert (inside.trigger, outside.trigger) == (Trigger.FALLBACK, Trigger.BAND)
    assert inside.premium == outside.premium == premium_at(TERMS, 900, NOTHING)


def test_a_partial_fill_keeps_the_clock_less_its_cooldown() -> None:
    """Half of what could be taken costs half a cooldown of age; the rest goes on in the band."""
    terms = Auction(cooldown_s=60).of(FRACTION)
    now_s = LAUNCHED_S + 600
    clock = opened_clock(arrived_clock(LAUNCHED_S), True, LAUNCHED_S)
    plan = plan_auction(RULE, terms, clock, books_at(Fraction(25, 10)), False, now_s)
    clock = clock_after_fill(terms, clock, plan, plan.most / 2, now_s)
    half = books_at(Fraction(275, 100))
    cooling = plan_auction(RULE, terms, clock, half, False, now_s + 59)
    going_on = plan_auction(RULE, terms, clock, half, False, now_s + 60)
    assert cooling.state == AuctionState.COOLING
    assert (going_on.state, going_on.trigger) == (AuctionState.OPEN, Trigger.BAND)
    assert going_on.premium == premium_at(terms, 630, NOTHING)
    # two durations after it began, less half a cooldown, the rest is dropped
    late = plan_auction(RULE, terms, clock, half, False, LAUNCHED_S + 30 + 2_401)
    assert late.state == AuctionState.IDLE
    assert clock_after_call(clock, late).opened_s == 0


def test_an_emergency_knows_no_cooldown_no_suspension_and_no_clip() -> None:
    """At or above the emergency leverage it is on sale at once, whole, to the target."""
    rule = RULE._replace(max_trade_notional=Fraction(10), move_to=int(MoveTo.EDGE_OR_TARGET))
    clock = AuctionClock(LAUNCHED_S, 0, False, LAUNCHED_S + 10, Trigger.EMERGENCY)
    terms = Auction(cooldown_s=600).of(FRACTION)
    plan = plan_auction(rule, terms, clock, books_at(Fraction(5)), True, LAUNCHED_S + 11)
    assert (plan.state, plan.emergency, plan.destination) == (AuctionState.OPEN, True, 3)
    assert plan.most == plan.whole > 1_000
    assert plan.least == plan.most / 100
    calmer = plan_auction(rule, terms, clock, books_at(Fraction(4)), True, LAUNCHED_S + 11)
    assert calmer.state == AuctionState.COOLING
    raising = plan_auction(rule, TERMS, arrived_clock(1), books_at(Fraction(2)), True, LAUNCHED_S)
    assert raising.state == AuctionState.SUSPENDED


@given(auctions(), clocks(), st.data())
def test_a_call_leaves_no_auction_of_the_past(
    made: tuple[Rule, Auction], at: tuple[AuctionClock, int], data: st.DataObject
) -> None:
    """Where nothing is due, or another direction, nothing is open afterwards."""
    (rule, auction), (clock, now_s) = made, at
    found = data.draw(books(rule)).of(FRACTION)
    plan = plan_auction(rule.of(FRACTION), auction.of(FRACTION), clock, found, False, now_s)
    after = clock_after_call(clock, plan)
    if plan.state == AuctionState.IDLE or plan.raises != clock.opened_raises:
        assert (after.opened_s, after.filled_s) == (0, 0)
    else:
        assert after == clock
    assert after.arrived_s == clock.arrived_s


# -- the size ------------------------------------------------------------------------------------


def moved(
    held: AuctionBooks[Fraction], raises: bool, size: Fraction, premium: Fraction, paid: Fraction
) -> tuple[Fraction, Fraction]:
    """Collateral and debt after a fill of which the reserve paid a part."""
    if raises:
        return held.collateral + size, held.debt + size * (1 + premium) - paid
    return held.collateral - size * (1 + premium) + paid, held.debt - size


@given(auctions(), clocks(), st.data(), st.integers(0, 4))
def test_no_fill_goes_across_whatever_the_reserve_pays(
    made: tuple[Rule, Auction], at: tuple[AuctionClock, int], data: st.DataObject, quarters: int
) -> None:
    """Any part of any plan, and any payment up to the cap or gain up to all: nearer, not beyond."""
    (rule, auction), (clock, now_s) = made, at
    terms = auction.of(FRACTION)
    held = data.draw(books(rule)).of(FRACTION)
    plan = plan_auction(rule.of(FRACTION), terms, clock, held, False, now_s)
    if plan.state != AuctionState.OPEN:
        assert plan.most == 0
        return
    nav = held.collateral - held.debt
    size = data.draw(st.sampled_from([plan.least, (plan.least + plan.most) / 2, plan.most]))
    size = min(size, plan.most)
    assert is_fill_taken(size, plan.least, plan.most) == (size > 0)
    premium = plan.premium * size
    cap = nav / 50 if plan.emergency else nav * terms.reserve_cap
    paid = (min(premium, cap) if premium > 0 else premium) * quarters / 4
    collateral, debt = moved(held, plan.raises, size, plan.premium, paid)
    left = collateral - debt
    assert left == nav - premium + paid
    if left <= 0:
        # deep beyond the threshold a whole premium is more than nav: rescues end before that
        assert held.debt / held.collateral > terms.threshold
        return
    goal = abs(plan.destination)
    before, after = (
        (c if rule.target > 0 else d) / (c - d)
        for c, d in ((held.collateral, held.debt), (collateral, debt))
    )
    assert (after - goal) * (before - goal) >= 0
    if size > 0:
        assert abs(after - goal) < abs(before - goal)


@given(
    st.sampled_from([1, -1]),
    st.integers(1, 999),
    st.integers(0, 500),
    st.sampled_from([Fraction(0), Fraction(-1, 10**6), Fraction(1, 10**6)]),
)
def test_a_raise_that_would_lower_leverage_is_not_on_sale(
    side: int, thousandths: int, shift: int, hair: Fraction
) -> None:
    """After a jump nav gains what a taker pays: on sale exactly while leverage still rises."""
    low = Fraction(thousandths, 1_000)
    leverage = 1 + 2 * low if side > 0 else low
    nav = Fraction(1_000)
    collateral = nav * leverage if side > 0 else nav * (leverage + 1)
    begun = opened_clock(arrived_clock(LAUNCHED_S), True, LAUNCHED_S)._replace(
        arrived_s=LAUNCHED_S - DAY_S
    )
    rule = RULE if side > 0 else SHORT_RULE
    # half of the time right at the edge, which is nav / collateral, or a hair beside it
    jump = Fraction(shift, 1_000) if shift % 2 else nav / collateral - TERMS.start + hair
    held = AuctionBooks(collateral, collateral - nav, Fraction(10**9), jump)
    plan = plan_auction(rule, TERMS, begun, held, False, LAUNCHED_S)
    assert plan.raises
    pays = TERMS.start + jump
    # the first unit of a sale whose premium is nav's alone
    grows = (collateral + 1, collateral - nav + 1 - pays)
    after = (grows[0] if side > 0 else grows[1]) / (grows[0] - grows[1])
    assert (plan.state == AuctionState.OPEN) == (after > leverage)
    assert plan.state in (AuctionState.OPEN, AuctionState.JUMPED)
    assert plan.state == AuctionState.OPEN or plan.most == plan.premium == 0


def test_sizes_land_exactly_where_the_reserve_pays_as_assumed() -> None:
    """Up as if it paid nothing, down as if it paid its cap: then leverage is at its destination."""
    for side, leverage, raises, paid_share in (
        (1, 2, True, 0),
        (1, 4, False, 1),
        (-1, 5, False, 1),
    ):
        nav, target, premium = Fraction(1_000), Fraction(3), Fraction(8, 1000)
        multiple = target if side > 0 else target + 1
        exposure = nav * leverage
        cap = nav / 1_000
        size = fill_most(abs(target * nav - exposure), multiple, premium, cap, raises)
        paid = cap * paid_share
        collateral = exposure if side > 0 else exposure + nav
        held = AuctionBooks(collateral, collateral - nav, NOTHING, NOTHING)
        collateral, debt = moved(held, raises, size, premium, paid)
        assert (collateral if side > 0 else debt) / (collateral - debt) == target


@pytest.mark.parametrize(("ltv", "share"), [("0.88", 0.263), ("0.92", 0.662), ("0.965", 0.9805)])
def test_a_rescue_must_end_below_the_threshold(ltv: str, share: float) -> None:
    """At 0.88 from 26.3 % of what is due, at 0.92 from 66.2 %: exactly down to the threshold."""
    held = AuctionBooks(Fraction(1), Fraction(ltv), Fraction(10), NOTHING)
    plan = plan_auction(RULE, TERMS, arrived_clock(LAUNCHED_S), held, False, LAUNCHED_S)
    assert float(plan.least / plan.most) == pytest.approx(share, abs=5e-4)
    least = rescue_least(held.debt, held.collateral, TERMS.threshold, plan.premium, NOTHING)
    assert plan.least == least
    collateral, debt = moved(held, False, least, plan.premium, NOTHING)
    assert debt == TERMS.threshold * collateral


def test_beyond_0_968_only_a_liquidation_is_left() -> None:
    """No fill would end below the threshold there, and none is on sale."""
    for debt, state in (("0.968", AuctionState.OPEN), ("0.969", AuctionState.LOST)):
        held = AuctionBooks(Fraction(1), Fraction(debt), Fraction(10), NOTHING)
        plan = plan_auction(RULE, TERMS, arrived_clock(LAUNCHED_S), held, False, LAUNCHED_S)
        assert plan.state == state
    gone = AuctionBooks(Fraction(1), Fraction(1), Fraction(10), NOTHING)
    plan = plan_auction(RULE, TERMS, arrived_clock(LAUNCHED_S), gone, False, LAUNCHED_S)
    assert plan.state == AuctionState.IDLE


def test_a_raise_takes_no_more_than_can_be_lent() -> None:
    """What is borrowed for it, premium included, is what is there; without any it waits."""
    clock = opened_clock(arrived_clock(LAUNCHED_S), True, LAUNCHED_S)
    held = books_at(Fraction(2))._replace(lendable=Fraction(100))
    plan = plan_auction(RULE, TERMS, clock, held, False, LAUNCHED_S + 1_200)
    assert plan.most * (1 + plan.premium) == 100
    assert clock_after_fill(TERMS, clock, plan, plan.most, LAUNCHED_S + 1_200).filled_s > 0
    none = plan_auction(RULE, TERMS, clock, held._replace(lendable=NOTHING), False, LAUNCHED_S)
    assert none.state == AuctionState.UNLENT


def test_a_band_waits_to_be_opened_and_danger_does_not() -> None:
    """Below the band nothing is sold before ``open``; above it there is a price at once."""
    clock = arrived_clock(LAUNCHED_S)
    low = plan_auction(RULE, TERMS, clock, books_at(Fraction(25, 10)), False, LAUNCHED_S + 1)
    high = plan_auction(RULE, TERMS, clock, books_at(Fraction(36, 10)), False, LAUNCHED_S + 1)
    assert (low.state, high.state) == (AuctionState.UNOPENED, AuctionState.OPEN)
    assert high.premium == premium_at(TERMS, 0, high.danger) > -TERMS.start


@given(st.builds(Books, *(written("1", "9", 2) for _ in range(3))))
def test_what_is_taken_is_all_or_at_least_the_least(held: Books) -> None:
    """Not less than the least part, nothing, or more than is on sale."""
    least, most = sorted((exact(held.collateral), exact(held.debt)))
    assert is_fill_taken(most, least, most)
    assert not is_fill_taken(most + 1, least, most)
    assert not is_fill_taken(NOTHING, least, most)
    assert is_fill_taken(least / 2, least, most) == (least / 2 == most)


# -- a peer's figures ----------------------------------------------------------------------------


@pytest.fixture
def peer(acceptance: Callable[[str], Path]) -> dict[str, Any]:
    """Figures of Seamless' public tests."""
    found: dict[str, Any] = json.loads(acceptance("auction.json").read_text(encoding="utf-8"))
    return found


def test_the_peers_multiplier_is_its_formula(peer: dict[str, Any]) -> None:
    """``min + (initial - min)(1 - x)^4`` on Fraction, as FORMULAS 10 has it: each public case."""
    first, least = Fraction(11, 10), Fraction(1, 10)
    for case in peer["auction"]["cases"]:
        rest = 1 - Fraction(str(case["x"]))
        assert (least + (first - least) * rest**4) * 10**18 == int(case["m"])


def test_the_peers_bound_on_a_rescue_is_a_bound_on_the_premium(peer: dict[str, Any]) -> None:
    """Nav after a fill is nav less its premium: the peer's invalid case pays 2.5 % and one unit."""
    case = peer["pre_liquidation"]["case_invalid"]
    size = Fraction(int(Decimal(case["debt_before"][:-3]) * 10**18))
    reward = Fraction(int(case["reward_bps"]), 10_000)
    allowed = Fraction(case["penalty"][:-3]) * reward
    nav = Fraction(int(Decimal(case["equity_before"][:-3]) * 10**18))
    held = AuctionBooks(nav + size, size, NOTHING, NOTHING)
    collateral, debt = moved(held, False, size, allowed, NOTHING)
    after = int(Decimal(case["equity_after"].split("e18")[0]) * 10**18) - 1
    assert collateral - debt == after + 1
    assert not case["valid"]
