"""A forecast as a page: the ladder drawn, and its figures as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.explain.forecast_words import tokens_counted
from steelyard.plots import formats
from steelyard.plots.columns import plain
from steelyard.plots.figure_page import Caption, Table, figure_page
from steelyard.plots.ladder import LadderData, ladder_description
from steelyard.plots.palette import DARK, LIGHT
from steelyard.simulate.output import check_file, written_whole

if TYPE_CHECKING:
    from steelyard.explain.rungs import TokenOutlook
    from steelyard.explain.shown import ShownForecast

__all__ = ["LADDER_HEADING", "ladder_data", "rung_cells", "save_forecast"]

MOST_TOKENS = 500
"""Rows of tokens on a page, the largest assets first."""


def save_forecast(found: ShownForecast, path: str | Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: where the file cannot be written.
    """
    path = Path(path)
    check_file(path)
    largest = sorted(found.tokens, key=lambda token: -token.assets)[:MOST_TOKENS]
    notes = []
    if len(largest) < len(found.tokens):
        notes.append(f"The {MOST_TOKENS} largest of {len(found.tokens):,} tokens are listed.")
    data = ladder_data(found)
    drawn = ladder_description(data)
    rungs = [rung_cells(found, place) for place in range(len(found.ladder))]
    page = figure_page(
        title=data.title,
        sentences=[found.words],
        notes=notes,
        caption=Caption(
            "What will be traded at each price",
            f"{data.quote}, net of all tokens: above zero they buy, below they sell. On the way is "
            "traded before the price is there, at the next resets if it then stays. The dotted "
            "line is the present price.",
        ),
        figures=(plain(drawn, LIGHT), plain(drawn, DARK)),
        tables=[
            Table("Ladder", *_without_unknown(LADDER_HEADING, rungs)),
            Table("Tokens", _TOKENS, [_token_cells(token) for token in largest]),
        ],
        closing=[
            "Not a promise: it is what rules would trade on books that are as the shelf says.",
            "Nothing here is advice.",
        ],
    )
    with written_whole(path) as stage:
        stage.write_text(page, encoding="utf-8")


def ladder_data(found: ShownForecast) -> LadderData:
    """What is drawn."""
    rungs = found.ladder
    return LadderData(
        title=f"Order flow of {tokens_counted(found)} on {found.shelf.underlying}, "
        f"{formats.instant(found.time)[:16].replace('T', ' ')} UTC",
        quote=found.shelf.quote,
        underlying=found.shelf.underlying,
        present=found.price,
        prices=[rung.price for rung in rungs],
        on_the_way=[rung.bought - rung.sold for rung in rungs],
        at_resets=[rung.reset_bought - rung.reset_sold for rung in rungs],
    )


LADDER_HEADING = (
    "price",
    "move",
    "bought",
    "sold",
    "reset buys",
    "reset sells",
    "net",
    "of volume",
    "of book",
    "grows to",
)
_TOKENS = (
    "token",
    "target",
    "leverage",
    "assets",
    "next reset",
    "acts below",
    "acts above",
    "liquidated at",
)


def rung_cells(found: ShownForecast, place: int) -> list[str]:
    """A price of the ladder as text, under ``LADDER_HEADING``."""
    rung = found.ladder[place]
    return [
        formats.money(rung.price),
        formats.percent(rung.move, signed=True),
        *(
            formats.money(flow) if flow else formats.MISSING
            for flow in (rung.bought, rung.sold, rung.reset_bought, rung.reset_sold, rung.net)
        ),
        formats.percent(rung.share_of_volume, signed=True),
        formats.percent(rung.share_of_book, signed=True),
        formats.percent(rung.amplified_move, signed=True),
    ]


def _without_unknown(
    heading: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Without columns that say nothing in any row: of a book that nobody gave, say."""
    known = [
        place for place in range(len(heading)) if any(row[place] != formats.MISSING for row in rows)
    ]
    return [heading[place] for place in known], [[row[place] for place in known] for row in rows]


def _token_cells(token: TokenOutlook) -> list[str]:
    acts = []
    for side in ("below", "above"):
        met = token.nearest(side)
        acts.append(
            formats.MISSING if met is None else f"{formats.money(met.price)} ({met.trigger})"
        )
    due = token.next_reset
    return [
        token.name,
        formats.multiple(token.series.target_leverage),
        formats.leverage(token.leverage),
        formats.money(token.assets),
        formats.MISSING if due is None else formats.instant(due).replace("T", " "),
        *acts,
        formats.money(token.liquidation),
    ]
