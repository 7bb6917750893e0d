"""The options that say over which history a series is run: the same wherever one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from steelyard.cli.completing import histories
from steelyard.cli.input_lookup import InstantType

__all__ = [
    "check_span",
    "event_options",
    "fund_options",
    "history_options",
    "history_options_of_a_run",
]

Called = TypeVar("Called", bound=Callable[..., Any])

PRICES = (
    "Prices: CSV, JSON, .gz, .zip, Parquet or Feather, or a pattern of files in quotes; or BTC or "
    "ETH, the bundled days of 2020 to 2022."
)
HIGH = "steelyard.high_funding"


def _read_high(context: click.Context, _option: click.Parameter, file: str | None) -> object:
    """Read funding at once where it may be high; else whoever runs the series reads the file."""
    if file is None or not context.meta.get(HIGH):
        return file
    from steelyard.market import read_funding

    return read_funding(file, high=True)


def _allow_high(context: click.Context, _option: click.Parameter, given: bool) -> None:
    context.meta[HIGH] = given


OPTIONS = (
    click.option(
        "--funding",
        metavar="FILE",
        callback=_read_high,
        help="Funding of a perpetual: time,rate.",
    ),
    click.option(
        "--high-funding",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_allow_high,
        help="Take --funding of more than 300 % a year as it stands.",
    ),
    click.option("--rates", metavar="FILE", help="Rates per year of a spot venue: time,rate."),
    click.option("--injections", metavar="FILE", help="Into the reserve: time,quote,kind."),
    click.option("--start", type=InstantType(), help="First instant, ISO 8601, UTC."),
    click.option("--end", type=InstantType(), help="Last instant, left out."),
    click.option(
        "--intrabar",
        type=click.Choice(["close", "path"]),
        help="Observe closes only, or walk through each bar (default where it can be).",
    ),
)

EVENTS = (
    click.option(
        "--flows", metavar="FILE", help="Creations, and redemptions below 0: time,tokens."
    ),
    click.option("--splits", metavar="FILE", help="Tokens for one token: time,ratio."),
    click.option("--outages", metavar="FILE", help="A dead keeper, nothing triggers: from,to."),
    click.option("--wind-down", metavar="TIME", help="Close the token then, redeemed at nav."),
)

FUNDS = (
    click.option(
        "--flows",
        multiple=True,
        metavar="FILE",
        help="Creations, and redemptions below 0: time,tokens. Of several series SYMBOL=FILE.",
    ),
    click.option(
        "--splits",
        multiple=True,
        metavar="FILE",
        help="Tokens for one token: time,ratio. Of several series SYMBOL=FILE.",
    ),
    click.option("--outages", metavar="FILE", help="A dead keeper, nothing triggers: from,to."),
    click.option(
        "--wind-down",
        multiple=True,
        metavar="TIME",
        help="Close the token then, redeemed at nav after costs. Of several series SYMBOL=TIME.",
    ),
)


def fund_options(command: Called) -> Called:
    """Give a command what befalls one token or several: flows, splits, outages and ends."""
    for option in reversed(FUNDS):
        command = option(command)
    return command


def event_options(command: Called) -> Called:
    """Give a command what befalls one token: flows, splits, outages and its end."""
    for option in reversed(EVENTS):
        command = option(command)
    return command


def history_options(command: Called) -> Called:
    """Give a command ``--prices``, what is paid over time, the span of time, and ``--intrabar``."""
    return _with_options(command, needed=True)


def history_options_of_a_run(command: Called) -> Called:
    """The same for a command that also takes the folder of a run, which says them itself."""
    return _with_options(command, needed=False)


def _with_options(command: Called, *, needed: bool) -> Called:
    prices = click.option(
        "--prices", required=needed, metavar="FILE", help=PRICES, shell_complete=histories
    )
    for option in reversed((prices, *OPTIONS)):
        command = option(command)
    return command


def check_span(start: int | None, end: int | None) -> None:
    """Refuse a span of time that ends before it begins."""
    if start is not None and end is not None and end <= start:
        raise click.UsageError("--end: expected a time after --start.")
