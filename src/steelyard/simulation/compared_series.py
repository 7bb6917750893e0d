"""One series of a comparison: the cost and the error of its rule, and whether it is efficient.

A series is efficient if no other of its target has at most its error and its cost, and less of one
of them. A token that was wiped out is never efficient, and it does not keep another from being so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steelyard.simulation.run import Run

__all__ = ["Compared", "efficient", "marked"]


@dataclass(frozen=True)
class Compared:
    """One series of a comparison.

    Attributes:
        name: name of the series in the comparison.
        run: its run.
        cost_per_year: fees, spreads, impact and gas of rebalances, as a share of nav, whoever paid
            them.
        carry_per_year: funding, interest, management and rolls, as a share of nav.
        turnover_per_year: notional of rebalances, in multiples of nav.
        proportional_cost: c, the fees and spreads per unit of notional.
        worst_day: UTC day and return of the worst day, or None.
        kappa: error times cost, as defined in ``compare``; None if undefined or after a wipe-out.
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
        """The row of this series in ``Comparison.table``."""
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
        """The entry of this series in the output of ``compare --json``."""
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


def efficient(points: Sequence[tuple[float, float]]) -> list[bool]:
    """For each point (error, cost), whether no other is as low in both and lower in one."""
    marks = [False] * len(points)
    least = float("inf")
    order = sorted(range(len(points)), key=lambda place: points[place])
    for rank, place in enumerate(order):
        if points[place][1] < least:
            least = points[place][1]
            marks[place] = True
        elif rank and points[order[rank - 1]] == points[place]:
            marks[place] = marks[order[rank - 1]]  # equal points have equal marks
    return marks


def marked(entries: Sequence[Compared]) -> Iterator[Compared]:
    """The entries with ``efficient`` set, each judged among the series of its target."""
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
