"""A document on a terminal: the lines of plain text, in colours where the console has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steelyard.report.lines import lines_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from steelyard.report.document import Document

__all__ = ["terminal_text"]

STYLES = {"strong": "bold", "quiet": "dim", "good": "green", "bad": "red", "": ""}


def terminal_text(document: Document, console: Console) -> list[Text]:
    """The lines of the document, fitted to the console's width, without the notes."""
    from rich.text import Text

    return [
        Text.assemble(*((piece.text, STYLES[piece.style]) for piece in line), overflow="ignore")
        for line in lines_of(document, console.width)
    ]
