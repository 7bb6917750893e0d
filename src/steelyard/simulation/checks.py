"""Checks of a run's arguments before it starts, and the intrabar mode of its bars."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from numbers import Real

from steelyard.arguments import refuse_kind
from steelyard.errors import DataError, InputError
from steelyard.fund.state import State
from steelyard.market import Prices, format_time
from steelyard.rules.numbers import Num
from steelyard.rules.series import Series

__all__ = [
    "ENGINES",
    "check_engine",
    "check_goes_on",
    "check_kind",
    "check_number",
    "check_place",
    "check_reserve",
    "check_several",
    "mode_of",
]


ENGINES = ("fast", "reference")
"""The engines that can compute a run."""


def check_engine(engine: str) -> None:
    """Refuse an unknown engine.

    Raises:
        InputError: it is neither "fast" nor "reference".
    """
    if engine not in ENGINES:
        message = f'engine: expected "fast" or "reference", found "{engine}".'
        raise InputError(message, found=engine, allowed=ENGINES)


def check_reserve(series: Series) -> None:
    """Refuse a token whose counterparty is a reserve if it has no reserve.

    Raises:
        InputError: the series has the venue ``pool`` and no reserve.
    """
    if series.venue.kind == "pool" and series.reserve is None:
        message = (
            f'{series.symbol}: expected a reserve, the counterparty of venue.kind = "pool", found '
            f"none; add a table [reserve] or give a shared reserve."
        )
        raise InputError(message, symbol=series.symbol)


def check_kind(name: str, given: object, kind: type, source: str) -> None:
    """Refuse an argument, such as a path or a frame, where an object of a given class is needed.

    Raises:
        InputError: the argument is not of this class.
    """
    if not isinstance(given, kind):
        message = f"{name}: expected what {source} gives, found a {type(given).__qualname__}."
        raise InputError(message, argument=name, found=given)


def check_place(name: str, given: object) -> None:
    """Refuse what cannot be the location of a journal: a path, a URL, or a store in memory.

    Raises:
        InputError: the argument is none of these.
    """
    if not (given is None or isinstance(given, str | os.PathLike) or hasattr(given, "memory")):
        refuse_kind(name, "a path or a URL", given)


def check_several(name: str, given: object, what: str) -> None:
    """Refuse a single thing where several are needed; text does not count as a list of letters.

    Raises:
        InputError: the argument is text, or cannot be iterated over.
    """
    if isinstance(given, str | bytes | os.PathLike) or not isinstance(given, Iterable):
        refuse_kind(name, f"a list of {what}", given)


def check_number(name: str, given: object) -> None:
    """Refuse what is not a finite number; a bool is refused as well.

    Raises:
        InputError: the argument is not a finite number.
    """
    if isinstance(given, bool) or not isinstance(given, Real):
        refuse_kind(name, "a number", given)
    if not math.isfinite(given):
        message = f"{name}: expected a finite number, found {given!r}."
        raise InputError(message, argument=name, found=given)


def mode_of(intrabar: str | None, bars: Prices) -> str:
    """The intrabar mode that was chosen, or the default for these bars.

    Raises:
        InputError: the mode is unknown.
        DataError: the mode is "path" and the bars lack open, high or low.
    """
    if intrabar is None:
        return "path" if bars.has_path else "close"
    if intrabar not in ("close", "path"):
        message = f'intrabar: expected "close" or "path", found {intrabar!r}.'
        raise InputError(message, found=intrabar)
    if intrabar == "path" and not bars.has_path:
        message = (
            f"{bars.source}: intrabar path: expected columns open, high, low and close, found no "
            f"open, high and low; use intrabar close."
        )
        raise DataError(message, source=bars.source)
    return intrabar


def check_goes_on(state: State[Num], bars: Prices, mode: str) -> None:
    """Refuse bars that are not later than what a state has already observed.

    Raises:
        InputError: the first bar is not after the state's last observation.
    """
    first = int(bars.time[0] if mode == "path" else bars.end_times[0])
    if state.time is not None and first <= state.time:
        message = (
            f"{bars.source}: expected bars after {format_time(state.time)}, where the state "
            f"ends, found one observed at {format_time(first)}; start later."
        )
        raise InputError(message, source=bars.source, state=state.time, found=first)
