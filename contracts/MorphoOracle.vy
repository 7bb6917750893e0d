# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title MorphoOracle
@custom:contract-name MorphoOracle
@license GNU Affero General Public License v3.0 only
@notice The oracle of a leveraged token's Morpho market: debt units per collateral unit, times
        1e36, from one Chainlink-style feed that quotes the underlying.

        Morpho asks for a price whenever collateral leaves while debt remains. An oracle that
        reverts would close every exit, so this one does not: while the feed's answer is bad it
        says the last good price that was poked into it. Staleness is not judged here but in the
        token, which then stops rebalancing and leaves exits open. On a chain with a sequencer
        feed the token is told that there is no answer until the sequencer has been up for the
        grace period; Morpho is told the price all the same.

        It reverts in one case: a caller who leaves too little gas to read the feed. Otherwise
        starving the read of gas would choose the old price over the new one.
@dev `price` is a view and cannot write. `poke` stores the last good answer; it is called by the
     token at its launch and in each rebalance, and by anyone. So however long a feed is dead, the price that Morpho
     is told is one at which leverage stood inside its band, or was taken back to it, and an exit,
     which leaves the loan-to-value as it is, stays below the liquidation threshold there.
"""


from ethereum.ercs import IERC20Detailed

from .interfaces import IFeed
from .interfaces import IMorphoOracle
implements: IMorphoOracle

from . import feed_reader


# @dev The feed.
feed: public(immutable(address))

# @dev What the token supplies to Morpho.
collateral: public(immutable(address))

# @dev What the token borrows.
loan: public(immutable(address))

# @dev True for a long: the collateral is what the feed quotes.
long: public(immutable(bool))

# @dev The L2 sequencer's uptime feed; empty where there is none.
sequencer_feed: public(immutable(address))

# @dev Seconds for which the sequencer has to be up.
sequencer_grace: public(immutable(uint256))

# @dev long: price = answer * FACTOR, short: price = FACTOR / answer.
FACTOR: immutable(uint256)

# @dev The largest answer that is one: beyond it a long's price does not fit into a word, and a
# short's rounds to nothing.
MOST: immutable(uint256)


# @dev The last good answer << 64 | when the feed had updated it.
_last_good: uint256


@deploy
def __init__(
    feed_: address,
    underlying: address,
    quote: address,
    long_: bool,
    sequencer_feed_: address,
    sequencer_grace_: uint256,
):
    """
    @notice The feed must have a good answer now: it is the first last good price.
    @param feed_ Quotes the underlying in the quote asset.
    @param underlying What a token's leverage is on.
    @param quote What it is quoted in.
    @param long_ Whether the underlying is the collateral.
    @param sequencer_feed_ The sequencer's uptime feed, or the zero address.
    @param sequencer_grace_ Seconds for which the sequencer has to be up.
    """
    assert underlying != quote, "morpho_oracle: underlying is quote"
    assert (sequencer_feed_ == empty(address)) == (sequencer_grace_ == 0), "morpho_oracle: grace"
    sequencer_feed = sequencer_feed_
    sequencer_grace = sequencer_grace_
    feed = feed_
    long = long_
    collateral = underlying if long_ else quote
    loan = quote if long_ else underlying
    exponent: uint256 = 36 + convert(staticcall IERC20Detailed(loan).decimals(), uint256)
    exponent -= convert(staticcall IERC20Detailed(collateral).decimals(), uint256)
    feed_decimals: uint256 = convert(staticcall IFeed(feed_).decimals(), uint256)
    assert feed_decimals <= 18 and exponent <= 54, "morpho_oracle: decimals"
    FACTOR = 10 ** (exponent - feed_decimals if long_ else exponent + feed_decimals)
    MOST = max_value(uint256) // FACTOR if long_ else FACTOR
    self._poke()
    assert self._last_good != 0, "morpho_oracle: no answer"


@external
@view
def price() -> uint256:
    """
    @notice The price for Morpho: the feed's, or the last good one.
    @return uint256 Debt units per collateral unit, times 1e36, rounded down.
    """
    return self._latest()[0]


@external
@view
def latest() -> (uint256, uint256):
    """
    @notice The price, and when the feed updated it.
    @return uint256 As `price`.
    @return uint256 A timestamp. 0: there is no answer to act on, because the feed's is bad (the
            price is then the last good one) or the sequencer is or was down.
    """
    price_: uint256 = 0
    updated: uint256 = 0
    price_, updated = self._latest()
    return price_, self._trusted(updated)


@external
@view
def last_good() -> (uint256, uint256):
    """
    @notice The answer that is said while the feed's is bad.
    @return uint256 The answer, in the feed's decimals.
    @return uint256 When the feed had updated it.
    """
    return self._last_good >> 64, self._last_good & (2**64 - 1)


@external
def poke() -> (uint256, uint256):
    """
    @notice Stores the feed's answer if it is good. By anyone, at any time.
    @return uint256 As `latest`.
    @return uint256 As `latest`.
    """
    price_: uint256 = 0
    updated: uint256 = 0
    price_, updated = self._poke()
    return price_, self._trusted(updated)


@internal
def _poke() -> (uint256, uint256):
    answer: uint256 = 0
    updated: uint256 = 0
    answer, updated = self._good()
    if updated == 0:
        return self._price_of(self._last_good >> 64), 0
    if self._last_good >> 64 != answer:
        self._last_good = answer << 64 | min(updated, 2**64 - 1)
    return self._price_of(answer), updated


@internal
@view
def _latest() -> (uint256, uint256):
    answer: uint256 = 0
    updated: uint256 = 0
    answer, updated = self._good()
    if updated == 0:
        answer = self._last_good >> 64
    return self._price_of(answer), updated


@internal
@view
def _good() -> (uint256, uint256):
    answer: uint256 = 0
    updated: uint256 = 0
    answer, updated = feed_reader._answer(feed)
    if answer > MOST:
        return 0, 0
    return answer, updated


@internal
@view
def _trusted(updated: uint256) -> uint256:
    if updated == 0 or sequencer_feed == empty(address):
        return updated
    # 0: up, 1: down; the round started when that began
    down: int256 = 0
    started: uint256 = 0
    read: uint256 = 0
    down, started, read = feed_reader._read(sequencer_feed)
    up: bool = read != 0 and down == 0 and started != 0 and started <= block.timestamp
    if up and block.timestamp - started > sequencer_grace:
        return updated
    return 0


@internal
@view
def _price_of(answer: uint256) -> uint256:
    if long:
        return answer * FACTOR
    return FACTOR // answer
