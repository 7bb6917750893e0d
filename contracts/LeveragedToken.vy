# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize codesize
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title LeveragedToken
@custom:contract-name LeveragedToken
@license GNU Affero General Public License v3.0 only
@notice One series of a leveraged token: an ERC-20 whose backing is one Morpho Blue position. A
        long supplies the underlying and owes the quote, a short supplies the quote and owes the
        underlying. It makes no swap and knows no pool: `mint` and `redeem` are in kind, and a
        rebalance is an auction that anyone may take at the oracle's price and a premium.
        A clone with its configuration in its code; there is no owner, no pause, no upgrade.

        What must hold, in the order of its rank:
        1. Exits never close. `redeem` asks for no price of ours, no reserve and nobody's leave;
           only Morpho itself can refuse it, above its liquidation threshold.
        2. Solvency. Supply is a claim on the position and on nothing else. Collateral per token
           never falls and debt shares per token never rise by a mint or a redemption: each
           rounding is in favour of those who stay.
        3. A fill takes leverage nearer to its destination, and never across it.
        4. What a fill costs is its premium, which `rules/` computes too; the reserve pays of it
           what its caps allow, nav the rest.
@dev Amounts are in debt units at the oracle's price (debt per collateral, times 1e36) unless
     another unit is named. Positions come with interest up to now, as every call that acts
     accrues it first; views show the market's last accrual.
"""


from ethereum.ercs import IERC20

from snekmate.auth import ownable
from snekmate.tokens import erc20
initializes: ownable
initializes: erc20[ownable := ownable]

from .interfaces import IDecision
from .interfaces import ILeveragedToken
from .interfaces import IMorpho
from .interfaces import IOracle
from .interfaces import IReserve
implements: ILeveragedToken

from . import auction
from . import auction_fill
from . import clock_slot
from . import clone_permit
from . import fee_allocation
from . import morpho_position
from . import series_config
from . import series_state
from . import series_words
from . import supply_mean
initializes: clock_slot
initializes: series_config
initializes: supply_mean
initializes: clone_permit[erc20 := erc20, series_config := series_config]
initializes: morpho_position[supply_mean := supply_mean]
initializes: series_state[
    erc20 := erc20,
    clock_slot := clock_slot,
    morpho_position := morpho_position,
    supply_mean := supply_mean,
]
initializes: fee_allocation[
    erc20 := erc20,
    clock_slot := clock_slot,
    morpho_position := morpho_position,
    series_config := series_config,
    series_state := series_state,
    supply_mean := supply_mean,
]
initializes: auction_fill[
    clock_slot := clock_slot,
    morpho_position := morpho_position,
    series_state := series_state,
]


exports: (
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.balanceOf,
    erc20.allowance,
    erc20.totalSupply,
    erc20.decimals,
    erc20.nonces,
    clone_permit.permit,
    clone_permit.DOMAIN_SEPARATOR,
    fee_allocation.allocate,
    morpho_position.onMorphoSupplyCollateral,
    morpho_position.onMorphoRepay,
    series_config.config,
    series_config.name,
    series_config.symbol,
    series_config.reserve,
    series_config.oracle,
    series_state.state,
    series_state.facts,
    series_state.standing,
    series_state.DECISION,
)


# @dev Emitted once, with what the launch put in and took out.
event Launched:
    receiver: indexed(address)
    tokens: uint256
    collateral: uint256
    debt: uint256
    price: uint256


# @dev Emitted for each mint: `collateral` and `fee` came from the minter, `debt` went out.
event Minted:
    minter: indexed(address)
    receiver: indexed(address)
    tokens: uint256
    collateral: uint256
    fee: uint256
    debt: uint256
    after: ILeveragedToken.State


# @dev Emitted for each redemption: `collateral` went out, `debt` came from the redeemer.
event Redeemed:
    redeemer: indexed(address)
    receiver: indexed(address)
    tokens: uint256
    collateral: uint256
    fee: uint256
    debt: uint256
    after: ILeveragedToken.State


# @dev Emitted when a band auction begins, or is found void: then `opened` is 0.
event Opened:
    opener: indexed(address)
    opened: uint256
    up: bool
    leverage: uint256
    price: uint256


WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36

# @dev Of IDecision.Plan: a trigger's number and the state in which fills are taken.
IDLE: constant(uint256) = 0
EMERGENCY: constant(uint256) = 2
BAND: constant(uint256) = 3
OPEN: constant(uint256) = 2

# @dev Locked at launch for ever, so that no later share of the position is computed from few
# digits and supply is never zero again.
DEAD_TOKENS: constant(uint256) = 10**15
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD


# @dev One fill per series and transaction.
_filled: transient(bool)


@deploy
def __init__(morpho: address, decision: address):
    """
    @notice The implementation; every series is a clone of it.
    @param morpho Morpho Blue on this chain.
    @param decision The Decision contract.
    """
    ownable.__init__()
    # the name is the implementation's, which no clone says
    erc20.__init__("implementation", "none", 18, "implementation", "1")
    erc20.is_minter[msg.sender] = False
    ownable._transfer_ownership(empty(address))
    series_config.__init__()
    morpho_position.__init__(morpho)
    series_state.__init__(decision)


@external
@nonreentrant
def launch(tokens: uint256, collateral: uint256, receiver: address) -> uint256:
    """
    @notice The first position, at the target, from collateral that the factory sent here before.
    @param tokens Raw tokens; a thousandth of a token of them is locked for ever.
    @param collateral Raw collateral that was sent here.
    @param receiver Who gets the tokens, the debt and what of the collateral is left.
    @return uint256 The collateral that was used.
    """
    series_config._only_clone()
    assert erc20.totalSupply == 0, "leveraged_token: launched"
    config: series_words.Config = series_config._config()
    market: IMorpho.MarketParams = config.market
    for asset: address in [market.collateralToken, market.loanToken]:
        assert extcall IERC20(asset).approve(
            morpho_position.MORPHO.address, max_value(uint256), default_return_value=True
        ), "leveraged_token: approve"
    price: uint256 = series_state._good_price(market.oracle, False)[0]
    nav: uint256 = tokens * config.initial_nav // WAD
    multiple: uint256 = auction._multiple(config.terms.target, config.terms.long)
    brings: uint256 = nav * multiple // WAD
    debt: uint256 = (brings - nav) * price // SCALE
    assert brings <= collateral, "leveraged_token: collateral"
    self._within_cap(debt, config.debt_cap)
    morpho_position._supply(market, brings, b"")
    morpho_position._borrow(market, debt, 0, receiver)
    if brings < collateral:
        morpho_position._send(market.collateralToken, receiver, collateral - brings)
    supply_mean._begin(tokens)
    now: uint256 = block.timestamp
    clock_slot._write(
        clock_slot.Clock(
            arrived=now, opened=0, opened_up=False, filled=0, filled_trigger=0, allocated=now
        )
    )
    erc20._mint(DEAD, DEAD_TOKENS)
    erc20._mint(receiver, tokens - DEAD_TOKENS)
    log Launched(
        receiver=receiver, tokens=tokens, collateral=brings, debt=debt, price=price
    )
    return brings


@external
@nonreentrant
def mint(
    tokens: uint256, most: uint256, receiver: address, data: Bytes[512] = b""
) -> (uint256, uint256):
    """
    @notice In kind: collateral and fee come from the sender, the debt goes to the receiver. With
            data the sender gets the debt, is called (ITaker.on_given) and has to bring the
            collateral: whoever mints with one asset needs no loan.
    @param tokens Raw tokens to mint.
    @param most The most raw collateral to pay, fee included.
    @param receiver Who gets the tokens, and the debt where there is no callback.
    @param data For the sender's callback; empty: none.
    @return uint256 Collateral paid, fee included.
    @return uint256 Debt taken out.
    """
    series_config._only_clone()
    config: series_words.Config = series_config._config()
    market: IMorpho.MarketParams = config.market
    position: morpho_position.Position = morpho_position._accrued(market)
    price: uint256 = series_state._good_price(market.oracle, False)[0]
    value: uint256 = position.collateral * price // SCALE
    # a late entrant would share in the cover of a rescue
    calm: uint256 = auction._loan_to_value(config.terms.upper, config.terms.long)
    assert value > 0 and position.debt * WAD <= value * calm, "leveraged_token: above the band"
    supply: uint256 = erc20.totalSupply
    collateral: uint256 = auction._div_up(position.collateral * tokens, supply)
    fee: uint256 = self._fee(collateral, config)
    pays: uint256 = collateral + fee
    self._check_most(tokens > 0 and pays <= most)
    shares: uint256 = position.shares * tokens // supply
    debt: uint256 = shares * position.total_assets // position.total_shares
    self._within_cap(position.debt + debt, config.debt_cap)
    after: ILeveragedToken.State = self._remember(supply, fee)
    after.collateral = position.collateral + collateral
    after.shares = position.shares + shares
    after.debt = position.debt + debt
    after.supply = supply + tokens
    erc20._mint(receiver, tokens)
    if len(data) == 0 or shares == 0:
        morpho_position._pull(market.collateralToken, msg.sender, pays)
        morpho_position._supply(market, pays, b"")
        # Morpho refuses to lend nothing
        if shares > 0:
            morpho_position._borrow(market, 0, shares, receiver)
    else:
        deal: morpho_position.Deal = morpho_position.Deal(
            market=market,
            taker=msg.sender,
            receiver=msg.sender,
            out=0,
            shares=shares,
            given=0,
            owes=pays,
        )
        morpho_position._supply(market, pays, morpho_position._told(deal, data))
    log Minted(
        minter=msg.sender,
        receiver=receiver,
        tokens=tokens,
        collateral=collateral,
        fee=fee,
        debt=debt,
        after=after,
    )
    return pays, debt


@external
@nonreentrant
def redeem(
    tokens: uint256, most: uint256, receiver: address, data: Bytes[512] = b""
) -> (uint256, uint256):
    """
    @notice In kind: the debt comes from the sender, the collateral less the fee goes to the
            receiver. With data the receiver gets the collateral first, then the sender is called
            (ITaker.on_given) and has to bring the debt.
    @param tokens Raw tokens of the sender to burn.
    @param most The most raw debt to pay.
    @param receiver Who gets the collateral.
    @param data For the sender's callback; empty: none.
    @return uint256 Collateral that left, less the fee.
    @return uint256 Debt paid.
    """
    config: series_words.Config = series_config._config()
    market: IMorpho.MarketParams = config.market
    position: morpho_position.Position = morpho_position._accrued(market)
    supply: uint256 = erc20.totalSupply
    collateral: uint256 = position.collateral * tokens // supply
    fee: uint256 = self._fee(collateral, config)
    collateral -= fee
    shares: uint256 = auction._div_up(position.shares * tokens, supply)
    debt: uint256 = auction._div_up(shares * position.total_assets, position.total_shares)
    self._check_most(debt <= most)
    after: ILeveragedToken.State = self._remember(supply, fee)
    after.collateral = position.collateral - collateral - fee
    after.shares = position.shares - shares
    after.debt = position.debt - min(position.debt, debt)
    after.supply = supply - tokens
    erc20._burn(msg.sender, tokens)
    if len(data) == 0 or shares == 0:
        if shares > 0:
            morpho_position._pull(market.loanToken, msg.sender, debt)
            morpho_position._repay(market, 0, shares, b"")
        # after a liquidation there may be nothing, which Morpho refuses to send
        if collateral > 0:
            morpho_position._withdraw(market, collateral, receiver)
    else:
        deal: morpho_position.Deal = morpho_position.Deal(
            market=market,
            taker=msg.sender,
            receiver=receiver,
            out=collateral,
            shares=0,
            given=0,
            owes=debt,
        )
        morpho_position._repay(market, 0, shares, morpho_position._told(deal, data))
    log Redeemed(
        redeemer=msg.sender,
        receiver=receiver,
        tokens=tokens,
        collateral=collateral,
        fee=fee,
        debt=debt,
        after=after,
    )
    return collateral, debt


@external
@nonreentrant
def open() -> uint256:
    """
    @notice Begins the auction of a band rebalance, or ends one that is found void. By anyone.
            A lowering in danger needs no opening, and may be opened all the same.
    @return uint256 When the auction began; 0: a void one was ended.
    """
    series_config._only_clone()
    config: series_words.Config = series_config._config()
    position: morpho_position.Position = morpho_position._accrued(config.market)
    price: uint256 = 0
    jump: uint256 = 0
    price, jump = series_state._good_price(config.market.oracle, True)
    clock: clock_slot.Clock = clock_slot._read()
    plan: IDecision.Plan = self._plan(config, position, price, jump, clock)
    # a clock that runs this way is kept; one that does not, or of which nothing is due, is void
    runs: bool = (
        plan.trigger != IDLE
        and clock.opened_up == plan.up
        and block.timestamp <= clock.opened + 2 * config.terms.duration
    )
    due: bool = plan.trigger == EMERGENCY or plan.trigger == BAND
    assert not runs and (due or clock.opened > 0), "leveraged_token: nothing to open"
    clock.opened = block.timestamp if due else 0
    clock.opened_up = plan.up
    clock.filled = 0
    clock.filled_trigger = 0
    clock_slot._write(clock)
    extcall IOracle(config.market.oracle).poke()
    log Opened(
        opener=msg.sender,
        opened=clock.opened,
        up=plan.up,
        leverage=plan.leverage,
        price=price,
    )
    return clock.opened


@external
@nonreentrant
def rebalance(most: uint256, limit: int256, data: Bytes[512] = b"") -> (uint256, uint256):
    """
    @notice Takes all or a part of what is due, once in a transaction. The sender gives what the
            series needs and gets the other asset at the oracle's price and the premium.
    @param most The largest notional to take, in debt units at the oracle's price.
    @param limit The least premium, times 1e18.
    @param data For the sender's callback (ITaker.on_given); empty: what is owed is pulled.
    @return uint256 What the taker got.
    @return uint256 What the taker paid.
    """
    series_config._only_clone()
    assert not self._filled, "leveraged_token: filled before"
    self._filled = True
    config: series_words.Config = series_config._config()
    position: morpho_position.Position = morpho_position._accrued(config.market)
    price: uint256 = 0
    jump: uint256 = 0
    price, jump = series_state._good_price(config.market.oracle, True)
    clock: clock_slot.Clock = clock_slot._read()
    plan: IDecision.Plan = self._plan(config, position, price, jump, clock)
    assert plan.state == OPEN, "leveraged_token: nothing on sale"
    assert plan.premium >= limit, "leveraged_token: premium"
    size: uint256 = min(most, plan.most)
    assert size > 0 and (size == plan.most or size >= plan.least), "leveraged_token: fill too small"
    arrived: bool = auction_fill._advance(clock, plan, size, config.terms.cooldown)
    counted: ILeveragedToken.State = series_state._counted()
    settled: uint256 = auction_fill._settle(config, plan, price, size, counted)
    legs: IDecision.Legs = staticcall series_state.DECISION.legs(
        config.terms.long, plan.up, plan.premium, price, size, settled
    )
    auction_fill._fill(config.market, plan.up, legs, data)
    if plan.premium < 0 and settled > 0:
        underlying: address = config.market.collateralToken
        if not config.terms.long:
            underlying = config.market.loanToken
        morpho_position._send(underlying, config.reserve, settled)
    auction_fill._log_fill(
        config.market, config.terms.long, plan, price, size, settled, arrived, counted
    )
    return legs.given, legs.owes


@internal
@pure
def _check_most(within: bool):
    """
    @notice Refuses what takes more than its sender pays at most.
    """
    assert within, "leveraged_token: more than most"


@internal
@pure
def _within_cap(debt: uint256, cap: uint256):
    """
    @notice Refuses a debt above the series' most.
    """
    assert debt <= cap, "leveraged_token: debt_cap"


@internal
@pure
def _fee(collateral: uint256, config: series_words.Config) -> uint256:
    """
    @notice A part of nav at the target, in collateral; rounded up.
    """
    multiple: uint256 = auction._multiple(config.terms.target, config.terms.long)
    return auction._div_up(collateral * config.fee, multiple)


@internal
def _remember(supply: uint256, fee: uint256) -> ILeveragedToken.State:
    """
    @notice Keeps the means and the fees before the supply changes, and begins to say the state.
    """
    state: ILeveragedToken.State = empty(ILeveragedToken.State)
    state.mean_day, state.mean_week = supply_mean._means(supply)
    state.fees = supply_mean._fees() + fee
    supply_mean._store(state.mean_day, state.mean_week, state.fees)
    return state


@internal
@view
def _plan(
    config: series_words.Config,
    position: morpho_position.Position,
    price: uint256,
    jump: uint256,
    clock: clock_slot.Clock,
) -> IDecision.Plan:
    return staticcall series_state.DECISION.decide(
        config.terms,
        series_state._facts(config.market.lltv, position, price, jump, clock),
    )
