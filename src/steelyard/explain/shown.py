"""What words, tables and charts read of a result, so that none of them has to know its class.

A result (``Tracking``, ``Explanation``, ``Forecast``, ``TearSheet``) calls what shows it; what
shows it is written against these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from steelyard.explain.gaps import GapTable
    from steelyard.explain.rungs import Rung, TokenOutlook
    from steelyard.explain.shelf import Shelf
    from steelyard.explain.statistics import DailyValues
    from steelyard.simulate.run import Run

__all__ = ["ShownExplanation", "ShownForecast", "ShownTearSheet", "ShownTracking"]


class ShownTracking(Protocol):
    """How well a token tracks."""

    @property
    def target(self) -> float:
        """L, signed."""
        ...

    @property
    def time(self) -> npt.NDArray[np.int64]:
        """Epoch s of the last bar of each day."""
        ...

    @property
    def figures(self) -> dict[str, Any]:
        """The field ``tracking`` of ``explain --json``."""
        ...

    def rolling_columns(self, days: int = 30, /) -> dict[str, npt.NDArray[Any]]:
        """The figures of single days over each trailing window of so many."""
        ...


class ShownExplanation(Protocol):
    """Where a run's return went."""

    @property
    def run(self) -> Run:
        """That is explained."""
        ...

    @property
    def target(self) -> float:
        """L, signed."""
        ...

    @property
    def steps(self) -> dict[str, float]:
        """Each step over the whole life, as a return."""
        ...

    @property
    def held(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """By step, nav of one token held since the launch."""
        ...

    @property
    def tracking(self) -> ShownTracking:
        """Of its run."""
        ...

    def columns(self, by: str | None = None) -> dict[str, npt.NDArray[Any]]:
        """Returns by period, an array a column."""
        ...

    def figures(self, by: str | None = None) -> dict[str, Any]:
        """The object of ``explain --json``."""
        ...

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """The steps as a figure."""
        ...


class ShownForecast(Protocol):
    """What tokens will trade."""

    @property
    def shelf(self) -> Shelf:
        """The tokens."""
        ...

    @property
    def price(self) -> float:
        """Of the underlying, now."""
        ...

    @property
    def time(self) -> int:
        """Now, epoch s."""
        ...

    @property
    def tokens(self) -> tuple[TokenOutlook, ...]:
        """One a token."""
        ...

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """One a price, the lowest first."""
        ...

    @property
    def present(self) -> Rung:
        """As if the ladder had the present price."""
        ...

    @property
    def words(self) -> str:
        """What will be traded, in a few sentences."""
        ...


class ShownTearSheet(Protocol):
    """All that is told of one run."""

    @property
    def run(self) -> Run:
        """That is told of."""
        ...

    @property
    def explanation(self) -> ShownExplanation:
        """Where its return went."""
        ...

    @property
    def gaps(self) -> GapTable:
        """The worst moves of its history."""
        ...

    @property
    def forecast(self) -> ShownForecast | None:
        """What it will trade next."""
        ...

    @property
    def tracking(self) -> ShownTracking:
        """How well it tracks."""
        ...

    @property
    def rolling(self) -> dict[str, npt.NDArray[Any]]:
        """Tracking over trailing windows."""
        ...

    @property
    def days(self) -> dict[str, DailyValues]:
        """What each of three was worth at the ends of days."""
        ...

    @property
    def statistics(self) -> dict[str, dict[str, float | None]]:
        """Of each of the three, by name."""
        ...
