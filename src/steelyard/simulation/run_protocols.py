"""The parts of a run that pages, figures and files read, and the inputs that it was made of.

A run calls the modules that draw and save it; those modules know a run only by these protocols.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from steelyard.market import Prices
from steelyard.rules.numbers import Number
from steelyard.rules.series import Series
from steelyard.simulation.conditions import MarketConditions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from steelyard.simulation.run_tables import Columns

__all__ = ["DrawnRun", "KeptRun", "Sources"]


class Sources(NamedTuple):
    """What a run was made of in addition to its series and bars: enough to make it again."""

    events: Mapping[str, Any]
    """The result of ``read_events``."""
    market: MarketConditions
    number: Number[Any]
    engine: str
    names: Mapping[str, str]
    """Input name -> path of its file; inputs that were frames are left out."""


class DrawnRun(Protocol):
    """A run as pages and figures read it."""

    @property
    def series(self) -> Series:
        """The token."""
        ...

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of ``simulate --json``."""
        ...

    @property
    def prices(self) -> Prices:
        """The bars that were run."""
        ...

    @property
    def splits(self) -> npt.NDArray[np.float64]:
        """Number of tokens now for each token of the launch; float64, shape (bars,)."""
        ...

    @property
    def nav_columns(self) -> Columns:
        """The nav table, one row per bar."""
        ...

    @property
    def rebalance_columns(self) -> Columns:
        """The table of rebalances, one row per trade."""
        ...

    @property
    def cost_columns(self) -> Columns:
        """The table of cumulative costs, one row per bar."""
        ...

    @property
    def suspension_columns(self) -> Columns:
        """The table of suspensions, one row per span."""
        ...


class KeptRun(DrawnRun, Protocol):
    """A run as it is written to disk, with what is needed to make it again."""

    @property
    def intrabar(self) -> str:
        """``close`` or ``path``."""
        ...

    @property
    def flow_columns(self) -> Columns:
        """The table of flows, one row per creation or redemption."""
        ...

    @property
    def _sources(self) -> Sources | None:
        """What the run was made of; None if it cannot be made again."""
        ...
