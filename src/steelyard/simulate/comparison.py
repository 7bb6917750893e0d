"""Series that ran over one history, set side by side: as a table, as JSON, as a page.

A series is efficient where no other of its target has at most its error and its cost, and less of
one of them; a token that was wiped out is no choice, and neither is nor bars one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.market import Prices

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from steelyard.simulate.run import Run

__all__ = ["SORTS", "Compared", "Comparison", "efficient", "marked"]

SORTS: Mapping[str, bool] = {
    "name": False,
    "error": False,
    "cost_per_year": False,
    "kappa": False,
    "turnover_per_year": False,
    "rebalances": False,
    "return": True,
    "difference": True,
    "worst_day": True,
    "max_drawdown": True,
}
"""What a comparison can be sorted by, best first: whether the greatest is the best."""


@dataclass(frozen=True)
class Compared:
    """One series of a comparison.

    Attributes:
        name: its own among those compared.
        run: what was found.
        cost_per_year: fees, spreads, impact and gas of rebalances, share of nav, whoever paid.
        carry_per_year: funding, interest, management and rolls, share of nav.
        turnover_per_year: notional of rebalances, in multiples of nav.
        proportional_cost: c, what fees and spreads came to per unit of notional.
        worst_day: UTC day and return, or None.
        kappa: error times cost, as above; None where undefined, and after a wipe-out.
        efficient: whether no other of its target is as good in both and better in one.
    """

    name: str
    run: Run
    cost_per_year: float | None
    carry_per_year: float | None
    turnover_per_year: float | None
    proportional_cost: float
    worst_day: tuple[str, float] | None
    kappa: float | None
    efficient: bool = False

    @property
    def row(self) -> dict[str, Any]:
        """Its row of ``Comparison.table``."""
        summary = self.run.summary
        ended = summary["wiped_out"]
        return {
            "name": self.name,
            "target_leverage": self.run.series.target_leverage,
            "nav": summary["nav"]["final"],
            "return": summary["nav"]["return"],
            "difference": summary["tracking"]["difference"],
            "error": summary["tracking"]["error"],
            "cost_per_year": self.cost_per_year,
            "carry_per_year": self.carry_per_year,
            "turnover_per_year": self.turnover_per_year,
            "kappa": self.kappa,
            "efficient": self.efficient,
            "rebalances": summary["rebalances"]["count"],
            "worst_day": None if self.worst_day is None else self.worst_day[1],
            "max_drawdown": summary["max_drawdown"],
            "wiped_out": None if ended is None else ended["time"],
        }

    @property
    def figures(self) -> dict[str, Any]:
        """Its entry in the object of ``compare --json``."""
        worst = self.worst_day
        return {
            "name": self.name,
            "target_leverage": self.run.series.target_leverage,
            "proportional_cost": self.proportional_cost,
            "cost_per_year": self.cost_per_year,
            "carry_per_year": self.carry_per_year,
            "turnover_per_year": self.turnover_per_year,
            "kappa": self.kappa,
            "efficient": self.efficient,
            "worst_day": None if worst is None else {"day": worst[0], "return": worst[1]},
            "summary": self.run.summary,
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """Series over one history.

    Attributes:
        entries: one a series, in the order given or sorted by.
        prices: the bars that were run.
        intrabar: ``"close"`` or ``"path"``.
        volatility: sigma, realised over the bars, a year.
    """

    entries: tuple[Compared, ...]
    prices: Prices
    intrabar: str
    volatility: float | None

    @property
    def runs(self) -> dict[str, Run]:
        """Each series' run by its name."""
        return {entry.name: entry.run for entry in self.entries}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a series, by name; what is undefined is NaN."""
        import pandas as pd

        frame = pd.DataFrame([entry.row for entry in self.entries]).set_index("name")
        words = {"efficient", "wiped_out"}
        numbers = [name for name in frame.columns if name not in words]
        return frame.astype(dict.fromkeys(numbers, float) | {"rebalances": int})

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``compare --json``."""
        first = self.entries[0].run.summary
        return {
            "schema": 1,
            "prices": self.prices.source,
            **{key: first[key] for key in ("start", "end", "bars", "gaps", "intrabar")},
            "volatility": self.volatility,
            "series": [entry.figures for entry in self.entries],
        }

    def sorted_by(self, key: str) -> Comparison:
        """The comparison with its best series by ``key`` first, undefined figures last.

        Raises:
            InputError: nothing can be sorted by that; ``SORTS`` has what can.
        """
        if key not in SORTS:
            message = f"sort: expected one of {', '.join(SORTS)}, found {key!r}."
            raise InputError(message, found=key, allowed=tuple(SORTS))
        known = [entry for entry in self.entries if entry.row[key] is not None]
        known.sort(key=lambda entry: entry.row[key], reverse=SORTS[key])
        unknown = [entry for entry in self.entries if entry.row[key] is None]
        return replace(self, entries=(*known, *unknown))

    def save(self, path: str | Path) -> None:
        """Write the comparison as a report page, one HTML file, whole or not at all.

        Raises:
            InputError: where the file cannot be written.
        """
        from steelyard.simulate.compare_page import save_comparison

        save_comparison(self, path)

    def __repr__(self) -> str:
        best = ", ".join(entry.name for entry in self.entries if entry.efficient)
        return f"<Comparison of {len(self.entries)} series over {self.prices!r}, efficient: {best}>"


def efficient(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Of points (error, cost): whether no other has at most as much of both and less of one."""
    marks = [False] * len(points)
    least = float("inf")
    order = sorted(range(len(points)), key=lambda place: points[place])
    for rank, place in enumerate(order):
        if points[place][1] < least:
            least = points[place][1]
            marks[place] = True
        elif rank and points[order[rank - 1]] == points[place]:
            marks[place] = marks[order[rank - 1]]  # equals share their fate
    return marks


def marked(entries: Sequence[Compared]) -> Iterator[Compared]:
    """The entries with ``efficient`` filled in, each judged among those of its target."""
    points: dict[float, dict[str, tuple[float, float]]] = {}
    for entry in entries:
        error, cost = entry.run.summary["tracking"]["error"], entry.cost_per_year
        if error is not None and cost is not None and entry.run.summary["wiped_out"] is None:
            peers = points.setdefault(entry.run.series.target_leverage, {})
            peers[entry.name] = error, cost
    chosen = {
        name
        for peers in points.values()
        for name, mark in zip(peers, efficient([*peers.values()]), strict=True)
        if mark
    }
    for entry in entries:
        yield replace(entry, efficient=entry.name in chosen)
