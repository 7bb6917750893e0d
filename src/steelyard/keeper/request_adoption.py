"""Requests: each key is adopted once, and a request that cannot be done is refused with a reason.

The table of requests is not in the hash chain: anyone who can write to the database can put
anything into it. So nothing in a request is trusted. A request that cannot be read, asks for an
unknown action, or has figures that the fund cannot take becomes a row that says so, and changes
nothing else.
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
"""The actions that may be requested, and the names of their figures."""
INJECTED = ("capital", "trading_fees")


class AdoptedRequests(NamedTuple):
    """The adopted requests that belong to one observation."""

    injections: tuple[tuple[Decimal, bool], ...] = ()
    """Quote paid into the reserve, and whether it is capital."""
    flows: tuple[Decimal, ...] = ()
    """Tokens created; below 0: redeemed."""


def launch_key(journal: Journal, symbol: str) -> str:
    """The key for requesting a launch: that of the launch that is pending or done.

    After a refusal, for example because the account was not funded yet, the key is a new one.
    """
    refused = 0
    for row in journal.events(fund=symbol, kinds=["request"]):
        if row.fields["what"] == "launch":
            if row.fields["outcome"] == "done":
                return str(row.fields["key"])
            refused += 1
    return f"launch-{symbol}-{refused + 1}" if refused else f"launch-{symbol}"


def is_known(desk: Desk, key: str) -> bool:
    """Whether a request with this key was adopted or is waiting to be."""
    waiting = [*desk.asked_for, *([] if desk.launch is None else [desk.launch])]
    return key in desk.memory.requests or any(each.key == key for each in waiting)


def is_refused(desk: Desk, key: str) -> bool:
    """Whether the request with this key was refused."""
    asked = desk.memory.requests.get(key)
    return asked is not None and asked["outcome"] == "refused"


def why_not_launched(desk: Desk) -> str | None:
    """Why the last requested launch was refused; None: it was not, or the fund is launched."""
    if desk.is_launched:
        return None
    whys = [asked["why"] for asked in desk.memory.requests.values() if asked["what"] == "launch"]
    return whys[-1] if whys else None


def unfit(desk: Desk, asked: NewRequest) -> str | None:
    """Why a request cannot be done at any price; None: it can be tried."""
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
    """Take the waiting requests for an observation at this price; refuse the unsound ones.

    They are taken one after another, and each is tested together with those before it.
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
    """Write the row of a request: done, or refused with the reason."""
    fields = {
        "key": asked.key,
        "who": asked.who,
        "what": asked.what,
        "content": dict(asked.content),
        "outcome": "done" if why is None else "refused",
        "why": why,
    }
    desk.note(now_ms, "request", fields)
    # a wind-down is complete when the position is closed, which the fund's own log lines report
    done = "accepted" if asked.what == "wind_down" else "done"
    outcome = done if why is None else f"refused, {why}"
    desk.publish(f"{asked.what}, asked by {asked.who}: {outcome}")
