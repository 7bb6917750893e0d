"""The root command and the table of all others."""

from __future__ import annotations

import click

from steelyard.cli.commands import Group, Place
from steelyard.version import __version__

__all__ = ["app"]

DATA = {
    "check": Place("steelyard.cli.data:check", "Say what a price file holds, or what is wrong."),
    "fetch": Place("steelyard.cli.data_fetch:fetch", "Get prices or funding from an exchange."),
    "book": Place("steelyard.cli.data:book", "Read an order book, or make one of snapshots."),
}
SERIES = {
    "list": Place("steelyard.cli.series:list_presets", "List the presets on the shelf."),
    "show": Place("steelyard.cli.series:show", "Print a series and what it does, in words."),
    "check": Place("steelyard.cli.series:check", "Check a series and say when it will trade."),
    "new": Place("steelyard.cli.series_new:new", "Write a series file with comments."),
}
JOURNAL = {
    "show": Place("steelyard.cli.journal_show:show", "Print events, by fund, kind and time."),
    "verify": Place("steelyard.cli.journal_verify:verify", "Prove that nothing was changed."),
    "export": Place("steelyard.cli.journal:export", "Write JSON lines, CSV or Parquet."),
    "head": Place("steelyard.cli.journal:head", "Print where the journal ends, signed."),
    "key": Place("steelyard.cli.app:journal_key", "Make the keys that sign heads."),
}
JOURNAL_KEY = {
    "new": Place("steelyard.cli.journal_key:new", "Make a key, and print its public half."),
}
ROOT = {
    "demo": Place("steelyard.cli.demo:demo", "Replay 2020 to 2022 for a shelf of tokens."),
    "simulate": Place("steelyard.cli.simulate:simulate", "Run a series over a price history."),
    "compare": Place("steelyard.cli.compare:compare", "Set rules side by side on one history."),
    "explain": Place("steelyard.cli.explain:explain", "Say where a token's return went."),
    "tearsheet": Place("steelyard.cli.tearsheet:tearsheet", "Put all of a token on one page."),
    "decay": Place("steelyard.cli.decay:decay", "Compare decay on several assets."),
    "forecast": Place("steelyard.cli.forecast:forecast", "Say what tokens will trade, and where."),
    "journal": Place("steelyard.cli.app:journal", "Read, verify and export a journal."),
    "data": Place("steelyard.cli.app:data", "Look at market data, and get it."),
    "series": Place("steelyard.cli.app:series", "Look at series files, and write them."),
}


@click.group(
    cls=Group,
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

    Results go to standard output, messages and progress to standard error. Exit codes: 0 done,
    1 failed, 2 wrong usage, 3 bad or missing data or series file, 4 exchange or chain
    unavailable, 5 an invariant broke.
    """


@click.group(cls=Group, places=DATA, examples=["steelyard data check BTC"])
def data() -> None:
    """Look at market data, and get it."""


@click.group(
    cls=Group,
    places=SERIES,
    examples=["steelyard series list", "steelyard series show ftx-bull"],
)
def series() -> None:
    """Look at series files, and write them."""


@click.group(
    cls=Group,
    places=JOURNAL,
    examples=[
        "steelyard journal show btc3l.journal --kind series",
        "steelyard journal verify btc3l.journal",
    ],
)
def journal() -> None:
    """Read, verify and export a journal of events.

    A journal is a SQLite file, or a PostgreSQL database by its URL (postgresql://...).
    """


@click.group(
    cls=Group,
    places=JOURNAL_KEY,
    examples=["steelyard journal key new fund.key --name example.com/fund"],
)
def journal_key() -> None:
    """Make the keys that sign the heads of journals."""
