"""A journal in SQLite and in PostgreSQL: what is appended is there, in order, for any reader."""

from __future__ import annotations

import sqlite3
import time
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.ledger import GENESIS, Head, Journal, JournalError, Snapshot, link, open_writer
from steelyard.ledger.store import PAGE_ROWS
from support.journals import T0_MS, event, events, execute, journal_of
from support.postgres import url_of

REFUSED = (sqlite3.IntegrityError, psycopg.errors.RaiseException)
FUNDS = ("BTC3L", "BTC3S", "ETH2X", "price:BTC")


def test_an_empty_journal_has_a_head(place: str) -> None:
    """No events, and 32 zero bytes as the hash before the first."""
    with open_writer(place) as writer:
        assert writer.head == Head(0, GENESIS)
        assert writer.append([]) == []
    with Journal.open(place) as journal:
        assert journal.head() == Head(0, bytes(32))
        assert list(journal.events()) == []
        assert journal.funds() == []


def test_events_are_numbered_and_chained(place: str) -> None:
    """Numbers from 1 without gaps, over groups and writers; each hash is of the one before."""
    with open_writer(place) as writer:
        first = writer.append(events(3))
        second = writer.append([event(4)])
    with open_writer(place) as writer:
        third = writer.append([event(5), event(6)])
    with Journal.open(place) as journal:
        rows = list(journal.events())
        assert journal.head() == Head(6, rows[-1].hash)
    assert rows == [*first, *second, *third]
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6]
    previous = GENESIS
    for row in rows:
        previous = link(previous, row.body)
        assert row.hash == previous


def test_the_body_says_all_by_itself(place: str) -> None:
    """Number, time, fund and kind are in the bytes that are hashed."""
    journal_of(place, [event(1)])
    with Journal.open(place) as journal:
        (row,) = journal.events()
    assert row.body == (
        b'{"cash":"0.125","fund":"BTC3L","kind":"tried","n":1,"seq":1,"time":1764000001000}'
    )


def test_both_stores_keep_the_same_bytes(tmp_path: Path, postgres: str) -> None:
    """The same events give the same rows and the same head in SQLite and in PostgreSQL."""
    given = [event(n, fund, note="é\0\U0001f600") for n in range(1, 9) for fund in FUNDS]
    rows = []
    for where in (tmp_path / "a.journal", postgres):
        journal_of(where, given)
        with Journal.open(where) as journal:
            rows.append(list(journal.events()))
    assert rows[0] == rows[1]


@pytest.fixture
def long_journal(place: str) -> str:
    """Some pages of events of four funds."""
    with open_writer(place) as writer:
        writer.append([event(n, FUNDS[n * n % 4]) for n in range(1, 2 * PAGE_ROWS + 500)])
        writer.append([event(n, FUNDS[n % 3]) for n in range(2 * PAGE_ROWS + 500, 3_200)])
    return place


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    after=st.integers(0, 3_300),
    funds=st.none() | st.sampled_from(FUNDS) | st.lists(st.sampled_from(FUNDS), max_size=4),
    kinds=st.none() | st.sampled_from([["tried"], ["series"], ["series", "tried"]]),
    since=st.none() | st.integers(0, 3_300),
    until=st.none() | st.integers(0, 3_300),
)
def test_a_question_gives_what_a_walk_over_all_rows_gives(
    long_journal: str,
    after: int,
    funds: str | list[str] | None,
    kinds: list[str] | None,
    since: int | None,
    until: int | None,
) -> None:
    """By number, fund, kind and time, in any combination, in order, over many pages."""
    since_ms = None if since is None else T0_MS + since * 1_000
    until_ms = None if until is None else T0_MS + until * 1_000
    with Journal.open(long_journal) as journal:
        everything = list(journal.events())
        found = list(
            journal.events(after, fund=funds, kinds=kinds, since_ms=since_ms, until_ms=until_ms)
        )
    wanted = (funds,) if isinstance(funds, str) else funds
    assert found == [
        row
        for row in everything
        if row.seq > after
        and (wanted is None or row.fund in wanted)
        and (kinds is None or row.kind in kinds)
        and (since_ms is None or row.time_ms >= since_ms)
        and (until_ms is None or row.time_ms < until_ms)
    ]


def test_a_reader_sees_what_is_appended_while_it_reads(long_journal: str) -> None:
    """It holds one page; between two the writer appends, and neither waits for the other."""
    with Journal.open(long_journal) as journal, open_writer(long_journal) as writer:
        stream = journal.events()
        head = list(islice(stream, PAGE_ROWS // 2))
        begun = time.monotonic()
        writer.append([event(3_200), event(3_201)])
        assert time.monotonic() - begun < 2
        rest = list(stream)
        assert [row.seq for row in (*head, *rest)] == list(range(1, 3_202))


def test_a_query_that_is_open_keeps_no_writer_waiting(long_journal: str) -> None:
    """Even in the middle of a reader's own query an append goes through at once."""
    with open_writer(long_journal) as writer:
        if long_journal.startswith("postgresql"):
            other = psycopg.connect(long_journal)
            other.execute("SELECT count(*) FROM journal.event")
        else:
            other = sqlite3.connect(long_journal)
            other.execute("SELECT seq FROM event").fetchone()
        begun = time.monotonic()
        writer.append([event(3_200)])
        assert time.monotonic() - begun < 2
        other.close()


def test_a_reader_cannot_write(place: str) -> None:
    """The connection itself is read-only."""
    journal_of(place, events(2))
    with Journal.open(place) as journal:
        connection = journal._store._connection
        table = "event" if isinstance(connection, sqlite3.Connection) else "journal.event"
        with pytest.raises((sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction)):
            connection.execute(f"DELETE FROM {table}")


def test_rows_are_never_changed_or_deleted_by_mistake(place: str) -> None:
    """The database itself refuses both, to whoever may write."""
    journal_of(place, events(3))
    for change in ("UPDATE {schema}event SET time = 0", "DELETE FROM {schema}event"):
        with pytest.raises(REFUSED, match="append-only"):
            execute(place, change)
    with Journal.open(place) as journal:
        assert journal.verify().ok


def test_a_role_that_may_only_select_suffices_to_read(postgres: str) -> None:
    """With SELECT on the schema's tables a reader reads, follows and verifies."""
    journal_of(postgres, events(5))
    with psycopg.connect(postgres, autocommit=True) as owner:
        role = f"reader_{postgres.partition('steelyard_')[2][:8]}"
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute(f"GRANT USAGE ON SCHEMA journal TO {role}")
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA journal TO {role}")
        try:
            name = postgres.partition("/steelyard_")[2].partition("?")[0]
            url = url_of(postgres, f"steelyard_{name}", user=role)
            with Journal.open(url) as journal:
                assert journal.verify().head.size == 5
                assert journal.snapshot("BTC3L") is None
        finally:
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")


def test_a_snapshot_belongs_to_its_row(place: str) -> None:
    """The newest is found, with the row's number and hash; another fund's is not."""
    with open_writer(place) as writer:
        writer.append(events(2))
        writer.snapshot("BTC3L", {"cash": "1"})
        rows = writer.append(events(3))
        writer.snapshot("BTC3L", {"cash": "2"})
        writer.snapshot("BTC3L", {"cash": "3"})
        writer.append([event(9)])
    with Journal.open(place) as journal:
        assert journal.snapshot("BTC3L") == Snapshot("BTC3L", 5, rows[-1].hash, {"cash": "3"})
        assert journal.snapshot("ETH2X") is None


def test_a_snapshot_of_another_history_is_not_used(place: str) -> None:
    """One whose hash is not its row's is passed over, for the one before it."""
    with open_writer(place) as writer:
        writer.append(events(2))
        writer.snapshot("BTC3L", {"cash": "1"})
        writer.append(events(2))
        writer.snapshot("BTC3L", {"cash": "2"})
    zeros = "decode(repeat('00', 32), 'hex')" if "postgresql" in place else "zeroblob(32)"
    execute(place, "UPDATE {schema}snapshot SET hash = " + zeros + " WHERE seq = 4")
    with Journal.open(place) as journal:
        found = journal.snapshot("BTC3L")
        assert found is not None
        assert (found.seq, found.state) == (2, {"cash": "1"})


def test_dropping_the_snapshots_loses_nothing(place: str) -> None:
    """Events are all there, readers find no snapshot, and the next writer makes the table again."""
    with open_writer(place) as writer:
        writer.append(events(3))
        writer.snapshot("BTC3L", {"cash": "1"})
    execute(place, "DROP TABLE {schema}snapshot")
    with Journal.open(place) as journal:
        assert journal.snapshot("BTC3L") is None
        assert journal.verify().head.size == 3
    with open_writer(place) as writer:
        writer.snapshot("BTC3L", {"cash": "2"})
    with Journal.open(place) as journal:
        assert journal.snapshot("BTC3L") is not None


def test_a_closed_writer_writes_nothing(place: str) -> None:
    """It says so, and does not open the journal again by itself."""
    writer = open_writer(place)
    writer.close()
    writer.close()
    with pytest.raises(JournalError, match="closed"):
        writer.append(events(1))
