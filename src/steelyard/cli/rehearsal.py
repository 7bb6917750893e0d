"""``steelyard rehearsal``: an exchange on loopback to prove a keeper on."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.input_lookup import InstantType
from steelyard.cli.output import emit_json, note
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.rehearsal.book import Depth
    from steelyard.rehearsal.price_feeds import PriceFeed

__all__ = ["serve"]

ACCOUNT_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Its keys stand in a file of this name."""
USUAL_PRICE = {"BTCUSDT": Decimal(60_000), "ETHUSDT": Decimal(2_500)}


@click.command(
    cls=Command,
    examples=[
        "steelyard rehearsal serve rehearsal --prices BTCUSDT=walk:60000 --seed 1",
        "steelyard rehearsal serve crash --prices BTCUSDT=BTC --start 2020-03-12 --speed 60",
    ],
    needs="a process of its own",
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--prices",
    multiple=True,
    metavar="SYMBOL=SOURCE",
    default=("BTCUSDT=hand",),
    show_default=True,
    help="A price file, BTC or ETH (bundled), walk[:PRICE[:VOLATILITY]] or hand[:PRICE].",
)
@click.option("--start", type=InstantType(), help="First price of files, ISO 8601, UTC.")
@click.option("--end", type=InstantType(), help="Where files end, left out.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 1e7),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Seconds of market time a second: prices and funding, not the clock that stamps.",
)
@click.option("--hold", is_flag=True, help="The market's clock stands until the first order.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Of walks, of faults by chance, and of the accounts' keys.",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    default=("main",),
    show_default=True,
    metavar="NAME",
    help="An account to open; given again, one more.",
)
@click.option("--wallet", default="100000", show_default=True, metavar="USDT", help="Of each.")
@click.option(
    "--book",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table of resting notional by distance; a modelled book if left out.",
)
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A TOML file of faults.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    metavar="N",
    help="Of HTTPS; the one it had before, or any free one, if left out.",
)
@click.option("--print-ccxt", is_flag=True, help="Print what points ccxt at it, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print its address once it answers.")
def serve(
    folder: Path,
    prices: tuple[str, ...],
    start: int | None,
    end: int | None,
    speed: float,
    hold: bool,
    seed: int,
    accounts: tuple[str, ...],
    wallet: str,
    book: Path | None,
    faults: Path | None,
    port: int,
    print_ccxt: bool,
    as_json: bool,
) -> None:
    """Serve Binance USD-M futures on loopback, kept in FOLDER, until it is stopped.

    FOLDER gets its address, the certificate of its authority, keys, and everything that happens
    there. It may be killed at any instant, and goes on from FOLDER. No real exchange is asked.
    """
    import asyncio

    from steelyard.rehearsal.ccxt_setup import ccxt_lines

    if print_ccxt:
        lines = ccxt_lines(folder)
        if as_json:
            emit_json({"lines": lines.splitlines()})
        else:
            click.echo(lines, nl=False)
        return
    try:
        from steelyard.rehearsal.server import serve as serve_exchange
    except ImportError as error:
        message = (
            f"the rehearsal exchange needs {error.name}, which is not installed: install "
            "steelyard[rehearsal]."
        )
        raise InputError(message, missing=error.name) from error

    from steelyard.rehearsal.exchange import Exchange, SetUp
    from steelyard.rehearsal.exchange_file import ExchangeFile
    from steelyard.rehearsal.fault_rules import FaultRules, read_rules

    feeds = tuple(_feed(text, seed, start, end) for text in prices)
    if len({feed.symbol for feed in feeds}) < len(feeds):
        raise InputError(f"--prices: expected each symbol once, found {', '.join(prices)}.")
    for name in accounts:
        if not ACCOUNT_NAME.fullmatch(name):
            message = f"--account: expected letters, digits, - and _, found {name!r}."
            raise InputError(message, found=name)
    firsts = [feed.times_ms[0] for feed in feeds if hasattr(feed, "times_ms")]
    set_up = SetUp(
        feeds,
        accounts,
        _amount("--wallet", wallet),
        seed,
        speed,
        max(firsts, default=None),
        **({} if book is None else {"depth": _depth(book)}),
        history=f"{' '.join(prices)} from {start} to {end} at {speed:g}",
        is_held=hold,
    )
    rules = [] if faults is None else read_rules(faults)
    folder.mkdir(parents=True, exist_ok=True)
    store = ExchangeFile(folder / "exchange.db")
    try:
        exchange = Exchange(set_up, store)
        say = emit_json if as_json else _say
        asyncio.run(serve_exchange(exchange, FaultRules(rules, seed), folder, port, say))
    finally:
        store.close()


def _say(address: dict[str, Any]) -> None:
    control = address["control"].rpartition(":")[2]
    note(f"Binance USD-M is rehearsed on port {address['port']}, its control port is {control}")


def _amount(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found <= 0:
        raise InputError(f"{name}: expected a number above 0, found {text}.", found=text)
    return found


def _feed(text: str, seed: int, start: int | None, end: int | None) -> PriceFeed:
    """Prices of one symbol, as the command line says where they come from."""
    from steelyard.rehearsal.contracts import CONTRACTS
    from steelyard.rehearsal.price_feeds import HandFeed, WalkFeed, file_feed

    symbol, _, source = text.partition("=")
    if symbol not in CONTRACTS or not source:
        known = ", ".join(CONTRACTS)
        message = f"--prices: expected SYMBOL=SOURCE with a symbol among {known}, found {text}."
        raise InputError(message, found=text)
    kind, *numbers = source.split(":")
    if kind not in {"walk", "hand"}:
        return file_feed(symbol, source, start, end)
    price = _amount("--prices", numbers[0]) if numbers else USUAL_PRICE[symbol]
    if kind == "hand":
        return HandFeed(symbol, price)
    volatility = _amount("--prices", numbers[1]) if len(numbers) > 1 else Decimal("0.6")
    return WalkFeed(symbol, price, float(volatility), seed)


def _depth(path: Path) -> Depth:
    """A recorded book, as shares of the mid and notionals."""
    from steelyard.market import read_book

    columns = read_book(path).columns
    return tuple(
        (Decimal(repr(float(bps))) / 10_000, Decimal(repr(float(bid))), Decimal(repr(float(ask))))
        for bps, bid, ask in zip(*columns, strict=True)
    )
