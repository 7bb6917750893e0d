"""``steelyard decay``: whether one asset decays more than another at the same volatility."""

from __future__ import annotations

import os
from pathlib import Path

import click

from steelyard.cli.command_types import Command
from steelyard.cli.completing import histories
from steelyard.cli.history_options import check_span
from steelyard.cli.input_lookup import InstantType, OutType, find_prices
from steelyard.cli.output import emit_json, note, show_document
from steelyard.cli.overwriting import check_out, force_option

__all__ = ["decay"]


@click.command(
    cls=Command,
    examples=[
        "steelyard decay BTC ETH",
        "steelyard decay BTC ETH --target -1 --window 60 --start 2020-06-01 --out decay.html",
    ],
)
@click.argument(
    "prices", nargs=-1, required=True, metavar="[NAME=]FILE ...", shell_complete=histories
)
@click.option(
    "--against",
    multiple=True,
    metavar="NAME",
    help="Compare the other assets with this one; repeatable. Default: the first asset.",
)
@click.option(
    "--target", type=float, default=3.0, show_default=True, metavar="L", help="Target leverage."
)
@click.option(
    "--window", type=int, default=30, show_default=True, metavar="DAYS", help="Length of a window."
)
@click.option(
    "--shift",
    type=int,
    default=0,
    show_default=True,
    metavar="DAYS",
    help="Start every window this many days later.",
)
@click.option(
    "--caliper",
    type=float,
    default=0.1,
    show_default=True,
    metavar="SHARE",
    help="How far apart the volatilities of matched windows may be.",
)
@click.option(
    "--block",
    type=float,
    metavar="DAYS",
    help="Mean block length of the bootstrap. Default: 90, or three windows if that is longer.",
)
@click.option(
    "--resamples",
    type=int,
    default=2_000,
    show_default=True,
    metavar="N",
    help="Number of bootstrap resamples.",
)
@click.option(
    "--confidence",
    type=float,
    default=0.95,
    show_default=True,
    metavar="SHARE",
    help="Confidence level of the intervals.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap.")
@click.option("--start", type=InstantType(), metavar="TIME", help="First instant, inclusive.")
@click.option("--end", type=InstantType(), metavar="TIME", help="Last instant, exclusive.")
@click.option("--out", type=OutType(), metavar="FILE", help="Write a page with the charts.")
@force_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def decay(
    prices: tuple[str, ...],
    against: tuple[str, ...],
    target: float,
    window: int,
    shift: int,
    caliper: float,
    block: float | None,
    resamples: int,
    confidence: float,
    seed: int,
    start: int | None,
    end: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare how much a daily reset decays on several assets at equal realised volatility.

    Each FILE is a price history, or the name of a bundled one. An asset is called NAME, or by the
    name of its file. Windows of whole days are matched by their volatility, which is measured from
    bar to bar and from day to day. They are matched on any dates and on the same dates. A
    bootstrap over calendar time gives the intervals.
    """
    check_span(start, end)
    if out is not None:
        check_out(out, "--out", "page")
    named = _named(prices)
    from steelyard.analysis.decay import decay_across

    found = decay_across(
        {name: find_prices(file) for name, file in named.items()},
        against=against or None,
        target=target,
        window_days=window,
        shift_days=shift,
        caliper=caliper,
        block_days=block,
        resamples=resamples,
        confidence=confidence,
        seed=seed,
        start=start,
        end=end,
    )
    if out is not None:
        found.save(out)
    if as_json:
        emit_json({**found.figures, "report": None if out is None else str(out)})
    else:
        show_document(found.document())
    if out is not None:
        note(f"wrote {out}: open it in a browser")


def _named(values: tuple[str, ...]) -> dict[str, str]:
    """Each asset's file by its name; an existing file called ``NAME=FILE`` is taken as a file."""
    named: dict[str, str] = {}
    for value in values:
        name, is_named, file = value.partition("=")
        if not is_named or os.path.lexists(value):
            name, file = Path(value).stem, value
        if name in named:
            message = (
                f"expected each asset once, found {name} twice: name one of them, as in "
                f"{name}-2={file}."
            )
            raise click.UsageError(message)
        named[name] = file
    return named
