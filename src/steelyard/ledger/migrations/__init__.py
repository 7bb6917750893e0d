"""Numbered steps from an empty database to a journal of this version, as SQL files.

``sqlite/0001_events.sql`` makes version 1 out of nothing, ``0002_...`` would make version 2 out of
that, and so on; each is applied in one transaction. A file that has been released is never edited.
"""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

__all__ = ["Migration", "migrations", "newest"]


class Migration(NamedTuple):
    """One step: the version that it leads to, and its SQL."""

    version: int
    name: str
    sql: str


def migrations(dialect: str) -> list[Migration]:
    """All steps of ``sqlite`` or ``postgres``, in order."""
    folder = resources.files(__name__) / dialect
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [
        Migration(int(name[:4]), name, (folder / name).read_text(encoding="utf-8"))
        for name in names
    ]


def newest(dialect: str) -> int:
    """The version of a journal that this program writes."""
    return migrations(dialect)[-1].version
