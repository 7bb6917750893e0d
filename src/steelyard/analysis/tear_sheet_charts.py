"""The charts of a tear sheet that are drawn from daily values, and the table of monthly returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steelyard.analysis.drawdowns import underwater
from steelyard.analysis.statistics import (
    CURVES,
    WINDOW_DAYS,
    YEAR_DAYS,
    DailyValues,
    Floats,
    Ints,
)
from steelyard.analysis.tear_sheet_statistics import headings
from steelyard.market.times import DAY_S
from steelyard.report.daily_panels import (
    Curve,
    distribution_panel,
    rolling_panel,
    underwater_panel,
)
from steelyard.report.document import Cell, Column, Table, TableRow
from steelyard.report.number_format import multiple, number, percent, typeset
from steelyard.report.panels import Panel

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownTearSheet

__all__ = [
    "distribution_of",
    "heat_cell",
    "month_table",
    "rolling_volatility",
    "underwater_of",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
A_YEAR = len(MONTHS)
HOTTEST = 0.9
"""Quantile of the sizes of monthly returns from which on a cell has the strongest colour."""
LEAST_HEAT, MOST_HEAT = 4, 45
"""Percentage of colour in the weakest and strongest cell, so that figures stay readable."""

LOOKS = {
    "underlying": ("$asset", "solid", 1.2),
    "multiple": ("$ideal", "dash", 1.4),
    "token": ("$nav", "solid", 1.8),
}
"""Colour, dash and width of each curve, as in the chart of nav; the last one is drawn on top."""


def underwater_of(found: ShownTearSheet) -> Panel | None:
    """The chart of drawdowns of all three curves; None where no day has a return."""
    if not len(found.days["token"].returns):
        return None
    curves = [
        _curve(found, name, found.days[name].day, underwater(found.days[name]))
        for name in reversed(LOOKS)
    ]
    return underwater_panel(curves, found.run.summary)


def distribution_of(found: ShownTearSheet) -> Panel | None:
    """The chart of the distribution of daily returns; None where no day has a return."""
    days, figures = found.days, found.statistics["token"]
    names = {
        "5 % of days are worse": figures["value_at_risk"],
        "mean of these days": figures["expected_shortfall"],
    }
    marks = {name: at for name, at in names.items() if at is not None}
    return distribution_panel(
        days["token"].returns,
        days["multiple"].returns,
        (_title(found, "token"), _title(found, "multiple")),
        marks,
    )


def rolling_volatility(found: ShownTearSheet) -> Panel | None:
    """The chart of annualised volatility over trailing windows, for all three curves."""
    curves = [_curve(found, name, *_rolling_spread(found.days[name])) for name in LOOKS]
    return rolling_panel(
        "volatility",
        f"Volatility of the last {WINDOW_DAYS} days",
        "Annualised standard deviation of daily returns.",
        curves,
        tickformat=".0%",
    )


def _curve(found: ShownTearSheet, name: str, day: Ints, value: Floats) -> Curve:
    color, dash, width = LOOKS[name]
    return Curve(_title(found, name), day * DAY_S, value, color, dash, width)


def _title(found: ShownTearSheet, name: str) -> str:
    """The name of a curve, as in the chart of nav."""
    if name == "multiple":
        return f"{typeset(multiple(found.tracking.target))} daily, no costs"
    return name


def _rolling_spread(values: DailyValues) -> tuple[Ints, Floats]:
    if len(values.returns) < WINDOW_DAYS:
        return values.day[:0], np.array([])
    windows = np.lib.stride_tricks.sliding_window_view(values.returns, WINDOW_DAYS)
    return values.day[WINDOW_DAYS:], np.std(windows, axis=1, ddof=1) * np.sqrt(YEAR_DAYS)


def month_table(found: ShownTearSheet) -> Table | None:
    """The table of monthly returns, one row for each year, coloured by size; None without a day."""
    months = {
        name: dict(zip(*map(np.ndarray.tolist, found.days[name].months), strict=True))
        for name in CURVES
    }
    if not months["token"]:
        return None
    sizes = np.abs(list(months["token"].values()))
    hottest = float(np.quantile(sizes, HOTTEST))
    first, last = min(months["underlying"]), max(months["underlying"])
    rows = []
    for year in range(first // A_YEAR, last // A_YEAR + 1):
        places = range(year * A_YEAR, (year + 1) * A_YEAR)
        row = [
            heat_cell(months["token"].get(place), hottest, _hint(found, months, place))
            for place in places
        ]
        whole = [months["token"][place] for place in places if place in months["token"]]
        total = float(np.prod([1 + share for share in whole])) - 1 if whole else None
        rows.append(TableRow([str(1970 + year), *row, heat_cell(total, 0.0)]))
    symbol, multiplied, underlying = headings(found)
    note = (
        f"Returns of {symbol} over the days of each UTC month, in percent. The day of the launch "
        f"is left out. Hover over a month to see {multiplied} and {underlying}."
    )
    columns = [Column(""), *map(Column, MONTHS), Column("Year", strong=True)]
    return Table("By month", columns, rows, note=note)


def heat_cell(share: float | None, most: float, hint: str = "") -> Cell:
    """A return as a coloured cell; a return of size ``most`` or more has the strongest colour."""
    if share is None:
        return Cell("")
    text = number(share * 100, 1, signed=True)
    if not share or not most:
        return Cell(text, share, hint=hint)
    strength = min(abs(share) / most, 1.0)
    heat = round(LEAST_HEAT + (MOST_HEAT - LEAST_HEAT) * strength)
    return Cell(text, share, "good" if share > 0 else "bad", heat, hint)


def _hint(found: ShownTearSheet, months: dict[str, dict[int, float]], place: int) -> str:
    return ", ".join(
        f"{name} {percent(months[key][place], signed=True)}"
        for key, name in zip(CURVES, headings(found), strict=True)
        if place in months[key]
    )
