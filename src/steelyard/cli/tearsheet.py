"""``steelyard tearsheet``: a one-page report of all statistics of one token."""

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
    help="Write the page. Default: only print the statistics.",
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
    """Write a one-page report of all statistics of a token, for issuers and holders.

    SERIES.toml is a series file, or the name of a preset where no such file exists. The page shows
    growth, drawdown and returns by month. It compares return statistics, with years of 365 days,
    with those of the underlying and of L times its daily return. It attributes the return and
    shows tracking by horizon and over time, costs, the reserve, the worst moves of the history,
    and what the token will trade next from the end of the history. The page is one file that
    needs no network.
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
