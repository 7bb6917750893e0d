# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Oracle
@custom:contract-name Oracle
@license GNU Affero General Public License v3.0 only
@notice The oracle of a series' Morpho market: debt units per collateral unit, times 1e36, from
        one Chainlink-style feed of the underlying, or from it over a second feed of the quote
        asset (ETH/USD over USDC/USD), so that a depeg of the quote is a price and not an outage.
        A clone with its configuration appended to its code.

        Morpho asks for `price` whenever collateral leaves while debt remains. An oracle that
        reverts would close every exit, so this one does not: while an answer is bad it says the
        last good price that was poked into it. It reverts in one case, a caller who leaves too
        little gas to read the feeds: starving them would otherwise choose the old price.

        `latest` is for who acts on a price: it knows the answers' age, the sequencer and the
        jump between the last two rounds. Nothing guards Morpho itself against a wrong answer
        of the feed: that is a trust assumption.
@dev A poke is made at launch, by each opening of an auction, each publication and by anyone.
"""


from .interfaces import IOracle
implements: IOracle

from . import auction
from . import feed_reader
from . import oracle_words


# @dev Emitted when a price is remembered.
event Poked:
    price: uint256


# @dev Bytes of a clone's code before what is appended.
PREFIX: constant(uint256) = 45

WAD: constant(uint256) = 10**18

# @dev No price is above it: with any position that fits into Morpho, products stay in a word.
MOST_PRICE: constant(uint256) = 2**176


# @dev The price that is said while an answer is bad.
last_good: public(uint256)


@external
@view
def price() -> uint256:
    """
    @notice The price for Morpho, whatever its age: the feeds', or the last good one.
    @return uint256 Debt units per collateral unit, times 1e36, rounded down.
    """
    config: oracle_words.Config = self._config()
    base: feed_reader.Round = feed_reader._latest(config.base)
    quote: feed_reader.Round = self._quote(config.quote)
    price_: uint256 = self._price_of(config.long, config.factor, base.answer, quote.answer)
    return price_ if price_ > 0 else self.last_good


@external
@view
def latest(with_jump: bool) -> (uint256, uint256, uint256):
    """
    @notice The price for who acts on it.
    @param with_jump Whether to read the rounds before, for who takes an auction at it.
    @return uint256 As `price`.
    @return uint256 When the older answer was updated; 0: there is no price to act on.
    @return uint256 The jump between the feed's last two rounds, times 1e18; 0 up to 5 %, fading
            within a minute. Of two feeds the jump of a price of which they go apart.
    """
    config: oracle_words.Config = self._config()
    base: feed_reader.Round = feed_reader._latest(config.base)
    quote: feed_reader.Round = self._quote(config.quote)
    price_: uint256 = self._price_of(config.long, config.factor, base.answer, quote.answer)
    if price_ == 0:
        return self.last_good, 0, 0
    now: uint256 = block.timestamp
    if now - base.updated > config.base_age or now - quote.updated > config.quote_age:
        return price_, 0, 0
    if config.sequencer != empty(address):
        if not feed_reader._is_up(config.sequencer, config.grace):
            return price_, 0, 0
    jump: uint256 = 0
    if with_jump:
        jump = feed_reader._jump(config.base, base)
        if config.quote != empty(address):
            other: uint256 = feed_reader._jump(config.quote, quote)
            # answers that go apart make a larger move of the price than each of them
            if other > 0:
                jump += other + auction._div_up(jump * min(other, WAD), WAD)
    return price_, min(base.updated, quote.updated), jump


@external
def poke():
    """
    @notice Remembers the price if it is good. By anyone, at any time.
    """
    config: oracle_words.Config = self._config()
    base: feed_reader.Round = feed_reader._latest(config.base)
    quote: feed_reader.Round = self._quote(config.quote)
    price_: uint256 = self._price_of(config.long, config.factor, base.answer, quote.answer)
    if price_ > 0 and price_ != self.last_good:
        self.last_good = price_
        log Poked(price=price_)


@external
@view
def base_feed() -> address:
    """
    @notice The feed of the underlying.
    """
    return self._config().base


@external
@view
def config() -> oracle_words.Config:
    """
    @notice All that is fixed.
    """
    return self._config()


@internal
@view
def _config() -> oracle_words.Config:
    me: address = self
    return oracle_words._unpack(
        abi_decode(
            slice(me.code, PREFIX, 32 * oracle_words.WORDS), uint256[oracle_words.WORDS]
        )
    )


@internal
@view
def _quote(feed: address) -> feed_reader.Round:
    """
    @notice The quote asset's round; without a feed it is worth one, now.
    """
    if feed == empty(address):
        return feed_reader.Round(id=0, answer=1, updated=block.timestamp)
    return feed_reader._latest(feed)


@internal
@pure
def _price_of(long: bool, factor: uint256, base: uint256, quote: uint256) -> uint256:
    """
    @notice The price of two answers; 0 where one is not good or it fits into no market.
    """
    if base == 0 or quote == 0:
        return 0
    above: uint256 = base if long else quote
    below: uint256 = quote if long else base
    if above > max_value(uint256) // factor:
        return 0
    # as was just asked, the product is a word
    price_: uint256 = unsafe_mul(above, factor) // below
    return price_ if price_ <= MOST_PRICE else 0
