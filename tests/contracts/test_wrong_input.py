"""Wrong input to every function that changes something: refused in words, and nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boa
import pytest

from support.chain.attacking import fortune
from support.chain.deploying import deploy_double, deploy_source
from support.chain.periphery import FOREVER, NO_PERMIT, Periphery
from support.chain.series import (
    CONTRACTS,
    DAY,
    LEAST_PREMIUM,
    MOST,
    PLACES,
    WAD,
    ZERO,
    Fund,
    Launch,
    Series,
    Terms,
    launch_words,
    new_transaction,
    wad,
)
from support.chain.world import Setting, World

YES = True
HIGH = {True: "3.8", False: "1.5"}
HUGEST_PREMIUM = 2**255 - 1


@pytest.fixture(scope="session")
def periphery(fund: Fund) -> Periphery:
    """Router, keeper and lens around the fund."""
    return Periphery(fund)


def books(series: Series) -> tuple[Any, ...]:
    """All that a refused call must leave as it was."""
    fund = series.fund
    return (
        tuple(series.state),
        tuple(series.position),
        tuple(series.account),
        fund.reserve.common(),
        *(fortune(fund, who) for who in series.world.roles),
    )


LAUNCHES: dict[str, dict[str, Any]] = {
    "factory: quote": {"quote": "underlying"},
    "factory: text": {"symbol": ""},
    "factory: units": {"tokens": 10**16, "initial_nav": 10**6},
    "factory: decimals": {"feeds": lambda feeds: (deploy_double("PriceFeed", 60, 1), *feeds[1:])},
    "oracle_words: too large": {"feeds": lambda feeds: (*feeds[:4], feeds[0], 2**32)},
    "series_words: too large": {"debt_cap": 2**128},
    "series_checks: lltv": {"lltv": WAD},
    "leveraged_token: collateral": {"collateral": lambda raw: raw - 1},
    "LLTV not enabled": {"lltv": 85 * WAD // 100},
    "IRM not enabled": {"irm": "0x" + "11" * 20},
    "insufficient liquidity": {"lends": lambda raw: raw - 15_000},
}
"""What a launch is refused for, by whom ever, and what makes it so."""


def launched(fund: Fund, reason: str) -> Callable[[], Any]:
    """The launch of a series with the wrong figure."""
    words = launch_words(fund.world, Terms())
    for name, new in LAUNCHES[reason].items():
        place = PLACES.index(name)
        words[place] = new(words[place]) if callable(new) else new
        if new == "underlying":
            words[place] = fund.world.underlying.address
        if name == "feeds":
            words[place] = tuple(getattr(each, "address", each) for each in words[place])
    launch = Launch([words], fund.world.underlying.address, salt=b"\4" * 32)
    return lambda: fund.factory.launch(*launch.arguments(), sender=fund.world.roles.deployer)


@pytest.mark.parametrize("reason", LAUNCHES)
def test_a_wrong_launch_is_refused_in_words(fund: Fund, reason: str) -> None:
    """Property: the reason says what was wrong, its own or Morpho's; nothing is launched."""
    before, call = fund.factory.reserve_count(), launched(fund, reason)
    with boa.reverts(reason):
        call()
    assert fund.factory.reserve_count() == before


def test_a_launch_of_nothing_and_a_salt_that_was_used_are_refused(fund: Fund) -> None:
    """Scenario: no series; then a launch that was made before, to the last word; no block time.

    Property: each is refused in words, and the same series is launched by another salt.
    """
    world, factory = fund.world, fund.factory
    creator, underlying = world.roles.deployer, world.underlying.address
    with boa.reverts("factory: no series"):
        factory.launch(underlying, ZERO, [], 0, b"\4" * 32, sender=creator)
    words = launch_words(world, Terms())
    again = Launch([words], underlying, salt=b"\4" * 32).arguments()
    factory.launch(*again, sender=creator)
    new_transaction()
    with boa.reverts("clones: salt was used"):
        factory.launch(*again, sender=creator)
    new_transaction()
    factory.launch(*Launch([words], underlying, salt=b"\5" * 32).arguments(), sender=creator)
    with boa.reverts("factory: block_s"):
        deploy_source(CONTRACTS / "Factory.vy", ZERO, ZERO, ZERO, ZERO, 0)


def test_what_is_no_contract_is_refused_without_a_word(fund: Fund) -> None:
    """Property: a feed or an asset that is no contract launches nothing, as the page says."""
    wallet, world = fund.world.roles.holder, fund.world
    words = launch_words(world, Terms())
    feeds = PLACES.index("feeds")
    for wrong in (
        [*words[:feeds], (wallet, *words[feeds][1:]), *words[feeds + 1 :]],
        [*words[: PLACES.index("quote")], wallet, *words[PLACES.index("quote") + 1 :]],
    ):
        launch = Launch([wrong], world.underlying.address, salt=b"\4" * 32)
        with boa.reverts():
            fund.factory.launch(*launch.arguments(), sender=world.roles.deployer)
    assert fund.factory.reserve_count() == 1


CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "leveraged_token: launched": ("launch", (WAD, WAD, "holder")),
    "leveraged_token: nothing to open": ("open", ()),
    "leveraged_token: nothing on sale": ("rebalance", (MOST, LEAST_PREMIUM)),
    "fee_allocation: no fees due": ("allocate", (0,)),
    "morpho_position: not morpho": ("onMorphoRepay", (1, b"")),
    "erc20: mint to the zero address": ("mint", (WAD, MOST, ZERO)),
    "erc20: burn amount exceeds balance": ("redeem", (WAD, MOST, "holder")),
    "leveraged_token: more than most": ("mint", (0, MOST, "holder")),
}
"""A stranger's calls of a series at its target, and the reasons that they are refused for."""


@pytest.mark.parametrize("reason", CALLS)
def test_wrong_calls_of_a_series_are_refused_in_words(series: Series, reason: str) -> None:
    """Property: each is refused for the reason that is documented, and nothing moves."""
    name, arguments = CALLS[reason]
    roles = series.world.roles
    series.arrive()
    new_transaction()
    before = books(series)
    arguments = tuple(roles.holder if each == "holder" else each for each in arguments)
    with boa.reverts(reason):
        getattr(series.contract, name)(*arguments, sender=roles.attacker)
    if name == "onMorphoRepay":
        with boa.reverts(reason):
            series.contract.onMorphoSupplyCollateral(*arguments, sender=roles.attacker)
    assert books(series) == before


def test_numbers_beyond_all_measure_move_nothing(series: Series) -> None:
    """Scenario: the greatest number, and more than there is, wherever an amount is asked for.

    Property: refused, or taken as all that there is; the position is as before.
    """
    token, who = series.contract, series.world.roles.attacker
    series.accrue()
    before = books(series)
    for tokens in (MOST, 2**200, series.state.supply * 10**9):
        for call in (token.mint, token.redeem):
            new_transaction()
            with boa.reverts():
                call(tokens, MOST, who, sender=who)
    new_transaction()
    assert token.redeem(0, 0, who, sender=who) == (0, 0)
    with boa.reverts():
        token.transfer(who, 1, sender=who)
    after = books(series)
    assert after[1:] == before[1:]


def test_a_limit_that_no_premium_meets_is_refused(series: Series) -> None:
    """Scenario: fills of nothing and of too little, and limits above each premium.

    Property: refused in words; a short's fees are sold at no premium beyond what is offered.
    """
    series.mint(100)
    series.go(HIGH[series.long])
    series.open()
    with boa.reverts("leveraged_token: premium"):
        series.rebalance(limit=HUGEST_PREMIUM)
    with boa.reverts("leveraged_token: fill too small"):
        series.rebalance(0)
    series.fund.sleep(2 * DAY)
    if not series.long:
        with boa.reverts("fee_allocation: premium"):
            series.contract.allocate(HUGEST_PREMIUM, sender=series.world.roles.keeper)


def test_a_reserve_hears_its_own_alone(series: Series) -> None:
    """Scenario: strangers register, settle, credit, inject and claim.

    Property: refused in words; a claim of nothing sends nothing; the books are as before.
    """
    reserve, roles = series.fund.reserve, series.world.roles
    who, before = roles.attacker, books(series)
    with boa.reverts("reserve: factory"):
        reserve.register([who], [0], 0, sender=who)
    with boa.reverts("reserve: registered"):
        reserve.register([who], [0], 0, sender=series.fund.factory.address)
    what = (WAD, False, False, True, wad("0.001"), WAD, WAD, WAD, WAD, who)
    with boa.reverts("reserve: not its series"):
        reserve.settle(what, sender=who)
    with boa.reverts("reserve: not its series"):
        reserve.credit(WAD, WAD, who, WAD, sender=who)
    with boa.reverts("reserve: not its series"):
        reserve.inject(who, 1, sender=who)
    for recipient in (who, ZERO):
        assert reserve.claim(recipient, sender=who) == 0
    assert books(series) == before


def test_router_and_keeper_refuse_what_is_no_series_and_no_way(
    periphery: Periphery, series: Series
) -> None:
    """Scenario: a wallet or an asset for a series or a pool; a token for one, which answers no.

    Property: refused, in words where a contract answers at all; nothing moves and nothing is kept.
    """
    world, router, keeper = series.world, periphery.router, periphery.keeper
    who, way, asset = world.roles.holder, periphery.way, series.collateral.address
    series.mint(10)
    before = books(series)
    rest = (who, FOREVER, NO_PERMIT)
    for wrong in (who, asset):
        for call in (router.mint, router.redeem):
            with boa.reverts():
                call(wrong, WAD, asset, MOST, way, *rest, sender=who)
        for name, arguments in {
            "take": (wrong, way, MOST, 0, who, FOREVER),
            "take_largest": (wrong, way, 0, 0, who, FOREVER),
            "open": (wrong,),
            "publish": (wrong, who),
            "allocate": (wrong, way, 0, 0, who),
        }.items():
            with boa.reverts():
                getattr(keeper, name)(*arguments, sender=who)
        for call in (router.preview_mint, router.preview_redeem):
            with boa.reverts():
                call(series.address, WAD, asset, [wrong])
    for name in ("take", "take_largest"):
        with boa.reverts("keeper: expired"):
            getattr(keeper, name)(series.address, way, 0, 0, who, 1, sender=who)
    new_transaction()
    with boa.reverts("keeper: attempt"):
        keeper.attempt(series.address, way, MOST, 0, who, sender=who)
    token = deploy_double("HostileToken", 18)
    token.set_returns_false(YES)
    token.mint(who, WAD)
    token.approve(router.address, MOST, sender=who)
    new_transaction()
    with boa.reverts("router: tokens"):
        router.redeem(token.address, WAD, asset, 0, way, *rest, sender=who)
    assert books(series) == before
    assert periphery.nothing_kept()


REFUSED = {"away": "router: pool", "empty": "router: pool", "new": "v3_path: pool took a part"}


@pytest.mark.parametrize("state", REFUSED)
def test_a_pool_that_cannot_carry_a_trade_is_named(
    periphery: Periphery, series: Series, state: str
) -> None:
    """Scenario: the pool is far off, has only crumbs left, or is new; or it is not on the way.

    Property: both ways are refused in words.
    """
    world, pools = series.world, periphery.way
    series.mint(10)
    if state == "empty":
        world.pool.remove()
    if state == "away":
        # a long's collateral is worth less there, a short's debt more
        world.pool.move(world.feed_price * (1 / 2 if series.long else 4))
    if state == "new":
        pair = sorted((series.collateral.address, series.loan.address), key=lambda at: int(at, 16))
        make = world.positions.createAndInitializePoolIfNecessary
        pools = [make(*pair, 3_000, 2**96, sender=world.roles.deployer)]
    before = books(series)
    with boa.reverts(REFUSED[state]):
        periphery.redeem(series, 1, series.loan, pools=pools)
    if state != "empty":
        with boa.reverts(REFUSED["away" if state == "new" else state]):
            periphery.router.preview_redeem(series.address, WAD, series.loan.address, pools)
        with boa.reverts(REFUSED[state]):
            periphery.mint(series, 1, series.collateral, pools=pools)
    coin = world.deploy("MintableERC20", "COIN", "COIN", 6)
    pair = sorted((series.collateral.address, coin.address), key=lambda at: int(at, 16))
    make = world.positions.createAndInitializePoolIfNecessary
    other = make(*pair, 500, 2**96, sender=world.roles.deployer)
    with boa.reverts("v3_path: not on the way"):
        periphery.mint(series, 1, series.collateral, pools=[other, *periphery.way])
    assert books(series) == before
    assert periphery.nothing_kept()


@pytest.fixture(scope="module")
def hostile() -> tuple[Any, Fund, Periphery]:
    """A series on a token that can begin to lie: its underlying."""
    coin = deploy_double("HostileToken", 18)
    world = World(Setting(), underlying=coin)
    recipient = world.roles.lender
    share = {"reserve_share": "0.5", "recipient": recipient, "account_rate": "0.0005"}
    terms = Terms(**share, fallback_after=90 * DAY)
    fund = Fund(world, terms)
    return coin, fund, Periphery(fund)


def begins_to_refuse(coin: Any, victim: Any) -> None:
    """From now on the coin moves nothing, from the first transfer from or to somebody."""
    flip = coin.set_returns_false.prepare_calldata(YES)
    coin.set_hook(getattr(victim, "address", victim), coin.address, flip)


def test_an_asset_that_answers_no_is_refused_in_words(
    hostile: tuple[Any, Fund, Periphery],
) -> None:
    """Scenario: the underlying says no to approvals, to all transfers, or to one on its way.

    Property: each contract that moves it says that it was refused.
    """
    coin, fund, periphery = hostile
    fund.begin()
    (series,) = fund.series
    world, reserve, roles = fund.world, fund.reserve, fund.world.roles
    launch = Launch([launch_words(world, Terms(long=False))], coin.address, salt=b"\4" * 32)
    cases: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "factory: approve": (
            lambda: coin.set_refuses_approval(YES),
            lambda: fund.factory.launch(*launch.arguments(), sender=roles.deployer),
        ),
        "factory: transferFrom": (
            lambda: coin.set_returns_false(YES),
            lambda: fund.factory.launch(*launch.arguments(), sender=roles.deployer),
        ),
        "morpho_position: pull": (lambda: coin.set_returns_false(YES), lambda: series.mint(1)),
        "reserve: transfer": (
            lambda: coin.set_returns_false(YES),
            lambda: reserve.inject(ZERO, WAD, sender=roles.lender),
        ),
        "reserve: less arrived": (
            lambda: coin.set_fee_bps(100),
            lambda: reserve.inject(ZERO, WAD, sender=roles.lender),
        ),
        "reserve: send": (
            lambda: coin.set_returns_false(YES),
            lambda: reserve.claim(roles.lender),
        ),
        "morpho_position: send": (
            lambda: begins_to_refuse(coin, reserve),
            series.rebalance,
        ),
        "v3_path: pull": (
            lambda: begins_to_refuse(coin, roles.holder),
            lambda: periphery.mint(series, 1, series.collateral),
        ),
        "v3_path: send": (
            lambda: begins_to_refuse(coin, roles.holder),
            lambda: periphery.redeem(series, 1, series.collateral),
        ),
    }
    series.mint(100)
    fund.sleep(2 * DAY)
    series.contract.allocate(0)
    assert reserve.owed(roles.lender) > 0
    # an auction that begins has a premium below zero: its gain is the reserve's
    series.arrive()
    series.go(HIGH[True])
    for reason, (turn, call) in cases.items():
        with boa.env.anchor():
            if reason in ("morpho_position: pull", "v3_path: pull"):
                # minting is closed above the band
                series.go(3)
            if reason == "morpho_position: send":
                # what the account may gain is forgotten in a week
                fund.sleep(8 * DAY)
                series.go("3.41")
                series.open()
                assert series.plan.premium < 0
            turn()
            new_transaction()
            with boa.reverts(reason):
                call()
