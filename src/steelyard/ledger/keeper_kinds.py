"""The kinds of event of a live keeper: what it sent, what its venue said, and what it was asked.

They stand beside the rows of the fund: an order is stored with the decision that it carries out,
and a venue's trade with the fill that it is in the books. Times of a venue are ms on its own clock.
"""

from __future__ import annotations

from steelyard.ledger.kinds import Kind, register_kind

__all__ = ["KEEPER_KINDS"]

KINDS = (
    Kind(
        "keeper_started",
        "A keeper took the fund over: it folds the journal, reads the venue, finishes what began.",
        {"owner": "who runs it", "token": "of its right to write", "program": "its version"},
    ),
    Kind(
        "account_opened",
        "The venue's account as the fund found it, before its launch.",
        {
            "cash": "quote: the wallet less what was paid for the position",
            "trades": "ids of the venue's trades up to then: none of them is the fund's",
            "movements": "ids of its money movements up to then",
            "venue_time": "of the reading",
        },
    ),
    Kind(
        "order",
        "An order as it will be sent: stored before that, and signed as it is stored.",
        {
            "id": "its own, never used for a second order",
            "sequence": "which order of the fund, from 1",
            "attempt": "which attempt of it, from 1",
            "units": "signed, in whole lots of the venue",
            "notional": "signed quote that the units were rounded from",
            "limit": "the worst price; null for the venue's own bounds alone",
            "reduce_only": "whether it may only make the position smaller",
            "price": "the mark that it was decided at, quote",
            "before": "units held before it",
            "stamp": "the venue's clock as it was read, and as it is signed",
            "until": "the last instant of the venue's clock at which it can be accepted",
        },
    ),
    Kind(
        "answer",
        "What was heard of an order whose outcome is not settled by it.",
        {
            "id": "of the order",
            "heard": "answer, look_up or timer",
            "outcome": "unknown, open, absent, or settled later than heard",
            "why": "the reason",
        },
    ),
    Kind(
        "order_ended",
        "An order came to its end: nothing more can come of it.",
        {
            "id": "of the order",
            "outcome": "filled, partly, nothing, rejected, unavailable or void",
            "filled": "units, signed",
            "why": "the reason",
            "sent": "whether anything of it may have left; false: it is certain that nothing did",
        },
    ),
    Kind(
        "venue_trade",
        "A trade of the venue, booked once under its id.",
        {
            "trade": "the venue's id",
            "order": "the id of the fund's order; null where the fund ordered nothing",
            "units": "signed",
            "price": "at which the venue filled, quote",
            "quote": "what the units were bought for, signed",
            "commission": "paid, quote; below 0: received",
            "cause": "order, liquidation or auto_deleveraging",
            "venue_time": "of the trade",
        },
    ),
    Kind(
        "movement",
        "A record of the venue's list of money movements, adopted once under its id.",
        {
            "movement": "the venue's id",
            "what": "transfer, commission, realised, funding, interest, liquidation_fee or other",
            "amount": "into the wallet; below 0: out of it",
            "trade": "the id of the trade that it belongs to; null for none",
            "venue_time": "when it fell due",
        },
    ),
    Kind(
        "alarm",
        "Something needs a person's eyes, or no longer does; the runbook has an entry for each.",
        {"name": "which alarm", "is_on": "whether it holds from now on", "why": "the figures"},
    ),
    Kind(
        "request",
        "Somebody asked for something: adopted once under its key.",
        {
            "key": "of the request",
            "who": "asked",
            "what": "launch, pause, resume, inject, flow or wind_down",
            "content": "its figures, as an object",
            "outcome": "done, or refused",
            "why": "the reason of a refusal; null for none",
        },
    ),
    Kind(
        "price_refused",
        "A price that nothing is traded on, with the reason; told once until a sound one comes.",
        {"price": "as it came, as text", "why": "what is wrong with it"},
    ),
)

KEEPER_KINDS = frozenset(register_kind(kind).name for kind in KINDS)
"""Their names."""
