"""``steelyard series new``: write a series file with comments, as a starting point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from steelyard.cli.command_types import Command
from steelyard.cli.output import emit_json, note
from steelyard.cli.overwriting import check_out, force_option

__all__ = ["new"]

# The options that a preset determines; None or False means that an option was not given.
RULE_OPTIONS = {
    "target_leverage": "--target-leverage",
    "move_to": "--move-to",
    "band": "--band",
    "delever_above": "--delever-above",
    "move": "--move",
    "interval": "--interval",
    "daily": "--daily",
    "fallback": "--fallback",
    "emergency": "--emergency",
    "venue": "--venue",
    "reserve": "--reserve",
}


@click.command(
    cls=Command,
    examples=[
        "steelyard series new btc3l.toml --target-leverage 3",
        "steelyard series new eth1s.toml --target-leverage -1 --band 0.8 1.2",
        "steelyard series new mine.toml --preset ftx-bull --symbol MINE3L",
    ],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--preset", metavar="NAME", help="Start from a preset, including its rule.")
@click.option("--symbol", help="The token's name. Default: made from asset and leverage.")
@click.option("--underlying", help="The underlying, as ccxt writes it.  [default: BTC/USDT:USDT]")
@click.option("--target-leverage", type=float, help="3 is 3x long, -1 is 1x short.  [default: 3]")
@click.option(
    "--band",
    type=(float, float),
    metavar="LOWER UPPER",
    help="Trade when |leverage| leaves this band.",
)
@click.option(
    "--delever-above", type=float, metavar="UPPER", help="Trade only when |leverage| is above this."
)
@click.option("--move", type=float, metavar="SHARE", help="Trade after a price move: 0.15 is 15 %.")
@click.option("--interval", metavar="DURATION", help="Trade at this interval, such as 8h.")
@click.option("--daily", metavar="HH:MM", help="Trade every day at this time, UTC.")
@click.option("--fallback", metavar="DURATION", help="Trade after this time without a rebalance.")
@click.option(
    "--move-to",
    type=click.Choice(["target", "edge", "partway"]),
    help="Where a rebalance ends.  [default: target; edge with the band of least cost]",
)
@click.option(
    "--emergency",
    type=float,
    metavar="LEVERAGE",
    help="Return to target at once from this |leverage| on.",
)
@click.option(
    "--venue",
    type=click.Choice(["perpetual", "spot", "future", "pool"]),
    help="The kind of position.  [default: perpetual]",
)
@click.option("--reserve", type=float, metavar="UNITS", help="A reserve that pays spread and gas.")
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def new(file: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401 (passed on)
    """Write a series file with a comment on every line that is a choice.

    Without any trigger the series gets the band of least cost for its leverage, and trades to the
    edges of the band. The file always passes "steelyard series check".
    """
    from steelyard.cli.series_text import preset_series_text, series_text
    from steelyard.rules.describe import series_sentences
    from steelyard.rules.series import Series

    check_out(file, "FILE", "table")
    _check_together(options)
    if options["preset"] is not None:
        text = preset_series_text(options["preset"], options["symbol"], options["underlying"])
    else:
        text = series_text(options)
    series = Series.loads(text, str(file))
    _write(file, text)
    if as_json:
        figures = {"symbol": series.symbol, "words": series_sentences(series)}
        emit_json({"schema": 1, "file": str(file), **figures})
    else:
        click.echo(series_sentences(series))
    note(f'wrote {file}; "steelyard series check" says at which prices it trades')


def _check_together(options: dict[str, Any]) -> None:
    if options["preset"] is not None:
        given = [flag for name, flag in RULE_OPTIONS.items() if options[name] is not None]
        if given:
            raise click.UsageError(
                f"--preset has its own rule: remove {', '.join(given)}, or edit the file."
            )
    if options["band"] is not None and options["delever_above"] is not None:
        raise click.UsageError(
            "--band and --delever-above set the same trigger: give only one of them."
        )


def _write(file: Path, text: str) -> None:
    from steelyard.report.writing import written_whole

    with written_whole(file) as stage:
        stage.write_text(text, encoding="utf-8")
