"""Series that ran over one history, set side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.report.shown import Shown
from steelyard.simulation.compared import Compared

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
"""What a comparison can be sorted by, best first: whether the greatest is the best."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """Series over one history.

    Attributes:
        entries: one a series, in the order given or sorted by.
        prices: the bars that were run.
        intrabar: ``"close"`` or ``"path"``.
        volatility: sigma, realised over the bars, a year.
    """

    entries: tuple[Compared, ...]
    prices: Prices
    intrabar: str
    volatility: float | None

    @property
    def runs(self) -> dict[str, Run]:
        """Each series' run by its name."""
        return {entry.name: entry.run for entry in self.entries}

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a series, by name; what is undefined is NaN."""
        import pandas as pd

        frame = pd.DataFrame([entry.row for entry in self.entries]).set_index("name")
        words = {"efficient", "wiped_out"}
        numbers = [name for name in frame.columns if name not in words]
        return frame.astype(dict.fromkeys(numbers, float) | {"rebalances": int})

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``compare --json``."""
        first = self.entries[0].run.summary
        return {
            "schema": 1,
            "prices": self.prices.source,
            **{key: first[key] for key in ("start", "end", "bars", "gaps", "intrabar")},
            "volatility": self.volatility,
            "series": [entry.figures for entry in self.entries],
        }

    def sorted_by(self, key: str) -> Comparison:
        """The comparison with its best series by ``key`` first, undefined figures last.

        Raises:
            InputError: nothing can be sorted by that; ``SORTS`` has what can.
        """
        if key not in SORTS:
            message = f"sort: expected one of {', '.join(SORTS)}, found {key!r}."
            raise InputError(message, found=key, allowed=tuple(SORTS))
        known = [entry for entry in self.entries if entry.row[key] is not None]
        known.sort(key=lambda entry: entry.row[key], reverse=SORTS[key])
        unknown = [entry for entry in self.entries if entry.row[key] is None]
        return replace(self, entries=(*known, *unknown))

    def document(self) -> Document:
        """All that is shown of it: terminal, text, notebook and page are made of it."""
        from steelyard.simulation.compare_document import comparison_document

        return comparison_document(self.entries, self.volatility)

    def __repr__(self) -> str:
        best = ", ".join(entry.name for entry in self.entries if entry.efficient)
        return f"<Comparison of {len(self.entries)} series over {self.prices!r}, efficient: {best}>"
