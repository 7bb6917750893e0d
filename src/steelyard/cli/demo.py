"""``steelyard demo``: every preset over the bundled history, as a table and a page."""

from __future__ import annotations

from pathlib import Path

import click

from steelyard.cli.command_types import Command
from steelyard.cli.output import emit_json, note, show_document, tell
from steelyard.cli.overwriting import check_out, force_option
from steelyard.cli.progress import progress_bar

__all__ = ["demo"]

DEFAULT_PAGE = "steelyard-demo.html"


@click.command(
    cls=Command,
    examples=["steelyard demo", "steelyard demo --out demo.html --json"],
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=DEFAULT_PAGE,
    show_default=True,
    metavar="FILE",
    help="The report page to write.",
)
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def demo(out: Path, as_json: bool) -> None:
    """Run every preset over the bundled history, BTC and ETH from 2020 to 2022.

    The demo needs no network, no key and no input file. It prints a table and writes a report
    page: one HTML file that any browser opens.
    """
    from steelyard.rules.presets import preset_names

    names = preset_names()
    note(f"Simulating {len(names)} tokens on BTC and ETH, daily, 2020 to 2022 ...")
    from steelyard.cli.demo_document import demo_document
    from steelyard.cli.preset_runs import ASSETS, preset_figures, replay_presets
    from steelyard.report.writing import write_report

    check_out(out, "--out", "page")
    with progress_bar("simulating", len(names) * len(ASSETS)) as progress:
        runs = replay_presets(names, progress)
    document = demo_document(runs)
    write_report(document, out)
    tell(document.notes)
    if as_json:
        emit_json(preset_figures(runs, out))
    else:
        show_document(document)
    note(f"wrote {out}: open it in a browser")
