"""A document as HTML: a self-contained page, and a fragment for notebooks.

The page includes plotly.js from the installed plotly package, and a content security policy forbids
it any network access. No template marks user input as safe: jinja2 escapes all text, and all data
is in one JSON element in which the character ``<`` cannot occur.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

from steelyard.errors import InputError
from steelyard.report.document import (
    Block,
    Document,
    KeyFigures,
    Listing,
    ListingColumn,
    Paragraph,
    walked,
)
from steelyard.report.figure_encoding import Packer
from steelyard.report.number_format import instant, typeset
from steelyard.report.palette import DARK, LIGHT, css_variables
from steelyard.report.panels import Panel
from steelyard.rules.json_text import as_json

__all__ = ["fragment", "island", "page"]


def fragment(document: Document) -> str:
    """Render the fragment that a notebook shows: tables and text, without scripts or styles."""
    return str(_template("fragment.html.j2").render(document=document))


def page(document: Document) -> str:
    """Render a document as one self-contained HTML page, to be written as UTF-8.

    Raises:
        InputError: two members have the same key, so that links to it would be ambiguous.
    """
    keys = [member.key for member in document.members]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        message = f"a page needs a different name for each member, found {twice[0]!r} twice"
        raise InputError(message, keys=twice)
    packer = Packer()
    shown = [document, *document.members]
    sections = [_packed(each, packer) for each in shown]
    script = ""
    if any(section["panels"] for section in sections):
        # importing plotly takes time, so it is imported only for a page with charts
        from plotly.offline import get_plotlyjs

        script = get_plotlyjs().replace("</script", "<\\/script")
    return str(
        _template("page.html.j2").render(
            document=document,
            shown=shown,
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            style=_text("page.css"),
            boot=_text("boot.js"),
            script=_text("page.js"),
            plotly=script,
            data=island({"blobs": packer.blobs, "sections": sections}),
        )
    )


def island(data: object) -> str:
    """The data as JSON that is safe inside a script element: nothing in it can end the element."""
    text = as_json(data, compact=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _packed(document: Document, packer: Packer) -> dict[str, Any]:
    """The data from which ``page.js`` draws a document; the columns are stored in the packer."""
    blocks = list(walked(document.blocks))
    span, worst = document.span, None
    if span is not None and span.worst is not None:
        worst = instant(span.worst)
    return {
        "key": document.key,
        "from": None if span is None else instant(span.first),
        "to": None if span is None else instant(span.last),
        "worst": worst,
        "panels": [_packed_panel(each, packer) for each in blocks if isinstance(each, Panel)],
        "listings": [
            [_packed_column(column, packer) for column in each.columns]
            for each in blocks
            if isinstance(each, Listing)
        ],
    }


def _packed_panel(panel: Panel, packer: Packer) -> dict[str, Any]:
    return {
        "key": panel.key,
        "traces": packer.pack(panel.traces),
        "shapes": packer.pack(panel.shapes),
        "xaxis": None if panel.xaxis is None else packer.pack(panel.xaxis),
        "yaxis": packer.pack(panel.yaxis),
        "hovermode": panel.hovermode,
        "weight": panel.weight,
    }


def _packed_column(column: ListingColumn, packer: Packer) -> dict[str, Any]:
    found: dict[str, Any] = {"label": column.label, "kind": column.kind}
    if column.kind == "number":
        values = packer.numbers(column.column, column.decimals)
        return {**found, "decimals": column.decimals, "column": values}
    return {**found, "column": packer.pack(column.column)}


def _arranged(blocks: Sequence[Block]) -> Iterator[tuple[str, Any]]:
    """Each block with its kind; consecutive key figures of one kind are grouped."""
    for kind, some in groupby(blocks, _kind):
        if kind.endswith("figures"):
            yield kind, list(some)
        else:
            yield from ((kind, block) for block in some)


def _kind(block: Block) -> str:
    if isinstance(block, KeyFigures):
        return f"{block.kind}figures"
    return type(block).__name__.lower()


def _opening(document: Document) -> list[Paragraph]:
    """The paragraphs before the first block of another kind."""
    found = []
    for block in document.blocks:
        if not isinstance(block, Paragraph):
            break
        found.append(block)
    return found


def _template(name: str) -> Any:  # noqa: ANN401  jinja2's, only rendered
    """The template with this file name."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(typeset=typeset, arranged=_arranged, opening=_opening)
    return environment.get_template(name)


def _text(name: str) -> str:
    """The text of a style sheet or script in the folder of the templates."""
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
