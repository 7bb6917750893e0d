"""What a taker can do from inside a callback, and what is left of it afterwards."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest
from eth_abi import encode

from support.chain.deploying import deploy_double
from support.chain.periphery import FOREVER, Periphery
from support.chain.series import DAY, LEAST_PREMIUM, MOST, ZERO, Fund, Series, new_transaction

CRASH, CALM = "1400", "1700"
"""Prices of the underlying: a rescue of the long and a raise of the short, and both in calm."""
DEAL = "((address,address,address,address,uint256),address,address,uint256,uint256,uint256,uint256)"
FALSE_POOL = """# pragma version 0.4.3
# pragma evm-version cancun
@external
def swap(
    to: address, zero: bool, amount: int256, limit: uint160, data: Bytes[1]
) -> (int256, int256):
    return 0, 0
"""


@pytest.fixture(scope="module")
def periphery(fund: Fund) -> Periphery:
    """Router, keeper and lens around the fund."""
    return Periphery(fund)


@pytest.fixture
def taker(fund: Fund) -> Any:
    """A contract with both assets, which both series may debit."""
    made, rich = deploy_double("Taker"), fund.world.roles.keeper
    for token in (fund.world.underlying, fund.world.quote):
        token.transfer(made.address, token.balanceOf(rich) // 2, sender=rich)
        for each in fund.series:
            made.approve(token.address, each.address)
        made.approve(token.address, fund.reserve.address)
        made.approve(token.address, fund.world.morpho.address)
    return made


def told(fund: Fund, who: Any) -> list[Any]:
    """All that fills may change, of both series and of the taker."""
    return [
        fund.reserve.common(),
        tuple(fund.reserve.drawn()),
        fund.world.balances(who),
        fund.world.underlying.balanceOf(fund.reserve.address),
        *((tuple(s.state), tuple(s.account), tuple(s.contract.facts())) for s in fund.series),
    ]


@pytest.mark.parametrize("price", [CRASH, CALM], ids=["crash", "calm"])
@pytest.mark.parametrize("outer", [0, 1], ids=["in the long's", "in the short's"])
def test_a_fill_inside_a_fill_is_two_fills(fund: Fund, taker: Any, price: str, outer: int) -> None:
    """Scenario: two series of one reserve are due, the one is filled in the other's callback.

    The other's account is injected into there as well.

    Property: all books are to the unit what they are after the same acts one after another, and
    add up to at most what the reserve holds.
    """
    first, second = fund.series[outer], fund.series[1 - outer]
    fund.world.move(Fraction(price))
    fund.sleep(72)
    for each in fund.series:
        each.open()
    fund.sleep(1_000)
    boa.env.time_travel(seconds=61)
    whole = [
        each.contract.rebalance.prepare_calldata(MOST, LEAST_PREMIUM, b"x")
        for each in (first, second)
    ]
    pulled = second.contract.rebalance.prepare_calldata(MOST, LEAST_PREMIUM)
    gift = fund.reserve.inject.prepare_calldata(first.address, 10**15)
    acts = [(second.address, pulled), (fund.reserve.address, gift)]
    with boa.env.anchor():
        new_transaction()
        taker.load([], 0)
        taker.act(first.address, whole[0])
        for act in acts:
            taker.act(*act)
        apart = told(fund, taker.address)
    new_transaction()
    taker.load(acts, 0)
    taker.act(first.address, whole[0])
    assert [taker.worked(place) for place in range(2)] == [True, True]
    assert told(fund, taker.address) == apart
    books = fund.reserve.common() + sum(each.account.held for each in fund.series)
    assert books <= fund.world.underlying.balanceOf(fund.reserve.address)


def test_a_foreign_deal_is_not_carried_out(fund: Fund, series: Series, taker: Any) -> None:
    """Scenario: a deal of the attacker's words, in the series' market or in none.

    It is handed to the series' callbacks, and to Morpho with a gift in the series' name.

    Property: both callbacks refuse all but Morpho; Morpho brings the words back to who said them,
    which has no such callback; nothing moves.
    """
    before = told(fund, taker.address)
    for market in (tuple(series.market), (ZERO, ZERO, ZERO, ZERO, 0)):
        deal = (market, taker.address, taker.address, 10**6, 0, 10**6, 0)
        words = encode([DEAL, "bytes"], [deal, b"x"])
        for name in ("onMorphoRepay", "onMorphoSupplyCollateral"):
            with boa.reverts("morpho_position: not morpho"):
                getattr(series.contract, name)(1, words, sender=taker.address)
        morpho, params = fund.world.morpho, tuple(series.market)
        for act in (
            morpho.repay.prepare_calldata(params, 1, 0, series.address, words),
            morpho.supplyCollateral.prepare_calldata(params, 1, series.address, words),
        ):
            with boa.reverts():
                taker.act(morpho.address, act)
    assert told(fund, taker.address) == before


def test_what_a_false_series_said_is_nobodys_profit(periphery: Periphery, series: Series) -> None:
    """Scenario: a false series is taken, and calls back only afterwards, over a false pool.

    It says that it gave a fortune, and others use the keeper then, in the same transaction.

    Property: a sale of fees and a fill pay what they pay without it.
    """
    keeper, who = periphery.keeper, series.world.roles.keeper
    series.mint(100)
    series.fund.sleep(DAY + 1_150)
    series.go("3.8" if series.long else "1.5")
    series.open()
    series.fund.sleep(1_000)
    boa.env.time_travel(seconds=61)

    def used() -> tuple[int, int]:
        allocated = keeper.allocate(
            series.address, periphery.way, LEAST_PREMIUM, 0, who, sender=who
        )
        (event,) = (e for e in keeper.get_logs() if type(e).__name__ == "Taken")
        assert event.asset == (ZERO if series.long else series.collateral.address)
        profit = keeper.take(series.address, periphery.way, MOST, 0, who, FOREVER, sender=who)
        return allocated, profit

    with boa.env.anchor():
        new_transaction()
        alone = used()
    new_transaction()
    hostile, pool = deploy_double("HostileSeries", keeper.address), boa.loads(FALSE_POOL)
    hostile.load(series.loan.address, 10**30, series.collateral.address, 1, 0)
    keeper.take(hostile.address, [pool.address], MOST, 0, who, FOREVER, sender=who)
    hostile.load(series.loan.address, 10**30, series.collateral.address, 1, 1)
    hostile.rebalance(MOST, 0, b"")
    assert used() == alone
    assert periphery.nothing_kept()
