"""One HTML file that shows a forecast: the sentence, the ladder, its table, the tokens.

As the report page it needs nothing else, asks the network for nothing, and marks nothing safe that
came from a user.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files

from steelyard.plots.columns import plain
from steelyard.plots.ladder import LadderData, ladder_description
from steelyard.plots.palette import DARK, LIGHT, css_variables

__all__ = ["ladder_page"]

Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Headings, and rows of cells."""


def ladder_page(
    data: LadderData, *, words: str, notes: Sequence[str], tables: Sequence[tuple[str, Table]]
) -> str:
    """The page, ready to be written as UTF-8; ``tables`` have headings of their own."""
    # jinja2 and plotly are imported by who writes a page, not by who asks for help
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("steelyard.plots"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawn = ladder_description(data)
    themes = {"light": plain(drawn, LIGHT), "dark": plain(drawn, DARK)}
    return str(
        environment.get_template("ladder.html.j2").render(
            title=data.title,
            words=words,
            notes=notes,
            tables=tables,
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            style=_text("page.css"),
            boot=_text("boot.js"),
            script=_text("ladder.js"),
            plotly=get_plotlyjs().replace("</script", "<\\/script"),
            data=_island(themes),
        )
    )


def _text(name: str) -> str:
    return (files("steelyard.plots") / "templates" / name).read_text(encoding="utf-8")


def _island(data: object) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
