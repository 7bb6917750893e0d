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

MOST_POOLS: constant(uint256) = 3

# @dev Begins what a dry run reverts with, so that no reason is taken for a figure.
FIGURE: constant(bytes32) = keccak256("steelyard.figure")


# @dev The way of this call, from the asset that is sold to the one that is bought.
_pools: transient(DynArray[address, MOST_POOLS])

# @dev The swap under way: its pool's place plus one (0: none), what it is paid in, and whether
# the pool before has to bring that.
_place: transient(uint256)
_pays: transient(address)
_buys: transient(bool)

# @dev What the way begins with.
_first: transient(address)

# @dev Where the swap stops, as the square root of a price; 0: nowhere.
_limit: transient(uint160)

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
    place: uint256 = self._place
    assert place > 0 and msg.sender == self._pools[place - 1], "v3_path: foreign callback"
    if self._quotes:
        self._raise(convert(-min(amount0, amount1), uint256))
    asks: uint256 = convert(max(amount0, amount1), uint256)
    if self._buys and place > 1:
        # the pool before brings it, straight to this one
        self._ask(place - 1, self._pays, -convert(asks, int256), msg.sender)
    else:
        self._pay(self._pays, msg.sender, asks)


@internal
def _begin(pools: DynArray[address, MOST_POOLS], payer: address, most: uint256):
    """
    @notice Names the way and who pays what is missing.
    """
    self._pools = pools
    self._payer = payer
    self._most = most


@internal
def _buy(given: address, amount: uint256, owed: address, owes: uint256, to: address) -> uint256:
    """
    @notice Buys exactly `owes`, with what was given and then with the payer's.
    @return uint256 What is left of what was given.
    """
    self._first = given
    self._held = amount
    self._buys = True
    last: uint256 = len(self._pools)
    assert last > 0, "v3_path: no pool"
    self._ask(last, owed, -convert(owes, int256), to)
    self._place = 0
    return self._held


@internal
def _sell(given: address, amount: uint256, owed: address, to: address) -> uint256:
    """
    @notice Sells all that was given.
    @return uint256 What came.
    """
    self._first = given
    self._buys = False
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
        got = self._ask(place, buys, convert(got, int256), to if place == last else self)
        assert self._held == 0, "v3_path: pool took a part"
        sells = buys
        if place == last:
            break
    self._place = 0
    return got


@internal
def _buy_up_to(pays: address, buys: address, limit: uint256, most: uint256, to: address) -> (uint256, uint256):
    """
    @notice Buys from the one pool of the way with the payer's, until its price is at the limit.
    @return uint256 What the payer paid.
    @return uint256 What was bought.
    """
    self._first = pays
    self._buys = False
    self._held = 0
    self._limit = convert(limit, uint160)
    got: uint256 = self._ask(1, buys, convert(most, int256), to)
    self._limit = 0
    self._place = 0
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
        self._first = sells
        self._buys = False
        self._ask(1, buys, convert(amount, int256), self)
    raise "v3_path: no quote"


@internal
def _ask(place: uint256, buys: address, amount: int256, to: address) -> uint256:
    """
    @notice One pool's swap: so much of what is sold if above zero, else of what is bought.
    @return uint256 What was bought.
    """
    pool: address = self._pools[place - 1]
    # a way that begins with another asset is refused by its pool, which is paid in this one
    sells: address = self._first if place == 1 else self._other(pool, buys)
    self._place = place
    self._pays = sells
    zero_for_one: bool = convert(sells, uint256) < convert(buys, uint256)
    amount0: int256 = 0
    amount1: int256 = 0
    limit: uint160 = self._limit
    if limit == 0:
        limit = LOWEST if zero_for_one else HIGHEST
    amount0, amount1 = extcall IUniswapV3Pool(pool).swap(to, zero_for_one, amount, limit, b"")
    return convert(-min(amount0, amount1), uint256)


@internal
def _pay(token: address, to: address, amount: uint256):
    """
    @notice From what was given, and then from the payer.
    """
    own: uint256 = min(self._held, amount)
    if own > 0:
        self._held -= own
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
