"""The setup of a Binance USD-M account: its key's rights, its modes, its holdings and margin tiers.

Only three settings can be changed here: position mode, margin mode and leverage.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from steelyard.venues.exchange.client import Client
from steelyard.venues.exchange.parsing import amount_of, readable

__all__ = ["AccountSetup", "Tier", "read_setup", "set_cross_margin", "set_leverage", "set_one_way"]

WINDOW_MS = 10_000
CREDIT = "BNFCR"
"""The asset of accounts in credit trading mode."""
OPEN_RIGHTS = {
    "enableWithdrawals": "withdraw",
    "enableInternalTransfer": "transfer between accounts",
    "permitsUniversalTransfer": "transfer between wallets",
}


@dataclass(frozen=True, slots=True)
class Tier:
    """A margin tier: positions up to its cap must keep this share of their notional as margin."""

    cap: Decimal
    """The largest notional, in quote."""
    maintenance: Decimal
    leverage: int
    """The highest leverage setting."""


@dataclass(frozen=True, slots=True)
class AccountSetup:
    """The setup that was found."""

    ahead_ms: int
    """How far the exchange's clock is ahead of this machine's, ms."""
    off_ms: int
    """The largest error of ``ahead_ms``, ms."""
    rights: tuple[str, ...]
    """The key's permissions to take money out of the account."""
    can_trade: bool
    is_ip_bound: bool
    is_hedged: bool
    is_multi_asset: bool
    burns_fees: bool
    """Whether fees are paid in BNB while the account has any."""
    margin_mode: str
    leverage: int
    tiers: tuple[Tier, ...]
    assets: Mapping[str, Decimal]
    """The wallets that are not empty, by asset."""
    positions: Mapping[str, Decimal]
    """The positions in units, by the exchange's symbol."""
    open_orders: tuple[str, ...]
    """The open orders, each as its symbol and client id."""

    def tier_of(self, notional: Decimal) -> Tier | None:
        """The tier of a position with this notional; None: it is larger than every tier allows."""
        for tier in self.tiers:
            if notional <= tier.cap:
                return tier
        return None


async def read_setup(client: Client, market: str) -> AccountSetup:
    """Read how an account is set up.

    Raises:
        VenueError: a call failed, or its answer cannot be read.
    """
    asked_ms = _now_ms()
    server = await client.call("fapiPublicGetTime", {})
    came_ms = _now_ms()
    with readable():
        time_ms = int(server.content["serverTime"])
    client.budget.see_clock(time_ms)

    async def read(name: str, **params: Any) -> Any:  # noqa: ANN401 (JSON)
        signed = {**params, "timestamp": client.budget.venue_ms(), "recvWindow": WINDOW_MS}
        return (await client.call(name, signed)).content

    key = await read("sapiGetAccountApiRestrictions")
    mode = await read("fapiPrivateGetPositionSideDual")
    multi = await read("fapiPrivateGetMultiAssetsMargin")
    burn = await read("fapiPrivateGetFeeBurn")
    configs = await read("fapiPrivateGetSymbolConfig", symbol=market)
    brackets = await read("fapiPrivateGetLeverageBracket", symbol=market)
    balances = await read("fapiPrivateV3GetBalance")
    positions = await read("fapiPrivateV3GetPositionRisk")
    orders = await read("fapiPrivateGetOpenOrders")
    with readable():
        (config,) = [each for each in configs if each["symbol"] == market]
        listed = brackets if isinstance(brackets, list) else [brackets]
        (tiers,) = [each["brackets"] for each in listed if each["symbol"] == market]
        return AccountSetup(
            ahead_ms=time_ms - (asked_ms + came_ms) // 2,
            off_ms=(came_ms - asked_ms + 1) // 2,
            rights=tuple(said for name, said in OPEN_RIGHTS.items() if key[name] is not False),
            can_trade=key["enableFutures"] is True,
            is_ip_bound=key["ipRestrict"] is True,
            is_hedged=mode["dualSidePosition"] is not False,
            is_multi_asset=multi["multiAssetsMargin"] is not False,
            burns_fees=burn["feeBurn"] is not False,
            margin_mode=str(config["marginType"]).lower(),
            leverage=int(config["leverage"]),
            tiers=tuple(
                sorted(
                    (
                        Tier(
                            amount_of(each["notionalCap"]),
                            amount_of(each["maintMarginRatio"]),
                            int(each["initialLeverage"]),
                        )
                        for each in tiers
                    ),
                    key=lambda tier: tier.cap,
                )
            ),
            assets=_not_zero({each["asset"]: amount_of(each["balance"]) for each in balances}),
            positions=_not_zero(
                {each["symbol"]: amount_of(each["positionAmt"]) for each in positions}
            ),
            open_orders=tuple(f"{each['symbol']} {each['clientOrderId']}" for each in orders),
        )


def _not_zero(amounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {str(name): amount for name, amount in amounts.items() if amount != 0}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _set(client: Client, name: str, params: Mapping[str, Any]) -> None:
    stamp = {"timestamp": client.budget.venue_ms(), "recvWindow": WINDOW_MS}
    await client.call(name, {**params, **stamp})


async def set_one_way(client: Client) -> None:
    """Set one-way mode: one position per symbol, long or short."""
    await _set(client, "fapiPrivatePostPositionSideDual", {"dualSidePosition": "false"})


async def set_cross_margin(client: Client, market: str) -> None:
    """Set cross margin: the whole wallet is the margin of the position."""
    params = {"symbol": market, "marginType": "CROSSED"}
    await _set(client, "fapiPrivatePostMarginType", params)


async def set_leverage(client: Client, market: str, leverage: int) -> None:
    """Set the leverage: the largest multiple of the wallet that a position may have."""
    await _set(client, "fapiPrivatePostLeverage", {"symbol": market, "leverage": leverage})
