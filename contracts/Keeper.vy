# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Keeper
@custom:contract-name Keeper
@license GNU Affero General Public License v3.0 only
@notice Takes auctions without capital: what a series gives is sold over the caller's Uniswap v3
        pools for what it is owed, inside the series' callback. What is left is the profit and
        goes to the receiver. It also opens auctions, publishes health and allocates fees.
        Outside the core, with no rights in it: anyone may write another.

        Where a pool is pushed against the taker by more than the premium, the caller's own money
        levels it first: it buys there what it then sells at a fair price. A griefer who pushes a
        pool to stop rebalances pays whoever does so.

        What must hold:
        1. It holds nothing between two calls.
        2. The receiver gets at least `least_profit`, or nothing is done.
        3. Only the series that the caller named may call back, once a call; only the caller's
           money levels a pool, within `budget`.
"""


from ethereum.ercs import IERC20

from .interfaces import IDecision
from .interfaces import IMorpho
from .interfaces import IOracle
from .interfaces import ISeries
from .interfaces import ITaker
from .interfaces import IUniswapV3Pool
implements: ITaker

from . import v3_path
initializes: v3_path


exports: v3_path.uniswapV3SwapCallback


interface Publisher:
    def publish() -> uint256: nonpayable
    def underlying() -> address: view
    def suspended(series: address) -> bool: view


# @dev Emitted for each fill and each sale of a short's fees: `profit` of `asset` is left.
event Taken:
    series: indexed(address)
    receiver: indexed(address)
    asset: address
    profit: uint256
    notional: uint256          # the most that was asked for; 0: a sale of fees


# @dev Emitted for each pool that was levelled: the caller paid, the receiver got.
event Levelled:
    caller: indexed(address)
    pool: indexed(address)
    paid: uint256
    got: uint256


WAD: constant(uint256) = 10**18

# @dev Of IDecision.Plan: fills are taken in this state.
OPEN: constant(uint256) = 2

# @dev Each attempt of `take_largest` is for half of what the one before was for.
ATTEMPTS: constant(uint256) = 6

# @dev So that a series calls back. It says nothing: all that counts is kept here.
CALL_BACK: constant(Bytes[512]) = b"\x01"


# @dev Of the call under way: who may call back, and what was given then. What is left of it is
# what the way still holds.
_series: transient(address)
_given: transient(address)


@external
@nonreentrant
def take(
    series: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
    most: uint256,
    least_profit: uint256,
    receiver: address,
    deadline: uint256,
) -> uint256:
    """
    @notice Takes what is due, or so much of it.
    @param series The series.
    @param pools Uniswap v3 pools from what the series gives to what it is owed.
    @param most The largest notional, in the series' debt units.
    @param least_profit In the asset that the series gives: its collateral where leverage is
           lowered, its loan asset where it is raised.
    @param receiver Who gets the profit.
    @param deadline The last second at which this may happen.
    @return uint256 The profit.
    """
    assert block.timestamp <= deadline, "keeper: expired"
    return self._take(series, pools, most, least_profit, receiver)


@external
@nonreentrant
def take_largest(
    series: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
    budget: uint256,
    least_profit: uint256,
    receiver: address,
    deadline: uint256,
) -> (uint256, uint256):
    """
    @notice Levels the pool first, if it is pushed against the taker by more than the premium and
            the way is one pool. Then takes all that is on sale, or the largest of its half,
            quarter and so on down to the least fill that leaves the profit.
    @param series The series.
    @param pools As for `take`.
    @param budget The most of the caller's, in the asset that the series is owed, for levelling;
           the caller allowed this contract. 0: no levelling.
    @param least_profit Of the fill alone, as for `take`.
    @param receiver Who gets the profit and what was bought by levelling.
    @param deadline The last second at which this may happen.
    @return uint256 The notional asked for; 0: no size left the profit.
    @return uint256 The profit.
    """
    assert block.timestamp <= deadline, "keeper: expired"
    config: ISeries.Config = staticcall ISeries(series).config()
    facts: IDecision.Facts = staticcall ISeries(series).facts()
    plan: IDecision.Plan = self._plan(series, config, facts)
    assert plan.state == OPEN, "keeper: nothing on sale"
    if budget > 0 and len(pools) == 1:
        self._level(config, facts.price, plan, pools[0], budget, receiver)
    # interest of this block may raise what a fill takes at least
    least: uint256 = plan.least + plan.least // 1_000
    size: uint256 = max(plan.most, least)
    for _: uint256 in range(ATTEMPTS):
        success: bool = False
        response: Bytes[32] = b""
        success, response = raw_call(
            self,
            abi_encode(
                series,
                pools,
                size,
                least_profit,
                receiver,
                method_id=method_id("attempt(address,address[],uint256,uint256,address)"),
            ),
            max_outsize=32,
            revert_on_failure=False,
        )
        if success:
            return size, convert(convert(response, bytes32), uint256)
        if size == least:
            break
        size = max(least, size // 2)
    # what was levelled is kept: the next taker finds a better pool
    return 0, 0


@external
def attempt(
    series: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
    most: uint256,
    least_profit: uint256,
    receiver: address,
) -> uint256:
    """
    @notice A part of `take_largest`.
    """
    assert msg.sender == self, "keeper: attempt"
    return self._take(series, pools, most, least_profit, receiver)


@external
@nonreentrant
def open(series: address) -> uint256:
    """
    @notice Opens a band's auction.
    @param series The series.
    @return uint256 As the series'.
    """
    return extcall ISeries(series).open()


@external
@nonreentrant
def publish(reserve: address, receiver: address) -> uint256:
    """
    @notice Publishes a reserve's health, and passes the refund on.
    @param reserve The reserve.
    @param receiver Who gets it.
    @return uint256 The refund, in the underlying.
    """
    refund: uint256 = extcall Publisher(reserve).publish()
    if refund > 0:
        v3_path._send(staticcall Publisher(reserve).underlying(), receiver, refund)
    return refund


@external
@nonreentrant
def allocate(
    series: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
    limit: int256,
    least_profit: uint256,
    receiver: address,
) -> uint256:
    """
    @notice Sends a series' fees to its reserve. A short's are bought for the underlying.
    @param series The series.
    @param pools Of a short: from its collateral to its loan asset.
    @param limit The least premium, times 1e18; at most 0 for a long.
    @param least_profit Of a short, in its collateral.
    @param receiver Who gets the profit.
    @return uint256 The underlying that went to the reserve.
    """
    v3_path._begin(pools, empty(address), 0)
    # a long gives nothing: what a false series said before, in this transaction, is not its profit
    v3_path._held = 0
    self._given = empty(address)
    self._series = series
    amount: uint256 = extcall ISeries(series).allocate(limit, CALL_BACK)
    self._keep_promise(series, least_profit, receiver, 0)
    return amount


@external
def on_given(given: address, amount: uint256, owed: address, owes: uint256, data: Bytes[512]):
    """
    @notice The series' callback. Only the one that this contract has just called, and once.
    @param given What came here.
    @param amount How much.
    @param owed What has to be at the series afterwards.
    @param owes How much.
    @param data Not used.
    """
    assert msg.sender == self._series, "keeper: foreign callback"
    self._series = empty(address)
    self._given = given
    v3_path._buy(given, amount, owed, owes, msg.sender)


@internal
def _take(
    series: address,
    pools: DynArray[address, v3_path.MOST_POOLS],
    most: uint256,
    least_profit: uint256,
    receiver: address,
) -> uint256:
    v3_path._begin(pools, empty(address), 0)
    self._series = series
    extcall ISeries(series).rebalance(most, min_value(int256), CALL_BACK)
    return self._keep_promise(series, least_profit, receiver, most)


@internal
def _keep_promise(
    series: address, least_profit: uint256, receiver: address, most: uint256
) -> uint256:
    """
    @notice Sends the profit, which is what the swap left of what was given.
    """
    profit: uint256 = v3_path._held
    assert profit >= least_profit, "keeper: less than least_profit"
    given: address = self._given
    if profit > 0:
        v3_path._held = 0
        v3_path._send(given, receiver, profit)
    log Taken(
        series=series,
        receiver=receiver,
        asset=given,
        profit=profit,
        notional=most,
    )
    return profit


@internal
def _level(
    config: ISeries.Config,
    price: uint256,
    plan: IDecision.Plan,
    pool: address,
    budget: uint256,
    receiver: address,
):
    """
    @notice Buys what the series will give, where the pool sells it for less than the oracle's
            price by more than the premium pays, until it costs that price with the pool's fee.
    """
    updated: uint256 = (staticcall IOracle(config.market.oracle).latest(False))[1]
    assert updated != 0, "keeper: no good price"
    buys: address = config.market.collateralToken
    pays: address = config.market.loanToken
    if plan.up:
        buys = config.market.loanToken
        pays = config.market.collateralToken
    fair: uint256 = self._fair_root(config.market, price)
    fee: uint256 = (staticcall IUniswapV3Pool(pool).fee()) * 10**12
    premium: uint256 = convert(max(plan.premium, 0), uint256)
    pushed: uint256 = max(fee, premium - min(premium, fee))
    root: uint256 = (staticcall IUniswapV3Pool(pool).slot0())[0]
    limit: uint256 = 0
    # of a root a half of the price's share
    if convert(pays, uint256) < convert(buys, uint256):
        limit = fair + fair * fee // (2 * WAD)
        if root <= fair + fair * pushed // (2 * WAD):
            return
    else:
        limit = fair - fair * fee // (2 * WAD)
        if root >= fair - fair * pushed // (2 * WAD):
            return
    v3_path._begin([pool], msg.sender, budget)
    paid: uint256 = 0
    got: uint256 = 0
    paid, got = v3_path._buy_up_to(pays, buys, limit, budget, receiver)
    log Levelled(caller=msg.sender, pool=pool, paid=paid, got=got)


@internal
@pure
def _fair_root(market: IMorpho.MarketParams, price: uint256) -> uint256:
    """
    @notice The root of a pool's price, times 2**96, at the oracle's; that is below 2**176.
    """
    root: uint256 = isqrt(price << 80)
    if convert(market.collateralToken, uint256) < convert(market.loanToken, uint256):
        return root * 2**56 // 10**18
    return 2**136 * 10**18 // root


@internal
@view
def _plan(
    series: address, config: ISeries.Config, facts_: IDecision.Facts
) -> IDecision.Plan:
    """
    @notice What is on sale, up to the market's last accrual.
    """
    facts: IDecision.Facts = facts_
    facts.suspended = staticcall Publisher(config.reserve).suspended(series)
    return staticcall IDecision(staticcall ISeries(series).DECISION()).decide(config.terms, facts)
