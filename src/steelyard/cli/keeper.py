"""``steelyard keeper``: run live funds, show their state, and send requests to their keeper."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from steelyard.cli.command_types import Command, DiscreetCommand
from steelyard.cli.output import emit_json, note
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.keeper.desk import Desk
    from steelyard.keeper.settings import Settings

__all__ = ["inject", "launch", "once", "pause", "resume", "run", "status", "winddown"]

F = TypeVar("F", bound=Callable[..., Any])
LIVE = "Send orders to real venues; without it none is sent."
LOOK_S = 0.2


def _file_argument(command: F) -> F:
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.argument("file", type=kind)(command)


def _keeping(example: str) -> Callable[[F], F]:
    """Make a command that runs the funds of a file, with its example."""

    def wrap(command: F) -> F:
        options = (
            _file_argument,
            click.option("--launch", is_flag=True, help="First request the launch of each fund."),
            click.option("--live", is_flag=True, help=LIVE),
            click.option(
                "--json", "as_json", is_flag=True, help="Print the status at the end as JSON."
            ),
        )
        for option in reversed(options):
            command = option(command)
        made = click.command(cls=DiscreetCommand, examples=[example], needs="a keeper file")
        return made(command)  # type: ignore[return-value]  # a command is called as its function

    return wrap


def _keep(file: Path, launch: bool, live: bool, as_json: bool, once: bool) -> None:
    import asyncio
    import getpass

    from steelyard.keeper.running import run_keeper
    from steelyard.keeper.settings import read_settings

    settings = read_settings(file)
    _refuse_unfit_live(settings, file, live, launch)
    if as_json and settings.health is not None and settings.health.to == "-":
        message = (
            f"{file}: expected, with --json, a folder or a URL as health.to, found standard output "
            "('-'): the object would be mixed with the records of health."
        )
        raise InputError(message, file=str(file))
    owner = f"keeper of {getpass.getuser()}"
    keeping = run_keeper(settings, owner=owner, say=_say, once=once, launch=launch, live=live)
    desks = asyncio.run(keeping)
    _show_status(file, as_json)
    if launch:
        _refuse_unlaunched(desks, as_json)


def _refuse_unlaunched(desks: Mapping[str, Desk], as_json: bool) -> None:
    """Report refused launches and fail; with ``--json`` the report is a note on stderr.

    Raises:
        InputError: a launch was refused.
    """
    from steelyard.keeper.request_adoption import why_not_launched

    whys = {name: why_not_launched(desk) for name, desk in desks.items()}
    refused = {name: why for name, why in whys.items() if why is not None}
    if refused:
        told = "; ".join(f"{name}: {why}" for name, why in refused.items())
        message = f"the launch was refused: {told}."
        if as_json:
            note(message)
            click.get_current_context().exit(InputError.exit_code)
        raise InputError(message, refused=list(refused))


def _refuse_unfit_live(settings: Settings, file: Path, live: bool, launch: bool) -> None:
    """Refuse --live on paper venues only, and --launch at an exchange without --live.

    Raises:
        InputError: the options do not fit the venues.
    """
    if live and settings.is_paper:
        message = (
            f"{file}: expected, with --live, a venue that is an exchange, found paper venues only: "
            "remove --live; no real order is sent."
        )
        raise InputError(message, file=str(file))
    if settings.is_paper or live:
        return
    if launch:
        message = (
            f"{file}: expected, with --launch at an exchange, --live, found none: a fund is "
            "launched by its first order, and nothing is sent in a dry run."
        )
        raise InputError(message, file=str(file))
    note("dry run: nothing is sent without --live")


def _say(fund: str, text: str, is_alarm: bool) -> None:
    note(f"{'ALARM ' if is_alarm else ''}{fund}: {text}")


@_keeping("steelyard keeper run keeper.toml --launch")
def run(file: Path, launch: bool, live: bool, as_json: bool) -> None:
    """Run the funds of FILE: follow prices, send orders, and record every step in the journal.

    The keeper may be killed at any instant; the next start continues from its journal. Each
    decision is printed as a line on standard error. No order is sent while a file exists that has
    the name of FILE with the ending .kill.
    """
    _keep(file, launch, live, as_json, once=False)


@_keeping("steelyard keeper once keeper.toml")
def once(file: Path, launch: bool, live: bool, as_json: bool) -> None:
    """Do what is due now, wait until it is complete, and stop."""
    _keep(file, launch, live, as_json, once=True)


@click.command(
    cls=Command,
    examples=["steelyard keeper status keeper.toml --json"],
    needs="a keeper file",
)
@_file_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def status(file: Path, as_json: bool) -> None:
    """Show the state of the funds of FILE from their journal. A keeper may be running."""
    _show_status(file, as_json)


def _refuse_no_journal(journal: str, file: Path) -> None:
    """Refuse a command that needs a journal, if the keeper has not run yet.

    Raises:
        InputError: there is none.
    """
    from steelyard.ledger.places import is_url

    if not is_url(journal) and not Path(journal).exists():
        message = (
            f"{journal}: expected the journal of a keeper, found none: start one first, with "
            f'"steelyard keeper run {file}".'
        )
        raise InputError(message, file=journal)


def _show_status(file: Path, as_json: bool) -> None:
    from steelyard.keeper.settings import read_settings
    from steelyard.keeper.status import status_of
    from steelyard.ledger import Journal

    settings = read_settings(file)
    _refuse_no_journal(settings.journal, file)
    with Journal.open(settings.journal) as journal:
        found = status_of(settings, journal, time.time_ns() // 1_000_000)
    if as_json:
        emit_json(found)
        return
    from steelyard.cli.keeper_status import print_status

    print_status(found)


# -- requests --------------------------------------------------------------------------------------


def _asking(name: str, what: str = "") -> Callable[[F], F]:
    """Make a command that writes a request and waits for its outcome."""

    def wrap(command: F) -> F:
        options = (
            _file_argument,
            click.argument("symbol"),
            click.option("--key", metavar="KEY", help="Key of this request. Default: a new one."),
            click.option(
                "--wait",
                type=click.FloatRange(0),
                default=10.0,
                show_default=True,
                metavar="SECONDS",
                help="How long to wait for the keeper.",
            ),
            click.option(
                "--json", "as_json", is_flag=True, help="Print one JSON object, nothing else."
            ),
        )
        for option in reversed(options):
            command = option(command)
        made = click.command(
            name,
            cls=Command,
            examples=[f"steelyard keeper {name} keeper.toml BTC3L{what}"],
            needs="a keeper file",
        )
        return made(command)  # type: ignore[return-value]  # a command is called as its function

    return wrap


def _ask(
    file: Path,
    symbol: str,
    what: str,
    content: dict[str, Any],
    key: str | None,
    wait: float,
    as_json: bool,
) -> None:
    import getpass
    import uuid

    from steelyard.keeper.request_adoption import launch_key
    from steelyard.keeper.settings import read_settings
    from steelyard.ledger import Journal
    from steelyard.ledger.requests import Requests

    settings = read_settings(file)
    settings.fund(symbol)
    _refuse_no_journal(settings.journal, file)
    name = key or f"{what}-{uuid.uuid4().hex}"
    if key is None and what == "launch":
        with Journal.open(settings.journal) as journal:
            name = launch_key(journal, symbol)
    with Requests(settings.journal) as requests:
        requests.ask(name, symbol, getpass.getuser(), what, content)
    found = _outcome(settings.journal, symbol, name, wait)
    answer = {"schema": 1, "key": name, "outcome": "waiting", "why": None, **(found or {})}
    if as_json:
        emit_json(answer)
    elif found is None:
        click.echo(f"{symbol}: {what} is requested as {name}; no keeper has answered yet")
    elif found["outcome"] == "accepted":
        click.echo(f"{symbol}: {what}: accepted; the position is not closed yet")
    else:
        why = "" if found["why"] is None else f", {found['why']}"
        click.echo(f"{symbol}: {what}: {found['outcome']}{why}")
    if found is not None and found["outcome"] == "refused":
        raise InputError(f"{symbol}: {what} was refused: {found['why']}.", key=name)


def _outcome(journal: str, symbol: str, key: str, wait: float) -> dict[str, Any] | None:
    """The keeper's outcome of a request; None if there is none yet.

    A wind-down is done when the fund has ended; until then it is accepted.
    """
    from steelyard.ledger import Journal

    until = time.monotonic() + wait
    with Journal.open(journal) as opened:
        while True:
            rows = list(opened.events(fund=symbol, kinds=["request", "closed"]))
            asked = [each.fields for each in rows if each.fields.get("key") == key]
            is_closed = any(each.kind == "closed" for each in rows)
            found = {"outcome": asked[0]["outcome"], "why": asked[0]["why"]} if asked else None
            is_begun = found is not None and asked[0]["what"] == "wind_down"
            if found is not None and is_begun and not is_closed and found["outcome"] == "done":
                found["outcome"] = "accepted"
            elif found is not None:
                return found
            if time.monotonic() >= until:
                return found
            time.sleep(LOOK_S)


@_asking("launch")
def launch(file: Path, symbol: str, key: str | None, wait: float, as_json: bool) -> None:
    """Launch a fund: its first position is bought at the next price.

    If an earlier launch was refused, the command requests a new one.
    """
    _ask(file, symbol, "launch", {}, key, wait, as_json)


@_asking("pause")
def pause(file: Path, symbol: str, key: str | None, wait: float, as_json: bool) -> None:
    """Pause a fund: nothing triggers until it is resumed."""
    _ask(file, symbol, "pause", {}, key, wait, as_json)


@_asking("resume")
def resume(file: Path, symbol: str, key: str | None, wait: float, as_json: bool) -> None:
    """Resume a paused fund."""
    _ask(file, symbol, "resume", {}, key, wait, as_json)


@_asking("winddown")
def winddown(file: Path, symbol: str, key: str | None, wait: float, as_json: bool) -> None:
    """Wind a fund down: close its position permanently.

    The wind-down is complete when the fund has ended, after its last funding is booked.
    """
    _ask(file, symbol, "wind_down", {}, key, wait, as_json)


@click.argument("amount")
@click.option(
    "--kind",
    type=click.Choice(["capital", "trading_fees"]),
    default="capital",
    show_default=True,
    help="Whether the payment is capital or income of the issuer.",
)
def _inject(
    file: Path,
    symbol: str,
    amount: str,
    kind: str,
    key: str | None,
    wait: float,
    as_json: bool,
) -> None:
    """Pay AMOUNT of quote into a fund's reserve."""
    from decimal import Decimal, InvalidOperation

    from steelyard.ledger.amounts import amount_text

    try:
        quote = Decimal(amount)
    except InvalidOperation:
        quote = Decimal(0)
    if not quote.is_finite() or quote <= 0:
        raise click.BadParameter(
            f"expected an amount above 0, found {amount}.", param_hint="AMOUNT"
        )
    content = {"amount": amount_text(quote), "kind": kind}
    _ask(file, symbol, "inject", content, key, wait, as_json)


inject = _asking("inject", " 5000")(_inject)
