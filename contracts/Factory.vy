# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Factory
@custom:contract-name Factory
@license GNU Affero General Public License v3.0 only
@notice Launches up to four series with a reserve of their own, in one transaction: oracles,
        Morpho markets, clones, injections and first positions. All parameters are checked here
        and can never be changed. No owner.

        The registry proves code and bounds of a series and vouches for nobody: feeds and assets
        are whatever its creator named.
@dev A market's id is foreseeable, so a stranger may create it first: it is used if nothing was
     ever borrowed there. Each market gets dead debt, which this contract holds at a tenth of the
     threshold and has no function to repay: without other debt, whoever borrows a unit and
     repays a share of it 109 times makes the market's debt shares overflow. Anyone can repay it
     on this contract's behalf, so it does not outlast gifts; a series that is abandoned by all
     others can then be made unable to raise, with exits open.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

from .interfaces import IDecision
from .interfaces import IFeed
from .interfaces import ILeveragedToken
from .interfaces import IMorpho
from .interfaces import IOracle
from .interfaces import IReserve

from . import clones
from . import oracle_words
from . import series_checks
from . import series_words


# @dev Where prices come from. Both feeds in the same unit; answers are of the underlying and,
# where there is a second feed, of the quote asset.
struct Feeds:
    base: address
    quote: address             # empty: the base feed quotes the underlying in the quote asset
    base_age: uint256          # seconds after which an answer is too old to act on
    quote_age: uint256
    sequencer: address         # a rollup's uptime feed; empty: none
    grace: uint256


# @dev A series to launch. Shares times 1e18, amounts raw.
struct Series:
    name: String[31]
    symbol: String[31]
    quote: address             # the asset that the underlying is quoted in
    feeds: Feeds
    irm: address
    lltv: uint256
    terms: IDecision.Terms
    fee: uint256               # of nav at the target, for a mint and for a redemption
    reserve_share: uint256     # of the fees
    fee_recipient: address     # of the rest
    debt_cap: uint256
    initial_nav: uint256       # collateral per whole token
    pool_fee: uint256          # of the pool that takers are expected to trade in
    tokens: uint256            # at launch
    collateral: uint256        # the most that the first position may take
    lends: uint256             # supplied to the market on the creator's behalf
    injects: uint256           # underlying, into the series' account


# @dev Emitted for each series; its configuration is in its code.
event SeriesLaunched:
    series: indexed(address)
    reserve: indexed(address)
    creator: indexed(address)
    underlying: address
    market: bytes32
    oracle: address


# @dev Units of dead debt in each market.
DEAD_DEBT: constant(uint256) = 10_000

# @dev The least that a launch injects, of nav: the reserve's resume level.
LEAST_INJECTION: constant(uint256) = 12 * 10**16

# @dev Fewer units of either asset than this are no position: shares of it would be computed from
# too few digits.
LEAST_UNITS: constant(uint256) = 10**6

# @dev Tokens of a launch at least; a thousandth of a token of them is locked.
LEAST_TOKENS: constant(uint256) = 10**16

MAX_SERIES: constant(uint256) = 4
MAX_AGE: constant(uint256) = 2 * 86_400
WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36


MORPHO: public(immutable(address))
TOKEN: public(immutable(address))
RESERVE: public(immutable(address))
ORACLE: public(immutable(address))

# @dev Seconds of a block of this chain.
BLOCK_S: public(immutable(uint256))


# @dev The reserves launched here, in order; and whether an address is one.
reserves: public(HashMap[uint256, address])
reserve_count: public(uint256)
is_reserve: public(HashMap[address, bool])


@deploy
def __init__(
    morpho: address, token: address, reserve: address, oracle: address, block_s: uint256
):
    """
    @param morpho Morpho Blue on this chain.
    @param token The LeveragedToken implementation.
    @param reserve The Reserve implementation.
    @param oracle The Oracle implementation.
    @param block_s Seconds of a block of this chain.
    """
    assert block_s > 0, "factory: block_s"
    MORPHO = morpho
    TOKEN = token
    RESERVE = reserve
    ORACLE = oracle
    BLOCK_S = block_s


@external
@nonreentrant
def launch(
    underlying: address,
    native_oracle: address,
    series: DynArray[Series, MAX_SERIES],
    common: uint256,
    salt: bytes32,
) -> (address, DynArray[address, MAX_SERIES]):
    """
    @notice Launches series and their reserve. The sender brings the collateral, what is lent to
            the new markets (its own supply there) and what is injected; it gets the tokens and
            the first debt.
    @param underlying What the series' leverage is on.
    @param native_oracle An Oracle of the native coin in the underlying, for refunds of gas;
           empty: the underlying is the wrapped native coin.
    @param series The series.
    @param common What is injected into the reserve's common part.
    @param salt Any; with the sender it decides the addresses.
    @return address The reserve.
    @return DynArray[address, 4] The series.
    """
    assert len(series) > 0, "factory: no series"
    mine: bytes32 = keccak256(abi_encode(msg.sender, salt))
    reserve: address = clones._clone(
        RESERVE, abi_encode(self, underlying, native_oracle, msg.sender), mine
    )
    made: DynArray[address, MAX_SERIES] = []
    markets: DynArray[IMorpho.MarketParams, MAX_SERIES] = []
    injections: DynArray[uint256, MAX_SERIES] = []
    injected: uint256 = common
    for one: Series in series:
        series_checks._check_terms(one.terms, one.lltv, one.pool_fee, BLOCK_S)
        series_checks._check_fees(
            one.terms, one.fee, one.reserve_share, one.fee_recipient
        )
        # of two equal series the second clone would have the first one's address
        own: bytes32 = keccak256(abi_encode(mine, len(made)))
        market: IMorpho.MarketParams = self._market(underlying, one, own)
        markets.append(market)
        made.append(clones._clone(TOKEN, self._words(market, reserve, one), own))
        injections.append(one.injects)
        injected += one.injects
    place: uint256 = 0
    for one: Series in series:
        self._begin(underlying, reserve, made[place], markets[place], one)
        place += 1
    self._send(underlying, injected, reserve)
    extcall IReserve(reserve).register(made, injections, common)
    self.reserves[self.reserve_count] = reserve
    self.reserve_count += 1
    self.is_reserve[reserve] = True
    return reserve, made


@external
@view
def is_series(series: address) -> bool:
    """
    @notice Whether a contract is a series that was launched here. Reverts for an address that
            has no `reserve`.
    @param series The series.
    """
    reserve: address = staticcall ILeveragedToken(series).reserve()
    return self.is_reserve[reserve] and staticcall IReserve(reserve).is_series(series)


@external
@view
def find(
    reserve: address, underlying: address, creator: address, feed: address, start: uint256
) -> (DynArray[address, 256], uint256):
    """
    @notice Series by what they are; an empty address stands for any.
    @param reserve The reserve that they belong to.
    @param underlying What their leverage is on.
    @param creator Who launched them.
    @param feed Their oracle's base feed.
    @param start Reserves to skip, in the order of their launch.
    @return DynArray[address, 256] The series found.
    @return uint256 Where to go on; 0: that was all.
    """
    found: DynArray[address, 256] = []
    place: uint256 = start
    for _: uint256 in range(64):
        if place >= self.reserve_count:
            return found, 0
        at: IReserve = IReserve(self.reserves[place])
        place += 1
        if reserve != empty(address) and reserve != at.address:
            continue
        if underlying != empty(address) and underlying != staticcall at.underlying():
            continue
        if creator != empty(address) and creator != staticcall at.creator():
            continue
        for each: address in staticcall at.series():
            oracle: IOracle = IOracle(staticcall ILeveragedToken(each).oracle())
            if feed == empty(address) or feed == staticcall oracle.base_feed():
                found.append(each)
    return found, place if place < self.reserve_count else 0


@internal
def _market(underlying: address, one: Series, salt: bytes32) -> IMorpho.MarketParams:
    """
    @notice A series' oracle and its market, in which nothing was ever borrowed.
    """
    assert underlying != one.quote, "factory: quote"
    collateral: address = underlying if one.terms.long else one.quote
    loan: address = one.quote if one.terms.long else underlying
    oracle: address = clones._clone(ORACLE, self._feeds(collateral, loan, one), salt)
    extcall IOracle(oracle).poke()
    price: uint256 = 0
    updated: uint256 = 0
    jump: uint256 = 0
    price, updated, jump = staticcall IOracle(oracle).latest(False)
    assert updated > 0 and price > 0, "factory: no good price"
    market: IMorpho.MarketParams = IMorpho.MarketParams(
        loanToken=loan, collateralToken=collateral, oracle=oracle, irm=one.irm, lltv=one.lltv
    )
    state: uint256[6] = staticcall IMorpho(MORPHO).market(keccak256(abi_encode(market)))
    if state[4] == 0:
        extcall IMorpho(MORPHO).createMarket(market)
    else:
        assert state[2] == 0 and state[3] == 0, "factory: borrowed before"
    return market


@internal
@view
def _feeds(collateral: address, loan: address, one: Series) -> Bytes[512]:
    """
    @notice The oracle's words, with the factor that takes answers to Morpho's scale.
    """
    feeds: Feeds = one.feeds
    assert feeds.base_age > 0 and feeds.base_age <= MAX_AGE, "factory: base_age"
    assert (feeds.sequencer == empty(address)) == (feeds.grace == 0), "factory: grace"
    exponent: int256 = 36
    exponent += convert(staticcall IERC20Detailed(loan).decimals(), int256)
    exponent -= convert(staticcall IERC20Detailed(collateral).decimals(), int256)
    digits: int256 = convert(staticcall IFeed(feeds.base).decimals(), int256)
    if feeds.quote != empty(address):
        assert feeds.quote_age > 0 and feeds.quote_age <= MAX_AGE, "factory: quote_age"
        digits -= convert(staticcall IFeed(feeds.quote).decimals(), int256)
    exponent += -digits if one.terms.long else digits
    assert exponent >= 0 and exponent <= 72, "factory: decimals"
    factor: uint256 = 10 ** convert(exponent, uint256)
    return abi_encode(
        oracle_words._pack(
            oracle_words.Config(
                base=feeds.base,
                quote=feeds.quote,
                factor=factor,
                long=one.terms.long,
                base_age=feeds.base_age,
                quote_age=feeds.quote_age,
                sequencer=feeds.sequencer,
                grace=feeds.grace,
            )
        )
    )


@internal
@pure
def _words(market: IMorpho.MarketParams, reserve: address, one: Series) -> Bytes[512]:
    """
    @notice The series' words.
    """
    return abi_encode(
        series_words._pack(
            series_words.Config(
                market=market,
                terms=one.terms,
                reserve=reserve,
                fee=one.fee,
                reserve_share=one.reserve_share,
                fee_recipient=one.fee_recipient,
                debt_cap=one.debt_cap,
                initial_nav=one.initial_nav,
                name=self._text(one.name),
                symbol=self._text(one.symbol),
            )
        )
    )


@internal
@pure
def _text(text: String[31]) -> bytes32:
    """
    @notice A text in one word, its length in the last byte.
    """
    assert len(text) > 0, "factory: text"
    padded: Bytes[63] = concat(convert(text, Bytes[31]), empty(bytes32))
    return convert(convert(slice(padded, 0, 31), bytes31), bytes32) | convert(
        len(text), bytes32
    )


@internal
def _begin(
    underlying: address,
    reserve: address,
    token: address,
    market: IMorpho.MarketParams,
    one: Series,
):
    """
    @notice Lends, makes the dead debt, injects and launches.
    """
    price: uint256 = staticcall IOracle(market.oracle).price()
    self._take(market.loanToken, one.lends)
    extcall IMorpho(MORPHO).supply(market, one.lends, 0, msg.sender, b"")
    dead: uint256 = (DEAD_DEBT * SCALE // price + 1) * 10 * WAD // one.lltv + 1
    self._take(market.collateralToken, dead)
    extcall IMorpho(MORPHO).supplyCollateral(market, dead, self, b"")
    extcall IMorpho(MORPHO).borrow(market, DEAD_DEBT, 0, self, msg.sender)
    nav: uint256 = one.tokens * one.initial_nav // WAD
    worth: uint256 = nav if one.terms.long else nav * price // SCALE
    assert one.tokens >= LEAST_TOKENS, "factory: tokens"
    assert nav >= LEAST_UNITS and nav * price // SCALE >= LEAST_UNITS, "factory: units"
    assert one.injects * WAD >= worth * LEAST_INJECTION, "factory: injects"
    self._send(market.collateralToken, one.collateral, token)
    extcall ILeveragedToken(token).launch(one.tokens, one.collateral, msg.sender)
    log SeriesLaunched(
        series=token,
        reserve=reserve,
        creator=msg.sender,
        underlying=underlying,
        market=keccak256(abi_encode(market)),
        oracle=market.oracle,
    )


@internal
def _send(token: address, amount: uint256, receiver: address):
    """
    @notice Takes an amount from the sender for somebody.
    """
    assert extcall IERC20(token).transferFrom(
        msg.sender, receiver, amount, default_return_value=True
    ), "factory: transferFrom"


@internal
def _take(token: address, amount: uint256):
    """
    @notice Takes an amount from the sender and lets Morpho take it from here.
    """
    self._send(token, amount, self)
    assert extcall IERC20(token).approve(
        MORPHO, amount, default_return_value=True
    ), "factory: approve"
