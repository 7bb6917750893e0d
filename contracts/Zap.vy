# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Zap
@custom:contract-name Zap
@license GNU Affero General Public License v3.0 only
@notice Into a leveraged token with one asset and out of it into one: the underlying, the quote,
        or the native coin where one of them wraps it. Outside the core, with no rights in it:
        what it cannot do can be done with the token itself.

        What must hold:
        1. It holds nothing between two transactions, and no allowance of it outlives one.
        2. The caller gets at least the least, and pays at most the most, that was asked for, and
           gets back what is over.
        3. Value guard: at the oracle's price what comes out is worth at least 1 - max_loss of
           what went in, whatever limits the caller gave. Without a fresh price nothing is done.
        4. Only the tokens of the reserve that it was deployed for: no other contract is called
           with a caller's money here.
@dev Swaps go to the pool that the token itself trades in, before a mint in the same direction as
     the mint's own, after a redemption likewise.
"""


from ethereum.ercs import IERC20

from .interfaces import ILens
from .interfaces import IReserve
from .interfaces import IUniswapV3Pool
from .interfaces import IWrappedNative

from . import LeveragedToken


# @dev Emitted for each entry. Of `asset`, `spent` stayed; zero: the native coin. What was over
# in collateral after a swap came back as `rest`.
event Entered:
    sender: indexed(address)
    token: indexed(address)
    asset: address
    spent: uint256
    rest: uint256
    tokens: uint256


# @dev Emitted for each exit.
event Left:
    sender: indexed(address)
    token: indexed(address)
    asset: address
    amount: uint256
    tokens: uint256


# @dev An ERC-2612 permit of what comes in, for this contract; all zero: none.
struct Permit:
    amount: uint256
    deadline: uint256
    v: uint8
    r: bytes32
    s: bytes32


WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36

# @dev Swaps that gather the collateral of an exact mint: each but the first is for what the one
# before made dearer, which is a small part of it.
PASSES: constant(uint256) = 6

# @dev So much more than what is missing is bought in them: 1/16.
MORE: constant(uint256) = 16

# @dev The lowest and the highest limit that a Uniswap v3 swap takes.
MIN_SQRT_PRICE: constant(uint256) = 4295128740
MAX_SQRT_PRICE: constant(uint256) = 1461446703485210103287273052203988822378723970341


# @dev What computes mints.
lens: public(immutable(address))

# @dev The reserve whose tokens are served.
reserve: public(immutable(address))

# @dev The wrapped native coin; empty: none.
wrapped: public(immutable(address))

# @dev The share of the value that an entry or an exit may cost, times 1e18.
max_loss: public(immutable(uint256))


# @dev The pool of the swap under way, and what it is paid in.
_pool: transient(address)
_paid_in: transient(address)


@deploy
def __init__(lens_: address, reserve_: address, wrapped_: address, max_loss_: uint256):
    """
    @param lens_ A Lens.
    @param reserve_ The reserve whose tokens are served.
    @param wrapped_ The wrapped native coin, or the zero address.
    @param max_loss_ See the value guard; at most 5 %.
    """
    assert lens_.is_contract and reserve_.is_contract, "zap: not a contract"
    assert max_loss_ > 0 and max_loss_ <= WAD // 20, "zap: max_loss"
    lens = lens_
    reserve = reserve_
    wrapped = wrapped_
    max_loss = max_loss_


@external
@payable
def __default__():
    """
    @notice The native coin comes from its wrapper, and from nobody else.
    """
    assert msg.sender == wrapped, "zap: send with enter"


@external
@payable
@nonreentrant
def enter(
    token: address,
    asset: address,
    amount: uint256,
    min_tokens: uint256,
    receiver: address,
    deadline: uint256,
    permit: Permit = empty(Permit),
) -> uint256:
    """
    @notice Mints as many tokens as so much of an asset buys.
    @param token The leveraged token, launched.
    @param asset Its underlying or quote; zero: the native coin, sent along.
    @param amount Of the asset.
    @param min_tokens The least to mint.
    @param receiver Who gets them. What is over, of the collateral, is the caller's.
    @param deadline The last second at which this may happen.
    @param permit Of the asset, if there is no allowance.
    @return uint256 The tokens minted.
    """
    config: LeveragedToken.Config = self._begin(token, deadline)
    coin: address = self._take(config, asset, amount, permit)
    collateral: address = config.market.collateralToken
    if coin != collateral:
        self._swap(config, True, convert(amount, int256))
    held: uint256 = staticcall IERC20(collateral).balanceOf(self)
    tokens: uint256 = extcall ILens(lens).preview_deposit(token, held)
    assert tokens > 0 and tokens >= min_tokens, "zap: slippage"
    self._mint(token, config, asset, coin, amount, tokens, receiver)
    return tokens


@external
@payable
@nonreentrant
def enter_exact(
    token: address,
    asset: address,
    tokens: uint256,
    max_amount: uint256,
    receiver: address,
    deadline: uint256,
    permit: Permit = empty(Permit),
) -> uint256:
    """
    @notice Mints exactly so many tokens, and gives back what is over.
    @param token The leveraged token, launched.
    @param asset Its underlying or quote; zero: the native coin, sent along.
    @param tokens How many.
    @param max_amount Of the asset; it is taken, and what is not used comes back.
    @param receiver Who gets the tokens. What is over is the caller's.
    @param deadline The last second at which this may happen.
    @param permit Of the asset, if there is no allowance.
    @return uint256 What was spent of the asset.
    """
    config: LeveragedToken.Config = self._begin(token, deadline)
    coin: address = self._take(config, asset, max_amount, permit)
    if coin != config.market.collateralToken:
        held: uint256 = staticcall IERC20(config.market.collateralToken).balanceOf(self)
        more: uint256 = 0
        for _: uint256 in range(PASSES):
            need: uint256 = extcall ILens(lens).quote_mint(token, tokens)
            if held >= need:
                break
            short: uint256 = need - held
            short += short * more // MORE + more
            self._swap(config, True, -convert(short, int256))
            held += short
            more = 1
    return self._mint(token, config, asset, coin, max_amount, tokens, receiver)


@external
@nonreentrant
def exit(
    token: address,
    asset: address,
    tokens: uint256,
    min_amount: uint256,
    receiver: address,
    deadline: uint256,
    permit: Permit = empty(Permit),
) -> uint256:
    """
    @notice Redeems exactly so many tokens for one asset.
    @param token The leveraged token.
    @param asset Its underlying or quote; zero: the native coin.
    @param tokens How many.
    @param min_amount The least of the asset to give.
    @param receiver Who gets it.
    @param deadline The last second at which this may happen.
    @param permit Of the token, if there is no allowance.
    @return uint256 What was given of the asset.
    """
    config: LeveragedToken.Config = self._begin(token, deadline)
    coin: address = self._coin(config, asset)
    self._pull(token, tokens, permit)
    state: LeveragedToken.State = staticcall LeveragedToken.__interface__(token).state()
    redeemed: uint256 = extcall LeveragedToken.__interface__(token).redeem(tokens, 0, self)
    collateral: address = config.market.collateralToken
    assert staticcall IERC20(collateral).balanceOf(self) >= redeemed, "zap: fee on transfer"
    if coin != collateral:
        self._swap(config, False, convert(redeemed, int256))
    amount: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert amount > 0 and amount >= min_amount, "zap: slippage"
    self._guard(
        config,
        state,
        self._worth_of(state, tokens),
        self._worth(config, state, coin, amount),
    )
    self._give(asset, coin, receiver, amount)
    self._give(collateral, collateral, msg.sender, staticcall IERC20(collateral).balanceOf(self))
    log Left(sender=msg.sender, token=token, asset=asset, amount=amount, tokens=tokens)
    return amount


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """
    @notice Pays the pool what a swap of this contract sold. Only that pool, and only then.
    """
    assert msg.sender == self._pool, "zap: not the pool"
    owed: uint256 = convert(max(amount0, amount1), uint256)
    assert owed <= staticcall IERC20(self._paid_in).balanceOf(self), "zap: slippage"
    self._send(self._paid_in, msg.sender, owed)


@internal
@view
def _begin(token: address, deadline: uint256) -> LeveragedToken.Config:
    assert block.timestamp <= deadline, "zap: expired"
    assert staticcall IReserve(reserve).is_token(token), "zap: not a token of the reserve"
    return staticcall LeveragedToken.__interface__(token).config()


@internal
@view
def _coin(config: LeveragedToken.Config, asset: address) -> address:
    """
    @notice The asset as the token knows it: wrapped, if it is the native coin.
    """
    coin: address = wrapped if asset == empty(address) else asset
    assert (
        coin == config.market.collateralToken or coin == config.market.loanToken
    ), "zap: neither underlying nor quote"
    return coin


@internal
@payable
def _take(
    config: LeveragedToken.Config, asset: address, amount: uint256, permit: Permit
) -> address:
    """
    @notice Takes what the caller enters with; gives the asset as the token knows it.
    """
    coin: address = self._coin(config, asset)
    if asset == empty(address):
        assert msg.value == amount, "zap: native amount"
        extcall IWrappedNative(wrapped).deposit(value=amount)
    else:
        assert msg.value == 0, "zap: native amount"
        self._pull(asset, amount, permit)
    return coin


@internal
def _mint(
    token: address,
    config: LeveragedToken.Config,
    asset: address,
    coin: address,
    amount: uint256,
    tokens: uint256,
    receiver: address,
) -> uint256:
    """
    @notice Mints with all the collateral that is here, gives back what is over, and judges.
    @return uint256 What was spent of the asset.
    """
    assert staticcall IERC20(token).totalSupply() > 0, "zap: not launched"
    collateral: address = config.market.collateralToken
    held: uint256 = staticcall IERC20(collateral).balanceOf(self)
    assert extcall IERC20(collateral).approve(token, held, default_return_value=True), "zap: approve"
    assets: uint256 = extcall LeveragedToken.__interface__(token).mint(tokens, held, receiver)
    assert extcall IERC20(collateral).approve(token, 0, default_return_value=True), "zap: approve"
    state: LeveragedToken.State = staticcall LeveragedToken.__interface__(token).state()
    over: uint256 = staticcall IERC20(coin).balanceOf(self)
    spent: uint256 = amount - min(over, amount)
    cost: uint256 = self._worth(config, state, coin, spent)
    rest: uint256 = 0
    if coin != collateral:
        rest = staticcall IERC20(collateral).balanceOf(self)
        cost -= min(cost, self._worth(config, state, collateral, rest))
    self._guard(config, state, cost, self._worth_of(state, tokens))
    self._give(asset, coin, msg.sender, over)
    self._give(collateral, collateral, msg.sender, rest)
    log Entered(
        sender=msg.sender, token=token, asset=asset, spent=spent, rest=rest, tokens=tokens
    )
    return spent


@internal
@view
def _guard(
    config: LeveragedToken.Config,
    state: LeveragedToken.State,
    into: uint256,
    out: uint256,
):
    """
    @notice The value guard: both values in debt units at the oracle's price, which is fresh.
    """
    assert (
        state.updated != 0
        and state.updated <= block.timestamp
        and block.timestamp - state.updated <= config.max_age
    ), "zap: no price"
    assert out * WAD >= into * (WAD - max_loss), "zap: value"


@internal
@pure
def _worth(
    config: LeveragedToken.Config, state: LeveragedToken.State, coin: address, amount: uint256
) -> uint256:
    if coin == config.market.loanToken:
        return amount
    return amount * state.price // SCALE


@internal
@pure
def _worth_of(state: LeveragedToken.State, tokens: uint256) -> uint256:
    """
    @notice The nav of so many tokens, in debt units.
    """
    held: uint256 = state.position.collateral * state.price // SCALE
    return (held - min(held, state.position.debt)) * tokens // state.supply


@internal
def _swap(config: LeveragedToken.Config, buys: bool, amount: int256):
    """
    @notice Buys or sells collateral for the debt token in the token's pool, to the last unit.
    @param buys Whether collateral is bought.
    @param amount Exact input if positive, exact output if negative.
    """
    paid_in: address = config.market.loanToken if buys else config.market.collateralToken
    zero_for_one: bool = paid_in == staticcall IUniswapV3Pool(config.pool).token0()
    self._pool = config.pool
    self._paid_in = paid_in
    amount0: int256 = 0
    amount1: int256 = 0
    amount0, amount1 = extcall IUniswapV3Pool(config.pool).swap(
        self,
        zero_for_one,
        amount,
        convert(MIN_SQRT_PRICE if zero_for_one else MAX_SQRT_PRICE, uint160),
        b"",
    )
    self._pool = empty(address)
    # what is exact is the first token's amount where one sells it exactly, or buys the other so
    assert amount == (amount0 if zero_for_one == (amount > 0) else amount1), "zap: thin pool"


@internal
def _pull(coin: address, amount: uint256, permit: Permit):
    """
    @notice Takes a token from the caller, and refuses one that takes a fee on the way.
    @dev Somebody may have sent the permit before: then there is the allowance, or the transfer
         fails.
    """
    if permit.deadline != 0:
        permitted: bool = raw_call(
            coin,
            abi_encode(
                msg.sender,
                self,
                permit,
                method_id=method_id(
                    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"
                ),
            ),
            revert_on_failure=False,
        )
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "zap: transfer"
    assert (
        staticcall IERC20(coin).balanceOf(self) == before + amount
    ), "zap: fee on transfer"


@internal
def _give(asset: address, coin: address, receiver: address, amount: uint256):
    """
    @notice Sends a coin, unwrapped where the asset is the native one.
    """
    if amount == 0:
        return
    if asset == empty(address):
        extcall IWrappedNative(wrapped).withdraw(amount)
        raw_call(receiver, b"", value=amount)
    else:
        self._send(coin, receiver, amount)


@internal
def _send(coin: address, receiver: address, amount: uint256):
    assert extcall IERC20(coin).transfer(
        receiver, amount, default_return_value=True
    ), "zap: transfer"
