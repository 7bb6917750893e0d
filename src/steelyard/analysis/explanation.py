"""Attribution of a token's return to steps that add up, over its life, by month and by day.

The runs 0 .. n of ``attribution_variants`` have the returns ``R_0 .. R_n`` over a period. ``R_n``
is the token's own return, and u is the underlying's::

    R_n - L u  =  (R_0 - L u) + (R_1 - R_0) + ... + (R_n - R_(n-1))

Each bracket is one step. Every step is computed from two runs; none is a residual of the others. A
run that has ended earns nothing afterwards, with one exception: where the daily reset has been
wiped out, a later period has a daily reset of its own that starts anew at the close before the
period, because each period is explained by itself. The quote amount of a step is its return times
the fund's nav at the start of the period. Periods start from different navs, so the steps of the
days do not add up to those of the months.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from steelyard.analysis.tracking import Tracking, tracking
from steelyard.analysis.windows import variance_decay
from steelyard.errors import InputError
from steelyard.market import format_time
from steelyard.market.daily_reset import reset_values
from steelyard.market.times import DAY_S
from steelyard.report.shown_result import Shown
from steelyard.simulation.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["PERIODS", "Explanation", "HeldToken"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PERIODS = ("day", "month")
RESET = "compounding"
"""The name of the step whose run is the daily reset without costs."""


class HeldToken(NamedTuple):
    """The value of one token held since the launch, in one of the runs."""

    nav: Floats
    """The nav at the launch and at the end of each day that has bars."""
    ended: str | None
    """The time at which that run's token was wiped out or wound down; None if it was not."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown):
    """The explanation of a run, from its launch to the end of the token or of the history.

    Attributes:
        run: the run that is explained.
        time: epoch s of the first bar and of the last bar of each UTC day that has bars; shape
            (days + 1,).
        assets: the fund's nav at the launch and at the end of each day, in quote; shape (days +
            1,).
        asset: the underlying's price at the same instants; shape (days + 1,).
        held: for each step, the nav of one token held since the launch in the run that includes the
            step; each of shape (days + 1,).
        unrebalanced: the same for a position that is bought at the launch and never rebalanced.
        bars: number of bars that are explained.
    """

    run: Run
    time: Ints
    assets: Floats
    asset: Floats
    held: Mapping[str, Floats]
    unrebalanced: HeldToken
    bars: int

    @property
    def target(self) -> float:
        """L, the target leverage, signed."""
        return self.run.series.target_leverage

    @cached_property
    def tracking(self) -> Tracking:
        """How well the token tracks, by horizon."""
        return tracking(self.run)

    @property
    def steps(self) -> dict[str, float]:
        """The return of each step over the token's whole life."""
        return {name: float(values[0]) for name, values in self._steps(self._life).items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each step over the whole life: its return, and the fund's quote amount."""
        import pandas as pd

        rows = [("multiple", self.target * self._asset_return(self._life)[0])]
        rows += self.steps.items()
        rows.append(("token", self._returns("token", self._life)[0]))
        names, returns = zip(*rows, strict=True)
        columns = {"return": returns, "quote": np.array(returns) * self.assets[0]}
        return pd.DataFrame(columns, index=pd.Index(names, name="step"), dtype=float)

    @cached_property
    def months(self) -> pd.DataFrame:
        """One row for each UTC month of the token's life, with the columns of ``columns``."""
        return self._frame("month")

    @cached_property
    def days(self) -> pd.DataFrame:
        """One row for each UTC day that has bars, with the columns of ``columns``."""
        return self._frame("day")

    def columns(self, by: str | None = None) -> dict[str, npt.NDArray[Any]]:
        """The figures of each period as arrays; pandas is not imported.

        Args:
            by: ``"day"``, ``"month"``, or None for the whole life as one period.

        Returns:
            Arrays of shape (periods,) by name: ``start`` (the period's first UTC day, or the
            instant of the first bar), ``assets`` (the fund's nav at the period's start, in quote),
            ``token``, ``underlying``, ``multiple`` (L times underlying), each step, ``total``
            (token less multiple), ``unrebalanced``, ``variance`` (the realised variance of daily
            log returns), ``predicted`` (the compounding that this variance predicts), and ``left``
            (compounding less predicted). Apart from ``start``, ``assets`` and ``variance``, all are
            returns over the period. The quote amount of a step for the whole fund is its return
            times ``assets``.

        Raises:
            InputError: ``by`` is none of these.
        """
        marks = self._marks(by)
        asset = self._asset_return(marks)
        steps = self._steps(marks)
        token = self._returns("token", marks)
        variance = np.diff(self._variance[marks])
        predicted = self._predicted(asset, variance)
        return {
            "start": self._starts(marks, by),
            "assets": self.assets[marks[:-1]],
            "token": token,
            "underlying": asset,
            "multiple": self.target * asset,
            **steps,
            "total": token - self.target * asset,
            "unrebalanced": _growth(self.unrebalanced.nav, marks),
            "variance": variance,
            "predicted": predicted,
            "left": steps["compounding"] - predicted,
        }

    def figures(self, by: str | None = None) -> dict[str, Any]:
        """The object of ``explain --json``; ``by`` chooses its ``periods``, and None gives none.

        Raises:
            InputError: ``by`` is not ``"day"``, ``"month"`` or None.
        """
        series, summary = self.run.series, self.run.summary
        life = {name: values[0] for name, values in self.columns().items()}
        ended = summary["wiped_out"] or summary.get("wound_down")
        nav = self.held[self._last]
        return {
            "schema": 1,
            "symbol": series.symbol,
            "prices": self.run.prices.source,
            "target_leverage": self.target,
            "start": summary["start"],
            "end": format_time(int(self.time[-1])),
            "bars": self.bars,
            "intrabar": self.run.intrabar,
            "ended": None if ended is None else ended["time"],
            "token": _change(nav, life["token"]),
            "underlying": _change(self.asset, life["underlying"]),
            **self._period_figures(life),
            "unrebalanced": {
                "return": float(life["unrebalanced"]),
                "ended": self.unrebalanced.ended,
            },
            "variance": {
                "realised": float(life["variance"]),
                "predicted": float(life["predicted"]),
                "left": float(life["left"]),
            },
            "tracking": self.tracking.figures,
            "by": by,
            "periods": [] if by is None else self._periods(by),
        }

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """Plot the steps as a waterfall, from L times the underlying's return to the token's."""
        from steelyard.analysis.explanation_document import explanation_panel
        from steelyard.report.figure import stacked_figure

        title = f"{self.run.series.symbol}: where the return went"
        return stacked_figure([explanation_panel(self)], title, dark=dark)

    def document(self, by: str | None = None) -> Document:
        """The document from which terminal, text, notebook and page are made.

        Args:
            by: ``"month"`` or ``"day"``: the periods that are listed in addition. A page always
                lists the months.
        """
        from steelyard.analysis.explanation_document import explanation_document

        return explanation_document(self, by)

    # -- periods -------------------------------------------------------------------------------

    @property
    def _last(self) -> str:
        return list(self.held)[-1]

    @property
    def _life(self) -> npt.NDArray[np.intp]:
        return np.array([0, len(self.time) - 1])

    def _marks(self, by: str | None) -> npt.NDArray[np.intp]:
        """The indices of the launch and of the end of each period."""
        if by is None:
            return self._life
        if by not in PERIODS:
            message = f"by: expected one of {', '.join(PERIODS)}, found {by!r}."
            raise InputError(message, found=by, allowed=PERIODS)
        days = self.time[1:] // DAY_S
        if by == "month":
            days = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        lasts = np.flatnonzero(np.append(np.diff(days) != 0, True)) + 1
        return np.concatenate(([0], lasts))

    def _starts(self, marks: npt.NDArray[np.intp], by: str | None) -> npt.NDArray[np.datetime64]:
        if by is None:
            return self.time[:1].astype("datetime64[s]")
        unit = "D" if by == "day" else "M"
        days = self.time[marks[1:]].astype("datetime64[s]").astype(f"datetime64[{unit}]")
        return days.astype("datetime64[s]")

    def _asset_return(self, marks: npt.NDArray[np.intp]) -> Floats:
        return _growth(self.asset, marks)

    def _returns(self, name: str, marks: npt.NDArray[np.intp]) -> Floats:
        held = self.held[self._last if name == "token" else name]
        grown = _growth(held, marks)
        if name != RESET:
            return grown
        return np.where(held[marks[:-1]] > 0, grown, self._reset_anew(marks))

    def _reset_anew(self, marks: npt.NDArray[np.intp]) -> Floats:
        """The return over each period of a daily reset that starts at the period's beginning."""
        days = self.asset[1:] / self.asset[:-1] - 1
        spans = itertools.pairwise(marks)
        return np.array([reset_values(days[i:k], self.target)[-1] - 1 for i, k in spans])

    def _steps(self, marks: npt.NDArray[np.intp]) -> dict[str, Floats]:
        before = self.target * self._asset_return(marks)
        steps = {}
        for name in self.held:
            after = self._returns(name, marks)
            steps[name] = after - before
            before = after
        return steps

    @cached_property
    def _variance(self) -> Floats:
        """The squares of daily log returns, summed from the launch to the end of each day."""
        squares = np.square(np.diff(np.log(self.asset)))
        return np.concatenate(([0.0], np.cumsum(squares)))

    def _predicted(self, asset: Floats, variance: Floats) -> Floats:
        """Compounding of a continuous reset without costs, by Avellaneda and Zhang 2010."""
        grown = self.target * np.log1p(asset) + variance_decay(self.target, variance)
        return np.asarray(np.expm1(grown) - self.target * asset)

    def _frame(self, by: str) -> pd.DataFrame:
        import pandas as pd

        frame = pd.DataFrame(self.columns(by))
        frame["start"] = frame["start"].dt.tz_localize("UTC")
        return frame.set_index("start")

    def _period_figures(self, row: Mapping[str, Any]) -> dict[str, Any]:
        assets = float(row["assets"])
        shares = {name: float(row[name]) for name in self.held}
        return {
            "assets": assets,
            "multiple": _both(float(row["multiple"]), assets),
            "steps": {name: _both(share, assets) for name, share in shares.items()},
            "total": _both(float(row["total"]), assets),
        }

    def _periods(self, by: str) -> list[dict[str, Any]]:
        columns = self.columns(by)
        rows = [
            {name: values[place] for name, values in columns.items()}
            for place in range(len(columns["start"]))
        ]
        return [
            {
                "start": format_time(int(row["start"].astype(np.int64))),
                "token": float(row["token"]),
                "underlying": float(row["underlying"]),
                **self._period_figures(row),
                **{name: float(row[name]) for name in BESIDE},
            }
            for row in rows
        ]


BESIDE = ("unrebalanced", "variance", "predicted", "left")


def _growth(values: Floats, marks: npt.NDArray[np.intp]) -> Floats:
    """The return over each period; 0 where the value at its start was 0."""
    before, after = values[marks[:-1]], values[marks[1:]]
    grown = np.zeros(len(before))
    np.divide(after, before, out=grown, where=before > 0)
    return np.where(before > 0, grown - 1.0, 0.0)


def _change(values: Floats, grown: float) -> dict[str, float]:
    return {"initial": float(values[0]), "final": float(values[-1]), "return": float(grown)}


def _both(share: float, assets: float) -> dict[str, float]:
    return {"return": share, "quote": share * assets}
