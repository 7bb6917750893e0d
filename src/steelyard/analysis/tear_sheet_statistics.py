"""The tables of a tear sheet's statistics, with the meaning of each and its three figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from steelyard.analysis.statistics import YEAR_DAYS
from steelyard.report.document import Column, Table, TableRow
from steelyard.report.number_format import MISSING, count, multiple, number, percent
from steelyard.simulation.coverage import asset_name

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownTearSheet

__all__ = ["GROUPS", "Statistic", "days_words", "headings", "statistic_cell", "statistic_tables"]

MOST = 1e4
"""Figures of this size and more are shown in scientific notation."""


class Statistic(NamedTuple):
    """How a statistic is shown.

    Attributes:
        title: its name in the table.
        kind: ``"percent"`` (with a sign), ``"share"`` (in percent, without a plus), ``"days"`` or
            ``"number"``.
        meaning: a short explanation; empty where the title is enough.
    """

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
        "win_rate": Statistic("Days won", "share", "of days other than 0"),
        "winning_months": Statistic("Months won", "share", "of months other than 0"),
    },
    "Risk": {
        "volatility": Statistic("Volatility", "share", "annualised"),
        "max_drawdown": Statistic("Max drawdown", "percent", "measured at ends of days"),
        "drawdown": Statistic("Drawdown now", "percent", "on the last day"),
        "longest_drawdown_days": Statistic("Longest drawdown", "days", "days below a peak"),
        "time_under_water": Statistic("Time under water", "share", "share of days below a peak"),
        "ulcer_index": Statistic("Ulcer index", "share", "root mean square drawdown"),
        "value_at_risk": Statistic("Value at risk", "percent", "5 % of days are worse"),
        "expected_shortfall": Statistic("Expected shortfall", "percent", "mean of these days"),
        "skew": Statistic("Skew", "number", "below 0 if outliers are losses"),
        "kurtosis": Statistic("Kurtosis", "number", "excess over a normal distribution"),
    },
    "Return for risk": {
        "sharpe": Statistic("Sharpe", "number", "annualised, risk-free rate 0"),
        "sortino": Statistic("Sortino", "number", "annualised, risk of losing days only"),
        "calmar": Statistic("Calmar", "number", "annual return over max drawdown"),
        "omega": Statistic("Omega", "number", "sum of gains over sum of losses"),
        "payoff_ratio": Statistic("Payoff ratio", "number", "mean gain over mean loss"),
        "tail_ratio": Statistic("Tail ratio", "number", "95 % quantile of days over 5 % quantile"),
    },
    "Against the underlying": {
        "beta": Statistic("Beta", "number", "slope of daily returns"),
        "alpha": Statistic("Alpha", "percent", "annualised return beyond beta"),
        "correlation": Statistic("Correlation", "number", "of daily returns"),
        "information_ratio": Statistic("Information ratio", "number", "annualised"),
        "up_capture": Statistic("Up capture", "number", "mean over underlying's, on days up"),
        "down_capture": Statistic("Down capture", "number", "mean over underlying's, on days down"),
    },
}
"""All statistics by name, in groups, in the order in which they are shown."""


def statistic_tables(found: ShownTearSheet) -> list[Table]:
    """One table for each group, with a column for each of the three curves."""
    columns = [Column(""), *map(Column, headings(found))]
    return [
        Table(
            group,
            columns,
            [
                TableRow([statistic.title, *_cells(found, name, statistic)], statistic.meaning)
                for name, statistic in statistics.items()
            ],
        )
        for group, statistics in GROUPS.items()
    ]


def headings(found: ShownTearSheet) -> tuple[str, str, str]:
    """The headings of the three columns: token, daily reset without costs, underlying."""
    series = found.run.series
    base = asset_name(series, found.run.prices).partition("/")[0]
    return series.symbol, f"{multiple(series.target_leverage)} daily", base


def _cells(found: ShownTearSheet, name: str, statistic: Statistic) -> list[str]:
    return [statistic_cell(row[name], statistic.kind) for row in found.statistics.values()]


def statistic_cell(value: float | None, kind: str) -> str:
    """A statistic as text; a dash where it is undefined."""
    if value is None:
        return MISSING
    if kind == "days":
        return f"{count(value)} d"
    if kind == "number":
        return number(value, 2) if abs(value) < MOST else f"{value:.2e}"
    return percent(value, signed=kind == "percent")


def days_words(found: ShownTearSheet) -> str:
    """The sentences that say which days the statistics cover and what is left out."""
    token = found.days["token"]
    if not len(token.returns):
        return "There is no whole UTC day after the day of the launch, so there are no statistics."
    first, last = (str(day) for day in token.day[[1, -1]].astype("datetime64[D]"))
    launch = found.explanation.columns("day")["token"][0]
    count = f"{len(token.returns):,} UTC day{'' if len(token.returns) == 1 else 's'}"
    words = (
        f"The statistics cover the returns of {count} from {first} to {last}; a year has "
        f"{YEAR_DAYS} days. As in tracking, the day of the launch is left out"
    )
    words += f"; the token's return on it was {percent(float(launch), signed=True)}."
    ideal = found.days["multiple"]
    if len(ideal.returns) < len(token.returns):
        end = ideal.day[-1].astype("datetime64[D]")
        words += f" {headings(found)[1]} was wiped out on {end}, and its figures end there."
    return words
