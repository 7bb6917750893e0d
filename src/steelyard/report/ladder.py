"""The charts of a forecast (what will be traded at each price) and of a history's worst moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.report.panels import Description, Panel, as_text

__all__ = ["LadderData", "gaps_panel", "ladder_panel"]


@dataclass(frozen=True, kw_only=True)
class LadderData:
    """Order flow by price, in quote, negative for sales; all sequences have one length.

    Args:
        title: title of the figure.
        quote: currency of the flows.
        underlying: asset whose price it is.
        present: present price.
        prices: prices of the ladder, ascending.
        on_the_way: net flow on the way to each price.
        at_resets: net flow at the next resets if the price then is this one.
    """

    title: str
    quote: str
    underlying: str
    present: float
    prices: Sequence[float]
    on_the_way: Sequence[float]
    at_resets: Sequence[float]


def ladder_panel(data: LadderData) -> Panel:
    """The chart of what is traded on the way to each price, and at the next resets there."""
    kinds = (
        ("on the way", data.on_the_way, "$nav", ""),
        ("at the next resets", data.at_resets, "$ideal", "/"),
    )
    # formatted here, because plotly would show a sign on a value that it rounds to zero
    hover = f"%{{customdata}} {as_text(data.quote)}"
    in_all = [way + reset for way, reset in zip(data.on_the_way, data.at_resets, strict=True)]
    bars: list[Description] = [
        {
            "type": "bar",
            "name": name,
            "x": list(data.prices),
            "y": list(flows),
            "customdata": _amounts(flows),
            # a pattern distinguishes the two kinds for readers who cannot tell the colours apart
            "marker": {"color": color, "pattern": {"shape": shape}},
            "hovertemplate": hover,
        }
        for name, flows, color, shape in kinds
    ]
    net: Description = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "total",
        "x": list(data.prices),
        "y": in_all,
        "customdata": _amounts(in_all),
        "line": {"color": "$ink", "width": 1.6},
        "marker": {"color": "$ink", "size": 5},
        "hovertemplate": hover,
    }
    present: Description = {
        "type": "line",
        "name": "present price",
        "showlegend": False,
        "xref": "x",
        "yref": "y domain",
        "x0": data.present,
        "x1": data.present,
        "y0": 0,
        "y1": 1,
        "line": {"color": "$muted", "width": 1.2, "dash": "dot"},
    }
    quote = as_text(data.quote)
    return Panel(
        key="ladder",
        title="What will be traded at each price",
        caption=(
            "Tokens buy above zero and sell below it. One bar shows what is traded on the way to "
            "the price, the other what is traded at the next resets if the price is there then. "
            "The dotted line is the present price."
        ),
        traces=[*bars, net],
        shapes=[present],
        xaxis={"title": {"text": f"price of {as_text(data.underlying)}"}, "automargin": True},
        yaxis={
            "title": {"text": f"bought (+) and sold (−), {quote}"},
            "tickformat": "~s",
            "zerolinecolor": "$muted",
        },
        weight=1.1,
    )


def gaps_panel(moves: Sequence[tuple[str, str, float]]) -> Panel:
    """The chart of worst moves, each given as span, ``fall`` or ``rise``, and simple return."""
    return Panel(
        key="gaps",
        title="Worst moves",
        caption="The largest fall and rise of the price over each span.",
        traces=[
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
        ],
        xaxis={"title": {"text": "span"}, "type": "category", "automargin": True},
        yaxis={"title": {"text": "worst move"}, "tickformat": "+.0%"},
        hovermode="closest",
    )


def _amounts(flows: Sequence[float]) -> list[str]:
    return [f"{flow:+z,.0f}" for flow in flows]
