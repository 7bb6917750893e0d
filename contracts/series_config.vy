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


from .interfaces import IMorpho

from . import series_words


# @dev Bytes of a clone's code before what is appended.
PREFIX: constant(uint256) = 45


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
def _config() -> series_words.Config:
    return series_words._unpack(self._words())


@internal
@view
def _market() -> IMorpho.MarketParams:
    """
    @notice The market alone.
    """
    return series_words._unpack_market(self._words())


@internal
@view
def _words() -> uint256[series_words.WORDS]:
    me: address = self
    return abi_decode(
        slice(me.code, PREFIX, 32 * series_words.WORDS), uint256[series_words.WORDS]
    )


@internal
@view
def _text(place: uint256) -> String[32]:
    word: bytes32 = convert(self._words()[place], bytes32)
    return convert(slice(word, 0, convert(word, uint256) & 255), String[32])


@external
@view
def config() -> series_words.Config:
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
    return self._text(series_words.NAME_WORD)


@external
@view
def symbol() -> String[32]:
    """
    @notice The token's symbol.
    """
    return self._text(series_words.SYMBOL_WORD)


@external
@view
def reserve() -> address:
    """
    @notice The reserve that this series belongs to.
    """
    return self._config().reserve


@external
@view
def oracle() -> address:
    """
    @notice The oracle of its Morpho market.
    """
    return self._market().oracle
