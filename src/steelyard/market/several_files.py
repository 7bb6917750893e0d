"""Tables in several files: a list of paths or a pattern, whose files are read singly and joined.

Each file has its own notation of time, because exchanges change theirs (Binance went from
milliseconds to microseconds in 2025). Files are ordered by their first rows, whatever their names
are; files that overlap are refused.
"""

from __future__ import annotations

import glob
import os
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steelyard.market.cell_faults import first_line, named, shown, source_error
from steelyard.market.reading import MAX_ROWS, Block, Reading, read_table
from steelyard.market.sources import open_table
from steelyard.market.symbols import base_of, symbol_in_name
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steelyard.market.layout import Layout
    from steelyard.market.reading import Rules
    from steelyard.market.table import SourceTable

__all__ = ["Source", "is_there", "read_source"]

_MOST_FILES = 10_000
_EXPECTED_SYMBOL = "files of one market"


class Source(NamedTuple):
    """A source that has been read.

    Attributes:
        name: name of the file, the pattern, the first file of a list, or ``frame``.
        layout: which column holds which part.
        reading: the rows.
        symbol: the market that the source names; empty if it names none.
    """

    name: str
    layout: Layout
    reading: Reading
    symbol: str


def read_source(
    source: object,
    layout_of: Callable[[SourceTable], Layout],
    rules: Callable[[], Rules],
    *,
    strictly: bool = True,
    may_turn: bool = False,
) -> Source:
    """Read a source of one file or frame, or of several files that belong together.

    Args:
        source: any source that `open_table` opens, a list of paths, or a pattern such as
            ``btc-*.zip``.
        layout_of: recognises the columns of a table.
        rules: makes the rules for one reading, in the form that `read_table` takes.
        strictly: True if each time must be after the one before, False if it may be equal.
        may_turn: whether rows may be ordered newest first.

    Raises:
        DataError: as in `read_table`; or no file matches, or the files overlap, are of several
            markets or have different columns.
    """
    files = _files_of(source)
    found = []
    for one in [source] if files is None else files:
        with open_table(one) as table:
            layout = layout_of(table)
            reading = read_table(table, layout, rules(), strictly=strictly, may_turn=may_turn)
        in_name = symbol_in_name(table.name) if isinstance(one, str | os.PathLike) else ""
        symbol = reading.symbol or table.symbol or in_name
        found.append(Source(table.name, layout, reading, symbol))
    whole = found[0] if len(found) == 1 else _joined(found, rules(), strictly=strictly)
    is_pattern = files is not None and isinstance(source, str | os.PathLike)
    return whole._replace(name=named(Path(os.fsdecode(source)))) if is_pattern else whole  # type: ignore[arg-type]


def is_there(path: str) -> bool:
    """Whether a file has this path, or matches it as a pattern."""
    return os.path.lexists(path) or (glob.has_magic(path) and bool(glob.glob(path, recursive=True)))  # noqa: PTH207


def _files_of(source: object) -> list[str] | None:
    """Return the paths that a source lists or matches; None if it is a single path or a frame."""
    if isinstance(source, list | tuple) and source:
        if not all(isinstance(one, str | os.PathLike) for one in source):
            return None
        files = [os.fsdecode(one) for one in source]
        if len(files) > _MOST_FILES:
            raise source_error("files", f"at most {_MOST_FILES:,} files", f"{len(files):,}")
        return files
    if not isinstance(source, str | os.PathLike):
        return None
    pattern = os.fsdecode(source)
    # An existing file comes before the pattern that its name could be.
    if not glob.has_magic(pattern) or os.path.lexists(pattern):
        return None
    try:
        files = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (paths stay as written)
    except (OSError, ValueError) as error:
        raise source_error(pattern, "a pattern of file names", first_line(error)) from error
    if not files:
        raise source_error(shown(pattern), "files that match this pattern", "none")
    if len(files) > _MOST_FILES:
        raise source_error(shown(pattern), f"at most {_MOST_FILES:,} files", f"{len(files):,}")
    return files


def _joined(found: Sequence[Source], rules: Rules, *, strictly: bool) -> Source:
    """Join the rows of several files in order of time."""
    filled = [one for one in found if len(one.reading.time)]
    if not filled:
        return found[0]
    filled.sort(key=lambda one: (int(one.reading.time[0]), int(one.reading.time[-1])))
    _check_symbols(filled)
    for one, after in pairwise(filled):
        _check_follows(one, after, strictly=strictly)
    rows = sum(len(one.reading.time) for one in filled)
    first = filled[0]
    name = first.name if len(filled) == 1 else f"{first.name} and {len(filled) - 1} more"
    if rows > MAX_ROWS:
        raise source_error(name, f"at most {MAX_ROWS:,} rows", f"{rows:,}: give fewer files")
    parts = _common_parts(filled)
    whole = Reading(first.layout)
    whole.time = _frozen([one.reading.time for one in filled])
    whole.numbers = {
        part: _frozen([one.reading.numbers[part] for one in filled])
        for part in whole.numbers
        if part in parts
    }
    whole.texts = {
        part: [word for one in filled for word in one.reading.texts[part]] for part in whole.texts
    }
    # The rules are applied to all rows again, because two rows may conflict across two files.
    faults = rules(Block(whole.time, whole.numbers, whole.texts), first.layout.columns)
    fault = next((one for one in faults if one is not None), None)
    if fault is not None:
        raise source_error(name, f"{fault.column}: {fault.expected}", fault.found)
    symbol = next((one.symbol for one in filled if one.symbol), "")
    return Source(name, first.layout, whole, symbol)


def _frozen(arrays: Sequence[np.ndarray]) -> np.ndarray:
    whole = np.concatenate(arrays)
    whole.setflags(write=False)
    return whole


def _check_symbols(found: Sequence[Source]) -> None:
    """Refuse files that name different markets."""
    bases: dict[str, Source] = {}
    for one in found:
        if one.symbol:
            bases.setdefault(base_of(one.symbol), one)
    if len(bases) > 1:
        one, other = list(bases.values())[:2]
        held = f"{one.symbol} in {one.name} and {other.symbol} in {other.name}"
        raise source_error(f"{len(found)} files", _EXPECTED_SYMBOL, held)


def _check_follows(one: Source, after: Source, *, strictly: bool) -> None:
    """Refuse a file that begins before the previous one has ended."""
    end, start = int(one.reading.time[-1]), int(after.reading.time[0])
    if start > end or (start == end and not strictly):
        return
    raise source_error(
        after.name,
        f"times after {format_time(end)}, where {one.name} ends",
        f"{format_time(start)}: the files overlap, leave one of them out",
    )


def _common_parts(found: Sequence[Source]) -> set[str]:
    """Return the parts that all files have; only the volume may be missing in some."""
    parts = [set(one.layout.parts) for one in found]
    common = set.intersection(*parts)
    for one, own in zip(found, parts, strict=True):
        more = sorted(own - common - {"volume"})
        if more:
            other = next(
                two.name for two, its in zip(found, parts, strict=True) if more[0] not in its
            )
            held = f"{more[0]} in {one.name} and none in {other}"
            raise source_error(f"{len(found)} files", "files of the same columns", held)
    return common
