"""``steelyard data fetch``: download candles or funding rates from an exchange to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from steelyard.cli.command_types import Command
from steelyard.cli.input_lookup import InstantType
from steelyard.cli.output import emit_json, note, show_document
from steelyard.cli.overwriting import check_out
from steelyard.cli.progress import progress_bar
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.market.download.ccxt_exchange import CcxtExchange
    from steelyard.market.fetch import Fetched

__all__ = ["fetch"]

BAR_STEPS = 10_000
FETCH = "steelyard data fetch BTC/USDT:USDT --exchange binanceusdm --since 2022-01-01"
LATE_S = 86_400  # funding is paid every few hours: a shorter gap is normal


@click.command(
    cls=Command,
    needs="network",
    examples=[f"{FETCH} --timeframe 1m --out btc.parquet", f"{FETCH} --funding --out funding.csv"],
)
@click.argument("symbol")
@click.option(
    "--exchange", "name", required=True, metavar="NAME", help="The exchange's name in ccxt."
)
@click.option(
    "--timeframe", default="1h", show_default=True, help="Length of a bar, such as 1m, 4h or 1d."
)
@click.option("--funding", is_flag=True, help="Download funding rates instead of candles.")
@click.option(
    "--since",
    type=InstantType(),
    help="First time, inclusive, ISO 8601, UTC. Needed for a new file.",
)
@click.option("--until", type=InstantType(), help="Last time, exclusive. Default: now.")
@click.option(
    "--out",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File to write: .csv, .csv.gz or .parquet. An existing file is continued.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=5,
    show_default=True,
    metavar="N",
    help="How often to retry a request that is not answered.",
)
@click.option(
    "--page-size",
    type=click.IntRange(2, 10_000),
    metavar="ROWS",
    help="Rows per request. Default: the exchange's limit as ccxt knows it.",
)
@click.option(
    "--api-url",
    metavar="URL",
    help="Use a mirror or a proxy instead of the exchange; STEELYARD_API_URL does the same.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
@click.pass_context
def fetch(
    context: click.Context,
    symbol: str,
    name: str,
    timeframe: str,
    funding: bool,
    since: int | None,
    until: int | None,
    out: Path,
    retries: int,
    page_size: int | None,
    api_url: str | None,
    as_json: bool,
) -> None:
    """Download candles or funding rates from an exchange to a file that simulate reads.

    SYMBOL is written as in ccxt: BTC/USDT:USDT is the perpetual in USDT, BTC/USDT the spot
    market. Only closed candles are written. Repeating the command resumes a download that was
    interrupted, and adds new rows to a finished one. Only public data is used, so no key is
    needed. The command needs ccxt: run pip install ".[fetch]" in a clone of the project.
    """
    if funding and context.get_parameter_source("timeframe") is not ParameterSource.DEFAULT:
        raise click.UsageError("--funding has no timeframe: remove --timeframe.")
    _check_out(out)
    from steelyard.market.fetch import Asking, Patience, open_exchange

    exchange = open_exchange(name, api_url=api_url)
    with _progress(f"{name} {symbol}") as progress, _a_word_on_the_way_out(out):
        asking = Asking(page_size, Patience(retries), progress, note)
        span = {"since": since, "until": until, "asking": asking}
        done = _fetched(exchange, symbol, None if funding else timeframe, out, **span)
    report = {
        "schema": 1,
        "exchange": exchange.id,
        "symbol": symbol,
        "timeframe": None if funding else timeframe,
        "added": done.added,
        "corrected": done.corrected,
        **_content_report(done),
    }
    if as_json:
        emit_json(report)
    else:
        _print(report)
    _remark(report, done, since)


def _check_out(out: Path) -> None:
    from steelyard.market.fetch import file_format

    try:
        file_format(out)
    except InputError as error:
        raise click.BadParameter(f"{error}.", param_hint="--out") from error
    check_out(out, "--out", "continued")


def _fetched(
    exchange: CcxtExchange,
    symbol: str,
    timeframe: str | None,
    out: Path,
    **span: Any,  # noqa: ANN401 (passed on)
) -> Fetched:
    from steelyard.market.fetch import fetch_candles, fetch_funding

    if timeframe is None:
        return fetch_funding(exchange, symbol, out, **span)
    return fetch_candles(exchange, symbol, timeframe, out, **span)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    """A function that takes the share that is done, and shows it on a terminal."""
    with progress_bar(what, BAR_STEPS) as bar:

        def show(share: float) -> None:
            if bar is not None:
                bar(max(1, round(share * BAR_STEPS)))

        yield show


@contextmanager
def _a_word_on_the_way_out(out: Path) -> Iterator[None]:
    """Tell the user after Ctrl-C that the rows received so far are kept."""
    from steelyard.market.fetch import part_of

    try:
        yield
    except KeyboardInterrupt:
        if part_of(out).exists():
            note(f"{part_of(out)} keeps the rows received so far; repeat the command to resume")
        raise


def _content_report(done: Fetched) -> dict[str, Any]:
    from steelyard.market import Prices, check_report, format_time

    content = done.content
    if isinstance(content, Prices):
        return check_report(content)
    return {
        "source": str(done.path),
        "rows": len(content),
        "start": format_time(content.time[0]),
        "end": format_time(content.time[-1]),
        "rate": {
            "mean": float(content.rate.mean()),
            "min": float(content.rate.min()),
            "max": float(content.rate.max()),
        },
    }


def _print(report: dict[str, Any]) -> None:
    if "rate" not in report:
        from steelyard.cli.data_document import check_document

        show_document(check_document(report))
        return
    from steelyard.report.number_format import count, day, percent

    rate = report["rate"]
    lowest, highest = percent(rate["min"], signed=True), percent(rate["max"], signed=True)
    click.echo(
        f"{report['source']}: {count(report['rows'])} funding rates, {day(report['start'])} to "
        f"{day(report['end'])} UTC, mean {100 * rate['mean']:+z.4f} %, from {lowest} to {highest}"
    )


def _remark(report: dict[str, Any], done: Fetched, since: int | None) -> None:
    """Print how many rows were added, and where the exchange has no data."""
    from steelyard.market import format_time
    from steelyard.report.number_format import count, day

    what = "funding rate" if "rate" in report else "candle"
    what += "" if done.added == 1 else "s"
    news = f"{count(done.added)} {what} added" if done.added else "nothing new"
    fixed = ", the previous last one corrected" if done.corrected else ""
    note(f"{report['source']}: {news}{fixed}")
    late_s = 0 if since is None else int(done.content.time[0]) - since
    if late_s >= LATE_S and late_s > report.get("step_s", 0):
        since_day = day(format_time(since or 0))
        note(f"{report['exchange']} has no data from {since_day} to {day(report['start'])} UTC")
