"""Journals that somebody changed: each forgery is found, and named by row and reason.

The forger has the file: all numbers and hashes are made anew, so that the chain says nothing. What
is found without the prices is found by the books or by the rules; what is not is found with them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.ledger import Journal, verify_rows
from steelyard.ledger.event_rows import Row
from steelyard.market import Feed, Prices, format_time
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Daily, Fallback, Reserve, Series
from steelyard.simulation.journal_anew import compare_anew, left_out, span_of
from steelyard.simulation.run import simulate
from support.random_runs import example_series, random_bars
from support.run_journals import audited, forged, journalled, rehashed
from support.tokens import T0

Bodies = list[dict[str, Any]]
Forgery = Callable[[Bodies], object]

STEP_S = 900


@cache
def history() -> tuple[Series, Prices, dict[str, Any], tuple[Row, ...]]:
    """A token with every kind of row over 20 days of quarter hours, in a live fund's numbers."""
    series = example_series()
    how = replace(series.rebalance, daily=Daily(0), fallback=Fallback(86_400))
    pool = Reserve(initial_units=1.5, floor_ratio=0.1, resume_ratio=0.105, bears=("spread", "gas"))
    series = replace(series, rebalance=how, reserve=pool)
    bars = random_bars(20 * 96, seed=3, step_s=STEP_S)
    hours = np.arange(0, 20 * 86_400, 28_800) + T0
    options = {
        "funding": {"time": hours, "rate": np.where(hours % 57_600 == 0, 1e-4, -5e-5)},
        "flows": {"time": T0 + np.array([90_000, 200_000, 900_000]), "tokens": [50.0, -20.0, 30.0]},
        "injections": {"time": [T0 + 300_000], "quote": [900.0], "kind": ["trading_fees"]},
    }
    _, rows = journalled(series, bars, number=DECIMAL18, **options)
    return series, bars, options, tuple(rows)


def at(bodies: Bodies, kind: str, place: int = 3) -> int:
    """Where the row of a kind is, the ``place``-th from the first."""
    found = [seq for seq, body in enumerate(bodies) if body["kind"] == kind]
    return found[min(place, len(found) - 1)]


def triggered(bodies: Bodies, trigger: str, place: int = 3) -> int:
    """Where the decision of a rebalance by a trigger is."""
    found = [
        seq
        for seq, body in enumerate(bodies)
        if body["kind"] == "decided" and body["intent"]["trigger"] == trigger
    ]
    return found[min(place, len(found) - 1)]


def add(amount: str, more: str) -> str:
    """An amount and a little more."""
    total = Decimal(amount) + Decimal(more)
    return "0" if total == 0 else f"{total.normalize():f}"


def changes(kind: str, *path: str | int, more: str = "0.01", place: int = 3) -> Forgery:
    """An amount of one row is another."""

    def change(bodies: Bodies) -> None:
        body: Any = bodies[at(bodies, kind, place)]
        for name in path[:-1]:
            body = body[name]
        body[path[-1]] = add(body[path[-1]], more)

    return change


def moves_fee_to_the_reserve(bodies: Bodies) -> None:
    """A cent that nav paid is said to be the reserve's, in all figures of the row."""
    body = bodies[at(bodies, "settled", 5)]
    cost = body["cost"]
    cost["paid_by_nav"] = add(cost["paid_by_nav"], "-0.01")
    cost["paid_by_reserve"] = add(cost["paid_by_reserve"], "0.01")
    body["cash"] = add(body["cash"], "0.01")
    body["nav_after"] = add(body["nav_after"], "0.01")


def turns_sign(bodies: Bodies) -> None:
    """A sale is said to be a purchase."""
    body = bodies[at(bodies, "settled", 5)]
    body["notional"] = (
        body["notional"].removeprefix("-")
        if body["notional"][0] == "-"
        else ("-" + body["notional"])
    )


def drops(kind: str, place: int = 3) -> Forgery:
    """A row is not there."""
    return lambda bodies: bodies.pop(at(bodies, kind, place))


def doubles(kind: str, place: int = 3) -> Forgery:
    """A row is there twice."""

    def change(bodies: Bodies) -> None:
        where = at(bodies, kind, place)
        bodies.insert(where, copy.deepcopy(bodies[where]))

    return change


def swaps(kind: str, place: int = 3) -> Forgery:
    """A row stands after the one that follows it."""

    def change(bodies: Bodies) -> None:
        where = at(bodies, kind, place)
        bodies[where], bodies[where + 1] = bodies[where + 1], bodies[where]

    return change


def leaves_out(trigger: str) -> Forgery:
    """A whole rebalance, with what was observed, is not there."""

    def change(bodies: Bodies) -> None:
        where = triggered(bodies, trigger)
        while bodies[where]["kind"] not in ("observed", "crossed"):
            where -= 1
        del bodies[where]
        while bodies[where]["kind"] not in ("observed", "crossed", "mark"):
            del bodies[where]

    return change


def keeps_only_observation(bodies: Bodies) -> None:
    """What was observed stands there, and nothing that followed from it."""
    where = triggered(bodies, "daily")
    while bodies[where]["kind"] in ("decided", "settled"):
        del bodies[where]


def adds_rebalance(bodies: Bodies) -> None:
    """A rebalance is there at an observation that asks for none."""
    where = triggered(bodies, "band")
    decided, settled = copy.deepcopy(bodies[where : where + 2])
    mark = at(bodies, "mark", 40)
    observed = copy.deepcopy(bodies[at(bodies, "observed", 6)])
    price = bodies[mark]["price"]
    observed.update(price=price, low=None, high=None, passed=[], came=[], time=bodies[mark]["time"])
    for body in (decided, settled):
        body["time"] = bodies[mark]["time"]
    bodies[mark + 2 : mark + 2] = [observed, decided, settled]


def resizes(bodies: Bodies) -> None:
    """A rebalance is of another size, in its decision, its fill and its books alike."""
    where = triggered(bodies, "band", 5)
    decided, settled = bodies[where], bodies[where + 1]
    units = add(decided["intent"]["units"], "0.1")
    decided["intent"]["units"] = units
    settled["fill"]["units"] = units
    settled["units"] = add(settled["units"], "0.1")


def renames(bodies: Bodies) -> None:
    """A rebalance by the clock is said to be one of the band."""
    where = triggered(bodies, "daily")
    bodies[where]["intent"]["trigger"] = bodies[where + 1]["trigger"] = "band"


def flips_suspension(bodies: Bodies) -> None:
    """The reserve is said to be suspended where it was not."""
    where = at(bodies, "health", 100)
    bodies[where]["suspended"] = not bodies[where]["suspended"]


def suspends(bodies: Bodies) -> None:
    """A suspension is there that the reserve's level does not ask for."""
    where = at(bodies, "mark", 30)
    time, fund = bodies[where]["time"], bodies[0]["fund"]
    body = {"kind": "suspended", "price": "7000", "value": "10", "nav": "100"}
    bodies.insert(where, {**body, "time": time, "fund": fund})


def shifts_time(kind: str, place: int = 3) -> Forgery:
    """A row is of another instant."""

    def change(bodies: Bodies) -> None:
        bodies[at(bodies, kind, place)]["time"] += 60_000

    return change


def rewrites_series(find: str, put: str) -> Forgery:
    """The series says something else than it did."""

    def change(bodies: Bodies) -> None:
        stated = bodies[0]["stated"]
        *path, last = find.split(".")
        for name in path:
            stated = stated[name]
        assert last in stated
        stated[last] = put

    return change


def narrows_fill(bodies: Bodies) -> None:
    """A fill cost less than by the series' own costs, and all that follows from it agrees."""
    body = bodies[at(bodies, "settled", 5)]
    body["fill"]["charges"]["fee"] = add(body["fill"]["charges"]["fee"], "-1")
    body["cost"]["fee"] = add(body["cost"]["fee"], "-1")
    body["cost"]["paid_by_nav"] = add(body["cost"]["paid_by_nav"], "-1")
    body["cash"] = add(body["cash"], "1")
    body["nav_after"] = add(body["nav_after"], "1")


def invents_impact(bodies: Bodies) -> None:
    """Trades are said to have another impact than the series says."""
    bodies[at(bodies, "crossed", 1)]["impact"] = [["0.1", "1000000000"]]


def adds_field(bodies: Bodies) -> None:
    """A row says more than its kind has."""
    bodies[at(bodies, "mark", 20)]["audited_by"] = "someone"


def adds_stranger(bodies: Bodies) -> None:
    """A mark tells of a fund that is not in the journal."""
    passed = bodies[at(bodies, "mark", 20)]["passed"]
    passed.append({**copy.deepcopy(passed[0]), "fund": "ELSE"})


def begins_elsewhere(bodies: Bodies) -> None:
    """A version row puts more cash into a fund before its launch."""
    from steelyard.fund.state import new_state
    from steelyard.ledger.bodies import plain

    state = plain(new_state(history()[0], DECIMAL18))
    state["cash"] = add(state["cash"], "1000")
    first = bodies[0]
    version = {"kind": "version", "program": "0.1.0", "state": state}
    bodies.insert(1, {**version, "time": first["time"], "fund": first["fund"]})


def hides_refusals(bodies: Bodies) -> None:
    """Refusals are counted, and the first of them is not there."""
    bodies[at(bodies, "mark", 2)]["passed"][0]["blocked"] = 3


FORGERIES: dict[str, tuple[Forgery, str, str]] = {
    "cash after a trade": (changes("settled", "cash"), "books", "cash"),
    "units after a trade": (changes("settled", "units"), "books", "units"),
    "tokens after a creation": (changes("settled", "tokens", place=0), "books", "tokens"),
    "the reserve after a trade": (changes("settled", "reserve"), "books", "reserve"),
    "a cost": (changes("settled", "cost", "spread"), "books", "cost.spread"),
    "nav before a trade": (changes("settled", "nav_before"), "books", "nav_before"),
    "leverage after a trade": (changes("settled", "leverage_after"), "books", "leverage_after"),
    "the price of a fill": (changes("settled", "fill", "price"), "rules", "price"),
    "the sign of a trade": (turns_sign, "books", "notional"),
    "a fee moved from nav to reserve": (moves_fee_to_the_reserve, "books", "paid_by_"),
    "a cheaper fill": (narrows_fill, "rules", "costs of the series file"),
    "an injection": (changes("injected", "quote", place=0), "books", "quote"),
    "the reserve after an injection": (changes("injected", "reserve", place=0), "books", "reserve"),
    "an allocation": (changes("allocated", "quote", more="0.5"), "books", "quote"),
    "funding": (changes("mark", "passed", 0, "accrued", "funding", place=20), "books", "cash"),
    "a management fee": (
        changes("mark", "passed", 0, "accrued", "management", more="5", place=20),
        "books",
        "management",
    ),
    "cash at a mark": (changes("mark", "passed", 0, "cash", place=20), "books", "cash"),
    "fees of the reserve": (
        changes("mark", "passed", 0, "accrued", "pending_fees", place=20),
        "books",
        "pending fees",
    ),
    "a total": (
        changes("mark", "passed", 0, "accrued", "funding_total", place=20),
        "books",
        "total of funding",
    ),
    "the price of a mark": (changes("mark", "price", more="5000", place=20), "rules", "price"),
    "the level of the reserve": (changes("health", "level", place=20), "books", "level"),
    "a suspended flag": (flips_suspension, "books", "suspended"),
    "a suspension not asked for": (suspends, "rules", "no row before it holds its event"),
    "a dropped mark": (drops("mark", 20), "rules", "a mark of"),
    "a dropped observation": (drops("observed"), "rules", "no row before it holds its event"),
    "a dropped decision": (drops("decided"), "rules", "the journal holds settled"),
    "a dropped trade": (drops("settled"), "rules", "the journal holds none"),
    "a dropped allocation": (drops("allocated"), "rules", "allocated"),
    "a dropped refusal": (drops("blocked", 0), "rules", "blocked"),
    "a doubled mark": (doubles("mark", 20), "rules", "a mark of"),
    "a doubled trade": (doubles("settled"), "rules", "the rules require none"),
    "a doubled decision": (doubles("decided"), "rules", "the journal holds a rebalance"),
    "swapped rows": (swaps("decided"), "rules", "the rules require"),
    "swapped hours": (swaps("mark", 20), "books", "price"),
    "the time of a trade": (shifts_time("settled"), "rules", "its time is"),
    "the time of a mark": (shifts_time("mark", 20), "rules", "a mark of"),
    "the time of an observation": (shifts_time("observed", 6), "rules", "its time is"),
    "the series' target": (rewrites_series("target_leverage", "2"), "rules", ""),
    "the series' band": (rewrites_series("rebalance.band.upper", "3.4"), "rules", ""),
    "the series' fee": (rewrites_series("costs.taker_fee_bps", "4"), "rules", ""),
    "the series' daily trigger": (rewrites_series("rebalance.daily.at_s", 3_600), "rules", ""),
    "a rebate in the series": (
        rewrites_series("costs.half_spread_bps", "-5"),
        "rules",
        "its series: costs.half_spread_bps: expected basis points from 0",
    ),
    "a series with a key of text": (
        rewrites_series("costs.impact_coefficient", "much"),
        "rules",
        "its series: costs.impact_coefficient: expected a number of at least 0",
    ),
    "a reserve that pays without end": (
        rewrites_series("reserve.floor_ratio", "-1"),
        "rules",
        "its series: reserve.floor_ratio: expected a number of at least 0",
    ),
    "a rebalance not asked for": (adds_rebalance, "rules", "a rebalance by band"),
    "a rebalance left out": (leaves_out("band"), "books", "cash"),
    "a rebalance by the clock left out": (leaves_out("daily"), "rules", ""),
    "nothing after an observation": (keeps_only_observation, "rules", "the journal holds none"),
    "a rebalance of another size": (resizes, "rules", "units"),
    "an impact of its own": (invents_impact, "rules", "impact"),
    "an unknown field": (adds_field, "books", "audited_by"),
    "an unknown fund": (adds_stranger, "books", "ELSE"),
    "another beginning": (begins_elsewhere, "books", "cash"),
    "refusals without a first": (hides_refusals, "books", "without a first refusal"),
    "a dropped health": (drops("health", 20), "rules", "health"),
    "a doubled health": (doubles("health", 20), "rules", "health"),
    "closes only": (lambda bodies: bodies[0].update(intrabar="close"), "rules", "crossed inside"),
    "a venue of its own": (lambda bodies: bodies[0].update(venue=None), "rules", ""),
    "another kind of number": (lambda bodies: bodies[0].update(number="decimal"), "books", ""),
    "a rebalance by another name": (renames, "rules", "trigger"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_with_right_hashes_is_named(name: str) -> None:
    """The chain is whole, and yet the forgery is found where it stands, with its reason."""
    change, proof, reason = FORGERIES[name]
    rows = forged(history()[3], change)
    verdict = audited(rows)
    assert verdict.proofs["chain"].ok
    found = verdict.proofs[proof]
    assert found.ok is False, [verdict.proofs[each].findings[:2] for each in ("books", "rules")]
    assert any(reason in finding.why for finding in found.findings[:3]), found.findings[:3]


def test_the_journal_itself_verifies() -> None:
    """What is forged above is a journal of which everything holds, with every kind of row."""
    series, bars, options, rows = history()
    verdict = audited(rows)
    assert verdict.ok, [each.findings[:2] for each in verdict.proofs.values()]
    kinds = {row.kind for row in rows}
    assert {"crossed", "suspended", "resumed", "blocked", "injected", "allocated"} <= kinds
    assert compare_anew(list(rows), by_symbol(series, bars, options)) == []


def by_symbol(series: Series, bars: Prices, options: dict[str, Any]) -> Feed:
    """The feed as ``verify`` makes it."""
    return Feed(bars, **{**options, "flows": {series.symbol: options["flows"]}})


def forges_range(bodies: Bodies) -> None:
    """A mark says that the price never went as far as it did."""
    where = next(
        seq
        for seq, body in enumerate(bodies)
        if body["kind"] == "mark" and body["low"] is not None and body["low"] != body["price"]
    )
    bodies[where]["low"] = bodies[where]["price"]


def forges_minute(bodies: Bodies) -> None:
    """A flow is said to have come a quarter of an hour later, at another price."""
    inputs = bodies[at(bodies, "observed", 6)]
    inputs["is_out"] = not inputs["is_out"]


@pytest.mark.parametrize("change", [forges_range, forges_minute])
def test_what_was_observed_is_proved_with_prices(change: Forgery) -> None:
    """A forged range, or a forged input, is found by simulating anew."""
    series, bars, options, rows = history()
    found = compare_anew(forged(rows, change), by_symbol(series, bars, options))
    assert len(found) == 1
    assert "expected" in found[0].why


def test_rows_that_no_prices_decide_stay_not_checked() -> None:
    """A row of another package's kind and fund is compared with nothing, and is counted so."""
    series, bars, options, rows = history()

    def adds(bodies: Bodies) -> None:
        other = {"kind": "weather", "fund": "ELSE", "time": bodies[-1]["time"], "rain": "much"}
        bodies.append(other)

    more = forged(rows, adds)
    assert left_out(rows) == 0
    assert compare_anew(more, by_symbol(series, bars, options)) == []
    verdict = audited(more).with_found("rules", [], left=left_out(more))
    assert {
        name: (each.counts or {}).get("not_checked") for name, each in verdict.proofs.items()
    } == {
        "chain": None,
        "books": 0,
        "rules": 1,
    }


def test_a_tail_that_is_cut_is_found_with_prices() -> None:
    """Without a head a shorter history is a history; with the prices its last row is missing.

    A writer ends with a row that says so: a journal without it stopped in the middle.
    """
    series, bars, options, rows = history()
    cut = rehashed(
        [
            {**row.fields, "time": row.time_ms, "fund": row.fund, "kind": row.kind}
            for row in rows[:-39]
        ]
    )
    assert audited(cut).ok
    (found,) = compare_anew(cut, by_symbol(series, bars, options))
    assert found.seq == len(cut)
    assert found.why.startswith("the prices ask for stopped of BTC3L at 2020-01-20T04:00:00Z")
    assert found.why.endswith("the journal ends before it")


def test_a_tail_that_is_cut_where_a_writer_stopped_is_found_with_a_head_only(
    tmp_path: Path,
) -> None:
    """Cut back to an earlier stop it is a whole history: what was compared ends there, and says so.

    A head of the longer journal finds it.
    """
    series, bars, options, _ = history()
    place, cut = tmp_path / "two.journal", int(bars.time[900])
    feed = Feed(bars, **options)
    simulate(series, feed.between(end=cut), number=DECIMAL18, journal=place)
    simulate(series, feed.between(cut), number=DECIMAL18, journal=place)
    with Journal.open(place) as journal:
        rows, head = list(journal.all_rows()), journal.head()
    stops = [row.seq for row in rows if row.kind == "stopped"]
    assert len(stops) == 2
    shorter = rows[: stops[0]]
    assert audited(shorter).ok
    assert compare_anew(shorter, by_symbol(series, bars, options)) == []
    span = span_of(shorter)
    assert span is not None
    assert span[1] == format_time(shorter[-1].time_ms // 1000)
    assert span[1] < format_time(cut)
    assert not verify_rows(shorter, head=head).ok
