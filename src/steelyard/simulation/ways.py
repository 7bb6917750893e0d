"""A way inside a bar: the price goes from one visited price to the next, through all between.

The price is continuous there, so each threshold acts at the exact price at which it first holds.
Both engines take a single fund along the same way; what differs is how they write down what
followed, which is ``tell``.
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
"""Between two visited prices; beyond it a rule trades with itself and the run is refused."""

ACTIONS = (Settled, Decided, Closed)
"""What has been traded or ordered, and an end."""


def travel(
    fund: Fund[Num],
    tell: Callable[[Event[Num]], Sequence[Effect[Num]]],
    is_out: bool,  # noqa: FBT001 (asked three times a bar)
    time: int,
    start: Num,
    end: Num,
) -> None:
    """Take one fund from ``start`` to ``end``.

    Args:
        fund: of a group of its own.
        tell: steps the group by an event, and gives back what followed.
        is_out: the keeper is down.
        time: epoch s of the bar.
        start: price.
        end: price.

    Raises:
        InputError: its rule never comes to rest.
    """
    spent = rebalances = 0
    while fund.state.ended is None:
        met = next_crossing(fund, is_out, start, end, spent)
        if met.trigger == Trigger.NONE:
            tell(Arrived(time, end))
            return
        if spent and is_one_price(met.price, start):
            # one crossing with the one before, which named it and traded nothing
            spent |= 1 << met.trigger
            continue
        start = met.price
        if has_acted(tell(Crossed(time, start, 0, met.trigger))):
            spent = 0
            rebalances += 1
        else:
            # it stays where it is, so on this way it is not crossed again
            spent |= 1 << met.trigger
        if rebalances > MOST_REBALANCES:
            refuse_endless(fund.terms.symbol, met.trigger)


def has_acted(effects: Sequence[Effect[Num]]) -> bool:
    """Whether what holds at a crossing ended the fund, traded or ordered."""
    return any(type(effect) in ACTIONS for effect in effects)


def is_one_price(price: Num, other: Num) -> bool:
    """Whether two prices are within 1e-12 of each other."""
    return not (exceeds(price, other) or exceeds(other, price))


def refuse_endless(symbol: str, trigger: int) -> None:
    """Refuse a rule that never comes to rest.

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
