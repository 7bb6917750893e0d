"""The text of a new series file: each choice has its own line and a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from steelyard.rules.optimal_band import optimal_edge_half_width
from steelyard.rules.presets import preset_text

__all__ = ["preset_series_text", "series_text"]

FEE_BPS, HALF_SPREAD_BPS = 5.0, 1.0
COST = (FEE_BPS + HALF_SPREAD_BPS) / 10_000
GAMMA = 1.0
# a target of 1 does not drift, so that every band costs nothing
NARROWEST = 0.05
WIDEST = 0.9
TRIGGERS = ("band", "delever_above", "move", "interval", "daily", "fallback")


def preset_series_text(preset: str, symbol: str | None, underlying: str | None) -> str:
    """The preset's file with another symbol or underlying.

    Raises:
        InputError: there is no preset of that name.
    """
    text = preset_text(preset)
    if symbol is not None:
        text = _with(text, "symbol", symbol)
    if underlying is not None:
        text = _with(_with(text, "underlying", underlying), "quote", _quote_of(underlying))
    return text


def series_text(options: Mapping[str, Any]) -> str:
    """A series file from the options of ``series new``, with defaults for missing ones."""
    return "\n".join(_lines(options)) + "\n"


def _lines(options: Mapping[str, Any]) -> Iterator[str]:
    given = options["target_leverage"]
    target = 3.0 if given is None else given
    underlying = options["underlying"] or "BTC/USDT:USDT"
    symbol = options["symbol"] or _symbol(underlying, target)
    yield "# A leveraged token. Its thresholds never change: a changed rule needs a new series."
    yield "schema = 1"
    yield f"symbol = {_quoted(symbol)}"
    yield f"underlying = {_quoted(underlying)} # as ccxt writes it"
    yield f"quote = {_quoted(_quote_of(underlying))}"
    yield f"target_leverage = {target!r} # signed: -1.0 is a 1x short"
    yield "initial_nav = 100.0 # quote per token at launch"
    yield "initial_tokens = 1000.0"
    yield ""
    yield from _rebalance(options, target)
    yield from _venue(options["venue"] or "perpetual")
    is_pool = options["venue"] == "pool"
    yield "[costs] # in addition to the pool's fee" if is_pool else "[costs]"
    yield f"taker_fee_bps = {0.0 if is_pool else FEE_BPS} # of traded notional"
    yield f"half_spread_bps = {0.0 if is_pool else HALF_SPREAD_BPS}"
    yield 'impact = "none" # or "linear", "square_root", "amm", "book"'
    yield "gas_per_rebalance = 0.0 # quote per trade"
    yield ""
    yield "[fees]"
    yield "management_per_year = 0.0 # of net asset value"
    if options["reserve"] is not None:
        yield ""
        yield "[reserve] # without this table holders bear every cost"
        yield f"initial_units = {options['reserve']!r} # of the underlying"
        yield 'bears = ["spread", "impact", "gas"] # "fee" may be added'
        yield "floor_ratio = 0.10 # of net asset value; below it, nothing raises leverage"
        yield "resume_ratio = 0.12"
        yield "fee_share = 0.5 # of creation, redemption and management fees"


def _rebalance(options: Mapping[str, Any], target: float) -> Iterator[str]:
    chosen = [name for name in TRIGGERS if options[name] is not None]
    move_to = options["move_to"]
    needs_band = not chosen or (move_to == "edge" and options["band"] is None)
    least_cost = needs_band and options["delever_above"] is None
    if move_to is None:
        move_to = "edge" if least_cost else "target"
    yield "[rebalance]"
    yield f'move_to = "{move_to}" # "target", "edge" (the edge that was crossed) or "partway"'
    if move_to == "edge":
        yield "edge_slack = 0.02 # how far past the edge it trades"
    if move_to == "partway":
        yield "recentering_speed = 0.05 # share of the way back to the target"
    yield "max_trade_notional = 0.0 # largest clip in quote; 0 means no limit"
    emergency = 0.0 if options["emergency"] is None else options["emergency"]
    yield f"emergency_leverage = {emergency!r} # back to target at once from here; 0 means none"
    yield ""
    if least_cost:
        yield from _least_cost_band(target)
    if options["band"] is not None:
        lower, upper = options["band"]
        comment = "trades when |leverage| leaves these"
        yield from _trigger("band", comment, lower=repr(lower), upper=repr(upper))
    if options["delever_above"] is not None:
        upper = repr(options["delever_above"])
        comment = "only ever lowers leverage"
        yield from _trigger("band", comment, upper=upper, delever_only="true")
    if options["move"] is not None:
        comment = "since the last rebalance"
        yield from _trigger("move", comment, threshold=repr(options["move"]))
    clocks = (
        ("interval", "every", "counted from 00:00 UTC"),
        ("daily", "at", "UTC"),
        ("fallback", "after", "without any rebalance"),
    )
    for when, key, comment in clocks:
        if options[when] is not None:
            yield from _trigger(when, comment, **{key: _quoted(options[when])})


def _least_cost_band(target: float) -> Iterator[str]:
    size = abs(target)
    width = optimal_edge_half_width(target, COST, GAMMA)
    width = min(max(width, NARROWEST * size), WIDEST * size)
    yield "# The band of least cost + gamma/2 x tracking variance. Trades go only to the edges,"
    yield "# at (3/(4 gamma) x 2c x L^2 (L-1)^2)^(1/3) from the target; gamma = 1, c = 0.0006."
    lower, upper = repr(float(f"{size - width:.6g}")), repr(float(f"{size + width:.6g}"))
    yield from _trigger("band", "of |leverage|", lower=lower, upper=upper)


def _trigger(when: str, comment: str, **values: str) -> Iterator[str]:
    yield "[[rebalance.trigger]]"
    yield f'when = "{when}" # {comment}'
    for key, value in values.items():
        yield f"{key} = {value}"
    yield ""


def _venue(kind: str) -> Iterator[str]:
    yield "[venue]"
    if kind == "pool":
        yield 'kind = "pool" # the reserve takes the other side: its own, or a shared one'
        yield "max_utilisation = 0.8 # largest net notional, as a share of the reserve's value"
        yield f"fee_bps = {FEE_BPS} # of traded notional, into the reserve"
        yield ""
        return
    if kind == "spot":
        yield 'kind = "spot" # borrowed; or "perpetual", "future", "pool"'
        yield "liquidation_threshold = 0.86 # debt over collateral"
        yield "rate_per_year = 0.03 # simulate --rates replaces it"
    else:
        if kind == "future":
            yield 'kind = "future" # dated, rolled; or "perpetual", "spot", "pool"'
            yield 'expiry = "quarterly" # last Fridays of March, June, September, December'
            yield "roll_days = 3.0 # before its expiry"
            yield "basis_per_year = 0.05 # premium over the price, per year to expiry"
            yield "cash_rate_per_year = 0.0 # earned on nav; simulate --rates replaces it"
        else:
            yield 'kind = "perpetual" # or "spot" (borrowed), "future" (dated), "pool"'
        yield "maintenance_margin = 0.005 # share of notional; below it, liquidated"
    yield "liquidation_fee = 0.0 # share of notional"
    yield ""


def _with(text: str, key: str, value: str) -> str:
    """The file with another value for a key of its first table."""
    lines = text.split("\n")
    place = next(row for row, line in enumerate(lines) if line.startswith(f"{key} = "))
    return "\n".join([*lines[:place], f"{key} = {_quoted(value)}", *lines[place + 1 :]])


def _symbol(underlying: str, target: float) -> str:
    """``BTC3L``, ``ETH1S``."""
    base = re.split(r"[/:]", underlying)[0]
    return f"{base}{abs(target):g}{'L' if target > 0 else 'S'}"


def _quote_of(underlying: str) -> str:
    """``USDT`` of ``BTC/USDT:USDT``; ``USD`` where nothing is named."""
    after = underlying.partition("/")[2].partition(":")[0]
    return after or "USD"


def _quoted(text: str) -> str:
    """A TOML string."""
    return json.dumps(text)
