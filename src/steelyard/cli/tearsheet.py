"""``steelyard tearsheet``: all that is told of one token over a history, on one page."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import presets
from steelyard.cli.explain import MOST_RUNS
from steelyard.cli.history_options import check_span, event_options, history_options
from steelyard.cli.input_lookup import OutType, find_feed, find_series
from steelyard.cli.output import emit_json, note, show_document, tell
from steelyard.cli.overwriting import check_out, force_option
from steelyard.cli.progress import progress_bar

__all__ = ["tearsheet"]


@click.command(
    cls=Command,
    examples=[
        "steelyard tearsheet oracle-3l --prices BTC --start 2020-07-01 --out tearsheet.html",
        "steelyard tearsheet kucoin-3s --prices ETH --start 2021-01-01 --json",
    ],
)
@click.argument("series", metavar="SERIES.toml", shell_complete=presets)
@history_options
@event_options
@click.option(
    "--out",
    type=OutType(),
    metavar="FILE",
    help="Write the page; left out, the statistics are printed only.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def tearsheet(
    series: str,
    prices: str,
    start: int | None,
    end: int | None,
    out: Path | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Put all that is told of a token on one page: a tear sheet for issuers and holders.

    SERIES.toml is a series file; where there is no such file, the name of a preset. The page has
    growth and drawdown, returns by month, return statistics of a year of 365 days beside those of
    the underlying and of L times daily, where the return went, tracking by horizon and rolling,
    costs, the reserve, the worst moves of the history, and what the token will trade next, from
    where the history ends. It is one file, which asks the network for nothing.
    """
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", "page")
    token = find_series(series)
    feed = find_feed(prices, {**options, "start": start, "end": end}, token)
    from steelyard.analysis.tear_sheet import tear_sheet

    title = f"tear sheet of {token.symbol}"
    with progress_bar(title, MOST_RUNS * len(feed)) as progress:
        found = tear_sheet(token, feed, intrabar=options["intrabar"], progress=progress)
    if out is not None:
        found.save(out)
    document = found.document()
    tell(document.notes)
    if as_json:
        emit_json({**found.figures, "report": None if out is None else str(out)})
    else:
        show_document(document)
    if out is not None:
        note(f"wrote {out}: open it in a browser")
