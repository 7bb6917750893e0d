"""Where a test's journal is: a SQLite file, or a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a journal that is not there yet."""
    return tmp_path / "test.journal"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a journal, of each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "test.journal")
    url: str = request.getfixturevalue("postgres")
    return url
