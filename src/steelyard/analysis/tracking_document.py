"""How well a token tracks, as a document: by horizon, and over trailing windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steelyard.report.daily_panels import Curve, rolling_panel
from steelyard.report.document import Block, Column, Document, Row, SideBySide, Table
from steelyard.report.number_format import multiple, number, percent
from steelyard.report.panels import Panel

if TYPE_CHECKING:
    import numpy.typing as npt

    from steelyard.analysis.shown import ShownTracking

__all__ = ["WINDOW_DAYS", "horizon_table", "tracking_document", "tracking_panels", "tracking_title"]

WINDOW_DAYS = 30
HORIZONS = (
    Column("days"),
    Column("spans"),
    Column("slope", "of the token's returns on the underlying's"),
    Column("R2", "share of their variance that the underlying explains", drop=1),
    Column("error", "standard deviation of the token's return less L times the underlying's"),
    Column("difference", "to a daily reset without costs"),
)


def tracking_document(found: ShownTracking) -> Document:
    """All that is shown of it."""
    charts: list[Block] = []
    if len(found.time) > WINDOW_DAYS:
        charts = tracking_charts(found.rolling_columns(WINDOW_DAYS), found.target, WINDOW_DAYS)
    return Document(tracking_title(found), [horizon_table(found), *charts])


def tracking_title(found: ShownTracking) -> str:
    """``Tracking 3x the underlying``."""
    return f"Tracking {multiple(found.target)} the underlying"


def horizon_table(found: ShownTracking) -> Table:
    """A row a horizon; below it how near the days were."""
    figures = found.figures
    near = ", ".join(
        f"{percent(met)} within {float(share) * 100:g}" for share, met in figures["within"].items()
    )
    note = (
        f"Of {figures['days']:,} days {near} percentage points of {multiple(found.target)} the "
        f"underlying's day."
    )
    if figures["outside_band"] is not None:
        note += f" {percent(figures['outside_band'])} of bars closed outside the band."
    rows = [Row([days, *_cells(row)]) for days, row in figures["horizons"].items()]
    return Table("Tracking, by days", HORIZONS, rows, note=note)


def _cells(row: Mapping[str, Any]) -> list[str]:
    """The figures of one horizon as text; what is undefined is a dash."""
    return [
        f"{row['spans']:,}",
        number(row["slope"], 3),
        number(row["r2"], 4),
        percent(row["error"]),
        percent(row["difference"], signed=True),
    ]


def tracking_charts(
    columns: Mapping[str, npt.NDArray[Any]], target: float, days: int
) -> list[Block]:
    """The charts of trailing windows, two beside each other."""
    panels = [panel for panel in tracking_panels(columns, target, days).values() if panel]
    return [SideBySide(panels[:2]), SideBySide(panels[2:])] if panels else []


def tracking_panels(
    columns: Mapping[str, npt.NDArray[Any]], target: float, days: int
) -> dict[str, Panel | None]:
    """A chart a figure, by its name; None where no window has it.

    Args:
        columns: as ``Tracking.rolling_columns`` has them.
        target: L, signed.
        days: of a window.
    """
    last = f"of the last {days} {'day' if days == 1 else 'days'}"

    def curve(name: str, title: str) -> list[Curve]:
        return [Curve(title, columns["time"], columns[name], "$nav")]

    return {
        "slope": rolling_panel(
            "slope",
            f"Slope {last}",
            "Of the token's days on the underlying's, by least squares: the leverage that its "
            "holders had, its beta.",
            curve("slope", "slope"),
            level=(f"target {multiple(target)}", target),
        ),
        "r2": rolling_panel(
            "r2",
            f"R² {last}",
            "Share of the variance of the token's days that the underlying's explain.",
            curve("r2", "R²"),
        ),
        "error": rolling_panel(
            "error",
            f"Error {last}",
            "Standard deviation of the token's days less L times the underlying's.",
            curve("error", "error, of a day"),
            tickformat=".2~%",
        ),
        "difference": rolling_panel(
            "difference",
            f"Difference {last}",
            "Of the whole window, to a daily reset without costs.",
            curve("difference", "difference"),
            tickformat="+.2~%",
        ),
    }
