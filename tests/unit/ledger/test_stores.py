"""What a store refuses: other databases, newer journals, disks that are full, and lost power."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from steelyard.errors import DataError, InputError, Unavailable, Unknown
from steelyard.ledger import Journal, JournalError, open_writer, postgres_link, sqlite_file
from steelyard.ledger.migrations import Migration, migrations
from support.journals import event, events, execute, journal_of
from support.postgres import database, run_server

NOBODY = 65_534


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        (b"", "an empty file"),
        (b"time,price\n", "another kind of file"),
        (b'{"body":{}}\n', "an export of a journal, which only"),
        (b"SQLite format 3\x00", "cut"),
        (b"SQLite format 3\x00" + bytes(5_000), "damaged|another program"),
    ],
)
def test_a_file_that_is_no_journal(file: Path, text: bytes | None, words: str) -> None:
    """A reader says what it expected, and the file stays as it is."""
    if text is not None:
        file.write_bytes(text)
    with pytest.raises(DataError, match=words):
        Journal.open(file)
    assert (file.read_bytes() if file.exists() else None) == text
    if text:
        with pytest.raises(DataError, match=words):
            open_writer(file)
        assert file.read_bytes() == text


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    """Nor can one be made where there is no folder."""
    with pytest.raises(DataError, match="found a folder"):
        Journal.open(tmp_path)
    with pytest.raises(DataError, match="found a folder"):
        open_writer(tmp_path)
    with pytest.raises(InputError, match="create it first"):
        open_writer(tmp_path / "none" / "a.journal")
    with pytest.raises(InputError, match="empty name"):
        Journal.open("")
    with pytest.raises(InputError, match="mysql://"):
        Journal.open("mysql://root@localhost/funds")


def test_another_programs_database_is_left_alone(file: Path) -> None:
    """Neither reader nor writer touches it."""
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE event (seq INTEGER)")
    before = file.read_bytes()
    for opened in (Journal.open, open_writer):
        with pytest.raises(DataError, match="another program's database"):
            opened(file)
    assert file.read_bytes() == before


def test_a_copy_without_its_log_is_no_new_journal(file: Path, tmp_path: Path) -> None:
    """What a killed writer's file is without its log is said, and no writer begins anew there."""
    copy = tmp_path / "copy" / file.name
    copy.parent.mkdir()
    with open_writer(file) as writer:
        writer.append(events(3))
        shutil.copy(file, copy)
        before = copy.read_bytes()
        for opened in (Journal.open, open_writer):
            with pytest.raises(DataError, match=r"its log, test\.journal-wal, which is not beside"):
                opened(copy)
        assert copy.read_bytes() == before
        shutil.copy(f"{file}-wal", f"{copy}-wal")
    with Journal.open(copy) as journal:
        assert journal.head().size == 3


def test_a_writer_that_was_killed_before_it_wrote_leaves_a_place_to_begin(file: Path) -> None:
    """An empty database beside a writer's lock is a journal that was never made."""
    with closing(sqlite3.connect(file)) as empty:
        empty.execute("PRAGMA journal_mode = WAL")
    Path(f"{file}-writer").touch()
    journal_of(file, events(2))
    with Journal.open(file) as journal:
        assert journal.head().size == 2


def test_another_programs_schema_is_left_alone(postgres: str) -> None:
    """A database without a journal, and one whose schema ``journal`` is somebody else's."""
    with pytest.raises(DataError, match="found none in this database"):
        Journal.open(postgres)
    execute(postgres, "CREATE SCHEMA journal")
    for opened in (Journal.open, open_writer):
        with pytest.raises(DataError, match="found none in this database"):
            opened(postgres)


def make_version(place: str, version: int) -> None:
    """Say of a journal that it is of another version."""
    if "postgresql" in place:
        execute(place, f"UPDATE journal.migration SET version = {version}")
    else:
        execute(place, f"PRAGMA user_version = {version}")


def test_a_newer_journal_is_refused(place: str) -> None:
    """By readers and writers, with both versions and what to do."""
    journal_of(place, events(2))
    make_version(place, 99)
    for opened in (Journal.open, open_writer):
        with pytest.raises(DataError, match=r"version 1.*found version 99: .*newer steelyard"):
            opened(place)


def test_an_older_journal_is_brought_up_to_date_by_a_writer(file: Path) -> None:
    """A reader does not, and says so."""
    with closing(sqlite3.connect(file)) as empty, empty:
        empty.execute(f"PRAGMA application_id = {sqlite_file.APPLICATION_ID}")
    with pytest.raises(
        DataError, match=r"expected a journal of version 1, found version 0: .*writer"
    ):
        Journal.open(file)
    journal_of(file, events(2))
    with Journal.open(file) as journal:
        assert journal.head().size == 2


CHANGED = {
    "a view of the events": (
        "ALTER TABLE event RENAME TO hidden; CREATE VIEW event AS SELECT * FROM hidden",
        "the table event missing or changed",
    ),
    "no index": ("DROP INDEX event_by_fund", "the index event_by_fund missing or changed"),
    "no trigger": (
        "DROP TRIGGER event_is_never_deleted",
        "the trigger event_is_never_deleted missing or changed",
    ),
    "a trigger too many": (
        "CREATE TRIGGER more AFTER INSERT ON event BEGIN SELECT 1; END",
        "a trigger more that does not belong there",
    ),
    "a column too many": ("ALTER TABLE event ADD COLUMN note TEXT", "the table event missing"),
    "a writer of another shape": (
        "DROP TABLE writer; CREATE TABLE writer (token INTEGER)",
        "the table writer missing or changed",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_file_whose_tables_were_changed_is_refused(file: Path, name: str) -> None:
    """By readers and writers: a view could show other events than those that were appended."""
    text, words = CHANGED[name]
    journal_of(file, events(2))
    with closing(sqlite3.connect(file)) as database:
        database.executescript(text)
    before = file.read_bytes()
    for opened in (Journal.open, open_writer):
        with pytest.raises(DataError, match=words):
            opened(file)
    assert file.read_bytes() == before


BROKEN = [
    Migration(2, "0002_good.sql", "CREATE TABLE {schema}good (x integer);"),
    Migration(3, "0003_bad.sql", "CREATE TABLE {schema}half (x integer); CREATE TABLE nonsense (;"),
]


def test_a_migration_is_whole_or_not_there(place: str) -> None:
    """One that fails in its second statement leaves nothing of its first; those before stay."""
    journal_of(place, events(2))
    is_sqlite = "postgresql" not in place
    schema = "" if is_sqlite else "journal."
    steps = [step._replace(sql=step.sql.format(schema=schema)) for step in BROKEN]
    steps = migrations("sqlite" if is_sqlite else "postgres") + steps
    names = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    if not is_sqlite:
        names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'journal'"
    version = "PRAGMA user_version" if is_sqlite else "SELECT max(version) FROM journal.migration"
    connection = (
        sqlite3.connect(place, isolation_level=None)
        if is_sqlite
        else psycopg.connect(place, autocommit=True)
    )
    migrate = sqlite_file.migrate if is_sqlite else postgres_link.migrate
    with closing(connection), pytest.raises((sqlite3.Error, psycopg.Error)):
        migrate(connection, place, steps)  # type: ignore[operator]  # each with its own
    with closing(sqlite3.connect(place) if is_sqlite else psycopg.connect(place)) as connection:
        tables = {name for (name,) in connection.execute(names)}
        assert "good" in tables
        assert "half" not in tables
        assert connection.execute(version).fetchone() == (2,)


def test_a_sqlite_that_does_not_flush_is_refused(file: Path) -> None:
    """Whatever the setting is, it is looked at after it was set."""
    with closing(sqlite3.connect(file)) as connection:
        for level, name in enumerate(("OFF", "NORMAL", "FULL", "EXTRA")):
            connection.execute(f"PRAGMA synchronous = {name}")
            if level >= 2:
                sqlite_file.check_durable(connection, "a.journal")
                continue
            with pytest.raises(JournalError, match=f"synchronous = FULL .* found {level}"):
                sqlite_file.check_durable(connection, "a.journal")


def test_a_sqlite_writer_flushes(file: Path) -> None:
    """Its own connection has a write-ahead log and full synchronisation."""
    with open_writer(file) as writer:
        connection = writer._store._connection  # type: ignore[attr-defined]
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_without_a_log_is_refused() -> None:
    """A database in memory has no write-ahead log, as some file systems have none."""
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as connection,
        pytest.raises(JournalError, match="journal_mode = wal, found memory"),
    ):
        sqlite_file.make_durable(connection, ":memory:")


def test_a_postgres_that_commits_later_is_refused(postgres: str) -> None:
    """synchronous_commit = off, as a database or a role may have it."""
    journal_of(postgres, events(2))
    name = postgres.partition("/steelyard_")[2].partition("?")[0]
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE steelyard_{name} SET synchronous_commit = off")
    with pytest.raises(JournalError, match="expected synchronous_commit = on, found off"):
        open_writer(postgres)
    with Journal.open(postgres) as journal:
        assert journal.head().size == 2


def test_a_postgres_that_does_not_flush_is_refused() -> None:
    """Settings fsync and full_page_writes, on a server that is this test's alone."""
    folder = Path(tempfile.mkdtemp(prefix="steelyard-postgres-")) / "data"
    with run_server(folder) as server, database(server) as url:
        journal_of(url, events(2))
        for setting in ("fsync", "full_page_writes"):
            for value in ("off", "on"):
                with psycopg.connect(server, autocommit=True) as admin:
                    admin.execute(f"ALTER SYSTEM SET {setting} = {value}")
                    admin.execute("SELECT pg_reload_conf()")
                until = time.monotonic() + 10
                while time.monotonic() < until:
                    with psycopg.connect(server) as admin:
                        if admin.execute(f"SHOW {setting}").fetchone() == (value,):
                            break
                    time.sleep(0.05)
                if value == "off":
                    with pytest.raises(JournalError, match=f"expected {setting} = on, found off"):
                        open_writer(url)
                else:
                    open_writer(url).close()
    folder.parent.rmdir()


def test_a_full_disk(file: Path) -> None:
    """The append is refused, nothing of it is stored, and there is room again after."""
    writer = open_writer(file)
    writer.append(events(3))
    connection = writer._store._connection  # type: ignore[attr-defined]
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(JournalError, match="disk is full: nothing of the last append was stored"):
        writer.append([event(n, note="x" * 3_000) for n in range(4, 40)])
    with pytest.raises(JournalError, match="closed"):
        writer.append([event(4)])
    with open_writer(file) as again:
        assert again.head.size == 3
        again.append([event(4)])
    with Journal.open(file) as journal:
        assert journal.verify().ok


def test_a_file_that_may_not_grow(file: Path) -> None:
    """The same where the system refuses: what was acknowledged is there, and the chain is whole."""
    code = """
import sys
sys.path.insert(0, sys.argv[2])
from support.journals import event
from steelyard.ledger import JournalError, open_writer
writer = open_writer(sys.argv[1])
try:
    for n in range(1, 10_000):
        writer.append([event(n, note="x" * 500)])
        print(n, flush=True)
except JournalError as error:
    print(type(error).__name__, error)
"""
    limit = 400_000
    tests = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, file, tests],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    *acknowledged, last = done.stdout.splitlines()
    assert last.startswith("JournalError")
    assert len(acknowledged) > 20
    with Journal.open(file) as journal:
        verdict = journal.verify()
    assert verdict.ok
    assert verdict.head.size == len(acknowledged)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without root's right to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """The path of a journal in a folder that everybody can read; the test makes it read-only."""
    folder = Path("/tmp") / f"steelyard-read-only-{os.getpid()}-{tmp_path.name}"  # noqa: S108 (pytest's own is closed to others)
    folder.mkdir()
    folder.chmod(0o755)
    yield folder / "a.journal"
    folder.chmod(0o755)
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()


def test_a_read_only_folder(read_only: Path) -> None:
    """A journal that its writer has closed is read and verified there; a writer is told why not."""
    journal_of(read_only, events(3))
    Path(f"{read_only}-writer").unlink()
    read_only.chmod(0o444)
    read_only.parent.chmod(0o555)
    with unprivileged():
        with Journal.open(read_only) as journal:
            assert journal.verify().ok
            assert journal.head().size == 3
        with pytest.raises(InputError, match=r"read-only|Permission denied"):
            open_writer(read_only)


def test_a_read_only_folder_with_a_log(read_only: Path) -> None:
    """A log that nobody merged cannot be read there: it is said, and nothing is lost."""
    writer = open_writer(read_only)
    writer.append(events(3))
    copy = read_only.read_bytes(), Path(f"{read_only}-wal").read_bytes()
    writer.close()
    for left in read_only.parent.iterdir():
        left.unlink()
    read_only.write_bytes(copy[0])
    Path(f"{read_only}-wal").write_bytes(copy[1])
    read_only.parent.chmod(0o555)
    with unprivileged(), pytest.raises(InputError, match="that its writer has closed"):
        Journal.open(read_only)
    read_only.parent.chmod(0o755)
    with Journal.open(read_only) as journal:
        assert journal.head().size == 3


def test_a_url_that_does_not_answer() -> None:
    """Exit code 4, the place without its password, and what to look at."""
    url = "postgresql://keeper:secret@127.0.0.1:1/funds"
    for opened in (Journal.open, open_writer):
        with pytest.raises(Unavailable) as caught:
            opened(url)
        message = str(caught.value)
        assert caught.value.exit_code == 4
        assert "postgresql://keeper@127.0.0.1:1/funds: the database does not answer" in message
        assert "secret" not in message
    with pytest.raises(InputError, match="expected a URL") as wrong:
        Journal.open("postgresql://a:secret@b:c:d/funds?nonsense=1")
    assert "secret" not in str(wrong.value)


def test_a_server_that_goes_away(postgres: str) -> None:
    """A reader is told that it is gone; a writer that its append may be stored or not."""
    journal_of(postgres, events(3))
    writer = open_writer(postgres)
    with Journal.open(postgres) as journal:
        with psycopg.connect(postgres, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        with pytest.raises(Unavailable, match="the connection broke"):
            journal.head()
        with pytest.raises(Unknown, match="known when the journal is opened again"):
            writer.append([event(4)])
    with open_writer(postgres) as again:
        assert again.head.size == 3


def test_a_role_that_may_not_write(postgres: str) -> None:
    """It is told so, as wrong input."""
    from support.postgres import url_of

    journal_of(postgres, events(2))
    name = postgres.partition("/steelyard_")[2].partition("?")[0]
    role = f"reader_{name[:8]}"
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute(f"GRANT USAGE ON SCHEMA journal TO {role}")
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA journal TO {role}")
        try:
            with pytest.raises(InputError, match="the role may not do this"):
                open_writer(url_of(postgres, f"steelyard_{name}", user=role))
        finally:
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")
