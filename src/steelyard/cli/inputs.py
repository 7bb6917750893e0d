"""What a person names on the command line, found: series files and presets, prices, instants.

A file always wins: a preset or a bundled history is meant only where no file has that name.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.rules.series import Series

    _InstantBase = click.ParamType[int]
    _OutBase = click.ParamType[Path]
else:
    _InstantBase = _OutBase = click.ParamType  # generic only from click 8.4 on

__all__ = [
    "InstantType",
    "OutType",
    "by_symbol",
    "check_out",
    "find_book",
    "find_prices",
    "find_series",
    "find_series_text",
]


def find_series(name: str) -> Series:
    """The series file ``name``, or the preset of that name.

    Raises:
        InputError: it is neither, or says what no series can be.
    """
    from steelyard.rules.presets import load_preset, preset_names
    from steelyard.rules.series import Series

    if not os.path.lexists(name) and name in preset_names():
        return load_preset(name)
    _refuse_missing(name)
    return Series.load(name)


def find_series_text(name: str) -> str:
    """The text of the series file ``name``, or of the preset of that name.

    Raises:
        InputError: as ``find_series`` does; what is returned is a series.
    """
    from steelyard.rules.presets import preset_names, preset_text

    find_series(name)
    if not os.path.lexists(name) and name in preset_names():
        return preset_text(name)
    return Path(name).read_text(encoding="utf-8-sig")


def by_symbol(values: Sequence[str], symbols: Sequence[str], option: str) -> dict[str, str]:
    """What was given for each of several series as ``SYMBOL=VALUE``; of one, the value will do.

    Raises:
        click.UsageError: a value names no series, or a series is named twice.
    """
    found: dict[str, str] = {}
    for value in values:
        symbol, is_named, rest = value.partition("=")
        if len(symbols) == 1 and not (is_named and symbol == symbols[0]):
            symbol, rest = symbols[0], value
        elif not is_named or symbol not in symbols:
            named = f"{symbols[0]}={value.rpartition('=')[2]}"
            message = (
                f"{option}: expected SYMBOL=VALUE with one of {', '.join(symbols)}, such as "
                f"{named}; found {value}."
            )
            raise click.UsageError(message)
        if symbol in found:
            raise click.UsageError(f"{option}: expected it once for {symbol}, found it twice.")
        found[symbol] = rest
    return found


def find_prices(name: str) -> Prices:
    """The price file ``name``, or the bundled history of that name.

    Raises:
        DataError: it is neither, or not what prices should be.
    """
    from steelyard.market import SAMPLE_NAMES, read_prices, sample_prices

    if name.upper() in SAMPLE_NAMES and not os.path.lexists(name):
        return sample_prices(name.upper())
    return read_prices(name)


def find_book(series: Series) -> tuple[list[float], list[float], list[float]] | None:
    """The columns of the book that a series trades on; None where it trades on none.

    Raises:
        DataError: its file is missing, or no book.
    """
    if series.costs.impact != "book":
        return None
    from steelyard.market import read_book

    return read_book(series.costs.book).columns


def check_out(out: Path, hint: str, *, folder: bool) -> None:
    """Find out before the work whether its result can be written; what cannot is wrong usage."""
    from steelyard.simulate.output import check_file, check_folder

    try:
        (check_folder if folder else check_file)(out)
    except InputError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


class OutType(_OutBase):
    """A place to write to. An empty one is refused: as a path it would be the present folder."""

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Take the name for a path; none is wrong usage, such as an unset variable of a shell."""
        if not str(value):
            self.fail("expected a name, found nothing.", param, ctx)
        return Path(str(value))


class InstantType(_InstantBase):
    """A time: ``2020-03-12``, ``2020-03-12T08:00:00Z`` or epoch seconds; in epoch seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read the time; what is none is wrong usage."""
        from steelyard.market import parse_time

        try:
            return parse_time(value)  # type: ignore[arg-type]
        except InputError as error:
            self.fail(str(error), param, ctx)


def _refuse_missing(name: str) -> None:
    """Say of what is neither file nor preset that it is neither."""
    from steelyard.rules.presets import preset_names

    if os.path.lexists(name) or "/" in name or name.endswith(".toml"):
        return
    presets = preset_names()
    close = difflib.get_close_matches(name.lower(), presets, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    message = (
        f"{name}: expected a series file or the name of a preset, found neither.{hint} "
        f'"steelyard series list" lists the presets.'
    )
    raise InputError(message, found=name, allowed=presets)
