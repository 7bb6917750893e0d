"""``steelyard keeper doctor``: check that real accounts are fit to hold a keeper file's funds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.command_types import DiscreetCommand
from steelyard.cli.output import emit_json, note, show
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.keeper.desk import Desk
    from steelyard.keeper.doctor import AccountCheck
    from steelyard.keeper.settings import FundSettings, Settings

__all__ = ["doctor"]


@click.command(
    cls=DiscreetCommand,
    examples=["steelyard keeper doctor keeper.toml", "steelyard keeper doctor keeper.toml --fix"],
    needs="a keeper file and an account",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--fix",
    "fixes",
    is_flag=True,
    help="Set position mode, margin mode and leverage, and nothing else.",
)
@click.option(
    "--any-address", is_flag=True, help="Accept an API key that is not bound to an IP address."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, nothing else.")
def doctor(file: Path, fixes: bool, any_address: bool, as_json: bool) -> None:
    """Check that the exchange accounts of FILE are fit to hold its funds.

    Each line shows what was found, what is required, and the command or place that changes it.
    The exit code is 3 if an account is not fit. No order is sent.
    """
    import asyncio

    from steelyard.keeper.own_accounts import check_own_accounts
    from steelyard.keeper.settings import read_settings

    settings = read_settings(file)
    check_own_accounts(settings)
    if settings.is_paper:
        message = (
            f"{file}: expected an account at an exchange, found paper venues, which need no check."
        )
        raise InputError(message, file=str(file))
    checks = {
        fund.series.symbol: asyncio.run(_examine(settings, fund, fixes, any_address))
        for fund in settings.funds
    }
    unfit = [
        f"{name}: {each.name}" for name, of in checks.items() for each in of if not each.is_fine
    ]
    if as_json:
        funds = [
            {"symbol": name, "checks": [each.as_json() for each in of]}
            for name, of in checks.items()
        ]
        emit_json({"schema": 1, "fit": not unfit, "funds": funds})
        click.get_current_context().exit(InputError.exit_code if unfit else 0)
    for name, of in checks.items():
        _print(name, of)
    if unfit:
        message = f"expected accounts that are fit, found checks that fail: {', '.join(unfit)}."
        raise InputError(message, unfit=unfit)


async def _examine(
    settings: Settings, fund: FundSettings, fixes: bool, any_address: bool
) -> Sequence[AccountCheck]:
    from steelyard.keeper.doctor import checks_of, fix
    from steelyard.keeper.running import open_venue
    from steelyard.rules.numbers import DECIMAL18
    from steelyard.venues.exchange.venue import ExchangeVenue

    venue: Any = open_venue(settings, fund)
    assert isinstance(venue, ExchangeVenue)  # noqa: S101 (the file has no paper venue)
    try:
        with DECIMAL18.context():
            desk = _desk(settings, fund)
        await venue.warm_up()
        found = await venue.setup()
        if fixes:
            with DECIMAL18.context():
                done = await fix(venue, desk, found)
            for each in done:
                note(f"{fund.series.symbol}: set {each}")
            found = await venue.setup()
        with DECIMAL18.context():
            return list(checks_of(fund, desk, found, any_address=any_address))
    finally:
        await venue.close()


def _desk(settings: Settings, fund: FundSettings) -> Desk:
    """The fund in the state of its journal; a new one if the keeper has not run yet."""
    from steelyard.keeper.desk_opening import new_desk, open_desk
    from steelyard.ledger import Journal
    from steelyard.ledger.places import is_url

    if not is_url(settings.journal) and not Path(settings.journal).exists():
        return new_desk(fund.series, fund.guards)
    with Journal.open(settings.journal) as journal:
        return open_desk(journal, fund.series, fund.guards)


def _print(symbol: str, checks: Sequence[AccountCheck]) -> None:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for heading in (symbol, "", "found", "wanted", "changed by"):
        table.add_column(heading, overflow="fold")
    for each in checks:
        how = "" if each.is_fine else each.how
        table.add_row(each.name, "ok" if each.is_fine else "NO", each.found, each.wanted, how)
    show(table)
