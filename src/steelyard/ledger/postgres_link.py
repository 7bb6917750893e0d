"""The connection of a journal to PostgreSQL: opening, durability, migrations and errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from steelyard.errors import (
    DataError,
    InputError,
    InvariantError,
    JournalError,
    Unavailable,
    Unknown,
)
from steelyard.ledger.migrations import Migration, newest
from steelyard.ledger.store import Damaged, check_version

if TYPE_CHECKING:
    from psycopg import Connection, Error

__all__ = ["check_durable", "check_readable", "connect", "migrate", "one_row", "told"]

CONNECT_S = 10
FLUSHES = ("fsync", "synchronous_commit", "full_page_writes")
GONE = ("08", "57P")  # classes of errors: a broken connection, a server that shuts down
LEASES = 0x53544C4A  # the key of the lock that is held while a journal is created or migrated


def connect(url: str) -> tuple[Connection, str]:
    """A connection to ``url``, and its place without a password.

    Raises:
        InputError: psycopg is not installed, or ``url`` is not a valid URL.
        Unavailable: the server does not answer, or refuses the connection.
    """
    try:
        import psycopg
    except ImportError as error:
        message = (
            "a journal in PostgreSQL needs psycopg, which is not installed: python -m pip install "
            "'.[postgres]' in a clone of the project."
        )
        raise InputError(message) from error
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except psycopg.Error as error:
        message = "expected a URL such as postgresql://user@host:5432/database, found another text."
        raise InputError(message) from error
    parts.setdefault("connect_timeout", CONNECT_S)
    place = _name(parts)
    try:
        return psycopg.connect(**parts, autocommit=True), place
    except psycopg.Error as error:
        why = " ".join(str(error).split()).partition(" Is the server running")[0].rstrip(".")
        password = parts.get("password")
        if password:
            why = why.replace(str(password), "***")
        message = f"{place}: the database does not answer: {why}. Check that it runs, and the URL."
        raise Unavailable(message, place=place) from error


def check_durable(connection: Connection, place: str) -> None:
    """Refuse a server that may lose commits in a power failure.

    Raises:
        JournalError: one of fsync, synchronous_commit and full_page_writes is off.
    """
    for name in FLUSHES:
        found = one_row(connection, f"SHOW {name}")[0]
        if found == "off":
            message = (
                f"{place}: expected {name} = on, found off: this server may lose commits, "
                "so a journal must not be kept in it."
            )
            raise JournalError(message, setting=name, found=found)


def check_readable(connection: Connection, place: str) -> None:
    """Refuse a database without a journal of this version.

    Raises:
        DataError: there is no journal, or it has another version.
    """
    version = _version(connection)
    if version is None:
        raise _no_journal(place)
    check_version(place, version, newest("postgres"))


def migrate(connection: Connection, place: str, steps: Sequence[Migration]) -> None:
    """Apply the missing migration steps, each in one transaction.

    Raises:
        DataError: the journal is newer, or the schema ``journal`` belongs to another program.
    """
    version = _version(connection)
    if version is None:
        if one_row(connection, "SELECT to_regnamespace('journal')")[0] is not None:
            raise _no_journal(place)
        version = 0
    check_version(place, version, steps[-1].version, may_be_older=True)
    for step in steps[version:]:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LEASES,))
            if (_version(connection) or 0) >= step.version:
                continue  # another writer has already applied this step
            if step.version == 1:
                connection.execute("CREATE SCHEMA journal")
                connection.execute(
                    "CREATE TABLE journal.migration (version integer PRIMARY KEY, "
                    "applied timestamptz NOT NULL DEFAULT now())"
                )
            connection.execute(step.sql.encode())
            connection.execute("INSERT INTO journal.migration VALUES (%s)", (step.version,))


def one_row(connection: Connection, query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    """The only row of a query."""
    [row] = connection.execute(query, values)
    return row


@contextmanager
def told(place: str, *, writing: bool = False) -> Iterator[None]:
    """Convert errors of the database to errors of Steelyard."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        _raise(error, place, writing=writing)


def _name(parts: dict[str, Any]) -> str:
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    host = str(parts.get("host") or "localhost")
    return f"postgresql://{user}{host}{port}/{parts.get('dbname') or ''}"


def _version(connection: Connection) -> int | None:
    """The version of the journal; None where the database holds no journal."""
    if one_row(connection, "SELECT to_regclass('journal.migration')")[0] is None:
        return None
    version: int = one_row(connection, "SELECT coalesce(max(version), 0) FROM journal.migration")[0]
    return version


def _no_journal(place: str) -> DataError:
    message = (
        f"{place}: expected a journal (the schema journal with its tables), found none in this "
        "database."
    )
    return DataError(message, place=place)


def _raise(error: Error, place: str, *, writing: bool) -> NoReturn:
    import psycopg
    from psycopg import errors

    why = " ".join(str(error).split())
    if isinstance(error, errors.InsufficientPrivilege):
        message = f"{place}: the role may not do this ({why}): grant it, or use another role."
        raise InputError(message, place=place) from error
    if isinstance(error, errors.UniqueViolation):
        message = f"{place}: a row with this number exists already ({why})."
        raise InvariantError(message, place=place) from error
    if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted)):
        message = f"{place}: the database is damaged ({why}). It was left as it is."
        raise Damaged(message, place=place) from error
    if isinstance(error, errors.UndefinedTable):
        message = f"{place}: expected a journal, found one without a table ({why})."
        raise DataError(message, place=place) from error
    is_gone = error.sqlstate is None or error.sqlstate.startswith(GONE)
    if is_gone and isinstance(error, psycopg.OperationalError):
        if writing:
            message = (
                f"{place}: the connection broke during an append ({why}): whether it is stored is "
                "known when the journal is opened again."
            )
            raise Unknown(message, place=place) from error
        raise Unavailable(f"{place}: the connection broke ({why}).", place=place) from error
    message = f"{place}: PostgreSQL said: {why}. Nothing of the last append is acknowledged."
    raise JournalError(message, place=place) from error
