"""The options that describe the history of a run, shared by all commands that take one."""

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
    "Prices: a file (CSV, JSON, .gz, .zip, Parquet or Feather), a pattern of files in quotes, or "
    "BTC or ETH for the bundled daily bars of 2020 to 2022."
)
HIGH = "steelyard.high_funding"


def _read_high(context: click.Context, _option: click.Parameter, file: str | None) -> object:
    """Read the funding file now if high rates are allowed; otherwise the run reads it later."""
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
        help="Funding of a perpetual, with columns time,rate.",
    ),
    click.option(
        "--high-funding",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_allow_high,
        help="Accept --funding of more than 300 % a year.",
    ),
    click.option("--rates", metavar="FILE", help="Yearly interest rates, with columns time,rate."),
    click.option(
        "--injections",
        metavar="FILE",
        help="Payments into the reserve, with columns time,quote,kind.",
    ),
    click.option("--start", type=InstantType(), help="First instant, inclusive, ISO 8601, UTC."),
    click.option("--end", type=InstantType(), help="Last instant, exclusive, ISO 8601, UTC."),
    click.option(
        "--intrabar",
        type=click.Choice(["close", "path"]),
        help="Observe closes only, or the path inside bars. Default: path if the bars allow it.",
    ),
)

EVENTS = (
    click.option(
        "--flows",
        metavar="FILE",
        help="Creations, and redemptions as negative amounts, with columns time,tokens.",
    ),
    click.option(
        "--splits", metavar="FILE", help="Splits, tokens for one token, with columns time,ratio."
    ),
    click.option(
        "--outages",
        metavar="FILE",
        help="Times when the keeper is down, with columns from,to.",
    ),
    click.option(
        "--wind-down",
        metavar="TIME",
        help="Wind the token down at this time and redeem it at nav after costs.",
    ),
)

FUNDS = (
    click.option(
        "--flows",
        multiple=True,
        metavar="FILE",
        help="Creations, and redemptions as negative amounts, with columns time,tokens. "
        "With several series: SYMBOL=FILE.",
    ),
    click.option(
        "--splits",
        multiple=True,
        metavar="FILE",
        help="Splits, tokens for one token, with columns time,ratio. "
        "With several series: SYMBOL=FILE.",
    ),
    click.option(
        "--outages",
        metavar="FILE",
        help="Times when the keeper is down, with columns from,to.",
    ),
    click.option(
        "--wind-down",
        multiple=True,
        metavar="TIME",
        help="Wind the token down at this time and redeem it at nav after costs. "
        "With several series: SYMBOL=TIME.",
    ),
)


def fund_options(command: Called) -> Called:
    """Add the options of events of one token or several: flows, splits, outages, wind-downs."""
    for option in reversed(FUNDS):
        command = option(command)
    return command


def event_options(command: Called) -> Called:
    """Add the options of events of one token: flows, splits, outages and its wind-down."""
    for option in reversed(EVENTS):
        command = option(command)
    return command


def history_options(command: Called) -> Called:
    """Add ``--prices``, the payments over time, the span of time and ``--intrabar``."""
    return _with_options(command, needed=True)


def history_options_of_a_run(command: Called) -> Called:
    """Add the same options, none required: a saved run or a journal may determine them."""
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
