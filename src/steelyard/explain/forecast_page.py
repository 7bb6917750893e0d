"""A forecast as a page: the ladder drawn, and its figures as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.explain.forecast_words import tokens_counted
from steelyard.plots import formats
from steelyard.plots.ladder import LadderData
from steelyard.plots.ladder_page import ladder_page
from steelyard.simulate.output import check_file, written_whole

if TYPE_CHECKING:
    from steelyard.explain.outlook import Forecast, TokenOutlook

__all__ = ["LADDER_HEADING", "ladder_data", "rung_cells", "save_forecast"]

MOST_TOKENS = 500
"""Rows of tokens on a page, the largest assets first."""


def save_forecast(found: Forecast, path: str | Path) -> None:
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
    page = ladder_page(
        ladder_data(found),
        words=found.words,
        notes=notes,
        tables=[
            (
                "Ladder",
                (LADDER_HEADING, [rung_cells(found, place) for place in range(len(found.ladder))]),
            ),
            ("Tokens", (_TOKENS, [_token_cells(token) for token in largest])),
        ],
    )
    with written_whole(path) as stage:
        stage.write_text(page, encoding="utf-8")


def ladder_data(found: Forecast) -> LadderData:
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


def rung_cells(found: Forecast, place: int) -> list[str]:
    """A price of the ladder as text, under ``LADDER_HEADING``."""
    rung = found.ladder[place]
    return [
        formats.money(rung.price),
        formats.percent(rung.move, signed=True),
        *(
            formats.money(flow)
            for flow in (rung.bought, rung.sold, rung.reset_bought, rung.reset_sold, rung.net)
        ),
        formats.percent(rung.share_of_volume, signed=True),
        formats.percent(rung.share_of_book, signed=True),
        formats.percent(rung.amplified_move, signed=True),
    ]


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
