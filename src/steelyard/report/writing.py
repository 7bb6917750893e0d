"""Files that are written whole or not at all, and the page of any result as one of them."""

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
    """Write the page of a result: one HTML file that needs nothing else, whole or not at all.

    Args:
        result: what a function of Steelyard found: a run, a comparison, an explanation, tracking,
            gaps, decay, a forecast, a tear sheet; or a document.
        path: of the file.

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
    """Refuse a file that cannot be written, before the work is done that it shall hold.

    Raises:
        InputError: it is a folder, or its folder is not there or cannot be written to.
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
    """A file's stand-in to write to; it takes the file's name when all has gone well.

    Raises:
        OSError: as writing does; nothing is left behind then.
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
    """What is taken off the permissions of new files."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def reason(error: OSError) -> str:
    """Why the system refused, in its words."""
    return error.strerror or type(error).__name__
