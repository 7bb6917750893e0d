"""Verify: what was done to a journal is found, at its row and with its reason."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.ledger import GENESIS, Finding, Head, Journal, Proof, Row, link, verify_rows
from steelyard.ledger.event_rows import sealed
from steelyard.ledger.exports import export_line
from steelyard.ledger.proofs import MAX_FINDINGS
from support.check_script import run_check
from support.journals import event, events, forge, journal_of, tamper

COUNT = 12


def chained(count: int = COUNT) -> list[Row]:
    """The rows of a journal of so many events."""
    rows, head = [], Head(0, GENESIS)
    for one in events(count):
        rows.append(sealed(one, head))
        head = Head(rows[-1].seq, rows[-1].hash)
    return rows


def rewritten(row: Row, **changes: object) -> Row:
    """The row with another body, its hash left as it was."""
    body = {**orjson.loads(row.body), **changes}
    return row._replace(body=orjson.dumps(body, option=orjson.OPT_SORT_KEYS))


def rehashed(rows: list[Row]) -> list[Row]:
    """The rows with right hashes, as a forger makes them."""
    done, previous = [], GENESIS
    for row in rows:
        previous = link(previous, row.body)
        done.append(row._replace(hash=previous))
    return done


def at(seq: int, change: Callable[[Row], Row]) -> Callable[[list[Row]], list[Row]]:
    """A change of one row."""
    return lambda rows: [change(row) if row.seq == seq else row for row in rows]


def swapped(rows: list[Row]) -> list[Row]:
    """Rows 5 and 6, each in the other's place."""
    return [*rows[:4], rows[5], rows[4], *rows[6:]]


OF_ROWS = {
    "an amount": (at(5, lambda row: rewritten(row, cash="9")), 5, "was changed"),
    "a sign": (at(5, lambda row: rewritten(row, cash="-0.625")), 5, "was changed"),
    "a time": (at(5, lambda row: rewritten(row, time=row.time_ms + 1)), 5, ""),
    "a fund": (at(5, lambda row: rewritten(row, fund="ETH2X")), 5, ""),
    "a kind": (at(5, lambda row: rewritten(row, kind="series")), 5, ""),
    "a hash": (at(5, lambda row: row._replace(hash=bytes(32))), 5, "was changed"),
    "a field more": (at(5, lambda row: rewritten(row, more="1")), 5, "was changed"),
    "a float": (at(5, lambda row: rewritten(row, cash=9.5)), 5, "canonical"),
    "white space": (
        at(5, lambda row: row._replace(body=row.body.replace(b":", b": ", 1))),
        5,
        "canonical",
    ),
    "a key twice": (
        at(5, lambda row: row._replace(body=b'{"cash":"9",' + row.body[1:])),
        5,
        "canonical",
    ),
    "a row with its own right hash": (
        lambda rows: at(5, lambda row: rehashed([*rows[:4], rewritten(row, cash="9")])[4])(rows),
        6,
        "event 5",
    ),
    "a row dropped": (lambda rows: [*rows[:4], *rows[5:]], 5, "event 5 is missing"),
    "three rows dropped": (lambda rows: [*rows[:4], *rows[7:]], 5, "events 5 to 7 are missing"),
    "the first row dropped": (lambda rows: rows[1:], 1, "event 1 is missing"),
    "dropped and hashed anew": (
        lambda rows: rehashed([*rows[:4], *rows[5:]]),
        5,
        "event 5 is missing",
    ),
}
IN_ORDER = {
    **OF_ROWS,
    "a row doubled": (lambda rows: [*rows[:5], *rows[4:]], 5, "more than once"),
    "two rows swapped": (swapped, 5, "out of order"),
    "all reversed": (lambda rows: rows[::-1], 1, "out of order"),
}
WITH_HEAD = {
    "a tail cut": (lambda rows: rows[:8], 9, "cut off"),
    "a tail rewritten with right hashes": (
        lambda rows: rehashed(at(10, lambda row: rewritten(row, cash="9"))(rows)),
        12,
        "were rewritten",
    ),
    "all rewritten with right hashes": (
        lambda rows: rehashed(at(1, lambda row: rewritten(row, cash="9"))(rows)),
        12,
        "were rewritten",
    ),
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_what_was_done_to_an_export_is_named(name: str, tmp_path: Path) -> None:
    """The first thing that is wrong, by number and reason; the stand-alone script says no too."""
    change, seq, words = IN_ORDER[name]
    rows = change(chained())
    if name not in {"a time", "a fund", "a kind"}:  # columns that an export does not have
        chain = verify_rows(rows).proofs["chain"]
        assert (chain.ok, chain.at) == (False, seq)
        assert chain.why is not None
        assert words in chain.why
    path = tmp_path / "export.jsonl"
    path.write_bytes(b"".join(map(export_line, rows)))
    assert run_check(path).returncode == 1


@pytest.mark.parametrize("name", OF_ROWS)
def test_what_was_done_to_a_file_is_named(name: str, file: Path) -> None:
    """The same in a SQLite journal, by somebody who may write the file."""
    change, seq, words = OF_ROWS[name]
    journal_of(file, events(COUNT))
    forge(file, change)
    with Journal.open(file) as journal:
        verdict = journal.verify()
    chain = verdict.proofs["chain"]
    assert not verdict.ok
    assert chain.at == seq
    assert chain.why is not None
    assert words in chain.why


@pytest.mark.parametrize("name", WITH_HEAD)
def test_what_only_a_head_can_find(name: str, tmp_path: Path) -> None:
    """A cut tail and a chain made anew look whole by themselves, and not beside a head."""
    change, seq, words = WITH_HEAD[name]
    head = Head(COUNT, chained()[-1].hash)
    rows = change(chained())
    assert verify_rows(rows).ok
    chain = verify_rows(rows, head=head).proofs["chain"]
    assert (chain.ok, chain.at) == (False, seq)
    assert chain.why is not None
    assert words in chain.why
    path, note = tmp_path / "export.jsonl", tmp_path / "head.txt"
    path.write_bytes(b"".join(map(export_line, rows)))
    root = base64.b64encode(head.hash).decode()
    note.write_text(f"example.com/a\n{head.size}\n{root}\n\n\u2014 example.com/a AAAA\n")
    assert run_check(path).returncode == 0
    assert run_check(path, "--head", note).returncode == 1


@pytest.mark.parametrize(("column", "value"), [("time", "0"), ("fund", "'X'"), ("kind", "'X'")])
def test_a_column_that_is_not_what_the_body_says(place: str, column: str, value: str) -> None:
    """Columns are not hashed, so they are compared with the body: in both stores."""
    journal_of(place, events(COUNT))
    tamper(place, "UPDATE {schema}event SET " + f"{column} = {value} WHERE seq = 5")
    with Journal.open(place) as journal:
        chain = journal.verify().proofs["chain"]
    assert [finding.seq for finding in chain.findings] == [5]
    assert f"{column} is" in str(chain.why)


def test_bodies_that_changed_places_are_both_named(file: Path) -> None:
    """Rows 5 and 6 of a file with each other's body and hash."""

    def change(rows: list[Row]) -> list[Row]:
        a, b = rows[4], rows[5]
        rows[4] = a._replace(body=b.body, hash=b.hash)
        rows[5] = b._replace(body=a.body, hash=a.hash)
        return rows

    journal_of(file, events(COUNT))
    forge(file, change)
    with Journal.open(file) as journal:
        found = journal.verify().proofs["chain"].findings
    assert [finding.seq for finding in found] == [5, 6]
    assert "seq is 5 and 6 in the body" in found[0].why


@pytest.mark.parametrize("seq", [0, -7, 2**62])
def test_a_row_with_a_number_that_no_event_has(file: Path, seq: int) -> None:
    """It is not passed over, wherever it sorts."""
    journal_of(file, events(COUNT))
    forge(file, lambda rows: [*rows, rows[3]._replace(seq=seq)])
    with Journal.open(file) as journal:
        verdict = journal.verify()
    assert not verdict.ok
    assert seq in {finding.seq for finding in verdict.proofs["chain"].findings}


def test_several_changes_are_all_named() -> None:
    """What stands after a change is judged by itself."""
    rows = chained(60)
    for seq in (50, 31, 12):
        rows = at(seq, lambda row: rewritten(row, cash="9"))(rows)
    rows = [*rows[:19], *rows[21:]]
    found = verify_rows(rows).proofs["chain"].findings
    assert [finding.seq for finding in found] == [12, 20, 31, 50]


@given(st.data())
def test_no_single_change_of_a_byte_is_missed(data: st.DataObject) -> None:
    """Any byte of any body or hash, changed to any other: never whole."""
    rows = chained(6)
    place = data.draw(st.integers(0, 5))
    row = rows[place]
    part = data.draw(st.sampled_from(["body", "hash"]))
    raw = bytearray(getattr(row, part))
    where = data.draw(st.integers(0, len(raw) - 1))
    raw[where] ^= data.draw(st.integers(1, 255))
    rows[place] = row._replace(**{part: bytes(raw)})
    assert not verify_rows(rows).ok


@given(st.permutations(range(7)))
def test_no_other_order_is_whole(order: list[int]) -> None:
    """Only the order in which they were written holds."""
    rows = chained(7)
    assert verify_rows([rows[n] for n in order]).ok is (order == sorted(order))


@given(st.lists(st.integers(0, 6), max_size=9))
def test_no_other_selection_is_whole(chosen: list[int]) -> None:
    """Any rows, any number of times: whole only if they are the first ones in order."""
    rows = chained(7)
    assert verify_rows([rows[n] for n in chosen]).ok is (chosen == list(range(len(chosen))))


def test_a_head_of_a_time_before_holds_for_a_longer_journal() -> None:
    """A journal that went on since is the one that the head is of; so is one of no events."""
    rows = chained()
    for size in (1, 5, COUNT):
        assert verify_rows(rows, head=Head(size, rows[size - 1].hash)).ok
    assert verify_rows(rows, head=Head(0, GENESIS)).ok
    assert not verify_rows(rows, head=Head(0, bytes(31) + b"1")).ok


def test_findings_are_bounded() -> None:
    """A journal in which nothing is right names so many rows, and takes no longer for it."""
    rows = chained(3 * MAX_FINDINGS)
    wrong = [row._replace(hash=bytes(32)) for row in rows]
    assert len(verify_rows(wrong).proofs["chain"].findings) == MAX_FINDINGS
    mixed = rows[1::2] + rows[::2]
    assert len(verify_rows(mixed).proofs["chain"].findings) <= 2 * MAX_FINDINGS


class Counted:
    """A check as another package brings it: of the books."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, object]] = []

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Remember the row."""
        self.seen.append((row.seq, None if body is None else body["n"]))

    def proofs(self) -> dict[str, Proof]:
        """Find fault with the third."""
        found = (Finding(3, "cash 1, expected 2"),)
        return {"books": Proof(False, found, {"checked": len(self.seen)})}


def test_other_packages_add_what_they_prove() -> None:
    """A check sees each row once, in order, and its proof stands beside the chain's."""
    check = Counted()
    rows = at(2, lambda row: row._replace(body=b"{"))(chained(3))
    verdict = verify_rows(rows, checks=[check])
    assert check.seen == [(1, 1), (2, None), (3, 3)]
    assert verdict.as_json()["books"] == {
        "ok": False,
        "at": 3,
        "why": "cash 1, expected 2",
        "checked": 3,
    }
    assert verdict.as_json()["rules"] == {"ok": None, "at": None, "why": "not checked"}


def test_the_object_is_that_of_the_specification() -> None:
    """``verify --json``: schema, events, head, chain, books, rules."""
    rows = chained(3)
    assert verify_rows(rows).as_json() == {
        "schema": 1,
        "events": 3,
        "head": rows[-1].hash.hex(),
        "chain": {"ok": True, "at": None, "why": None},
        "books": {"ok": None, "at": None, "why": "not checked"},
        "rules": {"ok": None, "at": None, "why": "not checked"},
    }


def test_event_of_a_test_is_what_it_seems() -> None:
    """The rows that these tests forge are those that a writer would have written."""
    assert sealed(event(1), Head(0, GENESIS)) == chained(1)[0]
