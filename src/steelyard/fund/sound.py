"""Checks for events that cannot have happened, whatever a driver, venue or journal reports.

A live fund refuses such an event before anything changes, and the audit of a journal reports it.
Every fill that a venue reports is settled, but its notional must equal its units times its price.
"""

from __future__ import annotations

import math
from typing import Any

from steelyard.fund.creations import too_many
from steelyard.fund.events import (
    Filled,
    Inputs,
    Liquidated,
    MoneyMoved,
    Observed,
    Paused,
    Traded,
)
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import Request
from steelyard.fund.terms import Impact
from steelyard.rules.triggers import Trigger

__all__ = ["is_impact", "unsound"]

NEAR = 1_000_000_000
"""A fill's notional must equal its units times its price to one part in this many."""
MOST_RESTATED = 100_000
"""The largest number of requests that the splits of one observation may convert to new tokens,
counted once per split. A few megabytes of a forged journal row could demand more; such a row is
refused before it is processed."""
GRAIN = 1_000_000_000_000
"""The rounding error of units is below one part in this many."""


def unsound(group: Group[Any], event: Any) -> str | None:  # noqa: ANN401 (any event)
    """The reason why ``event`` cannot have happened to ``group``; None where it can have.

    The group does not change, so a driver whose event is refused continues from the same state.
    """
    place = getattr(event, "place", 0)
    if not 0 <= place < len(group.funds):
        return f"place: expected 0 to {len(group.funds) - 1}, found {place}"
    kind = type(event)
    if kind is Paused:
        return None
    if not (math.isfinite(event.price) and event.price > 0):
        return f"price: expected a price above 0, found {event.price}"
    if kind is Observed:
        return _of_observation(group, event)
    if kind is Filled or kind is Traded:
        return _of_fill(group.funds[place], event)
    if kind is MoneyMoved and not math.isfinite(event.amount):
        return f"amount: expected a finite amount, found {event.amount}"
    if kind is Liquidated and not math.isfinite(event.cash):
        return f"cash: expected a finite amount, found {event.cash}"
    return None


def is_impact(impact: Impact[Any]) -> bool:
    """Whether trades can have this impact; a negative impact would pay the traders."""
    return all(math.isfinite(each) and each >= 0 for each in impact)


def _of_observation(group: Group[Any], event: Observed[Any]) -> str | None:
    funds, inputs_of_all = group.funds, event.inputs
    if len(inputs_of_all) != len(funds):
        return f"inputs: expected those of {len(funds)} funds, found {len(inputs_of_all)}"
    for quote, _ in event.injections:
        if not (math.isfinite(quote) and quote > 0):
            return f"injections: expected amounts above 0, found {quote}"
    for fund, inputs in zip(funds, inputs_of_all, strict=True):
        state = fund.state
        if state.ended is not None:
            continue
        if state.time is not None and event.time < state.time:
            why: str | None = f"time: expected {state.time} or later, found {event.time}"
        else:
            why = _of_inputs(fund, inputs)
        if why is not None:
            return f"{fund.terms.symbol}: {why}"
    return None


def _of_inputs(fund: Fund[Any], inputs: Inputs[Any]) -> str | None:
    funding, rates, splits, flows, *_ = inputs
    if splits:
        restated = len(splits) * len(_waiting(fund))
        if restated > MOST_RESTATED:
            most = f"{MOST_RESTATED:,} requests"
            return f"splits: expected at most {most} to convert, found {restated:,}"
    for ratio in splits:
        if not (math.isfinite(ratio) and ratio > 0):
            return f"splits: expected ratios above 0, found {ratio}"
    for rate in funding:
        if not math.isfinite(rate):
            return f"funding: expected finite rates, found {rate}"
    if inputs.impact is not None and not is_impact(inputs.impact):
        return f"impact: expected a coefficient and a volume from 0, found {inputs.impact}"
    for _, seconds in rates:
        if seconds < 0:
            return f"rates: expected them to be in force for 0 s or longer, found {seconds} s"
    return _of_flows(fund, inputs) if flows else None


def _of_flows(fund: Fund[Any], inputs: Inputs[Any]) -> str | None:
    """The reason why the flows cannot be booked: they redeem more tokens than exist."""
    state, amount = fund.state, fund.terms.number.amount
    left, waiting = state.tokens, [each.tokens for each in _waiting(fund)]
    for ratio in inputs.splits:
        left, waiting = amount(left * ratio), [amount(each * ratio) for each in waiting]
    for tokens in (*waiting, *map(amount, inputs.flows)):
        if not left + tokens > 0:
            return too_many(left, tokens)
        left = left + tokens
    return None


def _waiting(fund: Fund[Any]) -> tuple[Request[Any], ...]:
    """The creations and redemptions that are not booked yet, in their order."""
    state = fund.state
    return state.pending if state.intent is None else (*state.intent.requests, *state.pending)


def _of_fill(fund: Fund[Any], fill: Filled[Any] | Traded[Any]) -> str | None:
    second = fill.second if isinstance(fill, Filled) else None
    charges = (*fill.charges, *(second or ()))
    if not all(math.isfinite(each) for each in (fill.units, fill.notional, *charges)):
        return f"fill: expected finite amounts, found {fill.units} units at {fill.notional}"
    intent = fund.state.intent if isinstance(fill, Filled) else None
    if intent is not None and intent.trigger == Trigger.ROLL:
        return None  # its notional is that of the next contract, which has its own mark
    expected = fill.units * fund.state.mark * fill.price
    room = abs(expected) / NEAR + fill.price / GRAIN
    if abs(fill.notional - expected) > room:
        return (
            f"fill: expected a notional of {expected} ({fill.units} units at a mark of "
            f"{fill.price}), found {fill.notional}; the fill's difference from the mark belongs to "
            f"its charges"
        )
    return None
