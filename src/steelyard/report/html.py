"""A document as HTML: a page that needs nothing else, and a fragment for a notebook.

plotly.js comes out of the installed plotly package, a content security policy forbids the page
every address, and no template marks anything safe that came from a user: text is escaped by
jinja2, data stands in one JSON island in which ``<`` cannot occur.
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
    """What a notebook shows: tables and words, without scripts and styles of its own."""
    return str(_template("fragment.html.j2").render(document=document))


def page(document: Document) -> str:
    """One self-contained HTML document, ready to be written as UTF-8.

    Raises:
        InputError: two members have one key, to which a link could not lead.
    """
    keys = [member.key for member in document.members]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        message = f"a page links to each member by its name: {twice[0]!r} is there twice"
        raise InputError(message, keys=twice)
    packer = Packer()
    shown = [document, *document.members]
    sections = [_packed(each, packer) for each in shown]
    script = ""
    if any(section["panels"] for section in sections):
        # plotly is imported by who writes a page, not by who asks for help
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
    """JSON that may stand inside a script element: nothing in it can end the element."""
    text = as_json(data, compact=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _packed(document: Document, packer: Packer) -> dict[str, Any]:
    """What ``page.js`` draws of a document, its columns in the packer."""
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
    """Each block with its kind; key figures of one kind that follow each other stand together."""
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
    """The sentences before everything else."""
    found = []
    for block in document.blocks:
        if not isinstance(block, Paragraph):
            break
        found.append(block)
    return found


def _template(name: str) -> Any:  # noqa: ANN401  jinja2's, only rendered
    """A page's template, by its file's name."""
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
    """A style or script that stands beside the templates."""
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")
