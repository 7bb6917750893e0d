"""What a run refuses before it starts, and the mode that its bars are walked in."""

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
"""By what a run may be made."""


def check_engine(engine: str) -> None:
    """Refuse what no run can be made by.

    Raises:
        InputError: where it is neither engine.
    """
    if engine not in ENGINES:
        message = f'engine: expected "fast" or "reference", found "{engine}".'
        raise InputError(message, found=engine, allowed=ENGINES)


def check_reserve(series: Series) -> None:
    """Refuse a token whose counterparty is a reserve that is not there.

    Raises:
        InputError: where it is not.
    """
    if series.venue.kind == "pool" and series.reserve is None:
        message = (
            f'{series.symbol}: expected a reserve, the counterparty of venue.kind = "pool", found '
            f"none; add a table [reserve] or give a shared reserve."
        )
        raise InputError(message, symbol=series.symbol)


def check_kind(name: str, given: object, kind: type, source: str) -> None:
    """Refuse a path or a frame where an object of ours belongs: Python itself would not.

    Raises:
        InputError: where it is of another kind.
    """
    if not isinstance(given, kind):
        message = f"{name}: expected what {source} gives, found a {type(given).__qualname__}."
        raise InputError(message, argument=name, found=given)


def check_place(name: str, given: object) -> None:
    """Refuse what cannot be where a journal is: a path, a URL, or a memory of the program.

    Raises:
        InputError: where it is none of these.
    """
    if not (given is None or isinstance(given, str | os.PathLike) or hasattr(given, "memory")):
        refuse_kind(name, "a path or a URL", given)


def check_several(name: str, given: object, what: str) -> None:
    """Refuse one thing where several belong: a text is a sequence of its letters to Python.

    Raises:
        InputError: where it is a text, or cannot be gone through.
    """
    if isinstance(given, str | bytes | os.PathLike) or not isinstance(given, Iterable):
        refuse_kind(name, f"a list of {what}", given)


def check_number(name: str, given: object) -> None:
    """Refuse what is no number, a truth value included.

    Raises:
        InputError: where it is none.
    """
    if isinstance(given, bool) or not isinstance(given, Real):
        refuse_kind(name, "a number", given)
    if not math.isfinite(given):
        message = f"{name}: expected a finite number, found {given!r}."
        raise InputError(message, argument=name, found=given)


def mode_of(intrabar: str | None, bars: Prices) -> str:
    """The intrabar mode that was asked for, or the default of these bars.

    Raises:
        InputError: it is no mode.
        DataError: the bars cannot be walked.
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
    """Refuse bars that a state has seen.

    Raises:
        InputError: where the first of them is not after the state's last observation.
    """
    first = int(bars.time[0] if mode == "path" else bars.end_times[0])
    if state.time is not None and first <= state.time:
        message = (
            f"{bars.source}: expected bars after {format_time(state.time)}, where the state "
            f"stands, found one observed at {format_time(first)}; start later."
        )
        raise InputError(message, source=bars.source, state=state.time, found=first)
