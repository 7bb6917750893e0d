# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title series_config
@custom:contract-name series_config
@license GNU Affero General Public License v3.0 only
@notice What is fixed for a series. A series is a clone (ERC-1167) whose configuration is appended
        to its code, where nobody can change it; reading it costs no storage.
@dev In the implementation itself there is no configuration: `_only_clone` refuses to act there.
"""


from .interfaces import IDecision
from .interfaces import IMorpho


# @dev All of it. Shares and fees times 1e18, amounts raw.
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


# @dev Bytes of a clone's code before what is appended, and words of Config.
PREFIX: constant(uint256) = 45
WORDS: constant(uint256) = 29
MARKET_WORDS: constant(uint256) = 5

# @dev Places of single words that are read alone.
ORACLE_WORD: constant(uint256) = 2
RESERVE_WORD: constant(uint256) = 21
NAME_WORD: constant(uint256) = 27
SYMBOL_WORD: constant(uint256) = 28


# @dev The implementation's own address.
IMPLEMENTATION: immutable(address)


@deploy
def __init__():
    IMPLEMENTATION = self


@internal
@view
def _only_clone():
    """
    @notice Refuses to act in the implementation.
    """
    assert self != IMPLEMENTATION, "series_config: implementation"


@internal
@view
def _config() -> Config:
    me: address = self
    return abi_decode(slice(me.code, PREFIX, 32 * WORDS), Config)


@internal
@view
def _market() -> IMorpho.MarketParams:
    """
    @notice The first words alone: a fifth of the gas.
    """
    me: address = self
    return abi_decode(slice(me.code, PREFIX, 32 * MARKET_WORDS), IMorpho.MarketParams)


@internal
@view
def _word(place: uint256) -> bytes32:
    me: address = self
    return convert(slice(me.code, PREFIX + 32 * place, 32), bytes32)


@internal
@view
def _text(place: uint256) -> String[32]:
    word: bytes32 = self._word(place)
    return convert(slice(word, 0, convert(word, uint256) & 255), String[32])


@external
@view
def config() -> Config:
    """
    @notice All that is fixed for this series.
    """
    return self._config()


@external
@view
def name() -> String[32]:
    """
    @notice The token's name.
    """
    return self._text(NAME_WORD)


@external
@view
def symbol() -> String[32]:
    """
    @notice The token's symbol.
    """
    return self._text(SYMBOL_WORD)


@external
@view
def reserve() -> address:
    """
    @notice The reserve that this series belongs to.
    """
    return convert(convert(self._word(RESERVE_WORD), uint160), address)


@external
@view
def oracle() -> address:
    """
    @notice The oracle of its Morpho market.
    """
    return convert(convert(self._word(ORACLE_WORD), uint160), address)
