"""What is given beside the prices: read, held against the series, and put on its schedule."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.market import (
    Prices,
    parse_time,
    read_flows,
    read_funding,
    read_injections,
    read_outages,
    read_rates,
    read_splits,
)
from steelyard.rules.numbers import Num, Number
from steelyard.simulate.schedule import Schedule

if TYPE_CHECKING:
    from steelyard.rules.series import Series

__all__ = [
    "ENGINES",
    "NEEDS",
    "check_fits",
    "fits",
    "named_files",
    "read_events",
    "read_schedule",
    "schedule_of",
]

ENGINES = ("fast", "reference")
"""By what a run may be made."""
NEEDS = {
    "funding": 'venue.kind = "perpetual"',
    "rates": 'venue.kind = "spot"',
    "injections": "a table [reserve]",
}
"""What a series must have so that an option says anything about it; the others go with all."""


def fits(option: str, series: Series) -> bool:
    """Whether an option says anything about a series."""
    if option == "injections":
        return series.reserve is not None
    return series.venue.kind == {"funding": "perpetual", "rates": "spot"}.get(
        option, series.venue.kind
    )


def check_fits(option: str, series: Series) -> None:
    """Refuse an option that says nothing about a series: it was meant for another.

    Raises:
        InputError: where it does not.
    """
    if fits(option, series):
        return
    expected = NEEDS[option]
    found = "none" if option == "injections" else f'"{series.venue.kind}"'
    message = (
        f"{series.symbol}: {option}: expected a series with {expected}, found {found}; "
        f"leave {option} out or change the series."
    )
    raise InputError(message, option=option, expected=expected, found=found)


def named_files(given: Mapping[str, Any]) -> dict[str, str]:
    """The files among what was given, prices too: their paths from the root on, by option."""
    found = {}
    for option, source in given.items():
        is_read = isinstance(source, Prices)
        # prices that were read know what they were called; not all of them were in a file
        name: Any = source.source if is_read else source
        if isinstance(name, str | os.PathLike) and option != "wind_down":
            path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100 (links stay as they are)
            if not is_read or os.path.lexists(path):
                found[option] = path
            elif name != "frame":
                found[option] = str(name)
    return found


def read_schedule(
    series: Series, number: Number[Num], given: Mapping[str, Any], span: tuple[int, int]
) -> Schedule[Num]:
    """The schedule of one series: ``schedule_of`` what ``read_events`` finds.

    Raises:
        InputError: where one does not go with the series.
        DataError: where a source is not what it should be.
    """
    return schedule_of(series, number, read_events(series, given, span))


def read_events(series: Series, given: Mapping[str, Any], span: tuple[int, int]) -> dict[str, Any]:
    """What happens at given times, read once: the events of all that was given and is not None.

    Args:
        series: the token.
        given: ``funding``, ``rates``, ``injections``, ``flows``, ``splits``, ``outages`` as
            sources, ``wind_down`` as a time.
        span: of funding, what is paid after the first and up to the second instant is kept: a
            file may hold years more than a run.

    Raises:
        InputError: where one does not go with the series.
        DataError: where a source is not what it should be.
    """
    events: dict[str, Any] = {}
    for option, source in given.items():
        if source is not None:
            check_fits(option, series)
            reads = READERS[option]
            events[option] = reads(source, span) if option == "funding" else reads(source)
    return events


def schedule_of(series: Series, number: Number[Num], events: Mapping[str, Any]) -> Schedule[Num]:
    """Events on a schedule, in one kind of number; the series' own rate holds before others."""
    return Schedule(number, first_rate=series.venue.rate_per_year, **events)


def _funding(source: object, span: tuple[int, int]) -> tuple[list[int], list[float]]:
    found = read_funding(source)
    first, last = found.time.searchsorted(span, "right").tolist()
    return found.time[first:last].tolist(), found.rate[first:last].tolist()


def _rates(source: object) -> tuple[list[int], list[float]]:
    found = read_rates(source)
    return found.time.tolist(), found.rate.tolist()


def _injections(source: object) -> tuple[list[int], list[float], list[bool]]:
    found = read_injections(source)
    return found.time.tolist(), found.quote.tolist(), [kind == "capital" for kind in found.kind]


def _flows(source: object) -> tuple[list[int], list[float]]:
    found = read_flows(source)
    return found.time.tolist(), found.tokens.tolist()


def _splits(source: object) -> tuple[list[int], list[float]]:
    found = read_splits(source)
    return found.time.tolist(), found.ratio.tolist()


def _outages(source: object) -> tuple[list[int], list[int]]:
    found = read_outages(source)
    return found.start.tolist(), found.end.tolist()


READERS: dict[str, Any] = {
    "funding": _funding,
    "rates": _rates,
    "injections": _injections,
    "flows": _flows,
    "splits": _splits,
    "outages": _outages,
    "wind_down": parse_time,
}
