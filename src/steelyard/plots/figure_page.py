"""A page of one chart and its tables, an explanation's or a forecast's: one HTML file.

As of a report page, plotly.js is inside, a content security policy forbids every address, text is
escaped by jinja2, and data stands in one JSON island in which ``<`` cannot occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from steelyard.plots.page import island, template, template_text
from steelyard.plots.palette import DARK, LIGHT, css_variables

__all__ = ["Caption", "Table", "figure_page"]


class Caption(NamedTuple):
    """What stands above the chart: its heading, and how to read it."""

    heading: str
    words: str


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


def figure_page(
    *,
    title: str,
    sentences: Sequence[str],
    caption: Caption,
    figures: tuple[Any, Any],
    tables: Sequence[Table],
    closing: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    """One self-contained HTML document, ready to be written as UTF-8.

    Args:
        title: of the page.
        sentences: to stand above everything.
        caption: of the chart.
        figures: of plotly, as JSON has them: one for a light page, one for a dark one.
        tables: in their order.
        closing: sentences for the footer.
        notes: what must not be overlooked.
    """
    # plotly is imported by who writes a page, not by who asks for help
    from plotly.offline import get_plotlyjs

    return str(
        template("figure.html.j2").render(
            title=title,
            sentences=sentences,
            notes=notes,
            caption=caption,
            tables=tables,
            closing=closing,
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            style=template_text("page.css"),
            boot=template_text("boot.js"),
            script=template_text("figure.js"),
            plotly=get_plotlyjs().replace("</script", "<\\/script"),
            data=island(dict(zip(("light", "dark"), figures, strict=True))),
        )
    )
