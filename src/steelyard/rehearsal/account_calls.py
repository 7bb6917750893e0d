"""The account: wallet, positions, settings, and listen keys for its stream."""

from __future__ import annotations

from typing import Any

from steelyard.rehearsal.account_views import (
    account_settings,
    account_view,
    balance_views,
    position_rows,
    symbol_config,
)
from steelyard.rehearsal.calls import Call
from steelyard.rehearsal.exchange import LISTEN_KEY_MS, QUOTE
from steelyard.rehearsal.margin import leverage_of, margin_of
from steelyard.rehearsal.records import Change, symbol_of
from steelyard.rehearsal.refusals import Refused
from steelyard.rehearsal.views import brackets_view, text

__all__ = [
    "account",
    "account_config",
    "account_with_settings",
    "adl_quantiles",
    "assets_mode",
    "balances",
    "brackets",
    "close_listen_key",
    "coins",
    "commission_rate",
    "fee_burn",
    "keep_listen_key",
    "new_listen_key",
    "order_limits",
    "permissions",
    "position_side",
    "positions",
    "positions_with_settings",
    "set_assets_mode",
    "set_fee_burn",
    "set_leverage",
    "set_margin_type",
    "set_position_side",
    "symbol_configs",
]

SUCCESS = {"code": 200, "msg": "success"}


def account(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The account, with its assets and positions."""
    return account_view(call.exchange.world, call.account, call.now_ms, QUOTE)


def account_with_settings(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The account with its settings, and all symbols (version 2)."""
    return account_view(call.exchange.world, call.account, call.now_ms, QUOTE, version=2)


def balances(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The wallet by asset."""
    return balance_views(call.exchange.world, call.account, call.now_ms, QUOTE)


def positions(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The positions that are held or have resting orders (version 3)."""
    return _positions(call)


def positions_with_settings(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The positions of all symbols, with their settings (version 2)."""
    return _positions(call, version=2)


def _positions(call: Call, version: int = 3) -> list[dict[str, Any]]:
    symbol = call.maybe_symbol()
    return position_rows(call.exchange.world, call.account, call.now_ms, symbol, version=version)


def adl_quantiles(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The rank of each position for auto-deleveraging, 0 to 4; the highest is closed first."""
    found: dict[str, dict[str, Any]] = {}
    for row in _positions(call):
        found.setdefault(row["symbol"], {})[row["positionSide"]] = row["adl"]
    return [{"symbol": symbol, "adlQuantile": sides} for symbol, sides in found.items()]


def brackets(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The margin tiers."""
    if call.maybe("symbol"):
        return [brackets_view(call.market().contract)]
    return [brackets_view(market.contract) for market in call.exchange.world.markets.values()]


def commission_rate(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The commission rates of the account."""
    contract = call.market().contract
    return {
        "symbol": contract.symbol,
        "makerCommissionRate": text(contract.maker),
        "takerCommissionRate": text(contract.taker),
    }


def symbol_configs(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The leverage and the margin type of each symbol."""
    chosen, world = call.maybe_symbol(), call.exchange.world
    symbols = [chosen] if chosen else list(world.markets)
    return [symbol_config(world, call.account, symbol) for symbol in symbols]


def account_config(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The settings of the whole account."""
    return {**account_settings(call.account), "dualSidePosition": call.account.is_hedge}


def order_limits(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The order rate limits of the account."""
    limits = call.exchange.throttle.rate_limits()
    return [limit for limit in limits if limit["rateLimitType"] == "ORDERS"]


def permissions(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The permissions of the key (``apiRestrictions``)."""
    return {"createTime": 0, **call.account.permissions}


def coins(_: Call) -> Any:  # noqa: ANN401 (JSON)
    """An empty list of coins, which ccxt requests by itself and does not need."""
    return []


# -- settings --------------------------------------------------------------------------------------


def _changed(call: Call) -> None:
    call.exchange.world.changes.append(Change(call.account.name, call.account, "CONFIG"))


def set_leverage(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Set a symbol's leverage; the position's margin must suffice at that leverage too."""
    contract, wanted = call.market().contract, call.needed_whole("leverage")
    if not 1 <= wanted <= contract.tiers[0].leverage:
        raise Refused("bad_leverage", leverage=wanted)
    world, own, symbol = call.exchange.world, call.account, contract.symbol
    most, before = contract.cap_at(wanted), own.leverages.get(symbol)
    held = [held for key, held in own.holdings.items() if symbol_of(key) == symbol]
    if any(abs(one.units) * world.markets[symbol].mark > most for one in held):
        raise Refused("above_tier")
    if held and symbol in own.isolated and wanted < leverage_of(own, symbol):
        raise Refused("leverage_cut")
    own.leverages[symbol] = wanted
    margin = margin_of(world, own)
    if own.holdings and margin.balance < margin.positions_initial + margin.orders_initial:
        if before is None:
            del own.leverages[symbol]
        else:
            own.leverages[symbol] = before
        raise Refused("leverage_too_high")
    _changed(call)
    return {"leverage": wanted, "maxNotionalValue": text(most), "symbol": symbol}


def set_margin_type(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Set a symbol's margin type to crossed or isolated."""
    symbol, wanted = call.market().contract.symbol, call.text("marginType")
    if wanted not in {"ISOLATED", "CROSSED"}:
        raise Refused("missing", name="marginType")
    if (wanted == "ISOLATED") == (symbol in call.account.isolated):
        raise Refused("same_margin_type")
    if any(call.account.orders[number].symbol == symbol for number in call.account.open_ids):
        raise Refused("open_orders_margin")
    if any(symbol_of(key) == symbol for key in call.account.holdings):
        raise Refused("open_position_margin")
    if wanted == "ISOLATED" and call.account.is_multi_asset:
        raise Refused("multi_assets")
    if wanted == "ISOLATED":
        call.account.isolated.append(symbol)
    else:
        call.account.isolated.remove(symbol)
    _changed(call)
    return SUCCESS


def position_side(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Whether the account is in hedge mode."""
    return {"dualSidePosition": call.account.is_hedge}


def set_position_side(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Set hedge mode or one-way mode."""
    call.text("dualSidePosition")
    wanted = call.flag("dualSidePosition")
    if wanted == call.account.is_hedge:
        raise Refused("same_position_side")
    if call.account.open_ids:
        raise Refused("open_orders")
    if call.account.holdings:
        raise Refused("open_position")
    call.account.is_hedge = wanted
    _changed(call)
    return SUCCESS


def assets_mode(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Whether multi-asset mode is on."""
    return {"multiAssetsMargin": call.account.is_multi_asset}


def set_assets_mode(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Set multi-asset mode, which allows only cross margin; ending it needs enough margin."""
    call.text("multiAssetsMargin")
    wanted = call.flag("multiAssetsMargin")
    if wanted == call.account.is_multi_asset:
        raise Refused("same_assets_mode")
    if wanted and call.account.isolated:
        raise Refused("isolated_symbols")
    call.account.is_multi_asset = wanted
    margin = margin_of(call.exchange.world, call.account)
    if not wanted and margin.balance < margin.positions_initial + margin.orders_initial:
        call.account.is_multi_asset = True
        raise Refused("multi_assets_margin")
    _changed(call)
    return SUCCESS


def fee_burn(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Whether fees are paid in another coin."""
    return {"feeBurn": call.account.burns_fees}


def set_fee_burn(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Set whether fees are paid in another coin; it is only shown, and fees stay in the quote."""
    call.text("feeBurn")
    call.account.burns_fees = call.flag("feeBurn")
    _changed(call)
    return SUCCESS


# -- listen keys -----------------------------------------------------------------------------------


def new_listen_key(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The listen key for the account's stream."""
    return {"listenKey": call.exchange.listen_key(call.account.name, call.now_ms)}


def keep_listen_key(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Renew a listen key for another hour."""
    keys = call.exchange.listen_keys
    for key, (owner, end) in keys.items():
        if owner == call.account.name and end > call.now_ms:
            keys[key] = (owner, call.now_ms + LISTEN_KEY_MS)
            return {"listenKey": key}
    raise Refused("no_listen_key")


def close_listen_key(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """End a listen key."""
    keys = call.exchange.listen_keys
    for key in [key for key, (owner, _) in keys.items() if owner == call.account.name]:
        del keys[key]
    return {}
