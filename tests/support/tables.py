"""Small files of market data for tests: text in, a path out, and the refusal of a bad one."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from steelyard.errors import DataError
from steelyard.market import read_prices

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = "time,open,high,low,close"
START_S = 1_577_836_800
"""2020-01-01T00:00:00Z."""


def bars_text(*, rows: int = 6, step_s: int = 60, header: str = HEADER) -> str:
    """Good bars as CSV: 10, 12, 9, 11 again and again."""
    lines = [f"{START_S + step_s * row},10,12,9,11" for row in range(rows)]
    return "\n".join([header, *lines]) + "\n"


def file_of(folder: Path, content: str | bytes, name: str = "prices.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def packed(content: str | bytes) -> bytes:
    """The content, gzipped."""
    return gzip.compress(content.encode() if isinstance(content, str) else content, compresslevel=1)


def refusal(source: object, reader: Callable[[Any], object] = read_prices) -> DataError:
    """The DataError with which a reader refuses a source: one line, naming the source."""
    with pytest.raises(DataError) as caught:
        reader(source)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 600
    assert "expected" in message
    assert "found" in message
    return caught.value
