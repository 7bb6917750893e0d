"""``steelyard journal``: show, verify, export, head, key; exit codes and what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steelyard.ledger import Event, Journal
from support.check_script import run_check
from support.journals import T0_MS, event, execute, forge, journal_of

Run = Callable[..., Any]

SERIES = """symbol = "BTC3L"
underlying = "BTC"
quote = "USD"
target_leverage = 3.0

[[rebalance.trigger]]
when = "band"
lower = 2.5
upper = 3.5
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of 60 tries of two funds, and a note."""
    path = tmp_path / "a.journal"
    given = [event(n, ("BTC3L", "price:BTC")[n % 2]) for n in range(1, 60)]
    begins = {"text": SERIES, "number": "float"}
    given.append(Event(T0_MS + 60_000, "BTC3L", "series", begins))
    journal_of(path, given)
    return path


def test_show_prints_a_table(steelyard: Run, journal: Path) -> None:
    """Number, time, fund and what happened; and how to see more."""
    result = steelyard("journal", "show", journal)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[1].split() == ["seq", "time", "(UTC)", "fund", "what"]
    assert lines[2].split(None, 4) == [
        "1", "2025-11-24", "16:00:01", "BTC", "tried: cash 0.125, n 1",
    ]  # fmt: skip
    assert len(lines) == 53
    assert "--after 50 continues" in result.err


def test_show_in_full_prints_kinds_and_fields(steelyard: Run, journal: Path) -> None:
    """Every field by its name."""
    lines = steelyard("journal", "show", journal, "--full").out.splitlines()
    assert lines[1].split() == ["seq", "time", "(UTC)", "fund", "kind", "what"]
    assert lines[2].split(None, 5)[-2:] == ["tried", "cash 0.125, n 1"]


def test_show_filters(steelyard: Run, journal: Path) -> None:
    """By fund, kind, time, number; the last ones; as JSON."""

    def numbers(*options: str) -> list[int]:
        result = steelyard("journal", "show", journal, "--json", "--limit", "100", *options)
        assert result.code == 0
        return [one["seq"] for one in json.loads(result.out)["events"]]

    assert numbers() == list(range(1, 61))
    assert numbers("--fund", "BTC3L") == [*range(2, 60, 2), 60]
    assert numbers("--fund", "BTC3L", "--fund", "price:BTC") == list(range(1, 61))
    assert numbers("--kind", "series") == [60]
    assert numbers("--after", "57") == [58, 59, 60]
    assert numbers("--last", "2") == [59, 60]
    assert numbers("--since", "2025-11-24T16:00:58Z") == [58, 59, 60]
    assert numbers("--until", "2025-11-24T16:00:03Z") == [1, 2]


def test_show_as_json_is_one_object(steelyard: Run, journal: Path) -> None:
    """Every event with its time as ISO 8601, its fields and its hash."""
    result = steelyard("journal", "show", journal, "--limit", "1", "--json")
    with Journal.open(journal) as opened:
        row = next(opened.events())
    assert json.loads(result.out) == {
        "schema": 1,
        "journal": str(journal),
        "events": [
            {
                "seq": 1,
                "time": "2025-11-24T16:00:01Z",
                "fund": "price:BTC",
                "kind": "tried",
                "fields": {"n": 1, "cash": "0.125"},
                "hash": row.hash.hex(),
            }
        ],
        "more": True,
    }


def test_show_of_nothing(steelyard: Run, journal: Path) -> None:
    """It says so."""
    assert "no events match" in steelyard("journal", "show", journal, "--kind", "mark").out


def test_show_of_a_fund_that_is_not_there(steelyard: Run, journal: Path) -> None:
    """Exit code 2, and the funds that there are."""
    result = steelyard("journal", "show", journal, "--fund", "NOPE")
    assert (result.code, result.out) == (2, "")
    assert "a.journal (BTC3L, price:BTC), found 'NOPE'." in " ".join(result.err.split())
    assert steelyard("journal", "show", journal, "--fund", "BTC3L", "--after", "99").code == 0


def test_show_of_a_kind_that_is_none(steelyard: Run, journal: Path) -> None:
    """Exit code 2, and the kind that was meant."""
    result = steelyard("journal", "show", journal, "--kind", "setled")
    assert (result.code, result.out) == (2, "")
    assert 'Did you mean "settled"?' in " ".join(result.err.split())


def test_verify_of_a_whole_journal(steelyard: Run, journal: Path) -> None:
    """Exit code 0, and each proof said apart.

    What is not checked are the tries, and which program wrote the series row, which does not say.
    """
    result = steelyard("journal", "verify", journal)
    assert result.code == 0
    assert "yes: the chain is whole" in result.out
    assert "yes: the books add up" in result.out
    assert "yes: the rules were kept, 60 times not checked" in result.out
    figures = json.loads(steelyard("journal", "verify", journal, "--json").out)
    assert list(figures) == ["schema", "events", "head", "chain", "books", "rules"]
    assert figures["events"] == 60


def test_verify_of_a_changed_journal(steelyard: Run, journal: Path) -> None:
    """Exit code 5, the event and the reason; no talk of a bug in the program."""
    forge(journal, lambda rows: [*rows[:10], *rows[11:]])
    result = steelyard("journal", "verify", journal)
    assert result.code == 5
    assert "event 11: event 11 is missing" in result.out
    assert "invariant of the program" not in result.err
    figures = json.loads(steelyard("journal", "verify", journal, "--json").out)
    assert figures["chain"] == {"ok": False, "at": 11, "why": "event 11 is missing"}


def test_verify_of_a_damaged_file(steelyard: Run, journal: Path) -> None:
    """A page of events that cannot be read: exit code 5, and after which event; no byte changes."""
    whole = journal.read_bytes()
    size = 4_096
    codes = []
    for page in range(1, len(whole) // size):
        damaged = bytearray(whole)
        damaged[page * size : (page + 1) * size] = b"\xff" * size
        journal.write_bytes(damaged)
        result = steelyard("journal", "verify", journal, "--json")
        codes.append(result.code)
        figures = json.loads(result.out)
        why = figures["chain"]["why"]
        assert result.code == (0 if why is None else 5)
        # what could not be read was not proved
        assert figures["books"]["ok"] is figures["rules"]["ok"] is (True if why is None else None)
        assert why is None or "the file is damaged" in why
        assert journal.read_bytes() == bytes(damaged)
    assert 5 in codes


def test_verify_in_postgres(steelyard: Run, postgres: str) -> None:
    """A URL is verified as a file is."""
    journal_of(postgres, [event(1), event(2)])
    assert steelyard("journal", "verify", postgres).code == 0
    execute(postgres, "DROP TRIGGER event_is_never_changed ON {schema}event")
    execute(postgres, "UPDATE {schema}event SET fund = 'X' WHERE seq = 2")
    result = steelyard("journal", "verify", postgres)
    assert result.code == 5
    assert "event 2: its columns differ from its body" in result.out


def test_export_and_verify(steelyard: Run, journal: Path, tmp_path: Path) -> None:
    """An export in JSON lines is verified by the command and by the stand-alone script."""
    out = tmp_path / "a.jsonl"
    result = steelyard("journal", "export", journal, "--out", out, "--json")
    with Journal.open(journal) as opened:
        digest = opened.head().hash.hex()
    assert json.loads(result.out) == {
        "schema": 1, "out": str(out), "format": "jsonl", "events": 60, "head": digest,
    }  # fmt: skip
    assert steelyard("journal", "verify", out).code == 0
    assert run_check(out).returncode == 0
    out.write_bytes(out.read_bytes()[:-20])
    result = steelyard("journal", "verify", out)
    assert result.code == 3
    assert "line 60: expected a line" in result.err
    for name in ("a.csv", "a.parquet"):
        assert steelyard("journal", "export", journal, "--out", tmp_path / name).code == 0
        assert (tmp_path / name).stat().st_size > 1_000


def test_export_refuses_what_it_cannot_write(steelyard: Run, journal: Path) -> None:
    """Another format, a folder that is not there: wrong usage, and nothing is written."""
    assert steelyard("journal", "export", journal, "--out", "a.xlsx").code == 2
    assert steelyard("journal", "export", journal, "--out", "none/a.csv").code == 2
    result = steelyard("journal", "export", "none.journal", "--out", "a.csv")
    assert (result.code, Path("a.csv").exists()) == (3, False)


def test_a_signed_head(steelyard: Run, journal: Path) -> None:
    """A key is made, a head is signed, and it finds a cut tail later."""
    made = steelyard("journal", "key", "new", "a.key", "--name", "example.com/a")
    public = made.out.strip()
    assert Path("a.key").stat().st_mode & 0o777 == 0o600
    assert Path("a.key.pub").read_text().strip() == public
    assert steelyard("journal", "key", "new", "a.key", "--name", "example.com/a").code == 3
    note = steelyard("journal", "head", journal, "--key", "a.key").out
    assert note.startswith("example.com/a\n60\n")
    Path("head.txt").write_text(note, encoding="utf-8")
    check = ("journal", "verify", journal, "--head", "head.txt", "--key")
    assert steelyard(*check, public).code == 0
    assert steelyard(*check, "a.key.pub").code == 0
    steelyard("journal", "key", "new", "b.key", "--name", "example.com/a")
    result = steelyard(*check, "b.key.pub")
    assert result.code == 3
    assert "another key's" in result.err
    forge(journal, lambda rows: rows[:50])
    assert steelyard("journal", "verify", journal).code == 0
    result = steelyard(*check, public)
    assert result.code == 5
    assert "its tail was cut off" in result.out


def test_a_head_without_a_key(steelyard: Run, journal: Path) -> None:
    """Size and hash, with a remark that it is not signed."""
    with Journal.open(journal) as opened:
        digest = opened.head().hash.hex()
    result = steelyard("journal", "head", journal)
    assert result.out == f"60\n{digest}\n"
    assert "not signed" in result.err
    figures = json.loads(steelyard("journal", "head", journal, "--json").out)
    assert figures == {"schema": 1, "origin": None, "size": 60, "hash": digest, "note": None}


def test_a_key_that_others_can_read_signs_nothing(steelyard: Run, journal: Path) -> None:
    """Exit code 3, before the journal is read."""
    steelyard("journal", "key", "new", "a.key", "--name", "example.com/a")
    Path("a.key").chmod(0o644)
    result = steelyard("journal", "head", journal, "--key", "a.key")
    assert (result.code, result.out) == (3, "")
    assert "0644" in result.err


def test_a_head_needs_its_key(steelyard: Run, journal: Path) -> None:
    """One without the other is wrong usage; a head that is not there is wrong input."""
    assert steelyard("journal", "verify", journal, "--head", "a.txt").code == 2
    assert steelyard("journal", "verify", journal, "--key", "a").code == 2
    steelyard("journal", "key", "new", "a.key", "--name", "example.com/a")
    result = steelyard("journal", "verify", journal, "--head", "a.txt", "--key", "a.key.pub")
    assert result.code == 3


@pytest.mark.parametrize("name", ["show", "verify", "head"])
def test_what_is_no_journal(steelyard: Run, name: str, tmp_path: Path) -> None:
    """No file, a folder, another file: 3; a URL that does not answer: 4; without its password."""
    (tmp_path / "prices.csv").write_text("time,price\n")
    for where in ("none", tmp_path, "prices.csv"):
        result = steelyard("journal", name, where)
        assert (result.code, result.out) == (3, "")
        assert "expected a journal" in result.err
    result = steelyard("journal", name, "postgresql://keeper:secret@127.0.0.1:1/funds")
    assert (result.code, result.out) == (4, "")
    assert "secret" not in result.err


@pytest.mark.parametrize("option", ["--start", "--end"])
def test_verify_refuses_a_span(steelyard: Run, journal: Path, option: str) -> None:
    """A journal says over which time it is; a part of it cannot be made anew from its middle."""
    result = steelyard("journal", "verify", journal, "--prices", "BTC", option, "2021-01-01")
    assert result.code == 2
    assert f"{option}: expected none: the journal determines it." in result.err
