"""Nobody profits from the reserve: an attacker who mints, redeems, gifts and fills at will.

Each law is a function of one case, so that a planted fault can be looked for with the very same
check. The proofs in words are in ``docs/explanation/what-a-reserve-loses.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from steelyard.rules.accruals import DAY_S, WEEK_S
from steelyard.rules.auction import AuctionFault, auction_fault
from steelyard.rules.numbers import FRACTION
from steelyard.rules.reserve_account import (
    CommonPart,
    ReserveAccount,
    most_reserve_cap,
    settle_premium,
)
from steelyard.rules.supply_mean import mean_after
from support.auction_cases import Auction
from support.auction_model import NOTHING, SOUND, Faults, Token, account_of, common_of, launched
from support.page_figures import RESERVES, stated
from support.rule_cases import Rule

HUGE_MULTIPLES = [Fraction(n, 100) for n in (1, 10, 50, 100, 300, 1_000, 10_000, 1_000_000)]
PARTS = [Fraction(1, 100), Fraction(1, 10), Fraction(1, 5), Fraction(1, 2), Fraction(1)]
TIMES_S = [0, 12, 600, 1_200, 3_600, DAY_S, 5 * DAY_S, 400 * DAY_S]


class Case(NamedTuple):
    """A series as it stands before an attack."""

    long: bool
    target: int
    width: Fraction
    """Of the band, as a share of the target to either side."""
    leverage: Fraction
    """Over the target."""
    mean_share: Fraction
    account: Fraction
    waited_s: int


def token_of(case: Case, faults: Faults = SOUND) -> Token:
    """The series of a case; the reserve pays as much as the bound on K allows."""
    target, width = Decimal(case.target), Decimal(int(case.width * 100)) / 100
    lower, upper = target * (1 - width), target * (1 + width)
    signed = target if case.long else -target
    rule = Rule(target=signed, lower=lower, upper=upper, emergency=target * Decimal("1.6"))
    auction = Auction(target=signed, upper=upper, threshold=Decimal("0.9"))
    fee, share = Fraction(1, 1000), Fraction(3, 4)
    cap = most_reserve_cap(share, fee, Fraction(lower), Fraction(target))
    return launched(
        rule.of(FRACTION),
        auction.of(FRACTION)._replace(reserve_cap=cap),
        nav=Fraction(1000),
        leverage=case.target * case.leverage,
        mean_share=case.mean_share,
        account=case.account,
        common=Fraction(200),
        fee=fee,
        reserve_share=share,
        waited_s=case.waited_s,
        faults=faults,
    )


@st.composite
def cases(draw: st.DrawFn, lowest: int = 60, highest: int = 112) -> Case:
    """Series of 1,000 honest nav, between far below the band and just above it."""
    return Case(
        long=draw(st.booleans()),
        target=draw(st.sampled_from([2, 3])),
        width=Fraction(draw(st.sampled_from([8, 13, 20])), 100),
        leverage=Fraction(draw(st.integers(lowest, highest)), 100),
        mean_share=Fraction(draw(st.integers(0, 4)), 4),
        account=Fraction(draw(st.sampled_from([0, 30, 120, 250, 1_000, 10**9]))),
        waited_s=draw(st.sampled_from([0, 3_600, DAY_S, DAY_S + 1_199, DAY_S + 2_000])),
    )


# -- (a) one fill --------------------------------------------------------------------------------


def around_one_fill(attack: tuple[Case, Fraction, int, Fraction], faults: Faults) -> bool:
    """Whether entering, holding for any time, one fill and leaving bring nothing."""
    case, multiple, held_s, part = attack
    token = token_of(case, faults)
    token.mint(multiple * token.supply)
    token.wait(held_s)
    token.open()
    token.wait(1_200)
    token.fill(part)
    token.redeem(token.own)
    return token.cover <= token.fees


AROUND = st.tuples(
    cases(), st.sampled_from(HUGE_MULTIPLES), st.sampled_from(TIMES_S), st.sampled_from(PARTS)
)


@given(AROUND)
def test_minting_around_a_fill_brings_nothing(
    attack: tuple[Case, Fraction, int, Fraction],
) -> None:
    """Whatever is minted, for however long: its part of the payment is at most its fees."""
    assert around_one_fill(attack, SOUND)


@given(AROUND)
def test_a_flash_mint_changes_a_fill_by_its_cover_less_its_fees(
    attack: tuple[Case, Fraction, int, Fraction],
) -> None:
    """To the last digit: all else of what a fill brings, it brings without minting as well."""
    case, multiple, _, part = attack
    gains = []
    for minted in (NOTHING, multiple):
        token = token_of(case)
        token.open()
        token.wait(1_200)
        before = token.wealth
        token.mint(minted * token.supply)
        token.fill(part)
        token.redeem(token.own)
        gains.append(token.wealth - before - (token.cover - token.fees))
    assert gains[0] == gains[1]


# -- C1: one transaction at the target -----------------------------------------------------------

STEPS = st.one_of(
    st.tuples(st.just("mint"), st.sampled_from(HUGE_MULTIPLES)),
    st.tuples(st.just("redeem"), st.sampled_from(PARTS)),
    st.tuples(st.just("repay"), st.sampled_from([*PARTS, *(part / 100 for part in PARTS)])),
    st.tuples(st.just("supply"), st.sampled_from([*PARTS, *(part / 100 for part in PARTS)])),
    st.tuples(st.just("fill"), st.sampled_from(PARTS)),
    st.tuples(st.just("open"), st.just(NOTHING)),
)
WAITS = st.tuples(
    st.just("wait"), st.sampled_from([12, 600, 1_200, 2_400, 3_600, DAY_S, 4 * DAY_S])
)
DRIFTS = st.tuples(st.just("drift"), st.sampled_from([Fraction(n, 100) for n in range(70, 126, 5)]))


def act(token: Token, step: tuple[str, Any]) -> None:
    """Do one step of an attack, where it can be done."""
    kind, size = step
    if kind == "mint":
        token.mint(size * token.supply)
    elif kind == "redeem" and token.own > 0:
        token.redeem(size * token.own)
    elif kind in ("repay", "supply"):
        token.gift(size * token.nav, kind == "repay")
    elif kind == "fill":
        token.fill(size)
    elif kind == "open":
        token.open()
    elif kind == "wait":
        token.wait(size)
    elif kind == "drift":
        token.drift(size * abs(token.rule.target))


def leave(token: Token) -> None:
    """Redeem all that the attacker has."""
    if token.own > 0:
        token.redeem(token.own)


def in_one_transaction(attack: tuple[Case, list[Any]], faults: Faults) -> bool:
    """Whether one transaction at the target loses money, however old the fallback is."""
    case, steps = attack
    token = token_of(case._replace(leverage=Fraction(1)), faults)
    before = token.wealth
    for step in steps:
        act(token, step)
    leave(token)
    return token.wealth <= before


IN_ONE = st.tuples(cases(), st.lists(STEPS, min_size=1, max_size=8))


@given(IN_ONE)
def test_nothing_is_made_of_nothing_in_one_transaction(attack: tuple[Case, list[Any]]) -> None:
    """At the target, with flash loans and gifts, and with a fallback due at its top: no profit."""
    assert in_one_transaction(attack, SOUND)


# -- (b) days ------------------------------------------------------------------------------------


def over_days(attack: tuple[Case, list[Any]], faults: Faults) -> bool:
    """Whether any course of steps over days brings at most K / 7 a day of what was held."""
    case, steps = attack
    token = token_of(case, faults)
    for step in steps:
        act(token, step)
    leave(token)
    return token.cover <= token.fees + token.terms.reserve_cap / 7 * token.held


OVER_DAYS = st.tuples(
    cases(), st.lists(st.one_of(STEPS, STEPS, WAITS, DRIFTS), min_size=2, max_size=16)
)
HELD_FOR_DAYS = st.builds(
    lambda case, multiple, held_s, rounds: (
        case,
        [
            ("mint", multiple),
            ("wait", held_s),
            *(
                step
                for away, between_s in rounds
                for step in (
                    ("drift", away),
                    ("open", NOTHING),
                    ("wait", 1_200),
                    ("fill", Fraction(1)),
                    ("wait", between_s),
                )
            ),
        ],
    ),
    cases(),
    st.sampled_from(HUGE_MULTIPLES),
    st.sampled_from([0, DAY_S, 400 * DAY_S]),
    st.lists(
        st.tuples(
            st.sampled_from([Fraction(n, 100) for n in (75, 80, 85)]),
            st.sampled_from([12, DAY_S, 2 * DAY_S]),
        ),
        min_size=1,
        max_size=6,
    ),
)


@given(OVER_DAYS | HELD_FOR_DAYS)
def test_holding_for_days_brings_at_most_a_seventh_of_k_a_day(
    attack: tuple[Case, list[Any]],
) -> None:
    """The attacker's part of all payments is at most its fees and K / 7 a day of what it held.

    Mints, redemptions, gifts, fills and moves in any order.
    """
    assert over_days(attack, SOUND)


# -- (c) an emergency ----------------------------------------------------------------------------


def before_an_emergency(
    attack: tuple[Case, Fraction, int, Fraction, list[Fraction]],
    faults: Faults,
    reserve_share: Fraction = Fraction(1),
    most: Fraction = Fraction(35, 10_000),
) -> bool:
    """Whether entering inside the band just before an emergency brings at most 0.35 %."""
    case, multiple, held_s, fallen_to, parts = attack
    token = token_of(
        case._replace(long=True, target=3, width=Fraction(13, 100), mean_share=Fraction(1)), faults
    )
    token.terms = token.terms._replace(reserve_cap=CAP)
    token.reserve_share = reserve_share
    token.mint(multiple * token.supply)
    token.wait(held_s)
    token.crash(fallen_to)
    honest = token.nav * (1 - token.share)
    for part in parts:
        token.fill(part)
        token.wait(12)
    leave(token)
    return token.cover - token.fees <= honest * most


BEFORE_EMERGENCY = st.tuples(
    cases(88, 112),
    st.sampled_from([Fraction(n, 100) for n in (5, 20, 40, 50, 60, 70, 100, 300, 1_000, 100_000)]),
    st.sampled_from([0, 12, 60]),
    st.sampled_from([Fraction(24, 5), Fraction(6), Fraction(8)]),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=6),
)


@given(BEFORE_EMERGENCY)
def test_entering_before_an_emergency_brings_a_third_of_a_percent(
    attack: tuple[Case, Fraction, int, Fraction, list[Fraction]],
) -> None:
    """At most 0.35 % of the honest nav, however much enters and however the fills are cut.

    Of somebody who gets a quarter of all fees back, 0.38 %.
    """
    assert before_an_emergency(attack, SOUND)
    assert before_an_emergency(attack, SOUND, Fraction(3, 4), Fraction(38, 10_000))


# -- (d) gifts -----------------------------------------------------------------------------------


def gift_before_a_fill(attack: tuple[Case, Fraction, bool], premium: Fraction | None) -> bool:
    """Whether a gift before a fill brings its giver less than the fill without it."""
    case, amount, as_debt = attack
    wealth = []
    for given_away in (NOTHING, amount):
        token = token_of(case)
        if premium is not None:
            token.terms = token.terms._replace(calm_top=premium, reserve_cap=Fraction(1))
        token.open()
        token.wait(1_200)
        token.gift(given_away * token.nav, as_debt)
        token.open()
        for _ in range(4):
            token.fill(Fraction(1))
            token.wait(DAY_S + 1_200)
        wealth.append(token.wealth)
    return wealth[1] < wealth[0]


GIFTS = st.tuples(cases(), st.sampled_from([*PARTS, Fraction(1, 10_000)]), st.booleans())


@given(GIFTS)
def test_no_gift_pays(attack: tuple[Case, Fraction, bool]) -> None:
    """What a gift adds to a fill's premium is less than the gift: premium x collateral < 1."""
    assert gift_before_a_fill(attack, None)


def test_a_premium_at_which_a_gift_would_pay_is_refused_and_would() -> None:
    """At one over the collateral per nav a gift pays: the factory's inequality is not for show."""
    dear = Auction(calm_top=Decimal("0.34"), emergency_top=Decimal("0.34"), duration_s=10**6)
    terms = dear.of(FRACTION)._replace(threshold=Fraction(1, 5), calm_ltv=Fraction(1, 10))
    assert auction_fault(terms, Fraction(3), 12, NOTHING) == AuctionFault.EMERGENCY_TOP_TOO_HIGH
    terms = terms._replace(emergency_top=Fraction(1, 8), calm_top=Fraction(1, 8))
    assert auction_fault(terms, Fraction(9), 12, NOTHING) == AuctionFault.GIFT_PAYS
    rich = Case(True, 3, Fraction(13, 100), Fraction(1), Fraction(1), Fraction(10**9), DAY_S)
    assert gift_before_a_fill((rich, Fraction(1, 100), True), None)
    assert not gift_before_a_fill((rich, Fraction(1, 100), True), Fraction(2, 5))


# -- (e) what a series receives in a day ---------------------------------------------------------


class Payment(NamedTuple):
    """One fill of one of three series."""

    series: int
    after_s: int
    premium: Fraction
    worth: Fraction
    share: Fraction
    emergency: bool


PAYMENTS = st.lists(
    st.builds(
        Payment,
        st.integers(0, 2),
        st.sampled_from([0, 12, 3_600, 43_200, DAY_S - 1, DAY_S, 3 * DAY_S]),
        st.sampled_from([Fraction(n) for n in (-50, -1, 1, 2, 10, 100, 10_000)]),
        st.sampled_from([Fraction(n) for n in (100, 1_000, 20_000)]),
        st.sampled_from([Fraction(1, 10), Fraction(1)]),
        st.booleans(),
    ),
    min_size=1,
    max_size=20,
)
CAP = Fraction(1, 1000)


class Paid(NamedTuple):
    """What one fill was paid, and the reserve before and after it."""

    at_s: int
    payment: Payment
    own: Fraction
    common: Fraction
    accounts_before: tuple[ReserveAccount[Fraction], ...]
    accounts_after: tuple[ReserveAccount[Fraction], ...]
    common_before: CommonPart[Fraction]
    common_after: CommonPart[Fraction]


def pay_all(payments: list[Payment], forgets: bool = False) -> list[Paid]:
    """Settle fills of three series in turn; ``forgets`` is a reserve without a memory."""
    now_s = 1_700_000_000
    accounts = [account_of(Fraction(held), now_s) for held in (0, 200, 100_000)]
    common = common_of(Fraction(400), now_s)
    rows = []
    for payment in payments:
        now_s += payment.after_s
        before, common_before = tuple(accounts), common
        account = accounts[payment.series]
        if forgets:
            account = account._replace(paid=NOTHING, rescued=NOTHING)
            common = common._replace(drawn=NOTHING)
        made = settle_premium(account, common, *payment[2:5], CAP, payment.emergency, now_s)
        accounts[payment.series], common = made.account, made.common
        drawn = common_before.held - common.held
        rows.append(
            Paid(
                now_s,
                payment,
                before[payment.series].held - made.account.held,
                drawn,
                before,
                tuple(accounts),
                common_before,
                common,
            )
        )
        assert made.paid == rows[-1].own + drawn, "the books do not add up"
    return rows


def within_a_day(payments: list[Payment], forgets: bool = False) -> bool:
    """Whether in any 24 hours each series gets at most what it may, and all of them together."""
    rows = pay_all(payments, forgets)
    for first in range(len(rows)):
        day = [row for row in rows[first:] if row.at_s < rows[first].at_s + DAY_S]
        for series in range(3):
            mine = [row for row in day if row.payment.series == series]
            largest = max((row.payment.worth for row in mine), default=NOTHING)
            calm = [row.own for row in mine if not row.payment.emergency and row.own > 0]
            rescue = [
                row.own + row.common
                for row in mine
                if row.payment.emergency and row.payment.premium > 0
            ]
            if sum(calm) > CAP * Fraction(8, 7) * largest or sum(rescue) > largest / 50:
                return False
        came_in = sum(max(-row.common, NOTHING) for row in day)
        drawn = sum(max(row.common, NOTHING) for row in day)
        if drawn > (day[0].common_before.held + came_in) / 4:
            return False
    return True


@given(PAYMENTS)
def test_a_day_pays_a_series_at_most_its_caps(payments: list[Payment]) -> None:
    """In any 24 hours K x 8/7 of its largest W, and in emergencies 2 % of it.

    Of the common part it is a quarter for all series together.
    """
    assert within_a_day(payments)


@given(PAYMENTS)
def test_a_series_costs_others_nothing_outside_an_emergency(payments: list[Payment]) -> None:
    """No fill touches another account; only an emergency's takes from the common part."""
    for row in pay_all(payments):
        for series in range(3):
            if series != row.payment.series:
                assert row.accounts_after[series] == row.accounts_before[series]
        if not row.payment.emergency:
            assert row.common_after.held >= row.common_before.held


# -- (f) forcing a suspension --------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(1, 40_000), st.integers(0, 1_000)), min_size=1, max_size=30),
    st.sampled_from([Fraction(11, 100), Fraction(12, 100), Fraction(25, 100)]),
)
def test_a_suspension_costs_at_least_its_formula(
    path: list[tuple[int, int]], level: Fraction
) -> None:
    """Whatever capital comes and goes: ``2 fee (l / 0.1 - 1) N / (1 - exp(-y / T))``.

    That is the round trip of its largest amount, where it brings the level to 10 %.
    """
    honest, held, fee = Fraction(100), level * 100, Fraction(1, 1000)
    mean, elapsed_s, most = honest, 0, 0
    for seconds, more in path:
        mean = mean_after(mean, honest + more, seconds, WEEK_S)
        elapsed_s, most = elapsed_s + seconds, max(most, more)
        if held < mean / 10:
            least = 2 * fee * (level * 10 - 1) * honest
            share = -math.expm1(-elapsed_s / WEEK_S)
            assert 2 * fee * most * (1 + Fraction(1, 10**9)) >= Fraction(float(least) / share)


def test_suspending_a_series_of_100_000_for_a_day_costs_300() -> None:
    """Held for a day from a level of 12 %: 300.49 by an endless number of updates, 320 by one."""
    fee, honest, costs = Fraction(1, 1000), Fraction(100_000), list[str]()
    for updates, dearest, cheapest in (
        (1, 320.01, 319.99),
        (24, 302, 300.4),
        (2_160, 300.6, 300.4),
    ):
        unit = NOTHING
        for _ in range(updates):
            # in floats, since the fractions of 2,160 steps would fill pages
            unit = Fraction(float(mean_after(unit, Fraction(1), DAY_S // updates, WEEK_S)))
        needed = honest * Fraction(2, 10) / unit
        assert cheapest < 2 * fee * needed < dearest
        costs.append(f"{float(2 * fee * needed):.0f}")
    # a mean over a day instead of seven would sell it for a fifth
    cheap = 2 * fee * honest * Fraction(2, 10) / (1 - math.exp(-1))
    stated(
        f"held for a day: {costs[-1]} with endlessly many updates, {costs[0]} with one",
        f"A mean over one day would sell it for {float(cheap):.0f}",
        page=RESERVES,
    )


# -- (g) books, and never across -----------------------------------------------------------------


@given(OVER_DAYS | HELD_FOR_DAYS)
def test_the_reserve_adds_up_and_no_fill_goes_across(attack: tuple[Case, list[Any]]) -> None:
    """The books are what came in less what went out; a fill ends nearer, never beyond."""
    case, steps = attack
    token = token_of(case)
    start = token.account.held + token.reserve.common.held
    for step in steps:
        before = token.leverage
        if step[0] != "fill":
            act(token, step)
            continue
        plan = token.fill(step[1])
        if plan is not None:
            goal = abs(plan.destination)
            assert abs(token.leverage - goal) < abs(before - goal)
            assert (token.leverage - goal) * (before - goal) >= 0
        held = token.account.held + token.reserve.common.held
        assert held == start + token.reserve.came_in - token.reserve.went_out
        assert token.account.held >= 0
        assert token.reserve.common.held >= 0


# -- (h) griefing without profit -----------------------------------------------------------------


class Griefed(NamedTuple):
    """What 14 days of self-made fills did."""

    emptied: float
    """Share of the account."""
    cost: float
    """Of the griefer, as a share of the honest nav."""


def grief(multiple: int, gift_to: Fraction, faults: Faults = SOUND) -> Griefed:
    """Hold many times the honest nav, gift leverage down each day and take the fill at its top."""
    case = Case(True, 3, Fraction(13, 100), Fraction(1), Fraction(1), Fraction(120), DAY_S)
    token = token_of(case, faults)
    token.terms = token.terms._replace(reserve_cap=CAP)
    start, before = token.account.held, token.wealth
    token.mint(multiple * token.supply)
    for _ in range(14):
        token.wait(DAY_S)
        amount = token.collateral / gift_to - token.nav
        if amount > 0:
            token.gift(amount, True)
        token.wait(1_200)
        token.fill(Fraction(1))
    lost = start - token.account.held
    leave(token)
    return Griefed(float(lost / start), float((before - token.wealth) / 1_000))


def test_griefing_an_account_is_slow_and_costs_something() -> None:
    """50 times the honest nav empties no account in 14 days, and 10 times a 25th of one.

    Without the bound by the account itself it would be 91 % and 20 % of it, at less of a loss.
    """
    unbounded = Faults(ignores_account_share=True)
    sound, faulty = (grief(50, Fraction(297, 100), faults) for faults in (SOUND, unbounded))
    assert sound.emptied < 0, "its own fees are more than what is paid"
    stated(
        f"would empty {100 * faulty.emptied:.0f} % of an account of 12 % of H, at a loss of "
        f"{100 * faulty.cost:.0f} % of H.",
        f"Its loss is {100 * sound.cost:.0f} % of H.",
        page=RESERVES,
    )
    sound, faulty = (grief(10, Fraction(297, 100), faults) for faults in (SOUND, unbounded))
    stated(
        f"the account loses {100 * sound.emptied:.0f} %, where it would lose "
        f"{100 * faulty.emptied:.0f} %",
        page=RESERVES,
    )


# -- planted faults ------------------------------------------------------------------------------

FOUND: dict[str, tuple[Callable[[Any, Faults], bool], st.SearchStrategy[Any]]] = {
    "free_exit": (around_one_fill, AROUND),
    "pays_any_rise": (around_one_fill, AROUND),
    "forgets_at_once": (over_days, HELD_FOR_DAYS),
    "counts_present_supply": (before_an_emergency, BEFORE_EMERGENCY),
    "scales_before_capping": (before_an_emergency, BEFORE_EMERGENCY),
    "remembers_scaled": (before_an_emergency, BEFORE_EMERGENCY),
}


@pytest.mark.parametrize("fault", FOUND)
def test_each_planted_fault_is_found(fault: str) -> None:
    """A reserve with one mistake in it breaks the law that is there for it."""
    law, attacks = FOUND[fault]
    faults = replace(SOUND, **{fault: True})
    once = settings(
        max_examples=1_000, phases=[Phase.generate], database=None, derandomize=True, deadline=None
    )
    try:
        find(attacks, lambda attack: not law(attack, faults), settings=once)
    except NoSuchExample:
        pytest.fail(f"{fault} was not found")


def test_a_reserve_without_a_memory_is_found() -> None:
    """One that forgets what it paid breaks the caps of a day."""
    twice = [Payment(2, 0, Fraction(100), Fraction(1_000), Fraction(1), False)] * 2
    assert within_a_day(twice)
    assert not within_a_day(twice, forgets=True)
