"""What a page of several runs opens on: a table with a row a run, and charts of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.plots.digest import Cell, overview_cells
from steelyard.plots.panels import Panel
from steelyard.plots.view import View

__all__ = ["Overview", "shelf_overview"]

_HEADINGS = (
    ("Return", "nav per token, from launch to end"),
    ("Underlying", "return of the underlying"),
    ("L×, no costs", "return of the frictionless token that resets every UTC midnight"),
    ("Rebal.", "rebalances, launch not counted"),
    ("Cost", "all costs, in percent of initial assets"),
    ("Tracking error", "how far the exposure itself was off its target, per year"),
    ("Max drawdown", "deepest fall from a peak, at closes"),
    ("Worst day", "lowest return of a UTC day"),
)


@dataclass(frozen=True)
class Overview:
    """A table of runs, and what is drawn above it.

    Args:
        headings: of the columns, each with what it means.
        rows: the cells of each run, in the order of the runs.
        badges: a word of praise beside a run's name, or nothing, one a run.
        panels: charts of all runs.
    """

    headings: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]
    badges: Sequence[str]
    panels: Sequence[Panel] = ()


def shelf_overview(views: Sequence[View]) -> Overview:
    """Runs that may have nothing in common: what each gained, cost and lost."""
    rows = [overview_cells(view) for view in views]
    return Overview(_HEADINGS, rows, [""] * len(rows))
