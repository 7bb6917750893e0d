"""A lock that ends with its process: a second writer of a SQLite journal hears of the first.

It is a file beside the journal, locked by the operating system: a process that dies, however,
leaves it unlocked. It only answers the question "is anybody writing?"; what keeps a writer out that
goes on after it was replaced is the token of its lease (``steelyard.ledger.store``). A writer that
takes over puts a new file in the place of the locked one, because the old one's lock stays where it
is until its process ends.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["WriterLock", "lock_writer"]


class WriterLock:
    """A lock that is held; it is let go of by ``release`` or by the end of the process."""

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def release(self) -> None:
        """Let go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def lock_writer(path: Path, *, take_over: bool) -> WriterLock | None:
    """Take the lock in the file ``path``; None where another process or writer holds it.

    Raises:
        OSError: the file cannot be made or opened.
    """
    try:
        import fcntl
    except ImportError:  # pragma: no cover (no such locks on this system: the token remains)
        return WriterLock(None)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            if not take_over:
                return None
            path.unlink(missing_ok=True)
            continue
        if _is_at(path, handle):
            return WriterLock(handle)
        os.close(handle)  # somebody put another file in its place before it was locked


def _is_at(path: Path, handle: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
