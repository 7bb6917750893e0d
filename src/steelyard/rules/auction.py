"""What a rebalance by auction is worth to a taker: the premium over the oracle's price.

Anyone may take a due rebalance at the oracle's price plus a premium, a share of the notional::

    premium = -start + (top + start) * max(elapsed / duration, danger)
    danger  = 0 at the band's upper edge, 1 half way from there to the lender's threshold,
              linear in the loan-to-value between the two
    top     = calm_top + (emergency_top - calm_top) * danger

A jump between the feed's last two rounds shifts the premium against the taker for a minute, so
that a wrong answer is not sold into. A premium below zero is paid by the taker. FORMULAS 12.
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
"""Seconds after which a jump of the feed shifts nothing any more."""


class AuctionTerms(NamedTuple, Generic[Num]):
    """The auction of a series; premiums are shares of notional (0.008 is 0.8 %)."""

    start: Num
    """What the taker pays at first: the sum of the deviation thresholds of the feeds in use."""
    calm_top: Num
    """The premium at the end of the duration, up to the band's upper edge."""
    emergency_top: Num
    """The premium from half way to the lender's threshold onward."""
    duration_s: int
    cooldown_s: int
    """The wait after a partial fill, during which the premium stands still."""
    fallback_s: int
    """A rebalance is due this long after the last arrival; 0 for no fallback."""
    daily_at_s: int
    """Seconds after midnight UTC at which one is due; -1 for no daily rebalance."""
    calm_ltv: Num
    """Loan-to-value at the band's upper edge."""
    threshold: Num
    """Loan-to-value above which the lender liquidates."""
    reserve_cap: Num
    """K: the most that the series' account pays at once outside an emergency, per nav."""


@plain_members
class AuctionFault(IntEnum):
    """The first inequality that the parameters of an auction break."""

    NONE = 0
    RANGE = 1
    """A share is not above 0, or the threshold is not between the upper edge's and 1."""
    RISES_TOO_FAST = 2
    """The calm premium rises by more than 2 bp from one block to the next."""
    CALM_TOP_TOO_LOW = 3
    """``calm_top`` is below ``start`` and two pool fees: nobody could take it when all is calm."""
    EMERGENCY_TOP_TOO_LOW = 4
    """``emergency_top`` is below 3 %, or below ``calm_top``."""
    EMERGENCY_TOP_TOO_HIGH = 5
    """``emergency_top`` is above what the lender's liquidation offers."""
    GIFT_PAYS = 6
    """A gift to the token would bring its giver more premium than it costs."""


def loan_to_value(leverage: Num) -> Num:
    """Debt over collateral of borrowed spot at this signed leverage (above 1, or below 0)."""
    return (leverage - 1) / leverage if leverage > 0 else leverage / (leverage - 1)


def collateral_multiple(leverage: Num) -> Num:
    """Collateral per nav at this signed leverage: the leverage of a long, 1 more of a short."""
    if leverage > 0:
        return leverage
    return 1 - leverage


def danger_at(terms: AuctionTerms[Num], ltv: Num) -> Num:
    """How far the loan-to-value is on its way to danger: 0 to 1."""
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
    """The premium before the guard, a share of notional; danger is its floor, not its clock."""
    rise = top_at(terms, danger) + terms.start
    if elapsed_s >= terms.duration_s:
        return rise - terms.start
    if danger * terms.duration_s >= elapsed_s:
        return rise * danger - terms.start
    return rise * elapsed_s / terms.duration_s - terms.start


def premium_beyond_cost(start: Num, top: Num, cost: Num, delay_s: int, duration_s: int) -> Num:
    """What the premium is above a taker's own cost when it acts, in calm; all in one unit.

    It acts ``delay_s`` after the premium has reached ``cost``, which is at most ``top``. The
    premium rises until it is at ``top``.
    """
    beyond = (top + start) * delay_s / duration_s
    if beyond > top - cost:
        return top - cost
    return beyond


def taker_wait(start: Num, top: Num, cost: Num, delay_s: int, duration_s: int) -> Num:
    """Seconds from the beginning of an auction to its fill, in calm; arguments as above."""
    return (cost + start) * duration_s / (top + start) + delay_s


def jump_between(answer: Num, before: Num) -> Num:
    """How far a feed moved from one round to the next, either way: ``max / min - 1``."""
    if answer > before:
        return answer / before - 1
    return before / answer - 1


def jump_shift(jump: Num, age_s: int) -> Num:
    """What a jump takes from the premium, ``age_s`` seconds after the answer that jumped.

    Up to 5 % it is a move as any other. A larger one counts whole at first, at most one half, and
    fades to nothing within a minute.
    """
    if jump * 20 <= 1 or age_s >= FADE_S:
        return jump * 0
    shift = jump * (FADE_S - age_s) / FADE_S
    if shift * 2 > 1:
        return (jump * 0 + 1) / 2
    return shift


def guarded_premium(terms: AuctionTerms[Num], premium: Num, shift: Num, ltv: Num) -> Num:
    """The premium less the shift of a jump, which counts below the lender's threshold only.

    From the threshold upward a liquidator's incentive is on offer at once: waiting would lose.
    """
    if ltv < terms.threshold:
        return premium - shift
    return premium


def liquidation_incentive(threshold: Num) -> Num:
    """What Morpho Blue pays a liquidator beyond the debt: ``1 / (1 - 0.3 (1 - threshold)) - 1``.

    At most 15 %. Source: Morpho Blue's whitepaper, section on liquidations.
    """
    incentive = 10 / (10 - 3 * (1 - threshold)) - 1
    if incentive * 20 > 3:  # noqa: PLR2004 (15 %)
        return (threshold * 0 + 3) / 20
    return incentive


def auction_fault(terms: AuctionTerms[Num], target: Num, block_s: int, pool_fee: Num) -> int:
    """The first inequality that these terms break, or ``AuctionFault.NONE``.

    Args:
        terms: the auction.
        target: the signed target leverage.
        block_s: seconds from one block to the next.
        pool_fee: share that the dearest pool on a taker's way takes of a swap.
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
