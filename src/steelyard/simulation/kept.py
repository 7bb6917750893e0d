"""What is read of a run where it is drawn and written to disk, and what it was made of.

A run calls what draws and saves it; that is written against these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from steelyard.market import Prices
from steelyard.rules.numbers import Number
from steelyard.rules.series import Series
from steelyard.simulation.conditions import Market

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from steelyard.simulation.frames import Columns

__all__ = ["DrawnRun", "KeptRun", "Sources"]


class Sources(NamedTuple):
    """What a run was made of beside its series and its bars, read: enough to make it again."""

    events: Mapping[str, Any]
    """Of ``read_events``."""
    market: Market
    number: Number[Any]
    engine: str
    names: Mapping[str, str]
    """Paths of the files among what was given, by option; of frames there are none."""


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
        """One a bar: tokens then for one token of the launch."""
        ...

    @property
    def nav_columns(self) -> Columns:
        """One row a bar."""
        ...

    @property
    def rebalance_columns(self) -> Columns:
        """One row a trade."""
        ...

    @property
    def cost_columns(self) -> Columns:
        """One row a bar."""
        ...

    @property
    def suspension_columns(self) -> Columns:
        """One row a span."""
        ...


class KeptRun(DrawnRun, Protocol):
    """A run as it is written to disk, with what it takes to make it again."""

    @property
    def intrabar(self) -> str:
        """``close`` or ``path``."""
        ...

    @property
    def flow_columns(self) -> Columns:
        """One row a creation or redemption."""
        ...

    @property
    def _sources(self) -> Sources | None:
        """None where it cannot be made again."""
        ...
