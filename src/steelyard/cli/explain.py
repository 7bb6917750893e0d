"""``steelyard explain``: where a token's return went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.commands import Command
from steelyard.cli.history import check_span, event_options, history_options
from steelyard.cli.inputs import OutType, check_out, find_prices, find_series
from steelyard.cli.output import emit_json, note
from steelyard.cli.progress import progress_bar

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.simulate.run import Run

__all__ = ["MOST_RUNS", "explain", "tell"]

MOST_RUNS = 12
"""The run itself, a run a step at most, and the position that is left alone."""


@click.command(
    cls=Command,
    examples=[
        "steelyard explain oracle-3l --prices BTC --start 2020-07-01",
        "steelyard explain steelyard-3l --prices ETH --start 2021-01-01 --by month",
        "steelyard explain kucoin-3s --prices BTC --out explained.html",
    ],
)
@click.argument("series", metavar="SERIES.toml")
@history_options
@event_options
@click.option(
    "--by",
    type=click.Choice(["day", "month"]),
    help="Also each UTC day or month by itself; left out, the whole life only.",
)
@click.option(
    "--out",
    type=OutType(),
    metavar="FILE",
    help="Write a page: the steps, months and horizons.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def explain(
    series: str,
    prices: str,
    start: int | None,
    end: int | None,
    by: str | None,
    out: Path | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Say where a token's return went: from L times the underlying's to its own, in steps.

    SERIES.toml is a series file; where there is no such file, the name of a preset. The steps add
    up: compounding (a daily reset without costs, less L times the underlying), the rule, fee,
    spread, impact, gas, funding, interest, management, and what a reserve gave back. Each is the
    difference of two runs that differ by that one thing. Points are points of return; quote is
    that of the whole fund.
    """
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", folder=False)
    token = find_series(series)
    history = find_prices(prices)
    bars = history.between(start, end)
    from steelyard.explain.attribution import explain as explain_series

    with progress_bar(f"explaining {token.symbol}", MOST_RUNS * len(bars)) as progress:
        found = explain_series(token, history, **options, start=start, end=end, progress=progress)
    if out is not None:
        found.save(out)
    tell(found.run, bars, funded=options["funding"] is not None)
    if as_json:
        emit_json({**found.figures(by), "report": None if out is None else str(out)})
    else:
        from steelyard.cli.explain_table import print_explanation

        print_explanation(found, by)
    if out is not None:
        note(f"wrote {out}: open it in a browser")


def tell(run: Run, bars: Prices, *, funded: bool) -> None:
    """Say on standard error what a person should know beside the figures."""
    from steelyard.cli.remarks import remarks

    for remark in remarks(run, bars, funded=funded):
        note(f"note: {remark}")
