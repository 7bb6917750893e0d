"""The document of a forecast: a summary in sentences, the ladder, and the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from steelyard.analysis.forecast_words import forecast_words, tokens_counted
from steelyard.report.document import Cell, Column, Document, Paragraph, Table, TableRow
from steelyard.report.ladder import LadderData, ladder_panel
from steelyard.report.number_format import (
    MISSING,
    amount,
    leverage,
    moment,
    money,
    multiple,
    number,
    percent,
)

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownForecast
    from steelyard.analysis.rungs import Rung, TokenOutlook

__all__ = ["feedback_words", "forecast_document", "ladder_data", "ladder_table"]

MOST_TOKENS, MOST_LINES = 500, 20
"""Most rows of tokens on a page and on a terminal, largest assets first; --json lists all."""
BPS = 10_000
LADDER = (
    Column("price"),
    Column("move"),
    Column("bought", "traded on the way to the price", drop=5),
    Column("sold", drop=5),
    Column("reset buys", "traded at each token's next reset if the price is there then"),
    Column("reset sells"),
    Column("net", "the sum of all of these", strong=True),
    Column("of volume", "net as a share of the daily volume", drop=2),
    Column("of book", "net as a share of the book's depth on its side", drop=3),
    Column("cost, bps", "cost of trading net in one order on the book", drop=1),
    Column("grows to", "the move including what the resets add to it", drop=4),
)
TOKENS = (
    Column("token", words=True),
    Column("target", drop=1),
    Column("leverage", drop=2),
    Column("assets", drop=3),
    Column("next reset", "in UTC"),
    Column("trades", "traded at that reset if the price stays"),
    Column("acts below", "the nearest prices at which its rule trades, whatever the time"),
    Column("above"),
    Column("liquidated", "the price of its liquidation if nothing trades before", drop=4),
)


def forecast_document(found: ShownForecast) -> Document:
    """Build the document of a forecast for terminals, notebooks and pages."""
    data, shelf = ladder_data(found), found.shelf
    head = (
        f"{shelf.source}: {tokens_counted(found)} on {shelf.underlying} at {found.price:,.10g}, "
        f"{moment(found.time)} UTC, {shelf.quote}"
    )
    return Document(
        title=data.title,
        blocks=[
            Paragraph(forecast_words(found), "lead"),
            Paragraph(head, "small"),
            ladder_panel(data),
            ladder_table(found),
            *([Paragraph(feedback_words(found))] if found.feedback is not None else []),
            _token_table(found),
        ],
        closing=[
            "This is not a promise: it shows what the rules trade if the shelf's books are right.",
            "Nothing here is advice.",
        ],
    )


def ladder_data(found: ShownForecast) -> LadderData:
    """The data of the ladder chart."""
    rungs = found.ladder
    return LadderData(
        title=f"Order flow of {tokens_counted(found)} on {found.shelf.underlying}, "
        f"{moment(found.time)} UTC",
        quote=found.shelf.quote,
        underlying=found.shelf.underlying,
        present=found.price,
        prices=[rung.price for rung in rungs],
        on_the_way=[rung.bought - rung.sold for rung in rungs],
        at_resets=[rung.reset_bought - rung.reset_sold for rung in rungs],
    )


def ladder_table(found: ShownForecast) -> Table:
    """One row for each price; a column without any figure, as of a book not given, is left out."""
    rows = [_rung_cells(rung) for rung in found.ladder]
    known = [i for i in range(len(LADDER)) if i < FLOWS or any(row[i] != MISSING for row in rows)]
    return Table(
        f"Ladder, {found.shelf.quote}",
        [LADDER[i] for i in known],
        [
            TableRow([row[i] for i in known], strong=rung.move == 0)
            for row, rung in zip(rows, found.ladder, strict=True)
        ],
    )


FLOWS = 7
"""Number of columns that are always shown."""


def _rung_cells(rung: Rung) -> list[str]:
    cost = None if rung.book_cost is None or not rung.net else rung.book_cost / abs(rung.net)
    return [
        money(rung.price),
        percent(rung.move, signed=True),
        *map(amount, (rung.bought, rung.sold, rung.reset_bought, rung.reset_sold)),
        amount(rung.net, signed=True),
        percent(rung.share_of_volume, signed=True),
        percent(rung.share_of_book, signed=True),
        number(None if cost is None else cost * BPS, 1),
        percent(rung.amplified_move, signed=True),
    ]


def feedback_words(found: ShownForecast) -> str:
    """The feedback (FORMULAS 8) in sentences."""
    feedback, quote = found.feedback, found.shelf.quote
    if feedback is None or feedback.demand <= 0:
        return "Resets do not respond to price moves, so there is no feedback."
    traded = money(feedback.demand / 100)
    words = f"From their targets, resets trade {traded} {quote} for each move of 1 %"
    if feedback.share_of_volume is not None:
        words += f", {percent(feedback.share_of_volume / 100)} of a day's volume"
    words += "."
    if feedback.gain is None:
        words += (
            f" With an impact of {feedback.unstable_from:,.4g} bps per million (--impact), "
            f"the feedback would be unstable."
        )
    elif feedback.amplification is None:
        words += (
            f" At {feedback.impact:g} bps per million, they move the price by {feedback.gain:.3g} "
            f"times the move that they respond to. This is UNSTABLE: each response is larger than "
            f"the move before it."
        )
    else:
        words += (
            f" At {feedback.impact:g} bps per million, a move grows to "
            f"{feedback.amplification:.4g} times its size; the feedback is unstable from "
            f"{feedback.unstable_from:,.4g} bps per million on."
        )
    return words


def _token_table(found: ShownForecast) -> Table:
    largest = sorted(found.tokens, key=lambda token: -token.assets)[:MOST_TOKENS]
    note = ""
    if len(largest) < len(found.tokens):
        note = f"The {MOST_TOKENS} largest of {len(found.tokens):,} tokens are listed."
    rows = [TableRow(_token_cells(token)) for token in largest]
    return Table("Tokens", TOKENS, rows, note=note, most=MOST_LINES)


def _token_cells(token: TokenOutlook) -> Sequence[Cell | str]:
    acts: list[Cell | str] = []
    for side in ("below", "above"):
        met = token.nearest(side)
        is_rule = met is not None and met.trigger != "liquidation"
        acts.append(Cell(money(met.price), hint=met.trigger) if met and is_rule else MISSING)
    reset = sum(flow.notional for flow in token.reset)
    due = token.next_reset
    return [
        token.name,
        multiple(token.series.target_leverage),
        leverage(token.leverage),
        amount(token.assets),
        MISSING if due is None else moment(due),
        amount(reset, signed=True) if due is not None else MISSING,
        *acts,
        money(token.liquidation),
    ]
