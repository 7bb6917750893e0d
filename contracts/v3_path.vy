# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title v3_path
@custom:contract-name v3_path
@license GNU Affero General Public License v3.0 only
@notice Swaps over one to three Uniswap v3 pools that the caller names, and what pays for them:
        first what a series gave, then the caller of this transaction, up to its limit.

        What must hold:
        1. Only the pool that is asked to swap is paid, and only while it swaps.
        2. Money comes from what this call was given and from the sender of this call alone.
        3. Nothing is left here: a sale that a pool takes in part is refused.
@dev All of it is transient. A pool is whatever the caller names: a dishonest one can take what
     this call may spend, and nothing else.
"""


from ethereum.ercs import IERC20

from .interfaces import IUniswapV3Pool


# @dev The lowest and the highest limit that a swap takes.
LOWEST: constant(uint160) = 4295128740
HIGHEST: constant(uint160) = 1461446703485210103287273052203988822378723970341

NOWHERE: constant(uint160) = 0  # to stop at no price: one of those two then

MOST_POOLS: constant(uint256) = 3

# @dev Begins what a dry run reverts with, so that no reason is taken for a figure.
FIGURE: constant(bytes32) = keccak256("steelyard.figure")


# @dev The way of this call, from the asset that is sold to the one that is bought.
_pools: transient(DynArray[address, MOST_POOLS])

# @dev The swap under way: its pool (empty: none), what that is paid in, and the place of the pool
# that has to bring it (0: none has).
_pool: transient(address)
_pays: transient(address)
_brings: transient(uint256)

# @dev What the way begins with, where a pool has to be asked from inside another's callback.
_first: transient(address)

# @dev What may be spent: of what was given, and of the payer.
_held: transient(uint256)
_payer: transient(address)
_most: transient(uint256)

# @dev A dry run ends with what would be asked of the payer; of a sale, with what a pool gives.
_dry: transient(bool)
_quotes: transient(bool)


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """
    @notice Pays the pool of the swap under way. Nobody else, and at no other time.
    @param amount0 What the pool asks for is above zero.
    @param amount1 Likewise.
    @param data Not used.
    """
    assert msg.sender == self._pool, "v3_path: foreign callback"
    if self._quotes:
        self._raise(convert(-min(amount0, amount1), uint256))
    asks: uint256 = convert(max(amount0, amount1), uint256)
    brings: uint256 = self._brings
    if brings > 0:
        # straight to this one
        self._ask(brings, self._first, self._pays, -convert(asks, int256), msg.sender, NOWHERE)
    else:
        self._pay(self._pays, msg.sender, asks)


@internal
def _begin(pools: DynArray[address, MOST_POOLS], payer: address, most: uint256):
    """
    @notice Names the way and who pays what is missing.
    """
    self._pools = pools
    self._most = most
    # of a payer who pays nothing, nothing can be pulled
    if most > 0:
        self._payer = payer


@internal
def _buy(given: address, amount: uint256, owed: address, owes: uint256, to: address):
    """
    @notice Buys exactly `owes`, with what was given, of which the rest stays held, then the payer's.
    """
    self._held = amount
    last: uint256 = len(self._pools)
    assert last > 0, "v3_path: no pool"
    if last > 1:
        self._first = given
    self._ask(last, given, owed, -convert(owes, int256), to, NOWHERE)
    self._pool = empty(address)


@internal
def _sell(given: address, amount: uint256, owed: address, to: address) -> uint256:
    """
    @notice Sells all that was given.
    @return uint256 What came.
    """
    last: uint256 = len(self._pools)
    assert last > 0, "v3_path: no pool"
    # of a mint of dust the debt is rounded down to nothing, which no pool takes
    if amount == 0:
        return 0
    sells: address = given
    got: uint256 = amount
    for place: uint256 in range(1, MOST_POOLS + 1):
        self._held = got
        buys: address = owed if place == last else self._other(self._pools[place - 1], sells)
        goes: address = to if place == last else self
        got = self._ask(place, given, buys, convert(got, int256), goes, NOWHERE)
        assert self._held == 0, "v3_path: pool took a part"
        sells = buys
        if place == last:
            break
    self._pool = empty(address)
    return got


@internal
def _buy_up_to(pays: address, buys: address, limit: uint256, most: uint256, to: address) -> (uint256, uint256):
    """
    @notice Buys from the one pool of the way with the payer's, until its price is at the limit.
    @return uint256 What the payer paid.
    @return uint256 What was bought.
    """
    self._held = 0
    stop: uint160 = convert(limit, uint160)
    got: uint256 = self._ask(1, pays, buys, convert(most, int256), to, stop)
    self._pool = empty(address)
    return most - self._most, got


@internal
def _quote(sells: address, buys: address, amount: uint256, exact_out: bool):
    """
    @notice Reverts with what the way takes for so much of what it ends in, or what its one pool
            gives for so much of what it begins with.
    """
    if exact_out:
        self._dry = True
        self._buy(sells, 0, buys, amount, self)
    else:
        self._quotes = True
        self._ask(1, sells, buys, convert(amount, int256), self, NOWHERE)
    raise "v3_path: no quote"


@internal
def _ask(
    place: uint256, first: address, buys: address, amount: int256, to: address, limit: uint160
) -> uint256:
    """
    @notice One pool's swap: so much of what is sold if above zero, else of what is bought.
    @param place Of the pool on the way, from one.
    @param first What the way begins with.
    @param limit Where it stops, as the square root of a price.
    @return uint256 What was bought.
    """
    pool: address = self._pools[place - 1]
    # a way that begins with another asset is refused by its pool, which is paid in this one
    sells: address = first if place == 1 else self._other(pool, buys)
    self._pool = pool
    self._pays = sells
    # what is bought is fetched backwards, from pool to pool; what is sold is here
    self._brings = place - 1 if amount < 0 else 0
    zero_for_one: bool = convert(sells, uint256) < convert(buys, uint256)
    amount0: int256 = 0
    amount1: int256 = 0
    stop: uint160 = limit
    if limit == NOWHERE:
        stop = LOWEST if zero_for_one else HIGHEST
    amount0, amount1 = extcall IUniswapV3Pool(pool).swap(to, zero_for_one, amount, stop, b"")
    return convert(-min(amount0, amount1), uint256)


@internal
def _pay(token: address, to: address, amount: uint256):
    """
    @notice From what was given, and then from the payer.
    """
    held: uint256 = self._held
    own: uint256 = min(held, amount)
    if own > 0:
        self._held = held - own
        self._send(token, to, own)
    if amount > own:
        self._pull(token, to, amount - own)


@internal
def _pull(token: address, to: address, amount: uint256):
    """
    @notice From the payer of this call, within its limit.
    """
    if self._dry:
        self._raise(amount)
    assert amount <= self._most, "v3_path: more than most"
    self._most -= amount
    assert extcall IERC20(token).transferFrom(
        self._payer, to, amount, default_return_value=True
    ), "v3_path: pull"


@internal
def _send(token: address, to: address, amount: uint256):
    assert extcall IERC20(token).transfer(to, amount, default_return_value=True), "v3_path: send"


@internal
@pure
def _raise(figure: uint256):
    """
    @notice Ends a dry run.
    """
    raw_revert(abi_encode(FIGURE, figure))


@internal
@pure
def _figure(response: Bytes[320]) -> uint256:
    """
    @notice What a dry run ended with; where it was refused, so is this.
    """
    if len(response) != 64 or convert(slice(response, 0, 32), bytes32) != FIGURE:
        raw_revert(response)
    return convert(convert(slice(response, 32, 32), bytes32), uint256)


@internal
@view
def _other(pool: address, token: address) -> address:
    """
    @notice The pool's other asset.
    """
    first: address = staticcall IUniswapV3Pool(pool).token0()
    second: address = staticcall IUniswapV3Pool(pool).token1()
    assert token == first or token == second, "v3_path: not on the way"
    return second if token == first else first
