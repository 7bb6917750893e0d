# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title series_checks
@custom:contract-name series_checks
@license GNU Affero General Public License v3.0 only
@notice The bounds of a series' parameters, each with its reason. What is launched passed them
        all; none can be changed afterwards.
"""


from .interfaces import IDecision

from . import auction


WAD: constant(uint256) = 10**18
DAY: constant(uint256) = 86_400

# @dev No daily rebalance: the last second that a series' words can hold, and none of a day.
NEVER: constant(uint256) = 2**32 - 1

# @dev More than 10x is liquidated by moves of one feed update.
MOST_TARGET: constant(uint256) = 10 * WAD

# @dev From block to block the calm premium rises by at most 2 bp: so much more than the market's
# cost a taker can wait for.
MOST_RISE: constant(uint256) = 2 * 10**14

# @dev Below 3 % a series whose feed lags by 2 % is liquidated without a fill.
LEAST_EMERGENCY_TOP: constant(uint256) = 3 * 10**16

# @dev What an entry before an emergency can gain, and what suspending a series costs, are bounded by
# what a round trip costs: a tenth of a percent of nav each way. A sister series that asked less would
# make it cheap for all on its reserve.
LEAST_FEE: constant(uint256) = WAD // 1_000

# @dev A fee above 1 % of nav each way keeps everybody out, and its trap is not wanted.
MOST_FEE: constant(uint256) = WAD // 100

# @dev Morpho's own: 1 / (1 - 0.3 (1 - lltv)), at most 1.15.
CURSOR: constant(uint256) = 3 * 10**17
MOST_INCENTIVE: constant(uint256) = 15 * 10**16


@internal
@pure
def _check_terms(terms: IDecision.Terms, lltv: uint256, pool_fee: uint256, block_s: uint256):
    """
    @notice Refuses terms beyond a bound.
    @param terms The series' rule.
    @param lltv Morpho's liquidation threshold.
    @param pool_fee Of the pool that takers are expected to trade in, times 1e18.
    @param block_s Seconds of a block.
    """
    slack: uint256 = terms.edge_slack
    assert terms.target <= MOST_TARGET, "series_checks: target"
    assert terms.lower < terms.target and terms.target < terms.upper, "series_checks: band"
    assert terms.to_edge == (slack > 0), "series_checks: edge_slack"
    # a long of 1 owes nothing, and at a lower edge of zero nothing is left to raise
    least: uint256 = WAD if terms.long else 0
    assert terms.lower > least + slack, "series_checks: lower"
    assert terms.upper + slack < terms.emergency, "series_checks: emergency"
    # before it a cooldown holds takers off: three quarters of the way a quarter is left for them
    calm: uint256 = auction._loan_to_value(terms.upper + slack, terms.long)
    assert (
        4 * auction._loan_to_value(terms.emergency, terms.long) <= calm + 3 * lltv
    ), "series_checks: emergency near the threshold"
    assert terms.duration >= 60 and terms.duration <= DAY // 4, "series_checks: duration"
    assert terms.start > 0 and terms.start <= WAD // 50, "series_checks: start"
    assert (
        (terms.calm_top + terms.start) * block_s <= MOST_RISE * terms.duration
    ), "series_checks: premium rises too fast"
    # else nobody could take a calm auction once the feed is as far off as it may be
    assert (
        pool_fee > 0 and terms.calm_top >= terms.start + 2 * pool_fee
    ), "series_checks: calm_top"
    assert (
        terms.emergency_top >= LEAST_EMERGENCY_TOP and terms.emergency_top >= terms.calm_top
    ), "series_checks: emergency_top"
    # a taker must not get more than a liquidator would
    assert (
        terms.emergency_top <= self._incentive(lltv)
    ), "series_checks: emergency_top above the incentive"
    # else a gift that makes a fill due would pay
    multiple: uint256 = auction._multiple(terms.target, terms.long)
    assert terms.emergency_top * multiple < WAD * WAD, "series_checks: a gift pays"
    assert (
        terms.fallback_after >= 3_600 and terms.fallback_after <= 366 * DAY
    ), "series_checks: fallback_after"
    assert terms.daily_at < DAY or terms.daily_at == NEVER, "series_checks: daily_at"
    # a rest that is void before its cooldown ends would never be sold
    assert terms.cooldown <= terms.duration, "series_checks: cooldown"


@internal
@pure
def _check_fees(terms: IDecision.Terms, fee: uint256, reserve_share: uint256, recipient: address):
    """
    @notice Refuses fees beyond a bound, and an account that pays more than a round trip's fees.
    """
    assert fee >= LEAST_FEE and fee <= MOST_FEE, "series_checks: fee"
    assert reserve_share <= WAD, "series_checks: reserve_share"
    assert (
        reserve_share == WAD or recipient != empty(address)
    ), "series_checks: fee_recipient"
    # K <= reserve_share * 2 fee * 0.8 lower / target: minting around a fill cannot pay
    most: uint256 = reserve_share * fee // WAD * terms.lower // terms.target * 8 // 5
    assert terms.account_rate <= most, "series_checks: account_rate"


@internal
@pure
def _incentive(lltv: uint256) -> uint256:
    """
    @notice What Morpho pays a liquidator beyond the debt, times 1e18.
    """
    assert lltv < WAD, "series_checks: lltv"
    factor: uint256 = WAD * WAD // (WAD - CURSOR * (WAD - lltv) // WAD)
    return min(MOST_INCENTIVE, factor - WAD)
