"""The part of a history that each input covers: an error if it is none, otherwise a note.

An input from another time changes nothing in a run, but would look in the results as if it were
used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.errors import DataError, InputError
from steelyard.market import format_time
from steelyard.market.event_readers import Funding
from steelyard.market.symbols import base_of

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.rules.series import Series

__all__ = ["asset_name", "check_covers", "notes_on", "reaches"]

COUNTED = {
    "flows": "creations and redemptions",
    "splits": "splits",
    "injections": "injections",
    "outages": "outages",
}
EDGES = 2
"""Payments that may be missing at either end of a history before a note mentions it."""


def check_covers(option: str, events: Any, span: tuple[int, int]) -> None:  # noqa: ANN401 (each kind)
    """Refuse an input whose times are outside a history.

    Args:
        option: name of the input, as ``simulate`` takes it.
        events: its columns, times first and in order; for ``wind_down`` the instant.
        span: epoch seconds of the first instant (exclusive) and the last (inclusive).

    Raises:
        InputError: the wind-down is outside the history.
        DataError: all rows are before the history or after it.
    """
    if reaches(option, events, span):
        return
    if option == "wind_down":
        message = (
            f"wind_down: expected a time in the history that is run, {_span(span)}; found "
            f"{_day(events)}. Give a time in it, or leave wind_down out."
        )
        raise InputError(message, option=option, found=events, expected=span)
    times = events[0]
    held = f"{len(times):,} row{'s' if len(times) != 1 else ''}, {_day(times[0])}"
    if len(times) > 1:
        held += f" to {_day(times[-1])}"
    message = (
        f"{option}: expected rows in the time of the history that is run, {_span(span)}; found "
        f"{held}: none of them has an effect. Give rows of that time, or leave {option} out."
    )
    raise DataError(message, option=option, expected=span, found=(times[0], times[-1]))


def reaches(option: str, events: Any, span: tuple[int, int]) -> bool:  # noqa: ANN401 (each kind)
    """Whether an input has rows for a history; the arguments are those of ``check_covers``."""
    if option == "wind_down":
        return bool(span[0] < events <= span[1])
    times = events[0]
    ends = events[1] if option == "outages" else times
    # An input that spans the history need not have a row inside it; the last rate stays in force
    # after its row.
    return bool(times[0] <= span[1] and (ends[-1] >= span[0] or option == "rates"))


def notes_on(series: Series, bars: Prices, events: Mapping[str, Any]) -> list[str]:
    """Notes on the asset that prices are of, and on what each input covers, one sentence each.

    Args:
        series: the token.
        bars: the bars that are run.
        events: the columns of each input that was given, with funding cut to the history.
    """
    span = int(bars.time[0]), int(bars.time[-1]) + bars.step_s
    return [*_symbol_notes(series, bars), *_event_notes(series, span, events)]


def asset_name(series: Series, bars: Prices) -> str:
    """The asset of a history: the series' underlying, or another asset if its source names one."""
    return bars.symbol if _is_another(series, bars) else series.underlying


def _is_another(series: Series, bars: Prices) -> bool:
    return bool(bars.symbol) and base_of(bars.symbol) != base_of(series.underlying)


def _symbol_notes(series: Series, bars: Prices) -> Iterator[str]:
    if _is_another(series, bars):
        yield (
            f"the underlying of {series.symbol} is {series.underlying}, but {bars.source} holds "
            f"prices of {bars.symbol}: all figures are those of a token on "
            f"{base_of(bars.symbol)}."
        )


def _event_notes(series: Series, span: tuple[int, int], events: Mapping[str, Any]) -> Iterator[str]:
    for option, found in events.items():
        if option == "funding":
            yield _funding_note(found, span)
        elif option == "rates":
            yield _rates_note(series, found[0], span)
        elif option in COUNTED:
            used, whole = _count(option, found, span), len(found[0])
            yield f"{option}: the history holds {used:,} of {whole:,} {COUNTED[option]}."


def _funding_note(events: tuple[Sequence[int], Sequence[float]], span: tuple[int, int]) -> str:
    found = Funding(np.array(events[0], np.int64), np.array(events[1]))
    if not len(found):
        return "funding: no payment falls into these bars."
    first, last, edge = int(found.time[0]), int(found.time[-1]), EDGES * found.interval_s
    payments = f"{len(found):,} payment{'s' if len(found) != 1 else ''}"
    words = (
        f"funding covers {_day(first)} to {_day(last)} UTC: {payments}, at a rate of "
        f"{found.per_year:+z.2%} of notional a year (above 0, longs pay)"
    ).replace("%", " %")
    if first - span[0] > edge or span[1] - last > edge:
        words += f"; the history is {_span(span)}, and no funding is charged outside the payments"
    return f"{words}."


def _rates_note(series: Series, times: Sequence[int], span: tuple[int, int]) -> str:
    within = sum(span[0] < time <= span[1] for time in times)
    changes = f"{within:,} of {len(times):,} rates begin within the history"
    if times[0] <= span[0]:
        return f"rates: {changes}, and a rate is known for its first bar."
    own = f"{series.venue.first_rate_per_year:z.2%}".replace("%", " %")
    return f"rates: {changes}; before {_day(times[0])} UTC the series' own {own} a year applies."


def _count(option: str, events: Any, span: tuple[int, int]) -> int:  # noqa: ANN401 (as above)
    """How many rows of an input have an effect in a history."""
    times = np.asarray(events[0])
    if option == "outages":
        return int(((times <= span[1]) & (np.asarray(events[1]) > span[0])).sum())
    if option == "rates":
        return int((times < span[1]).sum())
    return int(((times > span[0]) & (times <= span[1])).sum())


def _span(span: tuple[int, int]) -> str:
    return f"{_day(span[0])} to {_day(span[1])} UTC"


def _day(epoch_s: int) -> str:
    text = format_time(epoch_s).replace("T", " ").removesuffix("Z").removesuffix(":00")
    return text.removesuffix(" 00:00")
