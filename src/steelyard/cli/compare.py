"""``steelyard compare``: several rules on one history, in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import presets
from steelyard.cli.history_options import check_span, history_options
from steelyard.cli.input_lookup import find_feed, find_series
from steelyard.cli.output import emit_json, note, show_document, tell
from steelyard.cli.overwriting import check_out, force_option
from steelyard.cli.progress import progress_bar

if TYPE_CHECKING:
    from steelyard.rules.series import Series
    from steelyard.simulation.comparison import Comparison

__all__ = ["SORT_KEYS", "compare"]

# Copied from `steelyard.simulation.comparison`, which is slow to import; a test keeps them equal.
SORT_KEYS = (
    "name",
    "error",
    "cost_per_year",
    "kappa",
    "turnover_per_year",
    "rebalances",
    "return",
    "difference",
    "worst_day",
    "max_drawdown",
)


@click.command(
    cls=Command,
    examples=[
        "steelyard compare steelyard-3l bybit-3l ftx-bull --prices BTC",
        "steelyard compare kucoin-3l oracle-3l --prices ETH --sort kappa --out rules.html",
    ],
)
@click.argument(
    "series", nargs=-1, required=True, metavar="SERIES.toml ...", shell_complete=presets
)
@history_options
@click.option(
    "--sort",
    type=click.Choice(SORT_KEYS),
    metavar="KEY",
    help=f"Sort by one of: {', '.join(SORT_KEYS)}. Default: the order given.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a report page that plots error against cost and shows every series.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def compare(
    series: tuple[str, ...],
    prices: str,
    funding: str | None,
    rates: str | None,
    injections: str | None,
    start: int | None,
    end: int | None,
    intrabar: str | None,
    sort: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare how closely several series track on one history, and at what cost.

    Each SERIES.toml is a series file, or the name of a preset where no such file exists.
    Perpetuals pay the funding, series that borrow pay the rates, and injections go into every
    reserve.

    Kappa is the error times the cost, with volatility, leverage and fees divided out, so that it
    depends on the kind of rule and not on its width. Where the price moves continuously, it is
    0.289 for trading to the edge of a band, 0.408 for a reset to target at a band, and 0.564 for a
    reset at fixed times.
    """
    check_span(start, end)
    twice = [name for name, times in Counter(series).items() if times > 1]
    if twice:
        raise click.UsageError(f"{twice[0]} is named twice: name each series once.")
    if out is not None:
        check_out(out, "--out", "page")
    tokens = [find_series(name) for name in series]
    given = {"funding": funding, "rates": rates, "injections": injections}
    feed = find_feed(prices, {**given, "start": start, "end": end}, tokens)
    from steelyard.simulation.compare import compare as run_side_by_side

    with progress_bar(f"comparing {len(tokens)} series", len(tokens) * len(feed)) as progress:
        found = run_side_by_side(
            dict(zip(_names(series, tokens), tokens, strict=True)),
            feed,
            intrabar=intrabar,
            progress=progress,
        )
    if sort is not None:
        found = found.sorted_by(sort)
    if out is not None:
        found.save(out)
    document = found.document()
    tell(document.notes)
    if as_json:
        emit_json(_figures(found, sort, out))
    else:
        show_document(document)
    if out is not None:
        note(f"wrote {out}: open it in a browser")


def _names(files: Sequence[str], tokens: Sequence[Series]) -> list[str]:
    """Their symbols; shared ones get the file's name, or its whole path where names are equal."""
    symbols = [token.symbol for token in tokens]
    short, long = (
        [
            f"{symbol} ({name})" if symbols.count(symbol) > 1 else symbol
            for symbol, name in zip(symbols, names, strict=True)
        ]
        for names in ([Path(file).stem for file in files], files)
    )
    return short if len(set(short)) == len(short) else long


def _figures(found: Comparison, sort: str | None, out: Path | None) -> dict[str, Any]:
    """The object of ``--json``: the comparison, how it was sorted and where its page is."""
    return {**found.figures, "sort": sort, "report": None if out is None else str(out)}
