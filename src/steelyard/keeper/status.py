"""The status of a keeper's funds by its journal: the object of ``steelyard keeper status --json``.

It is computed from the journal alone, so it works whether or not a keeper runs; the lease tells who
runs one. The venue's figures are those of its adopted records, and the alarm in the journal tells
whether they agreed with its balance. A paper venue's clock is that of its history, and has reached
the time of the last journal row: its last price may be years old by this machine's clock and
recent by the venue's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from steelyard.fund.thresholds import next_crossing
from steelyard.keeper.desk import Desk
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.observing import FAR
from steelyard.keeper.settings import FundSettings, Settings
from steelyard.ledger.amounts import amount_text
from steelyard.ledger.event_rows import Row
from steelyard.ledger.instants import time_text
from steelyard.ledger.journal import Journal
from steelyard.ledger.leases import lease_held
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.triggers import Trigger

__all__ = ["status_of"]

PRICED = ("launched", "observed", "crossed")
"""The kinds of rows that record a new price."""
PAUSED = ("pause_changed",)
RUNS = ("launched", "pause_changed", "resumed")
"""A fund runs since the last row of these kinds: its launch, or the end of what stopped it."""


def status_of(settings: Settings, journal: Journal, now_ms: int) -> dict[str, Any]:
    """The status of each fund of a keeper file, with amounts as text and ages in seconds."""
    head, held = journal.head(), lease_held(settings.journal)
    with DECIMAL18.context():
        funds = [_fund(journal, fund, now_ms) for fund in settings.funds]
    return {
        "schema": 1,
        "journal": {"events": head.size, "head": head.hash.hex()},
        "lease": {"holder": None, "since": None, "until": None} if held is None else held._asdict(),
        "funds": funds,
    }


def _last(journal: Journal, fund: str, kinds: Sequence[str]) -> Row | None:
    last = None
    for row in journal.events(fund=fund, kinds=kinds):
        last = row
    return last


def _fund(journal: Journal, fund: FundSettings, now_ms: int) -> dict[str, Any]:
    desk = open_desk(journal, fund.series, fund.guards)
    state, memory = desk.state, desk.memory
    price, name = state.price, _state(desk)
    since_ms = _since_ms(journal, desk, name)
    nav = leverage = None
    if price is not None and state.ended is None:
        nav, leverage = desk.fund.nav(price) / state.tokens, desk.fund.leverage(price)
    order = memory.order
    return {
        "symbol": desk.symbol,
        "state": name,
        "since": None if since_ms is None else time_text(since_ms // 1000 * 1000),
        "nav": _rounded(nav),
        "leverage": _rounded(leverage),
        "next": {"up": _next(desk, lambda x: x * FAR), "down": _next(desk, lambda x: x / FAR)},
        "intent": None
        if order is None
        else {
            "id": order.client_id,
            "units": amount_text(order.units),
            "limit": None if order.limit is None else amount_text(order.limit),
            "until": time_text(order.until_ms),
        },
        "books": {
            "cash": amount_text(state.cash),
            "units": amount_text(state.units),
            "tokens": amount_text(state.tokens),
        },
        "venue": {
            "position": amount_text(memory.units),
            "balance": amount_text(memory.wallet),
            "agrees": memory.is_open and "books_differ" not in memory.alarms,
        },
        "price": None
        if price is None
        else {"mark": amount_text(price), "age_s": _age_s(journal, fund, now_ms)},
        "alarms": dict(memory.alarms),
        "reserve": _reserve(desk),
    }


def _state(desk: Desk) -> str:
    state = desk.state
    if state.ended is not None:
        return "ended"
    if state.time is None:
        return "waiting"
    if desk.memory.order is not None:
        return "asking"
    if state.paused:
        return "paused"
    return "suspended" if state.reserve.suspended else "running"


def _since_ms(journal: Journal, desk: Desk, name: str) -> int | None:
    """The time, ms UTC, since which the fund is in this state; an open order's is its stamp."""
    state = desk.state
    if state.time is None:
        return None
    if state.ended is not None:
        return state.ended.time * 1000
    if desk.memory.order is not None:
        return desk.memory.order.stamp_ms
    if name == "suspended":
        return state.reserve.suspended_since * 1000
    row = _last(journal, desk.symbol, PAUSED if name == "paused" else RUNS)
    return None if row is None else row.time_ms


def _age_s(journal: Journal, fund: FundSettings, now_ms: int) -> float | None:
    """The age of the last price, s: by the history's clock on paper, else by this machine's."""
    symbol = fund.series.symbol
    priced = _last(journal, symbol, PRICED)
    if priced is None:
        return None
    if fund.venue.kind == "paper":
        later = journal.events(fund=symbol, since_ms=priced.time_ms)
        now_ms = max(row.time_ms for row in later)
    return max(0, now_ms - priced.time_ms) / 1000


def _next(desk: Desk, far: Callable[[Decimal], Decimal]) -> dict[str, str] | None:
    """The nearest threshold on one side of the price; None: there is none."""
    price = desk.state.price
    if price is None or desk.state.ended is not None:
        return None
    met = next_crossing(desk.fund, False, price, far(price), 0)  # noqa: FBT003
    if met.trigger == Trigger.NONE:
        return None
    trigger = Trigger(met.trigger).name.lower()
    return {"trigger": trigger, "price": str(_rounded(met.price))}


def _reserve(desk: Desk) -> dict[str, Any] | None:
    if desk.group.terms is None:
        return None
    reserve = desk.group.reserve
    return {"units": amount_text(reserve.units), "suspended": reserve.suspended}


def _rounded(figure: Decimal | None) -> str | None:
    """A figure for display, rounded to ten places; nothing is computed from it."""
    return None if figure is None else amount_text(round(figure, 10))
