"""A tear sheet as one HTML file that needs nothing else, in the look of the report pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.explain.tear_sheet_chapters import (
    costs_and_reserve,
    dangers,
    next_trades,
    returns,
    statistics,
    tracked,
    where_it_went,
)
from steelyard.explain.tear_sheet_curves import rolling_volatility, underwater_of
from steelyard.plots import formats
from steelyard.plots.digest import Tile, tone
from steelyard.plots.figure import panels_of, stacked_figure
from steelyard.plots.panels import nav_panel
from steelyard.plots.tear_sheet import tear_sheet_page
from steelyard.plots.view import View, view_of
from steelyard.simulate.output import check_file, written_whole
from steelyard.simulate.report import report_run

if TYPE_CHECKING:
    from steelyard.explain.shown import ShownTearSheet

__all__ = ["save_tear_sheet", "tear_sheet_figure"]

MOST_POINTS = 6_000
MOST_ROWS = 1_000
"""Of bars drawn and trades marked: half of a report page's, whose place is for looking closer."""


def save_tear_sheet(found: ShownTearSheet, path: str | Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: where the file cannot be written.
    """
    path = Path(path)
    check_file(path)
    view = _view(found)
    panels = {panel.key: panel for panel in panels_of(view)}
    chapters = [
        returns(found, panels["nav"]),
        statistics(found),
        where_it_went(found),
        tracked(found, panels["leverage"]),
        costs_and_reserve(found, panels["costs"], panels.get("reserve")),
        dangers(found),
        next_trades(found),
    ]
    first, last = (formats.day(int(at)) for at in (view.time[0], view.time[-1]))
    page = tear_sheet_page(
        view,
        chapters,
        title=f"{found.run.series.symbol}: tear sheet, {first} to {last}",
        tiles=_tiles(found),
        notes=[],
        source=found.run.prices.source,
    )
    with written_whole(path) as stage:
        stage.write_text(page, encoding="utf-8")


def tear_sheet_figure(found: ShownTearSheet, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """Growth, drawdown and rolling volatility, stacked."""
    view = _view(found)
    panels = [nav_panel(view), underwater_of(found), rolling_volatility(found)]
    shown = [panel for panel in panels if panel is not None]
    return stacked_figure(shown, f"{found.run.series.symbol}: tear sheet", dark=dark)


def _view(found: ShownTearSheet) -> View:
    return view_of(report_run(found.run), most_points=MOST_POINTS, most_rows=MOST_ROWS)


def _tiles(found: ShownTearSheet) -> list[Tile]:
    token, asset = found.statistics["token"], found.statistics["underlying"]
    grown, (paid, relief) = token["annual_return"], _costs(found)
    under = "of initial nav, all steps of cost"
    if relief:
        under = f"of initial nav; the reserve {formats.percent(relief, signed=True)}"
    beside = f"underlying {formats.percent(asset['volatility'])}"
    return [
        Tile("Annual return", _large(grown), "compounded, 365 days", tone(grown)),
        Tile("Volatility", formats.percent(token["volatility"]), beside),
        Tile(
            "Sharpe",
            formats.number(token["sharpe"], 2),
            f"Sortino {formats.number(token['sortino'], 2)}, "
            f"underlying {formats.number(asset['sharpe'], 2)}",
            tone(token["sharpe"]),
        ),
        Tile("Costs", formats.percent(paid, signed=True), under, tone(paid)),
    ]


def _large(share: float | None) -> str:
    """A return a year, which a few days can make larger than any that has a meaning."""
    if share is not None and abs(share) >= MOST_SHOWN:
        return f"over {formats.count(MOST_SHOWN)}×"
    return formats.percent(share, signed=True)


MOST_SHOWN = 1_000


def _costs(found: ShownTearSheet) -> tuple[float, float]:
    """What all steps of cost made of the token's return, and what the reserve did."""
    steps = found.explanation.steps
    paid = float(np.sum([share for name, share in steps.items() if name not in NO_COSTS]))
    return paid, steps["reserve"]


NO_COSTS = frozenset({"compounding", "rule", "reserve"})
