"""What happens at given times: funding, changes of rate, injections, flows, splits, outages.

Asked for a half-open stretch (since, until], so that a run needs no pointer into its files and
two runs joined by their state see each instant once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from steelyard.fund.events import NOTHING_DUE, Inputs
from steelyard.fund.terms import Impact
from steelyard.rules.numbers import Num, Number

__all__ = ["Schedule"]

Value = TypeVar("Value")

NEVER = 2**62
"""Epoch s after all that can be observed."""


class Schedule(Generic[Num]):
    """Events by time, as numbers of one kind.

    Args:
        number: the kind of number.
        funding: epoch s and rate, in order.
        rates: epoch s and rate per year, in order; before the first, ``first_rate`` holds.
        injections: epoch s, quote, and whether it is capital, in order.
        flows: epoch s and tokens created (redeemed where negative), in order.
        splits: epoch s and tokens for one token, in order.
        outages: epoch s from and until which nothing triggers, in order.
        wind_down: epoch s at which the token is closed; None: never.
        first_rate: the series' own rate per year.
    """

    def __init__(
        self,
        number: Number[Num],
        *,
        funding: tuple[Sequence[int], Sequence[float]] = ((), ()),
        rates: tuple[Sequence[int], Sequence[float]] = ((), ()),
        injections: tuple[Sequence[int], Sequence[float], Sequence[bool]] = ((), (), ()),
        flows: tuple[Sequence[int], Sequence[float]] = ((), ()),
        splits: tuple[Sequence[int], Sequence[float]] = ((), ()),
        outages: tuple[Sequence[int], Sequence[int]] = ((), ()),
        wind_down: int | None = None,
        first_rate: float = 0.0,
    ) -> None:
        self._funding: _Events[Num] = _Events(funding[0], list(map(number.of, funding[1])))
        self._rate_times: list[int] = list(rates[0])
        self._rates: list[Num] = [number.of(rate) for rate in (first_rate, *rates[1])]
        amounts = zip(injections[1], injections[2], strict=True)
        self._injections: _Events[tuple[Num, bool]] = _Events(
            injections[0], [(number.of(quote), capital) for quote, capital in amounts]
        )
        self._flows: _Events[Num] = _Events(flows[0], [number.of(tokens) for tokens in flows[1]])
        self._splits: _Events[Num] = _Events(splits[0], [number.of(ratio) for ratio in splits[1]])
        self._outages: tuple[list[int], list[int]] = list(outages[0]), list(outages[1])
        self.wind_down: int | None = wind_down
        self._ends_at: int = NEVER if wind_down is None else wind_down
        self._times: list[int] = sorted(
            {*self._funding.times, *self._flows.times, *self._splits.times, NEVER}
        )
        # asked at every observation, where most schedules hold none of these
        self.has_splits, self.has_flows = bool(self._splits.times), bool(self._flows.times)
        self.has_outages = bool(self._outages[0])
        self.is_plain = not (self.has_splits or self.has_flows or self.has_outages) and (
            wind_down is None
        )
        """Whether nothing comes from outside but money: funding, rates, injections."""

    @property
    def stop_times(self) -> list[int]:
        """Epoch s of all that changes a token at a time of its own, funding and rates left out."""
        times = [*self._outages[0], *self._outages[1]]
        times += [*self._injections.times, *self._flows.times, *self._splits.times]
        if self.wind_down is not None:
            times.append(self.wind_down)
        return times

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
        times = self._funding.times
        rows = slice(bisect_right(times, since), bisect_right(times, until))
        return times[rows], self._funding.values[rows]

    def rates_between(self, since: int, until: int) -> Iterator[tuple[Num, int]]:
        """Each rate per year in force in (since, until], with the seconds it was in force."""
        times = self._rate_times
        place = bisect_right(times, since)
        while since < until:
            end = min(times[place], until) if place < len(times) else until
            yield self._rates[place], end - since
            since = end
            place += 1

    def injections_between(self, since: int, until: int) -> tuple[tuple[Num, bool], ...]:
        """Quote injected in (since, until], each with whether it is capital."""
        return self._injections.between(since, until)

    def inputs_between(
        self,
        since: int | None,
        until: int,
        with_rates: bool = False,  # noqa: FBT001, FBT002 (asked at every bar)
        impact: Impact[Num] | None = None,
        *,
        with_funding: bool = True,
    ) -> Inputs[Num]:
        """What falls due for a fund in (since, until].

        Args:
            since: epoch s of its last clock observation; None: it launches at ``until``.
            until: epoch s.
            with_rates: whether it pays interest.
            impact: of the moment, where that follows the market.
            with_funding: false: a driver pays the funding by itself.
        """
        if since is None:
            return Inputs(impact=impact)
        times, ends = self._times, until >= self._ends_at
        is_quiet = times[bisect_right(times, since)] > until
        if is_quiet and impact is None and not (ends or with_rates):
            # most observations
            return NOTHING_DUE  # type: ignore[return-value]  # it holds no number
        rates = tuple(self.rates_between(since, until)) if with_rates else ()
        if is_quiet:
            return Inputs((), rates, (), (), ends, impact)
        funding = self._funding.between(since, until) if with_funding else ()
        splits, flows = self._splits.between(since, until), self._flows.between(since, until)
        return Inputs(funding, rates, splits, flows, ends, impact)

    def is_out(self, time: int) -> bool:
        """Whether the keeper is dead at this instant."""
        starts, ends = self._outages
        if not starts:
            return False
        place = bisect_right(starts, time)
        return place > 0 and time < ends[place - 1]


class _Events(Generic[Value]):
    """Values at times."""

    def __init__(self, times: Sequence[int], values: list[Value]) -> None:
        self.times = list(times)
        self.values = values

    def between(self, since: int, until: int) -> tuple[Value, ...]:
        times = self.times
        if not times:
            return ()
        return tuple(self.values[bisect_right(times, since) : bisect_right(times, until)])
