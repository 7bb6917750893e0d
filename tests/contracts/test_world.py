"""The ground that contracts are tested on: Morpho and Uniswap do what the helpers say they do."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest

from support.chain.ticks import MAX_TICK, ratio_of, sqrt_price_of, usable_range
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.lending import Market

WHOLE = 10**18
USDC = 10**6


def near(value: Fraction, expected: Fraction, within: float) -> bool:
    """Whether a figure is within a fraction of what is expected."""
    return abs(Fraction(value) / Fraction(expected) - 1) <= within


def lever(world: World, market: Market, own: int, borrowed: int) -> int:
    """The lever in its three steps, by hand; gives the collateral that was bought."""
    who, morpho, params = world.roles.holder, world.morpho, tuple(market)
    morpho.supplyCollateral(params, own, who, b"", sender=who)
    morpho.borrow(params, borrowed, 0, who, who, sender=who)
    loan = next(token for token in world.pool.tokens if token.address == market.loan)
    bought = world.pool.swap(loan, borrowed, who=who)
    morpho.supplyCollateral(params, bought, who, b"", sender=who)
    return bought


def test_a_long_is_levered_in_three_steps(world: World) -> None:
    """Collateral, debt, swap, collateral: 10 WETH and 12,000 USDC of debt are 1.6x long."""
    market = world.lending.market(long=True, lent=10_000_000)
    bought = lever(world, market, 10 * WHOLE, 12_000 * USDC)
    held = world.lending.position(market, world.roles.holder)
    # Constant product on 12,500 WETH a side, after the pool's fee of 5 bp.
    paid = Fraction(12_000) * (1 - Fraction(5, 10_000))
    expected = 12_500 * paid / (25_000_000 + paid)
    assert near(Fraction(bought, WHOLE), expected, 1e-6)
    assert held.collateral == 10 * WHOLE + bought
    assert held.debt == 12_000 * USDC
    worth = Fraction(held.collateral, WHOLE) * 2_000
    assert near(worth / (worth - 12_000), Fraction(8, 5), 0.001)


def test_a_short_is_levered_in_three_steps(world: World) -> None:
    """USDC as collateral, WETH as debt: 10 WETH sold against 30,000 USDC are two thirds short."""
    market = world.lending.market(long=False, lent=1_000)
    sold = lever(world, market, 30_000 * USDC, 10 * WHOLE)
    held = world.lending.position(market, world.roles.holder)
    assert near(Fraction(sold, USDC), Fraction(20_000), 0.003)
    assert (held.collateral, held.debt) == (30_000 * USDC + sold, 10 * WHOLE)
    assert near(world.lending.ltv(market, world.roles.holder, 2_000), Fraction(2, 5), 0.002)


def test_morpho_refuses_what_its_oracle_does_not_cover(world: World) -> None:
    """Above 86 % of the collateral at the oracle's price nothing can be borrowed."""
    market = world.lending.market(long=True, lent=10_000_000)
    who, params = world.roles.holder, tuple(market)
    world.morpho.supplyCollateral(params, 10 * WHOLE, who, b"", sender=who)
    with boa.reverts():
        world.morpho.borrow(params, 17_200 * USDC + 1, 0, who, who, sender=who)
    world.morpho.borrow(params, 17_200 * USDC, 0, who, who, sender=who)
    world.set_feed(1_900)
    attacker = world.roles.attacker
    world.morpho.liquidate(params, who, WHOLE, 0, b"", sender=attacker)
    assert world.lending.position(market, who).collateral == 9 * WHOLE


def test_debt_grows_with_time(world: World) -> None:
    """A year at full utilisation doubles a debt and more: the mock's rate is the utilisation."""
    market = world.lending.market(long=True, lent=12_000)
    lever(world, market, 10 * WHOLE, 12_000 * USDC)
    assert world.lending.lendable(market) == 0
    boa.env.time_travel(seconds=365 * 86_400)
    world.morpho.accrueInterest(tuple(market), sender=world.roles.keeper)
    debt = world.lending.position(market, world.roles.holder).debt
    # Three terms of e**1, as Morpho compounds.
    assert near(Fraction(debt, 12_000 * USDC), 1 + 1 + Fraction(1, 2) + Fraction(1, 6), 1e-6)


@pytest.mark.parametrize("price", [1_400, 1_999, 2_001, 3_000])
def test_the_pool_goes_where_it_is_sent(world: World, price: int) -> None:
    """After a move the price is the one asked for, whichever token is token0."""
    world.pool.move(price)
    assert near(world.pool.price, Fraction(price), 1e-12)
    world.pool.move(2_000)
    assert near(world.pool.price, Fraction(2_000), 1e-12)


def test_moving_a_pool_costs_its_mover_the_fee(world: World) -> None:
    """There and back again the arbitrageur is poorer by the fee on both swaps, and no more."""
    who = world.roles.arbitrageur
    before = world.worth(who, 2_000)
    world.pool.move(2_100)
    traded = before - world.worth(who, 2_000)
    assert traded > 0
    world.pool.move(2_000)
    root = Fraction(21, 20) ** Fraction(1, 2)
    notional = 2 * 25_000_000 * (float(root) - 1)
    assert near(before - world.worth(who, 2_000), Fraction(notional * 5 / 10_000), 0.03)


def test_the_pool_is_where_nobody_can_push_it_by_accident(world: World) -> None:
    """A mover without money is an error, not a pool left anywhere."""
    poor = boa.env.generate_address()
    with pytest.raises((AssertionError, boa.BoaError)):
        world.pool.move(2_100, poor)


def test_the_mean_price_follows_the_pool(world: World) -> None:
    """The TWAP is the time-weighted mean of ticks: half the window at each price."""
    assert near(world.pool.twap(60), Fraction(2_000), 1e-4)
    world.pool.move(1_800)
    assert near(world.pool.twap(60), Fraction(2_000), 1e-4)
    world.pass_time(30)
    middle = Fraction((1_800 * 2_000) ** 0.5)
    assert near(world.pool.twap(60), middle, 1e-3)
    world.pass_time(30)
    assert near(world.pool.twap(60), Fraction(1_800), 1e-3)


def test_observations_reach_back_while_they_are_written(world: World) -> None:
    """300 observations, one every 12 s, are an hour; without room for them it is refused."""
    world.pass_time(3_600)
    assert near(world.pool.twap(3_500), Fraction(2_000), 1e-4)
    with boa.reverts("OLD"):
        world.pool.twap(3_700 + 600)


def test_liquidity_can_be_added_and_taken_out(world: World) -> None:
    """Half the liquidity gone, the same swap moves the price about twice as far."""
    swap = (world.underlying, 50 * WHOLE)
    with boa.env.anchor():
        world.pool.swap(*swap)
        far = 2_000 - world.pool.price
    world.pool.remove(Fraction(1, 2))
    with boa.env.anchor():
        world.pool.swap(*swap)
        assert near((2_000 - world.pool.price) / far, Fraction(2), 0.02)
    world.pool.add(2_500, width=0.1)
    world.pool.swap(*swap)
    assert 2_000 - world.pool.price < far / 2


def test_each_test_finds_the_world_as_it_was_deployed(world: World) -> None:
    """What other tests moved has been put back, the clock too."""
    assert near(world.pool.price, Fraction(2_000), 1e-12)
    assert world.feed.answer() == 2_000 * 10**8
    assert world.feed.updated_at() == boa.env.timestamp


@pytest.mark.parametrize(
    "setting",
    [
        Setting(underlying_decimals=8, quote_decimals=6),
        Setting(underlying_decimals=8, quote_decimals=18, underlying_first=False),
        Setting(underlying_decimals=6, quote_decimals=18),
        Setting(underlying_decimals=18, quote_decimals=18, underlying_first=False, pool_fee=3_000),
        Setting(underlying_decimals=18, quote_decimals=8, width=0.2, rate="AdaptingRate"),
    ],
    ids=lambda setting: f"{setting.underlying_decimals}-{setting.quote_decimals}",
)
@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_any_decimals_make_a_world(setting: Setting, long: bool) -> None:
    """Prices, loans and swaps are in whole tokens right, whatever the decimals and the order."""
    world = World(setting)
    assert world.underlying_first == setting.underlying_first
    world.move(2_100)
    assert near(world.pool.price, Fraction(2_100), 1e-9)
    market = world.lending.market(long=long, lent=1_000_000)
    collateral, loan = world.lending.tokens(long=long)
    price = Fraction(2_100 if long else Fraction(1, 2_100))
    own, borrowed = 10, 5 * price
    bought = lever(
        world, market, own * 10 ** collateral.decimals(), int(borrowed * 10 ** loan.decimals())
    )
    assert near(Fraction(bought, 10 ** collateral.decimals()), Fraction(5), 0.006)
    held = Fraction(world.lending.ltv(market, world.roles.holder, 2_100))
    assert near(held, Fraction(1, 3), 0.006)


def test_an_adapting_rate_is_kept_in_a_slot() -> None:
    """The interest model with a memory writes it: its rate rises while little is left to lend."""
    world = World(Setting(rate="AdaptingRate"))
    market = world.lending.market(long=True, lent=12_000)
    lever(world, market, 10 * WHOLE, 12_000 * USDC)
    rates = []
    for _ in range(3):
        boa.env.time_travel(seconds=86_400)
        world.morpho.accrueInterest(tuple(market), sender=world.roles.keeper)
        rates.append(world.irm.rate_at_target(market.id))
    assert 0 < rates[0] < rates[1] < rates[2]


def test_square_root_prices_are_exact_to_the_last_digit() -> None:
    """The square root price of a ratio is the largest whose square does not exceed it."""
    ratio = Fraction(2_000 * 10**6, 10**18)
    root = sqrt_price_of(ratio)
    assert ratio_of(root) <= ratio < ratio_of(root + 1)


@pytest.mark.parametrize("fee", [100, 500, 3_000, 10_000])
def test_ranges_of_ticks_can_be_used(fee: int) -> None:
    """Both ends are on the pool's spacing, in bounds, and hold the tick between them."""
    for width in (None, 0.01, 0.5):
        low, high = usable_range(-201_111, fee, width)
        spacing = {100: 1, 500: 10, 3_000: 60, 10_000: 200}[fee]
        assert low % spacing == high % spacing == 0
        assert -MAX_TICK <= low <= -201_111 < high <= MAX_TICK
