"""What a run refuses before it starts, and the mode that its bars are walked in."""

from __future__ import annotations

from steelyard.errors import DataError, InputError
from steelyard.fund.state import State
from steelyard.market import Prices, format_time
from steelyard.rules.numbers import Num
from steelyard.rules.series import Series

__all__ = ["check_goes_on", "check_kind", "check_reserve", "mode_of"]


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
