"""The recorder, which writes the events of a driver and their effects to a journal.

A step that changes more than accruals gives one row for the event and one row for each effect. All
other observations are collected: the next row states what accrued at them, by kind, and the lowest
and highest observed price. Each full hour has a mark, and each reserve its health. For a live fund
these rows come with the event after the hour's observation and its fills. An order that was filled
in the same second is therefore included in them, as it is in a backtest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from steelyard.fund.effects import (
    Accrued,
    Blocked,
    Effect,
    PriceSettled,
    ReserveOpened,
    Seen,
)
from steelyard.fund.events import (
    Crossed,
    Event,
    Filled,
    Liquidated,
    MoneyMoved,
    Observed,
    Paused,
    Traded,
    Visited,
)
from steelyard.fund.group import Fund, Group
from steelyard.ledger.bodies import number_named, plain
from steelyard.ledger.event_rows import Event as JournalEvent
from steelyard.ledger.fold import Books
from steelyard.ledger.fund_kinds import kind_name
from steelyard.ledger.instants import HOUR_S, first_hour_after
from steelyard.ledger.lapse import Lapse, coming
from steelyard.ledger.reserve_watch import ReserveWatch
from steelyard.ledger.series_rows import series_row
from steelyard.ledger.snapshots import snapshot_of, state_hash
from steelyard.version import __version__

__all__ = ["KeptFills", "Recorder"]

BATCH = 500
"""The number of events that are written in one transaction."""
QUIET = (Seen, Accrued, PriceSettled)
"""The effects that have no row of their own where they come first, or alone, at an observation."""
ALWAYS = (Filled, Liquidated, Traded, MoneyMoved, Paused)
Write = Callable[[Sequence[JournalEvent]], object]


class KeptFills:
    """A simulated venue that keeps its fills until the recorder takes them."""

    as_planned = False
    """False, so that ``fill`` is called for each order and can keep its result."""

    def __init__(self, venue: Any) -> None:  # noqa: ANN401 (any venue of the fund)
        self._venue = venue
        self.taken: dict[int, Filled[Any]] = {}
        """The fills, by the index of the effect that settles each among the effects of the step."""

    def fill(self, group: Group[Any], fund: Fund[Any], time: int, price: Any) -> Filled[Any]:  # noqa: ANN401
        """Fill an order at the venue and keep the fill."""
        filled: Filled[Any] = self._venue.fill(group, fund, time, price)
        self.taken[len(group.effects)] = filled
        return filled


class Recorder:
    """The writer of the journal of one fund, or of the funds that share a reserve.

    If the journal does not hold the funds yet, it starts with ``begin`` or with their launch.

    Args:
        books: the present state of the funds; the recorder updates it with the effects only.
        write: a function that takes events, in order.
        watch: the history for the health of the reserve, when a journal is continued.
        last_price: the last observed price, when a journal is continued.
        is_out: whether the keeper was down at the last observation, when a journal is continued.
        last_mark: the last hour that has a mark, epoch s, when a journal is continued.
        every: whether each scheduled observation and crossing is a row, as for a live fund, so that
            none is lost when its process is killed.
        stops: the times at which an earlier writer stopped, where a row ``stopped`` is written
            again.
    """

    def __init__(
        self,
        books: Books,
        write: Write,
        *,
        watch: ReserveWatch | None = None,
        last_price: Any = None,  # noqa: ANN401 (a kind of number)
        is_out: bool = False,
        last_mark: int | None = None,
        every: bool = False,
        stops: Sequence[int] = (),
    ) -> None:
        number_named(books.number.name)
        self.books = books
        self._write, self._every = write, every
        self._watch = watch or ReserveWatch(books)
        self._has_reserve = books.pool is not None
        self._fills: KeptFills | None = None
        self._rows: list[JournalEvent] = []
        self._has_news = False
        self._stops = sorted(stops)
        self._price = last_price
        self._low: Any = None
        self._high: Any = None
        self._out = self._is_out = is_out
        self._lapses: dict[str, Lapse] = {}
        self._impact: list[Any] = [None] * len(books.funds)
        self._nothing = books.funds[0].state.cash * 0
        times = [each.state.time for each in books.funds if each.state.time is not None]
        self._time: int | None = max(times) if times else None
        """The time of the last scheduled observation, epoch s."""
        self._last = self._time
        """The time of the last event, epoch s."""
        self._next_mark = self._first_mark(last_mark)

    def _first_mark(self, last_mark: int | None) -> int | None:
        """The next hour to mark; for a live fund the hour of the last observation may be due."""
        if self._time is None:
            return None
        since = self._time - 1 if self._every else self._time
        return first_hour_after(since if last_mark is None else max(since, last_mark))

    def begin(self, time: int | None = None) -> None:
        """Write the first rows of the funds, with their states if they ran elsewhere before."""
        for kept in self.books.funds:
            at = time if kept.state.time is None else kept.state.time
            symbol = kept.series.symbol
            first = series_row(kept, self.books)
            self._rows.append(JournalEvent((at or 0) * 1000, symbol, "series", first))
        if self._time is not None:
            self.tell_version()

    def tell_version(self) -> None:
        """Write the whole states of the funds, with which this version of the program continues."""
        for kept in self.books.funds:
            body = {"program": __version__, "state": plain(kept.state)}
            time = (kept.state.time or 0) * 1000
            self._rows.append(JournalEvent(time, kept.series.symbol, "version", body))

    def attach(self, group: Group[Any]) -> None:
        """Keep the fills of a group's simulated venue, for the rows that settle them."""
        if group.fills is not None:
            self._fills = KeptFills(group.fills)
            group.fills = self._fills

    # -- calls of the driver -------------------------------------------------------------------

    def step(self, event: Event[Any], effects: Sequence[Effect[Any]]) -> None:
        """Record an event and its effects."""
        self._has_news = True
        if isinstance(event, Observed):
            self._come_to(event)
        else:
            self._mark_hours_before(event)
        self._last = event.time
        if isinstance(event, ALWAYS) or not self._is_quiet(event, effects):
            self._tell(event, effects)
        else:
            self._hold(effects)
            if not isinstance(event, Visited):
                # a threshold is crossed next at this price, and its row states the price
                self._see(event.price)
            self._out = self._out or self._is_out
        if isinstance(event, Observed) and event.time == self._next_mark and not self._every:
            self._mark(event.time)
        if len(self._rows) >= BATCH:
            self.flush()

    def see(self, price: Any) -> None:  # noqa: ANN401 (a kind of number)
        """Record a price without effects; later hours without an observation are marked at it."""
        seen, due = self._time, self._next_mark
        if seen is not None and due is not None and due <= seen:
            # the hour of the last observation is marked at its price
            self._mark(due)
        self._see(price)

    def stop(self) -> bool:
        """Write the collected accruals, because the driver stops or a snapshot is taken.

        Returns whether anything happened since the last stop, so that a row with the hash of the
        state was written.
        """
        has_news, self._has_news = self._has_news and self._last is not None, False
        if has_news:
            self._say_stopped()
        self.flush()
        return has_news

    def _say_stopped(self) -> None:
        if self._last is not None:
            state = state_hash(snapshot_of(self.books))
            fields = {"price": plain(self._price), "is_out": self._is_out, "state": state}
            self._add(self._last, self.books.name, "stopped", fields)

    def flush(self) -> None:
        """Write the events that are not written yet."""
        if self._rows:
            self._write(self._rows)
            self._rows = []

    # -- rows ----------------------------------------------------------------------------------

    def _come_to(self, event: Observed[Any]) -> None:
        if self._time is None:
            self.begin(event.time)
            # a launch at a full hour gets a mark too
            self._next_mark = first_hour_after(event.time - 1)
        else:
            if self._stops and self._stops[0] < event.time:
                self._stops.pop(0)
                self._say_stopped()
            self._mark_hours_before(event)
        self._time, self._is_out = event.time, event.is_out
        for place, inputs in enumerate(event.inputs):
            if inputs.impact is not None:
                self._impact[place] = inputs.impact

    def _mark_hours_before(self, event: Event[Any]) -> None:
        """Write the marks of the full hours up to an event.

        An action of a venue or an operator in the same second as an observation still belongs to
        its hour. Another observation or crossing in that second does not.
        """
        last = event.time - 1
        if event.time == self._time and not isinstance(event, ALWAYS):
            last = event.time
        while self._next_mark is not None and self._next_mark <= last:
            self._mark(self._next_mark)

    def _is_quiet(self, event: Event[Any], effects: Sequence[Effect[Any]]) -> bool:
        if self._every and isinstance(event, Observed | Crossed):
            return False
        return all(
            isinstance(effect, QUIET)
            or (
                isinstance(effect, Blocked)
                and self.books.fund(effect.fund).told == (effect.trigger, effect.why)
            )
            for effect in effects
        )

    def _tell(self, event: Event[Any], effects: Sequence[Effect[Any]]) -> None:
        """Write a row for the event, and one for each effect."""
        time, books = event.time, self.books
        came = coming(effects)
        impact = None if all(each is None for each in self._impact) else self._impact
        fields = plain(event)
        del fields["time"]
        fields["came"] = [{"effect": kind_name(type(each)), **_without_time(each)} for each in came]
        fields["impact"] = plain(impact)
        self._add(time, books.name, kind_name(type(event)), fields)
        fills = {} if self._fills is None else self._fills.taken
        for place, effect in enumerate(effects):
            if isinstance(effect, ReserveOpened):
                units = books.funds[0].state.reserve.units
                self._watch.launch(time, units * event.price)  # type: ignore[union-attr]  # observed
            self._take(effect)
            if any(effect is each for each in came):
                continue
            body = _without_time(effect)
            fund = body.pop("fund")
            if place in fills:
                body["fill"] = plain(fills[place])
            self._rows.append(JournalEvent(time * 1000, fund, kind_name(type(effect)), body))
        fills.clear()
        self._price = getattr(event, "price", self._price)
        self._out = self._is_out

    def _mark(self, hour: int) -> None:
        self._next_mark = hour + HOUR_S
        price = self._price
        underlying = self.books.funds[0].series.underlying
        self._add(
            hour, f"price:{underlying}", "mark", {"price": plain(price), "books": [self.books.name]}
        )
        if self._has_reserve:
            health = {name: plain(each) for name, each in self._watch.health(hour, price).items()}
            self._rows.append(JournalEvent(hour * 1000, self.books.name, "health", health))

    def _add(self, time: int, fund: str, kind: str, fields: dict[str, Any]) -> None:
        """The fields that state the accruals since the row before."""
        passed = []
        for symbol, lapse in self._lapses.items():
            effect = lapse.passed(self.books.fund(symbol))
            self._watch.take([effect])
            passed.append(plain(effect))
        since = {"low": plain(self._low), "high": plain(self._high), "out": self._out}
        self._rows.append(
            JournalEvent(time * 1000, fund, kind, {**fields, **since, "passed": passed})
        )
        self._lapses = {}
        self._low = self._high = None
        # an outage lasts until the next scheduled observation
        self._out = self._is_out

    # -- collected accruals --------------------------------------------------------------------

    def _hold(self, effects: Sequence[Effect[Any]]) -> None:
        for effect in effects:
            lapse = self._lapses.get(effect.fund)
            if lapse is None:
                lapse = self._lapses[effect.fund] = Lapse(self._nothing)
            lapse.add(effect, self.books.fund(effect.fund).state.time)
            self.books.take(effect)

    def _take(self, effect: Effect[Any]) -> None:
        self.books.take(effect)
        self._watch.take([effect])

    def _see(self, price: Any) -> None:  # noqa: ANN401 (a kind of number)
        self._low = price if self._low is None or price < self._low else self._low
        self._high = price if self._high is None or price > self._high else self._high
        self._price = price


def _without_time(effect: Effect[Any]) -> dict[str, Any]:
    fields: dict[str, Any] = plain(effect)
    fields.pop("time", None)
    return fields
