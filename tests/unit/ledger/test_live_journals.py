"""Journals of live funds: each observation is stored, and opening steps them again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import InvariantError
from steelyard.fund.events import Charges, Filled, Inputs, Liquidated, Observed, Paused
from steelyard.fund.group import Group
from steelyard.fund.step import step
from steelyard.ledger import Event, Journal, amount_text, current_books, open_writer
from steelyard.ledger.current_books import found_books, open_books
from steelyard.ledger.snapshots import snapshot_of
from steelyard.rules.numbers import DECIMAL18, FLOAT, Number
from steelyard.rules.series import Band, Costs
from steelyard.simulation.journalling import KeptEvents
from support.fund_life import Life, group_of, lives
from support.journals import forge
from support.live_journals import Told, live_fund
from support.run_journals import audited, chained, forged
from support.tokens import T0, token

Change = Callable[[list[dict[str, Any]], str], None]
LEAST = {"decimal18": "1e-18", "float": "1e-6"}
"""What a forger adds: the last digit that is kept, and a little more than 1e-12 of these books."""
NUMBERS = pytest.mark.parametrize("number", [DECIMAL18, FLOAT], ids=lambda number: number.name)


def opened(place: Path) -> list[Any]:
    """The states of the one group in a journal."""
    with Journal.open(place) as journal:
        (books,) = open_books(journal).values()
    return [each.state for each in books.funds]


@settings(max_examples=12, deadline=None)
@given(lives(hours=6))
def test_a_live_journal_opened_after_each_event_holds_the_state(
    tmp_path_factory: pytest.TempPathFactory, life: Life
) -> None:
    """Whatever a venue does: after each event the journal opens, and gives the fund's own state."""
    place = tmp_path_factory.mktemp("live") / "live.journal"
    with open_writer(place) as writer:
        told = Told(life.series, DECIMAL18, writer.append)

        def look(group: Group, event: Any, effects: list[Any]) -> None:
            told.look(group, event, effects)
            assert opened(place) == [fund.state for fund in group.funds]

        life.live(DECIMAL18, look)


@settings(max_examples=80, deadline=None)
@given(lives("perpetual"), st.sampled_from([DECIMAL18, FLOAT]))
def test_a_live_journal_verifies(life: Life, number: Number[Any]) -> None:
    """What the fund itself did is what its rules ask for, whatever came of each order."""
    memory = KeptEvents()
    life.live(number, Told(life.series, number, memory.append).look)
    verdict = audited(chained(memory.events))
    assert verdict.ok, [proof.findings[:2] for proof in verdict.proofs.values()]


def amount(kind: str, place: int, *path: str | int) -> Change:
    """A figure of a row is a little more."""

    def change(bodies: list[dict[str, Any]], more: str) -> None:
        body: Any = [body for body in bodies if body["kind"] == kind][place]
        for name in path[:-1]:
            body = body[name]
        total = Decimal(body[path[-1]]) + Decimal(more)
        # a float is written with the digits that it has
        body[path[-1]] = amount_text(float(total) if more == LEAST["float"] else total)

    return change


def drops_a_fill(bodies: list[dict[str, Any]], _: str) -> None:
    """The second fill, with what followed from it, is not there."""
    places = [place for place, body in enumerate(bodies) if body["kind"] == "filled"]
    del bodies[places[1] : places[1] + 2]


FORGED: dict[str, tuple[Change, str]] = {
    "cash after a fill": (amount("settled", 1, "cash"), "settled: cash is "),
    "cash after accruals": (amount("observed", 5, "came", 0, "cash"), "accrued: cash is "),
    "a fee": (amount("observed", 6, "came", 0, "management"), "accrued: management is "),
    "a decision": (amount("decided", 1, "intent", "notional"), "decided: intent.notional is "),
    "a fill left out": (drops_a_fill, "accrued: management is "),
}


@NUMBERS
@pytest.mark.parametrize("name", FORGED)
def test_observations_that_do_not_lead_to_a_stored_outcome_stop_everything(
    file: Path, number: Number[Any], name: str
) -> None:
    """The hashes are right, and opening still refuses: the row is named, with both figures."""
    change, words = FORGED[name]
    with open_writer(file) as writer:
        live_fund(writer.append, number)
    assert opened(file)[0].totals.by_trigger
    forge(file, lambda rows: forged(rows, lambda bodies: change(bodies, LEAST[number.name])))
    with pytest.raises(InvariantError, match=r"event \d+: " + re.escape(words)) as error:
        opened(file)
    assert "expected" in str(error.value)
    assert isinstance(error.value.details["at"], int)


def test_what_another_version_wrote_is_not_stepped_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """History does not change when the code does: its rows are folded as they are."""
    with open_writer(file) as writer:
        live_fund(writer.append, DECIMAL18)
    change = amount("settled", 1, "cash")
    forge(file, lambda rows: forged(rows, lambda bodies: change(bodies, "1e-18")))
    monkeypatch.setattr(current_books, "__version__", "999.0")
    assert opened(file)[0].ended is None


@pytest.mark.parametrize(("program", "left"), [("0.0.9", 1), (None, 1), ({"a": "b"}, 0)])
def test_another_programs_name_is_counted(program: object, left: int) -> None:
    """Opening folds what another version wrote: that it did is believed, and verify says so."""
    memory = KeptEvents()
    live_fund(memory.append, DECIMAL18)
    rows = chained(memory.events)

    def says(bodies: list[dict[str, Any]]) -> None:
        bodies[0]["program"] = program

    honest, other = (audited(each).proofs["rules"] for each in (rows, forged(rows, says)))
    assert honest.counts is not None
    assert other.counts is not None
    assert other.counts["not_checked"] == honest.counts["not_checked"] + left
    assert other.ok is (left == 1)


def shared_mark(one: list[Event], other: list[Event]) -> list[Event]:
    """The events of two groups on one underlying, in the order of time, with one mark an hour."""
    merged: list[Event] = []
    for event in sorted([*one, *other], key=lambda event: (event.time_ms, event.kind == "mark")):
        last = merged[-1] if merged else None
        if event.kind == "mark" and last is not None and last.kind == "mark":
            both = {name: [*last.fields[name], *event.fields[name]] for name in ("books", "passed")}
            merged[-1] = last._replace(fields={**last.fields, **both})
        else:
            merged.append(event)
    return merged


def test_two_live_funds_on_one_underlying_share_a_mark(file: Path) -> None:
    """One row an hour tells of both; the journal verifies and opens, and a mark less is named."""
    told = []
    for symbol in ("ONE", "TWO"):
        memory = KeptEvents()
        live_fund(memory.append, DECIMAL18, symbol)
        told.append(memory.events)
    events = shared_mark(*told)
    assert [event.fields["books"] for event in events if event.kind == "mark"] == [
        ["ONE", "TWO"]
    ] * 9  # that of the tenth hour comes with the next event
    rows = chained(events)
    verdict = audited(rows)
    assert verdict.ok, [proof.findings[:2] for proof in verdict.proofs.values()]
    with open_writer(file) as writer:
        writer.append(events)
    with Journal.open(file) as journal:
        books = open_books(journal)
        assert list(books) == ["ONE", "TWO"]
    assert books["ONE"].funds[0].state == books["TWO"].funds[0].state

    def forgets(bodies: list[dict[str, Any]]) -> None:
        marks = [body for body in bodies if body["kind"] == "mark"]
        marks[4]["books"] = ["ONE"]

    rules = audited(forged(rows, forgets)).proofs["rules"]
    assert rules.ok is False
    assert "mark of 2020-01-01T04:00:00Z is missing" in str(rules.why)


def test_a_fill_between_two_observations_comes_after_the_marks_of_its_hours(file: Path) -> None:
    """A venue fills when it likes: the hours before it have their marks, once, also at a stop."""
    series = token(band=Band(2.5, 3.5))
    group, of, memory = group_of([series], DECIMAL18), DECIMAL18.of, KeptEvents()
    told = Told([series], DECIMAL18, memory.append)
    nothing = of(0)

    def tell(event: Any) -> None:
        told.look(group, event, step(group, event))

    with DECIMAL18.context():
        for quarter, figure in enumerate((100, 80, 100, 120, 90)):
            time, price = T0 + 600 + quarter * 3_000, of(figure)
            tell(Observed(time, price, False, (), (Inputs(),)))
            intent = group.funds[0].state.intent
            assert intent is not None
            charges = Charges(nothing, nothing, nothing, nothing)
            tell(Filled(time + 2_900, price, intent.units, intent.units * price, charges))
    told.stop()
    rows = chained(memory.events)
    marks = [row.time_ms // 1000 - T0 for row in rows if row.kind == "mark"]
    assert marks == [3_600, 7_200, 10_800, 14_400]
    assert [row.time_ms for row in rows] == sorted(row.time_ms for row in rows)
    verdict = audited(rows)
    assert verdict.ok, [proof.findings[:2] for proof in verdict.proofs.values()]
    with open_writer(file) as writer:
        writer.append(memory.events)
    assert opened(file)[0].units == group.funds[0].state.units
    found = found_books(file, ["TEST"], None)
    assert found is not None
    assert found.last_mark == T0 + 14_400


def test_what_a_venue_or_an_operator_says_is_counted_as_not_checked() -> None:
    """No rule and no price decides a fill, a pause, a verdict on volatility, an impact."""
    series = token(band=Band(2.5, 3.5))
    costs = Costs(impact="square_root", impact_coefficient="realised", daily_volume="file")
    series = replace(series, costs=costs)
    group, of, memory = group_of([series], DECIMAL18), DECIMAL18.of, KeptEvents()
    told = Told([series], DECIMAL18, memory.append)

    def not_checked() -> int:
        verdict = audited(chained(memory.events))
        assert verdict.ok, [proof.findings[:2] for proof in verdict.proofs.values()]
        counts = verdict.proofs["rules"].counts
        assert counts is not None
        return counts["not_checked"]

    def tell(event: Any) -> int:
        told.look(group, event, step(group, event))
        return not_checked()

    with DECIMAL18.context():
        price, impact = of(100), (of(1), of(1_000_000))
        assert tell(Observed(T0, price, False, (), (Inputs(impact=impact),))) == 2  # and an order
        intent = group.funds[0].state.intent
        assert intent is not None
        charges = Charges(of(0), of(0), of(0), of(0))
        notional = intent.units * price
        assert tell(Filled(T0, price, intent.units, notional, charges)) == 2  # it is filled
        assert tell(Paused(T0, is_paused=True)) == 3
        assert tell(Paused(T0, is_paused=False)) == 4
        assert tell(Observed(T0 + 60, price, False, (), (Inputs(volatile=False),))) == 5
        assert tell(Observed(T0 + 120, price, False, (), (Inputs(),))) == 5
        assert tell(Liquidated(T0 + 150, price, of(0))) == 6


def test_a_crossing_of_a_live_fund_at_no_threshold_is_named() -> None:
    """A paper venue may tell a live fund of one, but only at the price of a threshold."""
    memory = KeptEvents()
    live_fund(memory.append, DECIMAL18)

    def crosses(bodies: list[dict[str, Any]]) -> None:
        place = [place for place, body in enumerate(bodies) if body["kind"] == "observed"][6]
        one = {**bodies[place], "kind": "crossed", "place": 0, "trigger": "band", "came": []}
        for name in ("is_out", "injections", "inputs"):
            del one[name]
        bodies.insert(place + 1, one)

    rules = audited(forged(chained(memory.events), crosses)).proofs["rules"]
    words = "where it has no threshold"
    assert any(words in found.why for found in rules.findings)


@NUMBERS
def test_a_snapshot_that_was_changed_leads_nowhere(file: Path, number: Number[Any]) -> None:
    """No row names a snapshot between two observations: the fund stands where its rows say."""
    memory = KeptEvents()
    live_fund(memory.append, number)
    seq = [n for n, each in enumerate(memory.events) if each.kind == "observed"][5]
    with open_writer(file) as writer:
        writer.append(memory.events[:seq])
        with Journal.open(file) as journal:
            books = open_books(journal)["TEST"]
        state = snapshot_of(books)
        state["funds"][0]["state"]["cash"] = "1000000"
        writer.snapshot("TEST", state)
        assert opened(file) == [each.state for each in books.funds]
        writer.append(memory.events[seq:])
    with Journal.open(file) as journal:
        (unaided,) = open_books(journal, with_snapshots=False).values()
    assert opened(file) == [each.state for each in unaided.funds]
