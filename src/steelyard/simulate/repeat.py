"""What makes a saved run repeatable: what it was made of, and how to make it again.

``run.json`` says by which engine a run was made, over which bars, and what was given beside them.
An input is known by what the run read in it, not by its file: rows and a SHA-256 of the columns as
numbers. So a file may move, change its format or grow at its end and still be the same input; one
figure that changed makes it another (decision 8). The series is in ``series.toml``, word for word.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import steelyard
from steelyard.errors import DataError, InputError
from steelyard.market import SAMPLE_NAMES, format_time, parse_time, sample_prices
from steelyard.rules.numbers import DECIMAL, FLOAT, FRACTION
from steelyard.rules.series import Series
from steelyard.simulate.run import ENGINES, Run, simulate

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.simulate.frames import Columns

__all__ = ["RECORD", "SERIES", "Again", "bars_of", "load_run", "make_again", "record_of"]

RECORD = "run.json"
SERIES = "series.toml"
OPTIONS = ("funding", "rates", "injections", "flows", "splits", "outages")
"""What is given from files beside the prices."""
NUMBERS: dict[str, Any] = {number.name: number for number in (FLOAT, DECIMAL, FRACTION)}
TABLES = ("nav", "rebalances")


class Again(NamedTuple):
    """A saved run, made again."""

    run: Run
    differs: str
    """How its tables differ from those that were saved; empty where they are the same."""
    options: tuple[str, ...]
    """What it was given: ``prices``, and of the others those that it had."""


def record_of(run: Run) -> dict[str, Any] | None:
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
        "steelyard": steelyard.__version__,
        "symbol": run.series.symbol,
        "start": run.summary["start"],
        "end": run.summary["end"],
        "intrabar": run.intrabar,
        "engine": sources.engine,
        "number": sources.number.name,
        "wind_down": None if ends is None else format_time(ends),
        "inputs": _inputs(run),
    }


def bars_of(folder: str | Path) -> int:
    """How many bars the run in a folder has.

    Raises:
        InputError: the folder holds no run that can be made again.
    """
    return int(_record(Path(folder))["inputs"]["prices"]["rows"])


def load_run(folder: str | Path, **moved: object) -> Run:
    """Make the run again that ``simulate --out`` or ``run.save`` wrote into ``folder``.

    Args:
        folder: of the run; its report and its summary are not read.
        **moved: ``prices``, ``funding``, ``rates``, ``injections``, ``flows``, ``splits``,
            ``outages`` or ``book``, where the file that the run was made of is elsewhere now, or
            it was no file; what it holds must be the same.

    Raises:
        InputError: the folder holds no run that can be made again.
        DataError: an input is missing, or has changed since.

    Warns:
        UserWarning: the run is not the one that was saved: another version may compute otherwise.
    """
    found = make_again(folder, moved)
    if found.differs:
        warnings.warn(found.differs, stacklevel=2)
    return found.run


def make_again(
    folder: str | Path,
    moved: Mapping[str, object],
    progress: Callable[[int], None] | None = None,
) -> Again:
    """Make a saved run again, hold its inputs against what they were, and its tables too.

    Raises:
        InputError, DataError: as ``load_run`` does.
    """
    folder = Path(folder)
    record = _record(folder)
    inputs = record["inputs"]
    for option in moved:
        if option not in inputs:
            message = f"{folder}: {option}: expected one of {', '.join(inputs)}, found {option}."
            raise InputError(message, found=option, allowed=tuple(inputs))
    sources = {option: moved.get(option) for option in inputs}
    for option, given in sources.items():
        if given is None:
            sources[option] = _find(folder, option, inputs[option])
    series = Series.load(folder / SERIES)
    if "book" in sources:
        series = replace(series, costs=replace(series.costs, book=str(sources.pop("book"))))
    run = simulate(
        series,
        sources.pop("prices"),
        **sources,  # type: ignore[arg-type]  # options by their names
        wind_down=record["wind_down"],
        start=record["start"],
        # the last bar is in the run
        end=parse_time(record["end"]) + 1,
        intrabar=record["intrabar"],
        engine=record["engine"],
        number=NUMBERS[record["number"]],
        progress=progress,
    )
    for option, now in _inputs(run).items():
        _check_same(folder, option, now, inputs[option])
    return Again(run, _difference(folder, run, record), tuple(inputs))


def _is_said_by_its_text(series: Series) -> bool:
    if not series.text:
        return False
    said = Series.loads(series.text)
    return replace(said, costs=replace(said.costs, book=series.costs.book)) == series


# --- Inputs -----------------------------------------------------------------------------------


def _inputs(run: Run) -> dict[str, dict[str, Any]]:
    """What was given to a run from files, and what it read in them."""
    sources = run._sources  # noqa: SLF001 (as above)
    if sources is None:
        return {}
    names, found = sources.names, {"prices": _bars_read(run)}
    for option in OPTIONS:
        if option in sources.events:
            found[option] = _fingerprint(sources.events[option])
    if sources.market.book is not None:
        found["book"] = _fingerprint(sources.market.book)
        names = {**names, "book": os.path.abspath(run.series.costs.book)}  # noqa: PTH100 (as simulate)
    return {option: {"file": names.get(option), **read} for option, read in found.items()}


def _bars_read(run: Run) -> dict[str, Any]:
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


def _find(folder: Path, option: str, known: Mapping[str, Any]) -> str | Prices:
    """The file that a run was given, or the bundled history of its name."""
    file = known["file"]
    if file is not None and Path(file).is_absolute() and os.path.lexists(file):
        return str(file)
    if option == "prices":
        for name in SAMPLE_NAMES:
            sample = sample_prices(name)
            if file is not None and Path(file).name == sample.source:
                return sample
    was = "a frame, which no folder keeps" if file is None else f"{file}, which is not there"
    name = "put it back, or name it in Python with book=..."
    if option != "book":
        name = f"name the file with --{option} FILE, in Python with {option}=..."
    message = (
        f"{folder}: {option}: expected what the run was made of, found none; it was {was}: {name}"
    )
    raise DataError(message, folder=str(folder), option=option, file=file)


def _check_same(folder: Path, option: str, now: Mapping[str, Any], then: Mapping[str, Any]) -> None:
    if now["sha256"] == then["sha256"]:
        return
    rows = f"{now['rows']:,} rows"
    found = f"{rows}, other figures" if now["rows"] == then["rows"] else rows
    message = (
        f"{folder}: {option}: expected the {then['rows']:,} rows that the run was made of; found "
        f"{found}: {now['file'] or 'it'} has changed since. Give the file as it was, or simulate "
        f"again."
    )
    raise DataError(message, folder=str(folder), option=option, found=now, expected=then)


# --- The folder -------------------------------------------------------------------------------


def _record(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says.

    Raises:
        InputError: it is not there, or says nothing that ``record_of`` would have written.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _not_repeatable(folder) from error
    except (OSError, ValueError) as error:
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
    if (folder / f"{TABLES[0]}.parquet").exists():
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


def _difference(folder: Path, run: Run, record: Mapping[str, Any]) -> str:
    """Where the tables that were saved are not those of the run, in words; empty where they are.

    Raises:
        InputError: a table cannot be read.
    """
    made = {"nav": run.nav_columns, "rebalances": run.rebalance_columns}
    wrong = [words for name in TABLES if (words := _table_difference(folder, name, made[name]))]
    if not wrong:
        return ""
    return (
        f"{folder}: the run is not the one that was saved: {'; '.join(wrong)}. It was made by "
        f"version {record.get('steelyard')}, this is {steelyard.__version__}; what follows is "
        f"this version's."
    )


def _table_difference(folder: Path, name: str, made: Columns) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from steelyard.simulate.output import as_table

    file = f"{name}.parquet"
    try:
        saved = pq.read_table(folder / file)
    except (OSError, pa.ArrowException) as error:
        message = f"{folder / file}: expected the table that simulate --out wrote: {error}."
        raise InputError(message, folder=str(folder)) from error
    table = as_table(made)
    if saved.schema.names != table.schema.names:
        return f"{file} has other columns"
    if saved.num_rows != table.num_rows:
        return f"{file} had {saved.num_rows:,} rows and has {table.num_rows:,}"
    differs = np.zeros(table.num_rows, dtype=bool)
    for column in table.schema.names:
        differs |= _bits(saved[column]) != _bits(table[column])
    if not differs.any():
        return ""
    first = format_time(int(_bits(table["time"])[int(differs.argmax())]) // 1_000_000)
    return f"{file} differs in {int(differs.sum()):,} of {len(differs):,} rows, from {first} on"


def _bits(column: Any) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """A column such that equal means equal to the last bit, what is no number included."""
    values = column.to_numpy()
    return values.view(np.int64) if values.dtype.kind in "fM" else values
