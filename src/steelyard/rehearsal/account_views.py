"""The exchange's answers about an account: wallet, margin and positions, as far as visible."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from steelyard.rehearsal.margin import (
    Margin,
    held_back,
    isolated_of,
    leverage_of,
    liquidation_price,
    maintenance,
    margin_of,
    profit_and_needs,
)
from steelyard.rehearsal.records import (
    Account,
    Holding,
    VisibleAccount,
    World,
    key_of,
    side_of_key,
    symbol_of,
)
from steelyard.rehearsal.views import text

__all__ = [
    "account_settings",
    "account_view",
    "balance_views",
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
"""The fields of a position in each version; version 3 leaves out its settings."""
OLD = 2
ENTRY_STEP = Decimal("0.000000000001")
"""The step of entry prices: so fine that units times the price, rounded, gives the cost."""


def seen_of(account: Account, now_ms: int) -> VisibleAccount:
    """The state of an account that look-ups show now: the last one that is visible."""
    due = [seen for seen in account.seen if seen.seen_ms <= now_ms]
    if due:
        return due[-1]
    return account.seen[0] if account.seen else VisibleAccount(0, account.wallet, account.holdings)


def position_rows(
    world: World, account: Account, now_ms: int, symbol: str | None = None, *, version: int = 3
) -> list[dict[str, Any]]:
    """The positions, as ``positionRisk`` lists them.

    Args:
        world: the exchange.
        account: the account.
        now_ms: the exchange's clock, ms.
        symbol: the only symbol to list; None: all.
        version: 2 also lists symbols without a position; 3 does not.
    """
    fields = RISK_2 if version == OLD else RISK_3
    rows = _rows(world, account, now_ms, symbol, is_all=version == OLD)
    return [{name: row[name] for name in fields} for row in rows]


def _rows(
    world: World, account: Account, now_ms: int, symbol: str | None, *, is_all: bool
) -> list[dict[str, Any]]:
    seen = seen_of(account, now_ms)
    orders = (account.orders[number] for number in account.open_ids)
    busy = {key_of(order.symbol, order.position_side) for order in orders}
    return [
        _position(world, account, seen, key)
        for name in (world.markets if symbol is None else [symbol])
        for key in (key_of(name, side) for side in _sides(account))
        if is_all or key in seen.holdings or key in busy
    ]


def _sides(account: Account) -> tuple[str, ...]:
    return ("LONG", "SHORT") if account.is_hedge else ("BOTH",)


def _position(world: World, account: Account, seen: VisibleAccount, key: str) -> dict[str, Any]:
    symbol, side = symbol_of(key), side_of_key(key)
    market = world.markets[symbol]
    held = seen.holdings.get(key, Holding())
    units = held.units
    worth = (units * market.mark).quantize(Decimal("0.00000001"))
    is_isolated = symbol in account.isolated
    alone = {key: held} if units != 0 else {}
    margin = Margin(held.margin, *profit_and_needs(world, account, alone))
    entry = (held.cost / units).quantize(ENTRY_STEP) if units != 0 else NOTHING
    stop = liquidation_price(world, account, key, seen.wallet, seen.holdings)
    setting = leverage_of(account, symbol)
    most = text(market.contract.cap_at(setting))
    orders = [account.orders[number] for number in account.open_ids]
    orders = [order for order in orders if key_of(order.symbol, order.position_side) == key]
    resting = [(order.units - order.filled) * order.price for order in orders]
    waits = sum((held_back(account, order) for order in orders), NOTHING)
    return {
        "symbol": symbol,
        "positionSide": side,
        "positionAmt": text(units),
        "entryPrice": text(entry),
        "breakEvenPrice": text(entry),
        "markPrice": text(market.mark),
        "unRealizedProfit": text(margin.unrealised),
        "liquidationPrice": text(stop.quantize(Decimal("0.00000001"))),
        "isolatedMargin": text(margin.balance) if is_isolated else "0",
        "notional": text(worth),
        "marginAsset": market.contract.quote,
        "isolatedWallet": text(held.margin),
        "initialMargin": text(margin.positions_initial + waits),
        "maintMargin": text(maintenance(market, units)),
        "positionInitialMargin": text(margin.positions_initial),
        "openOrderInitialMargin": text(waits),
        "adl": _adl(margin, units),
        "bidNotional": text(sum((one for one in resting if one > 0), NOTHING)),
        "askNotional": text(-sum((one for one in resting if one < 0), NOTHING)),
        "updateTime": seen.time_ms if units != 0 else 0,
        "leverage": str(setting),
        "maxNotionalValue": most,
        "marginType": "isolated" if is_isolated else "cross",
        "isAutoAddMargin": "false",
        # the account's answer has other names for these:
        "unrealizedProfit": text(margin.unrealised),
        "isolated": is_isolated,
        "maxNotional": most,
    }


def _adl(margin: Margin, units: Decimal) -> int:
    """The rank for auto-deleveraging, 0 to 4; profitable, highly leveraged positions come first."""
    if units == 0 or margin.unrealised <= 0:
        return 0
    return min(4, 1 + int(margin.unrealised / max(margin.positions_initial, Decimal(1)) * 2))


def balance_views(world: World, account: Account, now_ms: int, quote: str) -> list[dict[str, Any]]:
    """The wallet by asset, the quote first, as ``balance`` lists it."""
    seen = seen_of(account, now_ms)
    margin = margin_of(world, account, seen.wallet, seen.holdings)
    crossed = seen.wallet - isolated_of(world, account, seen.holdings).wallet

    def tell(asset: str, wallet: Decimal, crossed: Decimal, profit: Decimal, free: Decimal) -> Any:  # noqa: ANN401 (JSON)
        return {
            "accountAlias": account.name,
            "asset": asset,
            "balance": text(wallet),
            "crossWalletBalance": text(crossed),
            "crossUnPnl": text(profit),
            "availableBalance": text(free),
            "maxWithdrawAmount": text(min(free, max(NOTHING, crossed))),
            "marginAvailable": True,
            "updateTime": seen.time_ms,
        }

    first = tell(quote, seen.wallet, crossed, margin.unrealised, margin.available)
    others = account.assets.items()
    return [first, *(tell(name, held, held, NOTHING, held) for name, held in others)]


def account_view(
    world: World, account: Account, now_ms: int, quote: str, *, version: int = 3
) -> dict[str, Any]:
    """The whole account, as ``account`` lists it."""
    seen = seen_of(account, now_ms)
    margin = margin_of(world, account, seen.wallet, seen.holdings)
    apart = isolated_of(world, account, seen.holdings)
    crossed = seen.wallet - apart.wallet
    free = text(min(margin.available, max(NOTHING, crossed)))
    profit, needed = margin.unrealised + apart.unrealised, margin.maintenance + apart.maintenance
    positions_initial = margin.positions_initial + apart.positions_initial
    initial = positions_initial + margin.orders_initial
    asset = {
        "asset": quote,
        "walletBalance": text(seen.wallet),
        "unrealizedProfit": text(profit),
        "marginBalance": text(seen.wallet + profit),
        "maintMargin": text(needed),
        "initialMargin": text(initial),
        "positionInitialMargin": text(positions_initial),
        "openOrderInitialMargin": text(margin.orders_initial),
        "crossWalletBalance": text(crossed),
        "crossUnPnl": text(margin.unrealised),
        "availableBalance": text(margin.available),
        "maxWithdrawAmount": free,
        "updateTime": seen.time_ms,
    }
    assets = [asset, *(_other(name, held, seen) for name, held in account.assets.items())]
    is_old = version == OLD
    fields = ACCOUNT_2 if is_old else ACCOUNT_3
    rows = _rows(world, account, now_ms, None, is_all=is_old)
    return {
        **(account_settings(account) if is_old else {}),
        "totalInitialMargin": text(initial),
        "totalMaintMargin": text(needed),
        "totalWalletBalance": text(margin.wallet + apart.wallet),
        "totalUnrealizedProfit": text(profit),
        "totalMarginBalance": text(margin.balance + apart.balance),
        "totalPositionInitialMargin": text(positions_initial),
        "totalOpenOrderInitialMargin": text(margin.orders_initial),
        "totalCrossWalletBalance": text(margin.wallet),
        "totalCrossUnPnl": text(margin.unrealised),
        "availableBalance": text(margin.available),
        "maxWithdrawAmount": free,
        "assets": [{**one, "marginAvailable": True} if is_old else one for one in assets],
        "positions": [{name: row[name] for name in fields} for row in rows],
    }


def _other(name: str, held: Decimal, seen: VisibleAccount) -> dict[str, Any]:
    """The row of an asset other than the quote, in which nothing is traded."""
    amount = text(held)
    whole = ("walletBalance", "marginBalance", "crossWalletBalance", "availableBalance")
    needs = ("maintMargin", "initialMargin", "positionInitialMargin", "openOrderInitialMargin")
    none = dict.fromkeys((*needs, "unrealizedProfit", "crossUnPnl"), "0")
    told = {"asset": name, **dict.fromkeys(whole, amount), **none}
    return {**told, "maxWithdrawAmount": amount, "updateTime": seen.time_ms}


def account_settings(account: Account) -> dict[str, Any]:
    """The settings of the whole account, which version 2 includes."""
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
