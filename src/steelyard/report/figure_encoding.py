"""The columns of a chart's description, as plain arrays for notebooks or packed for pages.

A panel is described once (``panels``), with abstract colours and columns. For notebooks, ``plain``
turns the columns into the arrays that plotly takes. For pages, a ``Packer`` stores each distinct
column once, as little-endian binary in base64, and replaces the columns by references, which
``templates/page.js`` reads back. This takes a third of the size of text, and NaN needs no special
treatment.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from steelyard.report.palette import resolve
from steelyard.report.plain_frames import Floats, Ints

__all__ = ["Column", "Dates", "Labels", "Packer", "SelectedRows", "Zipped", "plain"]

# A float32 represents all whole numbers up to here exactly, which is enough for any chart, and for
# a table's column whose values, counted in units of the last digit shown, stay below it.
_EXACT_IN_FLOAT32 = 2.0**24


@dataclass(frozen=True)
class Dates:
    """A column of instants in epoch seconds, UTC, which is shown as dates."""

    seconds: Ints


@dataclass(frozen=True)
class Labels:
    """A column of words, of which only few are different."""

    words: Sequence[str]


@dataclass(frozen=True)
class SelectedRows:
    """The rows ``index`` of a column that is stored already for another use."""

    column: Floats | Dates | Labels
    index: Ints


Column: TypeAlias = Floats | Dates | Labels | SelectedRows


@dataclass(frozen=True)
class Zipped:
    """Columns side by side, with one row for each point: plotly's ``customdata``."""

    columns: Sequence[Column]


def plain(description: object, palette: Mapping[str, str]) -> Any:  # noqa: ANN401  plotly takes anything
    """The description with its columns as arrays and its colours as values of the palette."""
    match description:
        case Mapping():
            return {
                key: resolve(value, palette)
                if isinstance(value, str) and _is_colour(key)
                else plain(value, palette)
                for key, value in description.items()
            }
        case Dates():
            return description.seconds.astype("datetime64[s]").astype("datetime64[ms]")
        case Labels():
            return np.array(description.words, dtype=object)
        case SelectedRows():
            return plain(description.column, palette)[description.index]
        case Zipped():
            columns = [plain(column, palette) for column in description.columns]
            return np.array([list(row) for row in zip(*columns, strict=True)], dtype=object)
        case list() | tuple():
            return [plain(item, palette) for item in description]
    return description


@dataclass
class Packer:
    """A store of columns that keeps each distinct column once.

    Attributes:
        blobs: the stored columns in base64, in the order of their numbers.
    """

    blobs: list[str] = field(default_factory=list)
    _seen: dict[tuple[str, bytes], int] = field(default_factory=dict)

    def pack(self, description: object) -> Any:  # noqa: ANN401  becomes JSON
        """The description with references in place of its columns, ready for JSON."""
        match description:
            case Mapping():
                return {key: self.pack(value) for key, value in description.items()}
            case np.ndarray():
                return self.numbers(description)
            case Dates():
                return {**self._seconds(description.seconds), "date": True}
            case Labels():
                return self._labels(description)
            case SelectedRows():
                index = self._whole(description.index)
                return {"of": self.pack(description.column), "take": index}
            case Zipped():
                return {"zip": [self.pack(column) for column in description.columns]}
            case list() | tuple():
                return [self.pack(item) for item in description]
            case float() if not math.isfinite(description):
                return None  # JSON has no NaN or infinity
        return description

    def numbers(self, values: Floats, decimals: int | None = None) -> dict[str, Any]:
        """Store numbers with enough precision to show ``decimals`` digits after the decimal point.

        Without ``decimals``, seven significant digits are kept, which is enough for any chart.
        """
        exact = 0.0 if decimals is None else _largest(values) * 10.0**decimals
        with np.errstate(over="ignore"):
            return self._store(values.astype("<f4" if exact < _EXACT_IN_FLOAT32 else "<f8"))

    def _labels(self, labels: Labels) -> dict[str, Any]:
        names = sorted(set(labels.words))
        code = {name: i for i, name in enumerate(names)}
        codes = np.array([code[word] for word in labels.words], dtype=np.int64)
        return {"of": names, "take": self._whole(codes)}

    def _seconds(self, seconds: Ints) -> dict[str, Any]:
        first, last = (int(seconds.min()), int(seconds.max())) if seconds.size else (0, 0)
        fits = first >= 0 and last < 2**32  # until 2106; half the size of a float64
        return self._store(seconds.astype("<u4" if fits else "<f8"))

    def _whole(self, values: Ints) -> dict[str, Any]:
        """Store indices or codes, never negative, in as few bytes as the largest one needs."""
        largest = int(values.max()) if values.size else 0
        kind = "<u1" if largest < 2**8 else "<u2" if largest < 2**16 else "<u4"
        return self._store(values.astype(kind))

    def _store(self, values: npt.NDArray[Any]) -> dict[str, Any]:
        kind, data = values.dtype.str[1:], values.tobytes()
        number = self._seen.setdefault((kind, data), len(self.blobs))
        if number == len(self.blobs):
            self.blobs.append(base64.b64encode(data).decode("ascii"))
        return {"blob": number, "kind": kind}


def _largest(values: Floats) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


def _is_colour(key: str) -> bool:
    return key.lower().endswith("color")
