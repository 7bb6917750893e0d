"""Look up what a command line names: series files and presets, prices, instants.

A file always comes first: a name means a preset or a bundled history only if no such file exists.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steelyard.cli.overwriting import is_read
from steelyard.errors import InputError

if TYPE_CHECKING:
    from steelyard.market import Feed, Prices
    from steelyard.rules.series import Series

    _InstantBase = click.ParamType[int]
    _OutBase = click.ParamType[Path]
else:
    _InstantBase = _OutBase = click.ParamType  # generic only from click 8.4 on

__all__ = [
    "InstantType",
    "OutType",
    "by_symbol",
    "find_book",
    "find_feed",
    "find_prices",
    "find_series",
    "find_series_text",
]


def find_series(name: str) -> Series:
    """The series file ``name``, or the preset of that name.

    Raises:
        InputError: it is neither, or it is not a valid series.
    """
    from steelyard.simulation.series_argument import series_of

    series = series_of(name)
    if series.costs.book:
        is_read(series.costs.book)
    return series


def find_series_text(name: str) -> str:
    """The text of the series file ``name``, or of the preset of that name.

    Raises:
        InputError: as ``find_series``; the returned text is always a valid series.
    """
    from steelyard.rules.presets import preset_names, preset_text

    find_series(name)
    if not os.path.lexists(name) and name in preset_names():
        return preset_text(name)
    return Path(name).read_text(encoding="utf-8-sig")


def by_symbol(values: Sequence[str], symbols: Sequence[str], option: str) -> dict[str, str]:
    """The values given as ``SYMBOL=VALUE`` for several series; one series needs the value only.

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
        DataError: it is neither, or its content is not valid.
        click.UsageError: the name is empty.
    """
    from steelyard.market import SAMPLE_NAMES, prices_of

    if not name.strip():
        allowed = " or ".join(SAMPLE_NAMES)
        raise click.UsageError(
            f"prices: expected a file, a pattern of files, or {allowed}, the bundled histories; "
            f"found an empty name. An unset shell variable is a common cause."
        )
    return prices_of(name)


def find_feed(prices: str, options: dict[str, Any], series: Series | Sequence[Series] = ()) -> Feed:
    """The named prices together with the other inputs, which are removed from the options.

    Args:
        prices: the name of a file or of a bundled history.
        options: the options of a command; those that go into the feed are removed from it.
        series: the series to run. An option that does not apply to it, or to any of several, is
            refused before its file is read.

    Raises:
        DataError: a file is not valid, or no bar is left.
        InputError: a time is not valid, or an option does not apply to the series.
        click.UsageError: the name is empty.
    """
    from steelyard.market import Feed
    from steelyard.market.price_feed import INPUTS
    from steelyard.rules.series import Series
    from steelyard.simulation.inputs import check_fits, check_useful

    history = find_prices(prices)
    given = [name for name in INPUTS if options.get(name)]
    if isinstance(series, Series):
        for name in given:
            check_fits(name, series)
    elif series:
        check_useful(given, series)
    named = (*INPUTS, "start", "end")
    return Feed(history, **{name: options.pop(name) for name in named if name in options})


def find_book(series: Series) -> tuple[list[float], list[float], list[float]] | None:
    """The columns of the book that a series trades on; None if it trades on no book.

    Raises:
        DataError: its file is missing, or is not a book.
    """
    if series.costs.impact != "book":
        return None
    from steelyard.market import read_book

    return read_book(series.costs.book).columns


class OutType(_OutBase):
    """A path to write to. An empty one is refused, because it would mean the current folder."""

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Convert the name to a path; an empty name is wrong usage."""
        if not str(value):
            self.fail("expected a name, found nothing.", param, ctx)
        return Path(str(value))


class InstantType(_InstantBase):
    """A time (``2020-03-12``, ``2020-03-12T08:00:00Z`` or epoch seconds), as epoch seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read the time; anything else is wrong usage."""
        from steelyard.market import parse_time

        try:
            return parse_time(value)  # type: ignore[arg-type]
        except InputError as error:
            self.fail(str(error), param, ctx)
