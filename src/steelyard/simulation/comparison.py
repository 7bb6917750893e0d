"""The result of a comparison: series that ran over one history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.report.shown_result import Shown
from steelyard.simulation.compared_series import Compared

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document
    from steelyard.simulation.run import Run

__all__ = ["SORTS", "Comparison"]

SORTS: Mapping[str, bool] = {
    "name": False,
    "error": False,
    "cost_per_year": False,
    "kappa": False,
    "turnover_per_year": False,
    "rebalances": False,
    "return": True,
    "difference": True,
    "worst_day": True,
    "max_drawdown": True,
}
"""What a comparison can be sorted by; True where the greatest figure is best and comes first."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """The result of a comparison of series over one history.

    Attributes:
        entries: one for each series, in the order given or sorted.
        prices: the bars that were run.
        intrabar: ``"close"`` or ``"path"``.
        volatility: sigma per year, realised over the bars; None over a single instant.
    """

    entries: tuple[Compared, ...]
    prices: Prices
    intrabar: str
    volatility: float | None

    @property
    def runs(self) -> dict[str, Run]:
        """Name of each series -> its run."""
        return {entry.name: entry.run for entry in self.entries}

    @cached_property
    def table(self) -> pd.DataFrame:
        """A frame with one row per series, indexed by name; undefined figures are NaN."""
        import pandas as pd

        frame = pd.DataFrame([entry.row for entry in self.entries]).set_index("name")
        words = {"efficient", "wiped_out"}
        numbers = [name for name in frame.columns if name not in words]
        return frame.astype(dict.fromkeys(numbers, float) | {"rebalances": int})

    @property
    def figures(self) -> dict[str, Any]:
        """The object that ``compare --json`` prints."""
        first = self.entries[0].run.summary
        return {
            "schema": 1,
            "prices": self.prices.source,
            **{key: first[key] for key in ("start", "end", "bars", "gaps", "intrabar")},
            "volatility": self.volatility,
            "series": [entry.figures for entry in self.entries],
        }

    def sorted_by(self, key: str) -> Comparison:
        """The comparison with the best series by ``key`` first and undefined figures last.

        Raises:
            InputError: the key is not one of ``SORTS``.
        """
        if key not in SORTS:
            message = f"sort: expected one of {', '.join(SORTS)}, found {key!r}."
            raise InputError(message, found=key, allowed=tuple(SORTS))
        known = [entry for entry in self.entries if entry.row[key] is not None]
        known.sort(key=lambda entry: entry.row[key], reverse=SORTS[key])
        unknown = [entry for entry in self.entries if entry.row[key] is None]
        return replace(self, entries=(*known, *unknown))

    def document(self) -> Document:
        """The document from which terminal output, text, notebook and page are rendered."""
        from steelyard.simulation.compare_document import comparison_document

        return comparison_document(self.entries, self.volatility)

    def __repr__(self) -> str:
        best = ", ".join(entry.name for entry in self.entries if entry.efficient)
        return f"<Comparison of {len(self.entries)} series over {self.prices!r}, efficient: {best}>"
