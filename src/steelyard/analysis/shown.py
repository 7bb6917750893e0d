"""What words, tables and charts read of a result, so that none of them has to know its class.

A result (``Tracking``, ``Explanation``, ``Forecast``, ``TearSheet``) calls what shows it; what
shows it is written against these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from steelyard.analysis.rungs import Feedback, Rung, TokenOutlook
    from steelyard.analysis.shelf import Shelf
    from steelyard.analysis.statistics import DailyValues
    from steelyard.analysis.worst_move import WorstMove
    from steelyard.market import Prices
    from steelyard.rules.series import Series
    from steelyard.simulation.run import Run

__all__ = ["ShownExplanation", "ShownForecast", "ShownGaps", "ShownTearSheet", "ShownTracking"]


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


class ShownGaps(Protocol):
    """The worst moves of a history."""

    @property
    def prices(self) -> Prices:
        """The history."""
        ...

    @property
    def series(self) -> Series | None:
        """Whose venue and rule they are held against."""
        ...

    @property
    def rows(self) -> Sequence[WorstMove]:
        """One a span and side."""
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

    @property
    def feedback(self) -> Feedback | None:
        """How flows and moves answer each other."""
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
    def gaps(self) -> ShownGaps:
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
