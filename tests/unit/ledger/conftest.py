"""Where a test's journal is, a SQLite file or a PostgreSQL database; and no test waits for ever."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

LONGEST_S = 600 * max(1, int(os.environ.get("STEELYARD_TEST_KILLS", "20")) // 20)
"""A test of processes, locks and servers ends before that, with what it starts."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that waits for something that does not come, and say where it waits."""

    def stop(*_: object) -> None:
        pytest.fail(f"{item.nodeid} has not ended after {LONGEST_S} s: it waits in the line above")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S, 60)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


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
