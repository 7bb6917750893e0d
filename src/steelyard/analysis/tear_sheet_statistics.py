"""The statistics of a tear sheet as tables: what each is, and its figures for all three."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from steelyard.analysis.statistics import YEAR_DAYS
from steelyard.report.document import Column, Row, Table
from steelyard.report.number_format import MISSING, count, multiple, number, percent
from steelyard.simulation.coverage import asset_name

if TYPE_CHECKING:
    from steelyard.analysis.shown import ShownTearSheet

__all__ = ["GROUPS", "Statistic", "days_words", "headings", "statistic_cell", "statistic_tables"]

MOST = 1e4
"""A figure from which on digits say nothing: powers of ten do."""


class Statistic(NamedTuple):
    """How a statistic is shown: its title, whether as ``percent``, ``days`` or ``number``."""

    title: str
    kind: str
    meaning: str


GROUPS: Mapping[str, Mapping[str, Statistic]] = {
    "Return": {
        "cumulative_return": Statistic("Cumulative return", "percent", "over all days"),
        "annual_return": Statistic("Annual return", "percent", "compounded, CAGR"),
        "best_day": Statistic("Best day", "percent", ""),
        "worst_day": Statistic("Worst day", "percent", ""),
        "best_month": Statistic("Best month", "percent", ""),
        "worst_month": Statistic("Worst month", "percent", ""),
        "win_rate": Statistic("Days won", "share", "of those that moved"),
        "winning_months": Statistic("Months won", "share", "of those that moved"),
    },
    "Risk": {
        "volatility": Statistic("Volatility", "share", "of a year"),
        "max_drawdown": Statistic("Max drawdown", "percent", "at ends of days"),
        "drawdown": Statistic("Drawdown now", "percent", "on the last day"),
        "longest_drawdown_days": Statistic("Longest drawdown", "days", "below a peak"),
        "time_under_water": Statistic("Time under water", "share", "of days below a peak"),
        "ulcer_index": Statistic("Ulcer index", "share", "root mean square drawdown"),
        "value_at_risk": Statistic("Value at risk", "percent", "5 % of days are worse"),
        "expected_shortfall": Statistic("Expected shortfall", "percent", "mean of those days"),
        "skew": Statistic("Skew", "number", "below 0: losses are the outliers"),
        "kurtosis": Statistic("Kurtosis", "number", "excess: 0 for a normal"),
    },
    "Return for risk": {
        "sharpe": Statistic("Sharpe", "number", "of a year, risk-free rate 0"),
        "sortino": Statistic("Sortino", "number", "losing days as risk"),
        "calmar": Statistic("Calmar", "number", "annual return over max drawdown"),
        "omega": Statistic("Omega", "number", "sum of gains over sum of losses"),
        "payoff_ratio": Statistic("Payoff ratio", "number", "mean gain over mean loss"),
        "tail_ratio": Statistic("Tail ratio", "number", "95 % day over 5 % day"),
    },
    "Against the underlying": {
        "beta": Statistic("Beta", "number", "slope of days"),
        "alpha": Statistic("Alpha", "percent", "of a year, what beta leaves"),
        "correlation": Statistic("Correlation", "number", "of days"),
        "information_ratio": Statistic("Information ratio", "number", "of a year"),
        "up_capture": Statistic("Up capture", "number", "mean day over its, where it rose"),
        "down_capture": Statistic("Down capture", "number", "mean day over its, where it fell"),
    },
}
"""Every statistic by its name, in groups, in the order in which it is shown."""


def statistic_tables(found: ShownTearSheet) -> list[Table]:
    """A table a group: of the token, of L times daily and of the underlying."""
    columns = [Column(""), *map(Column, headings(found))]
    return [
        Table(
            group,
            columns,
            [
                Row([statistic.title, *_cells(found, name, statistic)], statistic.meaning)
                for name, statistic in statistics.items()
            ],
        )
        for group, statistics in GROUPS.items()
    ]


def headings(found: ShownTearSheet) -> tuple[str, str, str]:
    """What the three columns are called."""
    series = found.run.series
    base = asset_name(series, found.run.prices).partition("/")[0]
    return series.symbol, f"{multiple(series.target_leverage)} daily", base


def _cells(found: ShownTearSheet, name: str, statistic: Statistic) -> list[str]:
    return [statistic_cell(row[name], statistic.kind) for row in found.statistics.values()]


def statistic_cell(value: float | None, kind: str) -> str:
    """A figure as text; what is undefined is a dash."""
    if value is None:
        return MISSING
    if kind == "days":
        return f"{count(value)} d"
    if kind == "number":
        return number(value, 2) if abs(value) < MOST else f"{value:.2e}"
    return percent(value, signed=kind == "percent")


def days_words(found: ShownTearSheet) -> str:
    """Which days the statistics are of, and what is left out."""
    token = found.days["token"]
    if not len(token.returns):
        return "There is no whole UTC day after that of the launch: statistics have nothing to say."
    first, last = (str(day) for day in token.day[[1, -1]].astype("datetime64[D]"))
    launch = found.explanation.columns("day")["token"][0]
    count = f"{len(token.returns):,} UTC day{'' if len(token.returns) == 1 else 's'}"
    words = (
        f"Of the returns of {count} from {first} to {last}, a year being {YEAR_DAYS} days. "
        f"As in tracking the day of the launch is left out"
    )
    words += f": on it the token made {percent(float(launch), signed=True)}."
    ideal = found.days["multiple"]
    if len(ideal.returns) < len(token.returns):
        end = ideal.day[-1].astype("datetime64[D]")
        words += f" {headings(found)[1]} was wiped out on {end}, where its figures end."
    return words
