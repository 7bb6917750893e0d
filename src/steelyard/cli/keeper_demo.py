"""``steelyard keeper demo``: a keeper on a paper venue, killed twice and compared to the digit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.cli.command_types import Command
from steelyard.cli.input_lookup import OutType
from steelyard.cli.output import emit_json, note
from steelyard.cli.progress import progress_bar
from steelyard.errors import InputError, InvariantError

if TYPE_CHECKING:
    from steelyard.cli.live_findings import LiveFindings
    from steelyard.cli.live_run import Kill
    from steelyard.keeper.settings import Settings
    from steelyard.market import Prices

__all__ = ["demo"]

DEFAULT_FOLDER = "steelyard-live"


@click.command(
    cls=Command,
    examples=["steelyard keeper demo", "steelyard keeper demo --out rehearsal --json"],
)
@click.option(
    "--out",
    type=OutType(),
    metavar="DIR",
    help=f"A new or empty folder.  [default: {DEFAULT_FOLDER}, or {DEFAULT_FOLDER}-2 and so on]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
@click.pass_context
def demo(context: click.Context, /, out: Path | None, as_json: bool) -> None:
    """Run a keeper through the crash of March 2020, and kill it twice on the way.

    A 3x long and a 1x short, each with a reserve, trade on a paper venue with the bundled daily
    prices. The keeper runs in a separate process, which is killed with SIGKILL while orders are
    open, and then restarted. At the end its journal is verified and compared to the last digit
    with the result of "steelyard simulate" for these days; the exit code is 5 if they differ. The
    demo needs no network and no file, and writes everything into one folder.
    """
    from steelyard.cli.live_compare import refuse_differences
    from steelyard.cli.live_run import keep_and_kill, write_files
    from steelyard.keeper.settings import read_settings

    folder = _folder(out)
    settings = read_settings(write_files(folder))
    note("Running a 3x long and a 1x short through 11 days of March 2020 ...")
    with progress_bar("running", _orders(settings)) as progress:
        kills = keep_and_kill(settings, note, progress)
    found = _found(folder, settings, kills)
    wrote = f"wrote {folder}: keeper file, series files, journal, log and health"
    if as_json:
        emit_json(found.as_json())
        note(wrote)
        if not found.is_sound:
            context.exit(InvariantError.exit_code)
        return
    from steelyard.cli.live_table import print_found

    print_found(found, settings)
    note(wrote)
    if not found.verdict.ok:
        message = f"{settings.journal}: expected a journal that verifies, found one that does not."
        raise InvariantError(message, file=settings.journal)
    refuse_differences(found.comparisons)


def _folder(out: Path | None) -> Path:
    """Create the folder to write to; existing files are never overwritten."""
    from steelyard.cli.live_run import free_folder
    from steelyard.simulation.run_folder import check_folder

    folder = free_folder(DEFAULT_FOLDER) if out is None else out
    try:
        check_folder(folder)
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--out") from error
    if folder.exists() and any(folder.iterdir()):
        message = f"{folder}: expected a new or an empty folder, found one with files in it."
        raise click.BadParameter(message, param_hint="--out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _orders(settings: Settings) -> int:
    """The number of orders to come, which is the total of the progress bar."""
    from steelyard.cli.live_compare import float_rebalances

    return sum(len(float_rebalances(fund, _prices())) for fund in settings.funds)


def _prices() -> Prices:
    from steelyard.market import sample_prices

    return sample_prices("BTC")


def _found(folder: Path, settings: Settings, kills: Sequence[Kill]) -> LiveFindings:
    """All findings of the demo, read from the journal."""
    from steelyard.cli.journal_verify import verified
    from steelyard.cli.live_compare import compare_with_simulate
    from steelyard.cli.live_findings import LiveFindings, health_of, kills_of, rebalances_of
    from steelyard.keeper.status import status_of
    from steelyard.ledger import Journal

    with Journal.open(settings.journal) as journal:
        rows = list(journal.events())
        status = status_of(settings, journal, time.time_ns() // 1_000_000)
    return LiveFindings(
        str(folder),
        status,
        kills_of(rows, kills),
        rebalances_of(rows, kills),
        health_of(rows, folder / "health"),
        verified(settings.journal),
        compare_with_simulate(settings, rows, _prices()),
    )
