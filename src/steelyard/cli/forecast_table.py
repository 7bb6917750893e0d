"""A forecast as a person reads it: the ladder, the tokens, and the sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import MISSING, counted, day, leverage, money, number, percent
from steelyard.cli.output import console, show
from steelyard.market import format_time

if TYPE_CHECKING:
    from rich.console import RenderableType

    from steelyard.explain.outlook import Forecast
    from steelyard.explain.rungs import Rung, TokenOutlook

__all__ = ["amount", "print_forecast"]

LEGEND = (
    "Bought, sold: on the way to the price. Reset buys, sells: at each token's next reset if the "
    "price then stands there. Trades: that reset at the present price. Acts below, above: where "
    "its rule trades without the clock."
)
LEAST_FIRST = ("cost, bps", "of volume", "of book")
"""What is left out, one after the other, until a row fits the terminal."""
MOST_TOKENS = 20
"""Rows of tokens, the largest assets first; --json has them all."""


def print_forecast(found: Forecast) -> None:
    """Print what ``forecast`` found, on standard output."""
    shelf = found.shelf
    head = (
        f"{shelf.source}: {counted(len(found.tokens), 'token')} on {shelf.underlying} at "
        f"{found.price:,.10g}, {day(format_time(found.time))} UTC, {shelf.quote}"
    )
    parts: list[RenderableType] = [
        "",
        Text(head, style="dim"),
        "",
        _ladder(found),
        "",
        Text(found.words),
        "",
    ]
    if found.feedback is not None:
        parts += [Text(_feedback_words(found)), ""]
    show(*parts, _tokens(found), "", Text(LEGEND, style="dim"), "")
    if len(found.tokens) > MOST_TOKENS:
        show(Text(f"The {MOST_TOKENS} largest; --json has all of them.", style="dim"), "")


def _ladder(found: Forecast) -> Table:
    """All columns, closer together or without the least of them where there is no room."""
    feedback = found.feedback
    grows = feedback is not None and feedback.amplification is not None
    rows = [_cells(found, rung, grows=grows) for rung in found.ladder]
    headings = list(rows[0])
    out = console()
    endless = out.options.update(max_width=1_000)  # otherwise all measures end at the terminal's
    for least in ("", *LEAST_FIRST):
        headings = [heading for heading in headings if heading != least]
        for padding in (2, 1):
            table = _table(rows, headings, padding)
            if out.measure(table, options=endless).maximum <= out.width:
                return table
    return table


def _table(rows: Sequence[Mapping[str, str]], headings: Sequence[str], padding: int) -> Table:
    table = Table(box=None, padding=(0, padding, 0, 0), header_style="dim")
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        style = "bold" if row["move"] == "0.00 %" else None
        table.add_row(*(row[heading] for heading in headings), style=style)
    return table


def _cells(found: Forecast, rung: Rung, *, grows: bool) -> dict[str, str]:
    """A rung's row by heading."""
    cells = {
        "price": money(rung.price),
        "move": percent(rung.move, signed=True),
        "bought": amount(rung.bought),
        "sold": amount(rung.sold),
        "reset buys": amount(rung.reset_bought),
        "sells": amount(rung.reset_sold),
        "net": amount(rung.net, signed=True),
    }
    if found.daily_volume is not None:
        cells["of volume"] = percent(rung.share_of_volume, signed=True)
    if found.book is not None:
        cost = None if rung.book_cost is None or not rung.net else rung.book_cost / abs(rung.net)
        cells["of book"] = percent(rung.share_of_book, signed=True)
        cells["cost, bps"] = number(_bps(cost), 1)
    if grows:
        cells["grows to"] = percent(rung.amplified_move, signed=True)
    return cells


def amount(value: float, *, signed: bool = False) -> str:
    """An amount in few letters, four digits of it: ``11.36M``, ``-125.7k``; none is a dash."""
    if value == 0:
        return MISSING
    size, letter = abs(value), ""
    for least, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= least:
            size, letter = size / least, name
            break
    decimals = 1 if size >= 100 else 2  # noqa: PLR2004 (four digits)
    return number(math.copysign(size, value), decimals, signed=signed) + letter


def _bps(share: float | None) -> float | None:
    return None if share is None else share * 10_000


def _feedback_words(found: Forecast) -> str:
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


def _tokens(found: Forecast) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("token", overflow="fold")
    for heading in (
        "leverage",
        "assets",
        "next reset",
        "trades",
        "acts below",
        "above",
        "liquidated",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for token in _largest(found):
        table.add_row(*_token_cells(token))
    return table


def _largest(found: Forecast) -> Sequence[TokenOutlook]:
    return sorted(found.tokens, key=lambda token: -token.assets)[:MOST_TOKENS]


def _token_cells(token: TokenOutlook) -> list[str]:
    acts = []
    for side in ("below", "above"):
        met = token.nearest(side)
        named = met is not None and met.trigger != "liquidation"
        acts.append(money(met.price) if met is not None and named else MISSING)
    reset = sum(flow.notional for flow in token.reset)
    due = token.next_reset
    return [
        token.name,
        leverage(token.leverage),
        amount(token.assets),
        MISSING if due is None else format_time(due)[5:16].replace("T", " "),
        amount(reset, signed=True) if due is not None else MISSING,
        *acts,
        money(token.liquidation),
    ]
