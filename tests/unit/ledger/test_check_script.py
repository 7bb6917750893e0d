"""The script for holders: the standard library alone, and it says what verify says."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from steelyard.ledger import Journal, open_writer
from steelyard.ledger.exports import write_export
from support.check_script import SCRIPT, run_check
from support.journals import event, journal_of


def export_of(folder: Path, count: int) -> Path:
    """An export with letters of all kinds in it."""
    letters = 'é\u2028\u2029\x00\x1f\x7f"\\/\b\t\n\f\r\U0001f600\ufeff'
    file, out = folder / "a.journal", folder / "a.jsonl"
    journal_of(file, [event(n, "ÉTH-2x", note=letters) for n in range(1, count + 1)])
    with Journal.open(file) as journal:
        write_export(journal.events(), out, "jsonl")
    return out


def test_it_is_short_and_needs_nothing() -> None:
    """At most 150 lines, and no import from outside the standard library."""
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names


def test_a_whole_export_is_whole(tmp_path: Path) -> None:
    """It prints the number of lines and the last hash, which is the journal's."""
    out = export_of(tmp_path, 30)
    with Journal.open(tmp_path / "a.journal") as journal:
        digest = journal.head().hash.hex()
    done = run_check(out)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"30 lines, last hash {digest}\nthe chain is whole\n"


def test_each_changed_line_is_named(tmp_path: Path) -> None:
    """By its place in the file and the event's number."""
    out = export_of(tmp_path, 30)
    lines = out.read_bytes().splitlines(keepends=True)
    lines[6] = lines[6].replace(b'"cash":"0.875"', b'"cash":"0.876"')
    lines[20:22] = lines[21:19:-1]
    out.write_bytes(b"".join(lines))
    done = run_check(out)
    assert done.returncode == 1
    assert "line 7: event 7 or the one before it was changed" in done.stdout
    assert "line 21: expected event 21, found 22" in done.stdout


def test_a_cut_line_is_no_export(tmp_path: Path) -> None:
    """A file that ends inside a line, an empty one, a missing one, another file: exit code 2."""
    out = export_of(tmp_path, 3)
    whole = out.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for end in range(len(whole) - last + 1, len(whole)):
        out.write_bytes(whole[:end])
        if not (len(whole) - end) % 17 or end == len(whole) - 1:
            done = run_check(out)
            assert done.returncode == 2
            assert "line 3" in done.stderr
    for text in (b"", b"time,open\n", b"\x00" * 200):
        out.write_bytes(text)
        assert run_check(out).returncode == 2
    assert run_check(tmp_path / "none").returncode == 2


def test_a_tail_that_was_cut_is_whole_without_a_head(tmp_path: Path) -> None:
    """Which is why heads are published: lines that are gone leave no trace in the rest."""
    out = export_of(tmp_path, 5)
    out.write_bytes(b"".join(out.read_bytes().splitlines(keepends=True)[:3]))
    assert run_check(out).returncode == 0


def test_an_export_goes_on(tmp_path: Path) -> None:
    """A later export of the same journal starts with the earlier one, byte by byte."""
    out = export_of(tmp_path, 5)
    early = out.read_bytes()
    with open_writer(tmp_path / "a.journal") as writer:
        writer.append([event(6)])
    with Journal.open(tmp_path / "a.journal") as journal:
        write_export(journal.events(), out, "jsonl")
    assert out.read_bytes().startswith(early)
    assert run_check(out).returncode == 0
