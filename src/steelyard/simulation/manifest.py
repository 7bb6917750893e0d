"""The record of what a run was made of, ``run.json`` beside the run's tables.

It states the engine of the run, its bars, and its inputs. An input is identified by what the run
read from it, not by its file: by the number of rows and a SHA-256 of the columns as numbers. A file
may therefore move, change its format or grow at its end and still be the same input, while a single
changed figure makes it a different one (decision 8). The series is kept in ``series.toml`` word for
word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.errors import InputError
from steelyard.market import format_time
from steelyard.rules.numbers import DECIMAL, FLOAT, FRACTION
from steelyard.rules.series import Series
from steelyard.simulation.checks import ENGINES
from steelyard.version import __version__

if TYPE_CHECKING:
    from steelyard.simulation.run_protocols import KeptRun

__all__ = ["NUMBERS", "RECORD", "SERIES", "inputs_of", "read_record", "record_of"]

SERIES, RECORD = "series.toml", "run.json"
OPTIONS = ("funding", "rates", "injections", "flows", "splits", "outages")
"""The inputs that are read from files, in addition to the prices."""
NUMBERS: dict[str, Any] = {number.name: number for number in (FLOAT, DECIMAL, FRACTION)}


def record_of(run: KeptRun) -> dict[str, Any] | None:
    """The content of ``run.json``; None if the run cannot be made again from its folder.

    A run cannot be made again if it continued from a state, if it shared its reserve, or if its
    series was not read from a text or was changed afterwards.
    """
    sources = run._sources  # noqa: SLF001 (kept to make a run again, and for nothing else)
    if sources is None or not _is_said_by_its_text(run.series):
        return None
    ends = sources.events.get("wind_down")
    return {
        "schema": 1,
        "steelyard": __version__,
        "symbol": run.series.symbol,
        "start": run.summary["start"],
        "end": run.summary["end"],
        "intrabar": run.intrabar,
        "engine": sources.engine,
        "number": sources.number.name,
        "wind_down": None if ends is None else format_time(ends),
        "inputs": inputs_of(run),
    }


def read_record(folder: Path) -> dict[str, Any]:
    """The content of ``run.json``.

    Raises:
        InputError: the file does not exist, or is not one that ``record_of`` could have written.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _not_repeatable(folder) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"text that is not JSON ({error})"
        raise _wrong_record(folder, reason) from error
    if not isinstance(record, dict) or record.get("schema") != 1:
        version = record.get("schema") if isinstance(record, dict) else None
        raise _wrong_record(folder, f"schema {version!r}; this version reads schema 1")
    wanted: dict[str, Callable[[Any], bool]] = {
        "start": _is_text,
        "end": _is_text,
        "intrabar": ("close", "path").__contains__,
        "engine": ENGINES.__contains__,
        "number": tuple(NUMBERS).__contains__,
        "wind_down": lambda value: value is None or _is_text(value),
        "inputs": _are_inputs,
    }
    for key, is_right in wanted.items():
        if key not in record or not is_right(record[key]):
            raise _wrong_record(folder, f"{key} {record.get(key)!r}")
    return record


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_inputs(value: object) -> bool:
    if not isinstance(value, dict) or "prices" not in value:
        return False
    return all(
        option in ("prices", *OPTIONS, "book")
        and isinstance(known, dict)
        and isinstance(known.get("rows"), int)
        and _is_text(known.get("sha256"))
        and (known.get("file") is None or _is_text(known["file"]))
        for option, known in value.items()
    )


def _not_repeatable(folder: Path) -> InputError:
    found = "no files of a run"
    if (folder / "nav.parquet").exists():
        found = (
            "a run that cannot be made again: it continued from a state, shared its reserve, had a "
            "series made in Python, or is of an earlier version"
        )
    elif _holds_several(folder):
        found = "several series on one reserve, which cannot be made again one by one"
    message = (
        f"{folder}: expected a folder that simulate --out wrote, with {RECORD}; found {found}. "
        f"Simulate the series by itself, with --out."
    )
    return InputError(message, folder=str(folder))


def _holds_several(folder: Path) -> bool:
    """Whether the summary in a folder is that of several series on one reserve."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and "series" in summary


def _wrong_record(folder: Path, found: str) -> InputError:
    message = f"{folder / RECORD}: expected the file that simulate --out wrote, found {found}."
    return InputError(message, folder=str(folder))


def _is_said_by_its_text(series: Series) -> bool:
    if not series.text:
        return False
    said = Series.loads(series.text)
    return replace(said, costs=replace(said.costs, book=series.costs.book)) == series


def inputs_of(run: KeptRun) -> dict[str, dict[str, Any]]:
    """The files that a run was given, and fingerprints of what it read from them, by input."""
    sources = run._sources  # noqa: SLF001 (as above)
    if sources is None:
        return {}
    found = {"prices": _bars_read(run)}
    for option in OPTIONS:
        if option in sources.events:
            found[option] = _fingerprint(sources.events[option])
    if sources.market.book is not None:
        found["book"] = _fingerprint(sources.market.book)
    return {option: {"file": sources.names.get(option), **read} for option, read in found.items()}


def _bars_read(run: KeptRun) -> dict[str, Any]:
    """The fingerprint of the prices that the run used: its bars, and the figures of its impact."""
    bars, sources = run.prices, run._sources  # noqa: SLF001 (as above)
    columns: list[Any] = [bars.time, [bars.step_s], bars.close]
    if run.intrabar == "path":
        columns += [bars.open, bars.high, bars.low]
    conditions = None if sources is None else sources.market.conditions
    if conditions is not None:
        columns += [conditions.coefficient, conditions.volume]
    return _fingerprint(columns)


def _fingerprint(columns: Sequence[Any]) -> dict[str, Any]:
    """The number of rows, and the SHA-256 of the columns as little-endian 8-byte numbers."""
    digest = hashlib.sha256()
    for values in columns:
        array = np.asarray(values)
        kind = "<f8" if array.dtype.kind == "f" else "<i8"
        digest.update(np.ascontiguousarray(array, dtype=kind).data)
    return {"rows": len(columns[0]), "sha256": digest.hexdigest()}
