"""The premium over the oracle's price that an auction pays to the taker of a rebalance.

Anyone may take a due rebalance at the oracle's price plus a premium (a share of the notional)::

    premium = -start + (top + start) * max(elapsed / duration, danger)
    danger  = 0 at the band's upper edge, 1 half way from there to the lender's threshold,
              linear in the loan-to-value between the two
    top     = calm_top + (emergency_top - calm_top) * danger

A large jump between the feed's last two rounds lowers the premium for a minute, so that nobody can
trade at a good price on a wrong answer of the feed. Where the premium is negative, the taker pays
it. See FORMULAS 12.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Generic, NamedTuple

from steelyard.rules.members import plain_members
from steelyard.rules.numbers import Num

__all__ = [
    "AuctionFault",
    "AuctionTerms",
    "auction_fault",
    "collateral_multiple",
    "danger_at",
    "guarded_premium",
    "jump_between",
    "jump_shift",
    "liquidation_incentive",
    "loan_to_value",
    "premium_at",
    "premium_beyond_cost",
    "taker_wait",
    "top_at",
]

FADE_S = 60
"""Seconds after which a jump of the feed no longer lowers the premium."""


class AuctionTerms(NamedTuple, Generic[Num]):
    """The parameters of a series' auction; premiums are shares of notional (0.008 is 0.8 %)."""

    start: Num
    """The premium that the taker pays at the beginning: the sum of the feeds' deviation
    thresholds."""
    calm_top: Num
    """The premium at the end of the duration while leverage is at most the band's upper edge."""
    emergency_top: Num
    """The premium at the end of the duration once danger is 1 (see ``danger_at``)."""
    duration_s: int
    cooldown_s: int
    """The wait after a partial fill, during which the premium stands still."""
    fallback_s: int
    """A rebalance is due this many seconds after the last arrival; 0 for no fallback."""
    daily_at_s: int
    """Seconds after midnight UTC at which the daily rebalance is due; -1 for no daily rebalance."""
    calm_ltv: Num
    """Loan-to-value at the band's upper edge."""
    threshold: Num
    """Loan-to-value above which the lender liquidates."""
    reserve_cap: Num
    """K: the cap on what the series' account pays outside an emergency, as a share of ``W``."""


@plain_members
class AuctionFault(IntEnum):
    """The first inequality that the parameters of an auction violate."""

    NONE = 0
    RANGE = 1
    """A share or the duration is not above 0, or ``threshold`` is not between ``calm_ltv`` and
    1."""
    RISES_TOO_FAST = 2
    """The calm premium rises by more than 2 bp from one block to the next."""
    CALM_TOP_TOO_LOW = 3
    """``calm_top`` is below ``start`` plus two pool fees, so nobody could take it in a calm
    market."""
    EMERGENCY_TOP_TOO_LOW = 4
    """``emergency_top`` is below 3 %, or below ``calm_top``."""
    EMERGENCY_TOP_TOO_HIGH = 5
    """``emergency_top`` is above the incentive that the lender pays for a liquidation."""
    GIFT_PAYS = 6
    """A donation to the token would earn the donor more premium than the donation costs."""


def loan_to_value(leverage: Num) -> Num:
    """Debt over collateral of borrowed spot at this signed leverage (above 1, or below 0)."""
    return (leverage - 1) / leverage if leverage > 0 else leverage / (leverage - 1)


def collateral_multiple(leverage: Num) -> Num:
    """Collateral per nav at this signed leverage: L for a long, ``1 + |L|`` for a short."""
    if leverage > 0:
        return leverage
    return 1 - leverage


def danger_at(terms: AuctionTerms[Num], ltv: Num) -> Num:
    """How near the loan-to-value is to the lender's threshold, from 0 to 1.

    It is 0 at the band's upper edge and 1 from half way to the threshold onward.
    """
    if ltv <= terms.calm_ltv:
        return ltv * 0
    danger = 2 * (ltv - terms.calm_ltv) / (terms.threshold - terms.calm_ltv)
    if danger > 1:
        return ltv * 0 + 1
    return danger


def top_at(terms: AuctionTerms[Num], danger: Num) -> Num:
    """The premium at the end of the duration."""
    return terms.calm_top + (terms.emergency_top - terms.calm_top) * danger


def premium_at(terms: AuctionTerms[Num], elapsed_s: int, danger: Num) -> Num:
    """The premium before the guard against jumps, as a share of notional.

    The premium follows the clock, and danger sets a lower bound for it.
    """
    rise = top_at(terms, danger) + terms.start
    if elapsed_s >= terms.duration_s:
        return rise - terms.start
    if danger * terms.duration_s >= elapsed_s:
        return rise * danger - terms.start
    return rise * elapsed_s / terms.duration_s - terms.start


def premium_beyond_cost(start: Num, top: Num, cost: Num, delay_s: int, duration_s: int) -> Num:
    """How far the premium exceeds a taker's own cost when it acts in a calm market.

    The taker acts ``delay_s`` after the premium has reached ``cost``, which is at most ``top``. The
    premium rises until it has reached ``top``. All shares are in one unit.
    """
    beyond = (top + start) * delay_s / duration_s
    if beyond > top - cost:
        return top - cost
    return beyond


def taker_wait(start: Num, top: Num, cost: Num, delay_s: int, duration_s: int) -> Num:
    """Seconds from the beginning of an auction to its fill in a calm market.

    The arguments are those of ``premium_beyond_cost``.
    """
    return (cost + start) * duration_s / (top + start) + delay_s


def jump_between(answer: Num, before: Num) -> Num:
    """The size of a feed's move from one round to the next, up or down: ``max / min - 1``."""
    if answer > before:
        return answer / before - 1
    return before / answer - 1


def jump_shift(jump: Num, age_s: int) -> Num:
    """The share of notional by which a jump lowers the premium, ``age_s`` seconds after it.

    A jump of up to 5 % is an ordinary move and has no effect. A larger one counts in full at first
    and fades linearly to zero within a minute. The shift is at most one half.
    """
    if jump * 20 <= 1 or age_s >= FADE_S:
        return jump * 0
    shift = jump * (FADE_S - age_s) / FADE_S
    if shift * 2 > 1:
        return (jump * 0 + 1) / 2
    return shift


def guarded_premium(terms: AuctionTerms[Num], premium: Num, shift: Num, ltv: Num) -> Num:
    """The premium less the shift of a jump, which counts only below the lender's threshold.

    From the threshold upward anyone may liquidate the position at once for the lender's incentive,
    so a lower premium would only lose the position to a liquidator.
    """
    if ltv < terms.threshold:
        return premium - shift
    return premium


def liquidation_incentive(threshold: Num) -> Num:
    """Morpho Blue's incentive for a liquidator, as a share of the debt that it repays.

    It is ``1 / (1 - 0.3 (1 - threshold)) - 1``, and at most 15 %. Source: Morpho Blue's whitepaper,
    section on liquidations.
    """
    incentive = 10 / (10 - 3 * (1 - threshold)) - 1
    if incentive * 20 > 3:  # noqa: PLR2004 (15 %)
        return (threshold * 0 + 3) / 20
    return incentive


def auction_fault(terms: AuctionTerms[Num], target: Num, block_s: int, pool_fee: Num) -> int:
    """The first inequality that these terms violate, or ``AuctionFault.NONE``.

    Args:
        terms: the auction.
        target: the signed target leverage.
        block_s: seconds from one block to the next.
        pool_fee: the fee of the most expensive pool that a taker swaps in, as a share of the swap.
    """
    positive = terms.start > 0 and terms.calm_top > 0 and terms.duration_s > 0
    if not (positive and terms.calm_ltv > 0 and terms.calm_ltv < terms.threshold < 1):
        return AuctionFault.RANGE
    if (terms.calm_top + terms.start) * block_s * 5_000 > terms.duration_s:
        return AuctionFault.RISES_TOO_FAST
    if terms.calm_top < terms.start + 2 * pool_fee:
        return AuctionFault.CALM_TOP_TOO_LOW
    if terms.emergency_top * 100 < 3 or terms.emergency_top < terms.calm_top:  # noqa: PLR2004 (3 %)
        return AuctionFault.EMERGENCY_TOP_TOO_LOW
    if terms.emergency_top > liquidation_incentive(terms.threshold):
        return AuctionFault.EMERGENCY_TOP_TOO_HIGH
    if terms.emergency_top * collateral_multiple(target) >= 1:
        return AuctionFault.GIFT_PAYS
    return AuctionFault.NONE
