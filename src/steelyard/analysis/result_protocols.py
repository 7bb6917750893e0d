"""Protocols of the results, for the modules that build sentences, tables and charts from them.

The classes of the results (``Tracking``, ``Explanation``, ``Forecast``, ``TearSheet``) import the
modules that show them. These modules use the protocols here, so that imports form no circle.
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
    """How well a token tracks L times its underlying."""

    @property
    def target(self) -> float:
        """Target leverage L, signed."""
        ...

    @property
    def time(self) -> npt.NDArray[np.int64]:
        """Epoch s of the last bar of each day, shape (days,)."""
        ...

    @property
    def figures(self) -> dict[str, Any]:
        """The field ``tracking`` of ``explain --json``."""
        ...

    def rolling_columns(self, days: int = 30, /) -> dict[str, npt.NDArray[Any]]:
        """The daily figures over each trailing window of ``days`` days, by name."""
        ...


class ShownExplanation(Protocol):
    """Where a run's return went."""

    @property
    def run(self) -> Run:
        """The run that is explained."""
        ...

    @property
    def target(self) -> float:
        """Target leverage L, signed."""
        ...

    @property
    def steps(self) -> dict[str, float]:
        """The return of each step over the token's whole life."""
        ...

    @property
    def held(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """For each step, the nav of one token held since the launch."""
        ...

    @property
    def tracking(self) -> ShownTracking:
        """How well the run tracks."""
        ...

    def columns(self, by: str | None = None) -> dict[str, npt.NDArray[Any]]:
        """The figures of each period, as an array for each column."""
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
        """The series whose venue and rule the moves are tested against; None: none."""
        ...

    @property
    def rows(self) -> Sequence[WorstMove]:
        """The worst moves, one for each span and side."""
        ...


class ShownForecast(Protocol):
    """What tokens will trade."""

    @property
    def shelf(self) -> Shelf:
        """The tokens."""
        ...

    @property
    def price(self) -> float:
        """Present price of the underlying."""
        ...

    @property
    def time(self) -> int:
        """Present time, epoch s."""
        ...

    @property
    def tokens(self) -> tuple[TokenOutlook, ...]:
        """The outlook of each token."""
        ...

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs, one for each price, lowest price first."""
        ...

    @property
    def present(self) -> Rung:
        """The rung of the present price, which the ladder itself may not contain."""
        ...

    @property
    def words(self) -> str:
        """What will be traded, in a few sentences."""
        ...

    @property
    def feedback(self) -> Feedback | None:
        """The feedback between flows and price moves; None if it was not asked for."""
        ...


class ShownTearSheet(Protocol):
    """The tear sheet of one run."""

    @property
    def run(self) -> Run:
        """The run that the tear sheet describes."""
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
        """What the token will trade next; None where there is no forecast."""
        ...

    @property
    def tracking(self) -> ShownTracking:
        """How well the run tracks."""
        ...

    @property
    def rolling(self) -> dict[str, npt.NDArray[Any]]:
        """Tracking over trailing windows, as arrays by name."""
        ...

    @property
    def days(self) -> dict[str, DailyValues]:
        """Values of token, multiple and underlying at the ends of days."""
        ...

    @property
    def statistics(self) -> dict[str, dict[str, float | None]]:
        """Statistics of token, multiple and underlying, by name; None: undefined."""
        ...
