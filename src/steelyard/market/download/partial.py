"""The file of an unfinished download: CSV, one line per row, beside the file that it becomes.

Lines are only ever appended, a page at a time, and they are on the disk before the next page is
requested. Whatever stops the program, the partial file holds rows in order and at most one torn
line at its end, which the next run cuts off. Only one program at a time may use it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path

from steelyard.closing import Closing
from steelyard.errors import InputError
from steelyard.market.cell_faults import named

__all__ = ["Partial", "part_of"]


def part_of(path: Path) -> Path:
    """The path of a file's unfinished download."""
    return path.with_name(path.name + ".part")


class Partial(Closing):
    """An unfinished download: a file that is open and locked.

    Args:
        path: path of the partial file, which is created if it does not exist.

    Attributes:
        lines: number of whole lines, the header included.

    Raises:
        InputError: another program is downloading into it.
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _locked(path)
        content = self._file.readall()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._cut(whole)
        self.lines = content.count(b"\n", 0, whole)
        self._last_at = content.rfind(b"\n", 0, max(0, whole - 1)) + 1

    def append(self, texts: Iterable[str]) -> None:
        """Append lines and return once they are on the disk."""
        at = self._file.seek(0, os.SEEK_END)
        for text in texts:
            raw = text.encode()
            self._write(raw)
            self._last_at = at + raw.rfind(b"\n", 0, -1) + 1
            at += len(raw)
            self.lines += raw.count(b"\n")
        os.fsync(self._file.fileno())

    def drop_last(self) -> None:
        """Remove the last line; the caller must append its replacement next."""
        self._cut(self._last_at)
        self.lines -= 1

    def clear(self) -> None:
        """Remove all lines."""
        self._cut(0)
        self.lines = self._last_at = 0

    def close(self) -> None:
        """Release the file; one that holds no row is deleted."""
        if not self._file.closed:
            if self.lines <= 1:
                self.path.unlink(missing_ok=True)
            self._file.close()

    def _write(self, raw: bytes) -> None:
        rest = memoryview(raw)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _cut(self, size: int) -> None:
        self._file.truncate(size)
        self._file.seek(0, os.SEEK_END)


def _locked(path: Path) -> io.FileIO:
    """Open a file and lock it against other programs."""
    while True:
        file = io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
        try:
            _lock(file, path)
            # The program that held it may have finished meanwhile and have renamed the file to its
            # final name.
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file: io.FileIO, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if not isinstance(error, BlockingIOError):
            return  # the file system does not support locks
        message = (
            f"{named(path)}: another program is downloading into it: wait for it, or choose "
            "another file"
        )
        raise InputError(message, file=str(path)) from error
