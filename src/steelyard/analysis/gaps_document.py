"""The document of the worst moves of a history, with the leverage that each would wipe out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steelyard.report.document import Block, Column, Document, Paragraph, Table, TableRow
from steelyard.report.ladder import gaps_panel
from steelyard.report.number_format import MISSING, moment, money, number, percent

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownGaps
    from steelyard.analysis.worst_move import WorstMove

__all__ = ["gap_table", "gaps_document", "gaps_words", "known_moves"]

SPANS = {
    "5m": "5 minutes",
    "1h": "1 hour",
    "1d": "1 day",
    "close_to_open": "close to open",
}


def gaps_document(found: ShownGaps) -> Document:
    """Build the document of the worst moves for terminals, notebooks and pages."""
    known = known_moves(found)
    charts: list[Block] = [gaps_panel(known)] if known else []
    return Document(
        title=f"Worst moves of {found.prices.source}",
        blocks=[Paragraph(gaps_words(found), "lead"), *charts, gap_table(found)],
    )


def known_moves(found: ShownGaps) -> list[tuple[str, str, float]]:
    """Span, side and size of each move that is known from the bars."""
    return [(row.span, row.side, row.move) for row in found.rows if row.move is not None]


def gaps_words(found: ShownGaps) -> str:
    """One sentence that says what the table holds."""
    venue = "a venue without a margin" if found.series is None else found.series.venue.kind
    return (
        f"The worst moves of {found.prices.source}, and the smallest leverage that each would wipe "
        f"out on this venue ({venue}) if the token could not trade during the move."
    )


def gap_table(found: ShownGaps) -> Table:
    """The table with one row for each span and side that is known from the bars."""
    name = "series" if found.series is None else found.series.symbol
    columns = (
        Column("worst in"),
        Column("move"),
        Column("from", drop=3),
        Column("price", drop=2),
        Column("to", drop=1),
        Column("wipes out", "the smallest leverage that the move wipes out"),
        Column(name, words=True),
    )
    unknown = [words for span, words in SPANS.items() if not _is_known(found, span)]
    rows = [_row(row) for row in found.rows if _is_known(found, row.span)]
    note = f"These bars do not show moves over {' and '.join(unknown)}." if unknown else ""
    return Table("", columns, rows, note=note)


def _is_known(found: ShownGaps, span: str) -> bool:
    return any(row.move is not None for row in found.rows if row.span == span)


def _row(row: WorstMove) -> TableRow:
    name = f"{SPANS[row.span]}, {row.side}"
    if row.move is None or row.start is None:
        return TableRow([name, *[MISSING] * 5, ""])
    limit = row.wiped_out_from
    return TableRow(
        [
            name,
            percent(row.move, signed=True),
            moment(row.start),
            money(row.price_before),
            money(row.price_after),
            MISSING if limit is None else f"{number(limit, 2)}x",
            _fate(row),
        ]
    )


def _fate(row: WorstMove) -> str:
    if row.target_survives is None:
        return "in its favour"
    if not row.target_survives:
        return "liquidated at target leverage"
    return "survives" if row.highest_survives else "liquidated at its highest leverage"
