"""How well a token tracks, by horizon: spans of 1, 7, 30, 90 and 365 days, each day ending one.

With y the token's return over a span, x the underlying's and L the target::

    slope, r2     least squares of y on x
    error         standard deviation of y - L x
    difference    mean of (1 + y) / (the same span's daily reset without costs) - 1

A day is a UTC day that has bars, from the last close of the one before it; that of the launch is
left out, as in ``tracking`` of a summary, whose ``slope``, ``r2`` and ``error_daily`` are those of
one day here. Spans overlap, so those of many days are few that are independent.

Days after the token's end are left out. Figures are None where they are undefined: a slope of
fewer than two spans, a difference where a daily reset would have been wiped out.
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
from steelyard.report.shown import Shown
from steelyard.simulation.checks import check_kind
from steelyard.simulation.run import Run
from steelyard.simulation.tally import lived_bars
from steelyard.simulation.tracking import FEWEST_RETURNS, line_through

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["HORIZONS", "NEAR", "Tracking", "tracking"]

Floats = npt.NDArray[np.float64]

HORIZONS = (1, 7, 30, 90, 365)
"""Days."""
NEAR = (0.005, 0.01, 0.02)
"""How near to L times the underlying's day a token's day is: half a point, one, two."""
FIGURES = ("slope", "r2", "error", "difference")


@dataclass(frozen=True, eq=False, repr=False)
class Tracking(Shown):
    """How well a token tracks.

    Attributes:
        target: L, signed.
        time: epoch s of the last bar of each day, the first one included.
        nav: of one token held since the launch, there.
        price: of the underlying, there.
        outside_band: share of bars at whose close |leverage| was outside the band; None without.
    """

    target: float
    time: npt.NDArray[np.int64]
    nav: Floats
    price: Floats
    outside_band: float | None

    @cached_property
    def horizons(self) -> pd.DataFrame:
        """One row a horizon, by its days: spans, slope, r2, error, difference; NaN: undefined."""
        import pandas as pd

        rows = [{"days": days, **self.horizon(days)} for days in HORIZONS]
        numbers = dict.fromkeys(FIGURES, float)
        return pd.DataFrame(rows).set_index("days").astype(numbers)

    def horizon(self, days: int) -> dict[str, float | int | None]:
        """The figures of one horizon, and the number of its spans; None: undefined.

        Raises:
            InputError: fewer than one day.
        """
        token, asset, ideal = self._spans(days)
        return {"spans": len(token), **_figures(token, asset, ideal, self.target)}

    def rolling(self, days: int = 30) -> pd.DataFrame:
        """The figures of single days over each trailing window of so many; NaN: undefined.

        One row a day from the first whole window on, by its time (UTC); ``difference`` is that of
        the whole window.

        Raises:
            InputError: fewer than one day.
        """
        import pandas as pd

        columns = self.rolling_columns(days)
        time = pd.to_datetime(columns.pop("time"), unit="s", utc=True)
        return pd.DataFrame(columns, index=pd.Index(time, name="time"))

    def rolling_columns(self, days: int = 30) -> dict[str, npt.NDArray[Any]]:
        """``rolling`` as arrays, with ``time`` (epoch s): no pandas is imported.

        Raises:
            InputError: fewer than one day.
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
        """Share of days that ended within ``share`` (0.01: a point) of L times the underlying's."""
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
        """``rolling`` as an interactive figure: slope, R2, error and difference, stacked.

        Raises:
            InputError: fewer than one day, or more than there are.
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
        """All that is shown of it: terminal, text, notebook and page are made of it."""
        from steelyard.analysis.tracking_document import tracking_document

        return tracking_document(self)

    def _spans(self, days: int) -> tuple[Floats, Floats, Floats]:
        """Token's and underlying's return and the daily reset's growth over every span.

        The reset's is 0 where one of its days would have wiped it out.
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
    """How well a run tracks, by horizon, and how long it was outside its band.

    Raises:
        InputError: it is no run.
    """
    check_kind("run", run, Run, "sy.simulate")
    bars = run.prices.slice(0, lived_bars(run.prices, run.intrabar, run.state.ended))
    ends = day_ends(bars.time) if len(bars) else np.array([], dtype=np.intp)
    band, outside = run.series.rebalance.band, None
    if band is not None and len(bars):
        leverage = np.abs(run.nav_columns["leverage"][: len(bars)])
        # where it has ended there is no exposure that could be off
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
"""Relative: a leverage this near to an edge is on it."""


def _figures(token: Floats, asset: Floats, ideal: Floats, target: float) -> dict[str, float | None]:
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    if len(token) >= FEWEST_RETURNS:
        figures["error"] = float(np.std(token - target * asset, ddof=1))
        figures["slope"], figures["r2"] = line_through(token, asset)
    if len(token) and np.all(ideal > 0):
        figures["difference"] = float(np.mean((1 + token) / ideal - 1))
    return figures
