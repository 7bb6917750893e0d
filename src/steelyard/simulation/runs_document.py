"""The document that shows several runs: a table of them, their shared reserve, and each run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.report.daily_reset_index import daily_reset_index, worst_day
from steelyard.report.document import (
    Block,
    Cell,
    Column,
    Document,
    Lazily,
    Paragraph,
    Table,
    TableRow,
)
from steelyard.report.number_format import count, multiple, number, percent
from steelyard.report.plain_frames import ReportRun, floats, times
from steelyard.report.sparkline import sparkline
from steelyard.report.view import figure_of
from steelyard.rules.costs import COST_KINDS
from steelyard.simulation.report_input import report_run
from steelyard.simulation.run_document import (
    CLOSING,
    history_words,
    reserve_figures,
    run_document,
    tone,
)
from steelyard.simulation.run_notes import run_notes, shared_notes

if TYPE_CHECKING:
    from steelyard.simulation.run_protocols import DrawnRun

__all__ = [
    "each_drawn",
    "return_cell",
    "runs_document",
    "runs_table",
    "shared_document",
]

MOST_POINTS, MOST_ROWS = 40_000, 32_000
"""The most bars and trades of all runs together, which keep a page below about 8 MB."""
LEAST_POINTS, LEAST_ROWS = 600, 200
OF_ONE = (12_000, 2_000)


def each_drawn(runs: int) -> tuple[int, int]:
    """The most bars and the most trades that each of ``runs`` runs may show on one page."""
    points = max(LEAST_POINTS, min(OF_ONE[0], MOST_POINTS // runs))
    return points, max(LEAST_ROWS, min(OF_ONE[1], MOST_ROWS // runs))


def shared_document(runs: Sequence[DrawnRun], reserve: dict[str, Any]) -> Document:
    """The document that shows several series on one reserve."""
    first = runs[0]
    # the level of a shared reserve is its value over the total net asset value of all tokens
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
    """A document of blocks about all runs, with a document of each run.

    Args:
        runs: the runs, at least one.
        names: a different name for each.
        title: headline of the whole document.
        blocks: what is shown about all runs.
        titles: headlines of the runs; by default the target and the asset of each.
        assets: the value of all tokens on their shared reserve at each bar, shape (bars,).
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
    """A table with one row per run.

    Args:
        runs: the runs.
        names: the name that each row shows.
        keys: the key of the document that each row links to; by default its name.
    """
    relieved = any(figure_of(run.summary, "costs", "paid_by_reserve") for run in runs)
    columns = [
        Column("token", words=True, under="trades when"),
        Column("nav, log", page_only=True),
        Column("target", drop=7),
        Column("return", "of one token, from launch to end"),
        Column("daily reset", "return of a daily reset to the target without costs", drop=2),
        Column("rebal.", "number of rebalances, without the launch"),
        Column("blocked", "rebalances due but not made: suspended, or too costly", drop=3),
        Column("cost", "all costs, as a share of initial assets"),
        Column("by reserve", "the part of the cost that the reserve paid", drop=4),
        Column(
            "error", "exposure error, that is how far leverage was off its target, a year", drop=6
        ),
        Column("drawdown", "deepest fall from a peak, at closes"),
        Column("worst day", "lowest return of a UTC day", drop=5),
    ]
    rows = [_cells(*each) for each in zip(runs, names, keys or names, strict=True)]
    kept = [place for place, one in enumerate(columns) if relieved or one.name != "by reserve"]
    return Table(
        "",
        [columns[place] for place in kept],
        [TableRow([row[place] for place in kept]) for row in rows],
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
    """The return of a token, or that it was wiped out."""
    if run.summary.get("wiped_out") is not None:
        return Cell("wiped out", -1.0, "bad")
    change = figure_of(run.summary, "nav", "return")
    return Cell(percent(change, signed=True), change, tone(change))
