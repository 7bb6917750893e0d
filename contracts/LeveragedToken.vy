# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title LeveragedToken
@custom:contract-name LeveragedToken
@license GNU Affero General Public License v3.0 only
@notice One series of a leveraged token: an ERC-20 whose backing is one Morpho Blue position,
        kept at its leverage by anyone's `rebalance`. A long supplies the underlying and owes
        the quote, a short supplies the quote and owes the underlying. Thresholds are fixed at
        deployment; there is no owner, no pause and no upgrade.

        What must hold, in the order of its rank:
        1. Exits never close. `redeem_in_kind` needs no price, no swap and nobody's leave; only
           Morpho itself can refuse it, above its liquidation threshold.
        2. Solvency. Supply is a claim on the position and on nothing else. Collateral per token
           never falls and debt shares per token never rise by a mint or a redemption: each
           rounding is in favour of those who stay.
        3. A rebalance takes leverage nearer to its destination, and never across it.
        4. Costs are bounded. A swap of a rebalance ends within the tolerance of the oracle's
           price, which widens from normal to maximum as liquidation nears; the keeper gets at
           most MAX_PAY of the notional that it moved.
@dev Internally everything is in debt units at the oracle's price `price` (debt per collateral,
     times 1e36, as Morpho's): value = collateral * price, nav = value - debt, and the exposure
     that the rules speak of is the value for a long and the debt for a short. The quote leg of
     a rebalance's swap is fixed exactly; what the underlying leg differs from the oracle's
     price is settled with the reserve, in the underlying, so that nav is what it was.

     What differs from the Python rules: triggers are emergency, band and fallback, tested when
     somebody calls; a fill that the pool's or Morpho's liquidity cuts short is a clip like one
     cut by `max_trade_notional`, and its cooldown is the share of it that was filled; fills
     under a tenth of what was wanted are refused, except in an emergency; nav is rounded down
     by less than two units; the gain of a swap better than the oracle's price is the reserve's.

     Tokens that take a fee on transfer are refused where they arrive. Balances of this contract
     are fees, and nothing else: whatever is sent to it goes the way of fees.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed

from snekmate.auth import ownable
from snekmate.tokens import erc20
initializes: ownable
initializes: erc20[ownable := ownable]

from .interfaces import ILeveragedToken
from .interfaces import IMorpho
from .interfaces import IReserve
implements: ILeveragedToken

from . import leverage_math
from . import oracle_guard
initializes: oracle_guard


exports: (
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.permit,
    erc20.balanceOf,
    erc20.allowance,
    erc20.totalSupply,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
)


# @dev Emitted for each mint: what came from the minter, fee included.
event Minted:
    minter: indexed(address)
    receiver: indexed(address)
    tokens: uint256
    assets: uint256
    fee: uint256


# @dev Emitted for each redemption. `debt_paid` is what the redeemer brought, in kind only.
event Redeemed:
    redeemer: indexed(address)
    receiver: indexed(address)
    tokens: uint256
    assets: uint256
    debt_paid: uint256
    fee: uint256


# @dev Emitted for each rebalance. Price in quote per underlying, raw units, times 1e36; units in
# the underlying; notional, nav and costs in quote; pay, what the reserve covered and what it
# gained in the underlying. Impact is negative where the swap was better than the oracle's price.
event Rebalanced:
    keeper: indexed(address)
    trigger: uint256
    price: uint256
    up: bool
    buys: bool
    units: uint256
    notional: uint256
    leverage_before: uint256
    leverage_after: uint256
    nav_before: uint256
    nav_after: uint256
    pool_fee: uint256
    impact: int256
    covered: uint256
    gained: uint256
    pay_by_reserve: uint256
    pay_by_nav: uint256
    clipped: bool


# @dev Emitted once, when minting closes.
event MintingClosed:
    pass


# @dev All that is fixed at deployment, in the words of a series file. Leverages are absolute,
# times 1e18; shares times 1e18; times in seconds; fees in bps.
struct Config:
    morpho: address
    market: IMorpho.MarketParams
    pool: address
    reserve: address
    fee_recipient: address
    long: bool
    rule: leverage_math.Rule
    initial_nav: uint256           # raw collateral per whole token at launch
    max_trade_notional: uint256    # raw quote; 0: no limit
    cooldown: uint256
    fallback_after: uint256
    tolerance_normal: uint256
    tolerance_maximum: uint256
    deviation_normal: uint256      # of the pool's mean from the oracle's price
    deviation_maximum: uint256
    max_age: uint256
    premium: uint256               # of the notional moved, at liquidation's door
    creation_bps: uint256
    redemption_bps: uint256
    reserve_share_bps: uint256     # of the fees; the rest is the fee recipient's


# @dev The position in Morpho with interest up to now, and its market.
struct Position:
    collateral: uint256
    shares: uint256                # of debt
    debt: uint256                  # rounded up, as Morpho does
    total_assets: uint256          # the market's borrowed assets and shares, the virtual ones
    total_shares: uint256          # included: debt = shares * total_assets / total_shares
    lendable: uint256


# @dev All that changes, for those who look.
struct State:
    position: Position
    price: uint256
    updated: uint256               # 0: the feed's answer is bad, the price is the last good one
    supply: uint256
    last_rebalance: uint256
    ready_at: uint256
    clip: uint256
    minting_closed: bool


# @dev What to do now.
struct Plan:
    trigger: uint256
    refusal: uint256
    up: bool
    destination: uint256
    exposure: uint256
    nav: uint256
    danger: uint256
    tolerance: uint256
    gap: uint256                   # to the destination before costs, debt units
    most: uint256                  # the largest clip, and what can be lent
    size: uint256                  # what goes out now
    available: uint256             # of the reserve, in the underlying; read where leverage rises


# @dev Why a plan is not carried out: raising is suspended or Morpho has nothing to lend.
# oracle_guard's refusals come before.
SUSPENDED: constant(uint256) = 16

# @dev What a swap in the pool is for.
MINT: constant(uint256) = 1
REDEEM: constant(uint256) = 2
UP: constant(uint256) = 3
DOWN: constant(uint256) = 4

WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36
BPS: constant(uint256) = 10_000
TIME: constant(uint256) = 2**64 - 1
CLOSED: constant(uint256) = 2**136

# @dev Morpho's virtual shares and assets.
VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1

# @dev Of borrowRateView(MarketParams,Market), both as the tuples that they are.
BORROW_RATE_VIEW: constant(bytes4) = 0x8c00bf6b

# @dev What the first mint locks, in units of the coarser asset: so many digits have every
# later share of the position at least.
DEAD_UNITS: constant(uint256) = 10_000
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

# @dev A fill under this part of what was wanted is refused outside emergencies.
LEAST_FILL: constant(uint256) = 10

# @dev What is fewer units of either asset than this is not swapped: a leg could round to nothing.
LEAST_UNITS: constant(uint256) = 4

# @dev A rebalance has arrived within this part (5 bp) of its destination, and is refused beyond
# it: rounding reaches that far only in positions of a few thousand units.
NEAR: constant(uint256) = 2_000

# @dev The keeper's pay is at most so much of the notional that it moved: 1 %.
MAX_PAY: constant(uint256) = 10**16

# @dev Gas outside of what is measured: the transaction itself, the pay and the event, less what
# is refunded for balances that are empty again.
GAS_AROUND: constant(uint256) = 25_000

# @dev Swaps of one rebalance at most.
PASSES: constant(uint256) = 4


# @dev What was fixed at deployment.
CONFIG: immutable(Config)
MARKET_ID: immutable(bytes32)

# @dev Collateral per nav at the target: leverage for a long, leverage + 1 for a short. A cost
# that nav pays on the way up takes at most so much of the size, for no rise goes beyond the target.
MULTIPLE: immutable(uint256)

# @dev Loan-to-value at the band's upper edge, where danger begins.
CALM: immutable(uint256)


# @dev minting closed << 136 | clip << 128 | ready at << 64 | last rebalance.
_clock: uint256

# @dev What the callback of the swap under way has to do, and what it found.
_action: transient(uint256)
_price: transient(uint256)
_payer: transient(address)
_collateral: transient(uint256)
_shares: transient(uint256)
_bought: transient(uint256)
_sold: transient(uint256)
_covered: transient(uint256)
_gained: transient(uint256)


@deploy
def __init__(name_: String[25], symbol_: String[5], config_: Config):
    """
    @notice Checks every parameter; none can be changed later.
    @param name_ The token's name.
    @param symbol_ The token's symbol.
    @param config_ The series (see Config).
    """
    ownable.__init__()
    erc20.__init__(name_, symbol_, 18, name_, "1")
    ownable._transfer_ownership(empty(address))
    erc20.is_minter[msg.sender] = False
    market: IMorpho.MarketParams = config_.market
    oracle_guard.__init__(
        market.oracle,
        config_.pool,
        market.collateralToken,
        market.loanToken,
        config_.max_age,
    )
    rule: leverage_math.Rule = config_.rule
    target: uint256 = rule.target_leverage
    assert rule.lower < target and target < rule.upper, "leveraged_token: band"
    assert rule.to_edge == (rule.edge_slack > 0), "leveraged_token: edge_slack"
    assert rule.lower > rule.edge_slack, "leveraged_token: edge_slack"
    assert (
        rule.upper + rule.edge_slack < rule.emergency_leverage
    ), "leveraged_token: emergency_leverage"
    # a long without debt is not levered
    assert not config_.long or rule.lower - rule.edge_slack > WAD, "leveraged_token: lower"
    assert market.lltv < WAD, "leveraged_token: lltv"
    assert (
        self._loan_to_value(rule.emergency_leverage, config_.long) < market.lltv
    ), "leveraged_token: emergency_leverage beyond lltv"
    assert (
        # the pool's price, in ticks of 1 bp, has to find room inside
        config_.tolerance_normal >= oracle_guard.POOL_FEE + WAD // BPS
        # up to there a front-run of a rebalance does not pay (docs/contracts/attacks.md)
        and config_.tolerance_normal <= 3 * oracle_guard.POOL_FEE
        and config_.tolerance_normal <= config_.tolerance_maximum
        # a trade that costs this much still lowers leverage, up to liquidation
        and config_.tolerance_maximum < (WAD - market.lltv) // 2
    ), "leveraged_token: tolerance"
    assert (
        config_.deviation_normal >= config_.tolerance_normal
        and config_.deviation_normal <= config_.deviation_maximum
        and config_.deviation_maximum <= WAD // 2
    ), "leveraged_token: deviation"
    assert config_.cooldown <= 86_400, "leveraged_token: cooldown"
    assert (
        config_.fallback_after >= 3_600
        and config_.fallback_after > config_.cooldown
        # added to a time, it stays one
        and config_.fallback_after <= TIME
    ), "leveraged_token: fallback_after"
    assert config_.initial_nav > 0, "leveraged_token: initial_nav"
    assert config_.premium <= MAX_PAY, "leveraged_token: premium"
    assert config_.creation_bps <= 500 and config_.redemption_bps <= 500, "leveraged_token: fees"
    assert config_.reserve_share_bps <= BPS, "leveraged_token: reserve_share_bps"
    assert (
        config_.reserve_share_bps == BPS or config_.fee_recipient != empty(address)
    ), "leveraged_token: fee_recipient"
    id: bytes32 = keccak256(abi_encode(market))
    morpho: IMorpho = IMorpho(config_.morpho)
    assert (staticcall morpho.market(id))[4] > 0, "leveraged_token: no such market"
    reserve: IReserve = IReserve(config_.reserve)
    assert staticcall reserve.is_token(self), "leveraged_token: not named by the reserve"
    underlying: address = market.collateralToken if config_.long else market.loanToken
    assert staticcall reserve.underlying() == underlying, "leveraged_token: reserve's underlying"
    # a short's fees come in quote
    assert (
        config_.long or staticcall reserve.quote() == market.collateralToken
    ), "leveraged_token: reserve's quote"
    CONFIG = config_
    MARKET_ID = id
    MULTIPLE = target if config_.long else target + WAD
    CALM = self._loan_to_value(rule.upper, config_.long)
    if config_.max_trade_notional > 0:
        # a clip can be swapped at this price, and a short's computed with at a million times it
        price: uint256 = self._latest()[0]
        assert config_.max_trade_notional < 2**128 and (
            config_.long or config_.max_trade_notional <= max_value(uint256) // 10**6 // price
        ), "leveraged_token: max_trade_notional"
        clip: uint256 = self._debt_of_quote(config_.max_trade_notional, price)
        assert (
            min(clip, self._collateral_down(clip, price)) >= DEAD_UNITS
        ), "leveraged_token: max_trade_notional"
    self._clock = block.timestamp
    for token: address in [market.collateralToken, market.loanToken]:
        assert extcall IERC20(token).approve(
            config_.morpho, max_value(uint256), default_return_value=True
        ), "leveraged_token: approve"


@external
@view
def getOwner() -> address:
    """
    @notice Nobody: a BEP-20 has this function.
    """
    return empty(address)


@external
@view
def config() -> Config:
    """
    @notice All that was fixed at deployment.
    """
    return CONFIG


@external
@view
@nonreentrant
def state() -> State:
    """
    @notice All that changes: the position with interest up to now, the price and the clock.
    """
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = self._latest()
    clock: uint256 = self._clock
    return State(
        position=self._position(),
        price=price,
        updated=updated,
        supply=erc20.totalSupply,
        last_rebalance=clock & TIME,
        ready_at=clock >> 64 & TIME,
        clip=clock >> 128 & 255,
        minting_closed=clock >= CLOSED,
    )


@external
@view
@nonreentrant
def nav_underlying() -> uint256:
    """
    @notice Net asset value in the underlying at the feed's price, or at the last good one;
            rounded down, 0 where debt exceeds collateral.
    """
    price: uint256 = self._latest()[0]
    return self._underlying_down(self._exposure_and_nav(self._position(), price)[1], price)


@external
@view
@nonreentrant
def should_rebalance() -> uint256:
    """
    @notice Whether `rebalance` would act now, and why.
    @return uint256 0 idle, 1 band_up, 2 band_down, 3 fallback, 4 emergency, 5 clip. Idle too
            while the oracle is bad, while raising leverage is suspended, while Morpho has
            nothing to lend, and where the pool's liquidity in range, if it were so up to the
            limit, would give less than half of the least fill.
    """
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = self._latest()
    plan: Plan = self._plan(price, updated)
    if plan.refusal != 0 or self._is_thin(plan, price):
        return leverage_math.IDLE
    return plan.trigger


@external
@nonreentrant
def mint(tokens: uint256, max_assets: uint256, receiver: address) -> uint256:
    """
    @notice Mints exactly so many tokens. Position and supply grow by the same factor: no
            oracle, and no dilution. The minter brings collateral and pays for the swap of the
            debt that is drawn. The first mint is at the oracle's price, and locks a few tokens.
    @param tokens How many.
    @param max_assets The most collateral to take, fee included.
    @param receiver Who gets them.
    @return uint256 The collateral taken, fee included.
    """
    supply: uint256 = erc20.totalSupply
    collateral: uint256 = 0
    shares: uint256 = 0
    debt: uint256 = 0
    debt_after: uint256 = 0
    if supply == 0:
        locked: uint256 = 0
        collateral, debt, locked = self._launch(tokens)
        erc20._mint(DEAD, locked)
        erc20._mint(receiver, tokens - locked)
        self._clock = block.timestamp << 64 | block.timestamp
        debt_after = debt
    else:
        assert self._clock < CLOSED, "leveraged_token: mint closed"
        self._accrue()
        position: Position = self._position()
        collateral = self._div_up(position.collateral * tokens, supply)
        shares = position.shares * tokens // supply
        debt = shares * position.total_assets // position.total_shares
        assert debt > 0, "leveraged_token: dust"
        debt_after = position.debt + debt
        erc20._mint(receiver, tokens)
    assert debt_after <= self._debt_cap(), "leveraged_token: supply cap"
    self._payer = msg.sender
    self._collateral = collateral
    self._shares = shares
    self._sold = max_assets
    self._swap(MINT, False, convert(debt, int256), 0)
    assets: uint256 = self._bought
    log Minted(
        minter=msg.sender,
        receiver=receiver,
        tokens=tokens,
        assets=assets,
        fee=assets - self._sold,
    )
    return assets


@external
@nonreentrant
def redeem(tokens: uint256, min_assets: uint256, receiver: address) -> uint256:
    """
    @notice Burns exactly so many tokens for their share of the position, paid in collateral.
            The redeemer pays for the swap that repays the debt. No oracle.
    @param tokens How many.
    @param min_assets The least collateral to give, after the fee.
    @param receiver Who gets it.
    @return uint256 The collateral given.
    """
    collateral: uint256 = 0
    shares: uint256 = 0
    debt: uint256 = 0
    collateral, shares, debt = self._burn_share(tokens)
    assets: uint256 = collateral
    if shares > 0:
        self._collateral = collateral
        self._shares = shares
        self._bought = debt
        self._swap(REDEEM, True, -convert(debt, int256), 0)
        assets -= self._sold
    else:
        self._withdraw(collateral, self)
    fee: uint256 = assets * CONFIG.redemption_bps // BPS
    assets -= fee
    self._check_slippage(assets >= min_assets)
    self._send(CONFIG.market.collateralToken, receiver, assets)
    log Redeemed(
        redeemer=msg.sender,
        receiver=receiver,
        tokens=tokens,
        assets=assets,
        debt_paid=0,
        fee=fee,
    )
    return assets


@external
@nonreentrant
def redeem_in_kind(tokens: uint256, max_debt: uint256, receiver: address) -> (uint256, uint256):
    """
    @notice Burns exactly so many tokens for their share of the collateral, against their share
            of the debt. No swap, no price, no fee: open whatever the feed and the pool do.
    @param tokens How many.
    @param max_debt The most debt to bring.
    @param receiver Who gets the collateral.
    @return uint256 The collateral given.
    @return uint256 The debt paid.
    """
    collateral: uint256 = 0
    shares: uint256 = 0
    debt: uint256 = 0
    collateral, shares, debt = self._burn_share(tokens)
    self._check_slippage(debt <= max_debt)
    if shares > 0:
        self._pull(CONFIG.market.loanToken, msg.sender, debt)
        self._repay(0, shares)
    self._withdraw(collateral, receiver)
    log Redeemed(
        redeemer=msg.sender,
        receiver=receiver,
        tokens=tokens,
        assets=collateral,
        debt_paid=debt,
        fee=0,
    )
    return collateral, debt


@external
@nonreentrant
def rebalance(keeper: address = msg.sender) -> uint256:
    """
    @notice Takes leverage to its destination, or as near as liquidity inside the tolerance
            lets it. By anyone, when `should_rebalance` says so.
    @param keeper Who gets the pay.
    @return uint256 The trigger.
    """
    gas: uint256 = msg.gas
    self._accrue()
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = extcall oracle_guard.ORACLE.poke()
    plan: Plan = self._plan(price, updated)
    assert plan.trigger != leverage_math.IDLE, "leveraged_token: nothing to do"
    assert plan.refusal < SUSPENDED, "leveraged_token: not to be raised"
    assert plan.refusal == 0, "oracle_guard: refused"
    self._price = price
    self._covered = 0
    self._gained = 0
    limit: uint256 = oracle_guard._limit(price, plan.up, plan.tolerance)
    emergency: bool = plan.trigger == leverage_math.EMERGENCY
    received: bool = plan.up == CONFIG.long
    bought: uint256 = 0
    sold: uint256 = 0
    filled: uint256 = 0
    paid: uint256 = 0
    owed: uint256 = 0
    exposure: uint256 = 0
    nav: uint256 = 0
    size: uint256 = plan.size
    # Once is enough while the reserve pays. What nav pays leaves a rest on the near side, smaller
    # each time by the cost's share of what was swapped.
    for again: uint256 in range(PASSES):
        if plan.up:
            # a cost that nav pays raises leverage by itself; a short's is debt as well, and a
            # share of what is paid, not of the size: it is the tolerance over the rest of 1
            most: uint256 = size * plan.tolerance // unsafe_sub(WAD, plan.tolerance)
            if plan.available <= self._covered + paid + self._underlying_down(most, price):
                size -= min(size, leverage_math._times_up(MULTIPLE, most))
        leg: int256 = convert(self._quote_down(size, price), int256)
        self._swap(UP if plan.up else DOWN, not plan.up, leg if received else -leg, limit)
        bought += self._bought
        sold += self._sold
        filled += self._debt_of_quote(self._sold if received else self._bought, price)
        if again == 0:
            # nobody is paid for what comes after: it is there only where nav pays
            moved: uint256 = self._underlying_down(filled, price)
            paid, owed = extcall IReserve(CONFIG.reserve).pay(
                keeper,
                (gas - msg.gas + GAS_AROUND) * block.basefee,
                leverage_math._premium_down(
                    moved,
                    CONFIG.premium,
                    leverage_math._distance_down(
                        CONFIG.rule, plan.exposure, plan.nav, plan.danger
                    ),
                ),
                moved * MAX_PAY // WAD,
            )
            owed = owed - paid if emergency else 0
            if owed > 0:
                if CONFIG.long:
                    self._withdraw(owed, keeper)
                else:
                    self._borrow(owed, 0, keeper)
        exposure, nav = self._exposure_and_nav(self._position(), price)
        up: bool = False
        up, size = leverage_math._gap_down(plan.destination, exposure, nav)
        size = min(size, plan.most - min(plan.most, filled))
        if up != plan.up or size * NEAR <= exposure or self._is_dust(size, price):
            break
        if self._root() == limit:
            break
    assert emergency or filled * LEAST_FILL >= plan.size, "leveraged_token: tiny fill"
    clipped: bool = self._conclude(plan, filled, exposure, nav)
    # what was bought and sold, in quote at the oracle's price
    units: uint256 = bought if received else sold
    fixed: uint256 = sold if received else bought
    notional: uint256 = self._quote_of_underlying(units, price)
    pool_fee: uint256 = (fixed if received else notional) * oracle_guard.POOL_FEE // WAD
    lost: int256 = convert(fixed, int256) - convert(notional, int256)
    if not received:
        lost = -lost
    log Rebalanced(
        keeper=keeper,
        trigger=plan.trigger,
        price=price if CONFIG.long else SCALE * SCALE // price,
        up=plan.up,
        buys=received,
        units=units,
        notional=notional,
        leverage_before=leverage_math._leverage_down(plan.exposure, plan.nav),
        leverage_after=leverage_math._leverage_down(exposure, nav),
        nav_before=self._quote_down(plan.nav, price),
        nav_after=self._quote_down(nav, price),
        pool_fee=pool_fee,
        impact=lost - convert(pool_fee, int256),
        covered=self._covered,
        gained=self._gained,
        pay_by_reserve=paid,
        pay_by_nav=owed,
        clipped=clipped,
    )
    return plan.trigger


@external
@nonreentrant
def close_minting():
    """
    @notice Closes minting for good where nav is gone: nothing is left to share in. By anyone.
            What is left of the position, if anything, can still be redeemed.
    """
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = self._latest()
    position: Position = self._position()
    assert erc20.totalSupply > 0 and (
        position.collateral == 0
        or (
            oracle_guard._is_fresh(updated)
            and self._exposure_and_nav(position, price)[1] == 0
        )
    ), "leveraged_token: not wiped out"
    self._clock = self._clock | CLOSED
    log MintingClosed()


@external
@nonreentrant
def collect_fees() -> uint256:
    """
    @notice Sends the fees, with whatever else of the collateral asset lies here, to the
            reserve and the fee recipient by their shares; one unit stays. By anyone.
    @return uint256 What the reserve got.
    """
    balance: uint256 = staticcall IERC20(CONFIG.market.collateralToken).balanceOf(self)
    # one unit stays: the next fee does not pay for a new slot
    balance -= min(balance, 1)
    share: uint256 = balance * CONFIG.reserve_share_bps // BPS
    self._send(CONFIG.market.collateralToken, CONFIG.reserve, share)
    self._send(CONFIG.market.collateralToken, CONFIG.fee_recipient, balance - share)
    return share


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """
    @notice The pool has sent what was bought; the position changes, and the pool gets what it
            is owed. Only the pool calls it, in the middle of a swap of this contract.
    @param amount0 What the pool is owed of token0; negative: what it sent.
    @param amount1 The same of token1.
    @param data Nothing: what is to be done is kept in transient storage.
    """
    assert msg.sender == oracle_guard.POOL.address, "leveraged_token: not the pool"
    action: uint256 = self._action
    self._action = 0
    bought: uint256 = convert(-min(amount0, amount1), uint256)
    sold: uint256 = convert(max(amount0, amount1), uint256)
    if action == MINT:
        collateral: uint256 = self._collateral
        need: uint256 = collateral - min(bought, collateral)
        fee: uint256 = need * CONFIG.creation_bps // BPS
        self._check_slippage(need + fee <= self._sold)
        self._pull(CONFIG.market.collateralToken, self._payer, need + fee)
        self._supply(need + bought)
        shares: uint256 = self._shares
        self._borrow(sold if shares == 0 else 0, shares, msg.sender)
        self._bought = need + fee
        self._sold = need
    elif action == REDEEM:
        assert bought == self._bought, "leveraged_token: thin pool"
        self._repay(0, self._shares)
        self._withdraw(self._collateral, self)
        self._send(CONFIG.market.collateralToken, msg.sender, sold)
        self._sold = sold
    else:
        assert action == UP or action == DOWN, "leveraged_token: no swap"
        self._settle(action == UP, bought, sold)
        self._bought = bought
        self._sold = sold


@internal
def _settle(up: bool, bought: uint256, sold: uint256):
    """
    @notice Changes the position by a rebalance's swap, and settles with the reserve what the
            underlying leg differs from the oracle's price.
    """
    pool: address = msg.sender
    received: bool = up == CONFIG.long
    into: uint256 = bought
    out: uint256 = sold
    # the underlying leg, and what it would have been for the quote leg at the oracle's price
    units: uint256 = bought if received else sold
    fair: uint256 = 0
    if CONFIG.long:
        fair = self._collateral_down(sold if received else bought, self._price)
    else:
        fair = self._debt_down(sold if received else bought, self._price)
    loses: bool = (units < fair) == received and units != fair
    apart: uint256 = max(units, fair) - min(units, fair)
    if loses:
        apart = extcall IReserve(CONFIG.reserve).settle(self if received else pool, apart)
        self._covered += apart
    else:
        self._gained += apart
    if received:
        into = bought + apart if loses else bought - apart
    else:
        out = sold - apart if loses else sold + apart
    receiver: address = pool if loses or received else self
    if up:
        self._supply(into)
        self._borrow(out, 0, receiver)
    else:
        self._repay(into, 0)
        self._withdraw(out, receiver)
    if not loses:
        underlying: address = CONFIG.market.loanToken
        if CONFIG.long:
            underlying = CONFIG.market.collateralToken
        if not received:
            self._send(underlying, pool, sold)
        self._send(underlying, CONFIG.reserve, apart)


@internal
def _swap(action: uint256, sells: bool, amount: int256, limit: uint256):
    """
    @notice Buys or sells collateral for debt tokens in the pool; the callback does the rest.
    @param action What for.
    @param sells Whether collateral is sold.
    @param amount Exact input if positive, exact output if negative.
    @param limit The pool's price at which to stop; 0: none.
    """
    zero_for_one: bool = sells == oracle_guard.COLLATERAL_IS_0
    bound: uint256 = limit
    if limit == 0:
        bound = oracle_guard.MIN_SQRT_PRICE if zero_for_one else oracle_guard.MAX_SQRT_PRICE
    self._action = action
    extcall oracle_guard.POOL.swap(self, zero_for_one, amount, convert(bound, uint160), b"")


@internal
def _conclude(plan: Plan, filled: uint256, exposure: uint256, nav: uint256) -> bool:
    """
    @notice Leverage is nearer to the destination than it was, and not across it; stores when
            this was, and whether more has to follow.
    """
    before: uint256 = plan.exposure * nav
    after: uint256 = exposure * plan.nav
    assert after != before and (after > before) == plan.up, "leveraged_token: not nearer"
    up: bool = False
    left: uint256 = 0
    up, left = leverage_math._gap_down(plan.destination, exposure, nav)
    arrived: bool = left * NEAR <= exposure or self._is_dust(left, self._price)
    assert arrived or up == plan.up, "leveraged_token: across"
    clock: uint256 = self._clock
    last: uint256 = block.timestamp
    if plan.trigger == leverage_math.CLIP:
        last = clock & TIME
    ready: uint256 = block.timestamp
    clip: uint256 = leverage_math.NO_CLIP
    if not arrived:
        clip = leverage_math.RAISING
        if not up:
            clip = leverage_math.LOWERING
            if plan.destination == CONFIG.rule.target_leverage:
                clip = leverage_math.LOWERING_TO_TARGET
        ready += leverage_math._cooldown_up(CONFIG.cooldown, filled, plan.size)
    self._clock = clock & CLOSED | clip << 128 | ready << 64 | last
    return not arrived


@internal
@view
def _plan(price: uint256, updated: uint256) -> Plan:
    """
    @notice What to do at this price: the trigger, where to, how much, and what refuses it.
    """
    plan: Plan = empty(Plan)
    position: Position = self._position()
    plan.exposure, plan.nav = self._exposure_and_nav(position, price)
    clock: uint256 = self._clock
    if plan.nav == 0 or clock >= CLOSED:
        # nothing is left, or this was the end. Where somebody repaid all it is raised again
        return plan
    plan.trigger, plan.destination = leverage_math._decide(
        CONFIG.rule,
        plan.exposure,
        plan.nav,
        clock >> 128 & 255,
        block.timestamp >= clock >> 64 & TIME,
        block.timestamp >= (clock & TIME) + CONFIG.fallback_after,
    )
    plan.up, plan.gap = leverage_math._gap_down(plan.destination, plan.exposure, plan.nav)
    if plan.trigger == leverage_math.IDLE or self._is_dust(plan.gap, price):
        plan.trigger = leverage_math.IDLE
        return plan
    plan.danger = leverage_math._danger_down(
        position.debt * WAD // (plan.nav + position.debt), CALM, CONFIG.market.lltv
    )
    plan.tolerance = leverage_math._widened_down(
        CONFIG.tolerance_normal, CONFIG.tolerance_maximum, plan.danger
    )
    plan.most = max_value(uint256)
    if plan.trigger != leverage_math.EMERGENCY and CONFIG.max_trade_notional > 0:
        plan.most = self._debt_of_quote(CONFIG.max_trade_notional, price)
    plan.size = min(plan.gap, plan.most)
    if plan.up:
        plan.most = min(plan.most, position.lendable * (WAD - plan.tolerance) // WAD)
        suspended: bool = False
        suspended, plan.available = staticcall IReserve(CONFIG.reserve).standing(self)
        if (
            suspended
            or plan.most < (plan.size + LEAST_FILL - 1) // LEAST_FILL
        ):
            plan.refusal = SUSPENDED
            return plan
        plan.size = min(plan.size, plan.most)
    plan.refusal = oracle_guard._refusal(
        price,
        updated,
        plan.tolerance,
        leverage_math._widened_down(
            CONFIG.deviation_normal, CONFIG.deviation_maximum, plan.danger
        ),
    )
    return plan


@internal
@view
def _is_thin(plan: Plan, price: uint256) -> bool:
    """
    @notice Whether a fill would clearly be refused as tiny. Half of the least fill, because
            there may be more liquidity beyond the next tick: what is in doubt is to be tried.
    """
    if plan.trigger == leverage_math.IDLE or plan.trigger == leverage_math.EMERGENCY:
        return False
    root: uint256 = self._root()
    limit: uint256 = oracle_guard._limit(price, plan.up, plan.tolerance)
    # of the debt token between here and the limit
    depth: uint256 = convert(staticcall oracle_guard.POOL.liquidity(), uint256)
    depth *= max(root, limit) - min(root, limit)
    if oracle_guard.COLLATERAL_IS_0:
        depth = depth >> 96
    else:
        depth = (depth // root << 96) // limit
    return depth * (2 * LEAST_FILL) < plan.size


@internal
def _launch(tokens: uint256) -> (uint256, uint256, uint256):
    """
    @notice The first position, at the oracle's price and the target: collateral, debt, and the
            tokens to lock.
    """
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = extcall oracle_guard.ORACLE.poke()
    # a pool that is apart costs the minter alone, who has set a bound
    assert oracle_guard._is_fresh(updated), "oracle_guard: refused"
    # units of the coarser asset, in collateral
    units: uint256 = max(DEAD_UNITS, self._div_up(DEAD_UNITS * SCALE, price))
    locked: uint256 = self._div_up(units * WAD, CONFIG.initial_nav)
    assert tokens > locked, "leveraged_token: too few"
    nav: uint256 = self._div_up(tokens * CONFIG.initial_nav, WAD)
    collateral: uint256 = nav * MULTIPLE // WAD
    return collateral, (collateral - nav) * price // SCALE, locked


@internal
@view
def _debt_cap() -> uint256:
    """
    @notice The debt at which a full emergency delever, which sells about twice nav, still fits
            into the pool's liquidity within the maximum tolerance. At the target nav is
            debt / (MULTIPLE - 1), so no price is asked.
    """
    root: uint256 = self._root()
    liquidity: uint256 = convert(staticcall oracle_guard.POOL.liquidity(), uint256)
    # the pool's virtual reserve of the debt token; it sells the share 1 - sqrt(1 - t) of it
    reserve: uint256 = liquidity * root >> 96
    if not oracle_guard.COLLATERAL_IS_0:
        reserve = (liquidity << 96) // root
    share: uint256 = (CONFIG.tolerance_maximum - oracle_guard.POOL_FEE) // 2
    return reserve * share // WAD * (MULTIPLE - WAD) // (2 * WAD)


@internal
def _burn_share(tokens: uint256) -> (uint256, uint256, uint256):
    """
    @notice Burns the caller's tokens; their collateral, debt shares and debt.
    """
    supply: uint256 = erc20.totalSupply
    erc20._burn(msg.sender, tokens)
    self._accrue()
    position: Position = self._position()
    collateral: uint256 = position.collateral * tokens // supply
    assert collateral > 0, "leveraged_token: dust"
    shares: uint256 = self._div_up(position.shares * tokens, supply)
    debt: uint256 = self._div_up(shares * position.total_assets, position.total_shares)
    return collateral, shares, debt


@internal
@view
def _latest() -> (uint256, uint256):
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = staticcall oracle_guard.ORACLE.latest()
    return price, updated


@internal
@view
def _root() -> uint256:
    return (staticcall oracle_guard.POOL.slot0()).sqrtPriceX96


@internal
@view
def _position() -> Position:
    """
    @notice The position with interest up to now, as Morpho will compute it.
    """
    held: IMorpho.Position = staticcall IMorpho(CONFIG.morpho).position(MARKET_ID, self)
    market: uint256[6] = staticcall IMorpho(CONFIG.morpho).market(MARKET_ID)
    borrowed: uint256 = market[2]
    elapsed: uint256 = block.timestamp - market[4]
    if elapsed > 0 and borrowed > 0 and CONFIG.market.irm != empty(address):
        rate: Bytes[32] = raw_call(
            CONFIG.market.irm,
            abi_encode(
                CONFIG.market,
                market,
                method_id=BORROW_RATE_VIEW,
            ),
            max_outsize=32,
            is_static_call=True,
        )
        first: uint256 = extract32(rate, 0, output_type=uint256) * elapsed
        second: uint256 = first * first // (2 * WAD)
        borrowed += borrowed * (first + second + second * first // (3 * WAD)) // WAD
    position: Position = Position(
        collateral=held.collateral,
        shares=held.borrowShares,
        debt=0,
        total_assets=borrowed + VIRTUAL_ASSETS,
        total_shares=market[3] + VIRTUAL_SHARES,
        lendable=market[0] - min(market[0], market[2]),
    )
    position.debt = self._div_up(
        position.shares * position.total_assets, position.total_shares
    )
    return position


@internal
@pure
def _check_slippage(holds: bool):
    assert holds, "leveraged_token: slippage"


@internal
@pure
def _div_up(above: uint256, below: uint256) -> uint256:
    # below is not 0, or the division says so
    return unsafe_sub(above + below, 1) // below


@internal
@pure
def _loan_to_value(leverage: uint256, long: bool) -> uint256:
    if long:
        return WAD - WAD * WAD // leverage
    return leverage * WAD // (leverage + WAD)


@internal
@view
def _exposure_and_nav(position: Position, price: uint256) -> (uint256, uint256):
    """
    @notice Both in debt units; 0 for a nav that is gone.
    """
    value: uint256 = self._debt_down(position.collateral, price)
    return (
        value if CONFIG.long else position.debt,
        value - min(value, position.debt),
    )


@internal
@pure
def _debt_down(collateral: uint256, price: uint256) -> uint256:
    return collateral * price // SCALE


@internal
@pure
def _collateral_down(debt: uint256, price: uint256) -> uint256:
    return debt * SCALE // price


@internal
@pure
def _is_dust(size: uint256, price: uint256) -> bool:
    """
    @notice Whether a trade of so many debt units is so small that a leg of it could round to 0.
    """
    return min(size, self._collateral_down(size, price)) < LEAST_UNITS


@internal
@view
def _underlying_down(debt: uint256, price: uint256) -> uint256:
    return self._collateral_down(debt, price) if CONFIG.long else debt


@internal
@view
def _quote_down(debt: uint256, price: uint256) -> uint256:
    return debt if CONFIG.long else self._collateral_down(debt, price)


@internal
@view
def _debt_of_quote(quote: uint256, price: uint256) -> uint256:
    return quote if CONFIG.long else self._debt_down(quote, price)


@internal
@view
def _quote_of_underlying(amount: uint256, price: uint256) -> uint256:
    if CONFIG.long:
        return self._debt_down(amount, price)
    return self._collateral_down(amount, price)


@internal
def _accrue():
    extcall IMorpho(CONFIG.morpho).accrueInterest(CONFIG.market, skip_contract_check=True)


@internal
def _supply(amount: uint256):
    # that there is a contract the constructor has seen, here and below
    extcall IMorpho(CONFIG.morpho).supplyCollateral(
        CONFIG.market, amount, self, b"", skip_contract_check=True
    )


@internal
def _withdraw(amount: uint256, receiver: address):
    extcall IMorpho(CONFIG.morpho).withdrawCollateral(
        CONFIG.market, amount, self, receiver, skip_contract_check=True
    )


@internal
def _borrow(amount: uint256, shares: uint256, receiver: address):
    extcall IMorpho(CONFIG.morpho).borrow(
        CONFIG.market, amount, shares, self, receiver, skip_contract_check=True
    )


@internal
def _repay(amount: uint256, shares: uint256):
    extcall IMorpho(CONFIG.morpho).repay(
        CONFIG.market, amount, shares, self, b"", skip_contract_check=True
    )


@internal
def _pull(token: address, owner: address, amount: uint256):
    """
    @notice Takes a token, and refuses one that takes a fee on the way.
    """
    before: uint256 = staticcall IERC20(token).balanceOf(self)
    assert extcall IERC20(token).transferFrom(
        owner, self, amount, default_return_value=True
    ), "leveraged_token: transfer"
    assert (
        staticcall IERC20(token).balanceOf(self) == before + amount
    ), "leveraged_token: fee on transfer"


@internal
def _send(token: address, receiver: address, amount: uint256):
    if amount > 0:
        assert extcall IERC20(token).transfer(
            receiver, amount, default_return_value=True
        ), "leveraged_token: transfer"
