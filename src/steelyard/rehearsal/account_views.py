"""What the exchange tells of an account: wallet, margin and positions, as far as they are seen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from steelyard.rehearsal.margin import (
    Margin,
    leverage_of,
    liquidation_price,
    maintenance,
    margin_of,
)
from steelyard.rehearsal.records import Account, Holding, VisibleAccount, World
from steelyard.rehearsal.views import text

__all__ = [
    "account_settings",
    "account_view",
    "balance_view",
    "position_rows",
    "seen_of",
    "symbol_config",
]

NOTHING = Decimal(0)
RISK_3 = [
    "symbol",
    "positionSide",
    "positionAmt",
    "entryPrice",
    "breakEvenPrice",
    "markPrice",
    "unRealizedProfit",
    "liquidationPrice",
    "isolatedMargin",
    "notional",
    "marginAsset",
    "isolatedWallet",
    "initialMargin",
    "maintMargin",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "adl",
    "bidNotional",
    "askNotional",
    "updateTime",
]
RISK_2 = [
    "entryPrice",
    "breakEvenPrice",
    "marginType",
    "isAutoAddMargin",
    "isolatedMargin",
    "leverage",
    "liquidationPrice",
    "markPrice",
    "maxNotionalValue",
    "positionAmt",
    "notional",
    "isolatedWallet",
    "symbol",
    "unRealizedProfit",
    "positionSide",
    "updateTime",
]
ACCOUNT_3 = [
    "symbol",
    "positionSide",
    "positionAmt",
    "unrealizedProfit",
    "isolatedMargin",
    "notional",
    "isolatedWallet",
    "initialMargin",
    "maintMargin",
    "updateTime",
]
ACCOUNT_2 = [
    "symbol",
    "initialMargin",
    "maintMargin",
    "unrealizedProfit",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "leverage",
    "isolated",
    "entryPrice",
    "maxNotional",
    "bidNotional",
    "askNotional",
    "positionSide",
    "positionAmt",
    "updateTime",
]
"""What each version tells of a position: the third no longer tells its settings."""
OLD = 2
ENTRY_STEP = Decimal("0.000000000001")
"""Of entry prices: so fine that units times the price is the cost, once it is rounded."""


def seen_of(account: Account, now_ms: int) -> VisibleAccount:
    """What look-ups show of an account now: the last of its states that is seen yet."""
    due = [seen for seen in account.seen if seen.seen_ms <= now_ms]
    if due:
        return due[-1]
    return account.seen[0] if account.seen else VisibleAccount(0, account.wallet, account.holdings)


def position_rows(
    world: World, account: Account, now_ms: int, symbol: str | None = None, *, version: int = 3
) -> list[dict[str, Any]]:
    """Positions as ``positionRisk`` tells them.

    Args:
        world: the exchange.
        account: whose.
        now_ms: the exchange's clock.
        symbol: only this one; None for all.
        version: 2 tells symbols without a position too, 3 does not.
    """
    fields = RISK_2 if version == OLD else RISK_3
    rows = _rows(world, account, now_ms, symbol, is_all=version == OLD)
    return [{name: row[name] for name in fields} for row in rows]


def _rows(
    world: World, account: Account, now_ms: int, symbol: str | None, *, is_all: bool
) -> list[dict[str, Any]]:
    seen = seen_of(account, now_ms)
    busy = {account.orders[number].symbol for number in account.open_ids}
    return [
        _position(world, account, seen, name)
        for name in (world.markets if symbol is None else [symbol])
        if is_all or name in seen.holdings or name in busy
    ]


def _position(world: World, account: Account, seen: VisibleAccount, symbol: str) -> dict[str, Any]:
    market = world.markets[symbol]
    units, cost = seen.holdings.get(symbol, Holding())
    worth = (units * market.mark).quantize(Decimal("0.00000001"))
    alone = {symbol: Holding(units, cost)} if units != 0 else {}
    margin = margin_of(world, account, NOTHING, alone)
    entry = (cost / units).quantize(ENTRY_STEP) if units != 0 else NOTHING
    stop = liquidation_price(world, account, symbol, seen.wallet, seen.holdings)
    setting = leverage_of(account, symbol)
    most = text(market.contract.cap_at(setting))
    is_isolated = symbol in account.isolated
    return {
        "symbol": symbol,
        "positionSide": "BOTH",
        "positionAmt": text(units),
        "entryPrice": text(entry),
        "breakEvenPrice": text(entry),
        "markPrice": text(market.mark),
        "unRealizedProfit": text(margin.unrealised),
        "liquidationPrice": text(stop.quantize(Decimal("0.00000001"))),
        "isolatedMargin": "0",
        "notional": text(worth),
        "marginAsset": market.contract.quote,
        "isolatedWallet": "0",
        "initialMargin": text(margin.positions_initial),
        "maintMargin": text(maintenance(market, units)),
        "positionInitialMargin": text(margin.positions_initial),
        "openOrderInitialMargin": "0",
        "adl": _adl(margin, units),
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": seen.time_ms if units != 0 else 0,
        "leverage": str(setting),
        "maxNotionalValue": most,
        "marginType": "isolated" if is_isolated else "cross",
        "isAutoAddMargin": "false",
        # the account calls these otherwise:
        "unrealizedProfit": text(margin.unrealised),
        "isolated": is_isolated,
        "maxNotional": most,
    }


def _adl(margin: Margin, units: Decimal) -> int:
    """How soon it would be deleveraged, 0 to 4: winners with the most leverage first."""
    if units == 0 or margin.unrealised <= 0:
        return 0
    return min(4, 1 + int(margin.unrealised / max(margin.positions_initial, Decimal(1)) * 2))


def balance_view(world: World, account: Account, now_ms: int, quote: str) -> dict[str, Any]:
    """The wallet, as ``balance`` lists it."""
    seen = seen_of(account, now_ms)
    margin = margin_of(world, account, seen.wallet, seen.holdings)
    free = text(min(margin.available, max(NOTHING, seen.wallet)))
    return {
        "accountAlias": account.name,
        "asset": quote,
        "balance": text(seen.wallet),
        "crossWalletBalance": text(seen.wallet),
        "crossUnPnl": text(margin.unrealised),
        "availableBalance": text(margin.available),
        "maxWithdrawAmount": free,
        "marginAvailable": True,
        "updateTime": seen.time_ms,
    }


def account_view(
    world: World, account: Account, now_ms: int, quote: str, *, version: int = 3
) -> dict[str, Any]:
    """The whole account, as ``account`` tells it."""
    seen = seen_of(account, now_ms)
    margin = margin_of(world, account, seen.wallet, seen.holdings)
    free = text(min(margin.available, max(NOTHING, seen.wallet)))
    initial = margin.positions_initial + margin.orders_initial
    asset = {
        "asset": quote,
        "walletBalance": text(seen.wallet),
        "unrealizedProfit": text(margin.unrealised),
        "marginBalance": text(margin.balance),
        "maintMargin": text(margin.maintenance),
        "initialMargin": text(initial),
        "positionInitialMargin": text(margin.positions_initial),
        "openOrderInitialMargin": text(margin.orders_initial),
        "crossWalletBalance": text(seen.wallet),
        "crossUnPnl": text(margin.unrealised),
        "availableBalance": text(margin.available),
        "maxWithdrawAmount": free,
        "updateTime": seen.time_ms,
    }
    is_old = version == OLD
    fields = ACCOUNT_2 if is_old else ACCOUNT_3
    rows = _rows(world, account, now_ms, None, is_all=is_old)
    return {
        **(account_settings(account) if is_old else {}),
        "totalInitialMargin": text(initial),
        "totalMaintMargin": text(margin.maintenance),
        "totalWalletBalance": text(seen.wallet),
        "totalUnrealizedProfit": text(margin.unrealised),
        "totalMarginBalance": text(margin.balance),
        "totalPositionInitialMargin": text(margin.positions_initial),
        "totalOpenOrderInitialMargin": text(margin.orders_initial),
        "totalCrossWalletBalance": text(seen.wallet),
        "totalCrossUnPnl": text(margin.unrealised),
        "availableBalance": text(margin.available),
        "maxWithdrawAmount": free,
        "assets": [{**asset, "marginAvailable": True} if is_old else asset],
        "positions": [{name: row[name] for name in fields} for row in rows],
    }


def account_settings(account: Account) -> dict[str, Any]:
    """Settings of the whole account, which version 2 told along."""
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": account.permissions.get("enableWithdrawals", False),
        "updateTime": 0,
        "multiAssetsMargin": account.is_multi_asset,
        "tradeGroupId": -1,
    }


def symbol_config(world: World, account: Account, symbol: str) -> dict[str, Any]:
    """The settings of a symbol, as ``symbolConfig`` lists them."""
    setting = leverage_of(account, symbol)
    most = text(world.markets[symbol].contract.cap_at(setting))
    return {
        "symbol": symbol,
        "marginType": "ISOLATED" if symbol in account.isolated else "CROSSED",
        "isAutoAddMargin": False,
        "leverage": setting,
        "maxNotionalValue": most,
    }
