"""Where a return went: steps that add up, over the token's life, by month and by day.

For the runs 0 .. n of ``explain.steps`` with the returns ``R_0 .. R_n`` over a period, ``R_n`` the
token's, and the underlying's return u::

    R_n - L u  =  (R_0 - L u) + (R_1 - R_0) + ... + (R_n - R_(n-1))

Each bracket is a step. No step is worked out as what the others leave. A run that has ended earns
nothing from then on, save the daily reset: a period that begins after it was wiped out has a reset
of its own, which starts anew at the close before, because each period stands by itself. In quote a
step is that share of the fund's nav at the period's start, so days do not add up to months: each
stands on its own ground.
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
from steelyard.report.shown import Shown
from steelyard.simulation.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["PERIODS", "Explanation", "Held"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PERIODS = ("day", "month")
RESET = "compounding"
"""The step whose run is the daily reset without costs."""


class Held(NamedTuple):
    """One token held since the launch, in one of the runs."""

    nav: Floats
    """At the launch and at the end of each day that has bars."""
    ended: str | None
    """When that run's token was wiped out or wound down."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Shown):
    """A run explained, from the launch to the token's end or the history's.

    Attributes:
        run: what is explained.
        time: epoch s of the first bar, and of the last one of each UTC day that has bars.
        assets: the fund's nav at the launch and at these, quote.
        asset: the underlying's price there.
        held: by step, the nav of one token held since the launch in the run that has the step.
        unrebalanced: the same of the position that is bought once and left alone.
        bars: number of bars that are explained.
    """

    run: Run
    time: Ints
    assets: Floats
    asset: Floats
    held: Mapping[str, Floats]
    unrebalanced: Held
    bars: int

    @property
    def target(self) -> float:
        """L, the target leverage, signed."""
        return self.run.series.target_leverage

    @cached_property
    def tracking(self) -> Tracking:
        """How well the run tracks, by horizon."""
        return tracking(self.run)

    @property
    def steps(self) -> dict[str, float]:
        """Each step over the whole life, as a return."""
        return {name: float(values[0]) for name, values in self._steps(self._life).items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a step over the whole life, by name: its return, and quote of the whole fund."""
        import pandas as pd

        rows = [("multiple", self.target * self._asset_return(self._life)[0])]
        rows += self.steps.items()
        rows.append(("token", self._returns("token", self._life)[0]))
        names, returns = zip(*rows, strict=True)
        columns = {"return": returns, "quote": np.array(returns) * self.assets[0]}
        return pd.DataFrame(columns, index=pd.Index(names, name="step"), dtype=float)

    @cached_property
    def months(self) -> pd.DataFrame:
        """One row a UTC month that the token lived in; see ``columns``."""
        return self._frame("month")

    @cached_property
    def days(self) -> pd.DataFrame:
        """One row a UTC day that has bars; see ``columns``."""
        return self._frame("day")

    def columns(self, by: str | None = None) -> dict[str, npt.NDArray[Any]]:
        """The periods, as columns: no pandas is imported.

        Args:
            by: ``"day"``, ``"month"``, or None for the whole life in one row.

        Returns:
            ``start`` (its first UTC day, or the first bar's instant), ``assets`` (the fund's nav at
            its start, quote), ``token``, ``underlying``, ``multiple`` (L times underlying), each
            step, ``total`` (token less multiple), ``unrebalanced``, ``variance`` (realised, of
            daily log returns), ``predicted`` (compounding as that variance predicts it), and
            ``left`` (compounding less predicted). Returns of the period; a step of the whole fund
            in quote is its return times ``assets``.

        Raises:
            InputError: ``by`` is no such period.
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
        """The object of ``explain --json``; its ``periods`` are those of ``by``, None for none.

        Raises:
            InputError: ``by`` is no such period.
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
        """The steps as a waterfall, from L times the underlying to the token."""
        from steelyard.analysis.explanation_document import explanation_panel
        from steelyard.report.figure import stacked_figure

        title = f"{self.run.series.symbol}: where the return went"
        return stacked_figure([explanation_panel(self)], title, dark=dark)

    def document(self, by: str | None = None) -> Document:
        """All that is shown of it: terminal, text, notebook and page are made of it.

        Args:
            by: ``month`` or ``day``, the periods that are shown besides; a page has months anyway.
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
        """The places at which periods end, the launch before them."""
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
        """The return over each period of a daily reset that starts at its beginning."""
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
        """Of daily log returns, summed from the launch."""
        squares = np.square(np.diff(np.log(self.asset)))
        return np.concatenate(([0.0], np.cumsum(squares)))

    def _predicted(self, asset: Floats, variance: Floats) -> Floats:
        """Compounding by Avellaneda and Zhang 2010: that of a continuous reset without costs."""
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
    """The return over each period; nothing where there was nothing to begin with."""
    before, after = values[marks[:-1]], values[marks[1:]]
    grown = np.zeros(len(before))
    np.divide(after, before, out=grown, where=before > 0)
    return np.where(before > 0, grown - 1.0, 0.0)


def _change(values: Floats, grown: float) -> dict[str, float]:
    return {"initial": float(values[0]), "final": float(values[-1]), "return": float(grown)}


def _both(share: float, assets: float) -> dict[str, float]:
    return {"return": share, "quote": share * assets}
