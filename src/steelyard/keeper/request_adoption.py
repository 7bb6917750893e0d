"""Requests: each key is adopted once, and what cannot be done is refused with the reason.

The table of requests is in no chain of hashes: whoever can write to the database can put anything
into it. So a request is believed in nothing. One that cannot be read, that asks for what is not
known, or whose figures the fund cannot take is a row that says so, and changes nothing else.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from steelyard.errors import DataError
from steelyard.fund.events import Inputs, Observed
from steelyard.fund.sound import unsound
from steelyard.keeper.desk import Desk
from steelyard.keeper.keeper_events import NewRequest
from steelyard.ledger.amounts import decimal_of
from steelyard.ledger.journal import Journal

__all__ = [
    "AdoptedRequests",
    "is_known",
    "is_refused",
    "launch_key",
    "note_request",
    "take_requests",
    "unfit",
    "why_not_launched",
]

CONTENT = {
    "launch": (),
    "pause": (),
    "resume": (),
    "wind_down": (),
    "inject": ("amount", "kind"),
    "flow": ("amount",),
}
"""What may be asked for, and the names of its figures."""
INJECTED = ("capital", "trading_fees")


class AdoptedRequests(NamedTuple):
    """What was asked for and belongs to one observation."""

    injections: tuple[tuple[Decimal, bool], ...] = ()
    """Quote into the reserve, and whether it is capital."""
    flows: tuple[Decimal, ...] = ()
    """Tokens created; below 0: redeemed."""


def launch_key(journal: Journal, symbol: str) -> str:
    """The key under which a launch is asked for: of the one that is waited for, or was done.

    One that was refused, such as for an account that was not filled yet, is asked for anew.
    """
    refused = 0
    for row in journal.events(fund=symbol, kinds=["request"]):
        if row.fields["what"] == "launch":
            if row.fields["outcome"] == "done":
                return str(row.fields["key"])
            refused += 1
    return f"launch-{symbol}-{refused + 1}" if refused else f"launch-{symbol}"


def is_known(desk: Desk, key: str) -> bool:
    """Whether a request of this key was adopted, or waits to be."""
    waiting = [*desk.asked_for, *([] if desk.launch is None else [desk.launch])]
    return key in desk.memory.requests or any(each.key == key for each in waiting)


def is_refused(desk: Desk, key: str) -> bool:
    """Whether the request of this key was refused."""
    asked = desk.memory.requests.get(key)
    return asked is not None and asked["outcome"] == "refused"


def why_not_launched(desk: Desk) -> str | None:
    """Why the last launch that was asked for was refused; None: none was, or one was done."""
    if desk.is_launched:
        return None
    whys = [asked["why"] for asked in desk.memory.requests.values() if asked["what"] == "launch"]
    return whys[-1] if whys else None


def unfit(desk: Desk, asked: NewRequest) -> str | None:
    """What is wrong with a request, whenever it is done; None: nothing."""
    expected = CONTENT.get(asked.what)
    if expected is None:
        return "nobody knows how to do that"
    if sorted(asked.content) != sorted(expected):
        return f"expected figures named {', '.join(expected) or 'nothing'}"
    if asked.what == "launch":
        is_begun = desk.memory.is_open or desk.launch is not None
        return "the fund is launched, or about to be" if is_begun else None
    if not desk.is_launched:
        return "the fund is not launched"
    if asked.what == "inject":
        if asked.content["kind"] not in INJECTED:
            return f"expected an injection of {' or '.join(INJECTED)}"
        if desk.group.terms is None:
            return "the fund has no reserve"
    return _wrong_amount(desk, asked) if "amount" in expected else None


def _wrong_amount(desk: Desk, asked: NewRequest) -> str | None:
    try:
        amount = decimal_of(asked.content["amount"])
        is_kept = amount == desk.fund.terms.number.amount(amount)
    except (DataError, ArithmeticError):
        return "expected an amount"
    if not is_kept:
        return "expected an amount of at most 18 places"
    if asked.what == "inject" and amount <= 0:
        return "expected an amount above 0"
    return None


def take_requests(desk: Desk, now_ms: int, price: Decimal) -> AdoptedRequests:
    """What waits and belongs to an observation at this price; what the fund cannot take is refused.

    One after the other: each has to be sound beside those before it.
    """
    taken = AdoptedRequests()
    for asked in desk.asked_for:
        amount = decimal_of(asked.content["amount"])
        if asked.what == "inject":
            is_capital = asked.content["kind"] == "capital"
            more = taken._replace(injections=(*taken.injections, (amount, is_capital)))
        else:
            more = taken._replace(flows=(*taken.flows, amount))
        inputs: Inputs[Decimal] = Inputs(flows=more.flows)
        observed = Observed(desk.time(now_ms), price, False, more.injections, (inputs,))  # noqa: FBT003
        why = unsound(desk.group, observed)
        if why is None:
            taken = more
        note_request(desk, now_ms, asked, why)
    desk.asked_for.clear()
    return taken


def note_request(desk: Desk, now_ms: int, asked: NewRequest, why: str | None) -> None:
    """The row of a request: done, or refused with the reason."""
    fields = {
        "key": asked.key,
        "who": asked.who,
        "what": asked.what,
        "content": dict(asked.content),
        "outcome": "done" if why is None else "refused",
        "why": why,
    }
    desk.note(now_ms, "request", fields)
    # a wind-down is done when the position is closed, which the fund's own lines say
    done = "accepted" if asked.what == "wind_down" else "done"
    outcome = done if why is None else f"refused, {why}"
    desk.publish(f"{asked.what}, asked by {asked.who}: {outcome}")
