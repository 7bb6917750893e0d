"""The inputs in addition to prices: read, checked against the series, and put on its schedule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.market.price_feed import READERS
from steelyard.rules.numbers import Num, Number
from steelyard.simulation.coverage import check_covers, reaches
from steelyard.simulation.schedule import Schedule

if TYPE_CHECKING:
    from steelyard.rules.series import Series

__all__ = [
    "NEEDS",
    "check_fits",
    "check_useful",
    "fits",
    "reaching",
    "read_events",
    "read_schedule",
    "schedule_of",
]

NEEDS = {
    "funding": 'venue.kind = "perpetual"',
    "rates": 'venue.kind = "spot", or with venue.cash_rate_per_year',
    "injections": "a table [reserve]",
    "book": 'costs.impact = "book"',
}
"""What a series needs for an input to have an effect on it; other inputs fit every series."""


def fits(option: str, series: Series) -> bool:
    """Whether an input has an effect on a series."""
    if option == "injections":
        return series.reserve is not None
    if option == "book":
        return series.costs.impact == "book"
    if option == "rates":
        return series.venue.has_interest
    return option != "funding" or series.venue.kind == "perpetual"


def check_fits(option: str, series: Series) -> None:
    """Refuse an input that has no effect on a series, since it was meant for another one.

    Raises:
        InputError: the input has no effect on the series.
    """
    if fits(option, series):
        return
    expected = NEEDS[option]
    kind = series.costs.impact if option == "book" else series.venue.kind
    found = "none" if option == "injections" else f'"{kind}"'
    message = (
        f"{series.symbol}: {option}: expected a series with {expected}, found {found}; "
        f"leave {option} out or change the series."
    )
    raise InputError(message, option=option, expected=expected, found=found)


def check_useful(options: Iterable[str], members: Sequence[Series]) -> None:
    """Refuse an input that has no effect on any of several series.

    Raises:
        InputError: there is such an input.
    """
    for option in options:
        if not any(fits(option, token) for token in members):
            message = (
                f"{option}: expected at least one series with {NEEDS[option]}, found none; "
                f"leave {option} out or add such a series."
            )
            raise InputError(message, option=option, expected=NEEDS[option])


def read_schedule(
    series: Series,
    number: Number[Num],
    given: Mapping[str, Any],
    span: tuple[int, int],
    *,
    goes_on: bool = False,
) -> Schedule[Num]:
    """The schedule of one series: ``schedule_of`` the result of ``read_events``.

    Raises:
        InputError: an input does not fit the series.
        DataError: a source is invalid.
    """
    return schedule_of(series, number, read_events(series, given, span, goes_on=goes_on))


def read_events(
    series: Series, given: Mapping[str, Any], span: tuple[int, int], *, goes_on: bool = False
) -> dict[str, Any]:
    """Read the dated inputs once: the events of every input that is not None.

    Args:
        series: the token.
        given: ``funding``, ``rates``, ``injections``, ``flows``, ``splits``, ``outages`` as
            sources, ``wind_down`` as a time.
        span: epoch seconds; funding paid after the first and up to the second instant is kept,
            because a file may contain years more than the run.
        goes_on: whether the run continues an earlier one that was given the same files; a file then
            need not have rows for this part.

    Raises:
        InputError: an input does not fit the series.
        DataError: a source is invalid, or has no rows for the history.
    """
    events: dict[str, Any] = {}
    for option, source in given.items():
        if source is not None:
            check_fits(option, series)
            events[option] = _columns(option, source)
            if not goes_on:
                check_covers(option, events[option], span)
    if "funding" in events:
        time, rate = events["funding"]
        first, last = time.searchsorted(span, "right").tolist()
        events["funding"] = time[first:last].tolist(), rate[first:last].tolist()
    return events


def reaching(
    given: Mapping[str, Any], span: tuple[int, int], whole: tuple[int, int]
) -> dict[str, Any]:
    """The inputs whose times reach into a part of a history.

    Args:
        given: as in ``read_events``; each is None or a source.
        span: first and last instant of the part, epoch seconds.
        whole: first and last instant of the history, epoch seconds.

    Raises:
        InputError: the wind-down is outside the history.
        DataError: a source is invalid, or has no rows for the history.
    """
    kept = {}
    for option, source in given.items():
        if source is not None:
            events = _columns(option, source)
            check_covers(option, events, whole)
            if reaches(option, events, span):
                kept[option] = source
    return kept


def schedule_of(series: Series, number: Number[Num], events: Mapping[str, Any]) -> Schedule[Num]:
    """The schedule of events in one kind of number, with the series' own rate as the first."""
    return Schedule(number, first_rate=series.venue.first_rate_per_year, **events)


def _columns(option: str, source: object) -> Any:  # noqa: ANN401 (of each table its own)
    """The columns of an input for a schedule, times first; for ``wind_down`` the instant."""
    found = READERS[option](source)
    if option == "wind_down":
        return found
    if option == "funding":
        # funding may contain years more than the run, so lists are made only of the part that is
        # kept
        return found.time, found.rate
    if option == "injections":
        return found.time.tolist(), found.quote.tolist(), [kind == CAPITAL for kind in found.kind]
    return tuple(getattr(found, name).tolist() for name in COLUMNS[option])


COLUMNS = {
    "rates": ("time", "rate"),
    "flows": ("time", "tokens"),
    "splits": ("time", "ratio"),
    "outages": ("start", "end"),
}
CAPITAL = "capital"
