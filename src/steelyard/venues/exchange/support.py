"""The exchanges that a fund can trade at, and the exchange's names of its markets.

An exchange needs perpetuals that are linear in the fund's quote, orders that are immediate or
cancel and reduce-only, client order ids, and a table of the outcomes of its answers
(``binanceusdm.OUTCOMES``). ccxt knows about the first three; the table exists for one exchange.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

__all__ = ["SUPPORTED", "is_supported", "market_of", "what_is_missing"]

SUPPORTED = ("binanceusdm",)
PERPETUAL = re.compile(r"([A-Z0-9]{1,20})/([A-Z0-9]{1,20}):([A-Z0-9]{1,20})")


def is_supported(name: str) -> bool:
    """Whether a fund can trade at this exchange."""
    return name in SUPPORTED


def market_of(symbol: str, quote: str) -> str | None:
    """Binance's name of a perpetual, given ccxt's (``BTC/USDT:USDT``); None: it is not linear."""
    found = PERPETUAL.fullmatch(symbol)
    if found is None or found[2] != found[3] or found[3] != quote:
        return None
    return found[1] + found[2]


def what_is_missing(name: str) -> str:
    """What an exchange that is not supported lacks, as far as ccxt tells."""
    only = f"supported: {', '.join(SUPPORTED)}"
    try:
        import ccxt
    except ImportError:
        return only
    if name not in ccxt.exchanges:
        return f"ccxt knows none of that name; {only}"
    kind = getattr(ccxt, name)
    found = kind()
    linear: dict[str, Any] = ((found.features or {}).get("swap") or {}).get("linear") or {}
    in_force = (linear.get("createOrder") or {}).get("timeInForce") or {}
    lacks = {
        "linear perpetuals": found.has.get("swap") and linear,
        "immediate-or-cancel orders": in_force.get("IOC"),
        "reduce-only orders": found.has.get("createReduceOnlyOrder"),
        "client ids": _takes_client_ids(kind),
        "a table of what its answers say": False,
    }
    missing = [what for what, is_there in lacks.items() if not is_there]
    return f"missing: {', '.join(missing)}; {only}"


def _takes_client_ids(kind: type) -> bool:
    """Whether orders there can have a client id, which only ccxt's source shows."""
    names = ("create_order", "create_order_request")
    sources = [inspect.getsource(getattr(kind, each)) for each in names if hasattr(kind, each)]
    return any("clientOrderId" in each or "clientOid" in each for each in sources)
