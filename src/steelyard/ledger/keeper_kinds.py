"""The kinds of event of a live keeper: its orders, its venue's reports, and requests to it.

They complement the rows of the fund: an order is stored with the decision that it executes, and a
venue's trade with the fill that books it. Times of a venue are in ms on its own clock.
"""

from __future__ import annotations

from steelyard.ledger.kinds import Kind, register_kind

__all__ = ["KEEPER_KINDS"]

KINDS = (
    Kind(
        "keeper_started",
        "A keeper took over the fund: it reads journal and venue, and completes open orders.",
        {
            "owner": "the name of the keeper",
            "token": "the token of its right to write",
            "program": "the version of its program",
        },
    ),
    Kind(
        "account_opened",
        "The state of the venue's account before the launch of the fund.",
        {
            "cash": "the wallet less what was paid for the position, quote",
            "trades": "the ids of the venue's trades up to then, none of which belongs to the fund",
            "movements": "the ids of its money movements up to then",
            "venue_time": "the time of the reading",
        },
    ),
    Kind(
        "order",
        "An order that will be sent; it is stored first, and signed as it is stored.",
        {
            "id": "its own id, never used for a second order",
            "sequence": "the number of the order within the fund, from 1",
            "attempt": "the number of the attempt, from 1",
            "units": "the units, signed, in whole lots of the venue",
            "notional": "the signed notional from which the units were rounded, quote",
            "limit": "the worst price; null where only the venue's own bounds apply",
            "reduce_only": "whether it may only make the position smaller",
            "price": "the mark that it was decided at, quote",
            "before": "the units held before it",
            "stamp": "the time of the venue's clock that was read, and that is signed",
            "until": "the last time of the venue's clock at which it can be accepted",
        },
    ),
    Kind(
        "answer",
        "A report about an order that does not settle its outcome.",
        {
            "id": "the id of the order",
            "heard": "the source of the report: answer, look_up or timer",
            "outcome": "unknown, open, absent, or settled later than heard",
            "why": "the reason",
        },
    ),
    Kind(
        "order_ended",
        "An order ended, so that no more fills can follow.",
        {
            "id": "the id of the order",
            "outcome": "filled, partly, nothing, rejected, unavailable or void",
            "filled": "the units filled, signed",
            "why": "the reason",
            "sent": "whether any part of it may have been sent; false where it certainly was not",
        },
    ),
    Kind(
        "venue_trade",
        "A trade of the venue, booked once under its id.",
        {
            "trade": "the venue's id",
            "order": "the id of the fund's order; null where the fund ordered nothing",
            "units": "the units, signed",
            "price": "the price at which the venue filled, quote",
            "quote": "the amount that was paid for the units, signed",
            "commission": "the commission paid, quote; negative where it was received",
            "cause": "order, liquidation or auto_deleveraging",
            "venue_time": "the time of the trade",
        },
    ),
    Kind(
        "movement",
        "A record of the venue's list of money movements, adopted once under its id.",
        {
            "movement": "the venue's id",
            "what": "transfer, commission, realised, funding, interest, liquidation_fee or other",
            "amount": "the amount paid into the wallet; negative where it was paid out",
            "trade": "the id of the trade that it belongs to; null for none",
            "venue_time": "the time at which it fell due",
        },
    ),
    Kind(
        "alarm",
        "A condition needs a person's attention, or no longer does; the runbook explains each one.",
        {
            "name": "the name of the alarm",
            "is_on": "whether it is on from now on",
            "why": "the figures that caused it",
        },
    ),
    Kind(
        "request",
        "A request to the keeper, adopted once under its key.",
        {
            "key": "the key of the request",
            "who": "the author of the request",
            "what": "launch, pause, resume, inject, flow or wind_down",
            "content": "its figures, as an object",
            "outcome": "done, or refused",
            "why": "the reason of a refusal; null for none",
        },
    ),
    Kind(
        "price_refused",
        "A price on which nothing is traded; stored once until a valid price comes.",
        {"price": "the price as it was received, as text", "why": "what is wrong with it"},
    ),
)

KEEPER_KINDS = frozenset(register_kind(kind).name for kind in KINDS)
"""The names of these kinds."""
