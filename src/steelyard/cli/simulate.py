"""``steelyard simulate``: a series over a history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.commands import Command
from steelyard.cli.history import check_span, history_options
from steelyard.cli.inputs import OutType, check_out, find_prices, find_series
from steelyard.cli.output import emit_json, note
from steelyard.cli.progress import progress_bar

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.simulate.run import Run

__all__ = ["simulate"]


@click.command(
    cls=Command,
    examples=[
        "steelyard simulate oracle-3l --prices BTC",
        "steelyard simulate ftx-bull --prices BTC --start 2020-03-01 --end 2020-04-01",
        "steelyard simulate steelyard-3l --prices ETH --out run --json",
    ],
)
@click.argument("series", metavar="SERIES.toml")
@history_options
@click.option(
    "--engine",
    type=click.Choice(["fast", "reference"]),
    default="fast",
    show_default=True,
    help="fast goes from event to event; reference observes every bar, as a check on it.",
)
@click.option("--flows", metavar="FILE", help="Creations; not available in this version.")
@click.option(
    "--out",
    type=OutType(),
    metavar="DIR",
    help="Write nav.parquet, rebalances.parquet, summary.json and report.html.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def simulate(
    series: str,
    prices: str,
    funding: str | None,
    rates: str | None,
    injections: str | None,
    flows: str | None,
    start: int | None,
    end: int | None,
    intrabar: str | None,
    engine: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run a series over a price history, with every rebalance and every cost accounted for.

    SERIES.toml is a series file; where there is no such file, the name of a preset, such as
    oracle-3l ("steelyard series list" lists them).
    """
    if flows is not None:
        raise click.UsageError(
            "--flows is not available in this version of Steelyard; leave it out."
        )
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", folder=True)
    token = find_series(series)
    bars = find_prices(prices).between(start, end)
    from steelyard.simulate.run import simulate as run_series

    with progress_bar(f"simulating {token.symbol}", len(bars)) as progress:
        run = run_series(
            token,
            bars,
            funding=funding,
            rates=rates,
            injections=injections,
            intrabar=intrabar,
            engine=engine,
            progress=progress,
        )
    if out is not None:
        run.save(out)
    _tell(run, bars, out, funded=funding is not None)
    if as_json:
        emit_json(run.summary)
    else:
        from steelyard.cli.run_table import print_run

        print_run(run)


def _tell(run: Run, bars: Prices, out: Path | None, *, funded: bool) -> None:
    from steelyard.cli.remarks import remarks

    for remark in remarks(run, bars, funded=funded):
        note(f"note: {remark}")
    if out is not None:
        note(f"wrote {out / 'nav.parquet'}, rebalances.parquet, summary.json and report.html")
