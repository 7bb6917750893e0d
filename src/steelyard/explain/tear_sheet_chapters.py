"""The chapters of a tear sheet's page: which charts, tables and sentences stand in each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steelyard.explain.forecast_page import LADDER_HEADING, ladder_data, rung_cells
from steelyard.explain.gaps import WorstMove
from steelyard.explain.page import horizon_table, month_table, step_table
from steelyard.explain.statistics import CURVES
from steelyard.explain.tear_sheet_curves import (
    distribution_of,
    rolling_tracking,
    rolling_volatility,
    underwater_of,
)
from steelyard.explain.tear_sheet_words import GROUPS, cell, cells, days_words, headings
from steelyard.explain.words import headline
from steelyard.market import format_time
from steelyard.plots import formats
from steelyard.plots.figure_page import Table
from steelyard.plots.ladder import ladder_panel
from steelyard.plots.panels import Panel
from steelyard.plots.tear_sheet import Blocks, Chapter, Heat, HeatRow, heat_cell
from steelyard.plots.waterfall import waterfall_panel

if TYPE_CHECKING:
    from steelyard.explain.shown import ShownForecast, ShownTearSheet

__all__ = [
    "costs_and_reserve",
    "dangers",
    "next_trades",
    "returns",
    "statistics",
    "tracked",
    "where_it_went",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
A_YEAR = len(MONTHS)
HOTTEST = 0.9
"""Quantile of the months' sizes from which on a cell is as strong as can be."""

SPANS = {
    "5m": "5 minutes",
    "1h": "1 hour",
    "1d": "1 day",
    "close_to_open": "close to open",
}


def returns(found: ShownTearSheet, growth: Panel) -> Chapter:
    """Growth, drawdown, months."""
    return Chapter("growth", "Growth", [], [growth, underwater_of(found), _months(found)])


def statistics(found: ShownTearSheet) -> Chapter:
    """The table of statistics, and how days are spread."""
    heading = ("", *headings(found))
    tables = [
        Table(
            group,
            heading,
            [(statistic.title, *cells(found, name, statistic)) for name, statistic in rows.items()],
            hints=[statistic.meaning for statistic in rows.values()],
        )
        for group, rows in GROUPS.items()
    ]
    blocks: Blocks = [
        [_typeset(table) for table in tables],
        distribution_of(found),
        rolling_volatility(found),
    ]
    return Chapter("statistics", "Statistics", [_as_page(days_words(found))], blocks)


def where_it_went(found: ShownTearSheet) -> Chapter:
    """The waterfall, its steps and months."""
    told = found.explanation
    figures = told.figures()
    ends = figures["underlying"]["return"], figures["token"]["return"]
    waterfall = waterfall_panel(found.run.series.symbol, told.steps, told.target, *ends)
    blocks: Blocks = [waterfall, _typeset(step_table(told)), _typeset(month_table(told))]
    return Chapter("attribution", "Where the return went", [headline(told)], blocks)


def tracked(found: ShownTearSheet, leverage: Panel) -> Chapter:
    """Tracking by horizon and rolling, and the leverage."""
    rolling = rolling_tracking(found)
    blocks: Blocks = [
        _typeset(horizon_table(found.explanation)),
        [rolling["slope"], rolling["r2"]],
        [rolling["error"], rolling["difference"]],
        leverage,
    ]
    return Chapter("tracking", "Tracking", [], blocks)


def costs_and_reserve(found: ShownTearSheet, costs: Panel, reserve: Panel | None) -> Chapter:
    """What was paid, and the health of the reserve if there is one."""
    summary = found.run.summary
    words = []
    pool = summary["reserve"]
    if pool is not None:
        words.append(_reserve_words(pool, found.run.series.quote))
    title = "Costs" if pool is None else "Costs and reserve"
    if not costs.traces:
        return Chapter("costs", title, ["It paid for nothing.", *words], [reserve])
    return Chapter("costs", title, words, [costs, reserve])


def dangers(found: ShownTearSheet) -> Chapter:
    """The worst moves of the history, and what each would have wiped out."""
    series = found.run.series
    words = (
        f"The worst moves of {found.gaps.prices.source}, and the leverage that each would wipe out "
        f"on this venue ({series.venue.kind}) if nothing could be traded in it."
    )
    heading = ("worst in", "move", "from", "price", "to", "wipes out", series.symbol)
    rows = [_move_cells(row) for row in found.gaps.rows if _is_known(found, row.span)]
    unknown = [SPANS[span] for span in SPANS if not _is_known(found, span)]
    note = f"These bars do not tell of {' and '.join(unknown)}." if unknown else ""
    table = Table("Moves of the price", heading, rows, words=1, note=note)
    return Chapter("gaps", "Worst moves", [words], [_typeset(table)])


def _is_known(found: ShownTearSheet, span: str) -> bool:
    return any(row.move is not None for row in found.gaps.rows if row.span == span)


def next_trades(found: ShownTearSheet) -> Chapter:
    """The forecast from the last state: prices at which it acts, and the ladder."""
    told, title = found.forecast, "What it trades next"
    if told is None:
        return Chapter("next", title, [_silence(found)])
    ladder = [rung_cells(told, place) for place in range(len(told.ladder))]
    known = [
        place for place in range(len(LADDER_HEADING)) if any(_is_told(row[place]) for row in ladder)
    ]
    blocks: Blocks = [
        _thresholds(told),
        ladder_panel(ladder_data(told)),
        Table(
            f"Ladder, {found.run.series.quote}",
            [LADDER_HEADING[place] for place in known],
            [[row[place] for place in known] for row in ladder],
        ),
    ]
    at = formats.instant(told.time)[:16].replace("T", " ")
    stands = f"As it stands at {at} UTC, the end of this history."
    return Chapter("next", title, [f"{stands} {told.words}"], blocks)


def _silence(found: ShownTearSheet) -> str:
    """Why there is no forecast."""
    ended = found.run.state.ended
    if ended is not None:
        return f"Nothing: it ended on {format_time(ended.time)[:10]}."
    if found.run.series.venue.kind == "pool":
        return "Nothing on any market: its reserve is its counterparty."
    return "What it trades next is worked out in floats, and this run was made in another number."


def _typeset(table: Table) -> Table:
    """A table as figures of a page are written."""
    rows = [["–" if cell == "-" else _as_page(cell) for cell in row] for row in table.rows]
    heading = [_as_page(name) for name in table.heading]
    return replace(table, rows=rows, heading=heading)


def _as_page(text: str) -> str:
    """With true minus and multiplication signs; a terminal has them in ASCII."""
    return MULTIPLE.sub("×", MINUS.sub("−", text))


MINUS = re.compile(r"(?<!\w)-(?=\d)")
MULTIPLE = re.compile(r"(?<=\d) x(?= daily|$)")


def _is_told(text: str) -> bool:
    return text != formats.MISSING


def _months(found: ShownTearSheet) -> Heat | None:
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
        rows.append(HeatRow(str(1970 + year), [*row, heat_cell(total, 0.0)]))
    symbol, multiple, underlying = (_as_page(name) for name in headings(found))
    note = (
        f"Returns of {symbol} over the days of each UTC month, in percent. The day of the launch "
        f"is left out. A pointer on a month shows {multiple} and {underlying}."
    )
    return Heat("By month", [*MONTHS, "Year"], rows, note)


def _hint(found: ShownTearSheet, months: dict[str, dict[int, float]], place: int) -> str:
    told = [
        f"{name} {cell(months[key][place], 'percent')}"
        for key, name in zip(CURVES, headings(found), strict=True)
        if place in months[key]
    ]
    return _as_page(", ".join(told))


def _thresholds(told: ShownForecast) -> Table:
    (token,) = told.tokens
    rows: list[Sequence[str]] = [
        (
            each.trigger,
            formats.money(each.price),
            formats.percent(each.price / told.price - 1, signed=True),
        )
        for each in token.thresholds
    ]
    due = token.next_reset
    note = (
        f"Leverage is {formats.leverage(token.leverage)} at a price of {formats.money(told.price)}."
    )
    if due is not None:
        note += f" Its next reset is due at {formats.instant(due)[:16].replace('T', ' ')} UTC."
    if not rows:
        note += " No price makes it act."
    return Table("Prices at which it acts", ("", "price", "from now"), rows, note=note)


def _move_cells(row: WorstMove) -> Sequence[str]:
    name = f"{SPANS[row.span]}, {row.side}"
    if row.move is None or row.start is None:
        return (name, *[formats.MISSING] * 5, "")
    limit = row.wiped_out_from
    return (
        name,
        formats.percent(row.move, signed=True),
        formats.instant(row.start)[:16].replace("T", " ").removesuffix(" 00:00"),
        formats.money(row.price_before),
        formats.money(row.price_after),
        formats.MISSING if limit is None else f"{formats.number(limit, 2)}×",
        _fate(row),
    )


def _fate(row: WorstMove) -> str:
    if row.target_survives is None:
        return "in its favour"
    if not row.target_survives:
        return "dies at target"
    return "lives" if row.highest_survives else "dies at its highest"


def _reserve_words(pool: dict[str, float | None], quote: str) -> str:
    level, depth, runway = pool["level"], pool["buffer_depth"], pool["runway_days"]
    words = f"The reserve is at {formats.percent(level)} of net asset value"
    if depth is not None:
        words += f", {formats.percent(depth, signed=True)} from its floor"
    words += f". It paid {formats.money(pool['paid'], quote)}"
    words += f" and received {formats.money(pool['received'], quote)}."
    settled = pool.get("settled")
    if settled is not None:
        verb = "won" if settled >= 0 else "lost"
        words += f" As the counterparty it {verb} {formats.money(abs(settled), quote)}."
    if runway is not None:
        words += f" At the pace of its last 30 days it lasts {formats.number(runway, 0)} days."
    return words
