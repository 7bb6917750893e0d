"""The recorder: what a driver says to a fund and what followed, as events of a journal.

A step that changed more than accruals is a row for what happened and a row for each effect. All
other observations are held back: the next row says what accrued at them, by kind, and the lowest
and highest price that was seen. Each full hour has a mark, and each reserve its health.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from steelyard.fund.effects import (
    Accruals,
    Accrued,
    Blocked,
    Effect,
    Passed,
    PriceSettled,
    PricesSettled,
    ReserveOpened,
    Seen,
)
from steelyard.fund.events import Event, Filled, Liquidated, Observed, Paused, Visited
from steelyard.fund.group import Fund, Group
from steelyard.ledger.bodies import number_named, plain
from steelyard.ledger.events import Event as JournalEvent
from steelyard.ledger.fold import Books, Kept
from steelyard.ledger.fund_kinds import kind_name
from steelyard.ledger.reserve_watch import ReserveWatch
from steelyard.rules.series import Series
from steelyard.version import __version__

__all__ = ["HOUR_S", "KeptFills", "Recorder", "books_for", "coming", "first_hour_after"]

HOUR_S = 3_600
BATCH = 500
"""Events that are written in one transaction."""
QUIET = (Seen, Accrued, PriceSettled)
"""What has no row of its own where it comes first at an observation, or alone."""
ALWAYS = (Filled, Liquidated, Paused)
Write = Callable[[Sequence[JournalEvent]], object]


class KeptFills:
    """A simulated venue whose fills are kept until the recorder takes them."""

    as_planned = False
    """Each fill is asked for, so that it can be kept."""

    def __init__(self, venue: Any) -> None:  # noqa: ANN401 (any venue of the fund)
        self._venue = venue
        self.taken: dict[int, Filled[Any]] = {}
        """By the place, among the effects of the step, of the one that settles it."""

    def fill(self, group: Group[Any], fund: Fund[Any], time: int, price: Any) -> Filled[Any]:  # noqa: ANN401
        """The venue's fill."""
        filled: Filled[Any] = self._venue.fill(group, fund, time, price)
        self.taken[len(group.effects)] = filled
        return filled


class Lapse:
    """What accrued for one fund since the last row."""

    def __init__(self, nothing: Any) -> None:  # noqa: ANN401 (a kind of number)
        self.blocked = 0
        self.window: list[tuple[int, Any, int]] = []
        self.accrues = self.settles = False
        self.funding = self.interest = self.management = nothing
        self.paid = self.shortfall = nothing

    def add(self, effect: Effect[Any], since: int | None) -> None:
        """Hold back one more effect; ``since``: the clock observation before it."""
        if isinstance(effect, Blocked):
            self.blocked += 1
            return
        if isinstance(effect, (Seen, Accrued)) and effect.window is not None and since is not None:
            self.window.append((since, *effect.window))
        if isinstance(effect, Accrued):
            self.accrues = True
            for paid in effect.funding:
                self.funding += paid
            self.interest += effect.interest
            self.management += effect.management
        elif isinstance(effect, PriceSettled):
            self.settles = True
            self.paid += effect.paid
            self.shortfall += effect.shortfall

    def passed(self, kept: Kept) -> Passed[Any]:
        """The lapse, with what it left."""
        state = kept.state
        sums, reserve = state.totals, state.reserve
        accrued = settled = None
        if self.accrues:
            accrued = Accruals(
                self.funding,
                self.interest,
                self.management,
                state.units,
                state.mark,
                reserve.pending_fees,
                sums.funding,
                sums.interest,
                sums.management,
            )
        if self.settles:
            settled = PricesSettled(
                self.paid, self.shortfall, state.settled_price, reserve.units, reserve.settled
            )
        return Passed(
            kept.series.symbol,
            state.time or 0,
            state.price,
            state.cash,
            self.blocked,
            tuple(self.window),
            accrued,
            settled,
        )


class Recorder:
    """Writes the journal of the funds on one reserve, or of one fund.

    A journal that does not hold the funds yet begins with ``begin``, or with their launch.

    Args:
        books: the funds as they are now; the recorder keeps them up to date by the effects alone.
        write: takes events, in order.
        watch: what the health of its reserve looks back on, where it goes on from a journal.
        last_price: the last that was seen, likewise.
        is_out: whether the keeper was down at the last observation, likewise.
        every: each clock observation is a row, as of a live fund.
        stops: instants at which an earlier writer stopped: such a row is written there again.
    """

    def __init__(
        self,
        books: Books,
        write: Write,
        *,
        watch: ReserveWatch | None = None,
        last_price: Any = None,  # noqa: ANN401 (a kind of number)
        is_out: bool = False,
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

    def begin(self, time: int | None = None) -> None:
        """The first rows of the funds; where they have lived elsewhere, with their states."""
        for kept in self.books.funds:
            at = time if kept.state.time is None else kept.state.time
            symbol = kept.series.symbol
            first = _series_row(kept, self.books)
            self._rows.append(JournalEvent((at or 0) * 1000, symbol, "series", first))
        if self._time is not None:
            self.tell_version()

    def tell_version(self) -> None:
        """This version of the program goes on with the funds: their whole states."""
        for kept in self.books.funds:
            body = {"program": __version__, "state": plain(kept.state)}
            time = (kept.state.time or 0) * 1000
            self._rows.append(JournalEvent(time, kept.series.symbol, "version", body))

    def attach(self, group: Group[Any]) -> None:
        """Keep the fills of a group's simulated venue, for the rows of what they settle."""
        if group.fills is not None:
            self._fills = KeptFills(group.fills)
            group.fills = self._fills

    # -- what a driver says --------------------------------------------------------------------

    def step(self, event: Event[Any], effects: Sequence[Effect[Any]]) -> None:
        """Something happened outside, and this followed."""
        self._has_news = True
        if isinstance(event, Observed):
            self._come_to(event)
        if isinstance(event, ALWAYS) or not self._is_quiet(event, effects):
            self._tell(event, effects)
        else:
            self._hold(effects)
            if not isinstance(event, Visited):
                # there a threshold is crossed next, which says the price
                self._see(event.price)
            self._out = self._out or self._is_out
        if isinstance(event, Observed) and event.time % HOUR_S == 0:
            self._mark(event.time)
        if len(self._rows) >= BATCH:
            self.flush()

    def stop(self) -> None:
        """Write what is held back: the driver stops here."""
        if self._has_news:
            self._say_stopped()
        self.flush()

    def _say_stopped(self) -> None:
        if self._time is not None:
            fields = {"price": plain(self._price), "is_out": self._is_out}
            self._add(self._time, self.books.name, "stopped", fields)

    def flush(self) -> None:
        """Hand over what was not written yet."""
        if self._rows:
            self._write(self._rows)
            self._rows = []

    # -- rows ----------------------------------------------------------------------------------

    def _come_to(self, event: Observed[Any]) -> None:
        if self._time is None:
            self.begin(event.time)
        else:
            if self._stops and self._stops[0] < event.time:
                self._stops.pop(0)
                self._say_stopped()
            first = first_hour_after(self._time)
            for hour in range(first, event.time, HOUR_S):
                self._mark(hour)
        self._time, self._is_out = event.time, event.is_out
        for place, inputs in enumerate(event.inputs):
            if inputs.impact is not None:
                self._impact[place] = inputs.impact

    def _is_quiet(self, event: Event[Any], effects: Sequence[Effect[Any]]) -> bool:
        if self._every and isinstance(event, Observed):
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
        """A row for what happened, and one for each effect."""
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
        price = self._price
        underlying = self.books.funds[0].series.underlying
        self._add(
            hour, f"price:{underlying}", "mark", {"price": plain(price), "books": [self.books.name]}
        )
        if self._has_reserve:
            health = {name: plain(each) for name, each in self._watch.health(hour, price).items()}
            self._rows.append(JournalEvent(hour * 1000, self.books.name, "health", health))

    def _add(self, time: int, fund: str, kind: str, fields: dict[str, Any]) -> None:
        """A row that says what passed since the row before it."""
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
        # an outage lasts to the next clock observation
        self._out = self._is_out

    # -- what is held back ---------------------------------------------------------------------

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


def first_hour_after(time: int) -> int:
    """The first full hour after an instant, epoch s."""
    return time // HOUR_S * HOUR_S + HOUR_S


def books_for(
    funds: Sequence[tuple[Series, Any]],
    number: Any,  # noqa: ANN401 (a kind of number)
    *,
    intrabar: str | None,
    is_model: bool,
    name: str | None = None,
    books: Sequence[Any] = (),
) -> Books:
    """Books of series and their states, which are copied.

    Args:
        funds: each series with its state; where there are several they share a reserve.
        number: the kind of number of the states.
        intrabar: how the driver observes prices; None: by the clock.
        is_model: fills are the series' own costs.
        name: of the reserve that they share.
        books: the order book of each, as columns, where its costs are taken from one.
    """
    kept = [
        Kept(series, number, state.copy(), intrabar, is_model, book)
        for (series, state), book in zip(funds, books or [None] * len(funds), strict=True)
    ]
    for each in kept:
        each.state.reserve = kept[0].state.reserve
    return Books(name or kept[0].series.symbol, kept)


def coming(effects: Sequence[Effect[Any]]) -> list[Effect[Any]]:
    """What accrued at an observation before anything else happened to its fund."""
    came: list[Effect[Any]] = []
    is_first = True
    for effect in effects:
        if isinstance(effect, (Seen, Accrued)):
            came.append(effect)
        if isinstance(effect, PriceSettled) and is_first:
            came.append(effect)
        else:
            is_first = False
    return came


def _without_time(effect: Effect[Any]) -> dict[str, Any]:
    fields: dict[str, Any] = plain(effect)
    fields.pop("time", None)
    return fields


def _series_row(kept: Kept, books: Books) -> dict[str, Any]:
    """The fields of a fund's first row."""
    series, shared = kept.series, None
    if books.name != series.symbol:
        shared = {"name": books.name, "terms": plain(series.reserve)}
        series = replace(series, reserve=None)
    is_said = _is_said_by_its_text(series)
    return {
        "text": series.text if is_said else "",
        "number": kept.number.name,
        "intrabar": kept.intrabar,
        "venue": "model" if kept.is_model else None,
        "shared": shared,
        "book": plain(kept.book),
        "program": __version__,
        "stated": None if is_said else {**plain(series), "text": None},
    }


def _is_said_by_its_text(series: Series) -> bool:
    """Whether its file says all of it: it does not where it was made, or changed, in Python."""
    return bool(series.text) and Series.loads(series.text) == series
