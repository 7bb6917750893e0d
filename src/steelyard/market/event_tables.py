"""What happens to a token at given times, as tables: what `events` reads and checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["YEAR_S", "Flows", "Funding", "Injections", "Outages", "Rates", "Splits"]

EIGHT_HOURS_S = 28_800.0
YEAR_S = 31_536_000.0


@dataclass(frozen=True, eq=False)
class Funding:
    """Funding of a perpetual: at ``time`` a long pays ``rate`` of its notional to a short.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        rate: float64, fraction of notional, positive where longs pay.
        source: the file as it was named, or ``frame``.
    """

    time: NDArray[np.int64]
    rate: NDArray[np.float64]
    source: str = "frame"

    def __len__(self) -> int:
        return len(self.time)

    @property
    def per_year(self) -> float:
        """What the payments amount to in a year, as a fraction of notional, the long paying.

        The sum over the time that they cover, the last one's own interval included.
        """
        return float(self.rate.sum()) * YEAR_S / (len(self) * self.interval_s)

    @property
    def interval_s(self) -> float:
        """Seconds from one payment to the next: the median; eight hours where there is one only."""
        return float(np.median(np.diff(self.time))) if len(self) > 1 else EIGHT_HOURS_S


@dataclass(frozen=True, eq=False)
class Rates:
    """Interest rates: each holds from its ``time`` until the next one's.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        rate: float64, per year, as a fraction.
    """

    time: NDArray[np.int64]
    rate: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Injections:
    """Money that is put into a reserve.

    Attributes:
        time: int64, epoch seconds UTC, never descending.
        quote: float64, amount in quote, above 0.
        kind: ``capital`` or ``trading_fees``, one per row.
    """

    time: NDArray[np.int64]
    quote: NDArray[np.float64]
    kind: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Flows:
    """Creations and redemptions.

    Attributes:
        time: int64, epoch seconds UTC, never descending.
        tokens: float64, created (> 0) or redeemed (< 0).
    """

    time: NDArray[np.int64]
    tokens: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Splits:
    """Splits (ratio > 1) and merges (ratio < 1) of tokens.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        ratio: float64, tokens for one token.
    """

    time: NDArray[np.int64]
    ratio: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Outages:
    """Spans in which the keeper is dead: nothing is traded.

    Attributes:
        start: int64, epoch seconds UTC, ascending; the instant itself is inside.
        end: int64, epoch seconds UTC, after its start; the instant itself is outside.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)
