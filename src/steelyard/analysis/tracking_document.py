"""The document of a token's tracking: figures by horizon and charts of trailing windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steelyard.report.daily_panels import Curve, rolling_panel
from steelyard.report.document import Block, Column, Document, SideBySide, Table, TableRow
from steelyard.report.number_format import multiple, number, percent
from steelyard.report.panels import Panel

if TYPE_CHECKING:
    import numpy.typing as npt

    from steelyard.analysis.result_protocols import ShownTracking

__all__ = ["WINDOW_DAYS", "horizon_table", "tracking_document", "tracking_panels", "tracking_title"]

WINDOW_DAYS = 30
HORIZONS = (
    Column("days"),
    Column("spans"),
    Column("slope", "the slope of the token's returns on the underlying's"),
    Column("R2", "share of their variance that the underlying explains", drop=1),
    Column("error", "standard deviation of the token's return less L times the underlying's"),
    Column("difference", "relative to a daily reset without costs"),
)


def tracking_document(found: ShownTracking) -> Document:
    """Build the document of tracking for terminals, notebooks and pages."""
    charts: list[Block] = []
    if len(found.time) > WINDOW_DAYS:
        charts = tracking_charts(found.rolling_columns(WINDOW_DAYS), found.target, WINDOW_DAYS)
    return Document(tracking_title(found), [horizon_table(found), *charts])


def tracking_title(found: ShownTracking) -> str:
    """The title, such as ``Tracking 3x the underlying``."""
    return f"Tracking {multiple(found.target)} the underlying"


def horizon_table(found: ShownTracking) -> Table:
    """The table with one row for each horizon; its note says how close the days were."""
    figures = found.figures
    near = ", ".join(
        f"{percent(met)} within {float(share) * 100:g}" for share, met in figures["within"].items()
    )
    note = (
        f"Of {figures['days']:,} daily returns, {near.replace('within', 'were within', 1)} "
        f"percentage points of {multiple(found.target)} the underlying's."
    )
    if figures["outside_band"] is not None:
        note += f" {percent(figures['outside_band'])} of bars closed outside the band."
    rows = [TableRow([days, *_cells(row)]) for days, row in figures["horizons"].items()]
    return Table("Tracking by horizon, in days", HORIZONS, rows, note=note)


def _cells(row: Mapping[str, Any]) -> list[str]:
    """The figures of one horizon as text; a dash where one is undefined."""
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
    """The charts of trailing windows, two in each row."""
    panels = [panel for panel in tracking_panels(columns, target, days).values() if panel]
    return [SideBySide(panels[:2]), SideBySide(panels[2:])] if panels else []


def tracking_panels(
    columns: Mapping[str, npt.NDArray[Any]], target: float, days: int
) -> dict[str, Panel | None]:
    """One chart for each figure, by its name; None where no window has the figure.

    Args:
        columns: arrays in the form of ``Tracking.rolling_columns``.
        target: target leverage L, signed.
        days: length of each window, in days.
    """
    last = f"of the last {days} {'day' if days == 1 else 'days'}"

    def curve(name: str, title: str) -> list[Curve]:
        return [Curve(title, columns["time"], columns[name], "$nav")]

    return {
        "slope": rolling_panel(
            "slope",
            f"Slope {last}",
            "The least-squares slope of the token's daily returns on the underlying's: its beta, "
            "the leverage that holders had.",
            curve("slope", "slope"),
            level=(f"target {multiple(target)}", target),
        ),
        "r2": rolling_panel(
            "r2",
            f"R² {last}",
            "Share of the variance of the token's daily returns that the underlying's explain.",
            curve("r2", "R²"),
        ),
        "error": rolling_panel(
            "error",
            f"Error {last}",
            "Standard deviation of the token's daily returns less L times the underlying's.",
            curve("error", "error, daily"),
            tickformat=".2~%",
        ),
        "difference": rolling_panel(
            "difference",
            f"Difference {last}",
            "The token's growth over the window, relative to a daily reset without costs.",
            curve("difference", "difference"),
            tickformat="+.2~%",
        ),
    }
