# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Reserve
@custom:contract-name Reserve
@license GNU Affero General Public License v3.0 only
@notice The reserve of the leveraged tokens of one underlying, held in that underlying. It is on
        the other side of what a rebalance's swap differs from the oracle's price: it pays what
        the swap loses, takes what it gains, and pays the keeper. What it cannot pay falls on
        the token's nav.

        What must hold, in the order of its rank:
        1. No payment goes anywhere but to what its own tokens ask for, and of each token's
           asking at most its share of the reserve in a day.
        2. Nothing that it does can close a token's exit: no exit calls it.
        3. A token whose view fails blocks neither the others nor the publication.
        4. Below the floor what raises leverage is suspended until the level is back at the
           resume ratio; what lowers it never is.
        There is no owner, and no way to add a token later: a new series has a new reserve or is
        named, by its future address, when this is deployed.
@dev The tokens know the reserve and the reserve the tokens. The reserve comes first: its
     deployer names the addresses at which the tokens will be (CREATE addresses of the next
     nonces), and each token's constructor refuses a reserve that does not name it. An address
     at which nothing is deployed can ask for nothing.

     The level is the balance of this moment over the tokens' nav as last published.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

from .interfaces import IFeed
from .interfaces import ILeveragedToken
from .interfaces import IReserve
from .interfaces import IUniswapV3Pool
implements: IReserve

from . import feed_reader
from . import oracle_guard
initializes: oracle_guard


# @dev What an injection is.
flag Kind:
    CAPITAL
    TRADING_FEES


# @dev Emitted for each injection.
event Injected:
    sender: indexed(address)
    kind: Kind
    amount: uint256


# @dev Emitted for each allocation of the tokens' fees: what came, in both assets, and what of
# the quote was swapped for how much underlying.
event Allocated:
    underlying: uint256
    quote: uint256
    swapped: uint256
    bought: uint256


# @dev Emitted for each publication.
event HealthPublished:
    value: uint256
    nav: uint256
    utilisation: uint256
    buffer_depth: int256
    window: uint256
    suspended: bool


# @dev What is published (SPEC section 4). Amounts in the underlying, shares times 1e18.
struct Health:
    time: uint256
    value: uint256
    nav: uint256
    utilisation: uint256
    buffer_depth: int256
    window: uint256
    suspended: bool


WAD: constant(uint256) = 10**18

# @dev Two figures are told apart beyond one part in so many.
HAIR: constant(uint256) = 10**12

# @dev The level below which raising leverage is suspended, and the one that ends it.
FLOOR_RATIO: constant(uint256) = 10**17
RESUME_RATIO: constant(uint256) = 12 * 10**16

# @dev The published window, and the least time between two publications.
DAY: constant(uint256) = 86_400
HOUR: constant(uint256) = 3_600

# @dev Publications that are remembered: one an hour makes a day's window of at most 26.
REMEMBERED: constant(uint256) = 26

# @dev Tokens that one reserve serves at most: their views are asked one by one.
MAX_TOKENS: constant(uint256) = 8

# @dev Gas that a token's view and its collection of fees get; beyond it they count as failed.
VIEW_GAS: constant(uint256) = 300_000
COLLECT_GAS: constant(uint256) = 400_000

# @dev A token's account in one slot: named, day of its allowance, what is left of it, paid ever.
NAMED: constant(uint256) = 2**255
AMOUNT: constant(uint256) = 2**112 - 1
DAYS: constant(uint256) = 2**31 - 1


# @dev The asset that the reserve holds.
underlying: public(immutable(address))

# @dev The asset that fees of short tokens come in.
quote: public(immutable(address))

# @dev The share of the balance that one token may be paid in a day, times 1e18.
daily_share: public(immutable(uint256))

# @dev The least time between two allocations, seconds.
allocation_every: public(immutable(uint256))

# @dev How far from the oracle's price the allocation's swap may end, times 1e18.
tolerance: public(immutable(uint256))

# @dev How far the pool's mean may be from the oracle's price then, times 1e18.
deviation: public(immutable(uint256))

# @dev A feed of the native coin in quote; empty where the underlying is the wrapped native coin.
native_feed: public(immutable(address))

# @dev wei * answer * NATIVE_FACTOR / price is that much underlying; price as the adapter's.
NATIVE_FACTOR: immutable(uint256)
NATIVE_DIVISOR: immutable(uint256)


# @dev The tokens served.
_tokens: DynArray[address, MAX_TOKENS]

# @dev Per token, packed (see NAMED).
_accounts: HashMap[address, uint256]

# @dev Each token's nav as last read, in the underlying.
last_nav: public(HashMap[address, uint256])

# @dev The tokens' total nav as last published << 1 | suspended.
_level: uint256

# @dev The last publication.
_health: Health

# @dev time << 208 | value << 104 | paid ever, of the last publications.
_snapshots: uint256[REMEMBERED]
_published: uint256

# @dev When fees were last allocated.
last_allocation: public(uint256)


@deploy
def __init__(
    tokens_: DynArray[address, MAX_TOKENS],
    oracle: address,
    pool: address,
    underlying_: address,
    quote_: address,
    native_feed_: address,
    max_age: uint256,
    daily_share_: uint256,
    allocation_every_: uint256,
    tolerance_: uint256,
    deviation_: uint256,
):
    """
    @param tokens_ Where the tokens will be; each of them checks that it is named.
    @param oracle The price adapter of underlying in quote.
    @param pool The pool of the two.
    @param underlying_ What the reserve holds.
    @param quote_ What fees of short tokens come in.
    @param native_feed_ The native coin in quote; empty: the underlying is the wrapped coin.
    @param max_age Seconds after which an answer is too old.
    @param daily_share_ What one token may be paid in a day, of the balance; times 1e18.
    @param allocation_every_ Seconds between allocations.
    @param tolerance_ Bound of the allocation's swap, times 1e18.
    @param deviation_ Bound of the pool's mean for it, times 1e18.
    """
    oracle_guard.__init__(oracle, pool, underlying_, quote_, max_age)
    assert len(tokens_) > 0, "reserve: no tokens"
    assert daily_share_ > 0 and daily_share_ <= WAD, "reserve: daily_share"
    assert allocation_every_ >= HOUR, "reserve: allocation_every"
    assert tolerance_ > oracle_guard.POOL_FEE and tolerance_ <= WAD // 20, "reserve: tolerance"
    assert deviation_ >= tolerance_ and deviation_ <= WAD // 5, "reserve: deviation"
    for token: address in tokens_:
        assert token != empty(address) and self._accounts[token] == 0, "reserve: token"
        self._accounts[token] = NAMED
    self._tokens = tokens_
    underlying = underlying_
    quote = quote_
    daily_share = daily_share_
    allocation_every = allocation_every_
    tolerance = tolerance_
    deviation = deviation_
    native_feed = native_feed_
    native_decimals: uint256 = 0
    quote_decimals: uint256 = convert(staticcall IERC20Detailed(quote_).decimals(), uint256)
    if native_feed_ == empty(address):
        # gas is paid wei for wei
        assert staticcall IERC20Detailed(underlying_).decimals() == 18, "reserve: native_feed"
    else:
        native_decimals = convert(staticcall IFeed(native_feed_).decimals(), uint256)
        assert native_decimals <= 18 and quote_decimals <= 24, "reserve: decimals"
    NATIVE_FACTOR = 10 ** (18 + quote_decimals)
    NATIVE_DIVISOR = 10**native_decimals
    self.last_allocation = block.timestamp


@external
@view
def tokens() -> DynArray[address, MAX_TOKENS]:
    """
    @notice The tokens that are served.
    """
    return self._tokens


@external
@view
def is_token(token: address) -> bool:
    """
    @notice Whether a token is served.
    """
    return self._accounts[token] != 0


@external
@view
def health() -> Health:
    """
    @notice The last publication.
    """
    return self._health


@external
@view
def suspended() -> bool:
    """
    @notice Whether what raises leverage is suspended at this moment.
    """
    return self._suspended(staticcall IERC20(underlying).balanceOf(self), self._level)


@external
@view
def standing(token: address) -> (bool, uint256):
    """
    @notice Whether what raises leverage is suspended at this moment, and what a token could be
            paid, in the underlying.
    """
    balance: uint256 = staticcall IERC20(underlying).balanceOf(self)
    return (
        self._suspended(balance, self._level),
        min(balance, self._left(self._accounts[token], balance)),
    )


@external
@view
def paid_ever(token: address) -> uint256:
    """
    @notice All that a token's rebalances were paid, keepers included, in the underlying.
    """
    return self._accounts[token] & AMOUNT


@external
@nonreentrant
def settle(receiver: address, amount: uint256) -> uint256:
    """
    @notice Pays what a token's swap lost, as far as it can. Only for a token, whose event
            `Rebalanced` tells of it.
    @param receiver Where the token wants it: itself or the pool.
    @param amount What the swap lost, in the underlying.
    @return uint256 What was paid.
    """
    return self._pay_out(msg.sender, receiver, amount)


@external
@nonreentrant
def pay(keeper: address, gas_cost: uint256, premium: uint256, most: uint256) -> (uint256, uint256):
    """
    @notice Pays a keeper its gas and its premium, as far as it can. Only for a token.
    @param keeper Who rebalanced.
    @param gas_cost What it burnt, in wei.
    @param premium What it earns beyond that, in the underlying.
    @param most The bound of both, in the underlying.
    @return uint256 What was paid.
    @return uint256 What is owed.
    """
    owed: uint256 = min(self._gas_in_underlying(gas_cost) + premium, most)
    return self._pay_out(msg.sender, keeper, owed), owed


@external
@nonreentrant
def inject(kind: Kind, amount: uint256):
    """
    @notice Adds to the reserve, for good. By anyone.
    @param kind 1 capital, 2 trading fees.
    @param amount In the underlying.
    """
    assert kind == Kind.CAPITAL or kind == Kind.TRADING_FEES, "reserve: kind"
    assert amount > 0, "reserve: amount"
    before: uint256 = staticcall IERC20(underlying).balanceOf(self)
    assert extcall IERC20(underlying).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "reserve: transfer"
    after: uint256 = staticcall IERC20(underlying).balanceOf(self)
    assert after == before + amount, "reserve: fee on transfer"
    self._note_level(after)
    log Injected(sender=msg.sender, kind=kind, amount=amount)


@external
@nonreentrant
def allocate():
    """
    @notice Collects the reserve's share of the tokens' fees and swaps what came in quote. By
            anyone, once in `allocation_every`. A swap that the guard refuses waits for the next.
    """
    assert block.timestamp >= self.last_allocation + allocation_every, "reserve: not yet"
    self.last_allocation = block.timestamp
    before: uint256 = staticcall IERC20(underlying).balanceOf(self)
    quote_before: uint256 = staticcall IERC20(quote).balanceOf(self)
    for token: address in self._tokens:
        assert msg.gas > COLLECT_GAS + COLLECT_GAS // 32, "reserve: gas"
        success: bool = raw_call(
            token, method_id("collect_fees()"), gas=COLLECT_GAS, revert_on_failure=False
        )
    balance: uint256 = staticcall IERC20(underlying).balanceOf(self)
    held: uint256 = staticcall IERC20(quote).balanceOf(self)
    if held > 0:
        self._swap_quote(held)
    after: uint256 = staticcall IERC20(underlying).balanceOf(self)
    left: uint256 = staticcall IERC20(quote).balanceOf(self)
    self._note_level(after)
    log Allocated(
        underlying=balance - before,
        quote=held - quote_before,
        swapped=held - left,
        bought=after - balance,
    )


@external
@nonreentrant
def publish_health():
    """
    @notice Reads every token's nav, and stores and publishes the reserve's health. By anyone, at
            most once an hour.
    @dev The window is a day as nearly as publications allow: it begins at the youngest that is a
         day old, or at the first there was. A nav that cannot be read is the last that could.
    """
    assert (
        self._published == 0 or block.timestamp >= self._health.time + HOUR
    ), "reserve: once an hour"
    nav: uint256 = 0
    paid: uint256 = 0
    for token: address in self._tokens:
        nav += self._read_nav(token)
        paid += self._accounts[token] & AMOUNT
    paid = min(paid, 2**104 - 1)
    value: uint256 = staticcall IERC20(underlying).balanceOf(self)
    self._level = nav << 1 | self._level & 1
    self._note_level(value)
    health: Health = Health(
        time=block.timestamp,
        value=value,
        nav=nav,
        utilisation=0,
        buffer_depth=0,
        window=0,
        suspended=self._level & 1 == 1,
    )
    if nav > 0:
        above: int256 = convert(value * WAD, int256) - convert(FLOOR_RATIO * nav, int256)
        health.buffer_depth = above // convert(nav, int256)
    then: uint256 = self._day_ago()
    if then != 0:
        health.window = block.timestamp - (then >> 208)
        value_then: uint256 = (then >> 104) & (2**104 - 1)
        if value_then > 0:
            health.utilisation = (paid - (then & (2**104 - 1))) * WAD // value_then
    self._snapshots[self._published % REMEMBERED] = (
        block.timestamp << 208 | min(value, 2**104 - 1) << 104 | paid
    )
    self._published += 1
    self._health = health
    log HealthPublished(
        value=value,
        nav=nav,
        utilisation=health.utilisation,
        buffer_depth=health.buffer_depth,
        window=health.window,
        suspended=health.suspended,
    )


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[1]):
    """
    @notice Pays the pool the quote that an allocation sold. Only the pool, and only while this
            contract swaps, has a reason to call; what it is owed can be nothing but quote.
    @param amount0 What the pool is owed of token0; negative: what it sent.
    @param amount1 The same of token1.
    @param data Nothing.
    """
    assert msg.sender == oracle_guard.POOL.address, "reserve: not the pool"
    owed: int256 = amount1 if oracle_guard.COLLATERAL_IS_0 else amount0
    if owed == 0:
        # there is no liquidity up to the limit: nothing is swapped, the quote waits
        return
    assert extcall IERC20(quote).transfer(
        msg.sender, convert(owed, uint256), default_return_value=True
    ), "reserve: transfer"


@internal
def _pay_out(token: address, receiver: address, amount: uint256) -> uint256:
    account: uint256 = self._accounts[token]
    assert account != 0, "reserve: not a token"
    balance: uint256 = staticcall IERC20(underlying).balanceOf(self)
    left: uint256 = self._left(account, balance)
    paid: uint256 = min(amount, min(left, balance))
    if paid > 0:
        # a day's share is not fixed by what asked for nothing, or of nothing
        self._accounts[token] = (
            NAMED
            | (block.timestamp // DAY & DAYS) << 224
            | (left - paid) << 112
            | ((account & AMOUNT) + paid)
        )
        assert extcall IERC20(underlying).transfer(
            receiver, paid, default_return_value=True
        ), "reserve: transfer"
        self._note_level(balance - paid)
    return paid


@internal
@view
def _left(account: uint256, balance: uint256) -> uint256:
    """
    @notice What is left of a token's allowance; it is set anew at its first payment of a day
            (UTC). So around midnight two days' shares can be paid.
    """
    if account >> 224 & DAYS == block.timestamp // DAY & DAYS:
        return account >> 112 & AMOUNT
    return min(balance * daily_share // WAD, AMOUNT)


@internal
@pure
def _suspended(balance: uint256, level: uint256) -> bool:
    """
    @notice As `rules/reserve.py` says it: below the floor, or suspended and below the resume
            ratio; a level within 1e-12 of a ratio stands at it.
    """
    value: uint256 = balance * (WAD * (HAIR + 1))
    nav: uint256 = (level >> 1) * HAIR
    return FLOOR_RATIO * nav > value or (level & 1 == 1 and RESUME_RATIO * nav > value)


@internal
def _note_level(balance: uint256):
    level: uint256 = self._level
    noted: uint256 = level >> 1 << 1 | convert(self._suspended(balance, level), uint256)
    if noted != level:
        self._level = noted


@internal
def _read_nav(token: address) -> uint256:
    """
    @notice A token's nav, or the last one that could be read.
    """
    assert msg.gas > VIEW_GAS + VIEW_GAS // 32, "reserve: gas"
    success: bool = False
    response: Bytes[32] = b""
    success, response = raw_call(
        token,
        method_id("nav_underlying()"),
        max_outsize=32,
        gas=VIEW_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(response) < 32:
        return self.last_nav[token]
    nav: uint256 = min(extract32(response, 0, output_type=uint256), AMOUNT)
    self.last_nav[token] = nav
    return nav


@internal
@view
def _day_ago() -> uint256:
    """
    @notice The youngest snapshot that is a day old, or the oldest there is; 0 without any.
    """
    found: uint256 = 0
    for back: uint256 in range(1, REMEMBERED + 1):
        if back > self._published:
            break
        found = self._snapshots[(self._published - back) % REMEMBERED]
        if (found >> 208) + DAY <= block.timestamp:
            break
    return found


@internal
@view
def _gas_in_underlying(gas_cost: uint256) -> uint256:
    if native_feed == empty(address):
        return gas_cost
    answer: uint256 = 0
    updated: uint256 = 0
    answer, updated = feed_reader._answer(native_feed)
    price: uint256 = (staticcall oracle_guard.ORACLE.latest())[0]
    if updated == 0 or price == 0:
        return 0
    # however large the answer: a product that does not fit would stop the token's rebalance
    worth: uint256 = min(gas_cost * answer // NATIVE_DIVISOR, AMOUNT)
    return worth * NATIVE_FACTOR // price


@internal
def _swap_quote(amount: uint256):
    price: uint256 = 0
    updated: uint256 = 0
    price, updated = extcall oracle_guard.ORACLE.poke()
    if oracle_guard._refusal(price, updated, tolerance, deviation) != oracle_guard.FINE:
        return
    extcall oracle_guard.POOL.swap(
        self,
        not oracle_guard.COLLATERAL_IS_0,
        convert(amount, int256),
        convert(oracle_guard._limit(price, True, tolerance), uint160),
        b"",
    )
