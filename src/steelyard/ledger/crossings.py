"""The check that a crossing in the journal is at a threshold of its fund."""

from __future__ import annotations

from typing import Any

from steelyard.fund.events import Crossed
from steelyard.fund.group import Group
from steelyard.fund.thresholds import AT_REST, next_crossing
from steelyard.rules.leverage import leverage_of
from steelyard.rules.triggers import Trigger, exceeds

__all__ = ["wrong_crossing"]


def wrong_crossing(group: Group[Any], event: Crossed[Any]) -> str | None:
    """The reason why a crossing cannot be true; None where it can.

    Its price must be that of a threshold of the fund.

    Args:
        group: the group before the crossing.
        event: the crossing in the journal.
    """
    if not 0 <= event.place < len(group.funds):
        return f"a crossing of fund {event.place}, expected 0 to {len(group.funds) - 1}"
    fund, trigger, price = group.funds[event.place], event.trigger, event.price
    name = Trigger(trigger).name.lower()
    spent = AT_REST & ~(1 << trigger)
    little = price / 1_000_000
    for end in (price + little, price - little):
        for begin in (price + price - end, price):
            met = next_crossing(fund, is_out=False, start=begin, end=end, spent=spent)
            if met.trigger == trigger and not (
                exceeds(met.price, price) or exceeds(price, met.price)
            ):
                return None
    leverage = leverage_of(fund.state.cash, fund.state.units, price)
    return f"a crossing of {name} at {price} (leverage {leverage}), where it has no threshold"
