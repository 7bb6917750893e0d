"""What goes where: results to standard output, everything else to standard error.

With ``--json`` exactly one object is on standard output, in ASCII, with neither NaN nor infinity.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from steelyard.rules.json_text import as_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["console", "emit_json", "note", "show"]

WIDTH_WITHOUT_TERMINAL = 120


def emit_json(figures: object) -> None:
    """Print the one object of ``--json``."""
    click.echo(as_json(figures))


def note(message: str) -> None:
    """A remark for people."""
    click.echo(message, err=True)


def show(*parts: RenderableType) -> None:
    """Print the result for people; lines in a file or a pipe do not end in blanks."""
    out = console()
    if out.is_terminal:
        out.print(*parts, sep="\n")
        return
    with out.capture() as written:
        out.print(*parts, sep="\n")
    click.echo("\n".join(line.rstrip() for line in written.get().splitlines()))


def console() -> Console:
    """Where tables are printed: as wide as the terminal, in colours if it has them.

    Without any terminal (in a pipe of a job that runs by itself) nothing is cut at 80 columns.
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
