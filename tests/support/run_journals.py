"""Journals of runs for tests: rows in memory, chained as a store chains them, and forged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from steelyard.ledger.audit import Audit
from steelyard.ledger.canonical_json import canonical
from steelyard.ledger.event_rows import GENESIS, Event, Head, Row, link, sealed
from steelyard.ledger.fold import Fold
from steelyard.ledger.proofs import Verdict, verify_rows
from steelyard.market import Prices
from steelyard.rules.series import Reserve, Series
from steelyard.simulation.fills import ModelFills
from steelyard.simulation.journalling import InMemory
from steelyard.simulation.run import Run, simulate
from steelyard.simulation.shared_reserve import SharedReserveRun, simulate_several
from support.feeding import fed, others_in
from support.reaching import reaching

__all__ = [
    "audited",
    "chained",
    "folded",
    "forged",
    "journalled",
    "journalled_series",
    "options_of_several",
    "rehashed",
]


def chained(events: Sequence[Event]) -> list[Row]:
    """The rows of events, from the first on."""
    head, rows = Head(0, GENESIS), []
    for event in events:
        rows.append(sealed(event, head))
        head = Head(rows[-1].seq, rows[-1].hash)
    return rows


def journalled(series: Series, bars: Prices, **options: Any) -> tuple[Run, list[Row]]:
    """A run, and the rows of its journal."""
    place = InMemory()
    run = simulate(series, fed(bars, options), journal=place, **others_in(options))
    return run, chained(place.memory.events)


def journalled_series(
    tokens: Sequence[Series], bars: Prices, reserve: Reserve, **options: Any
) -> tuple[SharedReserveRun, list[Row]]:
    """A run of several series on one reserve, and the rows of its journal."""
    place = InMemory()
    feed, how = fed(bars, options), others_in(options)
    run = simulate_several(tokens, feed, reserve=reserve, journal=place, **how)
    return run, chained(place.memory.events)


FIGURES = {
    "flows": ("time", "tokens"),
    "splits": ("time", "ratio"),
    "outages": ("from", "to"),
    "injections": ("time", "quote"),
    "funding": ("time", "rate"),
    "rates": ("time", "rate"),
}


def options_of_several(case: tuple[Any, ...], mode: str) -> dict[str, Any]:
    """The inputs and options of ``simulate_several`` for a case of ``story_cases``."""
    members, bars, reserve, given, own = case
    by_symbol: dict[str, dict[str, Any]] = {"flows": {}, "splits": {}, "wind_down": {}}
    for member, happens in zip(members, own, strict=True):
        for name, source in reaching(_tables(happens), bars).items():
            by_symbol[name][member.symbol] = source
    return {"reserve": reserve, "intrabar": mode, **reaching(_tables(given), bars), **by_symbol}


def _tables(given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, rows in given.items():
        made[name] = rows
        if name in FIGURES:
            made[name] = dict(zip(FIGURES[name], map(list, zip(*rows, strict=True)), strict=True))
            made[name] = made[name] or {each: [] for each in FIGURES[name]}
        if name == "injections":
            made[name]["kind"] = ["capital"] * len(rows)
    return made


def folded(rows: Sequence[Row]) -> dict[str, Any]:
    """The states that rows fold to, by symbol."""
    fold = Fold()
    for row in rows:
        fold.see(row.kind, row.fund, row.time_ms // 1000, row.fields)
    return {each.series.symbol: each.state for books in fold.books.values() for each in books.funds}


def audited(rows: Sequence[Row]) -> Verdict:
    """All three proofs of rows."""
    return verify_rows(rows, checks=[Audit(ModelFills())])


def rehashed(bodies: Sequence[dict[str, Any]]) -> list[Row]:
    """Rows of these bodies with right numbers and hashes, as somebody with the file makes them."""
    rows, last = [], GENESIS
    for seq, body in enumerate(bodies, start=1):
        text = canonical({**body, "seq": seq})
        last = link(last, text)
        rows.append(Row(seq, body["time"], body["fund"], body["kind"], text, last))
    return rows


def forged(rows: Sequence[Row], change: Callable[[list[dict[str, Any]]], object]) -> list[Row]:
    """The rows after ``change`` of their bodies, all hashes made anew."""
    bodies = [
        {**row.fields, "time": row.time_ms, "fund": row.fund, "kind": row.kind} for row in rows
    ]
    change(bodies)
    return rehashed(bodies)
