# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title leverage_math
@custom:contract-name leverage_math
@license GNU Affero General Public License v3.0 only
@notice What a leveraged token decides and how much it trades: pure functions on integers, the
        same rules as the Python package's `rules/`, each rounded in the direction that its name
        says.

        Everything is seen from the side that the token is on. `exposure` is the traded notional
        that it holds: the collateral's value for a long, the debt for a short; `nav` is the
        collateral's value less the debt. Both are in one unit, any unit. Leverages are absolute,
        times 1e18, and |leverage| = exposure / nav. The trade of size N solves

            raise   exposure + N = destination * (nav - cost)
            lower   exposure - N = destination * (nav - cost)

        with `cost` what nav pays of it.
@dev What differs from `rules/`: there is no trigger but emergency, band and fallback, and a clip
     goes by a name of its own. Figures within 1e-12 of each other are one, exactly as there:
     compared as integer products, never as rounded quotients.
"""


# @dev A series' thresholds as |leverage|, times 1e18. The band acts `edge_slack` past its edges:
# that is 0 for a move to the target.
struct Rule:
    target_leverage: uint256
    lower: uint256
    upper: uint256
    edge_slack: uint256
    emergency_leverage: uint256
    to_edge: bool              # move_to: "edge" or "target"


# @dev Why to rebalance: the answer of `should_rebalance`.
IDLE: constant(uint256) = 0
BAND_UP: constant(uint256) = 1
BAND_DOWN: constant(uint256) = 2
FALLBACK: constant(uint256) = 3
EMERGENCY: constant(uint256) = 4
CLIP: constant(uint256) = 5

# @dev Whether more of a rebalance has to follow, and where it goes: up or down to where the band
# sends it, or down to the target, as after an emergency.
NO_CLIP: constant(uint256) = 0
RAISING: constant(uint256) = 1
LOWERING: constant(uint256) = 2
LOWERING_TO_TARGET: constant(uint256) = 3

WAD: constant(uint256) = 10**18

# @dev Two figures are told apart beyond one part in so many.
HAIR: constant(uint256) = 10**12


@internal
@pure
def _is_above(exposure: uint256, nav: uint256, limit: uint256) -> bool:
    """
    @notice Whether leverage is above `limit` by more than 1e-12 of it.
    """
    return exposure * (WAD * HAIR) > limit * (HAIR + 1) * nav


@internal
@pure
def _is_below(exposure: uint256, nav: uint256, limit: uint256) -> bool:
    """
    @notice Whether `limit` is above leverage by more than 1e-12 of the latter.
    """
    return limit * HAIR * nav > exposure * (WAD * (HAIR + 1))


@internal
@pure
def _decide(
    rule: Rule, exposure: uint256, nav: uint256, clip: uint256, ready: bool, stale: bool
) -> (uint256, uint256):
    """
    @notice The first trigger that holds, and the leverage that it goes to.
    @param rule The series' thresholds.
    @param exposure The traded notional held.
    @param nav Net asset value; positive.
    @param clip Whether a rebalance is under way, and where to.
    @param ready Whether the wait between clips is over.
    @param stale Whether the last rebalance is so long ago that the fallback is due.
    @return uint256 The trigger, or IDLE.
    @return uint256 The destination.
    """
    target: uint256 = rule.target_leverage
    if not self._is_below(exposure, nav, rule.emergency_leverage):
        return EMERGENCY, target
    lowest: uint256 = target
    highest: uint256 = target
    if rule.to_edge:
        lowest = rule.lower
        highest = rule.upper
    # until it has arrived, a rebalance under way is the only one, but for an emergency
    if clip == RAISING and self._is_below(exposure, nav, lowest):
        return CLIP if ready else IDLE, lowest
    goal: uint256 = highest if clip == LOWERING else target
    if clip >= LOWERING and self._is_above(exposure, nav, goal):
        return CLIP if ready else IDLE, goal
    if self._is_above(exposure, nav, rule.upper + rule.edge_slack):
        return BAND_DOWN, highest
    if self._is_below(exposure, nav, rule.lower - rule.edge_slack):
        return BAND_UP, lowest
    if stale:
        # with a move to the edge there is nothing to do between the edges
        if exposure * WAD > highest * nav:
            return FALLBACK, highest
        if exposure * WAD < lowest * nav:
            return FALLBACK, lowest
    return IDLE, target


@internal
@pure
def _gap_down(destination: uint256, exposure: uint256, nav: uint256) -> (bool, uint256):
    """
    @notice Whether leverage has to rise, and by how much notional, rounded down: a trade of
            that size stops short of the destination by less than one unit, never beyond it.
            Zero where the gap is at most 1e-12 of nav.
    """
    goal: uint256 = destination * nav
    up: bool = exposure * WAD < goal
    gap: uint256 = 0
    if up:
        gap = goal // WAD - exposure
    else:
        gap = exposure - min(exposure, (goal + WAD - 1) // WAD)
    if gap * HAIR <= nav:
        return up, 0
    return up, gap


@internal
@pure
def _times_up(leverage: uint256, amount: uint256) -> uint256:
    """
    @notice leverage * amount: by so much the size that raises shrinks, and the size that lowers
            grows, for a cost that nav pays.
    """
    return (leverage * amount + WAD - 1) // WAD


@internal
@pure
def _leverage_down(exposure: uint256, nav: uint256) -> uint256:
    """
    @notice |leverage|, times 1e18; the largest number where nav is gone.
    """
    if nav == 0:
        return max_value(uint256)
    return exposure * WAD // nav


@internal
@pure
def _danger_down(loan_to_value: uint256, calm: uint256, lltv: uint256) -> uint256:
    """
    @notice How near liquidation is: 0 at the upper edge of the band and inside, 1e18 at it.
    @param loan_to_value Debt over the collateral's value.
    @param calm Where danger begins.
    @param lltv Where Morpho liquidates; above `calm`.
    """
    if loan_to_value <= calm:
        return 0
    if loan_to_value >= lltv:
        return WAD
    return (loan_to_value - calm) * WAD // (lltv - calm)


@internal
@pure
def _widened_down(normal: uint256, maximum: uint256, danger: uint256) -> uint256:
    """
    @notice A bound on its way from normal to maximum as danger grows.
    """
    return normal + (maximum - normal) * danger // WAD


@internal
@pure
def _distance_down(rule: Rule, exposure: uint256, nav: uint256, danger: uint256) -> uint256:
    """
    @notice How far past the band leverage is, 0 to 1e18: above it as near as liquidation is,
            below it by the share of the edge that is missing.
    """
    if danger > 0:
        return danger
    edge: uint256 = rule.lower * nav
    if edge == 0 or exposure * WAD >= edge:
        return 0
    return (edge - exposure * WAD) * WAD // edge


@internal
@pure
def _premium_down(filled: uint256, rate: uint256, distance: uint256) -> uint256:
    """
    @notice The keeper's premium: a share of the notional that it moved, growing with distance.
            Many small fills earn together what one earns.
    """
    return filled * rate // WAD * distance // WAD


@internal
@pure
def _cooldown_up(cooldown: uint256, filled: uint256, wanted: uint256) -> uint256:
    """
    @notice The wait after a fill: its share of the whole cooldown.
    """
    return (cooldown * min(filled, wanted) + wanted - 1) // wanted


@internal
@pure
def _swap_cost_up(pool: uint256, fee_ppm: uint256, notional: uint256, buys: bool) -> uint256:
    """
    @notice What a swap costs against mid in a pool of constant product, fee included.
    @param pool Liquidity on the side that `notional` is counted in.
    @param fee_ppm The pool's fee in millionths of what is paid in.
    @param notional What is bought or sold, at mid; below `pool` if it is bought.
    @param buys Whether it is bought.
    """
    kept: uint256 = 10**6 - fee_ppm
    above: uint256 = notional * (notional * kept + pool * fee_ppm)
    below: uint256 = pool * 10**6 + notional * kept
    if buys:
        below = (pool - notional) * kept
    return (above + below - 1) // below
