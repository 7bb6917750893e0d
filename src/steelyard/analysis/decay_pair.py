"""Two assets held against each other at matched volatility, and what is read of all such pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from steelyard.analysis.matching import Matched
from steelyard.analysis.windows import Windows
from steelyard.market import Prices

__all__ = ["Decay", "Pair"]


class Pair(NamedTuple):
    """An asset, or all of them together, held against others, in one of the ways to match."""

    asset: str
    against: str
    volatility: str
    dates: str
    found: Matched

    @property
    def figures(self) -> dict[str, Any]:
        """Its entry in the object of ``decay --json``."""
        found = self.found
        return {
            "asset": self.asset,
            "against": self.against,
            "volatility": self.volatility,
            "dates": self.dates,
            "windows": found.windows,
            "matched": found.matched,
            "matched_volatility": found.volatility,
            "decay": found.decay,
            "decay_against": found.decay_against,
            "difference": found.difference.value,
            "difference_low": found.difference.low,
            "difference_high": found.difference.high,
            "from_variance": found.from_variance,
            "from_shape": found.from_shape,
            "lost": found.lost,
            "lost_against": found.lost_against,
            "lost_more": found.lost_more.value,
            "lost_more_low": found.lost_more.low,
            "lost_more_high": found.lost_more.high,
            "wiped_out": found.wiped_out,
            "wiped_out_against": found.wiped_out_against,
        }


class Decay(Protocol):
    """What words, tables and figures read of a comparison of decay, which is ``DecayAcross``."""

    @property
    def target(self) -> float:
        """L, signed."""
        ...

    @property
    def window_days(self) -> int:
        """Length of a window."""
        ...

    @property
    def confidence(self) -> float:
        """Of the intervals."""
        ...

    @property
    def prices(self) -> Mapping[str, Prices]:
        """Each asset's history, by its name."""
        ...

    @property
    def held(self) -> Mapping[str, Windows]:
        """Each asset's windows, by its name."""
        ...

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """What was found, one a pair of assets and way to match."""
        ...

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``decay --json``."""
        ...
