"""Journals of live funds: each observation is stored, and opening steps them again."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import InvariantError
from steelyard.fund.group import Group
from steelyard.ledger import Event, Journal, open_writer, opening
from steelyard.ledger.opening import open_books
from steelyard.rules.numbers import DECIMAL18, FLOAT, Number
from steelyard.simulate.journalling import Memory
from support.fund_life import Life, lives
from support.journals import forge
from support.live_journals import Told, live_fund
from support.run_journals import audited, chained, forged

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
    memory = Memory()
    life.live(number, Told(life.series, number, memory.append).look)
    verdict = audited(chained(memory.events))
    assert verdict.ok, [proof.findings[:2] for proof in verdict.proofs.values()]


def amount(kind: str, place: int, *path: str | int) -> Change:
    """A figure of a row is a little more."""

    def change(bodies: list[dict[str, Any]], more: str) -> None:
        body: Any = [body for body in bodies if body["kind"] == kind][place]
        for name in path[:-1]:
            body = body[name]
        body[path[-1]] = f"{(Decimal(body[path[-1]]) + Decimal(more)).normalize():f}"

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
    monkeypatch.setattr(opening, "__version__", "999.0")
    assert opened(file)[0].ended is None


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
        memory = Memory()
        live_fund(memory.append, DECIMAL18, symbol)
        told.append(memory.events)
    events = shared_mark(*told)
    assert [event.fields["books"] for event in events if event.kind == "mark"] == [
        ["ONE", "TWO"]
    ] * 10
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
