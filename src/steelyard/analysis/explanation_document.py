"""The document of an explanation: steps, comparisons, tracking by horizon, and periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from steelyard.analysis.tracking_document import horizon_table
from steelyard.report.document import Cell, Column, Document, Paragraph, Section, Table, TableRow
from steelyard.report.number_format import day, money, multiple, number, points
from steelyard.report.waterfall import waterfall_panel
from steelyard.rules.describe import series_sentences
from steelyard.simulation.coverage import asset_name
from steelyard.simulation.run_document import history_words, run_badges, tone
from steelyard.simulation.run_notes import run_notes

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownExplanation
    from steelyard.report.panels import Panel

__all__ = [
    "MEANINGS",
    "beside_table",
    "explanation_document",
    "explanation_panel",
    "headline",
    "period_table",
    "step_table",
]

MEANINGS: Mapping[str, str] = {
    "compounding": "a daily reset without costs, less the line above",
    "rule": "this rule without costs, less the daily reset",
    "fee": "exchange fees",
    "spread": "the half spread",
    "impact": "price impact of its own trades",
    "gas": "gas",
    "basis": "the future's basis, paid or earned as it converges to the price",
    "funding": "funding",
    "interest": "interest",
    "management": "the management fee",
    "reserve": "payments by the reserve, and the effect of its suspensions",
}
"""A short description of each step."""
LEAST_FIRST = (
    *("gas", "interest", "spread", "basis", "management", "impact", "funding", "fee"),
    *("reserve", "rule", "compounding"),
)
"""The order in which a table of periods leaves out steps until a row fits the width."""


class Line(NamedTuple):
    """One line of the table of steps: name, return, quote amount and description."""

    name: str
    share: float
    quote: float
    meaning: str


def explanation_document(found: ShownExplanation, by: str | None = None) -> Document:
    """Build the document of an explanation for terminals, notebooks and pages.

    Args:
        found: the explanation.
        by: ``"month"`` or ``"day"``: the periods that a terminal lists; None: none. A page always
            lists the months.
    """
    run = found.run
    periods = [period_table(found, by)] if by is not None else []
    months = [] if by == "month" else [Section("", [period_table(found, "month")], page_only=True)]
    return Document(
        title=f"{run.series.symbol}: where the return went",
        badges=run_badges(run),
        notes=list(run_notes(run)),
        blocks=[
            Paragraph(headline(found), "lead"),
            Paragraph(series_sentences(run.series)),
            Paragraph(history_words(run), "small"),
            explanation_panel(found),
            step_table(found),
            beside_table(found),
            horizon_table(found.tracking),
            *periods,
            *months,
        ],
        closing=[f"Prices: {run.prices.source}.", "Nothing here is advice."],
    )


def headline(found: ShownExplanation) -> str:
    """One sentence that gives the returns of the underlying and of the token."""
    figures = found.figures()
    asset, token = figures["underlying"]["return"], figures["token"]["return"]
    series = found.run.series
    name = asset_name(series, found.run.prices)
    return (
        f"{name} {_moved(asset)} and {series.symbol} {_moved(token)}, from "
        f"{figures['start'][:10]} to {figures['end'][:10]}: {_apart(figures['total']['return'])} "
        f"{found.target:g} times the underlying's return."
    )


def explanation_panel(found: ShownExplanation) -> Panel:
    """The steps as a waterfall chart, from L times the underlying's return to the token's."""
    life = {name: float(values[0]) for name, values in found.columns().items() if name != "start"}
    return waterfall_panel(
        found.run.series.symbol, found.steps, found.target, life["underlying"], life["token"]
    )


def step_table(found: ShownExplanation) -> Table:
    """The table of L times the underlying, each step and the token, over the whole life."""
    lines = _lines(found)
    rows = []
    for place, line in enumerate(lines):
        is_end = place in (0, len(lines) - 1)
        share = Cell(points(line.share), line.share, "" if is_end else tone(line.share))
        quoted = number(line.quote, 0, signed=True)
        rows.append(TableRow([line.name, share, quoted, line.meaning], strong=is_end))
    note = "Each step is the difference between two runs that differ in that one respect."
    return Table(
        "Where the return went", _columns(f"{found.run.series.quote}, the fund"), rows, note
    )


def beside_table(found: ShownExplanation) -> Table:
    """The table of figures that are not steps but help to judge the steps."""
    figures = found.figures()
    alone, variance = figures["unrebalanced"], figures["variance"]
    until = f" until {day(alone['ended'])}, when it was liquidated" if alone["ended"] else ""
    rows = [
        ("never rebalanced", alone["return"], f"bought once, never traded again{until}"),
        (
            "variance decay",
            variance["predicted"],
            f"the compounding that a variance of {money(variance['realised'])} predicts",
        ),
        ("left", variance["left"], "compounding less variance decay: the effect of daily steps"),
    ]
    told = [TableRow([name, points(share), meaning]) for name, share, meaning in rows]
    return Table("For comparison", _columns(), told)


def _columns(*quote: str) -> list[Column]:
    figures = [Column("points", "percentage points of return"), *map(Column, quote)]
    return [Column(""), *figures, Column("", words=True)]


def period_table(found: ShownExplanation, by: str) -> Table:
    """The table of the steps of each month or day, in percentage points."""
    columns = found.columns(by)
    steps = [name for name in found.held if columns[name].any() or name in ("compounding", "rule")]
    names = {"multiple": f"{multiple(found.target)} {_base(found)}", "token": _symbol(found)}
    shown = ["multiple", *steps, "token"]
    leaving = {name: place for place, name in enumerate(LEAST_FIRST, 1)}
    heads = [Column(names.get(name, name), drop=leaving.get(name, 0)) for name in shown]
    rows = []
    for place, start in enumerate(columns["start"]):
        shares = [float(columns[name][place]) for name in shown]
        cells = [Cell(points(share), share) for share in shares]
        rows.append(TableRow([str(start)[: 10 if by == "day" else 7], *cells]))
    title = f"By {by}, in percentage points"
    return Table(title, [Column(by), *heads], rows, others=points)


def _lines(found: ShownExplanation) -> list[Line]:
    life = {name: values[0] for name, values in found.columns().items()}
    assets, series = float(life["assets"]), found.run.series
    times = f"{multiple(found.target)} {asset_name(series, found.run.prices)}"
    meaning = f"the underlying's {points(life['underlying'])}, times L"
    told = [Line(times, float(life["multiple"]), 0.0, meaning)]
    for name, share in found.steps.items():
        if share or name in ("compounding", "rule"):
            told.append(Line(name, share, 0.0, MEANINGS[name]))
    told.append(Line(series.symbol, float(life["token"]), 0.0, "the holder's return, the sum"))
    return [line._replace(quote=line.share * assets) for line in told]


def _symbol(found: ShownExplanation) -> str:
    return found.run.series.symbol


def _base(found: ShownExplanation) -> str:
    return asset_name(found.run.series, found.run.prices).partition("/")[0]


def _apart(share: float) -> str:
    return f"{abs(share) * 100:,.2f} percentage points {'below' if share < 0 else 'above'}"


def _moved(share: float) -> str:
    word = "rose" if share > 0 else "fell" if share < 0 else "did not move"
    return f"{word} {abs(share) * 100:,.1f} %" if share else word
