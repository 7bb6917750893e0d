"""``steelyard series list``, ``show`` and ``check``: inspect presets and series files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import presets
from steelyard.cli.input_lookup import find_book, find_prices, find_series, find_series_text
from steelyard.cli.output import emit_json, note, show_document
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.analysis.gaps import GapTable
    from steelyard.rules.series import Series

__all__ = ["check", "list_presets", "show"]


@click.command(
    "list",
    cls=Command,
    examples=["steelyard series list", "steelyard series list --json"],
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def list_presets(as_json: bool) -> None:
    """List the presets: series that follow published rules.

    Every command that takes a series file also takes the name of a preset.
    """
    from steelyard.rules.presets import preset, preset_names, preset_title

    if not as_json:
        from steelyard.cli.series_document import presets_document

        shown = [(name, preset_title(name), preset(name)) for name in preset_names()]
        show_document(presets_document(shown))
        return
    presets = [
        {"name": name, "title": preset_title(name), **_facts(preset(name))}
        for name in preset_names()
    ]
    emit_json({"schema": 1, "presets": presets})


@click.command(
    cls=Command,
    examples=["steelyard series show ftx-bull", "steelyard series show steelyard-3l > my.toml"],
)
@click.argument("series", metavar="NAME|FILE", shell_complete=presets)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def show(series: str, as_json: bool) -> None:
    """Print a preset or a series file unchanged, and describe in words what it does.

    The file goes to standard output and the description to standard error, so that a preset can
    be redirected into a file of your own.
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
    examples=[
        "steelyard series check oracle-3l",
        "steelyard series check index-2x --json",
        "steelyard series check bybit-3l --history BTC",
    ],
)
@click.argument("series", metavar="NAME|FILE", shell_complete=presets)
@click.option(
    "--history",
    metavar="FILE",
    help="Prices to test it on: shows their worst moves and whether the token survives.",
)
@click.option(
    "--allow-killed",
    is_flag=True,
    help="Accept a series that would not have survived --history.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def check(series: str, history: str | None, allow_killed: bool, as_json: bool) -> None:
    """Check a series file, and show at which move of the price it will trade.

    Moves start at the target leverage. A file that is not a valid series is refused with exit
    code 3; the message names the key, what was found and what is allowed.

    With --history the command also shows the worst moves of those prices over 5 minutes, an hour,
    a day and from close to open, and the leverage that each would have wiped out. A series that
    would have been wiped out itself is refused with exit code 3 and a message that says when and
    how, unless --allow-killed is given.
    """
    if allow_killed and history is None:
        raise click.UsageError(
            "--allow-killed: expected it together with --history, found no --history."
        )
    from steelyard.cli.remarks import series_warnings
    from steelyard.rules.describe import series_sentences
    from steelyard.rules.reach import reaches

    token = find_series(series)
    book = find_book(token)
    found = reaches(token, book)
    warnings = list(series_warnings(token, found))
    for warning in warnings:
        note(f"note: {warning}")
    past = None if history is None else _lived_through(token, history)
    if as_json:
        figures = {
            "schema": 1,
            "name": series,
            **_facts(token),
            "words": series_sentences(token),
            "thresholds": [reach._asdict() for reach in found],
            "warnings": warnings,
        }
        emit_json(figures if past is None else {**figures, "history": past[0]})
    else:
        from steelyard.cli.series_document import check_document

        show_document(check_document(token, found, book))
        if past is not None:
            show_document(past[1].document())
    if past is not None:
        _judge(token, past[0], allow_killed=allow_killed)


def _lived_through(token: Series, history: str) -> tuple[dict[str, Any], GapTable]:
    """The effect of a history on a series: the object of ``--json``, and the worst moves."""
    from steelyard.analysis.gaps import gaps, killed_by
    from steelyard.market import format_time

    prices = find_prices(history)
    worst, killed = gaps(prices, token), killed_by(token, prices)
    figures = {
        "prices": prices.source,
        "start": format_time(int(prices.time[0])),
        "end": format_time(int(prices.end_times[-1])),
        "worst_moves": worst.figures,
        "killed": None
        if killed is None
        else {**killed._asdict(), "time": format_time(killed.time)},
    }
    return figures, worst


def _judge(token: Series, past: dict[str, Any], *, allow_killed: bool) -> None:
    """Refuse a series that would not have survived the history, or warn if it is allowed.

    Raises:
        InputError: it would not have survived, and ``allow_killed`` is False.
    """
    killed = past["killed"]
    if killed is None:
        note(f"{token.symbol} survives {past['prices']}.")
        return
    how = "liquidated by its venue" if killed["reason"] == "liquidated" else "left without nav"
    fate = (
        f"{how} at {killed['time']}, at a price of {killed['price']:,.10g}, when launched at "
        f"{past['start']}"
    )
    if allow_killed:
        note(
            f"WARNING: {token.symbol} does not survive {past['prices']}: it is {fate}. It is "
            "accepted because --allow-killed was given."
        )
        return
    message = (
        f"{token.symbol}: expected a series that survives {past['prices']}, found it {fate}; lower "
        f"target_leverage, add a band, a move or an emergency, or give --allow-killed."
    )
    raise InputError(message, symbol=token.symbol, **killed)


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
