"""``steelyard series``: presets and series files, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.commands import Command
from steelyard.cli.inputs import find_book, find_series, find_series_text
from steelyard.cli.output import emit_json, note

if TYPE_CHECKING:
    from steelyard.rules.series import Series

__all__ = ["check", "list_presets", "show"]


@click.command(
    "list",
    cls=Command,
    examples=["steelyard series list", "steelyard series list --json"],
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def list_presets(as_json: bool) -> None:
    """List the presets on the shelf: series that follow published rules.

    A preset's name can stand wherever a command takes a series file.
    """
    from steelyard.rules.presets import load_preset, preset_names, preset_title

    if not as_json:
        from steelyard.cli.series_table import print_shelf

        print_shelf([(name, preset_title(name), load_preset(name)) for name in preset_names()])
        return
    presets = [
        {"name": name, "title": preset_title(name), **_facts(load_preset(name))}
        for name in preset_names()
    ]
    emit_json({"schema": 1, "presets": presets})


@click.command(
    cls=Command,
    examples=["steelyard series show ftx-bull", "steelyard series show steelyard-3l > my.toml"],
)
@click.argument("series", metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def show(series: str, as_json: bool) -> None:
    """Print a preset or a series file as it stands, and say in words what it does.

    The file goes to standard output and the words to standard error, so that a preset can be
    sent into a file of your own.
    """
    from steelyard.rules.describe import series_sentences

    token, text = find_series(series), find_series_text(series)
    if as_json:
        words = series_sentences(token)
        emit_json({"schema": 1, "name": series, **_facts(token), "words": words, "file": text})
        return
    click.echo(text, nl=not text.endswith("\n"))
    note(f"\n{series_sentences(token)}")


@click.command(
    cls=Command,
    examples=["steelyard series check oracle-3l", "steelyard series check index-2x --json"],
)
@click.argument("series", metavar="NAME|FILE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def check(series: str, as_json: bool) -> None:
    """Check a series file, and say at which move of the price it will trade.

    Moves are counted from the target leverage. A file that says what no series can be is refused
    with exit code 3, naming the key, what was found and what is allowed.
    """
    from steelyard.cli.remarks import series_warnings
    from steelyard.rules.describe import series_sentences
    from steelyard.rules.reach import reaches

    token = find_series(series)
    book = find_book(token)
    found = reaches(token, book)
    warnings = list(series_warnings(token, found))
    for warning in warnings:
        note(f"note: {warning}")
    if not as_json:
        from steelyard.cli.series_table import print_check

        print_check(token, found, book)
        return
    emit_json(
        {
            "schema": 1,
            "name": series,
            **_facts(token),
            "words": series_sentences(token),
            "thresholds": [reach._asdict() for reach in found],
            "warnings": warnings,
        }
    )


def _facts(series: Series) -> dict[str, Any]:
    from steelyard.rules.describe import rule_words

    return {
        "symbol": series.symbol,
        "underlying": series.underlying,
        "quote": series.quote,
        "target_leverage": series.target_leverage,
        "venue": series.venue.kind,
        "rule": rule_words(series),
    }
