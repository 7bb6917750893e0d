"""The shelf's runs as a person reads them: a table an asset, and the crash of March 2020."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, counted, number, percent
from steelyard.cli.output import console, show
from steelyard.cli.remarks import order_remark
from steelyard.cli.shelf import ASSETS, NO_FUNDING, ShelfRun, crash_of
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.describe import rule_words

__all__ = ["print_shelf_runs", "return_cell"]

WIDE = 118
CRASHED = ("ftx-bull", "ftx-hedge")
LEGEND = (
    "Cost: all of three years, of initial assets. Error: how far the exposure was off, a year. "
    "Drawdown: deepest fall from a peak, at closes."
)


def print_shelf_runs(runs: Sequence[ShelfRun]) -> None:
    """Print what ``demo`` found, on standard output."""
    wide = console().width >= WIDE
    for asset in ASSETS:
        of_asset = [each for each in runs if each.asset == asset]
        show("", Text(_heading(of_asset[0]), style="bold"), _table(of_asset, wide=wide))
    crashes = [_crash(each) for each in runs if each.name in CRASHED and each.asset == "BTC"]
    order = order_remark(runs[0].run.prices.step_s)
    ideal = "No costs: a daily reset that trades for nothing. " if wide else ""
    footer = f"{ideal}{LEGEND} {order[0].upper()}{order[1:]} {NO_FUNDING}"
    show("", Text("12 March 2020", style="bold"), *map(Text, crashes), "")
    show(Text(footer, style="dim"), "")


def _heading(each: ShelfRun) -> str:
    figures = each.run.summary["underlying"]
    change = percent(figures["return"], signed=True)
    ends = f"{number(figures['initial'], 0)} to {number(figures['final'], 0)}"
    return f"{each.asset}, daily, 2020 to 2022: {ends} USD, {change}"


def _table(runs: Sequence[ShelfRun], *, wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("token", no_wrap=True)
    if wide:
        table.add_column("trades when")
    table.add_column("target", no_wrap=True)
    figures = ["return", *(["no costs"] if wide else []), "rebal.", "cost", "error"]
    for heading in (*figures, "drawdown", "worst day"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in runs:
        table.add_row(*_cells(each, wide=wide))
    return table


def _cells(each: ShelfRun, *, wide: bool) -> list[str | Text]:
    summary, series = each.run.summary, each.run.series
    assets = series.initial_nav * series.initial_tokens
    cells: list[str | Text] = [each.name]
    if wide:
        cells.append(rule_words(series))
    cells += [f"{series.target_leverage:+g}x", return_cell(summary)]
    if wide:
        ideal = each.ideal_return
        cells.append("wiped out" if ideal is None else percent(ideal, signed=True))
    return [
        *cells,
        count(summary["rebalances"]["count"]),
        percent(sum(summary["costs"][kind] for kind in COST_KINDS) / assets),
        number(summary["tracking"]["error"], 3),
        percent(summary["max_drawdown"]),
        "" if each.worst_day is None else percent(each.worst_day[1], signed=True),
    ]


def return_cell(summary: Mapping[str, Any]) -> Text:
    """What a token returned, or that nothing is left of it."""
    if summary["wiped_out"] is not None:
        return Text("wiped out", style="bold red")
    change = summary["nav"]["return"]
    return Text(percent(change, signed=True), style="red" if change < 0 else "green")


def _crash(each: ShelfRun) -> str:
    found = crash_of(each.run)
    if found is None:
        return f"{each.name} was gone before."
    target = each.run.series.target_leverage
    times = counted(found.rebalances, "rebalance")
    return (
        f"{each.name}: {percent(found.token, signed=True)} with {times} in the day; {target:g} x "
        f"BTC's {percent(found.underlying, signed=True)} would be "
        f"{percent(found.naive, signed=True)}."
    )
