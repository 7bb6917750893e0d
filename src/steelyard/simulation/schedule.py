"""The schedule of dated events: funding, rates, injections, flows, splits, outages.

It is asked for the events in a half-open interval (since, until], so that a run needs no position
in its files, and two runs that are joined by a state see each event once.
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
"""A time after all that can be observed, in epoch seconds."""


class Schedule(Generic[Num]):
    """Dated events in one kind of number.

    Args:
        number: the kind of number.
        funding: times (epoch seconds) and rates, in order.
        rates: times (epoch seconds) and rates per year, in order; ``first_rate`` applies before the
            first.
        injections: times (epoch seconds), amounts in quote, and whether each is capital, in order.
        flows: times (epoch seconds) and tokens created (redeemed if negative), in order.
        splits: times (epoch seconds) and numbers of tokens for one token, in order.
        outages: starts and ends (epoch seconds) of spans in which no trigger fires, in order.
        wind_down: time (epoch seconds) at which the token is closed; None for never.
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
        # asked at every observation, and most schedules contain none of these
        self.has_splits, self.has_flows = bool(self._splits.times), bool(self._flows.times)
        self.has_outages = bool(self._outages[0])
        self.is_plain = not (self.has_splits or self.has_flows or self.has_outages) and (
            wind_down is None
        )
        """Whether the only events are those of money: funding, rates, injections."""

    @property
    def stop_times(self) -> list[int]:
        """Times (epoch seconds) of all events that change a token, except funding and rates."""
        times = [*self._outages[0], *self._outages[1]]
        times += [*self._injections.times, *self._flows.times, *self._splits.times]
        if self.wind_down is not None:
            times.append(self.wind_down)
        return times

    @property
    def rate_times(self) -> Sequence[int]:
        """Times (epoch seconds) from which the rates of the file are in force, in order."""
        return self._rate_times

    @property
    def highest_rate(self) -> Num:
        """The largest rate per year by size."""
        return max(map(abs, self._rates))

    def rate_after(self, since: int) -> Num:
        """The rate per year in force just after ``since``."""
        return self._rates[bisect_right(self._rate_times, since)]

    def funding_within(self, since: int, until: int) -> tuple[Sequence[int], Sequence[Num]]:
        """The times of funding in (since, until] and their rates."""
        times = self._funding.times
        rows = slice(bisect_right(times, since), bisect_right(times, until))
        return times[rows], self._funding.values[rows]

    def rates_between(self, since: int, until: int) -> Iterator[tuple[Num, int]]:
        """Each rate per year in force in (since, until], with its seconds in that interval."""
        times = self._rate_times
        place = bisect_right(times, since)
        while since < until:
            end = min(times[place], until) if place < len(times) else until
            yield self._rates[place], end - since
            since = end
            place += 1

    def injections_between(self, since: int, until: int) -> tuple[tuple[Num, bool], ...]:
        """The amounts in quote injected in (since, until], each with whether it is capital."""
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
        """The inputs that fall due for a fund in (since, until].

        Args:
            since: epoch seconds of its last scheduled observation; None if it launches at
                ``until``.
            until: epoch seconds.
            with_rates: whether the fund pays interest.
            impact: its impact at this moment, if that follows the market.
            with_funding: False if the driver pays the funding itself.
        """
        if since is None:
            return Inputs(impact=impact)
        times, ends = self._times, until >= self._ends_at
        is_quiet = times[bisect_right(times, since)] > until
        if is_quiet and impact is None and not (ends or with_rates):
            # the case of most observations
            return NOTHING_DUE  # type: ignore[return-value]  # it holds no number
        rates = tuple(self.rates_between(since, until)) if with_rates else ()
        if is_quiet:
            return Inputs((), rates, (), (), ends, impact)
        funding = self._funding.between(since, until) if with_funding else ()
        splits, flows = self._splits.between(since, until), self._flows.between(since, until)
        return Inputs(funding, rates, splits, flows, ends, impact)

    def is_out(self, time: int) -> bool:
        """Whether the keeper is down at this instant."""
        starts, ends = self._outages
        if not starts:
            return False
        place = bisect_right(starts, time)
        return place > 0 and time < ends[place - 1]


class _Events(Generic[Value]):
    """Values with their times."""

    def __init__(self, times: Sequence[int], values: list[Value]) -> None:
        self.times = list(times)
        self.values = values

    def between(self, since: int, until: int) -> tuple[Value, ...]:
        times = self.times
        if not times:
            return ()
        return tuple(self.values[bisect_right(times, since) : bisect_right(times, until)])
