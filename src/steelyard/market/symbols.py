"""Which asset a source of prices names: in a file's name, a column or a ticker.

Only what names an asset plainly counts: `BTCUSDT-1m-2025-01.zip`, `ETH_USDT-1h.feather`,
`eth_usd_daily.csv`. A name that could be something else, or that names two assets, names none.
"""

from __future__ import annotations

import re
from pathlib import PurePath

__all__ = ["base_of", "symbol_in_name"]

# Longest first, so that BTCUSDT is not read as BTCUS and DT.
_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE", "USD", "EUR", "GBP", "JPY", "KRW")
# Assets that no file is called after by chance; a word like LINK or SAND counts with its quote.
_KNOWN = frozenset(
    {"ADA", "AVAX", "BCH", "BNB", "BTC", "DOGE", "ETH", "LTC", "SHIB", "SOL", "TRX", "XBT", "XRP"}
)
_SAME = {"XBT": "BTC", "BITCOIN": "BTC", "ETHEREUM": "ETH"}
_WORDS = {"BITCOIN", "ETHEREUM"}


def base_of(symbol: str) -> str:
    """Return the asset that a symbol is a market of: BTC of BTC/USDT:USDT, BTC-USD and BTCUSDT."""
    base = re.split(r"[/_:\-. ]", symbol.strip().upper())[0]
    bases = [base.removesuffix(q) for q in _QUOTES if base.endswith(q) and base != q]
    # XBTUSD is XBT in USD, though XB in TUSD would be longer.
    base = next((one for one in bases if one in _KNOWN), bases[0] if bases else base)
    return _SAME.get(base, base)


def symbol_in_name(name: str) -> str:
    """Return the symbol that a file's name says plainly; empty where it says none, or several."""
    words = [word for word in re.split(r"[^A-Z0-9]+", PurePath(name).name.upper()) if word]
    found: dict[str, str] = {}
    for word, after in zip(words, [*words[1:], ""], strict=True):
        base = base_of(word)
        if word in _QUOTES or not re.fullmatch(r"[A-Z0-9]{2,10}", base):
            continue
        is_pair = after in _QUOTES and not base.isdigit()
        is_joined = (
            word not in _WORDS and base not in (word, _SAME.get(word)) and not base.isdigit()
        )
        if is_pair or is_joined or word in _KNOWN or word in _WORDS:
            found.setdefault(base, f"{word}-{after}" if is_pair else word)
    return next(iter(found.values())) if len(found) == 1 else ""
