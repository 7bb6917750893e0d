"""Writing a run to disk: tables, summary and report page in one folder, completely or not at all.

All files are first written to a temporary folder beside the target and then renamed into it, so
that a full disk or an interruption leaves no incomplete run behind.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from steelyard.arguments import path_of
from steelyard.errors import InputError, SteelyardError
from steelyard.report.writing import file_mode, reason
from steelyard.rules.json_text import as_json
from steelyard.simulation.manifest import RECORD, SERIES, record_of
from steelyard.simulation.run_tables import Columns

if TYPE_CHECKING:
    import pyarrow as pa

    from steelyard.simulation.run_protocols import KeptRun

__all__ = [
    "FILES",
    "RUN_FILES",
    "as_table",
    "check_folder",
    "save_run",
    "save_several",
]

FILES = ("nav.parquet", "rebalances.parquet", "summary.json", "report.html")
FLOWS, SUSPENSIONS = "flows.parquet", "suspensions.parquet"
"""Files that are written as well if the run had any flows or suspensions."""
REPEAT = (SERIES, RECORD)
"""Files that are written as well if a run can be made again from them."""
RUN_FILES = (*FILES, FLOWS, SUSPENSIONS, *REPEAT)
"""All names of files that a run may write into its folder."""


def save_run(run: KeptRun, folder: str | Path) -> None:
    """Write a run into ``folder``, which is created if needed; an earlier run's files are replaced.

    ``nav.parquet`` and ``rebalances.parquet`` hold the columns of SPEC 6, with times as UTC
    timestamps; ``summary.json`` holds the figures of ``simulate --json``; ``report.html`` is the
    page; ``series.toml`` and ``run.json`` hold what is needed to make the run again, if that is
    possible.

    Raises:
        InputError: ``folder`` cannot be a folder or cannot be written to.
        SteelyardError: writing fails midway, for instance on a full disk.
    """
    folder = path_of("folder", folder)
    check_folder(folder)
    from steelyard.report.html import page
    from steelyard.simulation.run_document import run_document

    shown = page(run_document(run))
    with _kept_whole(folder), _staged(folder) as stage:
        _write_run(run, stage)
        _write_repeat(run, stage)
        _write_text(shown, stage / "report.html")


def save_several(runs: Sequence[KeptRun], summary: dict[str, Any], folder: str | Path) -> None:
    """Write several runs on one reserve into ``folder``: a folder per symbol, and two common files.

    Each folder holds what ``save_run`` writes except the page; ``summary.json`` and ``report.html``
    are those of all runs together. Files of an earlier run under the same names are replaced.

    Raises:
        InputError: ``folder`` cannot be a folder or cannot be written to.
        SteelyardError: writing fails midway, for instance on a full disk.
    """
    folder = path_of("folder", folder)
    check_folder(folder)
    from steelyard.report.html import page
    from steelyard.simulation.runs_document import shared_document

    shown = page(shared_document(runs, summary["reserve"]))
    with _kept_whole(folder), _staged(folder) as stage:
        for run in runs:
            place = stage / folder_name(run.series.symbol)
            place.mkdir()
            _write_run(run, place)
        _write_text(as_json(summary) + "\n", stage / "summary.json")
        _write_text(shown, stage / "report.html")


def folder_name(symbol: str) -> str:
    """A symbol as the name of a folder, with ``_`` for what a file system might not accept."""
    name = "".join(x if x.isascii() and (x.isalnum() or x in "-_.") else "_" for x in symbol)
    return name if name.strip(".") else "_" + name


def _write_run(run: KeptRun, folder: Path) -> None:
    _write_parquet(run.nav_columns, folder / "nav.parquet")
    _write_parquet(run.rebalance_columns, folder / "rebalances.parquet")
    if len(run.flow_columns["time"]):
        _write_parquet(run.flow_columns, folder / FLOWS)
    if len(run.suspension_columns["from"]):
        _write_parquet(run.suspension_columns, folder / SUSPENSIONS)
    _write_text(as_json(run.summary) + "\n", folder / "summary.json")


def _write_repeat(run: KeptRun, folder: Path) -> None:
    record = record_of(run)
    if record is not None:
        _write_text(run.series.text, folder / SERIES)
        _write_text(as_json(record) + "\n", folder / RECORD)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _kept_whole(folder: Path) -> Iterator[None]:
    """Report an error of writing as ours: unlike a wrong folder, it is not the caller's fault."""
    try:
        yield
    except OSError as error:
        message = f"{folder}: it cannot be written: {reason(error)}; nothing was kept."
        raise SteelyardError(message, folder=str(folder)) from error


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before a long computation starts.

    Raises:
        InputError: it is a file, or neither it nor its nearest existing parent can be written to.
    """
    try:
        nearest = _nearest(folder)
        if folder.is_symlink() and not folder.exists():
            raise _refused(folder, "it is a link that leads nowhere")
        if not nearest.is_dir():
            raise _refused(folder, f"{'it' if nearest == folder else nearest} is a file")
    except OSError as error:
        raise _refused(folder, f"it cannot be reached: {reason(error)}") from error
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise _refused(folder, f"{nearest} may not be written to")


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` whose files move into it at the end."""
    existed = folder.is_dir()
    stage = Path(tempfile.mkdtemp(prefix=".steelyard-", dir=_nearest(folder)))
    try:
        yield stage
        if existed:
            _give_way(folder, stage)
        else:
            stage.chmod(0o777 & ~file_mode())
            folder.parent.mkdir(parents=True, exist_ok=True)
            stage.rename(folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _give_way(folder: Path, stage: Path) -> None:
    """Move everything in ``stage`` into ``folder``, in place of what an earlier run left there."""
    for name in RUN_FILES:
        if not (stage / name).exists():
            (folder / name).unlink(missing_ok=True)
    for made in stage.iterdir():
        place = folder / made.name
        if made.is_dir() and place.is_dir():
            _give_way(place, made)
        else:
            made.replace(place)


def _nearest(folder: Path) -> Path:
    """The folder itself, or the first of its parents that exists."""
    return next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)


def _write_parquet(columns: Columns, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(as_table(columns), path)


def as_table(columns: Columns) -> pa.Table:
    """The columns as an Arrow table, the form in which they are written to disk."""
    import pyarrow as pa

    return pa.table({name: _array(values) for name, values in columns.items()})


def _array(values: npt.NDArray[Any]) -> pa.Array:
    """A column as an Arrow array, made of buffers, because ``pa.array`` would import pandas."""
    import pyarrow as pa

    if values.dtype.kind == "U":
        words = [word.encode() for word in values.tolist()]
        ends = np.cumsum([0, *map(len, words)], dtype=np.int32)
        return pa.StringArray.from_buffers(
            len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(words))
        )
    kind = pa.float64()
    if values.dtype.kind == "M":
        # every reader of Parquet knows microseconds
        kind = pa.timestamp("us", tz="UTC")
        values = values.astype("datetime64[us]").view(np.int64)
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _refused(folder: Path, found: str) -> InputError:
    message = f"{folder}: expected a folder to write to; {found}; choose another."
    return InputError(message, folder=str(folder))
