"""The lock by which a second writer of a SQLite journal learns of the first.

It is a file beside the journal that the operating system locks; the lock ends with its process,
however that ends. It only answers the question "is anybody writing?". A writer that continues after
it was replaced is kept out by the token of its lease (``steelyard.ledger.store``). A writer that
takes over replaces the locked file by a new one, because the old lock lasts until its process ends.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["WriterLock", "is_locked", "lock_writer", "signed"]

LONGEST_NAME = 500
TRIES, PAUSE_S = 25, 0.01
"""The number and interval of tries; together they last longer than ``is_locked`` holds a lock."""


class WriterLock:
    """A lock that is held until ``release`` or the end of the process."""

    def __init__(self, handle: int | None) -> None:
        self._handle = handle

    def sign(self, who: str) -> None:
        """Write the name of the holder into the file, for ``signed``."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, who.encode(), 0)

    def release(self) -> None:
        """Release the lock."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def lock_writer(path: Path, *, take_over: bool) -> WriterLock | None:
    """Take the lock in the file ``path``; None where another process or writer holds it.

    Raises:
        OSError: the file cannot be created or opened.
    """
    try:
        import fcntl
    except ImportError:
        # this system has no such locks; the token still protects the journal
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
        os.close(handle)  # another writer replaced the file before it was locked


def signed(path: Path) -> str:
    """The name in the file of a lock; empty where nobody has written one."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:LONGEST_NAME]
    except OSError:
        return ""


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock in the file ``path``; False where this cannot be known.

    Raises:
        OSError: the file exists and cannot be opened.
    """
    try:
        import fcntl

        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (ImportError, FileNotFoundError):
        return False
    try:
        # a shared lock, so that two processes that test at the same time do not see a writer
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
