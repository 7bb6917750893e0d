"""What is given beside the prices: read, held against the series, and put on its schedule."""

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
"""What a series must have so that an option says anything about it; the others go with all."""


def fits(option: str, series: Series) -> bool:
    """Whether an option says anything about a series."""
    if option == "injections":
        return series.reserve is not None
    if option == "book":
        return series.costs.impact == "book"
    if option == "rates":
        return series.venue.has_interest
    return option != "funding" or series.venue.kind == "perpetual"


def check_fits(option: str, series: Series) -> None:
    """Refuse an option that says nothing about a series: it was meant for another.

    Raises:
        InputError: where it does not.
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
    """Refuse an option that says nothing about any of several series.

    Raises:
        InputError: where there is one.
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
    """The schedule of one series: ``schedule_of`` what ``read_events`` finds.

    Raises:
        InputError: where one does not go with the series.
        DataError: where a source is not what it should be.
    """
    return schedule_of(series, number, read_events(series, given, span, goes_on=goes_on))


def read_events(
    series: Series, given: Mapping[str, Any], span: tuple[int, int], *, goes_on: bool = False
) -> dict[str, Any]:
    """What happens at given times, read once: the events of all that was given and is not None.

    Args:
        series: the token.
        given: ``funding``, ``rates``, ``injections``, ``flows``, ``splits``, ``outages`` as
            sources, ``wind_down`` as a time.
        span: of funding, what is paid after the first and up to the second instant is kept: a
            file may hold years more than a run.
        goes_on: whether the run goes on from an earlier one, which the same files were given to:
            then a file may hold nothing for this part.

    Raises:
        InputError: where one does not go with the series.
        DataError: where a source is not what it should be, or holds nothing for the history.
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
    """Of inputs, each None or a source, those that are of the time of a part of a history.

    Args:
        given: as ``read_events`` takes it.
        span: the first instant and the last of the part.
        whole: those of the history.

    Raises:
        InputError: a token would be closed outside of the history.
        DataError: a source is not what it should be, or holds nothing for the history.
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
    """Events on a schedule, in one kind of number; the series' own rate holds before others."""
    return Schedule(number, first_rate=series.venue.first_rate_per_year, **events)


def _columns(option: str, source: object) -> Any:  # noqa: ANN401 (of each table its own)
    """The columns of an input as a schedule takes them, its times first; of an end the instant."""
    found = READERS[option](source)
    if option == "wind_down":
        return found
    if option == "funding":
        # years of it may be given to a day's run: lists are made of what is kept
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
