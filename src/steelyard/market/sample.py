"""The bundled history: daily bars of BTC and ETH in US dollars, 2020 to 2022.

``sample/SOURCE.md`` states where the figures come from.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

from steelyard.errors import InputError
from steelyard.market.prices import Prices, read_prices

__all__ = ["SAMPLE_NAMES", "sample_prices"]

SAMPLE_NAMES = ("BTC", "ETH")


def sample_prices(name: str = "BTC") -> Prices:
    """Return the bundled daily bars of ``BTC`` or ``ETH`` (UTC days, US dollars, 1,096 rows).

    Raises:
        InputError: no history of this name is bundled.
    """
    if name not in SAMPLE_NAMES:
        allowed = " or ".join(SAMPLE_NAMES)
        raise InputError(
            f"expected {allowed}, the bundled histories; found {name!r}",
            found=name,
            allowed=SAMPLE_NAMES,
        )
    file = resources.files(__package__) / "sample" / f"{name.lower()}_usd_daily.csv"
    with resources.as_file(file) as path:
        return replace(read_prices(path), source=path.name, symbol=name)
