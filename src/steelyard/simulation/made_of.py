"""What a run was made of, as ``run.json`` says it beside the run's tables.

It says by which engine a run was made, over which bars, and what was given beside them. An input is
known by what the run read in it, not by its file: rows and a SHA-256 of the columns as numbers. So
a file may move, change its format or grow at its end and still be the same input; one figure that
changed makes it another (decision 8). The series is in ``series.toml``, word for word.
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
    from steelyard.simulation.kept import KeptRun

__all__ = ["NUMBERS", "RECORD", "SERIES", "inputs_of", "read_record", "record_of"]

SERIES, RECORD = "series.toml", "run.json"
OPTIONS = ("funding", "rates", "injections", "flows", "splits", "outages")
"""What is given from files beside the prices."""
NUMBERS: dict[str, Any] = {number.name: number for number in (FLOAT, DECIMAL, FRACTION)}


def record_of(run: KeptRun) -> dict[str, Any] | None:
    """What ``run.json`` holds; None where the run cannot be made again from its folder.

    It cannot where it went on from a state or shared its reserve, and where its series was not
    read from a text, or was changed since.
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
    """What ``run.json`` says.

    Raises:
        InputError: it is not there, or says nothing that ``record_of`` would have written.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _not_repeatable(folder) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is no JSON ({error})"
        raise _wrong_record(folder, reason) from error
    if not isinstance(record, dict) or record.get("schema") != 1:
        version = record.get("schema") if isinstance(record, dict) else None
        raise _wrong_record(folder, f"schema {version!r}, and this version knows 1")
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
    found = "nothing of a run"
    if (folder / "nav.parquet").exists():
        found = (
            "a run that cannot be made again: it went on from a state, shared its reserve, had a "
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
    """Whether its summary is that of several series on one reserve."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and "series" in summary


def _wrong_record(folder: Path, found: str) -> InputError:
    message = f"{folder / RECORD}: expected what simulate --out wrote, found {found}."
    return InputError(message, folder=str(folder))


def _is_said_by_its_text(series: Series) -> bool:
    if not series.text:
        return False
    said = Series.loads(series.text)
    return replace(said, costs=replace(said.costs, book=series.costs.book)) == series


def inputs_of(run: KeptRun) -> dict[str, dict[str, Any]]:
    """What was given to a run from files, and what it read in them."""
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
    """Of the price file what the run saw: its bars, and the market that its impact follows."""
    bars, sources = run.prices, run._sources  # noqa: SLF001 (as above)
    columns: list[Any] = [bars.time, [bars.step_s], bars.close]
    if run.intrabar == "path":
        columns += [bars.open, bars.high, bars.low]
    conditions = None if sources is None else sources.market.conditions
    if conditions is not None:
        columns += [conditions.coefficient, conditions.volume]
    return _fingerprint(columns)


def _fingerprint(columns: Sequence[Any]) -> dict[str, Any]:
    """Rows, and SHA-256 of the columns as little-endian numbers of eight bytes, one by one."""
    digest = hashlib.sha256()
    for values in columns:
        array = np.asarray(values)
        kind = "<f8" if array.dtype.kind == "f" else "<i8"
        digest.update(np.ascontiguousarray(array, dtype=kind).data)
    return {"rows": len(columns[0]), "sha256": digest.hexdigest()}
