"""``steelyard explain``: attribute a token's return to its causes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import presets
from steelyard.cli.history_options import check_span, event_options, history_options_of_a_run
from steelyard.cli.input_lookup import OutType, find_feed, find_prices, find_series
from steelyard.cli.output import emit_json, note, show_document, tell
from steelyard.cli.overwriting import check_out, force_option, is_read
from steelyard.cli.progress import progress_bar

if TYPE_CHECKING:
    from steelyard.analysis.explanation import Explanation

__all__ = ["MOST_RUNS", "explain", "tell"]

MOST_RUNS = 12
"""At most: the run itself, one run for each step, and a position that never trades."""
SAID_BY_THE_RUN = ("start", "end", "intrabar", "wind_down")


@click.command(
    cls=Command,
    examples=[
        "steelyard explain oracle-3l --prices BTC --start 2020-07-01",
        "steelyard explain steelyard-3l --prices ETH --start 2021-01-01 --by month",
        "steelyard explain kucoin-3s --prices BTC --out explained.html",
        "steelyard explain run",
    ],
)
@click.argument("series", metavar="SERIES.toml|DIR", shell_complete=presets)
@history_options_of_a_run
@event_options
@click.option(
    "--by",
    type=click.Choice(["day", "month"]),
    help="Also attribute each UTC day or month by itself. Default: the whole life only.",
)
@click.option(
    "--out",
    type=OutType(),
    metavar="FILE",
    help="Write a page with the steps, months and horizons.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def explain(
    series: str,
    prices: str | None,
    start: int | None,
    end: int | None,
    by: str | None,
    out: Path | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Attribute a token's return: the steps from L times the underlying's return to its own.

    SERIES.toml is a series file, or the name of a preset where no such file exists. The steps are
    compounding (a daily reset without costs, less L times the underlying), the rule, fee, spread,
    impact, gas, funding, interest, management, and what a reserve paid back. They add up to the
    whole difference. Each step is the difference of two runs that differ in that one respect.
    Points are percentage points of return, and quote amounts are those of the whole fund.

    DIR is a folder that "steelyard simulate --out" wrote. The run is repeated from it, which needs
    no other option, and must give the result that was saved. If an input file has moved, name it
    with its option; its content must be the same.
    """
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", "page")
    given = {"prices": prices, "start": start, "end": end, **options}
    if os.path.isdir(series):  # noqa: PTH112 (Path would raise on a name that no file can have)
        found = _explain_folder(series, given)
    else:
        found = _explain_series(series, given)
    if out is not None:
        found.save(out)
    document = found.document(by)
    tell(document.notes)
    if as_json:
        emit_json({**found.figures(by), "report": None if out is None else str(out)})
    else:
        show_document(document)
    if out is not None:
        note(f"wrote {out}: open it in a browser")


def _explain_series(series: str, given: dict[str, Any]) -> Explanation:
    from steelyard.analysis.attribution import explain as explain_series

    # the series is looked up first: an unknown name must not be answered by a missing --prices
    token = find_series(series)
    if given["prices"] is None:
        raise click.MissingParameter(param_hint="'--prices'", param_type="option")
    feed = find_feed(given["prices"], {**given}, token)
    with progress_bar(f"explaining {token.symbol}", MOST_RUNS * len(feed)) as progress:
        return explain_series(token, feed, intrabar=given["intrabar"], progress=progress)


def _explain_folder(folder: str, given: dict[str, Any]) -> Explanation:
    """Repeat the run of a folder and explain it.

    A note says so where the result differs from the saved one.
    """
    from steelyard.analysis.attribution import explain_run
    from steelyard.simulation.load_run import bars_of, files_of, make_again

    for option in SAID_BY_THE_RUN:
        if given[option] is not None:
            flag = "--" + option.replace("_", "-")
            message = (
                f"{flag}: expected it with a series file only: the run in {folder} determines it."
            )
            raise click.UsageError(message)
    is_read(*files_of(folder))
    moved = {option: file for option, file in given.items() if file is not None}
    if "prices" in moved:
        moved["prices"] = find_prices(moved["prices"])
    with progress_bar(f"explaining {folder}", MOST_RUNS * bars_of(folder)) as progress:
        again = make_again(folder, moved, progress)
        found = explain_run(again.run, progress)
    if again.differs:
        note(f"note: {again.differs}")
    return found
