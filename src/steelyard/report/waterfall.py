"""The waterfall chart of the steps between two returns."""

from __future__ import annotations

from collections.abc import Mapping

from steelyard.report.number_format import multiple, typeset
from steelyard.report.panels import Panel, as_text

__all__ = ["waterfall_panel"]


def waterfall_panel(
    symbol: str, steps: Mapping[str, float], target: float, underlying: float, token: float
) -> Panel:
    """The waterfall chart from L times the underlying's return to the token's return.

    Args:
        symbol: symbol of the token.
        steps: return of each step, in order; steps of exactly zero are left out.
        target: target leverage L, signed.
        underlying: return of the underlying.
        token: return of the token.
    """
    shown = {name: share for name, share in steps.items() if share}
    first = f"{typeset(multiple(target))} underlying"
    shares = [target * underlying, *shown.values(), token]
    trace = {
        "type": "waterfall",
        "showlegend": False,
        "x": [first, *shown, as_text(symbol)],
        "y": [share * 100 for share in shares],
        "measure": ["absolute", *["relative"] * len(shown), "total"],
        "text": [f"{share * 100:+z,.2f}" for share in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{x}: %{text} percentage points<extra></extra>",
        "increasing": {"marker": {"color": "$good"}},
        "decreasing": {"marker": {"color": "$bad"}},
        "totals": {"marker": {"color": "$nav"}},
        "connector": {"line": {"color": "$rule", "width": 1}},
    }
    return Panel(
        key="waterfall",
        title="From L times the underlying to the token",
        caption=(
            "Percentage points of return since the launch: the multiple of the underlying's "
            "return, each step away from it, and the holder's return. Each step is the difference "
            "between two runs."
        ),
        traces=[trace],
        xaxis={"type": "category", "automargin": True},
        yaxis={"title": {"text": "percentage points of return"}},
        hovermode="closest",
        weight=1.15,
    )
