"""A run as one plotly figure for notebooks: its panels stacked on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steelyard.plots.columns import plain
from steelyard.plots.frames import ReportRun
from steelyard.plots.leverage_panel import leverage_panel
from steelyard.plots.palette import DARK, LIGHT
from steelyard.plots.panels import Panel, as_text, costs_panel, nav_panel, reserve_panel
from steelyard.plots.view import View, view_of

__all__ = ["panels_of", "run_figure", "stacked_figure"]

_GAP = 0.075
_POINTS = 12_000
_ROWS = 2_000


def panels_of(view: View) -> list[Panel]:
    """All charts of a run, in reading order; the reserve's only where there is one."""
    panels = [nav_panel(view), leverage_panel(view), costs_panel(view), reserve_panel(view)]
    return [panel for panel in panels if panel is not None]


def run_figure(run: ReportRun, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """The panels of ``run``, stacked, as a ``plotly.graph_objects.Figure``.

    Raises:
        InputError: a column is missing, or the run has no bars.
    """
    panels = panels_of(view_of(run, most_points=_POINTS, most_rows=_ROWS))
    return stacked_figure(panels, f"{run.facts.symbol}: {run.facts.title}", dark=dark)


def stacked_figure(panels: Sequence[Panel], title: str, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """Charts over one time, one below the other, as a ``plotly.graph_objects.Figure``."""
    # plotly takes a tenth of a second to import: only who draws pays for it
    import plotly.graph_objects as go

    palette = DARK if dark else LIGHT
    layout: dict[str, Any] = {
        "title": {"text": as_text(title), "font": {"size": 20}},
        "height": round(120 + 300 * sum(panel.weight for panel in panels)),
        "margin": {"l": 70, "r": 30, "t": 100, "b": 50},
        "paper_bgcolor": "$card",
        "plot_bgcolor": "$card",
        "font": {"color": "$ink"},
        "separators": ".,",
        "hovermode": "closest",
        "xaxis": _xaxis(len(panels)),
        "shapes": [],
        "annotations": [],
    }
    traces: list[dict[str, Any]] = []
    for number, (panel, domain) in enumerate(zip(panels, _domains(panels), strict=True), 1):
        traces += _place(panel, number, domain, layout)
    figure = {"data": traces, "layout": layout}
    return go.Figure(plain(figure, palette))


def _place(
    panel: Panel, number: int, domain: tuple[float, float], layout: dict[str, Any]
) -> list[dict[str, Any]]:
    """Put a panel's axis, heading, legend and shapes into ``layout``; its traces come back."""
    n = "" if number == 1 else str(number)
    layout[f"yaxis{n}"] = {
        "domain": list(domain),
        "gridcolor": "$grid",
        "zerolinecolor": "$rule",
        **panel.yaxis,
    }
    at_top = {"y": domain[1], "yanchor": "bottom", "font": {"color": "$ink", "size": 12}}
    layout[f"legend{n}"] = {**at_top, "orientation": "h", "x": 1, "xanchor": "right"}
    heading = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "showarrow": False}
    text = {"text": f"<b>{panel.title}</b>", "font": {"color": "$ink", "size": 14}}
    layout["annotations"].append({**heading, **at_top, **text})
    for shape in panel.shapes:
        yref = shape["yref"].replace("y", f"y{n}", 1)
        layout["shapes"].append({**shape, "yref": yref, "legend": f"legend{n}"})
    return [{**trace, "yaxis": f"y{n}", "legend": f"legend{n}"} for trace in panel.traces]


def _xaxis(panels: int) -> dict[str, Any]:
    return {
        "type": "date",
        "anchor": "y" if panels == 1 else f"y{panels}",
        "gridcolor": "$grid",
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikecolor": "$muted",
        "spikedash": "dot",
        "title": {"text": "UTC"},
    }


def _domains(panels: Sequence[Panel]) -> list[tuple[float, float]]:
    room = 1.0 - _GAP * (len(panels) - 1)
    total = sum(panel.weight for panel in panels)
    domains, top = [], 1.0
    for panel in panels:
        bottom = max(top - room * panel.weight / total, 0.0)
        domains.append((bottom, top))
        top = bottom - _GAP
    return domains
