"""``steelyard rehearsal``: a simulated exchange on loopback for testing a keeper."""

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
"""An account's keys are stored in a file of its name."""
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
    help="Source: a file, BTC or ETH (bundled), walk[:PRICE[:VOLATILITY]] or hand[:PRICE].",
)
@click.option(
    "--start",
    type=InstantType(),
    help="First price to use from files, or the start of the market clock. UTC.",
)
@click.option("--end", type=InstantType(), help="Last price to use from files, exclusive. UTC.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 1e7),
    default=1.0,
    show_default=True,
    metavar="X",
    help="Seconds of market time per second, for prices and funding but not for time stamps.",
)
@click.option("--hold", is_flag=True, help="Stop the market clock until the first order.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of random walks, random faults and the accounts' keys.",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    default=("main",),
    show_default=True,
    metavar="NAME",
    help="An account to open; repeatable.",
)
@click.option(
    "--wallet",
    default="100000",
    show_default=True,
    metavar="USDT",
    help="Wallet balance of each account.",
)
@click.option(
    "--book",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table of resting notional by distance from mid. Default: a modelled book.",
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
    help="Port for HTTPS. Default: the previous port of FOLDER, or any free one.",
)
@click.option(
    "--print-ccxt", is_flag=True, help="Print the lines that connect ccxt to it, and stop."
)
@click.option("--json", "as_json", is_flag=True, help="Print its address as JSON when it is ready.")
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
    """Serve a simulated Binance USD-M futures exchange on loopback until it is stopped.

    FOLDER stores its address, the certificate of its authority, the keys and the exchange's whole
    history. The exchange may be killed at any instant; the next start continues from FOLDER. No
    real exchange is contacted.
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
        max(firsts, default=None if start is None else start * 1_000),
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
    note(f"Binance USD-M is simulated on port {address['port']}; its control port is {control}")


def _amount(name: str, text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found <= 0:
        raise InputError(f"{name}: expected a number above 0, found {text}.", found=text)
    return found


def _feed(text: str, seed: int, start: int | None, end: int | None) -> PriceFeed:
    """The prices of one symbol, from the source named on the command line."""
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
    """A recorded book: distances as fractions of the mid, and notionals."""
    from steelyard.market import read_book

    columns = read_book(path).columns
    return tuple(
        (Decimal(repr(float(bps))) / 10_000, Decimal(repr(float(bid))), Decimal(repr(float(ask))))
        for bps, bid, ask in zip(*columns, strict=True)
    )
