"""The shelf, and what a series will do, as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import leverage, money, percent
from steelyard.cli.output import console, show
from steelyard.rules.describe import (
    cost_words,
    execution_words,
    rule_words,
    series_sentences,
    target_words,
    venue_words,
)
from steelyard.rules.reach import Reach, trade_after
from steelyard.rules.series import Series
from steelyard.rules.triggers import Trigger

__all__ = ["print_check", "print_shelf"]

WIDE = 100
CLOCK_MOVES = (-0.05, 0.05)


def print_shelf(presets: Sequence[tuple[str, str, Series]]) -> None:
    """Print the presets: name, headline, target, rule."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    wide = console().width >= WIDE
    for heading in ("name", *(("follows",) if wide else ()), "target", "trades when"):
        table.add_column(heading, no_wrap=heading in ("name", "target"))
    for name, title, series in presets:
        headline = (title,) if wide else ()
        table.add_row(name, *headline, target_words(series), rule_words(series))
    hint = '"steelyard series show NAME" prints the file, "series check NAME" what it does.'
    show("", table, "", Text(hint, style="dim"), "")


def print_check(
    series: Series, found: Sequence[Reach], book: Sequence[Sequence[float]] | None = None
) -> None:
    """Print what a series does, and at which move of the price it trades."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("threshold")
    for heading in ("price moves", "leverage", "holder", f"trade, {series.quote}"):
        table.add_column(heading, justify="right")
    for reach in found:
        table.add_row(
            reach.trigger,
            percent(reach.move, signed=True),
            leverage(reach.leverage),
            percent(reach.nav_return, signed=True),
            _trade(reach.trade_notional),
        )
    for trigger in _clocks(series):
        for move in CLOCK_MOVES:
            traded = trade_after(series, trigger, move, book)
            name = trigger.name.lower()
            table.add_row(f"{name}, if", percent(move, signed=True), "", "", _trade(traded))
    facts = Table.grid(padding=(0, 2))
    facts.add_row("venue", venue_words(series))
    facts.add_row("costs", cost_words(series))
    if execution_words(series):
        facts.add_row("orders", execution_words(series))
    assets = series.initial_nav * series.initial_tokens
    facts.add_row("assets", f"{money(assets)} {series.quote} at launch")
    about = Text("From the target leverage, with the assets of the launch:", style="dim")
    show("", Text(series_sentences(series)), "", facts, "", about, table, "")


def _clocks(series: Series) -> list[Trigger]:
    names = series.rebalance.trigger_names
    clocks = (Trigger.INTERVAL, Trigger.DAILY, Trigger.FALLBACK)
    return [trigger for trigger in clocks if trigger.name.lower() in names]


def _trade(notional: float | None) -> str:
    if notional is None:
        return "closed"
    if notional == 0:
        return "none"
    return f"{'buy' if notional > 0 else 'sell'} {money(abs(notional))}"
