"""An explanation's page: a waterfall and tables in one HTML file that needs nothing else.

As of a report page, plotly.js is inside, a content security policy forbids every address, text is
escaped by jinja2, and data stands in one JSON island in which ``<`` cannot occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steelyard.plots.page import island, template, template_text
from steelyard.plots.palette import DARK, LIGHT, css_variables

__all__ = ["Table", "explained_page"]


@dataclass(frozen=True)
class Table:
    """A table: its title, a heading and cells a column, the last ``words`` columns being text."""

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 0
    note: str = ""
    hints: Sequence[str] = ()
    """Of each row, shown where a pointer rests on it; none for none."""


def explained_page(
    *,
    title: str,
    sentences: Sequence[str],
    figures: Sequence[Any],
    tables: Sequence[Table],
    source: str,
) -> str:
    """One self-contained HTML document, ready to be written as UTF-8.

    Args:
        title: of the page.
        sentences: to stand above everything.
        figures: of plotly: one for a light page, one for a dark one.
        tables: in their order.
        source: where the prices came from, for the footer.
    """
    # plotly is imported by who writes a page, not by who asks for help
    from plotly.offline import get_plotlyjs

    return str(
        template("explained.html.j2").render(
            title=title,
            sentences=sentences,
            tables=tables,
            source=source,
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            style=template_text("page.css"),
            plotly=get_plotlyjs().replace("</script", "<\\/script"),
            data=island([figure.to_plotly_json() for figure in figures]),
        )
    )
