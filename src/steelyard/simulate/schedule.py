"""What happens at given times: funding instants, changes of rate, injections into the reserve.

Asked for a half-open stretch (since, until], so that a run needs no pointer into its files and
two runs joined by their state see each instant once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Generic

from steelyard.rules.numbers import Num, Number

__all__ = ["Schedule"]


class Schedule(Generic[Num]):
    """Funding, rates and injections by time, as numbers of one kind.

    Args:
        number: the kind of number.
        funding: epoch s and rate, in order.
        rates: epoch s and rate per year, in order; before the first, ``first_rate`` holds.
        injections: epoch s, quote, and whether it is capital, in order.
        first_rate: the series' own rate per year.
    """

    def __init__(
        self,
        number: Number[Num],
        *,
        funding: tuple[Sequence[int], Sequence[float]] = ((), ()),
        rates: tuple[Sequence[int], Sequence[float]] = ((), ()),
        injections: tuple[Sequence[int], Sequence[float], Sequence[bool]] = ((), (), ()),
        first_rate: float = 0.0,
    ) -> None:
        self._funding_times = list(funding[0])
        self._funding: list[Num] = [number.of(rate) for rate in funding[1]]
        self._rate_times = list(rates[0])
        self._rates: list[Num] = [number.of(rate) for rate in (first_rate, *rates[1])]
        self._injection_times = list(injections[0])
        self._injections: list[tuple[Num, bool]] = [
            (number.of(quote), capital)
            for quote, capital in zip(injections[1], injections[2], strict=True)
        ]

    @property
    def injection_times(self) -> Sequence[int]:
        """Epoch s of each injection, in order."""
        return self._injection_times

    @property
    def rate_times(self) -> Sequence[int]:
        """Epoch s from which each rate of the file is in force, in order."""
        return self._rate_times

    @property
    def highest_rate(self) -> Num:
        """The largest size of any rate per year."""
        return max(map(abs, self._rates))

    def rate_after(self, since: int) -> Num:
        """The rate per year in force just after ``since``."""
        return self._rates[bisect_right(self._rate_times, since)]

    def funding_within(self, since: int, until: int) -> tuple[Sequence[int], Sequence[Num]]:
        """Funding instants in (since, until] and their rates."""
        times = self._funding_times
        rows = slice(bisect_right(times, since), bisect_right(times, until))
        return times[rows], self._funding[rows]

    def funding_between(self, since: int, until: int) -> Sequence[Num]:
        """Funding rates whose instants lie in (since, until]."""
        times = self._funding_times
        return self._funding[bisect_right(times, since) : bisect_right(times, until)]

    def rates_between(self, since: int, until: int) -> Iterator[tuple[Num, int]]:
        """Each rate per year in force in (since, until], with the seconds it was in force."""
        times = self._rate_times
        place = bisect_right(times, since)
        while since < until:
            end = min(times[place], until) if place < len(times) else until
            yield self._rates[place], end - since
            since = end
            place += 1

    def injections_between(self, since: int, until: int) -> Sequence[tuple[Num, bool]]:
        """Quote injected in (since, until], each with whether it is capital."""
        times = self._injection_times
        return self._injections[bisect_right(times, since) : bisect_right(times, until)]
