"""The kinds of event of a fund's life: what happened to it outside, and what followed.

They are the records of ``steelyard.fund``: an event from outside (``steelyard.fund.events``) is a
row of its own, and each effect that followed from it is a row after it. Accruals are no rows: they
stand in the row after them (``passed``, ``came``).
"""

from __future__ import annotations

import re
from typing import get_args, get_origin

from steelyard.fund import effects, events
from steelyard.ledger.kinds import Kind, register_kind

__all__ = ["EFFECTS", "EVENTS", "SINCE", "TELLING", "kind_name"]

SINCE = {
    "low": "the lowest price observed since the row before it; null where none was",
    "high": "the highest",
    "out": "whether the keeper was down at one of these observations",
    "passed": "what accrued at these observations, and what it left, one object a fund",
}
"""What a row says of the observations since the row before it, at which nothing else happened."""

MEANINGS = {
    "amount": "quote; below 0 where the fund paid it",
    "accrued": "what time cost over these observations, and what it left; null for nothing",
    "blocked": "how often a trigger held and was blocked as before",
    "cash": "quote; below 0 where it is borrowed",
    "charges": "the cost of the order by kind, quote",
    "clips": "the clips that have to follow; null for none",
    "cost": "of the rebalance by kind, and who pays it, quote",
    "costs": "of both trades by kind, and who pays them, quote",
    "brought": "quote that came into the fund at nav; below 0 where it was paid out",
    "counts": "whether it is a rebalance of its own, not the next clip of one",
    "creations": "creations and redemptions in the order: what each paid and got",
    "expiry": "of the future that is held, epoch s; 0 for none",
    "final": "whether no more pieces follow",
    "funding": "each payment, quote; above 0 where the fund paid it",
    "goes_on": "whether what is left undone is wanted still",
    "injections": "quote paid into the reserve, each with whether it is capital",
    "inputs": "what fell due for each fund: rates, splits, flows, an end, impact",
    "instants": "the clock of the triggers after it, epoch s; null where it did not move",
    "intent": "the order: trigger, units, notional, destination, and the reason in figures",
    "interest": "on cash and on borrowed units, quote; above 0 where the fund paid it",
    "is_capital": "whether it is capital, and not income",
    "is_out": "whether the keeper was down",
    "is_paused": "whether nothing triggers from now on",
    "left": "what of the order is still open; null for nothing",
    "leverage": "of the fund, signed",
    "leverage_after": "of the fund after it, signed",
    "leverage_before": "of the fund before it, signed",
    "management": "fee on nav, quote",
    "mark": "the price of what is held over the underlying's; 1 but for futures",
    "nav": "of all that the reserve serves, quote",
    "nav_after": "of the fund after it, quote",
    "nav_before": "of the fund before it, quote",
    "next_allocation": "when the reserve gets its share of fees next, epoch s",
    "next_daily": "when the daily trigger is due, epoch s",
    "next_interval": "when the interval trigger is due, epoch s",
    "notional": "of the rebalance, signed, quote",
    "paid": "by the reserve to the fund; below 0 the other way; quote",
    "pending": "creations and redemptions that no order holds",
    "pending_fees": "the reserve's share of fees that is not allocated yet, quote",
    "place": "which of the funds on the reserve, from 0",
    "price": "of the underlying, quote",
    "quote": "the amount, quote",
    "ratio": "new tokens for one old",
    "reason": "liquidated, nav (none is left) or wind_down",
    "received": "trading fee that the reserve got as the counterparty, quote",
    "request": "tokens, and the nav and notional that were quoted",
    "requests": "how many",
    "reserve": "units of the reserve after it",
    "scheduled": "whether it was found at a scheduled observation, not at a crossing inside a bar",
    "second": "of a roll: the cost of its second order; else null",
    "sent": "of the whole order, signed, quote",
    "settled_price": "up to which a reserve as the counterparty has settled; null for none",
    "shortfall": "what the side that had to pay could not, quote",
    "split": "tokens today for one token of the launch",
    "tokens": "outstanding after it",
    "traded": "of both trades, quote",
    "trigger": "what named it",
    "units": "of the underlying, signed",
    "value": "of the reserve, quote",
    "what": "funding, interest, liquidation_fee or other",
    "why": "the reason; null for none",
    "window": "squared return of the volatility trigger and the window's start; null for none",
}


def kind_name(record: type) -> str:
    """The kind of a record of the fund: ``ClockMoved`` is ``clock_moved``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", record.__name__).lower()


def _named(union: object) -> dict[str, type]:
    records = [get_origin(one) or one for one in get_args(union)]
    return {kind_name(one): one for one in records}


EVENTS: dict[str, type] = _named(events.Event)
"""What can happen from outside, by the name of its kind."""

EFFECTS: dict[str, type] = _named(effects.Effect)
"""What can follow, by the name of its kind."""
del EFFECTS["passed"]  # it is part of a row

TELLING = frozenset({*EVENTS, "mark", "stopped"})
"""What says what passed since the row before it."""

FILL = {"fill": "what the venue filled, where it was filled at once"}
FILLED = ("settled", "unfilled", "rolled")


def _register() -> None:
    for name, record in (EVENTS | EFFECTS).items():
        fields = {
            each: MEANINGS[each]
            for each in record._fields  # type: ignore[attr-defined]  # NamedTuples all of them
            if each not in ("fund", "time")
        }
        if name in EVENTS:
            fields |= SINCE
            fields["came"] = "what accrued at this observation itself, and what it left"
            fields["impact"] = "the impact that trades have at present, one a fund; null for none"
        meaning = " ".join((record.__doc__ or "").split("\n\n")[0].split())
        register_kind(Kind(name, meaning, fields, FILL if name in FILLED else {}))


_register()

register_kind(
    Kind(
        "mark",
        "The price of an underlying at a full hour: for all funds on it.",
        {
            "price": "the last price seen, quote",
            "books": "the funds, or the reserves that funds share, whose observations it tells of",
            **SINCE,
        },
    )
)
register_kind(
    Kind(
        "health",
        "A reserve at a full hour, by the formulas of its publication.",
        {
            "price": "at which it is valued, quote",
            "units": "of the reserve",
            "value": "of the reserve, quote",
            "nav": "of all that it serves, quote",
            "level": "value over nav; null without nav",
            "utilisation": "paid in the trailing 24 h over the value 24 h ago; null without any",
            "buffer_depth": "value above the floor over nav; null without nav",
            "runway_days": "days until the floor; null where it does not shrink",
            "suspended": "whether what raises leverage is suspended",
        },
    )
)
register_kind(
    Kind(
        "stopped",
        "The writer stopped here: what passed since the row before it.",
        {
            "price": "the last price seen, quote",
            "is_out": "whether the keeper was down at the last observation",
            **SINCE,
        },
        {"state": "SHA-256 of the states of its funds, as a snapshot holds them (hexadecimal)"},
    )
)
