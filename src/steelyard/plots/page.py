"""One HTML file that shows runs: key figures, charts, every rebalance.

The file needs nothing else. plotly.js comes out of the installed plotly package, a content
security policy forbids the page every address, and no template marks anything safe that came
from a user: text is escaped by jinja2, data stands in one JSON island in which ``<`` cannot occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np

from steelyard.errors import InputError
from steelyard.plots import digest, formats
from steelyard.plots.columns import Instants, Labels, Packer
from steelyard.plots.comparison import Standing, comparison_overview
from steelyard.plots.figure import panels_of
from steelyard.plots.frames import ReportRun
from steelyard.plots.overview import Overview, shelf_overview
from steelyard.plots.palette import DARK, LIGHT, css_variables
from steelyard.plots.panels import Panel
from steelyard.plots.view import ROW_NUMBERS, Rows, View, view_of
from steelyard.rules.json_text import as_json

__all__ = [
    "island",
    "order_notes",
    "packed_run",
    "rendered",
    "report_page",
    "section_of",
    "template",
    "template_text",
]

# One run may be drawn finely; a shelf of them shares the space, so that the file stays below
# about eight million bytes, five of which are plotly.js.
_POINTS_OF_ALL = 40_000
_POINTS_OF_ONE = 12_000
_ROWS_OF_ALL = 32_000
_ROWS_OF_ONE = 2_000

_DAY = 86_400

_LABELS = {
    "leverage_before": "leverage before",
    "leverage_after": "leverage after",
    "nav_before": "nav before",
    "nav_after": "nav after",
    "paid_by_reserve": "paid by reserve",
}


def report_page(
    runs: Sequence[ReportRun],
    *,
    title: str,
    notes: Sequence[str] = (),
    source: str = "",
    standings: Sequence[Standing] | None = None,
) -> str:
    """One self-contained HTML document, ready to be written as UTF-8.

    Args:
        runs: at least one; with several the page opens on an overview, and ``#SYMBOL`` leads
            to a series.
        title: of the page.
        notes: sentences to stand above everything.
        source: where the prices came from, for the footer.
        standings: where each run stands among the others, for runs that are to be compared: the
            page then opens on that, with a chart of error against cost.

    Raises:
        InputError: no runs, two of one symbol, or a run that cannot be drawn.
    """
    _refuse_unclear(runs)
    points = max(600, min(_POINTS_OF_ONE, _POINTS_OF_ALL // len(runs)))
    rows = max(200, min(_ROWS_OF_ONE, _ROWS_OF_ALL // len(runs)))
    views = [view_of(run, most_points=points, most_rows=rows) for run in runs]
    packer = Packer()
    panels = [panels_of(view) for view in views]
    packed = [packed_run(*pair, packer) for pair in zip(views, panels, strict=True)]
    overview = _overview(views, standings)
    charts = [_packed_panel(panel, packer) for panel in overview.panels] if overview else []
    return rendered(
        "page.html.j2",
        {"blobs": packer.blobs, "runs": packed, "overview": charts},
        title=title,
        notes=[*order_notes(views), *notes],
        source=source,
        overview=overview,
        sections=[section_of(*pair) for pair in zip(views, panels, strict=True)],
        underlyings=list(dict.fromkeys(view.facts.underlying for view in views)),
    )


def rendered(name: str, data: object, **shown: object) -> str:
    """A page by its template's name: what it shows, and the data that ``page.js`` draws."""
    # jinja2 and plotly are imported by who writes a page, not by who asks for help
    from plotly.offline import get_plotlyjs

    return str(
        template(name).render(
            light=css_variables(LIGHT),
            dark=css_variables(DARK),
            style=template_text("page.css"),
            boot=template_text("boot.js"),
            script=template_text("page.js"),
            plotly=get_plotlyjs().replace("</script", "<\\/script"),
            data=island(data),
            **shown,
        )
    )


def _refuse_unclear(runs: Sequence[ReportRun]) -> None:
    if not runs:
        message = "a report page needs at least one run"
        raise InputError(message)
    symbols = [run.facts.symbol for run in runs]
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        message = f"a report page links to each series by its symbol: {twice[0]!r} is there twice"
        raise InputError(message, symbols=twice)


def _overview(views: Sequence[View], standings: Sequence[Standing] | None) -> Overview | None:
    if standings is not None:
        return comparison_overview(views, standings)
    return shelf_overview(views) if len(views) > 1 else None


def section_of(view: View, panels: Sequence[Panel]) -> dict[str, Any]:
    """What the templates show of a run."""
    return {
        "facts": view.facts,
        "multiple": formats.multiple(view.facts.target_leverage),
        "tiles": digest.tiles(view),
        "groups": digest.groups(view),
        "sparkline": digest.sparkline(view),
        "panels": panels,
        "thinned": _thinned(view),
        "rows_note": _rows_note(view.rows),
        "wiped": _wiped(view),
    }


def packed_run(view: View, panels: Sequence[Panel], packer: Packer) -> dict[str, Any]:
    """A run as ``page.js`` reads it, its columns in the packer."""
    worst = view.worst_day[0] if view.worst_day else None
    return {
        "symbol": view.facts.symbol,
        "from": formats.instant(int(view.time[0])),
        "to": formats.instant(int(view.time[-1])),
        "worst": None if worst is None else formats.instant(worst),
        "panels": [_packed_panel(panel, packer) for panel in panels],
        "table": _packed_table(view.rows, packer),
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


def _packed_table(rows: Rows, packer: Packer) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [
        {"label": "time, UTC", "kind": "time", "column": packer.pack(Instants(rows.time))},
        {"label": "trigger", "kind": "text", "column": packer.pack(Labels(rows.trigger))},
        {"label": "side", "kind": "text", "column": packer.pack(Labels(rows.side))},
    ]
    for name in ROW_NUMBERS:
        values = rows.numbers[name]
        decimals = 4 if name.startswith("leverage") else formats.column_decimals(values)
        columns.append(
            {
                "label": _LABELS.get(name, name),
                "kind": "number",
                "decimals": decimals,
                "column": packer.numbers(values, decimals),
            }
        )
    return columns


def _thinned(view: View) -> str:
    if len(view.time) >= view.bars:
        return ""
    return (
        f"Drawn from {len(view.time):,} of {view.bars:,} bars: of each stretch those where price, "
        "nav, leverage or the reserve's level is lowest or highest. No extreme is lost."
    )


def _rows_note(rows: Rows) -> str:
    shown = len(rows.time)
    if shown >= rows.total:
        return f"All {rows.total:,} trades, launch included."
    return (
        f"{shown:,} of {rows.total:,} trades: launch, emergencies, the largest by notional, and "
        "the largest of each stretch of time. rebalances.parquet has all of them."
    )


def _wiped(view: View) -> str:
    wiped = view.summary.get("wiped_out")
    if not isinstance(wiped, dict):
        return ""
    price = wiped.get("price")
    at = formats.money(float(price)) if isinstance(price, int | float) else formats.MISSING
    why = {
        "liquidated": "the venue liquidated it",
        "nav": "its nav was used up",
    }.get(str(wiped.get("reason")), str(wiped.get("reason")))
    when = str(wiped.get("time")).replace("T", " ").removesuffix("Z").removesuffix("+00:00")
    return f"Wiped out on {when} UTC at a price of {at}: {why}. It is flat from then on."


def order_notes(views: Sequence[View]) -> list[str]:
    """What must be said of runs that looked inside bars: in which order a bar was walked."""
    lengths = [_bar_length(view) for view in views if view.summary.get("intrabar") == "path"]
    return [
        f"{name} say how far the price went inside {one}, not in which order. These runs assume "
        "the worst order: first the extreme that hurts the token (the low for a long, the high "
        "for a short), then the other, then the close."
        for name, one in dict.fromkeys(lengths)
    ]


def _bar_length(view: View) -> tuple[str, str]:
    if len(view.time) > 1 and round(float(np.median(np.diff(view.time)))) == _DAY:
        return "Daily bars", "a day"
    return "Bars", "a bar"


def template(name: str) -> Any:  # noqa: ANN401  jinja2's, only rendered
    """A page's template, by its file's name."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def template_text(name: str) -> str:
    """A style or script that stands beside the templates."""
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def island(data: object) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element."""
    text = as_json(data, compact=True)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
