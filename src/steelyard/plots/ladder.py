"""What will be traded at each price, and the worst moves of a history, as figures.

Described once with abstract colours, as panels are; a page takes both themes, a notebook one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steelyard.plots.columns import plain
from steelyard.plots.palette import DARK, LIGHT
from steelyard.plots.panels import Description, Panel, as_text

__all__ = ["LadderData", "gaps_figure", "ladder_description", "ladder_figure", "ladder_panel"]


@dataclass(frozen=True, kw_only=True)
class LadderData:
    """Flows by price, all of one length, quote, negative for sales.

    Args:
        title: of the figure.
        quote: what flows are counted in.
        underlying: whose price it is.
        present: the price now.
        prices: rising.
        on_the_way: net, traded before the price is there.
        at_resets: net, traded at the next resets if it stays there.
    """

    title: str
    quote: str
    underlying: str
    present: float
    prices: Sequence[float]
    on_the_way: Sequence[float]
    at_resets: Sequence[float]


def ladder_description(data: LadderData) -> Description:
    """The ladder as a figure whose colours are still names."""
    kinds = (
        ("on the way", data.on_the_way, "$nav"),
        ("at the next resets", data.at_resets, "$ideal"),
    )
    # written here, since plotly gives a zero that it rounded to the sign that it is asked for
    hover = f"%{{customdata}} {as_text(data.quote)}"
    in_all = [way + reset for way, reset in zip(data.on_the_way, data.at_resets, strict=True)]
    bars: list[Description] = [
        {
            "type": "bar",
            "name": name,
            "x": list(data.prices),
            "y": list(flows),
            "customdata": _amounts(flows),
            "marker": {
                "color": color,
                # shapes tell the two apart where colours do not
                "pattern": {"shape": "/" if name != "on the way" else ""},
            },
            "hovertemplate": hover,
        }
        for name, flows, color in kinds
    ]
    net: Description = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "in all",
        "x": list(data.prices),
        "y": in_all,
        "customdata": _amounts(in_all),
        "line": {"color": "$ink", "width": 1.6},
        "marker": {"color": "$ink", "size": 5},
        "hovertemplate": hover,
    }
    present: Description = {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": data.present,
        "x1": data.present,
        "y0": 0,
        "y1": 1,
        "line": {"color": "$muted", "width": 1.2, "dash": "dot"},
    }
    return {
        "data": [*bars, net],
        "layout": {
            **_layout(data.title),
            "barmode": "relative",
            "hovermode": "x unified",
            "shapes": [present],
            "xaxis": {**_AXIS, "title": {"text": f"price of {as_text(data.underlying)}"}},
            "yaxis": {
                **_AXIS,
                "title": {"text": f"bought (+) and sold (−), {as_text(data.quote)}"},
                "tickformat": "~s",
                "zerolinecolor": "$muted",
            },
        },
    }


def ladder_figure(data: LadderData, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """The ladder as a ``plotly.graph_objects.Figure``."""
    return _figure(ladder_description(data), dark=dark)


def ladder_panel(data: LadderData) -> Panel:
    """The ladder as a chart among others of a page."""
    drawn = ladder_description(data)
    layout = drawn["layout"]
    return Panel(
        key="ladder",
        title="What it will trade at each price",
        caption=(
            "Above zero it buys, below it sells. On the way is traded before the price is there, "
            "at the next resets if it then stays. The dotted line is the present price."
        ),
        traces=drawn["data"],
        shapes=[{**shape, "showlegend": False} for shape in layout["shapes"]],
        xaxis={**layout["xaxis"], "automargin": True},
        yaxis=layout["yaxis"],
        weight=1.1,
    )


def gaps_figure(moves: Sequence[tuple[str, str, float]], *, title: str, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """Worst moves (span, ``fall`` or ``rise``, simple return) as a ``Figure``."""
    bars: list[Description] = [
        {
            "type": "bar",
            "name": side,
            "x": [span.replace("_", " ") for span, kind, _ in moves if kind == side],
            "y": [move for _, kind, move in moves if kind == side],
            "customdata": [f"{move:+z.2%}" for _, kind, move in moves if kind == side],
            "marker": {"color": color},
            "hovertemplate": "%{customdata}",
        }
        for side, color in (("fall", "$sell"), ("rise", "$buy"))
    ]
    layout = {
        **_layout(title),
        "barmode": "relative",
        "xaxis": {**_AXIS, "title": {"text": "span"}},
        "yaxis": {**_AXIS, "title": {"text": "worst move"}, "tickformat": "+.0%"},
    }
    return _figure({"data": bars, "layout": layout}, dark=dark)


def _amounts(flows: Sequence[float]) -> list[str]:
    return [f"{flow:+z,.0f}" for flow in flows]


def _figure(description: Description, *, dark: bool) -> Any:  # noqa: ANN401  plotly has no types
    # plotly takes a tenth of a second to import: only who draws pays for it
    import plotly.graph_objects as go

    return go.Figure(plain(description, DARK if dark else LIGHT))


_AXIS: Mapping[str, Any] = {"gridcolor": "$grid", "zerolinecolor": "$rule", "linecolor": "$rule"}


def _layout(title: str) -> Description:
    return {
        "title": {"text": as_text(title), "font": {"size": 18}},
        "height": 480,
        "margin": {"l": 70, "r": 30, "t": 80, "b": 60},
        "paper_bgcolor": "$card",
        "plot_bgcolor": "$card",
        "font": {"color": "$ink"},
        "separators": ".,",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    }
