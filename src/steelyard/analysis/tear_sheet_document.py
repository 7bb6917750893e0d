"""The document of a tear sheet: the charts, tables and sentences of each chapter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.analysis.explanation_document import (
    beside_table,
    explanation_panel,
    headline,
    period_table,
    step_table,
)
from steelyard.analysis.forecast_document import ladder_data, ladder_table
from steelyard.analysis.gaps_document import gap_table, gaps_words
from steelyard.analysis.tear_sheet_charts import (
    distribution_of,
    month_table,
    rolling_volatility,
    underwater_of,
)
from steelyard.analysis.tear_sheet_statistics import days_words, statistic_tables
from steelyard.analysis.tracking_document import WINDOW_DAYS, horizon_table, tracking_charts
from steelyard.market import format_time
from steelyard.report.document import (
    Block,
    Column,
    Document,
    Fact,
    KeyFigures,
    Paragraph,
    Section,
    SideBySide,
    Table,
    TableRow,
)
from steelyard.report.ladder import ladder_panel
from steelyard.report.leverage_panel import leverage_panel
from steelyard.report.number_format import (
    count,
    leverage,
    moment,
    money,
    number,
    percent,
)
from steelyard.report.panels import Panel, costs_panel, nav_panel, reserve_panel
from steelyard.report.view import View, view_of
from steelyard.simulation.report_input import report_run
from steelyard.simulation.run_document import run_document, tone

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownForecast, ShownTearSheet

__all__ = ["tear_sheet_document", "tear_sheet_panels"]

MOST = 6_000, 1_000
"""Most bars drawn and most trades marked: half as many as on the page of a run, which is the place
for details."""
MOST_SHOWN = 1_000
NO_COSTS = frozenset({"compounding", "rule", "reserve"})


def tear_sheet_document(found: ShownTearSheet) -> Document:
    """Build the document of a tear sheet for terminals, notebooks and pages."""
    view = _view(found)
    of_run = run_document(found.run, most=MOST)
    opening, rest = _head(found, of_run)
    first, last = (moment(int(at))[:10] for at in (view.time[0], view.time[-1]))
    worst: list[Block] = [Paragraph(gaps_words(found.gaps)), gap_table(found.gaps)]
    chapters = (
        ("growth", "Growth", _growth(found, view), True),
        ("statistics", "Statistics", _statistics(found), False),
        ("attribution", "Where the return went", _attribution(found), True),
        ("tracking", "Tracking", _tracking(found, view), True),
        ("costs", "Costs and reserve", _costs(found, view), True),
        ("gaps", "Worst moves", worst, True),
        ("next", "What it trades next", _next(found), False),
    )
    return Document(
        title=f"{found.run.series.symbol}: tear sheet",
        subtitle=", ".join(filter(None, (of_run.subtitle, f"{first} to {last}"))),
        badges=of_run.badges,
        notes=of_run.notes,
        blocks=[
            *opening,
            Section("", rest, page_only=True),
            *(
                Section(title, blocks, key=key, page_only=page_only)
                for key, title, blocks, page_only in chapters
            ),
        ],
        closing=[*of_run.closing, f"Prices: {found.run.prices.source}."],
        span=of_run.span,
    )


def tear_sheet_panels(found: ShownTearSheet) -> list[Panel]:
    """The charts of growth, drawdown and rolling volatility."""
    panels = [nav_panel(_view(found)), underwater_of(found), rolling_volatility(found)]
    return [panel for panel in panels if panel is not None]


def _view(found: ShownTearSheet) -> View:
    return view_of(report_run(found.run), most_points=MOST[0], most_rows=MOST[1])


def _head(found: ShownTearSheet, of_run: Document) -> tuple[list[Block], list[Block]]:
    """The opening blocks, and the key figures of the run that only a page has room for."""
    opening: list[Block] = []
    rest: list[Block] = []
    for block in of_run.blocks:
        if isinstance(block, KeyFigures) and block.kind == "large":
            opening.append(KeyFigures(block.title, [*block.facts, *_facts(found)], block.kind))
        elif isinstance(block, KeyFigures) and not block.kind:
            rest.append(block)
        elif not isinstance(block, Section):
            opening.append(block)
    return [*opening[:1], Paragraph(headline(found.explanation)), *opening[1:]], rest


def _facts(found: ShownTearSheet) -> list[Fact]:
    token, asset = found.statistics["token"], found.statistics["underlying"]
    grown, (paid, relief) = token["annual_return"], _cost_steps(found)
    under = "of initial nav, the sum of all cost steps"
    if relief:
        under = f"of initial nav; the reserve added {percent(relief, signed=True)}"
    large = grown is not None and abs(grown) >= MOST_SHOWN
    annual = f"over {count(MOST_SHOWN)}x" if large else percent(grown, signed=True)
    beside = f"Sortino {number(token['sortino'], 2)}, underlying {number(asset['sharpe'], 2)}"
    return [
        Fact("annual return", annual, "compounded, 365 days", tone(grown)),
        Fact(
            "volatility",
            percent(token["volatility"]),
            f"a year, underlying {percent(asset['volatility'])}",
        ),
        Fact("Sharpe", number(token["sharpe"], 2), beside, tone(token["sharpe"])),
        Fact("costs", percent(paid, signed=True), under, tone(paid)),
    ]


def _cost_steps(found: ShownTearSheet) -> tuple[float, float]:
    """The sum of all cost steps in the token's return, and the step of the reserve."""
    steps = found.explanation.steps
    paid = float(np.sum([share for name, share in steps.items() if name not in NO_COSTS]))
    return paid, steps["reserve"]


def _growth(found: ShownTearSheet, view: View) -> list[Block]:
    parts = [nav_panel(view), underwater_of(found), month_table(found)]
    return [part for part in parts if part is not None]


def _statistics(found: ShownTearSheet) -> list[Block]:
    charts = [distribution_of(found), rolling_volatility(found)]
    return [
        Paragraph(days_words(found)),
        SideBySide(statistic_tables(found)),
        *(chart for chart in charts if chart is not None),
    ]


def _attribution(found: ShownTearSheet) -> list[Block]:
    told = found.explanation
    return [
        Paragraph(headline(told)),
        explanation_panel(told),
        step_table(told),
        beside_table(told),
        period_table(told, "month"),
    ]


def _tracking(found: ShownTearSheet, view: View) -> list[Block]:
    charts = tracking_charts(found.rolling, found.tracking.target, WINDOW_DAYS)
    return [horizon_table(found.tracking), *charts, leverage_panel(view)]


def _costs(found: ShownTearSheet, view: View) -> list[Block]:
    pool, costs, level = found.run.summary["reserve"], costs_panel(view), reserve_panel(view)
    blocks: list[Block] = []
    if pool is not None:
        blocks.append(Paragraph(_reserve_words(pool, found.run.series.quote)))
    blocks.append(costs if costs.traces else Paragraph("The token had no costs."))
    return [*blocks, *([level] if level is not None else [])]


def _reserve_words(pool: dict[str, Any], quote: str) -> str:
    words = f"The reserve is at {percent(pool['level'])} of net asset value"
    if pool["buffer_depth"] is not None:
        words += f", {percent(pool['buffer_depth'], signed=True)} from its floor"
    words += f". It paid {money(pool['paid'], quote)}"
    words += f" and received {money(pool['received'], quote)}."
    settled = pool.get("settled")
    if settled is not None:
        verb = "won" if settled >= 0 else "lost"
        words += f" As the counterparty it {verb} {money(abs(settled), quote)}."
    if pool["runway_days"] is not None:
        words += f" At the pace of its last 30 days it lasts {number(pool['runway_days'], 0)} days."
    return words


def _next(found: ShownTearSheet) -> list[Block]:
    """The forecast from the last state: the prices at which the token acts, and the ladder."""
    told = found.forecast
    if told is None:
        return [Paragraph(_silence(found))]
    stands = f"The forecast starts at {moment(told.time)} UTC, the end of this history."
    shown: list[Block] = [_thresholds(told), ladder_panel(ladder_data(told)), ladder_table(told)]
    return [Paragraph(f"{stands} {told.words}"), Section("", shown, page_only=True)]


def _silence(found: ShownTearSheet) -> str:
    """The reason why there is no forecast."""
    ended = found.run.state.ended
    if ended is not None:
        return f"It trades nothing more: it ended on {format_time(ended.time)[:10]}."
    if found.run.series.venue.kind == "pool":
        return "It trades on no market, because its reserve is its counterparty."
    return "There is no forecast, because forecasts need a run that was simulated in floats."


def _thresholds(told: ShownForecast) -> Table:
    (token,) = told.tokens
    rows: Sequence[TableRow] = [
        TableRow(
            [each.trigger, money(each.price), percent(each.price / told.price - 1, signed=True)]
        )
        for each in token.thresholds
    ]
    note = f"Leverage is {leverage(token.leverage)} at a price of {money(told.price)}."
    if token.next_reset is not None:
        note += f" Its next reset is due at {moment(token.next_reset)} UTC."
    if not rows:
        note += " There is no price at which it acts."
    columns = [Column(""), Column("price"), Column("from now", "relative to the present price")]
    return Table("Prices at which it acts", columns, rows, note=note)
