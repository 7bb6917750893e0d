"""A lock that ends with its process: a second writer of a SQLite journal hears of the first.

It is a file beside the journal, locked by the operating system: a process that dies, however,
leaves it unlocked. It only answers the question "is anybody writing?"; what keeps a writer out that
goes on after it was replaced is the token of its lease (``steelyard.ledger.store``). A writer that
takes over puts a new file in the place of the locked one, because the old one's lock stays where it
is until its process ends.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["WriterLock", "is_locked", "lock_writer", "signed"]

LONGEST_NAME = 500
TRIES, PAUSE_S = 25, 0.01
"""Whoever looks whether a lock is held (``is_locked``) holds it for less than that."""


class WriterLock:
    """A lock that is held; it is let go of by ``release`` or by the end of the process."""

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def sign(self, who: str) -> None:
        """Write into the file who holds it, for ``signed``."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, who.encode(), 0)

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
    except ImportError:
        # no such locks on this system: the token remains
        return WriterLock(None)
    tries = TRIES
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            tries -= 1
            if tries > 0:
                time.sleep(PAUSE_S)
            elif take_over:
                path.unlink(missing_ok=True)
            else:
                return None
            continue
        if _is_at(path, handle):
            return WriterLock(handle)
        os.close(handle)  # somebody put another file in its place before it was locked


def signed(path: Path) -> str:
    """Who wrote a name into the file of a lock; empty: nobody has."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:LONGEST_NAME]
    except OSError:
        return ""


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock in the file ``path``; False where nobody can know.

    Raises:
        OSError: the file is there and cannot be opened.
    """
    try:
        import fcntl

        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (ImportError, FileNotFoundError):
        return False
    try:
        # shared: two that look at the same time do not take each other for a writer
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _is_at(path: Path, handle: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(handle)
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
