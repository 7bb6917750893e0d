"""One line of text for each event of a live keeper: orders, answers, venue records, alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from steelyard.report.number_format import money, number

__all__ = ["KEEPER_LINES"]

Fields = Mapping[str, Any]


def _units(units: str) -> str:
    amount = float(units)
    return f"{'sell' if amount < 0 else 'buy'} {number(abs(amount), 3)}"


def _order(fields: Fields) -> list[str]:
    limit = fields["limit"]
    return [
        f"order {fields['id']}: {_units(fields['units'])}",
        "at any price" if limit is None else f"limit {money(float(limit))}",
        "reduce only" if fields["reduce_only"] else "",
    ]


def _order_ended(fields: Fields) -> list[str]:
    filled = float(fields["filled"])
    return [
        f"order {fields['id']} ended: {fields['outcome']}",
        f"{number(filled, 3)} filled" if filled else "",
        fields["why"],
    ]


def _venue_trade(fields: Fields) -> list[str]:
    asked = "" if fields["order"] is not None else "not ordered by this keeper"
    order = f"{_units(fields['units'])} at {money(float(fields['price']))}"
    return [
        f"venue trade {fields['trade']}: {order}",
        "" if fields["cause"] == "order" else str(fields["cause"]).replace("_", " "),
        asked,
    ]


def _movement(fields: Fields) -> list[str]:
    what = str(fields["what"]).replace("_", " ")
    return [f"venue booked {what} {number(float(fields['amount']), 2, signed=True)}"]


KEEPER_LINES: dict[str, Callable[[Fields], list[str]]] = {
    "keeper_started": lambda f: [f"{f['owner']} started", f"token {f['token']}"],
    "account_opened": lambda f: [f"account opened with {money(float(f['cash']))}"],
    "order": _order,
    "answer": lambda f: [f"order {f['id']}: {f['outcome']} ({f['heard']})", f["why"]],
    "order_ended": _order_ended,
    "venue_trade": _venue_trade,
    "movement": _movement,
    "alarm": lambda f: [
        f"alarm {f['name'].replace('_', ' ')} {'holds' if f['is_on'] else 'is over'}",
        f["why"],
    ],
    "request": lambda f: [
        f"{f['who']} asked to {f['what'].replace('_', ' ')}: {f['outcome']}",
        f["why"] or "",
    ],
    "price_refused": lambda f: [f"price {f['price']} not traded on", f["why"]],
}
"""The parts of the line of each kind; empty parts are omitted."""
