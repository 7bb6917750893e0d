"""Several runs as one document: a row a token, the reserve that they share, a page for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.report.daily_reset import daily_reset_index, worst_day
from steelyard.report.document import Block, Cell, Column, Document, Lazily, Paragraph, Row, Table
from steelyard.report.frames import ReportRun, floats, times
from steelyard.report.number_format import count, multiple, number, percent
from steelyard.report.sparkline import sparkline
from steelyard.report.view import figure_of
from steelyard.rules.costs import COST_KINDS
from steelyard.simulation.report import report_run
from steelyard.simulation.run_document import (
    CLOSING,
    history_words,
    reserve_figures,
    run_document,
    tone,
)
from steelyard.simulation.run_notes import run_notes, shared_notes

if TYPE_CHECKING:
    from steelyard.simulation.kept import DrawnRun

__all__ = [
    "each_drawn",
    "return_cell",
    "runs_document",
    "runs_table",
    "shared_document",
]

MOST_POINTS, MOST_ROWS = 40_000, 32_000
"""Bars and trades of all runs together: the page stays below about eight million bytes."""
LEAST_POINTS, LEAST_ROWS = 600, 200
OF_ONE = (12_000, 2_000)


def each_drawn(runs: int) -> tuple[int, int]:
    """How many bars and trades each of so many runs may draw on one page."""
    points = max(LEAST_POINTS, min(OF_ONE[0], MOST_POINTS // runs))
    return points, max(LEAST_ROWS, min(OF_ONE[1], MOST_ROWS // runs))


def shared_document(runs: Sequence[DrawnRun], reserve: dict[str, Any]) -> Document:
    """Several series on one reserve."""
    first = runs[0]
    # the level of a shared reserve is judged by what all of them are worth
    assets = np.asarray(sum(run.nav_columns["nav"] * run.nav_columns["tokens"] for run in runs))
    base, quote = first.series.underlying.partition("/")[0], first.series.quote
    named = {run.series.symbol: run for run in runs}
    return runs_document(
        list(named.values()),
        list(named),
        title=f"{', '.join(named)} on one reserve",
        blocks=[
            Paragraph(history_words(first), "small"),
            runs_table([report_run(run) for run in named.values()], list(named)),
            reserve_figures(reserve, base, quote),
        ],
        assets=assets,
    )


def runs_document(
    runs: Sequence[DrawnRun],
    names: Sequence[str],
    *,
    title: str,
    blocks: Sequence[Block],
    titles: Sequence[str] = (),
    assets: np.ndarray[Any, np.dtype[np.float64]] | None = None,
) -> Document:
    """Blocks on all runs, and a document of each by its name.

    Args:
        runs: at least one.
        names: of them, each its own.
        title: of all.
        blocks: what is shown of all.
        titles: headlines of the runs, by default what they aim at.
        assets: what all tokens on their one reserve are worth, a figure a bar.
    """
    each = each_drawn(len(runs))
    headlines = titles or [""] * len(runs)
    return Document(
        title=title,
        blocks=blocks,
        notes=shared_notes(dict(zip(names, map(run_notes, runs), strict=True))),
        closing=[CLOSING, f"Prices: {runs[0].prices.source}."],
        members=Lazily(
            lambda: [
                run_document(run, title=headline, key=name, assets=assets, most=each)
                for run, name, headline in zip(runs, names, headlines, strict=True)
            ]
        ),
    )


def runs_table(runs: Sequence[ReportRun], names: Sequence[str], keys: Sequence[str] = ()) -> Table:
    """A row a run, under its name; it leads to the document of its key, by default its name."""
    relieved = any(figure_of(run.summary, "costs", "paid_by_reserve") for run in runs)
    columns = [
        Column("token", words=True, under="trades when"),
        Column("nav, log", page_only=True),
        Column("target", drop=7),
        Column("return", "of nav per token, from launch to end"),
        Column("daily reset", "what a daily reset to the target without costs returned", drop=2),
        Column("rebal.", "rebalances, launch not counted"),
        Column("blocked", "rebalances not made: suspended, or too costly", drop=3),
        Column("cost", "all costs, of initial assets"),
        Column("by reserve", "what the reserve paid of it", drop=4),
        Column("error", "exposure error, how far leverage was off its target, a year", drop=6),
        Column("drawdown", "deepest fall from a peak, at closes"),
        Column("worst day", "lowest return of a UTC day", drop=5),
    ]
    rows = [_cells(*each) for each in zip(runs, names, keys or names, strict=True)]
    kept = [place for place, one in enumerate(columns) if relieved or one.name != "by reserve"]
    return Table(
        "",
        [columns[place] for place in kept],
        [Row([row[place] for place in kept]) for row in rows],
        sortable=True,
    )


def _cells(run: ReportRun, name: str, key: str) -> list[Cell]:
    time, nav, price = times(run.nav), floats(run.nav, "nav"), floats(run.nav, "price")
    initial = figure_of(run.summary, "nav", "initial") or float(nav[0])
    assets = initial * float(floats(run.nav, "tokens")[0])
    target = run.facts.target_leverage
    launch = figure_of(run.summary, "underlying", "initial")
    ideal = float(daily_reset_index(time, price, target, launch)[-1]) - 1
    worst = worst_day(time, nav, initial)
    lost = None if worst is None else worst[1]
    spent = sum(figure_of(run.summary, "costs", kind) or 0.0 for kind in COST_KINDS) / assets
    relief = (figure_of(run.summary, "costs", "paid_by_reserve") or 0.0) / assets
    error = figure_of(run.summary, "tracking", "error")
    deepest = figure_of(run.summary, "max_drawdown")
    counts = [figure_of(run.summary, "rebalances", kind) for kind in ("count", "blocked")]
    rebalances, blocked = (Cell(count(times_), times_) for times_ in counts)
    return [
        Cell(name, under=run.facts.rule, link=key),
        Cell("", spark=sparkline(time, nav)),
        Cell(multiple(target, signed=True), target),
        return_cell(run),
        Cell(percent(ideal, signed=True), ideal, tone(ideal))
        if ideal > -1
        else Cell("wiped out", ideal, "bad"),
        rebalances,
        blocked,
        Cell(percent(spent), spent),
        Cell(percent(relief), relief),
        Cell(number(error, 3), error),
        Cell(percent(deepest), deepest),
        Cell(percent(lost, signed=True), lost),
    ]


def return_cell(run: ReportRun) -> Cell:
    """What a token returned, or that nothing is left of it."""
    if run.summary.get("wiped_out") is not None:
        return Cell("wiped out", -1.0, "bad")
    change = figure_of(run.summary, "nav", "return")
    return Cell(percent(change, signed=True), change, tone(change))
