"""A forecast as a document: the ladder, the tokens, and what will be traded in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from steelyard.analysis.forecast_words import forecast_words, tokens_counted
from steelyard.report.document import Cell, Column, Document, Paragraph, Row, Table
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
    from steelyard.analysis.rungs import Rung, TokenOutlook
    from steelyard.analysis.shown import ShownForecast

__all__ = ["feedback_words", "forecast_document", "ladder_data", "ladder_table"]

MOST_TOKENS, MOST_LINES = 500, 20
"""Rows of tokens on a page and on a terminal, the largest assets first; --json has them all."""
BPS = 10_000
LADDER = (
    Column("price"),
    Column("move"),
    Column("bought", "on the way to the price", drop=5),
    Column("sold", drop=5),
    Column("reset buys", "at each token's next reset if the price then stands there"),
    Column("reset sells"),
    Column("net", "of all of these", strong=True),
    Column("of volume", "net over the daily volume", drop=2),
    Column("of book", "net over all that the book holds on its side", drop=3),
    Column("cost, bps", "that the book takes for net in one order", drop=1),
    Column("grows to", "the move with what resets add to it", drop=4),
)
TOKENS = (
    Column("token", words=True),
    Column("target", drop=1),
    Column("leverage", drop=2),
    Column("assets", drop=3),
    Column("next reset", "UTC"),
    Column("trades", "at that reset, if the price stays"),
    Column("acts below", "where its rule trades without the clock"),
    Column("above"),
    Column("liquidated", "if nothing trades before", drop=4),
)


def forecast_document(found: ShownForecast) -> Document:
    """All that is shown of it."""
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
            "Not a promise: it is what rules would trade on books that are as the shelf says.",
            "Nothing here is advice.",
        ],
    )


def ladder_data(found: ShownForecast) -> LadderData:
    """What is drawn."""
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
    """A row a price, without columns that say nothing in any row: of a book nobody gave, say."""
    rows = [_rung_cells(rung) for rung in found.ladder]
    known = [i for i in range(len(LADDER)) if i < FLOWS or any(row[i] != MISSING for row in rows)]
    return Table(
        f"Ladder, {found.shelf.quote}",
        [LADDER[i] for i in known],
        [
            Row([row[i] for i in known], strong=rung.move == 0)
            for row, rung in zip(rows, found.ladder, strict=True)
        ],
    )


FLOWS = 7
"""Columns that are always there."""


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
    """FORMULAS 8 in words."""
    feedback, quote = found.feedback, found.shelf.quote
    if feedback is None or feedback.demand <= 0:
        return "Resets answer no move: there is no feedback."
    words = f"From their targets resets trade {money(feedback.demand / 100)} {quote} for each 1 %"
    if feedback.share_of_volume is not None:
        words += f", {percent(feedback.share_of_volume / 100)} of a day's volume"
    words += "."
    if feedback.gain is None:
        words += (
            f" With an impact of {feedback.unstable_from:,.4g} bps a million (--impact) the "
            f"feedback would be unstable."
        )
    elif feedback.amplification is None:
        words += (
            f" At {feedback.impact:g} bps a million they move the price by {feedback.gain:.3g} "
            f"times what moved them: UNSTABLE, each answer is larger than what it answers."
        )
    else:
        words += (
            f" At {feedback.impact:g} bps a million a move grows to {feedback.amplification:.4g} "
            f"times itself; unstable from {feedback.unstable_from:,.4g} bps on."
        )
    return words


def _token_table(found: ShownForecast) -> Table:
    largest = sorted(found.tokens, key=lambda token: -token.assets)[:MOST_TOKENS]
    note = ""
    if len(largest) < len(found.tokens):
        note = f"The {MOST_TOKENS} largest of {len(found.tokens):,} tokens are listed."
    rows = [Row(_token_cells(token)) for token in largest]
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
