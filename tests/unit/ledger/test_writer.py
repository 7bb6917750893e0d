"""One writer at a time: a second is refused by name, and one that was replaced writes nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from steelyard.errors import DataError, InputError
from steelyard.ledger import Fenced, Journal, JournalError, Writer, open_writer
from support.journals import event, events, journal_of, tamper

WRITER = Path(__file__).resolve().parents[2] / "support" / "journal_writer.py"
WAIT_S = 120
"""For what takes a second: the end of a process or of a thread."""
STOPS = 12
PAUSE_S = 0.1
"""Between two appends of a process that is to be stopped there: a commit takes a tenth of it."""


@contextmanager
def writing(place: str, pause_s: float = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A process that writes the journal, which has acknowledged something."""
    command = [sys.executable, str(WRITER), place, "0", str(pause_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"open\n"
            assert process.stdout.readline().strip().isdigit()
            yield process
        finally:
            process.kill()


def test_a_second_writer_hears_of_the_first(place: str) -> None:
    """The message says who writes: the name, the process, the host and since when."""
    with open_writer(place, owner="keeper"):
        with pytest.raises(InputError) as caught:
            open_writer(place)
        message = str(caught.value)
        assert f"keeper, process {os.getpid()} on {socket.gethostname()} since 20" in message
        assert "is in use" in message
    with open_writer(place) as writer:
        writer.append(events(1))


def test_a_second_process_hears_of_the_first(place: str) -> None:
    """The same between processes; once the first has died, by whatever, a writer may open."""
    with writing(place) as process:
        with pytest.raises(InputError, match=f"process {process.pid} on"):
            open_writer(place)
        process.kill()
        process.wait(WAIT_S)
        with open_writer(place) as writer:
            writer.append([event(writer.head.size + 1)])


def test_without_locks_of_the_system_the_token_remains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a system has no such locks a second writer is not refused, and the first is fenced."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with open_writer(tmp_path / "a.journal") as first:
        first.append(events(1))
        with open_writer(tmp_path / "a.journal") as second:
            second.append([event(2)])
            with pytest.raises(Fenced):
                first.append([event(2)])


def test_tokens_only_grow(place: str) -> None:
    """Each writer's token is greater than all before it."""
    tokens = []
    for _ in range(3):
        with open_writer(place) as writer:
            tokens.append(writer.lease.token)
    assert tokens == [1, 2, 3]


def test_a_replaced_writer_is_refused(place: str) -> None:
    """It is told who took over, nothing of it is stored, and no third writer comes in."""
    first = open_writer(place, owner="old")
    first.append(events(2))
    second = open_writer(place, owner="new", take_over=True)
    second.append([event(3)])
    with pytest.raises(Fenced, match="new, process"):
        first.append([event(3), event(4)])
    with pytest.raises(JournalError, match="closed"):
        first.append([event(4)])
    with pytest.raises(InputError, match="new, process"):
        open_writer(place)
    second.append([event(4)])
    second.close()
    with Journal.open(place) as journal:
        assert [row.fields["n"] for row in journal.events()] == [1, 2, 3, 4]
        assert journal.verify().ok


@pytest.mark.parametrize("group", [1, 2])
def test_the_database_itself_refuses_an_old_token(place: str, group: int) -> None:
    """One event or a group of them, of an old token, with the right numbers and hashes."""
    first = open_writer(place)
    first.append(events(2))
    second = open_writer(place, take_over=True)
    with pytest.raises(Fenced):
        first.append([event(3 + n) for n in range(group)])
    assert second.head.size == 2
    with Journal.open(place) as journal:
        assert journal.head().size == 2
    second.close()


def test_a_replaced_writer_stores_no_snapshot(place: str) -> None:
    """Snapshots are fenced as events are."""
    first = open_writer(place)
    first.append(events(2))
    second = open_writer(place, take_over=True)
    with pytest.raises(Fenced):
        first.snapshot("BTC3L", {"cash": "1"})
    second.close()
    with Journal.open(place) as journal:
        assert journal.snapshot("BTC3L") is None


def replacing(place: str, process: subprocess.Popen[bytes]) -> Writer:
    """Stop the process and take its journal over.

    One that is stopped in the middle of a transaction keeps SQLite locked until it ends, and the
    successor is told so; then it is stopped at another moment.
    """
    for _ in range(STOPS):
        os.kill(process.pid, signal.SIGSTOP)
        try:
            return open_writer(place, owner="successor", take_over=True)
        except InputError as error:
            if "End that process" not in str(error):
                raise
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(PAUSE_S / 2)
    pytest.fail(f"stopped {STOPS} times, the process was in a transaction each time")


def test_a_stopped_process_that_goes_on_is_refused(place: str) -> None:
    """A writer that was stopped in its loop wakes up after a successor wrote: it ends, fenced."""
    with writing(place, PAUSE_S) as process, replacing(place, process) as writer:
        size = writer.head.size
        rows = writer.append([event(size + 1), event(size + 2)])
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate(timeout=WAIT_S)
        assert said.split()[-1] == b"fenced"
        assert process.returncode == 0
        rows += writer.append([event(size + 3)])
    with Journal.open(place) as journal:
        assert journal.verify().ok
        assert list(journal.events(size)) == rows


def test_writers_that_take_over_from_each_other_lose_nothing(place: str) -> None:
    """Four threads take over in turn while all write: what was acknowledged is there."""
    open_writer(place).close()
    count = 4
    acknowledged: list[bytes] = []
    opened: list[int] = []
    refused: list[int] = []
    ended: list[int] = []

    def write() -> None:
        for _ in range(6):
            writer = open_writer(place, take_over=True)
            opened.append(threading.get_ident())
            so_far = len(opened)
            try:
                for n in range(1, 40):
                    acknowledged.extend(row.hash for row in writer.append([event(n)]))
                # A thread that runs alone would never meet another writer: it waits for one.
                while len(opened) == so_far and len(ended) < count - 1:
                    time.sleep(0.001)
                acknowledged.extend(row.hash for row in writer.append([event(40)]))
            except Fenced:
                refused.append(threading.get_ident())
            writer.close()
        ended.append(threading.get_ident())

    threads = [threading.Thread(target=write, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in threads), f"a writer waits for over {WAIT_S} s"
    assert refused
    with Journal.open(place) as journal:
        verdict = journal.verify()
        stored = {row.hash for row in journal.events()}
    assert verdict.ok
    assert set(acknowledged) <= stored
    assert len(acknowledged) == len(set(acknowledged))


def test_a_journal_whose_last_event_was_changed_gets_no_writer(place: str) -> None:
    """Nothing is appended to a row that is not what its hash says, and nothing is mended."""
    journal_of(place, events(3))
    zeros = "decode(repeat('00', 32), 'hex')" if "postgresql" in place else "zeroblob(32)"
    tamper(place, "UPDATE {schema}event SET hash = " + zeros + " WHERE seq = 3")
    with Journal.open(place) as journal:
        before = list(journal.events())
    with pytest.raises(DataError, match="last event \\(3\\)"):
        open_writer(place)
    with Journal.open(place) as journal:
        assert list(journal.events()) == before


def test_a_failed_append_closes_the_writer(place: str) -> None:
    """After an error of the store the writer guesses nothing: what is stored is read anew."""
    writer: Writer = open_writer(place)
    writer.append(events(2))
    writer._head = writer._head._replace(size=0)  # as no writer can: the number is taken
    with pytest.raises(Exception, match="exists already"):
        writer.append([event(1)])
    with pytest.raises(JournalError, match="closed"):
        writer.append([event(3)])
    with open_writer(place) as again:
        assert again.head.size == 2
