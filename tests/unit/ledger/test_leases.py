"""The lease of a keeper, and the table in which others ask it for something."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steelyard.errors import Fenced, InputError
from steelyard.ledger import Event, Journal, open_writer
from steelyard.ledger.leases import LASTS_MS, RowLease, lease_held, take_lease
from steelyard.ledger.requests import Requests

ALARM = Event(1_000, "TEST", "alarm", {"name": "a", "is_on": True, "why": "b"})


def test_a_journal_has_one_keeper_and_readers_are_never_locked_out(place: str) -> None:
    """A second keeper is told who holds it; a reader reads; after the release another takes it."""
    lease = take_lease(place, "first")
    assert lease.renew() == LASTS_MS
    with pytest.raises(InputError, match="first"):
        take_lease(place, "second")
    lease.writer.append([ALARM])
    with Journal.open(place) as journal:
        assert journal.head().size == 1
    lease.release()
    again = take_lease(place, "second")
    assert again.writer.lease.token > lease.writer.lease.token
    again.release()


def test_who_holds_a_journal_is_told_while_somebody_does(place: str) -> None:
    """Name, process and since when; an end only where a database's clock sets one."""
    lease = take_lease(place, "first")
    found = lease_held(place)
    assert found is not None
    assert found.holder == f"first, process {os.getpid()} on {socket.gethostname()}"
    assert found.since == lease.writer.lease.owner.since
    assert (found.until is None) is not place.startswith("postgresql://")
    with pytest.raises(InputError, match=found.holder) as refused:
        take_lease(place, "second")
    assert ("as long as it runs" in str(refused.value)) is (found.until is None)
    assert found.since in str(refused.value)
    lease.release()
    assert lease_held(place) is None


def test_whoever_looks_at_a_lease_keeps_nobody_from_taking_it(file: Path) -> None:
    """Others look again and again while keepers take it and give it up."""
    take_lease(file, "first").release()
    code = (
        "import sys; from pathlib import Path; from steelyard.ledger.lock import is_locked\n"
        "print(flush=True)\nwhile True: is_locked(Path(sys.argv[1]))"
    )
    looks = [sys.executable, "-c", code, f"{file}-writer"]
    with subprocess.Popen(looks, stdout=subprocess.PIPE) as looking:
        assert looking.stdout is not None
        looking.stdout.readline()
        try:
            for _ in range(50):
                take_lease(file, "next").release()
        finally:
            looking.kill()


def test_a_keeper_that_was_replaced_hears_it_and_can_write_no_more(place: str) -> None:
    """Its lease is lost at the next renewal, and its next append is refused."""
    lease = take_lease(place, "first")
    with open_writer(place, owner="second", take_over=True):
        assert not lease.writer.is_current()
        with pytest.raises(Fenced):
            lease.writer.append([ALARM])
    lease.release()


def test_a_lease_in_a_row_ends_by_the_clock_of_the_database(postgres: str) -> None:
    """A keeper that hangs is replaced once its lease is over, and its renewal then fails."""
    hanging = RowLease(postgres, "first", lasts_ms=300)
    with pytest.raises(InputError, match="until"):
        take_lease(postgres, "second")
    time.sleep(0.4)
    successor = take_lease(postgres, "second")
    assert hanging.renew() is None
    with pytest.raises(Fenced):
        hanging.writer.append([ALARM])
    hanging.release()
    successor.writer.append([ALARM])
    successor.release()


def test_a_lease_that_nobody_took_meanwhile_goes_on(postgres: str) -> None:
    """A renewal that comes late is no loss where the row is still this keeper's."""
    lease = RowLease(postgres, "first", lasts_ms=100)
    time.sleep(0.2)
    assert lease.renew() == 100
    lease.release()


def test_requests_are_told_in_order_once_by_their_key(place: str) -> None:
    """While a keeper holds the journal; the same key with other content is refused."""
    lease = take_lease(place, "keeper")
    with Requests(place) as asking, Requests(place) as reading:
        asking.ask("k1", "TEST", "operator", "inject", {"amount": "5", "kind": "capital"})
        asking.ask("k2", "TEST", "operator", "pause", {})
        asking.ask("k1", "TEST", "operator", "inject", {"amount": "5", "kind": "capital"})
        lease.writer.append([ALARM])
        found = reading.after(0)
        assert [(each.key, each.what) for each in found] == [("k1", "inject"), ("k2", "pause")]
        assert found[0].content == {"amount": "5", "kind": "capital"}
        assert reading.after(found[0].number) == found[1:]
        with pytest.raises(InputError, match="k1"):
            asking.ask("k1", "TEST", "operator", "inject", {"amount": "6", "kind": "capital"})
    lease.release()


def test_who_asks_in_another_process_leaves_the_log_of_a_writer_that_reads_too(file: Path) -> None:
    """A keeper opens its own journal to read it while it writes, as others ask it and leave."""
    code = (
        "import sys; from steelyard.ledger.requests import Requests\n"
        "with Requests(sys.argv[1]) as requests: requests.ask('k', 'TEST', 'me', 'pause', {})"
    )
    with open_writer(file) as writer, Requests(file) as requests:
        writer.append([ALARM])
        for size in (1, 2, 3):
            with Journal.open(file) as journal:
                assert journal.head().size == size
            subprocess.run([sys.executable, "-c", code, str(file)], check=True)
            assert [each.key for each in requests.after(0)] == ["k"]
            writer.append([ALARM])
