# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title auction
@custom:contract-name auction
@license GNU Affero General Public License v3.0 only
@notice What an auction offers and how much it asks for, as pure functions of leverage, time and
        the feed's jump. The premium is

            -start + (top + start) * max(elapsed / duration, danger) - jump

        of the notional, at the oracle's price; above zero it goes to the taker. `danger` is 0 at
        the band's upper edge and 1 half way from there to Morpho's threshold, and `top` goes
        from `calm_top` to `emergency_top` with it. It is the taker's gas, slippage and profit.
@dev The same source as `rules/auction.py`, on integers: premiums are rounded down, sizes so that
     no fill goes across its destination.
"""


from .interfaces import IDecision


WAD: constant(uint256) = 10**18

# @dev A jump shifts the premium by at most half of the price: a larger one is no offer anyway.
MOST_JUMP: constant(uint256) = WAD // 2

# @dev The part of W that the reserve pays in an emergency at most: 2 % in 24 h.
EMERGENCY_SHARE: constant(uint256) = 2 * 10**16

# @dev 1 - (multiple - 1) * premium never falls below a half: beyond it a fill would hardly lower
# leverage at all, and the factory's bounds keep far from it.
LEAST_GAIN: constant(uint256) = WAD // 2


@internal
@pure
def _loan_to_value(leverage: uint256, long: bool) -> uint256:
    """
    @notice Debt over collateral's value at a leverage, times 1e18, rounded up.
    """
    if long:
        return WAD - min(WAD, WAD * WAD // leverage)
    return self._div_up(leverage * WAD, leverage + WAD)


@internal
@pure
def _multiple(leverage: uint256, long: bool) -> uint256:
    """
    @notice Collateral per nav at a leverage, times 1e18.
    """
    return leverage if long else leverage + WAD


@internal
@pure
def _danger(terms: IDecision.Terms, ltv: uint256, threshold: uint256) -> uint256:
    """
    @notice 0 where the band acts, 1 half way from there to the threshold, rounded down.
    """
    calm: uint256 = self._loan_to_value(terms.upper + terms.edge_slack, terms.long)
    if ltv <= calm:
        return 0
    return min(WAD, (ltv - calm) * 2 * WAD // (threshold - calm))


@internal
@pure
def _premium(
    terms: IDecision.Terms, danger: uint256, elapsed: uint256, jump: uint256
) -> int256:
    """
    @notice The premium of a moment, times 1e18, rounded down.
    @param elapsed Seconds for which the auction has run.
    @param jump Zero where the guard against jumps is off.
    """
    top: uint256 = terms.calm_top + (terms.emergency_top - terms.calm_top) * danger // WAD
    gone: uint256 = max(min(WAD, elapsed * WAD // terms.duration), danger)
    rise: uint256 = (top + terms.start) * gone // WAD
    return convert(rise, int256) - convert(terms.start + min(jump, MOST_JUMP), int256)


@internal
@pure
def _raising_size(gap: uint256, premium: int256, multiple: uint256) -> uint256:
    """
    @notice The notional that arrives if the reserve pays nothing of it, rounded down:
            gap / (1 + multiple * premium). A premium below zero raises nav at most, and is not
            counted on.
    """
    if premium <= 0:
        return gap
    return gap * WAD // (WAD + self._div_up(convert(premium, uint256) * multiple, WAD))


@internal
@pure
def _lowering_size(
    gap: uint256, premium: int256, multiple: uint256, nav: uint256, pays: uint256
) -> uint256:
    """
    @notice The notional that arrives if the reserve pays its cap, rounded down:
            (gap - (multiple - 1) paid) / (1 - (multiple - 1) premium), and `gap` itself where
            the cap is more than the premium.
    @param pays The reserve's cap, of nav, times 1e18.
    """
    more: uint256 = multiple - WAD
    if premium <= 0:
        return gap * WAD // (WAD + self._div_up(convert(-premium, uint256) * more, WAD))
    rate: uint256 = convert(premium, uint256)
    paid: uint256 = self._div_up(nav * pays, WAD)
    if paid * WAD >= gap * rate:
        return gap
    part: uint256 = min(gap, self._div_up(paid * more, WAD))
    return (gap - part) * WAD // max(LEAST_GAIN, WAD - min(WAD, rate * more // WAD))


@internal
@pure
def _lendable_size(most: uint256, premium: int256, lendable: uint256) -> uint256:
    """
    @notice A raise of at most `most` for which no more than `lendable` is borrowed.
    """
    return min(most, lendable * WAD // (WAD + convert(max(premium, 0), uint256)))


@internal
@pure
def _rescue_least(
    debt: uint256, worth: uint256, threshold: uint256, premium: int256
) -> uint256:
    """
    @notice The notional that brings a position from beyond the threshold down to it, whatever
            the reserve pays, rounded up: (debt - threshold * worth) / (1 - threshold * (1 +
            premium)); 0 where it is not beyond.
    """
    held: uint256 = threshold * worth // WAD
    if debt <= held:
        return 0
    # below 1, for no premium is above what a liquidation pays
    kept: uint256 = threshold * convert(convert(WAD, int256) + premium, uint256) // WAD
    return self._div_up((debt - held) * WAD, WAD - min(kept, WAD - 1))


@internal
@pure
def _div_up(above: uint256, below: uint256) -> uint256:
    """
    @notice Rounded up.
    """
    # of below 0 the division refuses whatever the difference is
    return (above + unsafe_sub(below, 1)) // below
