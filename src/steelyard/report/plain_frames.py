"""What the pages and figures are drawn from: plain facts, plain frames.

A frame is anything whose columns are reached by name and become an array: a pandas or polars
frame, a pyarrow table, a dict of numpy arrays. Nothing here knows who made it, and nothing here
imports pandas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard.errors import InputError

__all__ = [
    "Floats",
    "Frame",
    "Ints",
    "ReportRun",
    "SeriesFacts",
    "floats",
    "has_column",
    "texts",
    "times",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


class Frame(Protocol):
    """Columns by name."""

    def __getitem__(self, name: str, /) -> object:
        """The column called ``name``."""
        ...


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """What a reader is told about a series before any figure.

    Args:
        symbol: its name, unique on a page; also the page's deep link, ``#symbol``.
        title: a short headline, such as ``FTX BULL``.
        sentence: what it is, in one sentence.
        rule: the rule in a few words, for the overview.
        underlying, quote: what it follows and what it is paid in.
        target_leverage: signed, in multiples of nav.
        venue, costs: where the position lives and what trading there costs, in words.
        lower, upper: band on the leverage's absolute value, where there is one.
        emergency: absolute leverage at which it goes to target at once; None or 0 for none.
        floor_ratio, resume_ratio: of the reserve, where there is one.
    """

    symbol: str
    title: str
    sentence: str
    underlying: str
    quote: str
    target_leverage: float
    rule: str = ""
    venue: str = ""
    costs: str = ""
    orders: str = ""
    lower: float | None = None
    upper: float | None = None
    emergency: float | None = None
    floor_ratio: float | None = None
    resume_ratio: float | None = None


@dataclass(frozen=True)
class ReportRun:
    """One series over one history, as SPEC.md section 6 writes it down.

    Args:
        facts: the series in words and thresholds.
        summary: the object that ``simulate --json`` prints.
        nav: ``time, price, nav, leverage, tokens[, reserve]``, one row per bar; reserve in
            units of the underlying.
        rebalances: the columns of ``rebalances.parquet``, launch included.
        costs: ``time, fee, spread, impact, gas, funding, interest, management,
            paid_by_reserve``, cumulative, quote, the whole fund, one row per row of ``nav``.
            Without it the page adds up the costs in ``rebalances``.
        assets: float64, one per row of ``nav``: net asset value of all tokens that the reserve
            serves (quote). Without it that is the token's own.
        suspended: spans (from, to; epoch s) in which the reserve suspended what raises leverage.
    """

    facts: SeriesFacts
    summary: Mapping[str, object]
    nav: Frame
    rebalances: Frame
    costs: Frame | None = None
    assets: Floats | None = None
    suspended: Sequence[tuple[int, int]] = ()


def has_column(frame: Frame, name: str) -> bool:
    """Whether ``frame`` has a column called ``name``."""
    names: Any = getattr(frame, "column_names", None)  # pyarrow, whose .columns are the arrays
    if names is None:
        names = getattr(frame, "columns", frame)
    return name in names


def floats(frame: Frame, name: str) -> Floats:
    """A column as float64, shape (rows,); what is infinite becomes NaN: it cannot be drawn."""
    values = np.asarray(_column(frame, name), dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def texts(frame: Frame, name: str) -> list[str]:
    """A column of words."""
    return [str(word) for word in np.asarray(_column(frame, name)).tolist()]


def times(frame: Frame, name: str = "time") -> Ints:
    """A column of instants as epoch seconds, UTC, shape (rows,).

    Naive datetimes are taken as UTC; numbers as epoch seconds.

    Raises:
        InputError: the column is neither.
    """
    column = np.asarray(_column(frame, name))
    if column.dtype.kind == "M":
        return column.astype("datetime64[s]").astype(np.int64)
    if column.dtype.kind in "iuf":
        return column.astype(np.int64)
    message = (
        f"column {name!r} of a frame to plot must hold naive UTC datetimes or epoch seconds, "
        f"found {column.dtype}"
    )
    raise InputError(message, column=name, found=str(column.dtype))


def _column(frame: Frame, name: str) -> object:
    if not has_column(frame, name):
        message = f"a frame to plot has no column {name!r}"
        raise InputError(message, column=name)
    return frame[name]
