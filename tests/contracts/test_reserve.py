"""The reserve: books that add up, caps that remember, health, and pull payments."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from steelyard.rules.reserve_account import (
    CommonPart,
    ReserveAccount,
    remembered_whole,
    settle_premium,
)
from support.chain.series import (
    DAY,
    WAD,
    ZERO,
    Fund,
    Protocol,
    Series,
    Terms,
    base_fee,
    wad,
)
from support.chain.world import Setting, World
from support.page_figures import stated

FEW = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
AROUND = 60_000
"""Gas that is paid for what a publication cannot measure of itself."""
NAMES = [
    "amount",
    "gains",
    "raising",
    "emergency",
    "rate",
    "nav",
    "supply",
    "mean_day",
    "mean_week",
    "receiver",
]


def settlement(series: Series, amount: int, **changes: Any) -> tuple[Any, ...]:
    """A premium to be settled, of a series of 10 underlying; the day's mean is the supply."""
    said: dict[str, Any] = {
        "amount": amount,
        "gains": False,
        "raising": False,
        "emergency": False,
        "rate": wad("0.001"),
        "nav": wad(10),
        "supply": wad(1_000),
        "mean_day": wad(1_000),
        "mean_week": wad(1_000),
        "receiver": series.world.roles.keeper,
    }
    said |= changes
    return tuple(said[name] for name in NAMES)


def books(fund: Fund) -> int:
    """What the reserve says that it has and owes."""
    held = sum(each.account.held for each in fund.series)
    return held + fund.reserve.common() + sum(fund.reserve.owed(role) for role in fund.world.roles)


def test_only_its_series_are_heard(series: Series) -> None:
    """Property: nobody else can be paid, credited, named or injected for."""
    reserve, stranger = series.fund.reserve, series.world.roles.attacker
    with boa.reverts("reserve: not its series"):
        reserve.settle(settlement(series, 1), sender=stranger)
    with boa.reverts("reserve: not its series"):
        reserve.credit(1, 0, stranger, 0, sender=stranger)
    with boa.reverts("reserve: not its series"):
        reserve.inject(stranger, 1, sender=stranger)
    with boa.reverts("reserve: factory"):
        reserve.register([stranger], [0], 0, sender=stranger)
    with boa.reverts("reserve: registered"):
        reserve.register([stranger], [0], 0, sender=series.fund.factory.address)


def test_injections_go_where_they_say(fund: Fund) -> None:
    """Property: into the series' account, or the common part; a gift without a call is nobody's."""
    series, reserve, who = fund.series[0], fund.reserve, fund.world.roles.lender
    before = (series.account.held, fund.series[1].account.held, reserve.common())
    reserve.inject(series.address, 5, sender=who)
    reserve.inject(ZERO, 7, sender=who)
    fund.world.underlying.transfer(reserve.address, 11, sender=who)
    after = (series.account.held, fund.series[1].account.held, reserve.common())
    assert after == (before[0] + 5, before[1], before[2] + 7)
    assert fund.world.underlying.balanceOf(reserve.address) == books(fund) + 11


acts = st.lists(
    st.tuples(
        st.integers(0, wad("0.5")),
        st.booleans(),
        st.booleans(),
        st.integers(0, 3 * DAY),
        st.sampled_from([wad(1_000), wad(250), 0, wad(4_000)]),
    ),
    min_size=1,
    max_size=6,
)


@given(acts=acts)
@example(
    acts=[
        (wad("0.01"), False, True, 0, wad(4_000)),
        (49_648, False, False, 3 * DAY, wad(4_000)),
        (2_387, False, True, 6_269, 0),
    ]
)
@FEW
def test_settlements_are_the_rules(fund: Fund, acts: list[Any]) -> None:
    """Held to `rules/reserve_account.py`.

    Property: any sequence of premiums, gains and emergencies, with any mean of the supply,
    pays and remembers what the rules say on fractions, less roundings of a unit each.
    """
    series, reserve, who = fund.series[0], fund.reserve, fund.world.roles.lender
    with boa.env.anchor():
        reserve.inject(ZERO, wad(3), sender=who)
        said = series.account
        account: ReserveAccount[Fraction] = ReserveAccount(
            Fraction(said.held), Fraction(0), Fraction(0), 0, Fraction(0), 0
        )
        common: CommonPart[Fraction] = CommonPart(Fraction(reserve.common()), Fraction(0), 0)
        for amount, gains, emergency, elapsed, mean in acts:
            boa.env.time_travel(seconds=elapsed)
            counts = min(mean, wad(1_000))
            share = Fraction(counts, wad(1_000))
            truth = settle_premium(
                account, common, Fraction(-amount if gains else amount), wad(10) * share, share,
                Fraction(1, 1_000), emergency, boa.env.timestamp,
            )  # fmt: skip
            what = settlement(series, amount, gains=gains, emergency=emergency, mean_day=mean)
            paid = reserve.settle(what, sender=series.address)
            if gains:
                fund.world.underlying.transfer(reserve.address, paid, sender=who)
            assert abs(paid - abs(truth.paid)) <= 20
            account, common = truth.account, truth.common
            said = series.account
            assert abs(said.held - account.held) <= 100
            assert abs(reserve.common() - common.held) <= 100
            assert abs(said.paid - account.paid) <= 100 or amount == 0
            # a payment of nothing leaves what a day has made void where it stands: equal in effect
            now_s = boa.env.timestamp
            still = remembered_whole(said.rescued, now_s - said.rescued_at)
            assert abs(still - remembered_whole(account.rescued, now_s - account.rescued_s)) <= 100
            assert fund.world.underlying.balanceOf(reserve.address) >= books(fund)


def test_raising_is_suspended_below_the_floor() -> None:
    """Scenario: an account falls below 10 % of nav at the week's mean supply, and is refilled.

    Property: raising is refused until it is back at 12 %, lowering never is; no capital that
    comes for an hour changes it.
    """
    fund = Fund(World(Setting()), Terms(injects="0.12"))
    series, reserve = fund.series[0], fund.reserve
    assert not reserve.suspended(series.address)
    series.go("2.4")
    series.open()
    boa.env.time_travel(seconds=120)
    assert reserve.suspended(series.address)
    with boa.reverts("reserve: raising is suspended"):
        series.rebalance()
    fund.sleep(3_600)
    reserve.publish(sender=fund.world.roles.keeper)
    assert series.account.suspended
    nav, supply, mean = series.contract.standing()
    slow = nav * mean // supply
    lender = fund.world.roles.lender
    reserve.inject(series.address, slow * 11 // 100 - series.account.held, sender=lender)
    assert reserve.suspended(series.address)
    reserve.inject(series.address, slow * 12 // 100 + 10**9 - series.account.held, sender=lender)
    assert not reserve.suspended(series.address)
    boa.env.time_travel(seconds=3_600)
    fund.world.refresh_feeds()
    with boa.env.anchor():
        series.rebalance()
        assert not series.account.suspended
    with boa.env.anchor():
        held = reserve.suspended(series.address)
        series.lend(10**11)
        series.mint(20_000)
        assert reserve.suspended(series.address) == held
    series.go("3.8")
    series.rebalance()


def test_health_is_published_hourly_and_its_gas_is_paid(fund: Fund) -> None:
    """A publication, and who pays it.

    Property: whole reserve over all nav, each series' level, at most once an hour; the refund
    is the gas, at most a 4,000th of the reserve at once, from all in proportion.
    """
    reserve, who = fund.reserve, fund.world.roles.keeper
    reserve.inject(ZERO, wad(4), sender=fund.world.roles.lender)
    total, held = books(fund), fund.world.underlying.balanceOf(who)
    with base_fee(10**9):
        refund = reserve.publish(sender=who)
        gas = reserve._computation.get_gas_used()
    assert fund.world.underlying.balanceOf(who) - held == refund
    assert gas * 10**9 <= refund <= (gas + AROUND) * 10**9
    stated(f"and {AROUND:,} of gas for what cannot be measured")
    assert total - books(fund) == refund
    nav = sum(each.contract.standing()[0] for each in fund.series)
    assert reserve.health().level == total * WAD // nav
    assert reserve.health().published_at == boa.env.timestamp
    with boa.reverts("reserve: published this hour"):
        reserve.publish(sender=who)
    for _ in range(3):
        fund.sleep(3_600)
        with base_fee(10**12):
            refund += reserve.publish(sender=who)
    assert refund <= total // 4_000 * 28 // 24


def test_right_after_a_launch_the_reserve_pays_nothing() -> None:
    """What it pays follows the day's mean of the supply, which a launch begins at zero.

    Scenario: a lowering with a premium above zero, in the launch's first minutes and a day later.
    Property: of the first less than a hundredth of the cap is paid, of the second about a quarter:
    the mean is half of the supply then, and counts twice.
    """
    series = Fund(World(Setting()), Terms(), age=0).series[0]
    assert series.state.mean_day == 0
    for wait, least, most in ((0, 0, 1), (DAY, 20, 60)):
        with boa.env.anchor():
            series.fund.sleep(wait)
            series.go("4.2")
            series.accrue()
            nav, held = series.contract.standing()[0], series.account.held
            assert series.plan.premium > 0
            series.rebalance()
            paid = (held - series.account.held) * 100_000 // nav
            assert least <= paid <= most


@pytest.mark.parametrize(("leverage", "pays"), [("2.09", True), ("2.07", False)])
def test_a_rise_from_far_below_the_band_is_not_paid(leverage: str, pays: bool) -> None:
    """Only a gift leads there, and minting would be cheaper than what the cap counts with.

    Scenario: a long whose band begins at 2.6 is raised from just above or below 0.8 of that.
    Property: the account pays of the first, and nothing of the second: nav pays its whole premium.
    """
    series = Fund(World(Setting()), Terms()).series[0]
    series.go(leverage)
    series.open()
    series.fund.sleep(1_200)
    series.accrue()
    assert (series.plan.premium > 0, series.plan.pays) == (True, pays)
    held = series.account.held
    series.rebalance()
    assert (series.account.held < held) == pays


def test_the_common_parts_share_is_published(fund: Fund) -> None:
    """Property: it is shared by nav at the week's mean supply, as of the publication."""
    reserve = fund.reserve
    reserve.inject(ZERO, wad(4), sender=fund.world.roles.lender)
    assert reserve.health().common_share == 0
    reserve.publish(sender=fund.world.roles.keeper)
    slow = 0
    for each in fund.series:
        nav, supply, mean = each.contract.standing()
        slow += nav * mean // supply
    assert reserve.health().common_share == wad(4) * WAD // slow


def test_fees_are_allocated_and_claimed() -> None:
    """Scenario: a fifth of the fees is somebody's; a long's and a short's fees are allocated.

    Property: a long's go as they are; a short's are sold for the underlying in an auction of
    their own, due a day after the last; the recipient claims, and its absence stops nobody.
    """
    world = World(Setting())
    recipient = boa.env.generate_address("recipient")
    terms = {"reserve_share": "0.8", "account_rate": "0.0008", "recipient": recipient}
    fund = Fund(world, Terms(**terms), Terms(long=False, **terms), age=0)
    long, short = fund.series
    for each in fund.series:
        each.mint(500)
    fees = long.state.fees
    before = long.account.held, fund.reserve.common()
    assert long.contract.allocate(0, sender=world.roles.attacker) == fees
    assert long.state.fees == 0
    gained = long.account.held + fund.reserve.common() - sum(before)
    assert gained == fees * 8 // 10
    assert fund.reserve.owed(recipient) == fees - gained
    with boa.reverts("fee_allocation: no fees due"):
        short.contract.allocate(0, sender=world.roles.keeper)
    fund.sleep(DAY + 600)
    boa.env.time_travel(seconds=61)
    fees = short.state.fees
    keeper = world.roles.keeper
    held = world.quote.balanceOf(keeper)
    paid = short.contract.allocate(-(2**255), sender=keeper)
    assert world.quote.balanceOf(keeper) - held == fees
    worth = Fraction(fees * short.price, 10**36)
    assert Fraction("0.99") * worth < paid < Fraction("1.01") * worth
    owed = fund.reserve.owed(recipient)
    assert fund.reserve.claim(recipient, sender=world.roles.attacker) == owed
    assert world.underlying.balanceOf(recipient) == owed
    assert fund.reserve.claim(recipient) == 0
    assert world.underlying.balanceOf(fund.reserve.address) >= books(fund)


def test_an_account_that_is_full_feeds_the_common_part(fund: Fund) -> None:
    """Property: of fees an account takes in what is missing to a quarter of W, not more.

    An event says what the common part holds, whenever an account's act has changed it.
    """
    series, reserve = fund.series[0], fund.reserve
    worth = wad(100)
    room = worth // 4 - series.account.held
    before = reserve.common()
    reserve.credit(room - 5, 0, ZERO, worth, sender=series.address)
    assert said(reserve) == []
    reserve.credit(10, 0, ZERO, worth, sender=series.address)
    assert said(reserve) == [before + 5]
    assert series.account.held == worth // 4
    assert reserve.common() == before + 5


def said(reserve: Any) -> list[int]:
    """What the last call's events say of the common part."""
    return [each.common for each in reserve.get_logs() if type(each).__name__ == "CommonChanged"]


def test_the_implementation_serves_nobody() -> None:
    """Property: without a configuration nothing can be registered or injected."""
    bare = Protocol(World(Setting())).reserve
    with boa.reverts():
        bare.register([ZERO], [0], 0)
    with boa.reverts():
        bare.inject(ZERO, 1)


@pytest.mark.parametrize("hours", [1, 11, 24])
def test_a_day_of_emergencies_is_paid_two_per_cent(series: Series, hours: int) -> None:
    """Property: until 24 hours have passed without a payment, all together are 2 % of W."""
    reserve, paid = series.fund.reserve, 0
    for _ in range(3):
        paid += reserve.settle(settlement(series, wad(1), emergency=True), sender=series.address)
        boa.env.time_travel(seconds=hours * 3_600)
    assert paid == wad(10) // 50 * (3 if hours == 24 else 1)
