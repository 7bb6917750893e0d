"""The page on the journal is complete: every kind, field and method."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

from steelyard.ledger import Journal
from steelyard.ledger.canonical_json import MAX_BODY_BYTES, MAX_DEPTH
from steelyard.ledger.store import PAGE_ROWS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "journal.md"
TABLE = "from steelyard.ledger.kinds_table import kinds_table; print(kinds_table())"


def test_the_table_of_kinds_is_the_registry() -> None:
    """Each kind that packages register, with its meaning and fields; none of a test."""
    command = [sys.executable, "-c", f"import steelyard.ledger; {TABLE}"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    written = PAGE.read_text(encoding="utf-8").partition("kinds_table -->\n")[2]
    assert written.partition("<!-- end of kinds -->")[0] == table


def test_every_method_of_a_journal_is_there() -> None:
    """With its arguments as they are."""
    page = PAGE.read_text(encoding="utf-8")
    for name in ("head", "events", "funds", "snapshot", "verify"):
        parameters = list(inspect.signature(getattr(Journal, name)).parameters.values())[1:]
        empty = inspect.Parameter.empty
        words = [p.name if p.default is empty else f"{p.name}={p.default!r}" for p in parameters]
        assert f"`{name}({', '.join(words)})`" in page


def test_the_limits_are_those_of_the_code() -> None:
    """Bytes of a body, its depth, rows of a page."""
    page = PAGE.read_text(encoding="utf-8")
    assert f"{MAX_BODY_BYTES // 2**20} MiB" in page
    assert f"at most {MAX_DEPTH} objects" in page
    assert f"a page of {PAGE_ROWS:,}" in page


def test_importing_the_journal_loads_no_database_and_no_frames() -> None:
    """Each of them is imported where it is needed: a SQLite journal needs none."""
    heavy = "{'cryptography', 'numpy', 'pandas', 'psycopg', 'pyarrow', 'rich'}"
    code = f"import steelyard.ledger, sys; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
