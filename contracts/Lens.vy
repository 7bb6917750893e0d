# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Lens
@custom:contract-name Lens
@license GNU Affero General Public License v3.0 only
@notice What a leveraged token would do and how it stands, to the second, without doing it. It has
        no state, holds nothing and has no rights: whoever calls it, nothing changes.

        What must hold: a preview says what the transaction does in the same block, to the last
        unit, and reverts where the transaction does.
@dev A quote of a Uniswap v3 pool cannot be a view: the pool itself is asked to swap, and the
     callback reverts with the amounts. A rebalance is carried out whole and reverted with its
     outcome, so it is exact in everything, the keeper's measured gas included: nothing that it
     reads is read before it, and a revert makes cold again what it touched. Such functions are
     for `eth_call`; sent as a transaction they cost gas and change nothing.

     What is previewed without being done (mints and redemptions need the caller's assets) is the
     token's arithmetic on the token's own figures. What the token refuses is said by the token:
     a mint is tried without assets, and gets as far as asking for them.

     It cannot know a leveraged token from a contract that answers like one: a page asks for the
     addresses that it knows, or that a reserve names.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

from .interfaces import ILens
from .interfaces import IReserve
from .interfaces import IUniswapV3Pool
implements: ILens

from . import LeveragedToken
from . import Reserve
from . import leverage_math


# @dev A mint: what it takes (the fee included), the fee, the tokens that the receiver gets, the
# collateral that is added to the position, the debt that is drawn and what the pool gives for it.
struct Mint:
    assets: uint256
    fee: uint256
    tokens: uint256
    collateral: uint256
    debt: uint256
    bought: uint256


# @dev A redemption: what it gives (after the fee), the fee, the share of the position, and what
# the pool takes of the collateral for the debt.
struct Redemption:
    assets: uint256
    fee: uint256
    collateral: uint256
    debt: uint256
    sold: uint256


# @dev A rebalance, in the words of the token's event. Units and what the keeper and the reserve
# pay and get in the underlying; notional (the units at the oracle's price), `swapped` (what the
# pool gives or takes for them) and nav in quote.
struct Rebalance:
    trigger: uint256           # as `should_rebalance`
    reason: String[64]         # why `rebalance` reverts now; empty: it goes through
    up: bool
    buys: bool
    units: uint256
    notional: uint256
    swapped: uint256
    leverage_before: uint256
    leverage_after: uint256
    nav_before: uint256
    nav_after: uint256
    pay: uint256
    reserve_paid: uint256      # what the swap lost, as far as covered, and pay
    reserve_gained: uint256
    clipped: bool
    ready_at: uint256


# @dev A price of the underlying, whole quote per whole underlying times 1e18, and its ratio to
# the present price, times 1e18. The largest number for both: no price is that high.
struct Distance:
    price: uint256
    ratio: uint256


# @dev The reserve behind a token; amounts in the underlying.
struct ReserveNow:
    value: uint256
    suspended: bool
    available: uint256         # to this token
    health: Reserve.Health     # as last published


# @dev All about a token. Leverage, shares and prices times 1e18; prices in whole quote per whole
# underlying.
struct Overview:
    name: String[25]
    symbol: String[5]
    underlying: address
    quote: address
    underlying_decimals: uint256
    quote_decimals: uint256
    config: LeveragedToken.Config
    state: LeveragedToken.State
    price: uint256
    pool_price: uint256
    stale: bool                # the feed's answer is bad or older than max_age
    nav_underlying: uint256    # raw units, rounded down
    nav_quote: uint256
    token_underlying: uint256  # nav per whole token in whole assets, times 1e18, rounded down
    token_quote: uint256
    leverage: uint256          # the largest number: nav is gone
    loan_to_value: uint256
    danger: uint256
    tolerance: uint256
    deviation: uint256
    trigger: uint256
    band_up: Distance
    band_down: Distance
    emergency: Distance
    liquidation: Distance
    fallback_at: uint256
    fallback_in: uint256       # seconds; 0: due, unless nothing is to be done
    reserve: ReserveNow


# @dev How a dry rebalance left things; it is what `dry_rebalance` reverts with.
struct Outcome:
    trigger: uint256
    position: LeveragedToken.Position
    pay: uint256
    pool_underlying: uint256
    pool_quote: uint256
    reserve: uint256
    paid_ever: uint256
    clip: uint256
    ready_at: uint256


WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36
BPS: constant(uint256) = 10_000
NEVER: constant(uint256) = max_value(uint256)

# @dev Bytes of a token's Config, of a dry rebalance's Outcome and of a quote.
CONFIG_SIZE: constant(uint256) = 928
OUTCOME_SIZE: constant(uint256) = 448
QUOTE_SIZE: constant(uint256) = 64

# @dev The lowest and the highest limit that a Uniswap v3 swap takes.
MIN_SQRT_PRICE: constant(uint256) = 4295128740
MAX_SQRT_PRICE: constant(uint256) = 1461446703485210103287273052203988822378723970341

# @dev Scale of a square root price whose square still fits.
ROOT_SCALE: constant(uint256) = 10**27

# @dev Units of either asset that rounding moves in a mint, at most.
ROUNDING: constant(uint256) = 3


@external
def preview_mint(token: address, tokens: uint256) -> Mint:
    """
    @notice What `mint` would take now. Reverts where it would, with the token's own reason.
    @param token The leveraged token.
    @param tokens How many.
    @return Mint See there. At the first mint `tokens` is less by what is locked.
    """
    config: LeveragedToken.Config = self._config(token)
    state: LeveragedToken.State = self._state(token)
    self._raise_refusal(token, tokens)
    mint: Mint = self._mint(config, state, tokens)
    assert mint.debt <= state.position.lendable, "lens: nothing to lend"
    shares: uint256 = 0
    if state.supply == 0:
        shares = LeveragedToken._div_up(
            mint.debt * state.position.total_shares, state.position.total_assets
        )
    else:
        shares = state.position.shares * tokens // state.supply
    assert self._is_healthy(
        config,
        state,
        state.position.collateral + mint.collateral,
        state.position.shares + shares,
        state.position.total_assets + mint.debt,
        state.position.total_shares + shares,
    ), "lens: unhealthy"
    return mint


@external
def quote_mint(token: address, tokens: uint256) -> uint256:
    """
    @notice What `mint` would take now, fee included; refusals are not looked for. For contracts.
    @param token The leveraged token, launched.
    @param tokens How many.
    """
    state: LeveragedToken.State = self._state(token)
    return self._mint(self._config(token), state, tokens).assets


@external
def preview_deposit(token: address, assets: uint256) -> uint256:
    """
    @notice The tokens that so much collateral mints, fee included: a mint of so many takes at
            most `assets`, and less by no more than the swap's impact on itself.
    @dev One quote is enough. At the pool's price of this moment and no cost, `assets` would mint
         too many. What a mint takes is convex in the tokens and nothing for none, so that as
         many fewer, in the proportion of what they would take to `assets`, take no more than it.
    @param token The leveraged token, launched.
    @param assets Collateral to spend.
    """
    config: LeveragedToken.Config = self._config(token)
    state: LeveragedToken.State = self._state(token)
    assert state.supply > 0, "lens: not launched"
    owed: uint256 = self._pool_collateral(config, state.position.debt)
    assert state.position.collateral > owed, "lens: wiped out"
    tokens: uint256 = assets * state.supply // (state.position.collateral - owed)
    margin: uint256 = ROUNDING + self._pool_collateral(config, ROUNDING) + 1
    if tokens == 0 or assets <= margin:
        return 0
    taken: uint256 = self._mint(config, state, tokens).assets
    return tokens * (assets - margin) // max(taken, assets)


@external
def preview_redeem(token: address, tokens: uint256) -> Redemption:
    """
    @notice What `redeem` would give now. Reverts where it would for a holder of the tokens.
    @param token The leveraged token.
    @param tokens How many.
    """
    config: LeveragedToken.Config = self._config(token)
    redemption: Redemption = empty(Redemption)
    redemption.collateral, redemption.debt = self._share(config, self._state(token), tokens)
    redemption.assets = redemption.collateral
    if redemption.debt > 0:
        bought: uint256 = 0
        bought, redemption.sold = self._quote(
            config, True, -convert(redemption.debt, int256)
        )
        assert bought == redemption.debt, "lens: thin pool"
        assert redemption.sold <= redemption.assets, "lens: under water"
        redemption.assets -= redemption.sold
    redemption.fee = redemption.assets * config.redemption_bps // BPS
    redemption.assets -= redemption.fee
    return redemption


@external
@view
def max_mint(token: address) -> uint256:
    """
    @notice The most tokens that `mint` takes now, by the supply cap and nothing else: it follows
            the pool's liquidity at this moment. One more is refused by the token. What Morpho can
            lend is not asked: `preview_mint` is.
    @param token The leveraged token.
    @return uint256 0 where no mint is taken: minting is closed, the cap is reached, no debt is
            owed, or, before the launch, the feed's answer is not fresh.
    """
    config: LeveragedToken.Config = self._config(token)
    state: LeveragedToken.State = self._state(token)
    cap: uint256 = self._debt_cap(config)
    position: LeveragedToken.Position = state.position
    if state.supply == 0:
        if self._is_stale(config, state):
            return 0
        # the largest that still fits of each figure of a launch, from the debt back to the tokens
        multiple: uint256 = self._multiple(config)
        drawn: uint256 = ((cap + 1) * SCALE - 1) // state.price
        nav: uint256 = ((drawn + 1) * WAD - 1) // (multiple - WAD)
        most: uint256 = nav * WAD // config.initial_nav
        return most if most > self._locked(config, state.price) else 0
    if state.minting_closed or position.shares == 0 or position.debt > cap:
        return 0
    # and of a later mint: debt, its shares, the tokens
    shares: uint256 = ((cap - position.debt + 1) * position.total_shares - 1) // position.total_assets
    tokens: uint256 = ((shares + 1) * state.supply - 1) // position.shares
    shares = position.shares * tokens // state.supply
    if shares * position.total_assets // position.total_shares == 0:
        return 0
    return tokens


@external
@view
def preview_redeem_in_kind(token: address, tokens: uint256) -> (uint256, uint256):
    """
    @notice What `redeem_in_kind` would give and take now. Reverts where it would for a holder
            of the tokens.
    @param token The leveraged token.
    @param tokens How many.
    @return uint256 The collateral given.
    @return uint256 The debt to pay.
    """
    return self._share(self._config(token), self._state(token), tokens)


@external
def preview_rebalance(token: address) -> Rebalance:
    """
    @notice What `rebalance` would do now, or why it would revert. The pay is what the base fee
            of this block makes it.
    @param token The leveraged token.
    """
    # first of all: nothing of the token may have been read before
    response: Bytes[512] = self._reverted(
        abi_encode(token, method_id=method_id("dry_rebalance(address)"))
    )
    config: LeveragedToken.Config = self._config(token)
    state: LeveragedToken.State = self._state(token)
    result: Rebalance = empty(Rebalance)
    exposure: uint256 = 0
    nav: uint256 = 0
    exposure, nav = self._exposure_and_nav(config, state.position, state.price)
    result.leverage_before = leverage_math._leverage_down(exposure, nav)
    result.nav_before = self._quote_down(config, nav, state.price)
    result.ready_at = state.ready_at
    if len(response) != OUTCOME_SIZE:
        result.trigger = staticcall LeveragedToken.__interface__(token).should_rebalance()
        result.reason = self._reason(response)
        result.leverage_after = result.leverage_before
        result.nav_after = result.nav_before
        result.clipped = state.clip != leverage_math.NO_CLIP
        return result
    outcome: Outcome = abi_decode(slice(response, 0, OUTCOME_SIZE), Outcome)
    before: Outcome = self._outcome(token, config, state)
    exposure, nav = self._exposure_and_nav(config, outcome.position, state.price)
    result.trigger = outcome.trigger
    result.leverage_after = leverage_math._leverage_down(exposure, nav)
    result.nav_after = self._quote_down(config, nav, state.price)
    result.up = outcome.position.debt > before.position.debt
    result.buys = outcome.pool_underlying < before.pool_underlying
    result.units = self._apart(outcome.pool_underlying, before.pool_underlying)
    result.swapped = self._apart(outcome.pool_quote, before.pool_quote)
    result.notional = (
        LeveragedToken._debt_down(result.units, state.price)
        if config.long
        else LeveragedToken._collateral_down(result.units, state.price)
    )
    result.pay = outcome.pay - before.pay
    result.reserve_paid = outcome.paid_ever - before.paid_ever
    result.reserve_gained = outcome.reserve + result.reserve_paid - before.reserve
    result.clipped = outcome.clip != leverage_math.NO_CLIP
    result.ready_at = outcome.ready_at
    return result


@external
@view
def overview(token: address) -> Overview:
    """
    @notice All about a token and its reserve at this second, interest included.
    @param token The leveraged token.
    """
    config: LeveragedToken.Config = self._config(token)
    state: LeveragedToken.State = self._state(token)
    seen: Overview = empty(Overview)
    seen.config = config
    seen.state = state
    seen.name = staticcall LeveragedToken.__interface__(token).name()
    seen.symbol = staticcall LeveragedToken.__interface__(token).symbol()
    seen.underlying, seen.quote = self._assets(config)
    seen.underlying_decimals = convert(
        staticcall IERC20Detailed(seen.underlying).decimals(), uint256
    )
    seen.quote_decimals = convert(staticcall IERC20Detailed(seen.quote).decimals(), uint256)
    above: uint256 = 10**seen.underlying_decimals
    below: uint256 = 10 ** (18 + seen.quote_decimals)
    raw: uint256 = state.price if config.long else SCALE * SCALE // state.price
    seen.price = raw * above // below
    seen.pool_price = self._pool_price(config.pool, seen.underlying)
    if seen.pool_price != NEVER:
        seen.pool_price = seen.pool_price * above // below
    seen.stale = self._is_stale(config, state)
    exposure: uint256 = 0
    nav: uint256 = 0
    exposure, nav = self._exposure_and_nav(config, state.position, state.price)
    seen.nav_underlying = nav
    if config.long:
        seen.nav_underlying = LeveragedToken._collateral_down(nav, state.price)
    seen.nav_quote = self._quote_down(config, nav, state.price)
    if state.supply > 0:
        seen.token_underlying = (
            seen.nav_underlying * 10 ** (36 - seen.underlying_decimals) // state.supply
        )
        seen.token_quote = seen.nav_quote * 10 ** (36 - seen.quote_decimals) // state.supply
    value: uint256 = LeveragedToken._debt_down(state.position.collateral, state.price)
    debt: uint256 = state.position.debt
    if exposure > 0:
        seen.leverage = leverage_math._leverage_down(exposure, nav)
    if debt > 0:
        # of nav + debt, as the token has it: 1e18 where nav is gone
        seen.loan_to_value = debt * WAD // (nav + debt)
    rule: leverage_math.Rule = config.rule
    calm: uint256 = LeveragedToken._loan_to_value(rule.upper, config.long)
    seen.danger = leverage_math._danger_down(seen.loan_to_value, calm, config.market.lltv)
    seen.tolerance = leverage_math._widened_down(
        config.tolerance_normal, config.tolerance_maximum, seen.danger
    )
    seen.deviation = leverage_math._widened_down(
        config.deviation_normal, config.deviation_maximum, seen.danger
    )
    seen.trigger = staticcall LeveragedToken.__interface__(token).should_rebalance()
    if value > 0:
        long: bool = config.long
        seen.band_up = self._distance(
            seen.price, self._ratio(rule.lower - rule.edge_slack, long, value, debt)
        )
        seen.band_down = self._distance(
            seen.price, self._ratio(rule.upper + rule.edge_slack, long, value, debt)
        )
        seen.emergency = self._distance(
            seen.price, self._ratio(rule.emergency_leverage, long, value, debt)
        )
        ratio: uint256 = NEVER
        if debt > 0:
            ratio = value * config.market.lltv // debt
            if long:
                ratio = debt * WAD // value * WAD // config.market.lltv
        seen.liquidation = self._distance(seen.price, ratio)
        seen.fallback_at = state.last_rebalance + config.fallback_after
        seen.fallback_in = seen.fallback_at - min(block.timestamp, seen.fallback_at)
    seen.reserve.value = staticcall IERC20(seen.underlying).balanceOf(config.reserve)
    seen.reserve.suspended, seen.reserve.available = (
        staticcall IReserve(config.reserve).standing(token)
    )
    seen.reserve.health = staticcall Reserve.__interface__(config.reserve).health()
    return seen


@external
def dry_mint(token: address, tokens: uint256):
    """
    @notice Tries a mint without assets, and reverts in any case: a part of `preview_mint`.
    """
    assets: uint256 = extcall LeveragedToken.__interface__(token).mint(
        tokens, max_value(uint256), self
    )
    raise "lens: minted"


@external
def dry_rebalance(token: address):
    """
    @notice Rebalances, and reverts in any case, with the outcome: a part of `preview_rebalance`.
    """
    trigger: uint256 = extcall LeveragedToken.__interface__(token).rebalance(self)
    outcome: Outcome = self._outcome(token, self._config(token), self._state(token))
    outcome.trigger = trigger
    raw_revert(abi_encode(outcome))


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """
    @notice Reverts with the amounts of a swap: that is how it is quoted. Whoever calls.
    """
    raw_revert(abi_encode(amount0, amount1))


@internal
@view
def _config(token: address) -> LeveragedToken.Config:
    success: bool = False
    response: Bytes[CONFIG_SIZE + 32] = b""
    success, response = raw_call(
        token,
        method_id("config()"),
        max_outsize=CONFIG_SIZE + 32,
        is_static_call=True,
        revert_on_failure=False,
    )
    assert success and len(response) == CONFIG_SIZE, "lens: not a leveraged token"
    return abi_decode(slice(response, 0, CONFIG_SIZE), LeveragedToken.Config)


@internal
@view
def _state(token: address) -> LeveragedToken.State:
    return staticcall LeveragedToken.__interface__(token).state()


@internal
@view
def _outcome(
    token: address, config: LeveragedToken.Config, state: LeveragedToken.State
) -> Outcome:
    underlying: address = empty(address)
    quote: address = empty(address)
    underlying, quote = self._assets(config)
    return Outcome(
        trigger=0,
        position=state.position,
        pay=staticcall IERC20(underlying).balanceOf(self),
        pool_underlying=staticcall IERC20(underlying).balanceOf(config.pool),
        pool_quote=staticcall IERC20(quote).balanceOf(config.pool),
        reserve=staticcall IERC20(underlying).balanceOf(config.reserve),
        paid_ever=staticcall Reserve.__interface__(config.reserve).paid_ever(token),
        clip=state.clip,
        ready_at=state.ready_at,
    )


@internal
def _reverted(call: Bytes[68]) -> Bytes[512]:
    """
    @notice What a dry function of this contract reverts with.
    """
    success: bool = False
    response: Bytes[512] = b""
    success, response = raw_call(self, call, max_outsize=512, revert_on_failure=False)
    assert not success, "lens: dry"
    return response


@internal
def _raise_refusal(token: address, tokens: uint256):
    """
    @notice Reverts with what the token says against a mint, if it comes as far as a refusal of
            its own and not to asking for the assets.
    """
    response: Bytes[512] = self._reverted(
        abi_encode(token, tokens, method_id=method_id("dry_mint(address,uint256)"))
    )
    reason: String[64] = self._reason(response)
    if reason == "leveraged_token: transfer" or len(reason) < 16:
        return
    if (
        slice(reason, 0, 16) == "leveraged_token:" or slice(reason, 0, 13) == "oracle_guard:"
    ):
        assert False, reason


@internal
@pure
def _reason(response: Bytes[512]) -> String[64]:
    """
    @notice The reason of a revert, where it has one of at most 64 characters.
    """
    if len(response) < 68 or slice(response, 0, 4) != method_id("Error(string)"):
        return "lens: no reason"
    size: uint256 = extract32(response, 36, output_type=uint256)
    if size > 64 or len(response) < 68 + size:
        return "lens: no reason"
    return convert(slice(response, 68, size), String[64])


@internal
def _mint(
    config: LeveragedToken.Config, state: LeveragedToken.State, tokens: uint256
) -> Mint:
    """
    @notice As the token's `mint`.
    """
    mint: Mint = empty(Mint)
    mint.tokens = tokens
    if state.supply == 0:
        mint.tokens -= self._locked(config, state.price)
        nav: uint256 = LeveragedToken._div_up(tokens * config.initial_nav, WAD)
        mint.collateral = nav * self._multiple(config) // WAD
        mint.debt = (mint.collateral - nav) * state.price // SCALE
    else:
        mint.collateral = LeveragedToken._div_up(
            state.position.collateral * tokens, state.supply
        )
        shares: uint256 = state.position.shares * tokens // state.supply
        mint.debt = shares * state.position.total_assets // state.position.total_shares
    assert mint.debt > 0, "lens: dust"
    sold: uint256 = 0
    mint.bought, sold = self._quote(config, False, convert(mint.debt, int256))
    need: uint256 = mint.collateral - min(mint.bought, mint.collateral)
    mint.fee = need * config.creation_bps // BPS
    mint.assets = need + mint.fee
    mint.collateral = need + mint.bought
    return mint


@internal
@pure
def _locked(config: LeveragedToken.Config, price: uint256) -> uint256:
    """
    @notice The tokens that a launch locks, as the token's `_launch`.
    """
    units: uint256 = max(
        LeveragedToken.DEAD_UNITS,
        LeveragedToken._div_up(LeveragedToken.DEAD_UNITS * SCALE, price),
    )
    return LeveragedToken._div_up(units * WAD, config.initial_nav)


@internal
@pure
def _multiple(config: LeveragedToken.Config) -> uint256:
    """
    @notice Collateral per nav at the target, as the token's.
    """
    return config.rule.target_leverage + (0 if config.long else WAD)


@internal
@view
def _debt_cap(config: LeveragedToken.Config) -> uint256:
    """
    @notice As the token's.
    """
    pool: IUniswapV3Pool = IUniswapV3Pool(config.pool)
    root: uint256 = (staticcall pool.slot0()).sqrtPriceX96
    liquidity: uint256 = convert(staticcall pool.liquidity(), uint256)
    reserve: uint256 = (liquidity << 96) // root
    if staticcall pool.token0() == config.market.collateralToken:
        reserve = liquidity * root >> 96
    fee: uint256 = convert(staticcall pool.fee(), uint256) * 10**12
    share: uint256 = (config.tolerance_maximum - fee) // 2
    return reserve * share // WAD * (self._multiple(config) - WAD) // (2 * WAD)


@internal
@view
def _share(
    config: LeveragedToken.Config, state: LeveragedToken.State, tokens: uint256
) -> (uint256, uint256):
    """
    @notice The collateral and the debt of so many tokens, where Morpho lets them go.
    """
    assert tokens > 0 and tokens <= state.supply, "lens: more than supply"
    position: LeveragedToken.Position = state.position
    collateral: uint256 = position.collateral * tokens // state.supply
    assert collateral > 0, "lens: dust"
    shares: uint256 = LeveragedToken._div_up(position.shares * tokens, state.supply)
    debt: uint256 = LeveragedToken._div_up(
        shares * position.total_assets, position.total_shares
    )
    assert self._is_healthy(
        config,
        state,
        position.collateral - collateral,
        position.shares - shares,
        position.total_assets - min(debt, position.total_assets - 1),
        position.total_shares - shares,
    ), "lens: unhealthy"
    return collateral, debt


@internal
@view
def _is_healthy(
    config: LeveragedToken.Config,
    state: LeveragedToken.State,
    collateral: uint256,
    shares: uint256,
    total_assets: uint256,
    total_shares: uint256,
) -> bool:
    """
    @notice Whether Morpho leaves a position alone that is so.
    """
    if shares == 0:
        return True
    most: uint256 = collateral * state.price // SCALE * config.market.lltv // WAD
    return LeveragedToken._div_up(shares * total_assets, total_shares) <= most


@internal
def _quote(
    config: LeveragedToken.Config, sells: bool, amount: int256
) -> (uint256, uint256):
    """
    @notice What the pool gives and takes for a swap of collateral and debt tokens, without limit.
    @param sells Whether collateral is sold.
    @param amount Exact input if positive, exact output if negative.
    """
    zero: address = staticcall IUniswapV3Pool(config.pool).token0()
    zero_for_one: bool = sells == (zero == config.market.collateralToken)
    nothing: Bytes[1] = b""
    success: bool = False
    response: Bytes[96] = b""
    success, response = raw_call(
        config.pool,
        abi_encode(
            self,
            zero_for_one,
            amount,
            MIN_SQRT_PRICE if zero_for_one else MAX_SQRT_PRICE,
            nothing,
            method_id=method_id("swap(address,bool,int256,uint160,bytes)"),
        ),
        max_outsize=96,
        revert_on_failure=False,
    )
    assert not success and len(response) == QUOTE_SIZE, "lens: no quote"
    amount0: int256 = extract32(response, 0, output_type=int256)
    amount1: int256 = extract32(response, 32, output_type=int256)
    return (
        convert(-min(amount0, amount1), uint256),
        convert(max(amount0, amount1), uint256),
    )


@internal
@view
def _pool_collateral(config: LeveragedToken.Config, debt: uint256) -> uint256:
    """
    @notice What debt tokens are worth in collateral at the pool's price of this moment.
    """
    root: uint256 = (staticcall IUniswapV3Pool(config.pool).slot0()).sqrtPriceX96
    if staticcall IUniswapV3Pool(config.pool).token0() == config.market.collateralToken:
        return ((debt << 96) // root << 96) // root
    return (debt * root >> 96) * root >> 96


@internal
@view
def _pool_price(pool: address, underlying: address) -> uint256:
    """
    @notice The pool's price of this moment: quote per underlying, raw units, times 1e36; the
            largest number for an emptied pool that stands too high for it.
    """
    root: uint256 = (staticcall IUniswapV3Pool(pool).slot0()).sqrtPriceX96
    scaled: uint256 = (ROOT_SCALE << 96) // root
    if staticcall IUniswapV3Pool(pool).token0() == underlying:
        scaled = root * ROOT_SCALE >> 96
    if scaled >= 2**128:
        return NEVER
    return scaled * scaled // 10**18


@internal
@pure
def _assets(config: LeveragedToken.Config) -> (address, address):
    """
    @notice The underlying and the quote asset.
    """
    if config.long:
        return config.market.collateralToken, config.market.loanToken
    return config.market.loanToken, config.market.collateralToken


@internal
@view
def _is_stale(config: LeveragedToken.Config, state: LeveragedToken.State) -> bool:
    return (
        state.updated == 0
        or state.updated > block.timestamp
        or block.timestamp - state.updated > config.max_age
    )


@internal
@pure
def _exposure_and_nav(
    config: LeveragedToken.Config, position: LeveragedToken.Position, price: uint256
) -> (uint256, uint256):
    """
    @notice As the token's, in debt units.
    """
    value: uint256 = LeveragedToken._debt_down(position.collateral, price)
    return (
        value if config.long else position.debt,
        value - min(value, position.debt),
    )


@internal
@pure
def _quote_down(config: LeveragedToken.Config, debt: uint256, price: uint256) -> uint256:
    return debt if config.long else LeveragedToken._collateral_down(debt, price)


@internal
@pure
def _ratio(leverage: uint256, long: bool, worth: uint256, debt: uint256) -> uint256:
    """
    @notice The price of the underlying at which leverage is so much, to the present one.
    """
    # without debt leverage is what it is at every price
    if debt == 0:
        return NEVER
    if long:
        return debt * leverage // worth * WAD // (leverage - WAD)
    return worth * leverage // debt * WAD // (leverage + WAD)


@internal
@pure
def _distance(price: uint256, ratio: uint256) -> Distance:
    if ratio == NEVER:
        return Distance(price=NEVER, ratio=NEVER)
    return Distance(price=price * ratio // WAD, ratio=ratio)


@internal
@pure
def _apart(one: uint256, other: uint256) -> uint256:
    return max(one, other) - min(one, other)
