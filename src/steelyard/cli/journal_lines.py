"""One line of text for each event of a journal: every kind of event has its line here only.

A line rounds figures and omits fields. ``--full`` prints all fields, ``--json`` every digit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from steelyard.cli.keeper_lines import KEEPER_LINES
from steelyard.ledger.instants import time_text
from steelyard.report.number_format import counted, day, money, number, percent

__all__ = ["LINES", "all_fields", "line"]

Fields = Mapping[str, Any]
MOST_LETTERS = 60


def line(kind: str, fields: Fields) -> str:
    """One line about an event; for an unknown kind, all its fields.

    Args:
        kind: the kind of the event.
        fields: the fields of its body.
    """
    told = LINES.get(kind)
    if told is not None:
        try:
            return ", ".join(part for part in told(fields) if part)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass  # the event is malformed: "verify" reports what is wrong with it
    return f"{kind.replace('_', ' ')}: {all_fields(fields)}"


def all_fields(fields: Fields) -> str:
    """Every field with its name; long values are cut."""
    return ", ".join(f"{name} {_short(value)}" for name, value in fields.items())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    words = " ".join(text.split())
    return words if len(words) <= MOST_LETTERS else f"{words[:MOST_LETTERS]}..."


# -- parts of lines --------------------------------------------------------------------------------


def _money(amount: str) -> str:
    return money(float(amount))


def _units(amount: float) -> str:
    return f"{abs(amount):.4g}" if abs(amount) < 1 else number(abs(amount), 3)


def _order(notional: str, price: str) -> str:
    units = float(notional) / float(price)
    return f"{'sell' if units < 0 else 'buy'} {_units(units)} at {_money(price)}"


def _times(leverage: str) -> str:
    return f"{number(float(leverage), 2)}x"


def _moved(fields: Fields) -> str:
    before, after = (float(fields[f"leverage_{when}"]) for when in ("before", "after"))
    return f"{number(before, 2)} -> {number(after, 2)}"


def _cost(*costs: Fields) -> str:
    kinds = ("fee", "spread", "impact", "gas")
    return f"cost {number(sum(float(cost[kind]) for cost in costs for kind in kinds), 2)}"


def _trigger(fields: Fields) -> str:
    return str(fields["trigger"]).replace("_", "-")


def _at(seconds: int) -> str:
    return day(time_text(seconds * 1000))


def _tokens(tokens: str) -> str:
    amount = float(tokens)
    what = "redeem" if amount < 0 else "create"
    return f"{what} {number(abs(amount), 2)} {'token' if abs(amount) == 1 else 'tokens'}"


def _since(fields: Fields) -> list[str]:
    """The observations since the previous row: range of prices, blocked trades, accruals."""
    low, high, passed = fields["low"], fields["high"], fields["passed"]
    blocked = sum(each["blocked"] for each in passed)
    accrued = [each["accrued"] for each in passed if each["accrued"] is not None]
    return [
        "" if low is None or low == high else f"seen {_money(low)} to {_money(high)}",
        f"blocked {counted(blocked, 'time')}" if blocked else "",
        _accrued(*accrued) if accrued else "",
        "keeper down" if fields["out"] else "",
    ]


def _accrued(*each: Fields) -> str:
    """Funding, interest and management fee since the previous row, as one figure."""
    paid = 0.0
    for one in each:
        funding = one["funding"]
        payments = funding if isinstance(funding, list) else [funding]
        paid += sum(map(float, payments)) + float(one["interest"]) + float(one["management"])
    return f"accrued {'cost' if paid >= 0 else 'income'} {number(abs(paid), 2)}"


def _due(inputs: Fields) -> list[str]:
    """What was due for one fund at an observation."""
    funding = sum(map(float, inputs["funding"]))
    return [
        f"funding {percent(funding, signed=True)}" if inputs["funding"] else "",
        *(_tokens(tokens) for tokens in inputs["flows"]),
        *(f"split {number(float(ratio), 2)} for 1" for ratio in inputs["splits"]),
        "to be wound down" if inputs["ends"] else "",
    ]


# -- kinds -----------------------------------------------------------------------------------------


def _observed(fields: Fields) -> list[str]:
    came = [each for each in fields["came"] if each["effect"] == "accrued"]
    return [
        f"price {_money(fields['price'])}",
        *(part for inputs in fields["inputs"] for part in _due(inputs)),
        *_since(fields),
        _accrued(*came) if came else "",
    ]


def _filled(fields: Fields) -> list[str]:
    if float(fields["units"]) == 0:
        return [f"venue filled nothing: {fields['why'] or 'no reason given'}"]
    more = "" if fields["final"] else "more follows"
    return [f"venue: {_order(fields['notional'], fields['price'])}", _cost(fields["charges"]), more]


def _mark(fields: Fields) -> list[str]:
    return [f"mark {_money(fields['price'])}", *_since(fields)]


def _health(fields: Fields) -> list[str]:
    level, runway = fields["level"], fields["runway_days"]
    return [
        f"reserve {_money(fields['value'])}",
        "" if level is None else f"{percent(float(level))} of nav",
        "" if runway is None or float(runway) < 0 else f"floor in {number(float(runway), 0)} days",
        "suspended" if fields["suspended"] else "",
    ]


def _series(fields: Fields) -> list[str]:
    fills = "its own costs" if fields.get("venue") == "model" else "fills of a venue"
    prices = fields.get("intrabar") or "the clock"
    return [f"series in {fields['number']}", f"prices by {prices}", fills]


def _decided(fields: Fields) -> list[str]:
    intent = fields["intent"]
    how = "due" if intent["scheduled"] else "crossed"
    order = _order(intent["sent"], intent["price"])
    return [f"{_trigger(intent)} {how} at {_times(intent['leverage'])}: {order}"]


def _blocked(fields: Fields) -> list[str]:
    why = {"suspended": "reserve suspended", "capacity": "no capacity", "costs": "costs too high"}
    return [
        f"blocked: {_trigger(fields)} at {_times(fields['leverage'])}",
        why.get(fields["why"]) or str(fields["why"]),
    ]


def _settled(fields: Fields) -> list[str]:
    creations = len(fields["creations"])
    return [
        _order(fields["sent"], fields["price"]),
        f"{_trigger(fields)} {_moved(fields)}",
        _cost(fields["cost"], *({**NO_COST, "fee": each["cost"]} for each in fields["creations"])),
        counted(creations, "creation") if creations else "",
    ]


NO_COST = dict.fromkeys(("fee", "spread", "impact", "gas"), "0")


def _clock_moved(fields: Fields) -> list[str]:
    instants = fields["instants"]
    return ["clock moved", *(f"{name} {_at(instants[name])}" for name in ("interval", "daily"))]


def _moved_money(fields: Fields) -> str:
    what = str(fields["what"]).replace("_", " ")
    return f"{what} {number(float(fields['amount']), 2, signed=True)}"


def _reserve(what: str) -> Callable[[Fields], list[str]]:
    def told(fields: Fields) -> list[str]:
        value, nav = float(fields["value"]), float(fields["nav"])
        level = percent(value / nav) if nav > 0 else "all"
        return [f"reserve {what} at {_money(fields['price'])}", f"{level} of nav"]

    return told


LINES: dict[str, Callable[[Fields], list[str]]] = {
    "observed": _observed,
    "crossed": lambda f: [f"{_trigger(f)} reached at {_money(f['price'])}", *_since(f)],
    "visited": lambda f: [f"price {_money(f['price'])}, inside a bar", *_since(f)],
    "arrived": lambda f: [f"price {_money(f['price'])}, inside a bar", *_since(f)],
    "filled": _filled,
    "liquidated": lambda f: [
        f"venue liquidated it at {_money(f['price'])}",
        f"cash {_money(f['cash'])} left",
    ],
    "paused": lambda f: ["operator pauses" if f["is_paused"] else "operator resumes"],
    "mark": _mark,
    "health": _health,
    "stopped": lambda f: [f"writer stopped, price {_money(f['price'])}", *_since(f)],
    "series": _series,
    "version": lambda f: [
        f"version {f['program']} continues",
        f"cash {_money(f['state']['cash'])}",
        f"units {number(float(f['state']['units']), 3)}",
    ],
    "launched": lambda f: [f"launched at {_money(f['price'])}"],
    "reserve_opened": lambda f: [f"reserve opened, first allocation {_at(f['next_allocation'])}"],
    "split": lambda f: [
        f"split {number(float(f['ratio']), 2)} for 1",
        f"{number(float(f['tokens']), 2)} tokens",
    ],
    "price_settled": lambda f: [
        f"counterparty paid {number(float(f['paid']), 2)} up to {_money(f['price'])}"
    ],
    "seen": lambda f: [f"price {_money(f['price'])}, nothing accrued"],
    "accrued": lambda f: [f"price {_money(f['price'])}", _accrued(f)],
    "injected": lambda f: [
        f"{_money(f['quote'])} paid into the reserve",
        "capital" if f["is_capital"] else "income",
        f"{_units(float(f['reserve']))} units",
    ],
    "allocated": lambda f: [
        f"fees of {_money(f['quote'])} to the reserve",
        f"{_units(float(f['reserve']))} units",
    ],
    "suspended": _reserve("suspends"),
    "resumed": _reserve("resumes"),
    "requested": lambda f: [
        f"asked to {_tokens(f['request']['tokens'])}",
        f"nav {_money(f['request']['nav'])}",
    ],
    "withdrawn": lambda f: [f"{counted(f['requests'], 'request')} returned"],
    "decided": _decided,
    "blocked": _blocked,
    "clock_moved": _clock_moved,
    "settled": _settled,
    "unfilled": lambda f: [f"{_trigger(f)}: nothing filled", f["why"] or ""],
    "rolled": lambda f: [
        f"rolled {_money(f['notional'])} at {_money(f['price'])}",
        _moved(f),
        _cost(*f["costs"]),
        f"expires {_at(f['expiry'])}",
    ],
    "closed": lambda f: [
        f"ended: {f['reason'].replace('_', ' ')} at {_money(f['price'])}",
        f"cash {_money(f['cash'])}",
    ],
    "pause_changed": lambda f: ["paused" if f["is_paused"] else "resumed"],
    "traded": lambda f: [
        f"venue traded by itself: {_order(f['notional'], f['price'])}",
        _cost(f["charges"]),
    ],
    "money_moved": lambda f: [f"venue moved money: {_moved_money(f)}"],
    "booked": lambda f: [_moved_money(f), f"cash {_money(f['cash'])}"],
    **KEEPER_LINES,
}
"""The parts of the line of each kind; empty parts are omitted."""
