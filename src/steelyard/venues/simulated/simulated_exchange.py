"""A Binance USD-M account in one-way mode, in process: it takes orders, and always answers.

It uses the venue's clock, which only moves forward. Orders are immediate or cancel. As at the real
venue, an id is refused only while an order with that id is open, so the id of a filled order is
accepted again. Every view of a change may lag by a time that ``lag`` gives for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal

from steelyard.venues.account import OneWayAccount, cut_to_position, position_of, rounded, traded
from steelyard.venues.protocol import (
    EARLY_MS,
    Balance,
    CallOutcome,
    Failure,
    Mark,
    Movement,
    MovementKind,
    OrderRequest,
    OrderState,
    OrderStatus,
    Position,
    Read,
    Trade,
    TradeCause,
)
from steelyard.venues.simulated.delayed_views import ShownList, ShownValue
from steelyard.venues.simulated.market import MarketTerms, fills

__all__ = ["SimulatedExchange"]

NOTHING = Decimal(0)


def _no_lag() -> int:
    return 0


class SimulatedExchange:
    """One account, one contract.

    Args:
        terms: the terms of the contract.
        wallet: the deposit at the start, quote.
        price: the mark at the start.
        now_ms: the venue's clock at the start, ms.
        lag: is called at each change for each view: ms until the view shows the change.
        late: is called at each funding instant: ms until the payment is booked.
    """

    def __init__(
        self,
        terms: MarketTerms,
        wallet: Decimal,
        price: Decimal,
        now_ms: int,
        lag: Callable[[], int] = _no_lag,
        late: Callable[[], int] = _no_lag,
    ) -> None:
        self.terms = terms
        self.now_ms = now_ms
        self.account = OneWayAccount(NOTHING)
        self.price = price
        self.funding_rate = NOTHING
        self.depth = Decimal(1)
        """The share of the usual book that is available."""
        self.trades: ShownList[Trade] = ShownList()
        self.movements: ShownList[Movement] = ShownList()
        self.orders: dict[str, list[OrderState]] = {}
        """Every accepted order by its id, visible or not."""
        self.told: list[OrderState] = []
        """The order states that the stream has yet to report; its reader empties the list."""
        self._lag, self._late = lag, late
        self._number = 0
        self._position = ShownValue(self.account)
        self._balance = ShownValue(self.account)
        self._found: dict[str, ShownValue[OrderState | None]] = {}
        every = terms.funding_every_ms
        self._next_funding = (now_ms // every + 1) * every
        self._owed: list[tuple[int, int, Movement]] = []
        self.transfer(wallet)

    # -- time and price ------------------------------------------------------------------------

    @property
    def next_ms(self) -> int:
        """The time of the venue's next own event, ms of its clock."""
        return min(self._next_funding, self._owed[0][0]) if self._owed else self._next_funding

    def run_to(self, now_ms: int) -> None:
        """Advance to an instant; funding falls due and is booked on the way."""
        while self.next_ms <= now_ms:
            self.now_ms = self.next_ms
            if self._owed and self._owed[0][0] <= self.now_ms:
                self._book(heapq.heappop(self._owed)[2])
                self._liquidate_if_due()
            else:
                self._funding_falls_due()
        self.now_ms = max(self.now_ms, now_ms)

    def move(self, price: Decimal) -> None:
        """Move the mark, and liquidate a position whose margin is used up."""
        self.price = price
        self._liquidate_if_due()

    # -- readings ------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """The present mark."""
        return Mark(self.price, self.now_ms, self.price)

    def position(self) -> Read[Position]:
        """The position, as far as it is visible."""
        return Read(self.now_ms, position_of(self._position.at(self.now_ms)))

    def balance(self) -> Read[Balance]:
        """The wallet, as far as it is visible."""
        seen = self._balance.at(self.now_ms)
        return Read(self.now_ms, Balance(self.terms.asset, seen.wallet))

    def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The last order with this id, as far as it is visible."""
        found = self._found.get(client_id)
        return Read(self.now_ms, found.at(self.now_ms) if found else None)

    def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """The visible trades at or after ``since_ms``."""
        return Read(self.now_ms, self.trades.since(since_ms, self.now_ms))

    def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """The visible money movements at or after ``since_ms``."""
        return Read(self.now_ms, self.movements.since(since_ms, self.now_ms))

    # -- orders --------------------------------------------------------------------------------

    def place(self, request: OrderRequest, depth: Decimal | None = None) -> OrderState | Failure:
        """Take or refuse an order; ``depth`` is the share of the usual book that it meets."""
        units = request.units
        if request.reduce_only:
            units = cut_to_position(units, self.account.units)
        refusal = self._refusal(request, units)
        if refusal is not None:
            return refusal
        there = self.depth if depth is None else depth
        taken = fills(self.terms, self.price, units, request.limit, there)
        self._number += 1
        order_id, trades = str(self._number), []
        for price, size in taken:
            trades.append(self._trade(order_id, request.client_id, size, price))
        filled = sum((trade.units for trade in trades), NOTHING)
        status = OrderStatus.FILLED if filled == units else OrderStatus.EXPIRED
        state = OrderState(
            request.client_id, order_id, status, units, filled, self.now_ms, tuple(trades)
        )
        self._accepted(state)
        return state

    def _refusal(self, request: OrderRequest, units: Decimal) -> Failure | None:
        terms, price = self.terms, self.price
        if request.stamp_ms >= self.now_ms + EARLY_MS:
            return _refused("-1021", "Timestamp is 1000 ms or more ahead of the venue's time.")
        if self.now_ms > request.last_ms:
            return _refused("-1021", "Timestamp is outside of the recvWindow.")
        if request.units % terms.lot != 0:
            return _refused("-1111", "Units are no multiple of the lot.")
        if abs(units) > terms.max_units:
            return _refused("-4005", "Units are more than one order may have.")
        if request.limit is not None:
            if request.limit % terms.price_step != 0:
                return _refused("-4014", "Price is no multiple of the price step.")
            off = (request.limit / price - 1) * (1 if units > 0 else -1)
            if off > terms.price_bound:
                return _refused("-4016", "Limit price is too far off the mark.")
        if request.reduce_only:
            if units == 0:
                return _refused("-2022", "ReduceOnly order is rejected.")
            return None
        if abs(units) * price < terms.min_notional:
            return _refused("-4164", "Order's notional is below the smallest that is taken.")
        equity = self.account.wallet + self.account.units * price - self.account.cost
        after = abs(self.account.units + units)
        if after > abs(self.account.units) and after * price * terms.initial_margin > equity:
            return _refused("-2019", "Margin is insufficient.")
        return None

    def _accepted(self, state: OrderState) -> None:
        self.orders.setdefault(state.client_id, []).append(state)
        shown = self._found.setdefault(state.client_id, ShownValue(None))
        shown.change(state, self.now_ms + self._lag())
        self.told.append(state)

    # -- the venue's own events ------------------------------------------------------------------

    def transfer(self, amount: Decimal) -> None:
        """Transfer quote into the account (negative: out of it)."""
        self._book(self._movement(MovementKind.TRANSFER, amount, self.now_ms))

    def deleverage(self, share: Decimal) -> None:
        """Close a share of the position at the mark for another's loss (auto-deleveraging)."""
        units = abs(self.account.units) * share // self.terms.lot * self.terms.lot
        if units > 0:
            side = -1 if self.account.units > 0 else 1
            self._close(side * units, "adl_autoclose", TradeCause.AUTO_DELEVERAGING)

    def _liquidate_if_due(self) -> None:
        account, terms = self.account, self.terms
        notional = abs(account.units) * self.price
        equity = account.wallet + account.units * self.price - account.cost
        if notional == 0 or equity >= terms.maintenance_margin * notional:
            return
        client_id = f"autoclose-{self.now_ms}"
        self._close(-account.units, client_id, TradeCause.LIQUIDATION)
        fee = rounded(notional * terms.liquidation_fee, terms.quote_step)
        self._book(self._movement(MovementKind.LIQUIDATION_FEE, -fee, self.now_ms))
        if self.account.wallet < 0:
            # the venue's insurance fund covers what the account cannot pay
            covered = self._movement(MovementKind.OTHER, -self.account.wallet, self.now_ms)
            self._book(covered)

    def _close(self, units: Decimal, client_id: str, cause: TradeCause) -> None:
        self._number += 1
        order_id = str(self._number)
        trade = self._trade(order_id, client_id, units, self.price, cause)
        self._accepted(
            OrderState(client_id, order_id, OrderStatus.FILLED, units, units, self.now_ms, (trade,))
        )

    def _funding_falls_due(self) -> None:
        due = self._next_funding
        self._next_funding += self.terms.funding_every_ms
        paid = rounded(self.account.units * self.price * self.funding_rate, self.terms.quote_step)
        if paid != 0:
            owed = self._movement(MovementKind.FUNDING, -paid, due, rate=self.funding_rate)
            heapq.heappush(self._owed, (due + self._late(), self._number, owed))

    def _trade(
        self,
        order_id: str,
        client_id: str,
        units: Decimal,
        price: Decimal,
        cause: TradeCause = TradeCause.ORDER,
    ) -> Trade:
        terms = self.terms
        quote = rounded(units * price, terms.quote_step)
        fee = rounded(abs(quote) * terms.taker_fee, terms.quote_step)
        if cause is TradeCause.AUTO_DELEVERAGING:
            fee = NOTHING
        self.account, realised = traded(self.account, units, quote, fee, terms.quote_step)
        self._number += 1
        trade = Trade(
            str(self._number),
            order_id,
            client_id,
            self.now_ms,
            units,
            price,
            quote,
            fee,
            realised,
            cause,
        )
        self.trades.add(trade, self.now_ms, self.now_ms + self._lag())
        for kind, amount in (
            (MovementKind.COMMISSION, -fee),
            (MovementKind.REALISED, realised),
        ):
            if amount != 0:
                self._record(self._movement(kind, amount, self.now_ms, trade.trade_id))
        self._show()
        return trade

    # -- money ---------------------------------------------------------------------------------

    def _movement(
        self,
        kind: MovementKind,
        amount: Decimal,
        time_ms: int,
        trade_id: str = "",
        rate: Decimal | None = None,
    ) -> Movement:
        self._number += 1
        name = f"{kind}:{self._number}"
        return Movement(name, kind, self.terms.asset, amount, time_ms, trade_id, rate)

    def _book(self, movement: Movement) -> None:
        """Book a movement that belongs to no trade into the wallet."""
        self.account = self.account._replace(wallet=self.account.wallet + movement.amount)
        self._record(movement)
        self._show()

    def _record(self, movement: Movement) -> None:
        self.movements.add(movement, self.now_ms, self.now_ms + self._lag())

    def _show(self) -> None:
        self._position.change(self.account, self.now_ms + self._lag())
        self._balance.change(self.account, self.now_ms + self._lag())


def _refused(code: str, reason: str) -> Failure:
    return Failure(CallOutcome.REJECTED, reason, code)
