# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title series_words
@custom:contract-name series_words
@license GNU Affero General Public License v3.0 only
@notice The one place that knows how a series' configuration is laid out in its code: the factory
        packs it, the series unpacks it. Each word of code costs a launch 6,400 gas: twelve words
        instead of twenty-nine make it 109,000 cheaper.
@dev Bits from the lowest upward; shifts to and fro, which are shorter code than a mask, leave an
     address alone. Addresses have 160, shares and premiums 64, leverages 80, times
     32, amounts 128; each is checked when it is packed.

        0  loan token | lltv | daily at
        1  collateral token | fee
        2  oracle | reserve share
        3  interest model | account rate
        4  reserve | start
        5  fee recipient | calm top
        6  target | lower | upper | long (1 bit) | to edge (1 bit)
        7  emergency | edge slack | duration | fallback after | cooldown
        8  debt cap | largest clip
        9  initial nav | emergency top
        10 name
        11 symbol
"""


from .interfaces import IDecision
from .interfaces import IMorpho


# @dev What is fixed for a series. Shares and fees times 1e18, amounts raw.
struct Config:
    market: IMorpho.MarketParams
    terms: IDecision.Terms
    reserve: address
    fee: uint256               # of nav at the target, for a mint and for a redemption
    reserve_share: uint256     # of the fees; the rest is the recipient's
    fee_recipient: address
    debt_cap: uint256          # no mint takes the debt beyond it
    initial_nav: uint256       # raw collateral per whole token at launch
    name: bytes32              # a text of up to 31 bytes, its length in the last one
    symbol: bytes32


WORDS: constant(uint256) = 12

# @dev Places of the texts.
NAME_WORD: constant(uint256) = 10
SYMBOL_WORD: constant(uint256) = 11

SHARE: constant(uint256) = 2**64 - 1
LEVERAGE: constant(uint256) = 2**80 - 1
TIME: constant(uint256) = 2**32 - 1
AMOUNT: constant(uint256) = 2**128 - 1


@internal
@pure
def _pack(config: Config) -> uint256[WORDS]:
    """
    @notice The configuration as a series' code carries it.
    """
    market: IMorpho.MarketParams = config.market
    terms: IDecision.Terms = config.terms
    flags: uint256 = (1 if terms.long else 0) | (2 if terms.to_edge else 0)
    return [
        self._beside(market.loanToken, market.lltv) | self._fit(terms.daily_at, TIME) << 224,
        self._beside(market.collateralToken, config.fee),
        self._beside(market.oracle, config.reserve_share),
        self._beside(market.irm, terms.account_rate),
        self._beside(config.reserve, terms.start),
        self._beside(config.fee_recipient, terms.calm_top),
        self._fit(terms.target, LEVERAGE)
        | self._fit(terms.lower, LEVERAGE) << 80
        | self._fit(terms.upper, LEVERAGE) << 160
        | flags << 240,
        self._fit(terms.emergency, LEVERAGE)
        | self._fit(terms.edge_slack, LEVERAGE) << 80
        | self._fit(terms.duration, TIME) << 160
        | self._fit(terms.fallback_after, TIME) << 192
        | self._fit(terms.cooldown, TIME) << 224,
        self._fit(config.debt_cap, AMOUNT) | self._fit(terms.largest_clip, AMOUNT) << 128,
        self._fit(config.initial_nav, AMOUNT) | self._fit(terms.emergency_top, SHARE) << 128,
        convert(config.name, uint256),
        convert(config.symbol, uint256),
    ]


@internal
@pure
def _unpack(words: uint256[WORDS]) -> Config:
    """
    @notice What `_pack` packed.
    """
    return Config(
        market=self._unpack_market(words),
        terms=IDecision.Terms(
            long=words[6] >> 240 & 1 == 1,
            target=words[6] << 176 >> 176,
            lower=words[6] << 96 >> 176,
            upper=words[6] << 16 >> 176,
            edge_slack=words[7] << 96 >> 176,
            to_edge=words[6] >> 241 == 1,
            emergency=words[7] << 176 >> 176,
            start=words[4] >> 160,
            calm_top=words[5] >> 160,
            emergency_top=words[9] >> 128,
            duration=words[7] << 64 >> 224,
            fallback_after=words[7] << 32 >> 224,
            daily_at=words[0] >> 224,
            cooldown=words[7] >> 224,
            largest_clip=words[8] >> 128,
            account_rate=words[3] >> 160,
        ),
        reserve=convert(convert(words[4] << 96 >> 96, uint160), address),
        fee=words[1] >> 160,
        reserve_share=words[2] >> 160,
        fee_recipient=convert(convert(words[5] << 96 >> 96, uint160), address),
        debt_cap=words[8] << 128 >> 128,
        initial_nav=words[9] << 128 >> 128,
        name=convert(words[10], bytes32),
        symbol=convert(words[11], bytes32),
    )


@internal
@pure
def _unpack_market(words: uint256[WORDS]) -> IMorpho.MarketParams:
    """
    @notice The market alone.
    """
    return IMorpho.MarketParams(
        loanToken=convert(convert(words[0] << 96 >> 96, uint160), address),
        collateralToken=convert(convert(words[1] << 96 >> 96, uint160), address),
        oracle=convert(convert(words[2] << 96 >> 96, uint160), address),
        irm=convert(convert(words[3] << 96 >> 96, uint160), address),
        lltv=words[0] << 32 >> 192,
    )


@internal
@pure
def _beside(who: address, share: uint256) -> uint256:
    """
    @notice An address, and a share above it.
    """
    return convert(who, uint256) | self._fit(share, SHARE) << 160


@internal
@pure
def _fit(figure: uint256, most: uint256) -> uint256:
    """
    @notice Refuses a figure that its bits cannot hold.
    """
    assert figure <= most, "series_words: too large"
    return figure
