"""The comparison of two assets at matched volatility, and the protocol of a whole comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from steelyard.analysis.matched_windows import Matched
from steelyard.analysis.windows import Windows
from steelyard.market import Prices

__all__ = ["Decay", "Pair"]


class Pair(NamedTuple):
    """One asset, or all together, compared with others in one of the ways of matching."""

    asset: str
    against: str
    volatility: str
    dates: str
    found: Matched

    @property
    def figures(self) -> dict[str, Any]:
        """The entry of this pair in the object of ``decay --json``."""
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
    """The part of ``DecayAcross`` that sentences, tables and charts read."""

    @property
    def target(self) -> float:
        """Target leverage L, signed."""
        ...

    @property
    def window_days(self) -> int:
        """Length of each window, in days."""
        ...

    @property
    def confidence(self) -> float:
        """Confidence level of the intervals."""
        ...

    @property
    def prices(self) -> Mapping[str, Prices]:
        """Each asset's history, by the asset's name."""
        ...

    @property
    def held(self) -> Mapping[str, Windows]:
        """Each asset's windows, by the asset's name."""
        ...

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The results, one for each pair of assets and way of matching."""
        ...

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``decay --json``."""
        ...
