"""Making a saved run again from what it was made of, and checking the result against it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from steelyard.arguments import path_of
from steelyard.errors import DataError, InputError
from steelyard.market import (
    SAMPLE_NAMES,
    Feed,
    format_time,
    parse_time,
    read_funding,
    sample_prices,
)
from steelyard.market.several_files import is_there
from steelyard.rules.series import Series
from steelyard.simulation.manifest import NUMBERS, RECORD, SERIES, inputs_of, read_record
from steelyard.simulation.run import Run, simulate
from steelyard.version import __version__

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.simulation.run_tables import Columns

__all__ = ["Again", "bars_of", "files_of", "load_run", "make_again"]

TABLES = ("nav", "rebalances")


class Again(NamedTuple):
    """A saved run that was made again."""

    run: Run
    differs: str
    """How its tables differ from the saved ones; empty if they are equal."""
    options: tuple[str, ...]
    """The inputs that it was given: ``prices``, and those of the others that it had."""


def bars_of(folder: str | Path) -> int:
    """The number of bars of the run in a folder.

    Raises:
        InputError: the folder holds no run that can be made again.
    """
    return int(read_record(Path(folder))["inputs"]["prices"]["rows"])


def files_of(folder: str | Path) -> list[str]:
    """The files from which the run in a folder is made again: its own, and those of its inputs.

    Raises:
        InputError: the folder holds no run that can be made again.
    """
    folder = path_of("folder", folder)
    own = [RECORD, SERIES, *(f"{table}.parquet" for table in TABLES)]
    given = [known["file"] for known in read_record(folder)["inputs"].values()]
    return [*(str(folder / name) for name in own), *(file for file in given if file)]


def load_run(folder: str | Path, **moved: object) -> Run:
    """Make the run again that ``simulate --out`` or ``run.save`` wrote into ``folder``.

    Args:
        folder: the folder of the run; its report and its summary are not read.
        **moved: ``prices``, ``funding``, ``rates``, ``injections``, ``flows``, ``splits``,
            ``outages`` or ``book`` (a path), for an input whose file has moved since or which was
            not a file; its content must be the same.

    Raises:
        InputError: the folder holds no run that can be made again.
        DataError: an input is missing, or has changed since.

    Warns:
        UserWarning: the run differs from the one that was saved, because another version may
            compute it differently.
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
    """Make a saved run again, and check its inputs and its tables against the saved ones.

    Raises:
        InputError, DataError: as in ``load_run``.
    """
    folder = path_of("folder", folder)
    record = read_record(folder)
    inputs = record["inputs"]
    for option in moved:
        if option not in inputs:
            message = f"{folder}: {option}: expected one of {', '.join(inputs)}, found {option}."
            raise InputError(message, found=option, allowed=tuple(inputs))
    sources = {option: moved.get(option) for option in inputs}
    for option, given in sources.items():
        if given is None:
            sources[option] = _find(folder, option, inputs[option])
    if "funding" in sources:
        # the rates were accepted when the run was first made
        sources["funding"] = read_funding(sources["funding"], high=True)
    feed = Feed(
        sources.pop("prices"),
        **sources,
        wind_down=record["wind_down"],
        start=record["start"],
        # the end is exclusive, and the last bar belongs to the run
        end=parse_time(record["end"]) + 1,
    )
    run = simulate(
        Series.load(folder / SERIES),
        feed,
        intrabar=record["intrabar"],
        engine=record["engine"],
        number=NUMBERS[record["number"]],
        progress=progress,
    )
    for option, now in inputs_of(run).items():
        if option not in inputs:
            message = (
                f"{folder / SERIES}: expected the series that was run, which had no {option}; "
                f"found one that has: the file was changed. Simulate it again."
            )
            raise InputError(message, folder=str(folder), option=option)
        _check_same(folder, option, now, inputs[option])
    return Again(run, _difference(folder, run, record), tuple(inputs))


# --- Inputs -----------------------------------------------------------------------------------


def _find(folder: Path, option: str, known: Mapping[str, Any]) -> str | Prices:
    """The file that a run was given, or the bundled history of that name."""
    file = known["file"]
    if file is not None and Path(file).is_absolute() and is_there(file):
        return str(file)
    if option == "prices":
        for name in SAMPLE_NAMES:
            sample = sample_prices(name)
            if file is not None and Path(file).name == sample.source:
                return sample
    was = (
        "a frame, which a folder does not store"
        if file is None
        else f"{file}, which does not exist"
    )
    name = "put it back, or name it in Python with book=..."
    if option != "book":
        name = f"name the file with --{option} FILE, in Python with {option}=..."
    message = f"{folder}: {option}: expected the input of the run, found none; it was {was}: {name}"
    raise DataError(message, folder=str(folder), option=option, file=file)


def _check_same(folder: Path, option: str, now: Mapping[str, Any], then: Mapping[str, Any]) -> None:
    if now["sha256"] == then["sha256"]:
        return
    rows = f"{now['rows']:,} rows"
    found = f"{rows} with different figures" if now["rows"] == then["rows"] else rows
    message = (
        f"{folder}: {option}: expected the {then['rows']:,} rows that the run was made of; found "
        f"{found}: {now['file'] or 'it'} has changed since. Give the file as it was, or simulate "
        f"again."
    )
    raise DataError(message, folder=str(folder), option=option, found=now, expected=then)


def _difference(folder: Path, run: Run, record: Mapping[str, Any]) -> str:
    """How the saved tables differ from those of the run, in words; empty if they are equal.

    Raises:
        InputError: a table cannot be read.
    """
    made = {"nav": run.nav_columns, "rebalances": run.rebalance_columns}
    wrong = [words for name in TABLES if (words := _table_difference(folder, name, made[name]))]
    if not wrong:
        return ""
    return (
        f"{folder}: the run is not the one that was saved: {'; '.join(wrong)}. It was made by "
        f"version {record.get('steelyard')}, this is {__version__}; the figures shown are "
        f"those of this version."
    )


def _table_difference(folder: Path, name: str, made: Columns) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from steelyard.simulation.run_folder import as_table

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
        return f"{file} has {saved.num_rows:,} rows as saved and {table.num_rows:,} now"
    differs = np.zeros(table.num_rows, dtype=bool)
    for column in table.schema.names:
        differs |= _bits(saved[column]) != _bits(table[column])
    if not differs.any():
        return ""
    first = format_time(int(_bits(table["time"])[int(differs.argmax())]) // 1_000_000)
    return f"{file} differs in {int(differs.sum()):,} of {len(differs):,} rows, from {first} on"


def _bits(column: Any) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """A column in which equal means equal to the last bit, NaN included."""
    values = column.to_numpy()
    return values.view(np.int64) if values.dtype.kind in "fM" else values
