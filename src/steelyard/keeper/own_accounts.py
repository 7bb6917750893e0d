"""Each fund at an exchange has an account of its own; in a shared account positions would net.

The books of a fund are compared with everything that its account holds, so no account is shared.
Two venues of a keeper file that use the same API key are one account, wherever the key was read
from. Two different keys of one account cannot be recognised as such.
"""

from __future__ import annotations

from steelyard.errors import InputError
from steelyard.keeper.settings import FundSettings, Settings
from steelyard.venues.secrets import read_secrets

__all__ = ["check_own_accounts"]


def check_own_accounts(settings: Settings) -> None:
    """Refuse a keeper file in which two funds would trade on one exchange account.

    Raises:
        InputError: two funds share an account (the message names the funds and venues), or secrets
            cannot be read.
    """
    owners = dict[tuple[str | None, str, str], FundSettings]()
    for fund in settings.funds:
        venue = fund.venue
        if venue.is_paper or venue.secrets is None:
            continue
        key = read_secrets(venue.secrets, settings.path.parent).key
        place = "" if venue.rehearsal is None else str(settings.beside(venue.rehearsal).resolve())
        other = owners.setdefault((venue.exchange, place, key), fund)
        if other is fund:
            continue
        symbols = f"{other.series.symbol} and {fund.series.symbol}"
        message = (
            f"{settings.path}: expected an exchange account of its own for each fund, found one "
            f"API key for {symbols} (venues {other.venue.name} and {venue.name}): an account holds "
            "nothing but one fund, or their positions would net. Open a sub-account for one of "
            "them, with a key of its own."
        )
        raise InputError(message, symbols=[other.series.symbol, fund.series.symbol])
