"""A comparison as a report page: its overview, and every series with its charts and trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from steelyard.plots.comparison import Standing
from steelyard.plots.frames import ReportRun
from steelyard.plots.page import report_page
from steelyard.rules.optimal_band import policy_product
from steelyard.simulate.compared import Compared
from steelyard.simulate.output import check_file, written_whole
from steelyard.simulate.report import report_run

__all__ = ["save_comparison"]


def save_comparison(
    entries: Sequence[Compared], source: str, volatility: float | None, path: str | Path
) -> None:
    """Write the page, whole or not at all.

    Args:
        entries: the series, in the order in which they are shown.
        source: of the prices over which they ran.
        volatility: sigma, realised over the bars, a year.
        path: of the file.

    Raises:
        InputError: where the file cannot be written.
    """
    path = Path(path)
    check_file(path)
    first, last = (entries[0].run.summary[end][:10] for end in ("start", "end"))
    what = "1 series" if len(entries) == 1 else f"{len(entries)} series side by side"
    page = report_page(
        [_named(entry) for entry in entries],
        title=f"{what}, {first} to {last}",
        source=source,
        standings=[_standing(entry, volatility) for entry in entries],
    )
    with written_whole(path) as stage:
        stage.write_text(page, encoding="utf-8")


def _named(entry: Compared) -> ReportRun:
    run = report_run(entry.run)
    return replace(run, facts=replace(run.facts, symbol=entry.name))


def _standing(entry: Compared, sigma: float | None) -> Standing:
    target, c = entry.run.series.target_leverage, entry.proportional_cost
    return Standing(
        cost_per_year=entry.cost_per_year,
        carry_per_year=entry.carry_per_year,
        turnover_per_year=entry.turnover_per_year,
        kappa=entry.kappa,
        unit=None if sigma is None else policy_product(1, target, sigma, c),
        efficient=entry.efficient,
    )
