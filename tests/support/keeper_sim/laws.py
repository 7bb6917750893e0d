"""What must hold after every step of a simulated keeper's life, whatever fails.

The laws see the truth: every transaction of the journal when it is durable, every request when it
leaves a process, every order when the venue accepts it. ``calm`` is asked when nothing has failed
for a while: then the books and the venue have to be equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from steelyard.ledger.canonical_json import parsed
from steelyard.ledger.event_rows import GENESIS, Row, link
from steelyard.rules.triggers import Trigger, first_trigger
from steelyard.venues.protocol import OrderRequest, OrderState

if TYPE_CHECKING:
    from support.keeper_sim.process import Process
    from support.keeper_sim.world import World

__all__ = ["Broken", "Laws"]

NOTHING = Decimal(0)
MAY_HOLD_BACK = ("venue", "lease", "less than")
"""Words of the reasons for which even an order that lowers the exposure is not sent."""


class Broken(AssertionError):
    """A law does not hold."""


class Laws:
    """The truth about one simulated life."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last = GENESIS
        self._size = 0
        self.orders: dict[str, dict[str, Any]] = {}
        """Every order that was stored, by its id."""
        self.ended: dict[str, dict[str, Any]] = {}
        self.open: str | None = None
        self.trades: set[str] = set()
        self.movements: set[str] = set()
        self.decided: dict[str, Any] | None = None
        self.units = NOTHING
        self.is_closed = False
        self.seen: dict[str, int] = {}
        """How often each kind of row, and of outcome, was there."""

    # -- the journal ---------------------------------------------------------------------------

    def stored(self, rows: Sequence[Row]) -> None:
        """A transaction is durable."""
        for row in rows:
            if row.seq != self._size + 1 or link(self._last, row.body) != row.hash:
                raise Broken(f"event {row.seq} does not follow from event {self._size}")
            self._size, self._last = row.seq, row.hash
            self.seen[row.kind] = self.seen.get(row.kind, 0) + 1
            look = LOOKS.get(row.kind)
            if look is not None:
                look(self, parsed(row.body))
        if self.decided is not None:
            raise Broken("a decision is stored, and neither its order nor why there is none")

    def _decided(self, fields: dict[str, Any]) -> None:
        self.decided = fields["intent"]

    def _order(self, fields: dict[str, Any]) -> None:
        name = fields["id"]
        if name in self.orders:
            raise Broken(f"the id {name} is used a second time")
        if self.open is not None:
            raise Broken(f"{name} is stored while {self.open} is open")
        self.orders[name], self.open, self.decided = fields, name, None

    def _order_ended(self, fields: dict[str, Any]) -> None:
        name = fields["id"]
        if name != self.open:
            raise Broken(f"{name} ended, and {self.open} is open")
        self.open, self.ended[name] = None, fields
        outcome = fields["outcome"]
        self.seen[outcome] = self.seen.get(outcome, 0) + 1
        there = self._world.venue.exchange.orders.get(name, [])
        filled = sum((each.filled for each in there), NOTHING)
        if there and not fields["sent"]:
            raise Broken(f"{name} is said never to have left, and the venue took it")
        if Decimal(fields["filled"]) != filled:
            said = fields["filled"]
            raise Broken(
                f"{name} ended as {outcome} with {said} units, and the venue filled {filled}"
            )

    def _unfilled(self, fields: dict[str, Any]) -> None:
        decided, self.decided = self.decided, None
        if decided is None:
            return
        why = fields["why"] or ""
        is_lowering = Decimal(decided["units"]) * self.units < 0
        if is_lowering and not any(word in why for word in MAY_HOLD_BACK):
            raise Broken(f"an order that lowers the exposure was held back: {why}")

    def _blocked(self, fields: dict[str, Any]) -> None:
        rule = self._world.rule
        if rule.has_band and abs(Decimal(fields["leverage"])) > rule.upper_limit:
            raise Broken(
                f"what lowers leverage was blocked at {fields['leverage']}: {fields['why']}"
            )

    def _venue_trade(self, fields: dict[str, Any]) -> None:
        name = fields["trade"]
        if name in self.trades:
            raise Broken(f"the venue's trade {name} is booked twice")
        there = {each.trade_id: each for each in self._world.venue.exchange.trades.all()}
        trade = there.get(name)
        if trade is None:
            raise Broken(f"the venue made no trade {name}")
        if (trade.units, trade.quote) != (Decimal(fields["units"]), Decimal(fields["quote"])):
            raise Broken(f"the trade {name} was of {trade.units} units, not {fields['units']}")
        self.trades.add(name)

    def _settled(self, fields: dict[str, Any]) -> None:
        self.units = Decimal(fields["units"])
        if fields["clips"] is not None:
            self.seen["clips"] = self.seen.get("clips", 0) + 1

    def _closed(self, fields: dict[str, Any]) -> None:
        self.units, self.is_closed = Decimal(fields["units"]), True

    def _booked(self, fields: dict[str, Any]) -> None:
        if self.is_closed:
            raise Broken(f"{fields['what']} of {fields['amount']} is booked after the fund's end")

    def _movement(self, fields: dict[str, Any]) -> None:
        name = fields["movement"]
        if name in self.movements:
            raise Broken(f"the venue's record {name} is booked twice")
        self.movements.add(name)

    def _account_opened(self, fields: dict[str, Any]) -> None:
        self.trades.update(fields["trades"])
        self.movements.update(fields["movements"])

    # -- what leaves a process, and what the venue takes -------------------------------------------

    def sent(self, process: Process, request: OrderRequest) -> None:
        """A request leaves a process."""
        name, stored = request.client_id, self.orders.get(request.client_id)
        if stored is None:
            raise Broken(f"{name} is sent, and no intent of it is stored")
        if (Decimal(stored["units"]), stored["stamp"], stored["until"]) != (
            request.units,
            request.stamp_ms,
            request.last_ms,
        ):
            raise Broken(f"{name} is sent with another stamp or size than was stored")
        last_ms = request.last_ms - self._world.venue.skew_ms
        if last_ms > process.granted_until_ms - process.skew_ms:
            raise Broken(f"{name} can be accepted after the lease has ended")

    def accepted(self, state: OrderState) -> None:
        """The venue takes an order."""
        name = state.client_id
        if not name.startswith("sy-"):
            return
        if name not in self.orders:
            raise Broken(f"the venue took {name}, and no intent of it is stored")
        if name in self.ended:
            raise Broken(f"the venue took {name}, which had ended as {self.ended[name]['outcome']}")
        if name in self._world.venue.exchange.orders:
            raise Broken(f"the venue took {name} twice")

    # -- the books -----------------------------------------------------------------------------

    def books(self, process: Process) -> None:
        """Cash, units and tokens are conserved to the last digit."""
        desk = process.desk
        state, memory = desk.state, desk.memory
        if not memory.is_open or state.ended is not None:
            return
        if state.units != memory.units:
            raise Broken(f"the fund holds {state.units} units, its trades say {memory.units}")
        due = state.totals.paid_by_reserve - state.totals.management - memory.transferred
        if state.cash != memory.cash + due:
            raise Broken(f"the fund's cash is {state.cash}, expected {memory.cash} and {due} due")
        if state.tokens != self._world.tokens:
            raise Broken(f"there are {state.tokens} tokens, expected {self._world.tokens}")

    def calm(self, process: Process | None) -> None:
        """Nothing has failed for a while: what the venue did is what the books say."""
        if process is None:
            raise Broken("no keeper runs, and nothing keeps one from running")
        desk, exchange = process.desk, self._world.venue.exchange
        state, memory = desk.state, desk.memory
        if not memory.is_open:
            raise Broken("the fund was asked to launch, and has not")
        if self.open is not None or memory.order is not None:
            raise Broken(f"{self.open} has no end")
        account = exchange.account
        if (memory.units, memory.cash) != (account.units, account.wallet - account.cost):
            raise Broken(
                f"the books hold {memory.units} units and {memory.cash}, the venue "
                f"{account.units} and {account.wallet - account.cost}"
            )
        lost = {each.trade_id for each in exchange.trades.all()} - self.trades
        if lost:
            raise Broken(f"the venue's trades {sorted(lost)} are in no book")
        self._in_band(process)
        for name in ("books_differ", "order_unclear"):
            if name in memory.alarms:
                raise Broken(f"the alarm {name} holds: {memory.alarms[name]}")
        if state.ended is None and not desk.is_ready:
            raise Broken("the venue was not read")

    def _in_band(self, process: Process) -> None:
        """Leverage is where the rules want it, save for clips, lots and what is suspended."""
        desk, world = process.desk, self._world
        state, price = desk.state, world.venue.exchange.price
        if state.ended is not None or state.clips is not None or state.paused:
            return
        leverage = desk.fund.leverage(price)
        if state.reserve.suspended and abs(leverage) < abs(world.rule.target):
            return
        found = first_trigger(
            world.rule, leverage, price, state.reference or price, False, False, False, False
        )
        if found != Trigger.NONE and len(memory_stamps(desk)) < desk.guards.max_orders_per_hour:
            raise Broken(f"leverage is {leverage:.4f} at {price}, and nothing is done about it")


def memory_stamps(desk: Any) -> Any:
    """When the orders of the last hour were stored."""
    return desk.memory.stamps


LOOKS = {
    "decided": Laws._decided,
    "order": Laws._order,
    "order_ended": Laws._order_ended,
    "unfilled": Laws._unfilled,
    "blocked": Laws._blocked,
    "venue_trade": Laws._venue_trade,
    "settled": Laws._settled,
    "closed": Laws._closed,
    "booked": Laws._booked,
    "movement": Laws._movement,
    "account_opened": Laws._account_opened,
}
