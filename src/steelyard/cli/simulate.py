"""``steelyard simulate``: a series over a history, or several on one reserve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.commands import Command
from steelyard.cli.history import check_span, fund_options, history_options
from steelyard.cli.inputs import OutType, by_symbol, check_out, find_prices, find_series
from steelyard.cli.output import emit_json, note
from steelyard.cli.progress import progress_bar

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.rules.series import Series
    from steelyard.simulate.run import Run
    from steelyard.simulate.shelf import ShelfRun

__all__ = ["simulate"]


@click.command(
    cls=Command,
    examples=[
        "steelyard simulate oracle-3l --prices BTC",
        "steelyard simulate ftx-bull --prices BTC --start 2020-03-01 --end 2020-04-01",
        "steelyard simulate steelyard-3l --prices ETH --out run --json",
        "steelyard simulate steelyard-3l --prices ETH --journal eth3l.journal",
        "steelyard simulate long.toml short.toml --reserve reserve.toml --prices BTC",
    ],
)
@click.argument("series", metavar="SERIES.toml...", nargs=-1, required=True)
@history_options
@click.option(
    "--reserve",
    metavar="FILE",
    help="A reserve that all series share: a file with a table [reserve].",
)
@fund_options
@click.option(
    "--engine",
    type=click.Choice(["fast", "reference"]),
    default="fast",
    show_default=True,
    help="fast goes from event to event; reference observes every bar, as a check on it.",
)
@click.option(
    "--out",
    type=OutType(),
    metavar="DIR",
    help='Write tables, summary.json and report.html; "steelyard explain DIR" explains it.',
)
@click.option(
    "--journal",
    metavar="FILE",
    help='Write all that happens into a journal, a file or URL; see "steelyard journal".',
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def simulate(
    series: tuple[str, ...],
    prices: str,
    start: int | None,
    end: int | None,
    reserve: str | None,
    flows: tuple[str, ...],
    splits: tuple[str, ...],
    wind_down: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Run a series over a price history, with every rebalance and every cost accounted for.

    SERIES.toml is a series file; where there is no such file, the name of a preset, such as
    oracle-3l ("steelyard series list" lists them). Several series run together on the reserve
    that they share; to set rules side by side, see "steelyard compare".
    """
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", folder=True)
    if len(series) > 1 and reserve is None:
        raise click.UsageError(
            "several series: expected --reserve, which they share; to set their rules side by "
            'side, use "steelyard compare".'
        )
    tokens = [find_series(name) for name in series]
    symbols = [token.symbol for token in tokens]
    given = {
        "flows": by_symbol(flows, symbols, "--flows"),
        "splits": by_symbol(splits, symbols, "--splits"),
        "wind_down": by_symbol(wind_down, symbols, "--wind-down"),
    }
    history = find_prices(prices)
    # the whole file goes in: what came before the start was known when the run begins
    span = {"start": start, "end": end}
    bars = history.between(start, end)
    found: Run | ShelfRun
    if reserve is None:
        only = {option: table.get(symbols[0]) for option, table in given.items()}
        found = _simulate_one(tokens[0], history, len(bars), {**options, **only, **span})
    else:
        options.pop("engine")  # several series are observed bar by bar in any case
        found = _simulate_shelf(tokens, history, len(bars), reserve, {**options, **given, **span})
    if out is not None:
        found.save(out)
    _tell(found, bars, out, funded=options["funding"] is not None)
    if as_json:
        emit_json(found.summary)
    else:
        _print(found)


def _simulate_one(token: Series, history: Prices, bars: int, options: dict[str, Any]) -> Run:
    from steelyard.simulate.run import simulate as run_series

    with progress_bar(f"simulating {token.symbol}", bars) as progress:
        return run_series(token, history, **options, progress=progress)


def _simulate_shelf(
    tokens: list[Series], history: Prices, bars: int, reserve: str, options: dict[str, Any]
) -> ShelfRun:
    from steelyard.rules.series import Reserve
    from steelyard.simulate.shelf import simulate_shelf

    shared = Reserve.load(reserve)
    with progress_bar(f"simulating {len(tokens)} series", bars) as progress:
        return simulate_shelf(tokens, history, reserve=shared, **options, progress=progress)


def _tell(found: Run | ShelfRun, bars: Prices, out: Path | None, *, funded: bool) -> None:
    from steelyard.cli.remarks import remarks
    from steelyard.simulate.run import Run

    said: set[str] = set()
    for run in [found] if isinstance(found, Run) else found.runs:
        for remark in remarks(run, bars, funded=funded):
            # what holds for all of several series is said once
            if remark not in said:
                note(f"note: {remark}")
            said.add(remark)
    if out is None:
        return
    if isinstance(found, Run):
        flows = "flows.parquet, " if len(found.flow_columns["time"]) else ""
        if len(found.suspension_columns["from"]):
            flows += "suspensions.parquet, "
        files = f"{out / 'nav.parquet'}, rebalances.parquet, {flows}summary.json and report.html"
        note(f"wrote {files}")
    else:
        note(f"wrote {out / 'report.html'}, summary.json and a folder for each series")


def _print(found: Run | ShelfRun) -> None:
    from steelyard.simulate.run import Run

    if isinstance(found, Run):
        from steelyard.cli.run_table import print_run

        print_run(found)
    else:
        from steelyard.cli.shared_table import print_shared

        print_shared(found)
