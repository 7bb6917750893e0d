"""The place of a journal: the path of a SQLite file, or the URL of a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.ledger.store import ReadStore, WriteStore

__all__ = ["is_url", "open_reader", "open_writer_store"]

POSTGRES = ("postgresql://", "postgres://")


def is_url(where: str | Path) -> bool:
    """Whether ``where`` is the URL of a database server, and not a file.

    Raises:
        InputError: it is the URL of something else.
    """
    if isinstance(where, Path) or "://" not in where:
        return False
    if not where.startswith(POSTGRES):
        scheme = where.partition("://")[0]
        message = f"expected a file or a URL postgresql://..., found a URL {scheme}://..."
        raise InputError(message, found=scheme)
    return True


def open_reader(where: str | Path) -> ReadStore:
    """The store at ``where``, read-only."""
    if is_url(where):
        from steelyard.ledger.postgres_store import PostgresReader

        return PostgresReader(str(where))
    from steelyard.ledger.sqlite_store import SqliteReader

    return SqliteReader(_path(where))


def open_writer_store(where: str | Path) -> WriteStore:
    """The store at ``where``, for writing."""
    if is_url(where):
        from steelyard.ledger.postgres_store import PostgresWriter

        return PostgresWriter(str(where))
    from steelyard.ledger.sqlite_store import SqliteWriter

    return SqliteWriter(_path(where))


def _path(where: str | Path) -> Path:
    if not str(where):
        raise InputError("expected a journal, a file or a URL, found an empty name.")
    return Path(where)
