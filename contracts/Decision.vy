# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Decision
@custom:contract-name Decision
@license GNU Affero General Public License v3.0 only
@notice What a series does now: which rebalance is due, where to, at which premium, how much of
        it a taker may take, and what a fill exchanges. One contract without state, called by
        every series, by the lens and by keepers, so that they cannot disagree;
        `rules/auction_plan.py` decides the same in the simulator.

        An emergency comes first, then the rest of a partial fill, the band, the day and the
        fallback. With `to_edge` a band's rebalance goes to the edge that was left; all others
        go to the target, an emergency whole and without a cooldown. A fill that starts beyond Morpho's
        threshold must end below it. A raise whose taker would pay nav / collateral of the
        notional or more, after a large jump of the feed, is not on sale.
@dev Everything is in debt units at the oracle's price: value = collateral * price, nav = value -
     debt; the exposure that leverage is made of is the value for a long, the debt for a short.
"""


from .interfaces import IDecision
implements: IDecision

from . import auction
from . import auction_clock


# @dev States, as rules.auction_plan.AuctionState.
IDLE: constant(uint256) = 0
UNOPENED: constant(uint256) = 1
OPEN: constant(uint256) = 2
COOLING: constant(uint256) = 3
SUSPENDED: constant(uint256) = 4
UNLENT: constant(uint256) = 5
LOST: constant(uint256) = 6
JUMPED: constant(uint256) = 7

# @dev Triggers, as rules.triggers.Trigger.
NOTHING: constant(uint256) = 0
EMERGENCY: constant(uint256) = 2
BAND: constant(uint256) = 3
DAILY: constant(uint256) = 7
FALLBACK: constant(uint256) = 8

WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36

# @dev Two figures are told apart beyond one part in so many.
HAIR: constant(uint256) = 10**12

# @dev A fill takes a tenth of what may be taken, or all of it; in an emergency a hundredth.
LEAST_PART: constant(uint256) = 10
LEAST_PART_EMERGENCY: constant(uint256) = 100

# @dev A leverage that no position with nav has.
ENDLESS: constant(uint256) = 2**128


@external
@view
def decide(terms: IDecision.Terms, facts: IDecision.Facts) -> IDecision.Plan:
    """
    @notice The rebalance of this moment.
    @param terms The series' rule.
    @param facts The series now, with interest up to now.
    @return Plan What is on sale; `state` says why nothing is.
    """
    plan: IDecision.Plan = empty(IDecision.Plan)
    value: uint256 = facts.collateral * facts.price // SCALE
    if value <= facts.debt:
        plan.leverage = ENDLESS if facts.debt > 0 else 0
        return plan
    plan.nav = value - facts.debt
    exposure: uint256 = value if terms.long else facts.debt
    plan.leverage = exposure * WAD // plan.nav
    ltv: uint256 = facts.debt * WAD // value
    plan.danger = auction._danger(terms, ltv, facts.threshold)
    plan.emergency = not self._exceeds(terms.emergency, plan.leverage)
    plan.trigger = self._trigger(terms, facts, plan.emergency, plan.leverage)
    plan.destination = self._destination(terms, plan.trigger, plan.leverage)
    wanted: uint256 = plan.destination * plan.nav // WAD
    gap: uint256 = unsafe_sub(max(wanted, exposure), min(wanted, exposure))
    if plan.trigger == NOTHING or gap * HAIR <= plan.nav:
        plan.trigger = NOTHING
        return plan
    plan.up = exposure < wanted
    # for a rise from below 0.8 of the lower edge a round trip's fees would not cover what the
    # reserve pays: whoever pushed leverage there by a gift is not paid for the way back
    plan.pays = not plan.up or plan.leverage * 5 >= terms.lower * 4
    began: uint256 = auction_clock._began(terms, facts, plan.up, block.timestamp)
    plan.began = 0 if began == auction_clock.NEVER else began
    plan.state = self._state(facts, plan, terms.cooldown)
    if plan.state != OPEN:
        return plan
    elapsed: uint256 = 0
    if plan.began > 0 and plan.began < block.timestamp:
        elapsed = block.timestamp - plan.began
    # from the threshold upward Morpho offers a liquidator its incentive at once: a guard that
    # held a taker off would only leave the position to the liquidator
    jump: uint256 = facts.jump if ltv < facts.threshold else 0
    premium: int256 = auction._premium(terms, plan.danger, elapsed, jump)
    # what nav gains of so dear a raise would take leverage down
    if plan.up and premium < 0 and convert(-premium, uint256) * value >= plan.nav * WAD:
        plan.state = JUMPED
        return plan
    plan.premium = premium
    plan.gap = gap
    plan.state, plan.whole, plan.most, plan.least = self._sized(plan, terms, facts, value)
    return plan


@external
@pure
def legs(
    long: bool, up: bool, premium: int256, price: uint256, size: uint256, settled: uint256
) -> IDecision.Legs:
    """
    @notice What a fill exchanges. The reserve's part of the premium is in the underlying: where
            the taker gets the underlying it is a part of what the taker gets, else of what it
            owes, and the position gives less or more by as much.
    @param long Whether the underlying is the collateral.
    @param up Whether leverage rises.
    @param premium Of the notional, times 1e18.
    @param price Debt units per collateral unit, times 1e36.
    @param size The notional, debt units at that price.
    @param settled What the reserve pays, or gets where the premium is below zero; underlying.
    @return Legs Raw amounts, rounded against the taker.
    """
    gains: bool = premium < 0
    asked: uint256 = size * convert(abs(premium), uint256)
    gets: uint256 = size - auction._div_up(asked, WAD) if gains else size + asked // WAD
    made: IDecision.Legs = empty(IDecision.Legs)
    if up:
        made.supplied = auction._div_up(size * SCALE, price)
        made.owes = made.supplied
    else:
        made.repaid = size
        made.owes = size
    if long == up:
        # the taker owes the underlying: more of it for the reserve, or less by what it paid
        made.owes = made.owes + settled if gains else made.owes - settled
        worth: uint256 = settled
        if long:
            worth = settled * price // SCALE if gains else auction._div_up(settled * price, SCALE)
        gets = gets + worth if gains else gets - worth
        made.given = gets if up else gets * SCALE // price
        made.out = made.given
    else:
        # the taker gets the underlying
        made.given = gets if up else gets * SCALE // price
        made.out = made.given + settled if gains else made.given - settled
    return made


@external
@view
def fee_sale(
    terms: IDecision.Terms, fees: uint256, price: uint256, jump: uint256, allocated: uint256
) -> (int256, uint256):
    """
    @notice What a short's fees are sold for: an auction that runs from a day after the last
            allocation and begins anew every two durations.
    @param terms The series' rule.
    @param fees Raw collateral.
    @param price Debt units per collateral unit, times 1e36.
    @param jump Of the feed's last two rounds.
    @param allocated When fees last left.
    @return int256 The premium, times 1e18.
    @return uint256 The debt units (underlying) asked for, rounded up; 0: not due.
    """
    due: uint256 = allocated + auction_clock.DAY
    began: uint256 = auction_clock._round(due, 0, terms.duration, block.timestamp)
    if began == auction_clock.NEVER:
        return 0, 0
    premium: int256 = auction._premium(terms, 0, block.timestamp - began, jump)
    share: uint256 = convert(convert(WAD, int256) - premium, uint256)
    return premium, auction._div_up(auction._div_up(fees * price, SCALE) * share, WAD)


@internal
@view
def _trigger(
    terms: IDecision.Terms, facts: IDecision.Facts, emergency: bool, leverage: uint256
) -> uint256:
    """
    @notice What makes a rebalance due. One under way goes on until it has arrived; only an
            emergency comes before it.
    """
    if emergency:
        return EMERGENCY
    now: uint256 = block.timestamp
    if facts.filled > 0 and now <= facts.opened + 2 * terms.duration:
        goes: uint256 = self._destination(terms, facts.filled_trigger, leverage)
        if self._exceeds(goes, leverage) if facts.opened_up else self._exceeds(leverage, goes):
            return facts.filled_trigger
    if self._exceeds(leverage, terms.upper + terms.edge_slack):
        return BAND
    if self._exceeds(terms.lower - terms.edge_slack, leverage):
        return BAND
    if now >= auction_clock._daily_due(terms.daily_at, facts.arrived):
        return DAILY
    if now >= facts.arrived + terms.fallback_after:
        return FALLBACK
    return NOTHING


@internal
@pure
def _destination(terms: IDecision.Terms, trigger: uint256, leverage: uint256) -> uint256:
    """
    @notice Where a rebalance takes leverage. With `to_edge` a band's goes to the edge that was
            left, and has nothing to do inside the band.
    """
    if terms.to_edge and trigger == BAND:
        return min(max(leverage, terms.lower), terms.upper)
    return terms.target


@internal
@view
def _state(
    facts: IDecision.Facts, plan: IDecision.Plan, cooldown: uint256
) -> uint256:
    """
    @notice Whether what is due can be taken.
    """
    if plan.up and facts.suspended:
        return SUSPENDED
    if plan.up and facts.lendable == 0:
        return UNLENT
    if plan.began == 0 and plan.danger == 0:
        return UNOPENED
    cooling: bool = facts.filled > 0 and block.timestamp < facts.filled + cooldown
    if cooling and not plan.emergency:
        return COOLING
    return OPEN


@internal
@pure
def _sized(
    plan: IDecision.Plan, terms: IDecision.Terms, facts: IDecision.Facts, worth: uint256
) -> (uint256, uint256, uint256, uint256):
    """
    @notice The sizes: never across the destination, whatever the reserve pays.
    @return uint256 The state: open, or lost where no fill would end below the threshold.
    @return uint256 The plan's `whole`.
    @return uint256 Its `most`.
    @return uint256 Its `least`.
    """
    multiple: uint256 = auction._multiple(plan.destination, terms.long)
    whole: uint256 = 0
    if plan.up:
        whole = auction._raising_size(plan.gap, plan.premium, multiple)
    else:
        pays: uint256 = auction.EMERGENCY_SHARE if plan.emergency else terms.account_rate
        whole = auction._lowering_size(plan.gap, plan.premium, multiple, plan.nav, pays)
        whole = min(whole, facts.debt)
    rescue: uint256 = auction._rescue_least(facts.debt, worth, facts.threshold, plan.premium)
    if rescue > whole:
        return LOST, 0, 0, 0
    most: uint256 = whole
    if terms.largest_clip > 0 and not plan.emergency and rescue == 0:
        # it is given in quote: a long's debt units
        clip: uint256 = terms.largest_clip
        if not terms.long:
            clip = clip * facts.price // SCALE
        most = min(most, clip)
    part: uint256 = LEAST_PART_EMERGENCY if plan.emergency else LEAST_PART
    # before what can be lent: that is what a moment's borrowing makes it
    least: uint256 = max(rescue, auction._div_up(most, part))
    if plan.up:
        most = auction._lendable_size(most, plan.premium, facts.lendable)
    return OPEN, whole, most, least


@internal
@pure
def _exceeds(figure: uint256, limit: uint256) -> bool:
    """
    @notice Whether a figure is above a limit by more than a hair.
    """
    return figure > limit and unsafe_sub(figure, limit) * HAIR > limit
