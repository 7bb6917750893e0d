"""Rows that no writer writes: each is a finding, and nothing goes on from it.

No such row ends the proof, moves a terminal's cursor, or is read as another figure than it shows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from steelyard.cli.journal_table import printable
from steelyard.errors import DataError, InvariantError
from steelyard.ledger import open_writer
from steelyard.ledger.amounts import amount_text, decimal_of, float_of
from steelyard.ledger.canonical_json import canonical
from steelyard.ledger.current_books import open_books
from steelyard.ledger.event_rows import Row
from steelyard.ledger.journal import Journal
from steelyard.rules.numbers import DECIMAL18
from steelyard.simulation.journal_anew import compare_anew
from steelyard.simulation.journalling import KeptEvents
from steelyard.simulation.run import simulate
from support.journals import forge
from support.live_journals import live_fund
from support.random_runs import example_series, random_bars
from support.run_journals import audited, chained, forged

Bodies = list[dict[str, Any]]


def live_rows() -> list[Row]:
    """The journal of a live token's first ten hours."""
    memory = KeptEvents()
    live_fund(memory.append, DECIMAL18)
    return chained(memory.events)


def observed(bodies: Bodies) -> dict[str, Any]:
    """An observation at which something accrued."""
    return next(body for body in bodies[10:] if body["kind"] == "observed")


def names(kind: str, fund: str) -> Callable[[Bodies], None]:
    """A row of a kind that no package has, which readers list like the others."""
    return lambda bodies: bodies.insert(
        10, {"kind": kind, "fund": fund, "time": bodies[10]["time"], "note": "x"}
    )


FORGERIES: dict[str, tuple[Callable[[Bodies], object], str]] = {
    "a kind of several lines": (names("x\n 99  TEST", "TEST"), "expected names such as"),
    "a fund of several lines": (names("promised", "TEST\nFAKE"), "text that can be printed"),
    "a fund that moves the cursor": (names("promised", "\x1b[2J"), "text that can be printed"),
    "an outage as text": (lambda bodies: observed(bodies).update(out="true"), "out is 'true'"),
    "an outage as a number": (lambda bodies: observed(bodies).update(out=0), "out is 0"),
    "no array": (lambda bodies: observed(bodies).update(passed={}), "passed is {}"),
    "another beginning": (lambda bodies: bodies[0].update(time=0), "series row, 1970-01-01"),
    "a venue of no kind": (lambda bodies: bodies[0].update(venue="own"), "its venue is 'own'"),
    "a live fund by path": (lambda bodies: bodies[0].update(intrabar="path"), "by the clock"),
    "trades that are paid": (
        lambda bodies: observed(bodies)["inputs"][0].update(impact=["-5", "1000"]),
        "impact: expected a coefficient and a volume from 0",
    ),
    "a price with digits that are not kept": (
        lambda bodies: observed(bodies).update(price="1" * 900),
        "expected an amount",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_row_that_no_writer_writes_is_named(name: str) -> None:
    """The chain is whole, and the row is named with what is wrong with it."""
    change, reason = FORGERIES[name]
    rows = live_rows()
    assert audited(rows).ok
    verdict = audited(forged(rows, change))
    assert verdict.proofs["chain"].ok
    found = [each.why for proof in verdict.proofs.values() for each in proof.findings]
    assert any(reason in why for why in found), found


def test_a_fill_that_no_order_asked_for_is_named() -> None:
    """A venue's fill is a row of its own: one more beside what it made is none."""

    def change(bodies: Bodies) -> None:
        settled = next(body for body in bodies if body["kind"] == "settled")
        charges = dict.fromkeys(("fee", "spread", "impact", "gas"), "0")
        figures = {"price": "1", "units": "9", "notional": "9", "place": 0, "time": 0}
        rest = {"final": True, "goes_on": True, "why": None, "second": None}
        settled["fill"] = {"charges": charges, **figures, **rest}

    rules = audited(forged(live_rows(), change)).proofs["rules"]
    assert "a fill that no order of this row asked for" in str(rules.findings)


def test_a_last_row_that_cannot_be_read_does_not_end_the_proof() -> None:
    """What follows from the last row is looked at after it, and named like that of any other."""

    def cut(bodies: Bodies) -> None:
        last = bodies.index(observed(bodies))
        bodies[last]["came"][0]["fund"] = "ELSE"
        del bodies[last + 1 :]

    books = audited(forged(live_rows(), cut)).proofs["books"]
    assert books.ok is False
    assert "expected a fund of TEST, found 'ELSE'" in str(books.findings)


def test_a_live_fund_that_is_said_to_observe_inside_bars_is_stepped_again(file: Path) -> None:
    """No word in the series row keeps opening from asking what follows."""
    with open_writer(file) as writer:
        live_fund(writer.append, DECIMAL18)

    def change(bodies: Bodies) -> None:
        bodies[0]["intrabar"] = "path"
        [body for body in bodies if body["kind"] == "settled"][1]["cash"] = "1000000"

    forge(file, lambda rows: forged(rows, change))
    with Journal.open(file) as journal, pytest.raises(InvariantError, match="cash is 1000000"):
        open_books(journal)


def test_a_snapshot_that_no_row_names_is_not_gone_on_from(tmp_path: Path) -> None:
    """Bound to another row than a stop it proves nothing: the rows say where the fund stands."""
    path = tmp_path / "x.journal"
    run = simulate(
        example_series(), random_bars(2 * 96, seed=3, step_s=900), number=DECIMAL18, journal=path
    )
    with closing(sqlite3.connect(path)) as file, file:
        body = json.loads(file.execute("SELECT body FROM snapshot").fetchone()[0])
        body["funds"][0]["state"]["cash"] = "999999999"
        earlier = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1 OFFSET 1"
        seq, digest = file.execute(earlier).fetchone()
        values = seq, digest, canonical(body)
        file.execute("UPDATE snapshot SET seq = ?, hash = ?, body = ?", values)
    with Journal.open(path) as journal:
        assert open_books(journal)["BTC3L"].funds[0].state == run.state


def test_a_series_row_that_cannot_be_read_is_no_journal_to_make_anew() -> None:
    """Comparing with prices says which row is wrong, in the project's own error."""
    rows = forged(live_rows(), lambda bodies: bodies[0].pop("number"))
    with pytest.raises(DataError, match="series of TEST"):
        compare_anew(rows, random_bars(96, seed=3, step_s=900))


@pytest.mark.parametrize("text", ["8525.00000000000000000001", "9" * 400, "0.10000000000000001"])
def test_a_float_has_one_text(text: str) -> None:
    """What people read is the very figure that is reckoned with."""
    with pytest.raises(DataError, match="expected an amount"):
        float_of(text)
    assert amount_text(decimal_of(text)) == text


def test_words_of_a_journal_move_no_cursor() -> None:
    """A journal cannot write over what verify or show printed of it."""
    assert printable("a\x1b[2J\nb\u202ec é") == "a\\x1b[2J\\nb\\u202ec é"
