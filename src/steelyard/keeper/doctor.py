"""Checks whether a real account is fit to hold a fund, with what was found and how to fix it.

An account holds one fund, and only the issuer can take money out of it. So the key may neither
withdraw nor transfer, and is bound to an address. The account is in one-way mode with one margin
asset, and holds nothing else. The exchange liquidates at the margin that the series states.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from steelyard.errors import InputError, Rejected
from steelyard.keeper.desk import Desk
from steelyard.keeper.settings import FundSettings
from steelyard.ledger.amounts import amount_text
from steelyard.venues.exchange.binanceusdm_account import CREDIT, AccountSetup
from steelyard.venues.exchange.support import market_of
from steelyard.venues.exchange.venue import ExchangeVenue

__all__ = ["AccountCheck", "checks_of", "fix", "wanted_leverage"]

KEY_PAGE = "binance.com, API Management"
FIX = "steelyard keeper doctor FILE --fix"
SHOWN = 5
"""The number of items of a list that are named."""


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """The result of one check."""

    name: str
    is_fine: bool
    found: str
    wanted: str
    how: str
    """The command or the page on which it can be changed."""

    def as_json(self) -> Mapping[str, object]:
        """The same as a JSON object."""
        return {
            "check": self.name,
            "fine": self.is_fine,
            "found": self.found,
            "wanted": self.wanted,
            "change": self.how,
        }


def wanted_leverage(desk: Desk) -> int:
    """The leverage setting, a whole number, that allows the fund its emergency leverage.

    A fund without one uses the leverage halfway, in margin, from the band's edge to liquidation.
    """
    return int((1 / desk.urgency.end).to_integral_value(ROUND_CEILING))


def checks_of(
    fund: FundSettings, desk: Desk, found: AccountSetup, *, any_address: bool = False
) -> Iterator[AccountCheck]:
    """All checks, in the order in which their findings should be fixed.

    Args:
        fund: the fund that the account is to hold.
        desk: the desk of the fund, as its journal leaves it.
        found: how the account is set up.
        any_address: accept a key that is not bound to an address.
    """
    yield from _key(found, any_address=any_address)
    yield from _modes(fund, found)
    yield from _held(fund, desk, found)
    yield from _margin(fund, desk, found)
    ahead, off, most = found.ahead_ms, found.off_ms, fund.venue.recv_window_ms // 2
    yield AccountCheck(
        "clock",
        abs(ahead) - off <= most,
        f"this machine is {abs(ahead)} ms {'behind' if ahead > 0 else 'ahead'}, to {off} ms",
        f"at most {most} ms off",
        "the machine's time service (NTP), or venue.recv_window",
    )


def _key(found: AccountSetup, *, any_address: bool) -> Iterator[AccountCheck]:
    rights = ", ".join(found.rights)
    yield AccountCheck(
        "key: rights",
        not found.rights,
        f"it may {rights}" if rights else "it moves no money",
        "neither withdrawals nor transfers",
        KEY_PAGE,
    )
    yield AccountCheck(
        "key: futures", found.can_trade, _yes(is_so=found.can_trade), "yes", KEY_PAGE
    )
    yield AccountCheck(
        "key: address",
        found.is_ip_bound or any_address,
        "bound" if found.is_ip_bound else "any",
        "any, as asked" if any_address else "bound to this machine's address",
        f"{KEY_PAGE}, or --any-address",
    )


def _modes(fund: FundSettings, found: AccountSetup) -> Iterator[AccountCheck]:
    mode = "hedge" if found.is_hedged else "one-way"
    yield AccountCheck("position mode", not found.is_hedged, mode, "one-way", FIX)
    is_cross = found.margin_mode in {"cross", "crossed"}
    yield AccountCheck("margin mode", is_cross, found.margin_mode, "crossed", FIX)
    yield AccountCheck(
        "margin assets",
        not found.is_multi_asset,
        "several" if found.is_multi_asset else "one",
        "one",
        "binance.com, Futures, Preference, Asset Mode",
    )
    is_credit = CREDIT in found.assets and fund.series.quote != CREDIT
    yield AccountCheck(
        "credit account",
        not is_credit,
        _yes(is_so=is_credit),
        "no",
        f"an account in another trading mode, or a series whose quote is {CREDIT}",
    )
    yield AccountCheck(
        "fees in another coin",
        not found.burns_fees,
        _yes(is_so=found.burns_fees),
        "no",
        "binance.com, Dashboard, Use BNB for fees (futures)",
    )


def _held(fund: FundSettings, desk: Desk, found: AccountSetup) -> Iterator[AccountCheck]:
    own = {} if not desk.is_launched else {market_of(fund.series.underlying, fund.series.quote)}
    others = [f"{name} {amount}" for name, amount in found.positions.items() if name not in own]
    quote = fund.series.quote
    others += [f"{amount} {name}" for name, amount in found.assets.items() if name != quote]
    yield AccountCheck(
        "holdings",
        not others,
        _some(others) or "nothing else",
        "nothing but this fund",
        "close or transfer what is named",
    )
    orders = list(found.open_orders)
    yield AccountCheck("open orders", not orders, _some(orders) or "none", "none", "cancel them")


def _margin(fund: FundSettings, desk: Desk, found: AccountSetup) -> Iterator[AccountCheck]:
    wanted = wanted_leverage(desk)
    yield AccountCheck(
        "leverage",
        found.leverage >= wanted,
        str(found.leverage),
        f"at least {wanted}, the emergency leverage",
        FIX,
    )
    price = desk.state.price
    assets = desk.state.cash if price is None else desk.fund.nav(price)
    notional = max(assets, Decimal(0)) * wanted
    tier = found.tier_of(notional)
    own = Decimal(str(fund.series.venue.maintenance_margin))
    at = f"a notional of {amount_text(round(notional, 2))}"
    if tier is None:
        yield AccountCheck("margin tier", False, f"none for {at}", "a tier", "a smaller fund")  # noqa: FBT003
        return
    yield AccountCheck(
        "margin tier",
        tier.maintenance == own,
        f"maintenance {tier.maintenance} at {at}",
        f"{own}, as the series says",
        f"maintenance_margin = {tier.maintenance} in the series file, before its launch",
    )
    yield AccountCheck(
        "tier's leverage",
        tier.leverage >= wanted,
        f"up to {tier.leverage} at {at}",
        f"at least {wanted}",
        "a smaller fund",
    )


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else "no"


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


async def fix(venue: ExchangeVenue, desk: Desk, found: AccountSetup) -> list[str]:
    """Set position mode, margin mode and leverage where they are unfit; return what was set.

    Raises:
        InputError: the exchange refuses a setting, for example while a position is held.
        VenueError: the exchange could not be reached, or the outcome is unknown.
    """
    done = []
    wanted = wanted_leverage(desk)
    try:
        if found.is_hedged:
            await venue.set_one_way()
            done.append("position mode: one-way")
        if found.margin_mode not in {"cross", "crossed"}:
            await venue.set_cross_margin()
            done.append("margin mode: crossed")
        if found.leverage < wanted:
            await venue.set_leverage(wanted)
            done.append(f"leverage: {wanted}")
    except Rejected as error:
        message = f"{desk.symbol}: expected an account that takes the setting, found: {error}"
        raise InputError(message, symbol=desk.symbol, code=error.details.get("code")) from None
    return done
