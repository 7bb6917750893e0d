"""Plotly figures for notebooks: the panels of a run or of another result, stacked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steelyard.report.figure_encoding import plain
from steelyard.report.leverage_panel import leverage_panel
from steelyard.report.palette import DARK, LIGHT
from steelyard.report.panels import Panel, as_text, costs_panel, nav_panel, reserve_panel
from steelyard.report.plain_frames import ReportRun
from steelyard.report.view import View, view_of

__all__ = ["panels_of", "run_figure", "stacked_figure"]

_GAP = 0.075
_POINTS = 12_000
_ROWS = 2_000


def panels_of(view: View) -> list[Panel]:
    """All charts of a run, in reading order; that of the reserve only where there is a reserve."""
    panels = [nav_panel(view), leverage_panel(view), costs_panel(view), reserve_panel(view)]
    return [panel for panel in panels if panel is not None]


def run_figure(run: ReportRun, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """Plot the panels of ``run``, stacked, as a ``plotly.graph_objects.Figure``.

    Raises:
        InputError: a column is missing, or the run has no bars.
    """
    panels = panels_of(view_of(run, most_points=_POINTS, most_rows=_ROWS))
    return stacked_figure(panels, f"{run.facts.symbol}: {run.facts.title}", dark=dark)


def stacked_figure(panels: Sequence[Panel], title: str, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """Plot charts one below the other, as a ``plotly.graph_objects.Figure``.

    Charts over time share one axis; each other chart has its own.
    """
    # importing plotly takes a tenth of a second, so it is imported only for drawing
    import plotly.graph_objects as go

    layout: dict[str, Any] = {
        "title": {"text": as_text(title), "font": {"size": 20}},
        "height": round(150 + 300 * sum(panel.weight for panel in panels)),
        "margin": {"l": 70, "r": 30, "t": 100, "b": 60},
        "paper_bgcolor": "$card",
        "plot_bgcolor": "$card",
        "font": {"color": "$ink"},
        "separators": ".,",
        "hovermode": panels[-1].hovermode if len(panels) == 1 else "closest",
        "barmode": "relative",
        "shapes": [],
        "annotations": [],
    }
    traces: list[dict[str, Any]] = []
    for number, (panel, domain) in enumerate(zip(panels, _domains(panels), strict=True), 1):
        traces += _place(panel, number, domain, layout)
    timed = [number for number, panel in enumerate(panels, 1) if panel.xaxis is None]
    if timed:
        layout["xaxis"] = _time_axis(timed[-1])
    figure = {"data": traces, "layout": layout}
    return go.Figure(plain(figure, DARK if dark else LIGHT))


def _place(
    panel: Panel, number: int, domain: tuple[float, float], layout: dict[str, Any]
) -> list[dict[str, Any]]:
    """Add a panel's axes, heading, legend and shapes to ``layout``, and return its traces."""
    n = "" if number == 1 else str(number)
    axis = {"gridcolor": "$grid", "zerolinecolor": "$rule", "linecolor": "$rule"}
    layout[f"yaxis{n}"] = {**axis, "domain": list(domain), **panel.yaxis}
    x = "x"
    if panel.xaxis is not None:
        x = f"x{n}"
        layout[f"xaxis{n}"] = {**axis, "anchor": f"y{n}", **panel.xaxis}
        layout[f"yaxis{n}"]["anchor"] = x
    at_top = {"y": domain[1], "yanchor": "bottom", "font": {"color": "$ink", "size": 12}}
    layout[f"legend{n}"] = {**at_top, "orientation": "h", "x": 1, "xanchor": "right"}
    heading = {"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "showarrow": False}
    text = {"text": f"<b>{panel.title}</b>", "font": {"color": "$ink", "size": 14}}
    layout["annotations"].append({**heading, **at_top, **text})
    for shape in panel.shapes:
        refs = {
            "xref": shape["xref"].replace("x", x, 1),
            "yref": shape["yref"].replace("y", f"y{n}", 1),
        }
        layout["shapes"].append({**shape, **refs, "legend": f"legend{n}"})
    named = {"xaxis": x, "yaxis": f"y{n}", "legend": f"legend{n}"}
    return [{**trace, **named} for trace in panel.traces]


def _time_axis(last: int) -> dict[str, Any]:
    """The shared axis of all charts over time, which is drawn below the last of them."""
    return {
        "type": "date",
        "anchor": "y" if last == 1 else f"y{last}",
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
