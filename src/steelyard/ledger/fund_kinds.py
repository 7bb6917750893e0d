"""The kinds of event in a fund's life: events from outside, and their effects.

They are the records of ``steelyard.fund``. An event from outside (``steelyard.fund.events``) has a
row of its own, and each of its effects has a row after it. Accruals have no rows of their own: the
row after them states them (``passed``, ``came``).
"""

from __future__ import annotations

import re
from typing import get_args, get_origin

from steelyard.fund import effects, events
from steelyard.ledger.kinds import Kind, register_kind

__all__ = ["EFFECTS", "EVENTS", "SINCE", "TELLING", "kind_name"]

SINCE = {
    "low": "the lowest price observed since the row before it; null where none was",
    "high": "the highest price observed since the row before it; null where none was",
    "out": "whether the keeper was down at one of these observations",
    "passed": "the accruals at these observations, with the balances after them, by fund",
}
"""The fields about the observations since the row before, at which nothing else happened."""

MEANINGS = {
    "amount": "the amount, quote; negative where the fund paid it",
    "accrued": "the accruals over these observations, with the balances after them; null for none",
    "blocked": "how often a trigger held and was blocked again",
    "cash": "the cash after it, quote; negative where it is borrowed",
    "charges": "the cost of the order by kind, quote",
    "clips": "the clips that have to follow; null for none",
    "cost": "the cost of the rebalance by kind, and who pays it, quote",
    "costs": "the costs of both trades by kind, and who pays them, quote",
    "brought": "the quote that came into the fund at nav; negative where it was paid out",
    "counts": "whether it counts as a rebalance, and not as a further clip of one",
    "creations": "the creations and redemptions in the order, with what each paid and received",
    "expiry": "the expiry of the future that is held, epoch s; 0 for none",
    "final": "whether the order is complete, so that no more fills follow",
    "funding": "each funding payment, quote; positive where the fund paid it",
    "goes_on": "whether the unfilled rest is still wanted",
    "injections": "the amounts paid into the reserve, quote, each with whether it is capital",
    "inputs": "the inputs that fell due for each fund: rates, splits, flows, an end, impact",
    "instants": "the next due times of the triggers, epoch s; null where they did not change",
    "intent": "the order: trigger, units, notional, destination, and the figures of its reason",
    "interest": "the interest on cash and borrowed units, quote; positive where the fund paid it",
    "is_capital": "whether it is capital, and not income",
    "is_out": "whether the keeper was down",
    "is_paused": "whether the fund is paused from now on, so that no trigger acts",
    "left": "the part of the order that is still open; null for none",
    "leverage": "the leverage of the fund, signed",
    "leverage_after": "the leverage of the fund after it, signed",
    "leverage_before": "the leverage of the fund before it, signed",
    "management": "the management fee on nav, quote",
    "mark": "the mark of a future divided by the underlying's price; 1 for other positions",
    "nav": "the nav of all funds that the reserve serves, quote",
    "nav_after": "the nav of the fund after it, quote",
    "nav_before": "the nav of the fund before it, quote",
    "next_allocation": "the time at which the reserve next gets its share of fees, epoch s",
    "next_daily": "the time at which the daily trigger is due next, epoch s",
    "next_interval": "the time at which the interval trigger is due next, epoch s",
    "notional": "the notional of the rebalance, signed, quote",
    "paid": "the amount that the reserve paid to the fund, quote; negative where the fund paid it",
    "pending": "the creations and redemptions that are in no order",
    "pending_fees": "the reserve's share of fees that is not allocated yet, quote",
    "place": "the index of the fund among those on the reserve, from 0",
    "price": "the price of the underlying, quote",
    "quote": "the amount, quote",
    "ratio": "the number of new tokens for one old token",
    "reason": "liquidated, nav (no nav is left) or wind_down",
    "received": "the trading fee that the reserve received as counterparty, quote",
    "request": "the tokens, with the nav and notional that were quoted",
    "requests": "the number of requests",
    "reserve": "the units of the reserve after it",
    "scheduled": "whether it was decided at a scheduled observation, not at a crossing in a bar",
    "second": "the cost of the second order of a roll; null for other orders",
    "sent": "the notional of the whole order, signed, quote",
    "settled_price": "the price up to which a reserve has settled as counterparty; null for none",
    "shortfall": "the amount that the paying side owed and could not pay, quote",
    "split": "the number of tokens today for one token at launch",
    "tokens": "the tokens outstanding after it",
    "traded": "the notional of both trades together, quote",
    "trigger": "the trigger that called for it",
    "units": "units of the underlying, signed",
    "value": "the value of the reserve, quote",
    "what": "funding, interest, liquidation_fee or other",
    "why": "the reason; null for none",
    "window": "the volatility trigger's squared return and the start of its window; null for none",
}


def kind_name(record: type) -> str:
    """The kind of a record of the fund: ``ClockMoved`` is ``clock_moved``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", record.__name__).lower()


def _named(union: object) -> dict[str, type]:
    records = [get_origin(one) or one for one in get_args(union)]
    return {kind_name(one): one for one in records}


EVENTS: dict[str, type] = _named(events.Event)
"""The events from outside, by the names of their kinds."""

EFFECTS: dict[str, type] = _named(effects.Effect)
"""The effects, by the names of their kinds."""
del EFFECTS["passed"]  # it is a part of other rows

TELLING = frozenset({*EVENTS, "mark", "stopped"})
"""The kinds whose rows state what accrued since the row before."""

FILL = {"fill": "the fill of the venue, where the order was filled at once"}
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
            fields["came"] = "the accruals at this observation itself, and the resulting balances"
            fields["impact"] = "the present impact of trades, one for each fund; null for none"
        meaning = " ".join((record.__doc__ or "").split("\n\n")[0].split())
        register_kind(Kind(name, meaning, fields, FILL if name in FILLED else {}))


_register()

register_kind(
    Kind(
        "mark",
        "The price of an underlying at a full hour, for all funds that follow it.",
        {
            "price": "the last observed price, quote",
            "books": "the funds, or shared reserves, whose observations it states",
            **SINCE,
        },
    )
)
register_kind(
    Kind(
        "health",
        "The published health of a reserve at a full hour.",
        {
            "price": "the price at which it is valued, quote",
            "units": "the units of the reserve",
            "value": "the value of the reserve, quote",
            "nav": "the nav of all funds that it serves, quote",
            "level": "its value over nav; null where nav is zero",
            "utilisation": "its payments of 24 h over its value 24 h ago; null where that was zero",
            "buffer_depth": "its value above the floor over nav; null where nav is zero",
            "runway_days": "the days until it reaches its floor; null where it does not shrink",
            "suspended": "whether trades that raise leverage are suspended",
        },
    )
)
register_kind(
    Kind(
        "stopped",
        "The writer stopped here; the row states what accrued since the row before it.",
        {
            "price": "the last observed price, quote",
            "is_out": "whether the keeper was down at the last observation",
            **SINCE,
        },
        {"state": "the SHA-256 of the states of its funds in the form of a snapshot (hexadecimal)"},
    )
)
