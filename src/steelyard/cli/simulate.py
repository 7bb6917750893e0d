"""``steelyard simulate``: run a series over a history, or several series on one reserve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import presets
from steelyard.cli.history_options import check_span, fund_options, history_options
from steelyard.cli.input_lookup import OutType, by_symbol, find_feed, find_series
from steelyard.cli.output import emit_json, note, show_document, tell
from steelyard.cli.overwriting import check_out, force_option
from steelyard.cli.progress import progress_bar

if TYPE_CHECKING:
    from steelyard.market import Feed
    from steelyard.rules.series import Series
    from steelyard.simulation.run import Run
    from steelyard.simulation.shared_reserve import SharedReserveRun

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
@click.argument("series", metavar="SERIES.toml...", nargs=-1, required=True, shell_complete=presets)
@history_options
@click.option(
    "--reserve",
    metavar="FILE",
    help="A file with a table [reserve]: the reserve that all series share.",
)
@fund_options
@click.option(
    "--engine",
    type=click.Choice(["fast", "reference"]),
    default="fast",
    show_default=True,
    help="fast skips from event to event; reference observes every bar, as a check on it.",
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
    help='Record every event in a journal, a file or URL; see "steelyard journal".',
)
@force_option
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
    **options: Any,  # noqa: ANN401 (each of its own kind)
) -> None:
    """Run a series over a price history, and account for every rebalance and every cost.

    SERIES.toml is a series file. Where no such file exists, it is the name of a preset, such as
    oracle-3l ("steelyard series list" lists them). Several series run together on a reserve that
    they share; to compare rules, use "steelyard compare".
    """
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", "run")
    if len(series) > 1 and reserve is None:
        raise click.UsageError(
            "several series: expected --reserve, which they share; to compare their rules, use "
            '"steelyard compare".'
        )
    tokens = [find_series(name) for name in series]
    symbols = [token.symbol for token in tokens]
    given = {
        "flows": by_symbol(flows, symbols, "--flows"),
        "splits": by_symbol(splits, symbols, "--splits"),
        "wind_down": by_symbol(wind_down, symbols, "--wind-down"),
    }
    # the whole file is passed on: rows before the start are known when the run begins
    options |= {**given, "start": start, "end": end}
    # whether an option applies to a shared reserve is checked together with it
    feed = find_feed(prices, options, tokens[0] if reserve is None else ())
    found = _simulate(tokens, feed, reserve, options)
    if out is not None:
        found.save(out)
    document = found.document()
    tell(document.notes)
    if out is not None:
        _say_what_was_written(found, out)
    if as_json:
        emit_json(found.summary)
    else:
        show_document(document)


def _simulate(
    tokens: list[Series], feed: Feed, reserve: str | None, options: dict[str, Any]
) -> Run | SharedReserveRun:
    from steelyard.rules.series import Reserve
    from steelyard.simulation.one_or_several import simulate as run_series

    if reserve is None:
        with progress_bar(f"simulating {tokens[0].symbol}", len(feed)) as progress:
            return run_series(tokens[0], feed, **options, progress=progress)
    shared = Reserve.load(reserve)
    with progress_bar(f"simulating {len(tokens)} series", len(feed)) as progress:
        return run_series(tokens, feed, reserve=shared, **options, progress=progress)


def _say_what_was_written(found: Run | SharedReserveRun, out: Path) -> None:
    from steelyard.simulation.run import Run

    if isinstance(found, Run):
        flows = "flows.parquet, " if len(found.flow_columns["time"]) else ""
        if len(found.suspension_columns["from"]):
            flows += "suspensions.parquet, "
        files = f"{out / 'nav.parquet'}, rebalances.parquet, {flows}summary.json and report.html"
        note(f"wrote {files}")
    else:
        note(f"wrote {out / 'report.html'}, summary.json and a folder for each series")
