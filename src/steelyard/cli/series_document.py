"""Documents of the list of presets and of the check of a series."""

from __future__ import annotations

from collections.abc import Sequence

from steelyard.report.document import (
    Column,
    Document,
    Fact,
    KeyFigures,
    Paragraph,
    Table,
    TableRow,
)
from steelyard.report.number_format import leverage, money, percent
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

__all__ = ["check_document", "presets_document"]

CLOCK_MOVES = (-0.05, 0.05)


def presets_document(presets: Sequence[tuple[str, str, Series]]) -> Document:
    """The table of presets: name, title, target and rule."""
    columns = [
        Column("name"),
        Column("follows", words=True, drop=1),
        Column("target", words=True),
        Column("trades when", words=True),
    ]
    rows = [
        TableRow([name, title, target_words(series), rule_words(series)])
        for name, title, series in presets
    ]
    hint = '"steelyard series show NAME" prints the file, "series check NAME" what it trades.'
    return Document("", [Table("", columns, rows), Paragraph(hint, "small")])


def check_document(
    series: Series, found: Sequence[Reach], book: Sequence[Sequence[float]] | None = None
) -> Document:
    """What a series does, and at which moves of the price it trades."""
    names = ("price moves", "leverage", "holder", f"trade, {series.quote}")
    rows = [
        TableRow(
            [
                reach.trigger,
                percent(reach.move, signed=True),
                leverage(reach.leverage),
                percent(reach.nav_return, signed=True),
                _trade(reach.trade_notional),
            ]
        )
        for reach in found
    ]
    for trigger in _clocks(series):
        for move in CLOCK_MOVES:
            traded = trade_after(series, trigger, move, book)
            name = f"{trigger.name.lower()}, if"
            rows.append(TableRow([name, percent(move, signed=True), "", "", _trade(traded)]))
    assets = series.initial_nav * series.initial_tokens
    facts = {
        "venue": venue_words(series),
        "costs": cost_words(series),
        "orders": execution_words(series),
        "assets": f"{money(assets)} {series.quote} at launch",
    }
    told = [Fact(name, words) for name, words in facts.items() if words]
    about = "Starting at the target leverage, with the assets at launch:"
    return Document(
        "",
        [
            Paragraph(series_sentences(series)),
            KeyFigures("", told, "terms"),
            Table("", [Column("threshold"), *map(Column, names)], rows, caption=about),
        ],
    )


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
