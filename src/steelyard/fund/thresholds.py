"""The next threshold of a fund on a path inside a bar, where the price is continuous."""

from __future__ import annotations

from steelyard.fund.group import Fund
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Crossing, Trigger, crossing

__all__ = ["AT_REST", "next_crossing"]

AT_REST = 1 << Trigger.EMERGENCY | 1 << Trigger.BAND | 1 << Trigger.MOVE
"""The value of ``spent`` with which only a liquidation acts."""


def next_crossing(fund: Fund[Num], is_out: bool, start: Num, end: Num, spent: int) -> Crossing[Num]:
    """The first threshold that acts as the price goes from ``start`` to ``end`` inside a bar.

    During an outage, a pause or an open order only a liquidation acts. ``spent`` has the bits
    ``1 << trigger`` of triggers that already acted on this path and traded nothing.
    """
    state = fund.state
    if state.reference is None:
        return Crossing(Trigger.NONE, end)
    clips = state.clips
    if state.intent is not None or is_out or state.paused:
        spent |= AT_REST
    if clips is not None and clips.trigger == Trigger.EMERGENCY:
        # an emergency whose trades wait for the order book to refill is not a new emergency
        spent |= 1 << Trigger.EMERGENCY
    return crossing(
        fund.terms.rule,
        fund.terms.venue,
        state.cash,
        state.units,
        state.reference,
        start,
        end,
        clips is not None,
        spent,
    )
