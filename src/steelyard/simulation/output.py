"""A run on disk: nav, rebalances, summary and report page in one folder, all of it or nothing.

Everything is written beside its place first and renamed into it at the end, so that a full disk
or an interruption leaves no half of a run behind.
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
from steelyard.simulation.frames import Columns
from steelyard.simulation.made_of import RECORD, SERIES, record_of

if TYPE_CHECKING:
    import pyarrow as pa

    from steelyard.simulation.kept import KeptRun

__all__ = [
    "FILES",
    "RUN_FILES",
    "as_table",
    "check_folder",
    "save_run",
    "save_shelf",
]

FILES = ("nav.parquet", "rebalances.parquet", "summary.json", "report.html")
FLOWS, SUSPENSIONS = "flows.parquet", "suspensions.parquet"
"""Written beside these where there were any."""
REPEAT = (SERIES, RECORD)
"""Written beside these where a run can be made again from them."""
RUN_FILES = (*FILES, FLOWS, SUSPENSIONS, *REPEAT)
"""Every name under which a run is saved in its folder."""


def save_run(run: KeptRun, folder: str | Path) -> None:
    """Write a run into ``folder``, which is made if need be; files of an earlier run give way.

    ``nav.parquet`` and ``rebalances.parquet`` hold the columns of SPEC 6, times as UTC timestamps;
    ``summary.json`` the figures of ``simulate --json``; ``report.html`` the page; ``series.toml``
    and ``run.json`` what it takes to make the run again, where that can be done.

    Raises:
        InputError: where ``folder`` cannot be a folder or cannot be written to.
        SteelyardError: where writing fails on the way, on a full disk for one.
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


def save_shelf(runs: Sequence[KeptRun], summary: dict[str, Any], folder: str | Path) -> None:
    """Write several runs on one reserve into ``folder``: a folder a symbol, and two files of all.

    Each folder holds what ``save_run`` writes, but the page; ``summary.json`` and ``report.html``
    are those of all. What an earlier run left under the same names gives way.

    Raises:
        InputError: where ``folder`` cannot be a folder or cannot be written to.
        SteelyardError: where writing fails on the way, on a full disk for one.
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
    """A symbol as the name of a folder: what a file system might not take becomes ``_``."""
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
    """Say what an error of writing means: not the caller's fault, as a wrong folder is."""
    try:
        yield
    except OSError as error:
        message = f"{folder}: it cannot be written: {reason(error)}; nothing was kept."
        raise SteelyardError(message, folder=str(folder)) from error


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before hours of work are lost on it.

    Raises:
        InputError: it is a file, or it or its nearest parent that exists cannot be written to.
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
    """Move all of ``stage`` into ``folder``, over what an earlier run left there."""
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
    """The folder itself or the first of its parents that is there."""
    return next((path for path in (folder, *folder.absolute().parents) if path.exists()), folder)


def _write_parquet(columns: Columns, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(as_table(columns), path)


def as_table(columns: Columns) -> pa.Table:
    """Columns as they are written to disk."""
    import pyarrow as pa

    return pa.table({name: _array(values) for name, values in columns.items()})


def _array(values: npt.NDArray[Any]) -> pa.Array:
    """A column as Arrow has it, made of buffers: ``pa.array`` would load pandas for nothing."""
    import pyarrow as pa

    if values.dtype.kind == "U":
        words = [word.encode() for word in values.tolist()]
        ends = np.cumsum([0, *map(len, words)], dtype=np.int32)
        return pa.StringArray.from_buffers(
            len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(words))
        )
    kind = pa.float64()
    if values.dtype.kind == "M":
        # microseconds: what every reader of Parquet knows
        kind = pa.timestamp("us", tz="UTC")
        values = values.astype("datetime64[us]").view(np.int64)
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _refused(folder: Path, found: str) -> InputError:
    message = f"{folder}: expected a folder to write to; {found}; choose another."
    return InputError(message, folder=str(folder))
