# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title auction_fill
@custom:contract-name auction_fill
@license GNU Affero General Public License v3.0 only
@notice A fill, after it was decided: clock, reserve and books are settled first, then the two
        assets change hands inside Morpho's callback, and the event says what it was.
"""


from .interfaces import IDecision
from .interfaces import ILeveragedToken
from .interfaces import IMorpho
from .interfaces import IReserve

from . import clock_slot
from . import morpho_position
from . import series_config
from . import series_state
from . import series_words
uses: clock_slot
uses: morpho_position
uses: series_state


# @dev Emitted for each fill. `notional` in debt units, `units` of the underlying; the premium is
# above zero where the taker got it; what reserve and nav paid is below zero where they gained.
# Nav per token before and after is nav over `after.supply`, which a fill does not change.
event Rebalanced:
    taker: indexed(address)
    trigger: indexed(uint256)
    up: bool
    price: uint256
    premium: int256
    notional: uint256
    units: uint256
    paid_by_reserve: int256        # in the underlying
    paid_by_nav: int256            # debt units
    leverage_before: uint256
    leverage_after: uint256
    nav_before: uint256
    nav_after: uint256
    arrived: bool
    after: ILeveragedToken.State


WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36

# @dev A fill has arrived where at most this part of the gap is left to be sold.
NEAR_PARTS: constant(uint256) = 200

# @dev Of IDecision.Plan: a calm fill takes at least so small a part of what may be taken.
LEAST_PART: constant(uint256) = 10


@internal
def _advance(
    clock_: clock_slot.Clock, plan: IDecision.Plan, size: uint256, cooldown: uint256
) -> bool:
    """
    @notice Remembers an arrival, or that a part was filled: the rest is sold in an auction as
            old as this one, less the cooldown, which an emergency does not have. A fill below the
            least, of a market with little to lend, is not remembered.
    @return bool Whether it arrived.
    """
    clock: clock_slot.Clock = clock_
    # all that could be lent, and less than a fill otherwise takes: whoever empties the market for
    # a moment would put a raise off with it, again and again
    if size < plan.least:
        return False
    arrived: bool = (plan.whole - size) * NEAR_PARTS <= plan.gap
    if arrived:
        clock.arrived = block.timestamp
        clock.opened = 0
        clock.filled = 0
        clock.filled_trigger = 0
    else:
        began: uint256 = plan.began if plan.began > 0 else block.timestamp
        # by as much as was filled of what could be: a tenth again and again would hold its age.
        # What could be is told by the least, rounded down: what can be lent is what somebody's
        # borrowing of a moment makes it. In an emergency the least is another, and nothing pauses
        full: uint256 = max(plan.most, unsafe_mul(LEAST_PART, unsafe_sub(plan.least, 1)))
        # amounts in a market of Morpho are below 2**128, and full is not 0: nothing was filled then
        pause: uint256 = unsafe_div(unsafe_mul(cooldown, size), full)
        clock.opened = began if plan.emergency else began + pause
        clock.opened_up = plan.up
        clock.filled = block.timestamp
        clock.filled_trigger = plan.trigger
    clock_slot._write(clock)
    return arrived


@internal
def _settle(
    config: series_words.Config,
    plan: IDecision.Plan,
    price: uint256,
    size: uint256,
    counted: ILeveragedToken.State,
) -> uint256:
    """
    @notice What of the premium the reserve pays or gets, in the underlying.
    """
    long: bool = config.terms.long
    gains: bool = plan.premium < 0
    amount: uint256 = 0
    if gains or plan.pays:
        amount = size * convert(abs(plan.premium), uint256) // WAD
    return extcall IReserve(config.reserve).settle(
        IReserve.Settlement(
            amount=series_state._in_underlying(amount, price, long),
            gains=gains,
            raising=plan.up,
            emergency=plan.emergency,
            rate=config.terms.account_rate,
            nav=series_state._in_underlying(plan.nav, price, long),
            supply=counted.supply,
            mean_day=counted.mean_day,
            mean_week=counted.mean_week,
            # where the taker gets the underlying it comes from there, else the taker owes less
            receiver=msg.sender if long != plan.up else self,
        )
    )


@internal
def _fill(
    market: IMorpho.MarketParams, up: bool, legs: IDecision.Legs, data: Bytes[512]
):
    """
    @notice The exchange, inside Morpho's callback.
    """
    deal: morpho_position.Deal = morpho_position.Deal(
        market=market,
        taker=msg.sender,
        # a part of what leaves the position may be the reserve's: then all of it comes here
        receiver=self if legs.out > legs.given else msg.sender,
        out=legs.out,
        shares=0,
        given=legs.given,
        owes=legs.owes,
    )
    told: Bytes[928] = morpho_position._told(deal, data)
    if up:
        morpho_position._supply(market, legs.supplied, told)
    else:
        morpho_position._repay(market, legs.repaid, 0, told)


@internal
def _log_fill(
    market: IMorpho.MarketParams,
    long: bool,
    plan: IDecision.Plan,
    price: uint256,
    size: uint256,
    settled: uint256,
    arrived: bool,
    counted: ILeveragedToken.State,
):
    """
    @notice The event, with the position read again: a taker may have given it something.
    """
    after: ILeveragedToken.State = series_state._placed(counted, market)
    worth: uint256 = after.collateral * price // SCALE
    nav: uint256 = worth - min(worth, after.debt)
    premium: int256 = convert(size, int256) * plan.premium // convert(WAD, int256)
    paid: int256 = convert(settled, int256)
    covered: int256 = convert(settled * price // SCALE if long else settled, int256)
    if plan.premium < 0:
        # neither is below zero: its negative is in range
        paid = unsafe_sub(0, paid)
        covered = unsafe_sub(0, covered)
    log Rebalanced(
        taker=msg.sender,
        trigger=plan.trigger,
        up=plan.up,
        price=price,
        premium=plan.premium,
        notional=size,
        units=series_state._in_underlying(size, price, long),
        paid_by_reserve=paid,
        paid_by_nav=premium - covered,
        leverage_before=plan.leverage,
        leverage_after=(worth if long else after.debt) * WAD // max(nav, 1),
        nav_before=plan.nav,
        nav_after=nav,
        arrived=arrived,
        after=after,
    )
