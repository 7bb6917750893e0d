"""The base class of results, which prints, displays and saves the document of a result."""

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
        """The document from which terminal, text, notebook and page are made."""

    def save(self, path: str | Path) -> None:
        """Write the page of the result to one HTML file, atomically, as ``sy.write_report`` does.

        Raises:
            InputError: the file cannot be written.
        """
        write_report(self, path)

    def __repr__(self) -> str:
        from steelyard.report.lines import as_text

        return as_text(self.document())

    def _repr_html_(self) -> str:
        """The HTML fragment that notebooks display."""
        from steelyard.report.html import fragment

        return fragment(self.document())
