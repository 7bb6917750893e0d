"""Price moves inside a bar, from one path price to the next through all prices between.

The price is continuous there, so each threshold acts at the exact price at which it first holds.
Both engines move a single fund through the same function; they differ only in ``tell``, which
records the effects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from steelyard.errors import InputError
from steelyard.fund.effects import Closed, Decided, Effect, Settled
from steelyard.fund.events import Arrived, Crossed, Event
from steelyard.fund.group import Fund
from steelyard.fund.thresholds import next_crossing
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger, exceeds

__all__ = ["MOST_REBALANCES", "has_acted", "is_one_price", "refuse_endless", "travel"]

MOST_REBALANCES = 100_000
"""The most rebalances between two path prices; more mean that a rule triggers itself."""

ACTIONS = (Settled, Decided, Closed)
"""The effects of a trade, of an order, and of the end of a fund."""


def travel(
    fund: Fund[Num],
    tell: Callable[[Event[Num]], Sequence[Effect[Num]]],
    is_out: bool,  # noqa: FBT001 (asked three times a bar)
    time: int,
    start: Num,
    end: Num,
) -> None:
    """Move the price of one fund from ``start`` to ``end``.

    Args:
        fund: a fund in a group of its own.
        tell: steps the group with an event, and returns the effects.
        is_out: whether the keeper is down.
        time: epoch seconds of the bar.
        start: price at the beginning.
        end: price at the end.

    Raises:
        InputError: its rule rebalances without end.
    """
    spent = rebalances = 0
    while fund.state.ended is None:
        met = next_crossing(fund, is_out, start, end, spent)
        if met.trigger == Trigger.NONE:
            tell(Arrived(time, end))
            return
        if spent and is_one_price(met.price, start):
            # the same crossing as the one before, which named it and traded nothing
            spent |= 1 << met.trigger
            continue
        start = met.price
        if has_acted(tell(Crossed(time, start, 0, met.trigger))):
            spent = 0
            rebalances += 1
        else:
            # nothing changed, so it is not crossed again on this move
            spent |= 1 << met.trigger
        if rebalances > MOST_REBALANCES:
            refuse_endless(fund.terms.symbol, met.trigger)


def has_acted(effects: Sequence[Effect[Num]]) -> bool:
    """Whether the rule that holds at a crossing ended the fund, traded or sent an order."""
    return any(type(effect) in ACTIONS for effect in effects)


def is_one_price(price: Num, other: Num) -> bool:
    """Whether two prices are within 1e-12 of each other."""
    return not (exceeds(price, other) or exceeds(other, price))


def refuse_endless(symbol: str, trigger: int) -> None:
    """Refuse a rule that rebalances without end.

    Raises:
        InputError: always.
    """
    name = Trigger(trigger).name.lower()
    message = (
        f"{symbol}: more than {MOST_REBALANCES:,} rebalances by the rule "
        f'"{name}" between two prices of one bar; expected a rule that comes to rest: widen '
        f"its threshold or move farther with each rebalance."
    )
    raise InputError(message, symbol=symbol, trigger=name)
