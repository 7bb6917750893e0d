"""The charts of tracking over trailing windows: for a notebook, and for a tear sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.plots.daily_panels import Curve, rolling_panel
from steelyard.plots.figure import stacked_figure
from steelyard.plots.formats import multiple
from steelyard.plots.panels import Panel

if TYPE_CHECKING:
    import numpy.typing as npt

    from steelyard.explain.shown import ShownTracking


__all__ = ["tracking_figure", "tracking_panels"]


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
            level=(f"target {target:g}", target),
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


def tracking_figure(found: ShownTracking, days: int, *, dark: bool = False) -> Any:  # noqa: ANN401  plotly has no types
    """The charts, stacked, as a ``plotly.graph_objects.Figure``.

    Raises:
        InputError: fewer than one day, or more than there are.
    """
    columns = found.rolling_columns(days)
    panels = tracking_panels(columns, found.target, days)
    shown = [panel for panel in panels.values() if panel is not None]
    if not shown:
        there = max(len(found.time) - 1, 0)
        message = (
            f"days: expected windows with figures to draw, found windows of {days} in a history "
            f"of {there} after the day of the launch; give fewer days or a longer history."
        )
        raise InputError(message, found=days, days=there)
    return stacked_figure(shown, f"Tracking {multiple(found.target)} the underlying", dark=dark)
