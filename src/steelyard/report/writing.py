"""Atomic writing of files: whole or not at all; and writing the page of any result."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from steelyard.arguments import path_of, refuse_kind
from steelyard.errors import InputError
from steelyard.report.document import Document, Reported

__all__ = ["check_file", "file_mode", "reason", "write_report", "written_whole"]


def write_report(result: object, path: str | Path) -> None:
    """Write the page of a result to one self-contained HTML file, atomically.

    Args:
        result: a result of Steelyard (a run, a comparison, an explanation, tracking, gaps, decay, a
            forecast or a tear sheet), or a document.
        path: path of the file.

    Raises:
        InputError: the result has no page, or the file cannot be written.
    """
    path = path_of("path", path)
    if isinstance(result, type) or not isinstance(result, Reported | Document):
        refuse_kind("result", "what a function of steelyard found", result)
    check_file(path)
    from steelyard.report.html import page

    text = page(result if isinstance(result, Document) else result.document())
    with written_whole(path) as stage:
        stage.write_text(text, encoding="utf-8")


def check_file(path: Path) -> None:
    """Refuse a file that cannot be written, before the work for its content is done.

    Raises:
        InputError: the path is a folder, or its folder does not exist or cannot be written to.
    """
    try:
        found = ""
        if path.is_dir():
            found = "it is a folder"
        elif not path.parent.is_dir():
            found = f"there is no folder {path.parent}"
        elif not os.access(path.parent, os.W_OK | os.X_OK):
            found = f"{path.parent} may not be written to"
    except OSError as error:
        found = f"it cannot be reached: {reason(error)}"
    if found:
        message = f"{path}: expected a file to write; {found}; choose another."
        raise InputError(message, file=str(path))


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary file that replaces ``path`` if the block ends without an error.

    Raises:
        OSError: writing failed; the temporary file is then removed.
    """
    handle, name = tempfile.mkstemp(prefix=".steelyard-", dir=path.parent)
    os.close(handle)
    stage = Path(name)
    try:
        yield stage
        stage.chmod(0o666 & ~file_mode())
        stage.replace(path)
    finally:
        stage.unlink(missing_ok=True)


def file_mode() -> int:
    """The process's umask: the permission bits that new files do not get."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def reason(error: OSError) -> str:
    """The operating system's description of an error."""
    return error.strerror or type(error).__name__
