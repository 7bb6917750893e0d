"""Steps between two returns as a waterfall: every bar begins where the one before it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steelyard.plots.columns import plain
from steelyard.plots.formats import multiple
from steelyard.plots.palette import DARK, LIGHT
from steelyard.plots.panels import Description, Panel, as_text

__all__ = ["waterfall_figure", "waterfall_panel"]


def waterfall_figure(
    symbol: str,
    steps: Mapping[str, float],
    target: float,
    underlying: float,
    token: float,
    *,
    dark: bool = False,
) -> Any:  # noqa: ANN401  plotly has no types
    """From L times the underlying's return to the token's, as a ``plotly`` figure.

    Args:
        symbol: of the token.
        steps: their returns, in order; those of exactly nothing are left out.
        target: L, signed.
        underlying: its return.
        token: its return.
        dark: for a dark page.
    """
    # plotly takes a tenth of a second to import: only who draws pays for it
    import plotly.graph_objects as go

    trace = _trace(symbol, steps, target, underlying, token)
    layout = {
        "title": {"text": as_text(f"{symbol}: where the return went"), "font": {"size": 20}},
        "height": 460,
        "margin": {"l": 70, "r": 30, "t": 70, "b": 60},
        "paper_bgcolor": "$card",
        "plot_bgcolor": "$card",
        "font": {"color": "$ink"},
        "separators": ".,",
        "showlegend": False,
        "xaxis": {"type": "category", "showgrid": False},
        "yaxis": {
            "title": {"text": "points of return"},
            "gridcolor": "$grid",
            "zerolinecolor": "$rule",
        },
    }
    return go.Figure(plain({"data": [trace], "layout": layout}, DARK if dark else LIGHT))


def waterfall_panel(
    symbol: str, steps: Mapping[str, float], target: float, underlying: float, token: float
) -> Panel:
    """The same as a chart among others of a page."""
    return Panel(
        key="waterfall",
        title="From the multiple to the token",
        caption=(
            "Points of return since the launch: what the first bar would have been, each step away "
            "from it, and what a holder had. Each step is the difference of two runs."
        ),
        traces=[{**_trace(symbol, steps, target, underlying, token), "showlegend": False}],
        xaxis={"type": "category", "automargin": True},
        yaxis={"title": {"text": "points of return"}},
        hovermode="closest",
        weight=1.15,
    )


def _trace(
    symbol: str, steps: Mapping[str, float], target: float, underlying: float, token: float
) -> Description:
    shown = {name: share for name, share in steps.items() if share}
    first = f"{multiple(target)} underlying"
    shares = [target * underlying, *shown.values(), token]
    return {
        "type": "waterfall",
        "x": [first, *shown, as_text(symbol)],
        "y": [share * 100 for share in shares],
        "measure": ["absolute", *["relative"] * len(shown), "total"],
        "text": [f"{share * 100:+z,.2f}" for share in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x}: %{text} points<extra></extra>",
        "increasing": {"marker": {"color": "$good"}},
        "decreasing": {"marker": {"color": "$bad"}},
        "totals": {"marker": {"color": "$nav"}},
        "connector": {"line": {"color": "$rule", "width": 1}},
    }
