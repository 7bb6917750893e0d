"""The router: one asset in, one asset out, exact quotes, nothing kept, nobody else's money."""

from __future__ import annotations

from math import isqrt
from typing import Any

import boa
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from support.chain.deploying import deploy_double
from support.chain.periphery import FOREVER, NO_PERMIT, Periphery
from support.chain.series import MOST, WAD, Fund, Series, Terms, new_transaction, wad
from support.chain.world import Setting, World

OWNER = Account.from_key((10**9 + 7).to_bytes(32, "big"))
DUST = "0.000000000000000001"
CRUMBS = "0.00000000000003"
"""So few that their debt is a share without a unit."""
SIZES = ["0.000001", "1", "37.5", "900"]


@pytest.fixture(scope="session")
def periphery(fund: Fund) -> Periphery:
    """Router, keeper and lens around the fund."""
    return Periphery(fund)


@pytest.fixture(params=["collateral", "loan"])
def asset(request: pytest.FixtureRequest, series: Series) -> Any:
    """One of the series' two assets."""
    return getattr(series, request.param)


@pytest.mark.parametrize("tokens", [CRUMBS, *SIZES])
def test_a_mint_costs_what_was_quoted(
    periphery: Periphery, series: Series, asset: Any, tokens: str
) -> None:
    """Tokens for one asset: the receiver gets exactly them.

    Property: the sender pays the quote to the unit, nothing of its other asset, and nothing is
    kept; a unit less than the quote is refused.
    """
    holder, world = series.world.roles.holder, series.world
    other = series.loan if asset is series.collateral else series.collateral
    quoted = periphery.router.preview_mint(
        series.address, wad(tokens), asset.address, periphery.way
    )
    had, untouched = asset.balanceOf(holder), other.balanceOf(holder)
    assert quoted > 0
    with boa.reverts("v3_path: more than most"):
        periphery.mint(series, tokens, asset, quoted - 1)
    assert periphery.mint(series, tokens, asset, quoted) == quoted
    assert had - asset.balanceOf(holder) == quoted
    assert other.balanceOf(holder) == untouched
    assert series.contract.balanceOf(holder) == wad(tokens)
    assert periphery.nothing_kept()
    assert world.pool.contract.address in periphery.way


@pytest.mark.parametrize("tokens", SIZES)
def test_a_redemption_gives_what_was_quoted(
    periphery: Periphery, series: Series, asset: Any, tokens: str
) -> None:
    """Tokens into one asset.

    Property: the receiver gets the quote to the unit, nothing of the other asset, and nothing is
    kept; a unit more than the quote is refused.
    """
    holder = series.world.roles.holder
    series.mint("1000")
    series.fund.sleep(3_600)
    other = series.loan if asset is series.collateral else series.collateral
    quoted = periphery.router.preview_redeem(
        series.address, wad(tokens), asset.address, periphery.way
    )
    had, untouched = asset.balanceOf(holder), other.balanceOf(holder)
    with boa.reverts("router: less than least"):
        periphery.redeem(series, tokens, asset, quoted + 1)
    assert periphery.redeem(series, tokens, asset, quoted) == quoted
    assert asset.balanceOf(holder) - had == quoted
    assert other.balanceOf(holder) == untouched
    assert series.contract.balanceOf(holder) == wad("1000") - wad(tokens)
    assert periphery.nothing_kept()


def test_a_redemption_of_dust_is_refused_or_pays_for_itself(
    periphery: Periphery, series: Series, asset: Any
) -> None:
    """Scenario: one raw token, whose collateral may not pay its debt, rounded up.

    Property: it is refused by preview and call, in the same words each way, and nothing is lost.
    """
    series.mint(1)
    with boa.reverts():
        periphery.router.preview_redeem(series.address, 1, asset.address, periphery.way)
    with boa.reverts():
        periphery.redeem(series, DUST, asset)
    assert series.contract.balanceOf(series.world.roles.holder) == WAD
    assert periphery.nothing_kept()


def test_a_way_over_two_pools_is_quoted_exactly_too(
    periphery: Periphery, series: Series, asset: Any
) -> None:
    """From the collateral to the loan asset over a third one, and back.

    Property: a mint and a redemption cost and give their quotes, and nothing is kept.
    """
    world, holder = series.world, series.world.roles.holder
    pools = two_pools(series)
    back = pools[::-1]
    quoted = periphery.router.preview_mint(series.address, WAD, asset.address, back)
    had = asset.balanceOf(holder)
    assert periphery.mint(series, 1, asset, quoted, pools=back) == quoted
    assert had - asset.balanceOf(holder) == quoted
    quoted = periphery.router.preview_redeem(series.address, WAD // 2, asset.address, pools)
    assert periphery.redeem(series, "0.5", asset, quoted, pools=pools) == quoted
    assert had - asset.balanceOf(holder) > 0
    assert periphery.nothing_kept()
    assert len(set(pools)) == len(pools) > 1
    assert world.pool.address not in pools


def test_a_round_trip_costs_fees_and_swaps(periphery: Periphery, series: Series) -> None:
    """In and out with the collateral at a level pool costs less than 1.5 % and more than nothing.

    The fees are 0.2 %; the pool's 0.05 % counts for up to two units of debt per nav, each way.
    """
    paid = periphery.mint(series, 10, series.collateral)
    got = periphery.redeem(series, 10, series.collateral)
    assert paid * 985 < got * 1_000 < paid * 1_000


def test_a_sandwiched_mint_is_refused(periphery: Periphery, series: Series) -> None:
    """Scenario: an attacker pushes the pool by 5 % between the quote and the mint.

    Property: the sender's limit refuses it; nothing is paid.
    """
    world, holder = series.world, series.world.roles.holder
    quoted = periphery.router.preview_mint(
        series.address, WAD, series.collateral.address, periphery.way
    )
    world.pool.move(
        world.feed_price * 95 / 100 if not series.long else world.feed_price * 105 / 100
    )
    had = series.collateral.balanceOf(holder)
    with boa.reverts("v3_path: more than most"):
        periphery.mint(series, 1, series.collateral, quoted * 1_001 // 1_000)
    assert series.collateral.balanceOf(holder) == had


def test_after_the_deadline_nothing_is_done(periphery: Periphery, series: Series) -> None:
    """Neither way."""
    series.mint(1)
    late = boa.env.timestamp - 1
    with boa.reverts("router: expired"):
        periphery.mint(series, 1, series.collateral, deadline=late)
    with boa.reverts("router: expired"):
        periphery.redeem(series, 1, series.collateral, deadline=late)


def test_only_the_named_series_may_call_back(periphery: Periphery, series: Series) -> None:
    """Scenario: a stranger calls the series' and the pool's callback, and the parts of previews.

    Property: each is refused; no allowance that holders gave is reachable.
    """
    router, attacker = periphery.router, series.world.roles.attacker
    asset = series.collateral.address
    with boa.reverts("router: foreign callback"):
        router.on_given(asset, 1, asset, 10**18, b"\1", sender=attacker)
    with boa.reverts("v3_path: foreign callback"):
        router.uniswapV3SwapCallback(10**18, -1, b"", sender=attacker)
    with boa.reverts("router: dry"):
        router.dry_mint(series.address, 1, asset, periphery.way, sender=attacker)
    with boa.reverts("router: dry"):
        router.dry_swap(periphery.way, asset, asset, 1, True, sender=attacker)


def test_other_assets_are_refused(periphery: Periphery, series: Series) -> None:
    """An asset that is neither the collateral nor the loan asset, and a way without a pool."""
    series.mint(1)
    with boa.reverts("router: asset"):
        periphery.mint(series, 1, series.contract)
    with boa.reverts("router: asset"):
        periphery.redeem(series, 1, series.contract)
    with boa.reverts("v3_path: no pool"):
        periphery.mint(series, 1, series.collateral, pools=[])


def two_pools(series: Series) -> list[Any]:
    """Pools from the collateral to the loan asset over a coin that is a dollar."""
    world, provider = series.world, series.world.roles.liquidity_provider
    coin = world.deploy("MintableERC20", "COIN", "COIN", 6)
    coin.mint(provider, 10**16, sender=provider)
    world.approve(coin, provider, world.positions)
    pools = []
    for asset in (series.collateral, series.loan):
        units = {world.underlying.address: 10**18, coin.address: 2_000 * 10**6}
        units[world.quote.address] = 2_000 * 10**6
        first, second = sorted((asset, coin), key=lambda token: int(token.address, 16))
        amounts = [units[token.address] * 10_000 for token in (first, second)]
        root = isqrt((amounts[1] << 192) // amounts[0])
        pair = (first.address, second.address)
        pools.append(
            world.positions.createAndInitializePoolIfNecessary(*pair, 500, root, sender=provider)
        )
        wanted = (*pair, 500, -887_220, 887_220, *amounts, 0, 0, provider, FOREVER)
        world.positions.mint(wanted, sender=provider)
    return pools


def signed(token: Any, spender: str, amount: int) -> tuple[Any, ...]:
    """The owner's permit as the router takes it."""
    fields = {
        "owner": OWNER.address,
        "spender": spender,
        "value": amount,
        "nonce": token.nonces(OWNER.address),
        "deadline": boa.env.timestamp + 600,
    }
    domain = {
        "name": token.name(),
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": token.address,
    }
    kinds = [("owner", "address"), ("spender", "address")]
    kinds += [(name, "uint256") for name in ("value", "nonce", "deadline")]
    permit = {"Permit": [{"name": name, "type": kind} for name, kind in kinds]}
    made = OWNER.sign_message(encode_typed_data(domain, permit, fields))
    r, s = (word.to_bytes(32, "big") for word in (made.r, made.s))
    return (amount, fields["deadline"], made.v, r, s)


@pytest.mark.parametrize("front_run", [False, True], ids=["plain", "front-run"])
def test_a_permit_survives_being_front_run(
    periphery: Periphery, series: Series, *, front_run: bool
) -> None:
    """Scenario: an attacker sees a redemption with its permit and uses the permit first.

    Property: the redemption goes through all the same, by the allowance that the permit made.
    """
    token, router = series.contract, periphery.router
    series.mint(5)
    token.transfer(OWNER.address, 5 * WAD, sender=series.world.roles.holder)
    permit = signed(token, router.address, 5 * WAD)
    if front_run:
        amount, deadline, v, r, s = permit
        token.permit(OWNER.address, router.address, amount, deadline, v, r, s)
    assert periphery.redeem(series, 5, series.collateral, who=OWNER.address, permit=permit) > 0
    assert token.balanceOf(OWNER.address) == 0
    assert token.allowance(OWNER.address, router.address) == 0
    assert periphery.nothing_kept()


def test_a_bad_permit_without_an_allowance_is_refused(periphery: Periphery, series: Series) -> None:
    """A permit for less than is redeemed: nothing is done."""
    token, router = series.contract, periphery.router
    series.mint(5)
    token.transfer(OWNER.address, 5 * WAD, sender=series.world.roles.holder)
    permit = signed(token, router.address, 4 * WAD)
    with boa.reverts():
        periphery.redeem(series, 5, series.collateral, who=OWNER.address, permit=permit)
    assert token.balanceOf(OWNER.address) == 5 * WAD


def hostile(periphery: Periphery, series: Series, **vice: Any) -> Any:
    """A contract that answers as a series and asks for what it did not give."""
    made = deploy_double("HostileSeries", periphery.router.address)
    made.load(
        series.loan.address,
        vice.get("amount", 0),
        series.collateral.address,
        10**15 if series.long else 10**6,
        vice.get("times", 1),
        vice.get("entry", b""),
    )
    return made


def test_a_hostile_series_takes_at_most_what_its_caller_said(
    periphery: Periphery, series: Series
) -> None:
    """Scenario: a false series claims to have given, asks twice, and enters the router again.

    Property: what it did not give is not sold; a second callback and an entry from within are
    refused; a victim that allowed everything, and did not call, pays nothing.
    """
    router, world = periphery.router, series.world
    caller, victim = world.roles.attacker, world.roles.holder
    had = world.balances(victim)

    def call(made: Any) -> None:
        new_transaction()
        asset = series.collateral.address
        router.mint(
            made.address, WAD, asset, MOST, periphery.way, caller, FOREVER, NO_PERMIT, sender=caller
        )

    with boa.reverts():
        call(hostile(periphery, series, amount=10**9))
    with boa.reverts("router: foreign callback"):
        call(hostile(periphery, series, amount=0, times=2))
    entry = router.mint.prepare_calldata(
        series.address,
        WAD,
        series.collateral.address,
        MOST,
        periphery.way,
        caller,
        FOREVER,
        NO_PERMIT,
    )
    made = hostile(periphery, series, amount=0, times=0, entry=entry)
    with boa.reverts("router: no callback"):
        call(made)
    assert not made.entered()
    assert world.balances(victim) == had
    assert periphery.nothing_kept()


def test_a_hostile_asset_is_refused_and_enters_nothing() -> None:
    """Scenario: the quote asset begins to take a fee, to move nothing, or to call back.

    Property: with a fee or without a transfer neither router nor keeper goes through, and all is
    as it was; an entry from within is refused, and the call that it interrupted is unharmed.
    """
    coin = deploy_double("HostileToken", 6)
    world = World(Setting(), quote=coin)
    fund = Fund(world, Terms(long=True))
    periphery, series = Periphery(fund), fund.series[0]
    holder, router = world.roles.holder, periphery.router
    periphery.mint(series, 5, series.collateral)
    had, tokens = world.balances(holder), series.contract.balanceOf(holder)
    yes = True
    vices = {
        "fee": lambda: coin.set_fee_bps(100),
        "false": lambda: coin.set_returns_false(yes),
    }
    for vice in vices.values():
        with boa.env.anchor():
            vice()
            for asset in (series.collateral, series.loan):
                with boa.reverts():
                    periphery.mint(series, 1, asset)
                with boa.reverts():
                    periphery.redeem(series, 1, asset)
        assert world.balances(holder) == had
        assert series.contract.balanceOf(holder) == tokens
    asset = series.collateral.address
    entries = [
        router.mint.prepare_calldata(
            series.address, WAD, asset, MOST, periphery.way, holder, FOREVER, NO_PERMIT
        ),
        router.on_given.prepare_calldata(asset, WAD, asset, WAD, b"x"),
        router.uniswapV3SwapCallback.prepare_calldata(WAD, -1, b""),
    ]
    for entry in entries:
        coin.set_hook(router.address, router.address, entry)
        assert periphery.redeem(series, 1, series.loan) > 0
        assert coin.hook_calls() > 0
        assert coin.hook_succeeded() == 0
    assert periphery.nothing_kept()
