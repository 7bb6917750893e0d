"""How well a token tracks, by horizon: over all spans of 1, 7, 30, 90 and 365 days.

A span ends on each day. With the token's return y over a span, the underlying's return x, and the
target leverage L::

    slope, r2     least squares of y on x
    error         standard deviation of y - L x
    difference    mean of (1 + y) / (the same span's daily reset without costs) - 1

A day is a UTC day that has bars, measured from the last close of the day before. The day of the
launch is left out, as in the field ``tracking`` of a summary, whose ``slope``, ``r2`` and
``error_daily`` equal the figures for one day here. Spans overlap, so only few of the long spans are
independent of each other.

Days after the token's end are left out. A figure is None where it is undefined: the slope of fewer
than two spans, and the difference where a daily reset would have been wiped out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from steelyard.analysis.reset_logs import growth_over
from steelyard.errors import InputError
from steelyard.market.days import day_ends
from steelyard.report.shown_result import Shown
from steelyard.simulation.checks import check_kind
from steelyard.simulation.daily_tracking import FEWEST_RETURNS, line_through
from steelyard.simulation.run import Run
from steelyard.simulation.running_statistics import lived_bars

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["HORIZONS", "NEAR", "Tracking", "tracking"]

Floats = npt.NDArray[np.float64]

HORIZONS = (1, 7, 30, 90, 365)
"""Lengths of the spans, in days."""
NEAR = (0.005, 0.01, 0.02)
"""Distances from L times the underlying's daily return: 0.5, 1 and 2 percentage points."""
FIGURES = ("slope", "r2", "error", "difference")


@dataclass(frozen=True, eq=False, repr=False)
class Tracking(Shown):
    """How well a token tracks L times its underlying.

    Attributes:
        target: target leverage L, signed.
        time: epoch s of the last bar of each day, including the day of the launch; shape (days,).
        nav: nav of one token held since the launch, at these instants.
        price: price of the underlying, at these instants.
        outside_band: share of bars at whose close |leverage| was outside the band; None without a
            band.
    """

    target: float
    time: npt.NDArray[np.int64]
    nav: Floats
    price: Floats
    outside_band: float | None

    @cached_property
    def horizons(self) -> pd.DataFrame:
        """One row for each horizon: spans, slope, r2, error, difference; undefined ones are NaN."""
        import pandas as pd

        rows = [{"days": days, **self.horizon(days)} for days in HORIZONS]
        numbers = dict.fromkeys(FIGURES, float)
        return pd.DataFrame(rows).set_index("days").astype(numbers)

    def horizon(self, days: int) -> dict[str, float | int | None]:
        """The figures of one horizon and the number of its spans; None: undefined.

        Raises:
            InputError: ``days`` is not a whole number of 1 or more.
        """
        token, asset, ideal = self._spans(days)
        return {"spans": len(token), **_figures(token, asset, ideal, self.target)}

    def rolling(self, days: int = 30) -> pd.DataFrame:
        """The daily figures over each trailing window of ``days`` days; undefined ones are NaN.

        There is one row for each day from the end of the first whole window on, by time (UTC).
        ``difference`` is that of the whole window.

        Raises:
            InputError: ``days`` is not a whole number of 1 or more.
        """
        import pandas as pd

        columns = self.rolling_columns(days)
        time = pd.to_datetime(columns.pop("time"), unit="s", utc=True)
        return pd.DataFrame(columns, index=pd.Index(time, name="time"))

    def rolling_columns(self, days: int = 30) -> dict[str, npt.NDArray[Any]]:
        """``rolling`` as arrays by name, with ``time`` (epoch s); pandas is not imported.

        Raises:
            InputError: ``days`` is not a whole number of 1 or more.
        """
        token, asset, ideal = self._spans(1)
        whole = self._spans(days)
        rows = []
        for last in range(days, len(token) + 1):
            window = slice(last - days, last)
            row = _figures(token[window], asset[window], ideal[window], self.target)
            reset = whole[2][last - days]
            grown = (1 + whole[0][last - days]) / reset - 1 if reset > 0 else None
            rows.append({**row, "difference": grown})
        found = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in FIGURES}
        return {"time": self.time[days:][: len(rows)], **found}

    def within(self, share: float) -> float | None:
        """Share of days whose return was within ``share`` of L times the underlying's return.

        A ``share`` of 0.01 is one percentage point. None where there are no days.
        """
        token, asset, _ = self._spans(1)
        if not len(token):
            return None
        return float(np.mean(np.abs(token - self.target * asset) <= share))

    @property
    def figures(self) -> dict[str, Any]:
        """The field ``tracking`` of ``explain --json``."""
        return {
            "days": max(len(self.time) - 1, 0),
            "horizons": {str(days): self.horizon(days) for days in HORIZONS},
            "outside_band": self.outside_band,
            "within": {f"{share:g}": self.within(share) for share in NEAR},
        }

    def plot(self, days: int = 30, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """Plot ``rolling`` as an interactive figure of slope, R2, error and difference.

        Raises:
            InputError: ``days`` is less than 1 or longer than the history.
        """
        from steelyard.analysis.tracking_document import tracking_panels, tracking_title
        from steelyard.report.figure import stacked_figure

        panels = tracking_panels(self.rolling_columns(days), self.target, days)
        shown = [panel for panel in panels.values() if panel is not None]
        if not shown:
            there = max(len(self.time) - 1, 0)
            message = (
                f"days: expected windows with figures to draw, found windows of {days} in a "
                f"history of {there} after the day of the launch; give fewer days or a longer "
                f"history."
            )
            raise InputError(message, found=days, days=there)
        return stacked_figure(shown, tracking_title(self), dark=dark)

    def document(self) -> Document:
        """The document from which terminal, text, notebook and page are made."""
        from steelyard.analysis.tracking_document import tracking_document

        return tracking_document(self)

    def _spans(self, days: int) -> tuple[Floats, Floats, Floats]:
        """The token's and the underlying's return, and the daily reset's growth, over every span.

        The growth of the reset is 0 where one of the days would have wiped it out.
        """
        if not _is_whole(days) or days < 1:
            message = f"days: expected whole days, 1 or more, found {days!r}."
            raise InputError(message, found=days)
        lived = self.nav[:-days] > 0
        token = self.nav[days:][lived] / self.nav[:-days][lived] - 1
        asset = (self.price[days:] / self.price[:-days] - 1)[lived]
        ideal = growth_over(self.price[1:] / self.price[:-1] - 1, self.target, days)
        return token, asset, ideal[lived]


def tracking(run: Run) -> Tracking:
    """Measure how well a run tracks, by horizon, and how often it was outside its band.

    Raises:
        InputError: the argument is not a run.
    """
    check_kind("run", run, Run, "sy.simulate")
    bars = run.prices.slice(0, lived_bars(run.prices, run.intrabar, run.state.ended))
    ends = day_ends(bars.time) if len(bars) else np.array([], dtype=np.intp)
    band, outside = run.series.rebalance.band, None
    if band is not None and len(bars):
        leverage = np.abs(run.nav_columns["leverage"][: len(bars)])
        # the bar at which the token ended has no exposure, so it does not count
        counts = len(bars) - (run.state.ended is not None)
        beyond = leverage > band.upper * (1 + ROUNDING)
        if band.lower is not None and not band.delever_only:
            beyond |= leverage < band.lower * (1 - ROUNDING)
        outside = float(np.mean(beyond[:counts])) if counts else None
    return Tracking(
        target=run.series.target_leverage,
        time=bars.time[ends],
        nav=np.asarray(run.nav_columns["nav"][ends] * run.splits[ends], dtype=np.float64),
        price=np.asarray(bars.close[ends], dtype=np.float64),
        outside_band=outside,
    )


def _is_whole(found: object) -> bool:
    return isinstance(found, Integral)


ROUNDING = 1e-12
"""Relative tolerance: a leverage this close to an edge of the band counts as on the edge."""


def _figures(token: Floats, asset: Floats, ideal: Floats, target: float) -> dict[str, float | None]:
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    if len(token) >= FEWEST_RETURNS:
        figures["error"] = float(np.std(token - target * asset, ddof=1))
        figures["slope"], figures["r2"] = line_through(token, asset)
    if len(token) and np.all(ideal > 0):
        figures["difference"] = float(np.mean((1 + token) / ideal - 1))
    return figures
