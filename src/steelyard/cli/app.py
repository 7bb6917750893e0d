"""The root command and the table of all others."""

from __future__ import annotations

import click

from steelyard.cli.command_types import CommandGroup, Place
from steelyard.version import __version__

__all__ = ["app"]

DATA = {
    "check": Place("steelyard.cli.data:check", "Report what a price file holds, or its faults."),
    "fetch": Place(
        "steelyard.cli.data_fetch:fetch", "Download prices or funding from an exchange."
    ),
    "book": Place("steelyard.cli.data:book", "Read an order book or recorded snapshots."),
}
SERIES = {
    "list": Place("steelyard.cli.series:list_presets", "List the presets."),
    "show": Place("steelyard.cli.series:show", "Print a series file and describe its rule."),
    "check": Place("steelyard.cli.series:check", "Check a series and show when it will trade."),
    "new": Place("steelyard.cli.series_new:new", "Write a commented series file."),
}
JOURNAL = {
    "show": Place("steelyard.cli.journal_show:show", "Print events by fund, kind and time."),
    "verify": Place("steelyard.cli.journal_verify:verify", "Prove that no event was changed."),
    "export": Place("steelyard.cli.journal:export", "Export events to JSON lines, CSV or Parquet."),
    "head": Place(
        "steelyard.cli.journal:head", "Print the head of the journal, signed with --key."
    ),
    "key": Place("steelyard.cli.app:journal_key", "Create the keys that sign heads."),
}
JOURNAL_KEY = {
    "new": Place("steelyard.cli.journal_key:new", "Create a key and print its public half."),
}
KEEPER = {
    "demo": Place(
        "steelyard.cli.keeper_demo:demo", "Run a keeper through a crash and kill it twice."
    ),
    "run": Place("steelyard.cli.keeper:run", "Run the funds of a keeper file."),
    "once": Place("steelyard.cli.keeper:once", "Do what is due now, then stop."),
    "status": Place("steelyard.cli.keeper:status", "Show the state of the funds."),
    "doctor": Place(
        "steelyard.cli.keeper_doctor:doctor", "Check that the exchange accounts are fit."
    ),
    "launch": Place("steelyard.cli.keeper:launch", "Launch a fund."),
    "pause": Place("steelyard.cli.keeper:pause", "Pause a fund."),
    "resume": Place("steelyard.cli.keeper:resume", "Resume a paused fund."),
    "inject": Place("steelyard.cli.keeper:inject", "Pay quote into a fund's reserve."),
    "winddown": Place("steelyard.cli.keeper:winddown", "Close a fund permanently."),
}
REHEARSAL = {
    "serve": Place("steelyard.cli.rehearsal:serve", "Serve a simulated exchange on this machine."),
}
ROOT = {
    "demo": Place("steelyard.cli.demo:demo", "Run every preset over 2020 to 2022."),
    "simulate": Place("steelyard.cli.simulate:simulate", "Run a series over a price history."),
    "compare": Place("steelyard.cli.compare:compare", "Compare several rules on one history."),
    "explain": Place("steelyard.cli.explain:explain", "Attribute a token's return to its causes."),
    "tearsheet": Place("steelyard.cli.tearsheet:tearsheet", "Write a one-page report of a token."),
    "decay": Place("steelyard.cli.decay:decay", "Compare volatility decay on several assets."),
    "forecast": Place(
        "steelyard.cli.forecast:forecast", "Forecast what tokens will trade, and at which prices."
    ),
    "keeper": Place("steelyard.cli.app:keeper", "Run and supervise live funds."),
    "rehearsal": Place("steelyard.cli.app:rehearsal", "Rehearse on a simulated exchange."),
    "journal": Place("steelyard.cli.app:journal", "Read, verify and export a journal."),
    "data": Place("steelyard.cli.app:data", "Inspect and download market data."),
    "series": Place("steelyard.cli.app:series", "Inspect and write series files."),
}


@click.group(
    cls=CommandGroup,
    places=ROOT,
    examples=[
        "steelyard demo",
        "steelyard simulate oracle-3l --prices BTC",
        "steelyard series new btc3l.toml --target-leverage 3",
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", message="steelyard %(version)s")
def app() -> None:
    """Steelyard simulates leveraged tokens: tokens that hold a multiple of an asset.

    Results go to standard output, messages and progress to standard error. The exit code is
    0 for success, 1 for a failure, 2 for wrong usage, 3 for a bad or missing data or series file,
    4 for an exchange or chain that is unavailable, and 5 for a broken invariant.
    """


@click.group(cls=CommandGroup, places=DATA, examples=["steelyard data check BTC"])
def data() -> None:
    """Inspect and download market data."""


@click.group(
    cls=CommandGroup,
    places=SERIES,
    examples=["steelyard series list", "steelyard series show ftx-bull"],
)
def series() -> None:
    """Inspect and write series files."""


@click.group(
    cls=CommandGroup,
    places=KEEPER,
    examples=[
        "steelyard keeper demo",
        "steelyard keeper run keeper.toml --launch",
        "steelyard keeper status keeper.toml --json",
    ],
)
def keeper() -> None:
    """Run and supervise live funds.

    A keeper file (TOML) names the funds, their venues and their limits. Paper venues take real
    prices from files and fill orders at the series' own costs. No order is sent to an exchange
    without --live.
    """


@click.group(
    cls=CommandGroup,
    places=REHEARSAL,
    examples=["steelyard rehearsal serve rehearsal --prices BTCUSDT=walk:60000 --seed 1"],
)
def rehearsal() -> None:
    """Rehearse on a simulated exchange: Binance USD-M futures served on this machine."""


@click.group(
    cls=CommandGroup,
    places=JOURNAL,
    examples=[
        "steelyard journal show btc3l.journal --kind series",
        "steelyard journal verify btc3l.journal",
    ],
)
def journal() -> None:
    """Read, verify and export a journal of events.

    A journal is a SQLite file, or a PostgreSQL database that its URL names (postgresql://...).
    """


@click.group(
    cls=CommandGroup,
    places=JOURNAL_KEY,
    examples=["steelyard journal key new fund.key --name example.com/fund"],
)
def journal_key() -> None:
    """Create the keys that sign the heads of journals."""
