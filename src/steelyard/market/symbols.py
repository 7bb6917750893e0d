"""The asset that a source of prices names: in a file's name, a column or a ticker.

Only an unambiguous name counts: `BTCUSDT-1m-2025-01.zip`, `ETH_USDT-1h.feather`,
`eth_usd_daily.csv`. A name that could mean something else, or that contains two assets, is ignored.
"""

from __future__ import annotations

import re
from pathlib import PurePath

__all__ = ["base_of", "symbol_in_name"]

# Longest first, so that BTCUSDT is not read as BTCUS and DT.
_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDE", "USD", "EUR", "GBP", "JPY", "KRW")
# Assets that do not appear in file names by chance; a word like LINK or SAND counts only with a
# quote currency.
_KNOWN = frozenset(
    {"ADA", "AVAX", "BCH", "BNB", "BTC", "DOGE", "ETH", "LTC", "SHIB", "SOL", "TRX", "XBT", "XRP"}
)
_SAME = {"XBT": "BTC", "BITCOIN": "BTC", "ETHEREUM": "ETH"}
_WORDS = {"BITCOIN", "ETHEREUM"}


def base_of(symbol: str) -> str:
    """Return the base asset of a symbol: BTC for BTC/USDT:USDT, BTC-USD and BTCUSDT."""
    base = re.split(r"[/_:\-. ]", symbol.strip().upper())[0]
    bases = [base.removesuffix(q) for q in _QUOTES if base.endswith(q) and base != q]
    # XBTUSD is XBT in USD, although the longer TUSD would match as well.
    base = next((one for one in bases if one in _KNOWN), bases[0] if bases else base)
    return _SAME.get(base, base)


def symbol_in_name(name: str) -> str:
    """Return the only symbol in a file's name; empty if it contains none or several."""
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
