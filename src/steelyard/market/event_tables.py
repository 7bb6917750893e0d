"""The tables of dated events that `event_readers` reads and checks: funding, rates and so on."""

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
    """Funding of a perpetual: at each ``time`` a long pays ``rate`` of its notional to a short.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        rate: fraction of notional, float64; positive if longs pay.
        source: the file's name as it was given, or ``frame``.
    """

    time: NDArray[np.int64]
    rate: NDArray[np.float64]
    source: str = "frame"

    def __len__(self) -> int:
        return len(self.time)

    @property
    def per_year(self) -> float:
        """The payments in a year, as a fraction of notional; positive if longs pay.

        This is the sum of the rates over the time that they cover; the last one counts with its own
        interval.
        """
        return float(self.rate.sum()) * YEAR_S / (len(self) * self.interval_s)

    @property
    def interval_s(self) -> float:
        """The median number of seconds between payments; eight hours if there is only one."""
        return float(np.median(np.diff(self.time))) if len(self) > 1 else EIGHT_HOURS_S


@dataclass(frozen=True, eq=False)
class Rates:
    """Interest rates, each of which is valid from its ``time`` until the next one's.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        rate: interest per year as a fraction, float64.
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
        quote: amount in quote, float64, above 0.
        kind: ``capital`` or ``trading_fees``, one for each row.
    """

    time: NDArray[np.int64]
    quote: NDArray[np.float64]
    kind: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Flows:
    """Creations and redemptions of tokens.

    Attributes:
        time: int64, epoch seconds UTC, never descending.
        tokens: number of tokens created (> 0) or redeemed (< 0), float64.
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
        ratio: number of new tokens for each old one, float64.
    """

    time: NDArray[np.int64]
    ratio: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Outages:
    """Spans in which the keeper is down, so that nothing is traded.

    Attributes:
        start: int64, epoch seconds UTC, ascending; the span includes it.
        end: int64, epoch seconds UTC, after the start; the span excludes it.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)
