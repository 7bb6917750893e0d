"""The statistics of a tear sheet as rows of text: for a terminal, a notebook and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from steelyard.explain.statistics import YEAR_DAYS
from steelyard.explain.words import rounded

if TYPE_CHECKING:
    from steelyard.explain.shown import ShownTearSheet

__all__ = ["GROUPS", "Statistic", "as_html", "as_text", "cell", "cells", "days_words", "headings"]

MOST = 1e4
"""A share from which on digits in percent say nothing: powers of ten do."""


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


def headings(found: ShownTearSheet) -> tuple[str, str, str]:
    """What the three columns are called."""
    series = found.run.series
    base = series.underlying.partition("/")[0]
    return series.symbol, f"{series.target_leverage:g} x daily", base


def cells(found: ShownTearSheet, name: str, statistic: Statistic) -> tuple[str, str, str]:
    """A statistic of the token, of L times daily and of the underlying, as text."""
    columns = found.statistics
    token, multiple, underlying = (cell(row[name], statistic.kind) for row in columns.values())
    return token, multiple, underlying


def cell(value: float | None, kind: str) -> str:
    """A figure as text, in plain ASCII; what is undefined is a dash."""
    if value is None:
        return "-"
    if kind == "days":
        return f"{value:z,.0f} d"
    if kind == "number":
        return f"{value:z,.2f}" if abs(value) < MOST else f"{value:.2e}"
    if abs(value) >= MOST:
        return f"{value * 100:{'+' if kind == 'percent' else ''}.1e} %"
    if -1 < value < NEARLY_ALL:
        return "<-99.9 %"  # a loss of nearly all must not read as a loss of all
    size = abs(value) * 100
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2  # noqa: PLR2004 (three digits)
    return rounded(value * 100, decimals, signed=kind == "percent") + " %"


NEARLY_ALL = -0.9995


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
    words += f": on it the token made {cell(float(launch), 'percent')}."
    ideal = found.days["multiple"]
    if len(ideal.returns) < len(token.returns):
        end = ideal.day[-1].astype("datetime64[D]")
        words += f" {headings(found)[1]} was wiped out on {end}, where its figures end."
    return words


def as_text(found: ShownTearSheet) -> str:
    """The statistics as plain text."""
    rows: list[Sequence[str]] = [("", *headings(found))]
    for group, statistics in GROUPS.items():
        rows.append((group, "", "", ""))
        rows += [
            (f"  {statistic.title}", *cells(found, name, statistic))
            for name, statistic in statistics.items()
        ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = []
    for title, *figures in rows:
        right = (text.rjust(width) for text, width in zip(figures, widths[1:], strict=True))
        told.append("  ".join([title.ljust(widths[0]), *right]).rstrip())
    return "\n".join([f"{found.run.series.symbol}: tear sheet", *told, "", days_words(found)])


def as_html(found: ShownTearSheet) -> str:
    """The statistics for a notebook."""
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *headings(found)))
    rows = []
    for group, statistics in GROUPS.items():
        rows.append(f"<tr><th colspan='4' style='text-align:left'>{group}</th></tr>")
        for name, statistic in statistics.items():
            figures = "".join(f"<td>{escape(text)}</td>" for text in cells(found, name, statistic))
            rows.append(f"<tr><td style='text-align:left'>{statistic.title}</td>{figures}</tr>")
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p>{escape(days_words(found))}</p>"
    )
