"""Whether an event can have happened: what no driver, venue or journal may tell a fund.

A live fund refuses such an event before anything changes; the audit of a journal names it. What a
venue does is settled whatever it is, but a fill is a fill: its notional is its units at its price.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from steelyard.fund.creations import too_many
from steelyard.fund.events import Filled, Inputs, Liquidated, Observed, Paused
from steelyard.fund.group import Fund, Group
from steelyard.rules.triggers import Trigger

__all__ = ["unsound"]

NEAR = 1_000_000_000
"""A fill's notional is its units at its price to one part in so many."""
GRAIN = 1_000_000_000_000
"""What rounding leaves of units is below one part in so many."""


def unsound(group: Group[Any], event: Any) -> str | None:  # noqa: ANN401 (any event)
    """Why ``event`` cannot have happened to ``group``; None: it can.

    Nothing changes: a driver that is refused goes on from where it was.
    """
    return next(_reasons(group, event), None)


def _reasons(group: Group[Any], event: Any) -> Iterator[str]:  # noqa: ANN401
    place = getattr(event, "place", 0)
    if not 0 <= place < len(group.funds):
        yield f"place: expected 0 to {len(group.funds) - 1}, found {place}"
        return
    if isinstance(event, Paused):
        return
    if not (math.isfinite(event.price) and event.price > 0):
        yield f"price: expected one above 0, found {event.price}"
    elif isinstance(event, Observed):
        yield from _of_observation(group, event)
    elif isinstance(event, Filled):
        yield from _of_fill(group.funds[place], event)
    elif isinstance(event, Liquidated) and not math.isfinite(event.cash):
        yield f"cash: expected an amount, found {event.cash}"


def _of_observation(group: Group[Any], event: Observed[Any]) -> Iterator[str]:
    if len(event.inputs) != len(group.funds):
        yield f"inputs: expected those of {len(group.funds)} funds, found {len(event.inputs)}"
        return
    for quote, _ in event.injections:
        if not (math.isfinite(quote) and quote > 0):
            yield f"injections: expected amounts above 0, found {quote}"
    for fund, inputs in zip(group.funds, event.inputs, strict=True):
        symbol, since = fund.terms.symbol, fund.state.time
        if fund.state.ended is not None:
            continue
        if since is not None and event.time < since:
            yield f"{symbol}: time: expected {since} or later, found {event.time}"
        for why in _of_inputs(fund, inputs):
            yield f"{symbol}: {why}"


def _of_inputs(fund: Fund[Any], inputs: Inputs[Any]) -> Iterator[str]:
    for ratio in inputs.splits:
        if not (math.isfinite(ratio) and ratio > 0):
            yield f"splits: expected ratios above 0, found {ratio}"
            return
    for rate in inputs.funding:
        if not math.isfinite(rate):
            yield f"funding: expected rates, found {rate}"
    for _, seconds in inputs.rates:
        if seconds < 0:
            yield f"rates: expected them to be in force for 0 s or longer, found {seconds} s"
    if inputs.flows:
        yield from _of_flows(fund, inputs)


def _of_flows(fund: Fund[Any], inputs: Inputs[Any]) -> Iterator[str]:
    """A redemption of tokens that are not there, found before anything else is done."""
    state, amount = fund.state, fund.terms.number.amount
    earlier = () if state.intent is None else state.intent.requests
    left, waiting = state.tokens, [each.tokens for each in (*earlier, *state.pending)]
    for ratio in inputs.splits:
        left, waiting = amount(left * ratio), [amount(each * ratio) for each in waiting]
    for tokens in (*waiting, *map(amount, inputs.flows)):
        if not left + tokens > 0:
            yield too_many(left, tokens)
            return
        left = left + tokens


def _of_fill(fund: Fund[Any], fill: Filled[Any]) -> Iterator[str]:
    charges = (*fill.charges, *(fill.second or ()))
    if not all(math.isfinite(each) for each in (fill.units, fill.notional, *charges)):
        yield f"fill: expected amounts, found {fill.units} units at {fill.notional}"
        return
    intent = fund.state.intent
    if intent is not None and intent.trigger == Trigger.ROLL:
        return  # its notional is the next contract's, at a mark of its own
    expected = fill.units * fund.state.mark * fill.price
    room = abs(expected) / NEAR + fill.price / GRAIN
    if abs(fill.notional - expected) > room:
        yield (
            f"fill: expected a notional of {expected} ({fill.units} units at a mark of "
            f"{fill.price}), found {fill.notional}: what a fill was off the mark is its charge"
        )
