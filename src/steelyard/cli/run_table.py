"""One run as a person reads it: a table of three columns, figure by figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, counted, day, leverage, money, number, percent
from steelyard.cli.output import show
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.describe import duration_words, series_sentences

if TYPE_CHECKING:
    from steelyard.simulate.run import Run

__all__ = ["add_reserve", "history_words", "print_run"]


def print_run(run: Run) -> None:
    """Print what ``simulate`` found, on standard output."""
    words = Text(series_sentences(run.series))
    show("", words, Text(history_words(run), style="dim"), "", run_table(run), "")


def run_table(run: Run) -> Table:
    """The run's summary as a table."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    summary, quote = run.summary, run.series.quote
    _add_results(table, run)
    _add_rebalances(table, summary["rebalances"], quote)
    _add_costs(table, summary["costs"], quote, run.series.initial_nav * run.series.initial_tokens)
    if "flows" in summary:
        _add_flows(table, summary["flows"], quote)
    _add_exposure(table, summary)
    if summary["reserve"] is not None:
        add_reserve(table, summary["reserve"], run.series.underlying.partition("/")[0], quote)
    return table


def history_words(run: Run) -> str:
    """Which prices were run: how many bars, how long, from when to when, with how many gaps."""
    summary = run.summary
    gaps = counted(summary["gaps"], "gap") if summary["gaps"] else "no gaps"
    length = duration_words(run.prices.step_s) if run.prices.step_s else ""
    return (
        f"{run.prices.source}: {count(summary['bars'])} "
        f"{f'bars of {length}' if length else 'prices'}, {day(summary['start'])} to "
        f"{day(summary['end'])} UTC, {gaps}"
    )


def _add_results(table: Table, run: Run) -> None:
    summary = run.summary
    _head(table, "Result")
    for label, figures in (
        ("nav per token", summary["nav"]),
        (run.series.underlying, summary["underlying"]),
    ):
        change = percent(figures["return"], signed=True)
        ends = f"{money(figures['initial'])} to {money(figures['final'])} {run.series.quote}"
        table.add_row(f"  {label}", Text(change, style=_tone(figures["return"])), ends)
    ended = summary["wiped_out"]
    deepest = "from a peak, at closes"
    table.add_row("  max drawdown", percent(summary["max_drawdown"]), deepest)
    closed = summary.get("wound_down")
    if closed is not None:
        at = f"at a price of {money(closed['price'])} {run.series.quote}"
        table.add_row("  wound down", day(closed["time"]), at)
    if ended is not None:
        at = f"{ended['reason']}, at a price of {money(ended['price'])} {run.series.quote}"
        table.add_row("  wiped out", Text(day(ended["time"]), style="bold red"), at)


def _add_rebalances(table: Table, figures: Mapping[str, Any], quote: str) -> None:
    _head(table, "Rebalances")
    table.add_row("  count", count(figures["count"]), "launch not counted")
    for kind, times in figures["by_trigger"].items():
        table.add_row(f"    by {kind}", count(times), "")
    if figures["clips"] != figures["count"]:
        table.add_row("  clips", count(figures["clips"]), "trades that they went out in")
    table.add_row("  blocked", count(figures["blocked"]), "not made: suspended, or too costly")
    table.add_row("  turnover", money(figures["turnover"]), f"{quote}, the whole fund")


def _add_costs(table: Table, figures: Mapping[str, float], quote: str, assets: float) -> None:
    _head(table, f"Costs, {quote}")
    paid = [(kind, figures[kind]) for kind in COST_KINDS if figures[kind]]
    for kind, amount in [*paid, ("total", sum(amount for _, amount in paid))]:
        table.add_row(f"  {kind}", money(amount), f"{percent(amount / assets)} of initial assets")
    if figures["paid_by_reserve"]:
        by_reserve = "of these, not by holders"
        table.add_row("  paid by the reserve", money(figures["paid_by_reserve"]), by_reserve)


def _add_flows(table: Table, figures: Mapping[str, float], quote: str) -> None:
    _head(table, "Creations and redemptions")
    for kind in ("created", "redeemed"):
        table.add_row(f"  {kind}", money(figures[kind]), "tokens")
    table.add_row("  fees", money(figures["fees"]), f"{quote}, paid by who came or went")
    netted = f"{quote} of trading, after {money(figures['saved'])} saved by netting"
    table.add_row("  cost", money(figures["cost"]), netted)


def _add_exposure(table: Table, summary: Mapping[str, Any]) -> None:
    tracking, leverages = summary["tracking"], summary["leverage"]
    _head(table, "Tracking")
    slope = "of daily returns on the underlying's, R2 "
    table.add_row("  slope", number(tracking["slope"], 3), slope + number(tracking["r2"], 4))
    table.add_row("  error", number(tracking["error"], 3), "of the exposure, a year")
    daily = "standard deviation of a day's return off target"
    table.add_row("  error, daily", percent(tracking["error_daily"]), daily)
    apart = "to a daily reset without costs"
    table.add_row("  difference", percent(tracking["difference"], signed=True), apart)
    ends = f"from {leverage(leverages['min'])} to {leverage(leverages['max'])}, at closes"
    table.add_row("  mean leverage", leverage(leverages["mean"]), ends)


def add_reserve(table: Table, figures: Mapping[str, Any], base: str, quote: str) -> None:
    """Add the figures of a reserve, held in ``base``, to a table of three columns."""
    _head(table, "Reserve")
    ends = f"{base}, from {money(figures['initial'])}, at least {money(figures['min'])}"
    table.add_row("  units", money(figures["final"]), ends)
    table.add_row("  level", percent(figures["level"]), "of net asset value, at the end")
    for kind in ("paid", "received", "injected"):
        table.add_row(f"  {kind}", money(figures[kind]), quote)
    if "settled" in figures:
        won = f"{quote} that tokens lost to it, net of what they won"
        table.add_row("  settled", money(figures["settled"]), won)
        table.add_row("  utilisation", percent(figures["utilisation"]), "net notional of its value")
    suspended = figures["suspended_s"]
    lasted = duration_words(suspended) if suspended else "never"
    table.add_row("  suspended", lasted, "raised no leverage meanwhile")
    depth = "above its floor, of net asset value"
    table.add_row("  buffer", percent(figures["buffer_depth"]), depth)
    if figures["runway_days"] is not None:
        runway = "days at the pace of the last 30"
        table.add_row("  runway", number(figures["runway_days"], 0), runway)
    room = f"{quote}: a trade whose cost takes the buffer"
    table.add_row("  capacity", money(figures["capacity"]), room)


def _head(table: Table, title: str) -> None:
    if table.row_count:
        table.add_row("", "", "")
    table.add_row(Text(title, style="bold"), "", "")


def _tone(value: float) -> str:
    return "red" if value < 0 else "green" if value > 0 else ""
