"""A comparison as a document: error against cost, a table of all series, and each run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from steelyard.report.cost_error_chart import RulePoint, comparison_panel
from steelyard.report.document import Badge, Cell, Column, Document, Paragraph, Table, TableRow
from steelyard.report.number_format import count, money, multiple, number, percent
from steelyard.report.plain_frames import ReportRun
from steelyard.report.sparkline import sparkline
from steelyard.rules.optimal_band import policy_product
from steelyard.simulation.compared_series import Compared
from steelyard.simulation.report_input import report_run
from steelyard.simulation.run_document import history_words, tone
from steelyard.simulation.runs_document import return_cell, runs_document

__all__ = ["comparison_document"]

COLUMNS = (
    Column("token", words=True, under="trades when"),
    Column("nav, log", page_only=True),
    Column("target", drop=9),
    Column("nav", "value of one token at the end", drop=3),
    Column("return", "of one token, from launch to end"),
    Column("difference", "against a daily reset without costs", drop=4),
    Column("error", "exposure error, that is how far the exposure was off its target, a year"),
    Column("cost", "of rebalances, a year, as a share of nav"),
    Column("carry", "funding, interest and management a year, as a share of nav", drop=2),
    Column(
        "kappa",
        "error times cost without the effect of volatility, leverage and fees; for a price that "
        "moves continuously it is 0.289 for trades to the edge of a band, 0.408 for a reset at a "
        "band, 0.564 for a reset by the clock",
        strong=True,
    ),
    Column("turnover", "of rebalances, a year, in multiples of nav", drop=6),
    Column("rebal.", "number of rebalances, without the launch", drop=8),
    Column("worst day", "lowest return of a UTC day", drop=5),
    Column("drawdown", "deepest fall from a peak, at closes", drop=7),
)
EFFICIENT = Badge("efficient", "good", "*")
NOTE = "*: efficient, which means that no other of its target has both less error and less cost."


def comparison_document(entries: Sequence[Compared], sigma: float | None) -> Document:
    """The document that shows a comparison of series over one history.

    Args:
        entries: the series, in the order in which they are shown.
        sigma: volatility per year, realised over the bars.
    """
    first = entries[0].run
    words = f"{history_words(first)}, volatility {percent(sigma)} a year"
    carried = any(entry.carry_per_year for entry in entries)
    kept = [i for i, one in enumerate(COLUMNS) if carried or one.name != "carry"]
    rows = [_cells(entry, report_run(entry.run)) for entry in entries]
    table = Table(
        "",
        [COLUMNS[i] for i in kept],
        [TableRow([row[i] for i in kept]) for row in rows],
        note=NOTE,
        sortable=True,
    )
    points = [p for place, entry in enumerate(entries) if (p := _point(place, entry)) is not None]
    start, end = (first.summary[name][:10] for name in ("start", "end"))
    what = "1 series" if len(entries) == 1 else f"{len(entries)} series side by side"
    return runs_document(
        [entry.run for entry in entries],
        [entry.name for entry in entries],
        title=f"{what}, {start} to {end}",
        blocks=[
            Paragraph(words, "small"),
            *([comparison_panel(points, _unit(entries, sigma))] if points else []),
            table,
        ],
    )


def _cells(entry: Compared, run: ReportRun) -> list[Cell]:
    row, nav = entry.row, entry.run.nav_columns
    back, difference = return_cell(run), row["difference"]
    line = sparkline(nav["time"].astype("datetime64[s]").astype(np.int64), nav["nav"])
    badges = [EFFICIENT] if entry.efficient else []
    return [
        Cell(entry.name, under=run.facts.rule, link=entry.name, badges=badges),
        Cell("", spark=line),
        Cell(multiple(row["target_leverage"], signed=True), row["target_leverage"]),
        Cell(money(row["nav"]), row["nav"]),
        back,
        Cell(percent(difference, signed=True), difference, tone(difference)),
        Cell(number(row["error"], 3), row["error"]),
        Cell(percent(row["cost_per_year"]), row["cost_per_year"]),
        Cell(percent(row["carry_per_year"]), row["carry_per_year"]),
        Cell(number(row["kappa"], 3), row["kappa"]),
        Cell(number(row["turnover_per_year"], 1), row["turnover_per_year"]),
        Cell(count(row["rebalances"]), row["rebalances"]),
        Cell(percent(row["worst_day"], signed=True), row["worst_day"]),
        Cell(percent(row["max_drawdown"]), row["max_drawdown"]),
    ]


def _point(place: int, entry: Compared) -> RulePoint | None:
    error, cost = entry.row["error"], entry.cost_per_year
    if error is None or cost is None:
        return None
    return RulePoint(
        place=place,
        name=entry.name,
        target=entry.run.series.target_leverage,
        error=error,
        cost=cost,
        kappa=entry.kappa,
        efficient=entry.efficient,
        wiped_out=entry.run.summary["wiped_out"] is not None,
    )


def _unit(entries: Sequence[Compared], sigma: float | None) -> float | None:
    """Error times cost of a rule with kappa 1, if all series have it in common; otherwise None."""
    if sigma is None:
        return None
    units = [
        policy_product(1, entry.run.series.target_leverage, sigma, entry.proportional_cost)
        for entry in entries
    ]
    same = all(unit and math.isclose(unit, units[0], rel_tol=1e-9) for unit in units)
    return units[0] if same else None
