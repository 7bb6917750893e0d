"""Print results to standard output and everything else to standard error.

With ``--json`` standard output holds exactly one object, in ASCII, without NaN and infinity.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from steelyard.rules.json_text import as_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from steelyard.report.document import Document

__all__ = ["console", "emit_json", "note", "show", "show_document", "tell"]

WIDTH_WITHOUT_TERMINAL = 120


def emit_json(figures: object) -> None:
    """Print the one object of ``--json``."""
    click.echo(as_json(figures))


def note(message: str) -> None:
    """Print a remark on standard error."""
    click.echo(message, err=True)


def tell(notes: Iterable[str]) -> None:
    """Print the notes of a result on standard error, with or without ``--json``."""
    for words in notes:
        note(f"note: {words}")


def show_document(document: Document) -> None:
    """Print a result as text, between two empty lines."""
    from steelyard.report.terminal import terminal_text

    show("", *terminal_text(document, console()), "", fitted=True)


def show(*parts: RenderableType, fitted: bool = False) -> None:
    """Print a result as text; in a file or a pipe, lines have no trailing blanks.

    ``fitted``: the text is laid out already and is not wrapped again.
    """
    out = console()
    if out.is_terminal:
        out.print(*parts, sep="\n", soft_wrap=fitted)
        return
    with out.capture() as written:
        out.print(*parts, sep="\n", soft_wrap=fitted)
    click.echo("\n".join(line.rstrip() for line in written.get().splitlines()))


def console() -> Console:
    """The console for tables: as wide as the terminal, in colours if it has them.

    Without any terminal, as in a scheduled job, it is 120 columns wide instead of 80.
    """
    from rich.console import Console

    if "COLUMNS" in os.environ or any(_is_terminal(handle) for handle in (0, 1, 2)):
        return Console(highlight=False, emoji=False, markup=False)
    return Console(width=WIDTH_WITHOUT_TERMINAL, highlight=False, emoji=False, markup=False)


def _is_terminal(handle: int) -> bool:
    try:
        return os.isatty(handle)
    except OSError:
        return False
