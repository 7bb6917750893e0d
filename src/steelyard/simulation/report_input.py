"""A run prepared for the report page: the series in words and thresholds, and its frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from steelyard.report.plain_frames import ReportRun, SeriesFacts
from steelyard.rules.describe import (
    cost_words,
    execution_words,
    rule_words,
    series_sentences,
    target_words,
    venue_words,
)
from steelyard.rules.series import Series
from steelyard.simulation.coverage import asset_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from steelyard.simulation.run_protocols import DrawnRun
    from steelyard.simulation.run_tables import Columns

__all__ = ["report_run", "series_facts"]


def report_run(
    run: DrawnRun, *, title: str = "", assets: npt.NDArray[np.float64] | None = None
) -> ReportRun:
    """The figures of a run that the report page draws.

    Args:
        run: the run.
        title: headline; by default the target and the asset.
        assets: the value of all tokens on its reserve at each bar, if the reserve is shared; shape
            (bars,).
    """
    return ReportRun(
        facts=series_facts(run.series, title, asset_name(run.series, run.prices)),
        summary=run.summary,
        nav=_held(run) if (run.splits != 1).any() else run.nav_columns,
        rebalances=run.rebalance_columns,
        costs=run.cost_columns,
        assets=assets,
        suspended=list(zip(*_seconds(run.suspension_columns), strict=True)),
    )


def _seconds(columns: Columns) -> Iterator[list[int]]:
    """Columns of instants as lists of epoch seconds."""
    for values in columns.values():
        yield values.astype("datetime64[s]").astype("int64").tolist()


def _held(run: DrawnRun) -> Columns:
    """The rows of one token of the launch, held through every split."""
    rows = run.nav_columns
    return {**rows, "nav": rows["nav"] * run.splits, "tokens": rows["tokens"] / run.splits}


def series_facts(series: Series, title: str = "", asset: str = "") -> SeriesFacts:
    """A series in words, over prices of ``asset``.

    Without an ``asset`` the name of its underlying is used.
    """
    asset = asset or series.underlying
    how, pool = series.rebalance, series.reserve
    band = how.band
    return SeriesFacts(
        symbol=series.symbol,
        title=title or f"{target_words(series)} {asset}",
        sentence=series_sentences(series),
        rule=rule_words(series),
        underlying=asset,
        quote=series.quote,
        target_leverage=series.target_leverage,
        venue=venue_words(series),
        costs=cost_words(series),
        orders=execution_words(series),
        lower=band.lower if band is not None and not band.delever_only else None,
        upper=band.upper if band is not None else None,
        emergency=how.emergency_leverage or None,
        floor_ratio=pool.floor_ratio if pool is not None else None,
        resume_ratio=pool.resume_ratio if pool is not None else None,
    )
