"""``steelyard data check`` and ``book``: the content of price files and order books."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import histories
from steelyard.cli.input_lookup import InstantType, OutType, find_prices
from steelyard.cli.output import emit_json, note, show_document
from steelyard.cli.overwriting import check_out, force_option

if TYPE_CHECKING:
    from steelyard.market import OrderBook

__all__ = ["book", "check"]

ORDERS = (10_000, 100_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000)
"""Sizes of market orders whose cost is shown, quote."""


@click.command(
    cls=Command,
    examples=["steelyard data check BTC", "steelyard data check ETH --json"],
)
@click.argument("file", shell_complete=histories)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def check(file: str, as_json: bool) -> None:
    """Report what a price file holds, or what is wrong with it.

    FILE is CSV (also .gz) or Parquet. Where no such file exists, BTC or ETH names the bundled
    daily history of 2020 to 2022.
    """
    prices = find_prices(file)
    from steelyard.market import check_report

    report: dict[str, Any] = {"schema": 1, **check_report(prices)}
    if as_json:
        emit_json(report)
    else:
        from steelyard.cli.data_document import check_document

        show_document(check_document(report))


@click.command(
    cls=Command,
    examples=[
        "steelyard data book snapshots.parquet --venue binance_usdm_perp --symbol BTCUSDT",
        "steelyard data book snapshots.parquet --time 2024-08-08T23:55:00Z --out book.csv",
    ],
)
@click.argument("file")
@click.option(
    "--time",
    type=InstantType(),
    metavar="T",
    help="Use the last snapshot up to this time instead of the median.",
)
@click.option("--venue", metavar="V", help="Use only the snapshots of this venue.")
@click.option("--symbol", metavar="S", help="Use only the snapshots of this symbol.")
@click.option(
    "--out",
    type=OutType(),
    metavar="BOOK.csv",
    help="Write the book to a file that a series can name.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def book(
    file: str,
    time: int | None,
    venue: str | None,
    symbol: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Read an order book, or build one from snapshots, and show what market orders cost in it.

    FILE is CSV (also .gz) or Parquet. It holds a book (bps_from_mid, bid_notional, ask_notional),
    or recorded snapshots of the best prices or of the costs of market orders. The book of several
    snapshots is their median, level by level.
    """
    from steelyard.market import read_book

    if out is not None:
        check_out(out, "--out", "table")
    found = read_book(file, time=time, venue=venue, symbol=symbol)
    if out is not None:
        rows = zip(*found.columns, strict=True)
        lines = ["bps_from_mid,bid_notional,ask_notional", *(",".join(map(repr, r)) for r in rows)]
        out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if as_json:
        emit_json(_book_figures(found))
    else:
        from steelyard.cli.data_document import book_document

        show_document(book_document(found, ORDERS))
    if out is not None:
        note(f'wrote {out}: name it in a series with impact = "book"')


def _book_figures(found: OrderBook) -> dict[str, Any]:
    from steelyard.market import format_time

    bid_depth, ask_depth = found.depth
    names = ("bps_from_mid", "bid_notional", "ask_notional")
    return {
        "schema": 1,
        "source": found.source,
        "layout": found.layout,
        "venue": found.venue or None,
        "symbol": found.symbol or None,
        "time": None if found.time is None else format_time(found.time),
        "snapshots": found.snapshots,
        "bid_depth": bid_depth,
        "ask_depth": ask_depth,
        "orders": [
            {"notional": size, "buy": found.cost(size), "sell": found.cost(-size)}
            for size in ORDERS
        ],
        "levels": [dict(zip(names, row, strict=True)) for row in zip(*found.columns, strict=True)],
    }
