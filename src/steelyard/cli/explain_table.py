"""An explanation as a person reads it: the steps, what stands beside them, horizons, periods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import day, money, number, percent
from steelyard.cli.output import console, show
from steelyard.cli.run_table import history_words
from steelyard.explain.words import HORIZON_HEADING, headline, horizon_cells, lines, points
from steelyard.rules.describe import series_sentences

if TYPE_CHECKING:
    from steelyard.explain.explanation import Explanation

__all__ = ["print_explanation"]

LEAST_FIRST = ("gas", "interest", "spread", "basis", "management", "impact", "funding", "fee")
"""Steps that a table of periods leaves out, one after the other, until a row fits."""


def print_explanation(found: Explanation, by: str | None) -> None:
    """Print what ``explain`` found, on standard output; ``by`` is day, month or None."""
    show("", Text(series_sentences(found.run.series)))
    show(Text(history_words(found.run), style="dim"), "", Text(headline(found)), "")
    show(_steps(found), "", _beside(found), "", _horizons(found), "")
    if by is not None:
        show(_periods(found, by), "")


def _steps(found: Explanation) -> Table:
    table = _grid()
    quote = found.run.series.quote
    table.add_row(Text("Where it went", style="bold"), "points", f"{quote}, the fund", "")
    told = lines(found)
    for place, line in enumerate(told):
        is_end = place in (0, len(told) - 1)
        table.add_row(
            Text(f"  {line.name}", style="bold" if is_end else ""),
            Text(points(line.share), style="" if is_end else _tone(line.share)),
            number(line.quote, 0, signed=True),
            line.meaning,
        )
    return table


def _beside(found: Explanation) -> Table:
    table = _grid()
    figures = found.figures()
    alone, variance = figures["unrebalanced"], figures["variance"]
    table.add_row(Text("Beside it", style="bold"), "points", "", "")
    until = f"until {day(alone['ended'])}, when it was liquidated" if alone["ended"] else ""
    meaning = f"bought once and left alone {until}".rstrip()
    table.add_row("  never rebalanced", points(alone["return"]), "", meaning)
    volatility = f"compounding as a variance of {money(variance['realised'])} predicts it"
    table.add_row("  variance decay", points(variance["predicted"]), "", volatility)
    table.add_row("  left", points(variance["left"]), "", "of compounding: steps of a day's size")
    return table


def _horizons(found: Explanation) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in HORIZON_HEADING:
        table.add_column(heading, justify="right", no_wrap=True)
    figures = found.tracking.figures
    for days, row in figures["horizons"].items():
        table.add_row(days, *horizon_cells(row))
    near = ", ".join(
        f"{percent(met)} within {float(share) * 100:g}" for share, met in figures["within"].items()
    )
    whole = _one_column()
    whole.add_row(Text("Tracking, by days", style="bold"))
    whole.add_row(table)
    if figures["outside_band"] is not None:
        whole.add_row(f"{percent(figures['outside_band'])} of bars closed outside the band")
    whole.add_row(f"of {figures['days']:,} days, {near} points of {found.target:g} times the day")
    return whole


def _periods(found: Explanation, by: str) -> Table:
    columns = found.columns(by)
    steps = [name for name in found.held if columns[name].any() or name in ("compounding", "rule")]
    out = console()
    endless = out.options.update(max_width=1_000)  # otherwise all measures end at the terminal's
    table = _period_table(found, by, steps)
    for least in LEAST_FIRST:
        if out.measure(table, options=endless).maximum <= out.width:
            break
        steps = [name for name in steps if name != least]
        table = _period_table(found, by, steps)
    return table


def _period_table(found: Explanation, by: str, steps: list[str]) -> Table:
    columns = found.columns(by)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(by, no_wrap=True)
    shown = ["multiple", *steps, "token"]
    others = [name for name in found.held if name not in steps and columns[name].any()]
    for name in shown:
        heading = {"multiple": f"{found.target:g} x", "token": found.run.series.symbol}
        table.add_column(heading.get(name, name), justify="right", no_wrap=True)
    if others:
        table.add_column("others", justify="right", no_wrap=True)
    for place, start in enumerate(columns["start"]):
        cells = [points(float(columns[name][place])) for name in shown]
        if others:
            cells.append(points(float(sum(columns[name][place] for name in others))))
        table.add_row(str(start)[: 10 if by == "day" else 7], *cells)
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    return table


def _one_column() -> Table:
    table = Table.grid()
    table.add_column()
    return table


def _tone(value: float) -> str:
    return "red" if value < 0 else "green" if value > 0 else ""
