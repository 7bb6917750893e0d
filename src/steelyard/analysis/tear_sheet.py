"""A tear sheet: a one-page report of all statistics of a run, for issuers and holders of the token.

It combines the explanation and the tracking of the run, the worst moves of its history, and the
forecast from its last state. It adds return statistics of three curves: the token, the underlying,
and the daily reset without costs (``multiple``). A day of the latter returns L times the
underlying's day; it ends with a day on which it would lose everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from steelyard.analysis.attribution import explain_run, run_for
from steelyard.analysis.benchmark_statistics import AGAINST
from steelyard.analysis.drawdowns import DRAWDOWNS
from steelyard.analysis.explanation import Explanation
from steelyard.analysis.forecast import forecast
from steelyard.analysis.forecast_result import Forecast
from steelyard.analysis.gaps import GapTable, gaps
from steelyard.analysis.shelf import Shelf
from steelyard.analysis.statistics import ALONE, CURVES, WINDOW_DAYS, DailyValues
from steelyard.analysis.tracking import Tracking
from steelyard.market.daily_reset import reset_values
from steelyard.market.times import DAY_S
from steelyard.report.shown_result import Shown
from steelyard.rules.series import Series
from steelyard.simulation.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["TearSheet", "tear_sheet", "tear_sheet_of"]


@dataclass(frozen=True, eq=False, repr=False)
class TearSheet(Shown):
    """The tear sheet of one run.

    Attributes:
        run: the run.
        explanation: the attribution of its return.
        gaps: the worst moves of its history, tested against its series.
        forecast: what the token will trade next, from its last state; None where the token has
            ended, trades on no market (venue ``pool``), or was not simulated in floats.
    """

    run: Run
    explanation: Explanation
    gaps: GapTable
    forecast: Forecast | None

    @property
    def tracking(self) -> Tracking:
        """How well the token tracks, by horizon and over trailing windows."""
        return self.explanation.tracking

    @cached_property
    def rolling(self) -> dict[str, npt.NDArray[Any]]:
        """Tracking over trailing windows of 30 days, as ``Tracking.rolling_columns`` gives it."""
        return self.tracking.rolling_columns(WINDOW_DAYS)

    @cached_property
    def days(self) -> dict[str, DailyValues]:
        """Values at the ends of days of ``token``, ``multiple`` and ``underlying``."""
        found = self.tracking
        day = found.time // DAY_S
        ideal = reset_values(found.price[1:] / found.price[:-1] - 1, found.target)[: len(day)]
        # the day on which it is wiped out is its last day
        lived = int(np.count_nonzero(ideal)) + 1
        return {
            "token": DailyValues(day, found.nav),
            "multiple": DailyValues(day[:lived], ideal[:lived]),
            "underlying": DailyValues(day, found.price),
        }

    @cached_property
    def statistics(self) -> dict[str, dict[str, float | None]]:
        """Statistics by name of ``token``, ``multiple`` and ``underlying``; None: undefined."""
        return {name: self._statistics(name) for name in CURVES}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each statistic, with a column for each curve; undefined figures are NaN."""
        import pandas as pd

        frame = pd.DataFrame(self.statistics, dtype=float)
        frame.index.name = "statistic"
        return frame

    @cached_property
    def months(self) -> pd.DataFrame:
        """One row for each UTC month, by its first day: returns of the curves; NaN after an end."""
        import pandas as pd

        frame = pd.DataFrame(self._month_rows(), columns=["month", *CURVES])
        index = pd.DatetimeIndex(pd.to_datetime(frame.pop("month")), tz="UTC", name="month")
        return frame.astype(float).set_axis(index)

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``tearsheet --json``."""
        series, token = self.run.series, self.days["token"]
        days = [str(day) for day in token.day.astype("datetime64[D]")]
        return {
            "schema": 1,
            "symbol": series.symbol,
            "prices": self.run.prices.source,
            "target_leverage": series.target_leverage,
            "days": len(token.returns),
            "first_day": days[1] if len(days) > 1 else None,
            "last_day": days[-1] if len(days) > 1 else None,
            "statistics": self.statistics,
            "months": self._month_rows(),
            "summary": self.run.summary,
            "explanation": self.explanation.figures("month"),
            "gaps": self.gaps.figures,
            "forecast": None if self.forecast is None else self.forecast.figures,
        }

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """Plot growth, drawdown and rolling volatility as one interactive figure."""
        from steelyard.analysis.tear_sheet_document import tear_sheet_panels
        from steelyard.report.figure import stacked_figure

        title = f"{self.run.series.symbol}: tear sheet"
        return stacked_figure(tear_sheet_panels(self), title, dark=dark)

    def document(self) -> Document:
        """The document from which terminal, text, notebook and page are made."""
        from steelyard.analysis.tear_sheet_document import tear_sheet_document

        return tear_sheet_document(self)

    def _statistics(self, name: str) -> dict[str, float | None]:
        values, asset = self.days[name], self.days["underlying"].returns
        found = {key: of(values) for key, of in {**ALONE, **DRAWDOWNS}.items()}
        if name == "underlying":
            return found | dict.fromkeys(AGAINST)
        same = asset[: len(values.returns)]
        return found | {key: of(values.returns, same) for key, of in AGAINST.items()}

    def _month_rows(self) -> list[dict[str, Any]]:
        found: dict[str, dict[int, float]] = {}
        for name in CURVES:
            months, returns = self.days[name].months
            found[name] = dict(zip(months.tolist(), returns.tolist(), strict=True))
        return [
            {
                "month": str(np.datetime64(month, "M")),
                **{name: found[name].get(month) for name in CURVES},
            }
            for month in found["underlying"]
        ]


def tear_sheet(
    series: Series | Run | str,
    feed: object = None,
    *,
    intrabar: str | None = None,
    path: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> TearSheet:
    """Make the tear sheet of a run; a series with a feed is simulated first.

    Args:
        series: the run, or a token in any form that ``simulate`` takes.
        feed: for a token, the ``Feed`` or the bare prices over which it is simulated.
        intrabar: for a token, ``"path"`` or ``"close"``.
        path: path of the HTML file to which the page is written; None: no page is written.
        progress: called from time to time with the number of bars simulated so far in all runs.

    Raises:
        InputError: as ``explain`` raises it; or the file cannot be written.
        DataError: a file is malformed, or no bar is left.
    """
    run = run_for("tear_sheet", series, feed, intrabar, progress)
    return tear_sheet_of(run, path, progress)


def tear_sheet_of(
    run: Run,
    path: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> TearSheet:
    """Make the tear sheet of a run, and write its page if a path is given.

    Raises:
        InputError: the run cannot be explained, or the file cannot be written.
    """
    found = TearSheet(
        run=run,
        explanation=explain_run(run, progress),
        gaps=gaps(run.prices, run.series),
        forecast=_forecast_of(run),
    )
    if path is not None:
        found.save(path)
    return found


def _forecast_of(run: Run) -> Forecast | None:
    # a forecast is computed in floats
    if run.state.ended is not None or not isinstance(run.state.cash, float):
        return None
    # a token whose counterparty is its reserve sends no orders to any market
    return None if run.series.venue.kind == "pool" else forecast(Shelf.of_runs([run]))
