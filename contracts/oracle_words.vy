# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title oracle_words
@custom:contract-name oracle_words
@license GNU Affero General Public License v3.0 only
@notice The one place that knows how an oracle's configuration is laid out in its code: the
        factory packs it, the oracle unpacks it.
@dev Bits from the lowest upward; shifts to and fro, which are shorter code than a mask, leave an
     address alone. Addresses have 160, times 32; each is checked.

        0  base | base age | grace | long (1 bit)
        1  quote | quote age
        2  sequencer
        3  factor
"""


# @dev What is fixed. Answers are of `base`, and over those of `quote` where there is one.
struct Config:
    base: address
    quote: address             # empty: none
    factor: uint256            # long: base * factor / quote; short: quote * factor / base
    long: bool
    base_age: uint256          # seconds after which an answer is too old to act on
    quote_age: uint256
    sequencer: address         # the uptime feed of a rollup's sequencer; empty: none
    grace: uint256             # seconds for which it has to be up


WORDS: constant(uint256) = 4
TIME: constant(uint256) = 2**32 - 1


@internal
@pure
def _pack(config: Config) -> uint256[WORDS]:
    """
    @notice The configuration as an oracle's code carries it.
    """
    return [
        convert(config.base, uint256)
        | self._fit(config.base_age) << 160
        | self._fit(config.grace) << 192
        | (1 if config.long else 0) << 224,
        convert(config.quote, uint256) | self._fit(config.quote_age) << 160,
        convert(config.sequencer, uint256),
        config.factor,
    ]


@internal
@pure
def _unpack(words: uint256[WORDS]) -> Config:
    """
    @notice What `_pack` packed.
    """
    return Config(
        base=convert(convert(words[0] << 96 >> 96, uint160), address),
        quote=convert(convert(words[1] << 96 >> 96, uint160), address),
        factor=words[3],
        long=words[0] >> 224 == 1,
        base_age=words[0] >> 160 & TIME,
        quote_age=words[1] >> 160,
        # in no clone these bits are code, which is refused here
        sequencer=convert(convert(words[2], uint160), address),
        grace=words[0] >> 192 & TIME,
    )


@internal
@pure
def _fit(seconds: uint256) -> uint256:
    """
    @notice Refuses a time that its bits cannot hold.
    """
    assert seconds <= TIME, "oracle_words: too large"
    return seconds
