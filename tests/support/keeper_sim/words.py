"""The history of a simulated life in words: what a process stores, and what it hears."""

from __future__ import annotations

from typing import Any

from steelyard.cli.journal_lines import line
from steelyard.keeper.keeper_events import Answered, LookedUp, WasRead
from steelyard.ledger.event_rows import Event
from steelyard.venues.protocol import Balance, Failure, OrderState, Position

__all__ = ["heard", "stored"]


def stored(event: Event) -> str:
    """A row of the journal."""
    return f"stores: {line(event.kind, event.fields)}"


def heard(event: Any) -> str:
    """What came back from the venue."""
    if isinstance(event, Answered):
        return f"hears of {event.client_id}: {_of(event.found)}"
    if isinstance(event, LookedUp):
        value = event.found if isinstance(event.found, Failure) else event.found.value
        known = "the venue knows of no such order" if value is None else _of(value)
        return f"looks {event.client_id} up: {known}"
    if isinstance(event, WasRead):
        value = event.found if isinstance(event.found, Failure) else event.found.value
        return f"reads {event.what.value}: {_of(value)}"
    return repr(event)


def _of(value: Any) -> str:
    if isinstance(value, Failure):
        return f"{value.outcome.value}, {value.reason}"
    if isinstance(value, OrderState):
        return f"{value.status.value}, {value.filled:f} of {value.units:f}"
    if isinstance(value, Position):
        return f"{value.units:f} units for {value.entry_cost:f}"
    if isinstance(value, Balance):
        return f"a wallet of {value.wallet:f}"
    if isinstance(value, tuple):
        return f"{len(value)} records"
    return type(value).__name__.lower()
