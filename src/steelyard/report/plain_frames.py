"""The data from which pages and figures are drawn: plain facts and plain frames.

A frame is any object whose columns can be accessed by name and converted to arrays: a pandas or
polars frame, a pyarrow table, or a dict of numpy arrays. This module does not depend on how a frame
was made, and it does not import pandas.
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
    """The description of a series that a reader sees before any figure.

    Args:
        symbol: name of the series, unique on a page; also the page's deep link, ``#symbol``.
        title: a short headline, such as ``FTX BULL``.
        sentence: one sentence that says what the token is.
        rule: the rule in a few words, for the overview.
        underlying, quote: the asset that the token follows, and the currency of its prices.
        target_leverage: target leverage, signed, as a multiple of nav.
        venue, costs, orders: descriptions of the venue, the costs of trading and the orders.
        lower, upper: edges of the band of absolute leverage; None where there is no band.
        emergency: absolute leverage at which the token trades to its target at once; None or 0:
            none.
        floor_ratio, resume_ratio: floor and resume ratio of the reserve; None without a reserve.
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
    """The run of one series over one history, in the form of section 6 of SPEC.md.

    Args:
        facts: description and thresholds of the series.
        summary: the object that ``simulate --json`` prints.
        nav: frame with the columns ``time, price, nav, leverage, tokens[, reserve]``, one row for
            each bar; ``reserve`` is in units of the underlying.
        rebalances: frame with the columns of ``rebalances.parquet``, including the launch.
        costs: frame with the columns ``time, fee, spread, impact, gas, funding, interest,
            management, paid_by_reserve``: cumulative costs of the whole fund in quote, one row for
            each row of ``nav``. Without it, the page adds up the costs in ``rebalances``.
        assets: net asset value, in quote, of all tokens that the reserve serves; float64, one value
            for each row of ``nav``. None: the token's own net asset value.
        suspended: spans (from, to; epoch s) in which the reserve suspended trades that raise
            leverage.
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
    """A column as float64, shape (rows,); infinite values, which cannot be drawn, become NaN."""
    values = np.asarray(_column(frame, name), dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def texts(frame: Frame, name: str) -> list[str]:
    """A column as a list of strings."""
    return [str(word) for word in np.asarray(_column(frame, name)).tolist()]


def times(frame: Frame, name: str = "time") -> Ints:
    """A column of instants as epoch seconds, UTC, shape (rows,).

    Naive datetimes are taken as UTC; numbers as epoch seconds.

    Raises:
        InputError: the column holds neither datetimes nor numbers.
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
