"""The lens: exact for this second, in ERC-4626's words, and deaf to one bad series."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import boa
import pytest

from steelyard.rules.auction import AuctionTerms, loan_to_value, premium_at
from support.chain.deploying import deploy_double
from support.chain.periphery import Periphery
from support.chain.series import DAY, MOST, OPEN, SCALE, WAD, Fund, Series, wad

HIGH = {True: "3.8", False: "1.5"}
LOW = {True: "2.5", False: "0.7"}


@pytest.fixture(scope="session")
def periphery(fund: Fund) -> Periphery:
    """Router, keeper and lens around the fund."""
    return Periphery(fund)


@pytest.fixture
def lens(periphery: Periphery) -> Any:
    """The lens."""
    return periphery.lens


@pytest.mark.parametrize("tokens", ["0.000001", "1", "333.3"])
def test_previews_are_what_happens(lens: Any, series: Series, tokens: str) -> None:
    """A mint and a redemption, hours after the last accrual.

    Property: what they exchange is the preview, to the unit; what it is worth is collateral less
    debt at the price, rounded up for a mint and down for a redemption.
    """
    series.fund.sleep(7_200)
    raw, price = wad(tokens), series.price
    pays, fee, debt, worth = lens.previewMint(series.address, raw)
    assert series.mint(tokens) == (pays, debt)
    exact = max(math.ceil(Fraction(pays * price, SCALE)) - debt, 0)
    assert worth == (math.ceil(Fraction(exact * SCALE, price)) if series.long else exact)
    assert fee == series.state.fees
    series.fund.sleep(7_200)
    fees = series.state.fees
    gets, fee, debt, worth = lens.previewRedeem(series.address, raw)
    assert series.redeem(tokens) == (gets, debt)
    exact = max(gets * price // SCALE - debt, 0)
    assert worth == (exact * SCALE // price if series.long else exact)
    assert fee == series.state.fees - fees


def test_nav_has_interest_up_to_now(lens: Any, series: Series) -> None:
    """ERC-4626's words, a day after the last accrual.

    Property: they equal the exact nav after an accrual, rounded down.
    """
    series.fund.sleep(DAY)
    total = lens.totalAssets(series.address)
    shown = lens.overview(series.address)
    before = series.contract.standing()[0]
    series.accrue()
    state, price = series.state, series.price
    assert total == series.contract.standing()[0] < before
    nav = state.collateral * price // SCALE - state.debt
    assert total == (nav * SCALE // price if series.long else nav)
    assert (shown.total_assets, shown.debt, shown.collateral) == (
        total,
        state.debt,
        state.collateral,
    )
    for tokens in (1, WAD, 37 * WAD):
        assert lens.convertToAssets(series.address, tokens) == total * tokens // state.supply
        assert lens.convertToShares(series.address, tokens) == tokens * state.supply // total
    assert shown.token_assets == total * WAD // state.supply
    assert lens.asset(series.address) == series.world.underlying.address


def test_leverage_and_distances_are_exact(lens: Any, series: Series) -> None:
    """Leverage, loan-to-value, and the prices at which something happens.

    Property: each is the exact figure rounded down; at a distance's price the exact leverage is
    the edge, within a unit of the feed.
    """
    series.go("2.9" if series.long else "0.95")
    series.accrue()
    seen, state = lens.overview(series.address), series.state
    value = state.collateral * series.price // SCALE
    assert seen.leverage == (value if series.long else state.debt) * WAD // (value - state.debt)
    assert seen.loan_to_value == state.debt * WAD // value
    collateral, debt = Fraction(state.collateral), Fraction(state.debt)
    edges = {name: wad(series.terms.figure(name)) for name in ("lower", "upper", "emergency")}
    for name, edge in edges.items():
        at, far = Fraction(getattr(seen.distances, name), SCALE), Fraction(edge, WAD)
        worth = collateral * at if series.long else collateral / at
        exact = (worth if series.long else debt) / (worth - debt)
        assert abs(exact / far - 1) < Fraction(1, 10**8)
    at = Fraction(seen.distances.liquidation, SCALE)
    worth = collateral * at if series.long else collateral / at
    assert abs(debt / worth / Fraction(series.market.lltv, WAD) - 1) < Fraction(1, 10**8)


@pytest.mark.parametrize("where", [LOW, HIGH], ids=["raise", "lower"])
def test_premiums_now_and_later_are_the_rules(
    lens: Any, series: Series, where: dict[bool, str]
) -> None:
    """An auction that runs: what it pays now, in a minute and at its end.

    Property: each equals `rules/` on Fraction, rounded down; now's is the plan's, and the last
    is `premium_end`.
    """
    series.go(where[series.long])
    series.open()
    series.fund.sleep(300)
    boa.env.time_travel(seconds=61)
    series.accrue()
    terms, now = series.terms, boa.env.timestamp
    figures = [Fraction(str(terms.figure(n))) for n in ("start", "calm_top", "emergency_top")]
    upper = Fraction(str(terms.figure("upper"))) * (1 if terms.long else -1)
    threshold = Fraction(series.market.lltv, WAD)
    rule = AuctionTerms(
        *figures, terms.duration, 60, DAY, -1, loan_to_value(upper), threshold, Fraction(0)
    )
    plan = lens.plan(series.address)
    assert plan.state == OPEN
    assert tuple(plan) == tuple(series.plan)
    danger = Fraction(plan.danger, WAD)
    after = [0, 60, 600, max(plan.began + terms.duration - now, 0)]
    found = lens.premiums(series.address, after)
    for seconds, premium in zip(after, found, strict=True):
        exact = premium_at(rule, now + seconds - plan.began, danger) * WAD
        assert math.floor(exact) - 2 <= premium <= exact
    assert found[0] == plan.premium
    seen = lens.overview(series.address)
    assert seen.premium_end == found[-1]
    assert seen.full_at == plan.began + terms.duration


def test_the_cover_is_the_reserves(lens: Any, series: Series) -> None:
    """Account, common part, level and suspension as the reserve counts them."""
    reserve, keeper = series.fund.reserve, series.world.roles.keeper
    series.accrue()
    reserve.publish(sender=keeper)
    (published,) = (
        event
        for event in reserve.get_logs()
        if type(event).__name__ == "Published" and event.series == series.address
    )
    seen = lens.overview(series.address).cover
    # a publication says what was there before it paid its publisher
    assert seen.account == series.account.held <= published.account
    slow = published.slow_nav
    share = min(reserve.common(), reserve.health().common_share * slow // WAD)
    assert seen.level == (seen.account + share) * WAD // slow
    assert published.level == (published.account + share) * WAD // slow
    assert seen.suspended == published.suspended == reserve.suspended(series.address)
    assert seen.published_at == boa.env.timestamp
    assert seen.common == reserve.common()


def test_the_most_mint_is_taken_and_one_more_is_not(lens: Any, series: Series) -> None:
    """`maxMint` against what can be lent.

    Property: so many tokens are minted, one more is refused; above the band it is 0.
    """
    world, holder = series.world, series.world.roles.holder
    borrower = world.roles.attacker
    # of the lendable assets a hundredth of the launch is left
    state = series.state
    room = state.debt // 100
    lendable = lens.overview(series.address).lendable
    world.approve(series.collateral, borrower, world.morpho)
    market = tuple(series.market)
    world.morpho.supplyCollateral(
        market, series.collateral.balanceOf(borrower), borrower, b"", sender=borrower
    )
    world.morpho.borrow(market, lendable - room, 0, borrower, borrower, sender=borrower)
    most = lens.maxMint(series.address)
    with boa.env.anchor(), boa.reverts():
        series.contract.mint(most + 1, MOST, holder, sender=holder)
    series.contract.mint(most, MOST, holder, sender=holder)
    series.go(HIGH[series.long])
    assert lens.maxMint(series.address) == 0
    assert not lens.overview(series.address).mint_open


def test_one_bad_series_stops_no_other(lens: Any, series: Series) -> None:
    """Scenario: asked about a wallet, an asset, a contract that eats all gas, and a series.

    Property: the bad ones are not `ok`, and the series is shown as alone.
    """
    wallet, asset = series.world.roles.holder, series.world.quote.address
    glutton = deploy_double("GasGlutton").address
    seen = lens.overviews([wallet, asset, glutton, series.address])
    assert [one.ok for one in seen] == [False, False, False, True]
    assert tuple(seen[3]) == tuple(lens.overview(series.address))
    assert [one.series for one in seen] == [wallet, asset, glutton, series.address]


def test_a_dead_feed_is_shown(lens: Any, series: Series) -> None:
    """Scenario: the feed's answer is too old.

    Property: nothing reverts; the price is the last, `updated` is 0, minting is shown closed.
    """
    price = series.price
    boa.env.time_travel(seconds=series.terms.base_age + 1)
    seen = lens.overview(series.address)
    assert (seen.updated, seen.mint_open) == (0, False)
    assert seen.price == (price if series.long else SCALE * SCALE // price)
    assert lens.totalAssets(series.address) > 0
    assert lens.maxMint(series.address) == 0
