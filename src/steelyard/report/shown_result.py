"""What a result does with its document: it is printed, shown in a notebook, written as a page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from steelyard.report.writing import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from steelyard.report.document import Document

__all__ = ["Shown"]


class Shown(ABC):
    """A result that builds a document."""

    @abstractmethod
    def document(self) -> Document:
        """All that is shown of it: terminal, text, notebook and page are made of it."""

    def save(self, path: str | Path) -> None:
        """Write its page, one HTML file, whole or not at all, as ``sy.write_report`` does.

        Raises:
            InputError: where the file cannot be written.
        """
        write_report(self, path)

    def __repr__(self) -> str:
        from steelyard.report.lines import as_text

        return as_text(self.document())

    def _repr_html_(self) -> str:
        """For notebooks."""
        from steelyard.report.html import fragment

        return fragment(self.document())
