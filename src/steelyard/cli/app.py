"""The root command and the table of all others."""

from __future__ import annotations

import click

from steelyard.cli.command_types import CommandGroup, Place
from steelyard.version import __version__

__all__ = ["app"]

DATA = {
    "check": Place("steelyard.cli.data:check", "Say what a price file holds, or what is wrong."),
    "fetch": Place("steelyard.cli.data_fetch:fetch", "Get prices or funding from an exchange."),
    "book": Place("steelyard.cli.data:book", "Read an order book, or make one of snapshots."),
}
SERIES = {
    "list": Place("steelyard.cli.series:list_presets", "List the presets."),
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
KEEPER = {
    "demo": Place("steelyard.cli.keeper_demo:demo", "Rehearse a crash, and be killed twice."),
    "run": Place("steelyard.cli.keeper:run", "Keep the funds of a keeper file."),
    "once": Place("steelyard.cli.keeper:once", "Do what is due now, and stop."),
    "status": Place("steelyard.cli.keeper:status", "Say how the funds stand."),
    "doctor": Place("steelyard.cli.keeper_doctor:doctor", "Say whether accounts are fit."),
    "launch": Place("steelyard.cli.keeper:launch", "Launch a fund."),
    "pause": Place("steelyard.cli.keeper:pause", "Pause a fund."),
    "resume": Place("steelyard.cli.keeper:resume", "Let a paused fund go on."),
    "inject": Place("steelyard.cli.keeper:inject", "Pay into a fund's reserve."),
    "winddown": Place("steelyard.cli.keeper:winddown", "Close a fund for good."),
}
REHEARSAL = {
    "serve": Place("steelyard.cli.rehearsal:serve", "Serve an exchange on this machine."),
}
ROOT = {
    "demo": Place("steelyard.cli.demo:demo", "Replay 2020 to 2022 for every preset."),
    "simulate": Place("steelyard.cli.simulate:simulate", "Run a series over a price history."),
    "compare": Place("steelyard.cli.compare:compare", "Set rules side by side on one history."),
    "explain": Place("steelyard.cli.explain:explain", "Say where a token's return went."),
    "tearsheet": Place("steelyard.cli.tearsheet:tearsheet", "Put all of a token on one page."),
    "decay": Place("steelyard.cli.decay:decay", "Compare decay on several assets."),
    "forecast": Place("steelyard.cli.forecast:forecast", "Say what tokens will trade, and where."),
    "keeper": Place("steelyard.cli.app:keeper", "Run live funds, and look after them."),
    "rehearsal": Place("steelyard.cli.app:rehearsal", "Rehearse on an exchange that is not real."),
    "journal": Place("steelyard.cli.app:journal", "Read, verify and export a journal."),
    "data": Place("steelyard.cli.app:data", "Look at market data, and get it."),
    "series": Place("steelyard.cli.app:series", "Look at series files, and write them."),
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

    Results go to standard output, messages and progress to standard error. Exit codes: 0 done,
    1 failed, 2 wrong usage, 3 bad or missing data or series file, 4 exchange or chain
    unavailable, 5 an invariant broke.
    """


@click.group(cls=CommandGroup, places=DATA, examples=["steelyard data check BTC"])
def data() -> None:
    """Look at market data, and get it."""


@click.group(
    cls=CommandGroup,
    places=SERIES,
    examples=["steelyard series list", "steelyard series show ftx-bull"],
)
def series() -> None:
    """Look at series files, and write them."""


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
    """Run live funds, and look after them.

    A keeper file (TOML) says which funds, on which venues, within which limits. Paper venues take
    real prices from files and fill by the series' own costs. At an exchange nothing is sent without
    --live.
    """


@click.group(
    cls=CommandGroup,
    places=REHEARSAL,
    examples=["steelyard rehearsal serve rehearsal --prices BTCUSDT=walk:60000 --seed 1"],
)
def rehearsal() -> None:
    """Rehearse on an exchange that is not real: Binance USD-M futures on this machine."""


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

    A journal is a SQLite file, or a PostgreSQL database by its URL (postgresql://...).
    """


@click.group(
    cls=CommandGroup,
    places=JOURNAL_KEY,
    examples=["steelyard journal key new fund.key --name example.com/fund"],
)
def journal_key() -> None:
    """Make the keys that sign the heads of journals."""
