"""The result of a decay comparison: frames, figures, sentences, a plot and a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.analysis.decay_pair import Pair
from steelyard.analysis.matched_windows import Matched
from steelyard.analysis.windows import Windows, variance_decay
from steelyard.errors import InputError
from steelyard.market import Prices, format_time
from steelyard.market.times import DAY_S
from steelyard.report.shown_result import Shown

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["DecayAcross"]


@dataclass(frozen=True, eq=False, repr=False)
class DecayAcross(Shown):
    """The decay of several assets at matched volatility.

    Attributes:
        target: target leverage L, signed.
        window_days: length of each window, in days.
        shift_days: number of days by which all windows are shifted.
        caliper: largest relative difference between matched volatilities.
        block_days: mean length of the bootstrap's blocks, in days.
        resamples: number of bootstrap resamples.
        confidence: confidence level of the intervals.
        seed: seed of the bootstrap.
        prices: each asset's history, by the asset's name.
        held: each asset's windows, by the asset's name.
        against: the assets with which the others are compared.
        pairs: the results, one for each pair of assets and way of matching.
    """

    target: float
    window_days: int
    shift_days: int
    caliper: float
    block_days: float
    resamples: int
    confidence: float
    seed: int
    prices: Mapping[str, Prices]
    held: Mapping[str, Windows]
    against: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @cached_property
    def windows(self) -> pd.DataFrame:
        """One row for each asset and window, with its start (UTC), volatilities and decay.

        Volatilities are annualised. ``decay`` and ``predicted`` are log returns over the window;
        ``decay`` is -inf where the token was wiped out.
        """
        import pandas as pd

        frames = []
        for name, one in self.held.items():
            start = (one.number * self.window_days + self.shift_days) * DAY_S
            columns = {
                "asset": name,
                "start": pd.to_datetime(start, unit="s", utc=True),
                "volatility_bars": np.sqrt(one.bars * self._per_year),
                "volatility_days": np.sqrt(one.days * self._per_year),
                "decay": one.decay,
                "predicted": variance_decay(self.target, one.days),
                "wiped_out": ~one.lived,
            }
            frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True)

    @cached_property
    def assets(self) -> pd.DataFrame:
        """One row for each asset, by its name, over all its windows without matching."""
        import pandas as pd

        rows = pd.DataFrame(self.figures["assets"]).set_index("asset")
        numbers = [name for name in rows.columns if name not in ("prices", "start", "end")]
        return rows.astype(dict.fromkeys(numbers, float) | {"windows": int, "wiped_out": int})

    @cached_property
    def matched(self) -> pd.DataFrame:
        """One row for each pair and way of matching; unknown figures are NaN."""
        import pandas as pd

        frame = pd.DataFrame([pair.figures for pair in self.pairs])
        words = ("asset", "against", "volatility", "dates", "windows", "matched")
        return frame.astype({name: float for name in frame.columns if name not in words})

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``decay --json``."""
        return {
            "schema": 1,
            "target_leverage": self.target,
            "window_days": self.window_days,
            "shift_days": self.shift_days,
            "caliper": self.caliper,
            "block_days": self.block_days,
            "resamples": self.resamples,
            "confidence": self.confidence,
            "seed": self.seed,
            "against": list(self.against),
            "assets": [self._asset(name) for name in self.held],
            "pairs": [pair.figures for pair in self.pairs],
        }

    @property
    def words(self) -> str:
        """One sentence for each measure of volatility: what the intervals show."""
        from steelyard.analysis.decay_document import decay_words

        return decay_words(self)

    def pair(
        self, asset: str, against: str, *, volatility: str = "days", dates: str = "any"
    ) -> Matched:
        """The result of one pair.

        Raises:
            InputError: there is no such pair.
        """
        wanted = (asset, against, volatility, dates)
        for one in self.pairs:
            if one[:4] == wanted:
                return one.found
        there = "; ".join(dict.fromkeys(f"{one.asset} against {one.against}" for one in self.pairs))
        message = f"pair: expected one of {there}; found {' '.join(wanted)}."
        raise InputError(message, found=wanted)

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """Plot each window's decay against its volatility, and the differences with intervals."""
        from steelyard.analysis.decay_document import decay_panels, decay_title
        from steelyard.report.figure import stacked_figure

        return stacked_figure(decay_panels(self), decay_title(self), dark=dark)

    def document(self) -> Document:
        """The document from which terminal, text, notebook and page are made."""
        from steelyard.analysis.decay_document import decay_document

        return decay_document(self)

    @property
    def _per_year(self) -> float:
        return 365 / self.window_days

    def _asset(self, name: str) -> dict[str, Any]:
        one = self.held[name]
        living = one.chosen(one.lived)
        start, end = (
            (int(number) * self.window_days + self.shift_days) * DAY_S
            for number in (one.number[0], one.number[-1] + 1)
        )
        decay = predicted = None
        if len(living):
            decay = float(living.decay.mean()) * self._per_year
            expected = variance_decay(self.target, living.days)
            predicted = float(expected.mean()) * self._per_year
        return {
            "asset": name,
            "prices": self.prices[name].source,
            "start": format_time(start),
            "end": format_time(end),
            "windows": len(one),
            "wiped_out": int((~one.lived).sum()),
            "volatility_bars": float(np.sqrt(one.bars.mean() * self._per_year)),
            "volatility_days": float(np.sqrt(one.days.mean() * self._per_year)),
            "decay": decay,
            "predicted": predicted,
        }
