"""The paper venue as the asynchronous protocol: one account, its history, and its file.

The clock is the history's. ``next`` advances to the next place of the price, at the stated speed;
``stream`` does the same, mark by mark. In ``path`` the price passes through every value between two
places: ``heading`` is the price that it moves to, and ``visit`` stops it on the way, for example
at a threshold; with ``stops`` set, ``next`` and ``stream`` do so by themselves. Each of these steps
and each order is stored before it is reported, so a process that was killed continues from there.
While no process runs, the clock stands still.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from steelyard.errors import InputError, Unknown
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Series
from steelyard.venues.account import position_of
from steelyard.venues.paper.account_feed import read_feed
from steelyard.venues.paper.account_file import PaperStore
from steelyard.venues.paper.account_state import STEP, AccountChange, PaperState, PaperTerms
from steelyard.venues.paper.history import arrived, opened, transferred, visited
from steelyard.venues.paper.orders import placed
from steelyard.venues.paper.pace import Pace
from steelyard.venues.paper.paper_fills import model_book
from steelyard.venues.protocol import (
    Balance,
    BookLevels,
    CallOutcome,
    Failure,
    Heard,
    Limits,
    Mark,
    Movement,
    OrderRequest,
    OrderState,
    Position,
    Read,
    Trade,
)

__all__ = ["PaperVenue", "open_paper"]

NOTHING = Decimal(0)
ANY = 1_000_000


class PaperVenue:
    """One account at a paper venue.

    Args:
        terms: the terms of the account.
        store: its file, which may hold an earlier state.
        pace: its clock.
        name: the venue's name.
    """

    def __init__(
        self, terms: PaperTerms, store: PaperStore, pace: Pace, name: str = "paper"
    ) -> None:
        self.name = name
        self.stops: Callable[[Decimal, Decimal], Decimal | None] | None = None
        """The price at which to stop inside a bar, given the present price and the one it moves to;
        None: do not stop. It is called again after each stop."""
        self._terms, self._store, self._pace = terms, store, pace
        with DECIMAL18.context():
            state = store.state()
            if state is None:
                change = opened(terms)
                store.keep(change)
                state = change.state
        self._state: PaperState = state

    # -- the history -------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The venue's clock, ms UTC."""
        time_ms = self._time_ms(self._state.place)
        last = self._state.place + 1 == len(self._terms.feed)
        passed = self._pace.passed_ms()
        if last or passed == 0:
            return time_ms
        # the clock stays before the next moment until the history advances to it
        return min(time_ms + passed, max(time_ms, self._time_ms(self._state.place + 1) - 1))

    @property
    def next_ms(self) -> int | None:
        """The time of the price's next place, ms; None: the history ends here."""
        place = self._state.place + 1
        return self._time_ms(place) if place < len(self._terms.feed) else None

    @property
    def heading(self) -> Decimal | None:
        """The price that the path moves to in this bar; None: it jumps, or the history ends."""
        place = self._state.place + 1
        if place == len(self._terms.feed):
            return None
        moment = self._terms.feed.moment(place)
        return None if moment.is_clock else moment.price

    async def next(self) -> Mark | None:
        """Advance to the next stop or place when its time has come; None: the history ends here."""
        heading = self.heading
        if heading is not None and self.stops is not None:
            with DECIMAL18.context():
                stop = self.stops(self._state.price, heading)
            if stop is not None:
                return self.visit(stop)
        due = self.next_ms
        if due is None:
            return None
        after_ms = due - self._time_ms(self._state.place)
        await self._pace.until(after_ms)
        with DECIMAL18.context():
            self._keep(arrived(self._terms, self._state, self._state.place + 1))
        self._pace.came(after_ms)
        return self._mark()

    def visit(self, price: Decimal) -> Mark:
        """Move the price to one on its way inside a bar.

        Raises:
            InputError: the price does not lie on the way to ``heading``.
        """
        heading, here = self.heading, self._state.price
        if heading is None or not min(here, heading) <= price <= max(here, heading):
            way = "no way inside a bar" if heading is None else f"a way from {here} to {heading}"
            message = f"{self.name}: expected a price on its way, found {price} with {way}."
            raise InputError(message, found=str(price))
        with DECIMAL18.context():
            self._keep(visited(self._terms, self._state, price))
        return self._mark()

    def transfer(self, amount: Decimal) -> None:
        """Transfer quote into the account (negative: out of it), as its owner would."""
        with DECIMAL18.context():
            self._keep(transferred(self._terms, self._state, amount, self.now_ms))

    # -- the protocol ------------------------------------------------------------------------

    async def time(self) -> int:
        """The venue's clock, ms UTC."""
        return self.now_ms

    async def limits(self) -> Limits:
        """The venue's limits, with the series' own lot and smallest notional."""
        rules = self._terms.rules
        # funding is stamped with its due time, but charged at the next observation
        late_ms = 0 if self._pace.stands else self._terms.feed.longest_s * 1_000
        return Limits(
            lot=rules.lot_units,
            min_notional=rules.min_notional,
            max_units=NOTHING,
            price_step=NOTHING,
            price_bound=NOTHING,
            quote_step=STEP,
            requests_per_minute=ANY,
            orders_per_minute=ANY,
            lag_ms=0,
            late_ms=late_ms,
            is_at_once=True,
        )

    async def mark(self) -> Mark:
        """The underlying's price now; it is a scheduled observation only at that very instant."""
        mark, now_ms = self._mark(), self.now_ms
        return mark if now_ms == mark.time_ms else Mark(mark.price, now_ms)

    async def book(self) -> BookLevels:
        """The cost model as an order book."""
        moment = self._terms.feed.moment(self._state.place)
        with DECIMAL18.context():
            rates = self._terms.feed.rates(self._terms.rules.rates, self._state.place)
            contract = self._state.account.contract or self._terms.contract_at(moment.time_s)
            mark = self._state.price * self._terms.factor(contract, moment.time_s)
            bids, asks = model_book(rates, mark)
        return BookLevels(bids, asks, self.now_ms)

    async def position(self) -> Read[Position]:
        """The position that the account holds."""
        with DECIMAL18.context():
            return Read(self.now_ms, position_of(self._state.account))

    async def balance(self) -> Read[Balance]:
        """The wallet."""
        return Read(self.now_ms, Balance(self._terms.series.quote, self._state.account.wallet))

    async def place(self, request: OrderRequest) -> OrderState:
        """Fill an order as far as its limit and the model allow; each id is accepted once."""
        if self._store.order(request.client_id) is not None:
            reason = f"Expected an id of its own, found {request.client_id} again."
            raise Failure(CallOutcome.REJECTED, reason, "id").error()
        with DECIMAL18.context():
            change = placed(self._terms, self._state, request, self.now_ms)
            if isinstance(change, Failure):
                raise change.error()
            self._keep(change)
        return change.orders[0]

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The order with this id; None: there is none."""
        return Read(self.now_ms, self._store.order(client_id))

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """All trades at or after ``since_ms``."""
        return Read(self.now_ms, self._store.trades(since_ms))

    async def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """All money movements at or after ``since_ms``."""
        return Read(self.now_ms, self._store.movements(since_ms))

    async def stream(self) -> AsyncIterator[Heard]:
        """The present mark, and then each next one; the stream ends with the history."""
        mark: Mark | None = self._mark()
        while mark is not None:
            yield mark
            mark = await self.next()

    async def close(self) -> None:
        """Close the file."""
        self._store.close()

    # -- inside ------------------------------------------------------------------------------

    def _time_ms(self, place: int) -> int:
        return self._terms.feed.moment(place).time_s * 1_000

    def _mark(self) -> Mark:
        """The present price, with the time of its place."""
        state = self._state
        return Mark(state.price, self._time_ms(state.place), is_clock=state.is_clock)

    def _keep(self, change: AccountChange) -> None:
        """Store a change, and only then make it the account's state."""
        try:
            self._store.keep(change)
        except Unknown:
            # the file decides what has happened
            self._state = self._store.state() or self._state
            raise
        self._state = change.state


def open_paper(
    path: str | Path,
    series: Series,
    feed: object,
    *,
    intrabar: str | None = None,
    books: object = None,
    speed: float = 0.0,
    name: str = "paper",
) -> PaperVenue:
    """Open the account of a series at a paper venue: a new one, or the one that ``path`` holds.

    Args:
        path: the account's SQLite file.
        series: the token.
        feed: prices with funding or rates, as ``simulate`` takes it.
        intrabar: ``"path"`` or ``"close"``, as ``simulate`` takes it.
        books: recorded snapshots of an order book, from which orders fill.
        speed: seconds of history per second; 0: the history advances whenever it is asked to.
        name: the venue's name.

    Raises:
        InputError: series and feed do not fit together, the series' counterparty is its own
            reserve, or the file belongs to another account.
        DataError: a file of market data is invalid.
    """
    if series.venue.kind == "pool":
        message = (
            f"{series.symbol}: expected a series with a venue of its own, found one whose reserve "
            f'is its counterparty (venue.kind = "pool"); it needs no venue.'
        )
        raise InputError(message, symbol=series.symbol, found="pool")
    history = read_feed(series, feed, intrabar=intrabar, books=books)
    digest = sha256(f"{series.text}\n{series!r}\n{history.digest}".encode()).hexdigest()
    terms = PaperTerms.of(series, history)
    return PaperVenue(terms, PaperStore(path, digest), Pace(speed), name)
