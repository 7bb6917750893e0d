# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title fee_allocation
@custom:contract-name fee_allocation
@license GNU Affero General Public License v3.0 only
@notice How a series' fees leave Morpho for the reserve, by anyone's call.
"""


from snekmate.tokens import erc20
uses: erc20

from .interfaces import IMorpho
from .interfaces import IReserve

from . import clock_slot
from . import morpho_position
from . import series_config
from . import series_state
from . import series_words
from . import supply_mean
uses: clock_slot
uses: morpho_position
uses: series_config
uses: series_state
uses: supply_mean


# @dev Emitted for each allocation of fees: `fees` of collateral left for `underlying`, of which
# `own` is the series' account's and the rest the fee recipient's.
event Allocated:
    taker: indexed(address)
    fees: uint256
    premium: int256
    underlying: uint256
    own: uint256


WAD: constant(uint256) = 10**18


@external
@nonreentrant
def allocate(limit: int256, data: Bytes[512] = b"") -> uint256:
    """
    @notice Sends the fees to the reserve: the series' share into its account, the rest for the
            fee recipient to claim there. A long's fees are the underlying and go as they are; a
            short's are quote, and whoever calls buys them for the underlying in an auction that
            runs from a day after the last one and begins anew every two durations.
    @param limit The least premium, times 1e18; zero for a long.
    @param data For the sender's callback (ITaker.on_given); empty: what is owed is pulled.
    @return uint256 The underlying that went to the reserve.
    """
    series_config._only_clone()
    config: series_words.Config = series_config._config()
    market: IMorpho.MarketParams = config.market
    long: bool = config.terms.long
    position: morpho_position.Position = morpho_position._accrued(market)
    price: uint256 = 0
    jump: uint256 = 0
    price, jump = series_state._good_price(market.oracle, True)
    fees: uint256 = supply_mean._take_fees()
    clock: clock_slot.Clock = clock_slot._read()
    premium: int256 = 0
    amount: uint256 = fees
    if not long:
        premium, amount = staticcall series_state.DECISION.fee_sale(
            config.terms, fees, price, jump, clock.allocated
        )
    assert amount > 0, "fee_allocation: no fees due"
    assert premium >= limit, "fee_allocation: premium"
    clock.allocated = block.timestamp
    clock_slot._write(clock)
    taker: address = config.reserve if long else msg.sender
    morpho_position._withdraw(market, fees, taker)
    if not long:
        deal: morpho_position.Deal = morpho_position.Deal(
            market=market,
            taker=taker,
            receiver=taker,
            out=fees,
            shares=0,
            given=fees,
            owes=amount,
        )
        morpho_position._exchange(deal, data, market.collateralToken, fees, market.loanToken)
        morpho_position._send(market.loanToken, config.reserve, amount)
    own: uint256 = amount * config.reserve_share // WAD
    worth: uint256 = series_state._nav(position, price, long)
    supply: uint256 = erc20.totalSupply
    counted: uint256 = min(supply, supply_mean._means(supply)[0])
    extcall IReserve(config.reserve).credit(
        own, amount - own, config.fee_recipient, worth * counted // supply
    )
    log Allocated(taker=msg.sender, fees=fees, premium=premium, underlying=amount, own=own)
    return amount
