"""The trades of one token as the price moves to given prices, and at its next reset there.

The module runs the simulation's replay over hypothetical prices: an observation of the present
price, a continuous path from price to price inside one bar, and a scheduled observation at the
token's next scheduled instant. The rules decide all trades; this module decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from steelyard.analysis.shelf_token import Token
from steelyard.fund.state import State
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import liquidation_price
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Series
from steelyard.rules.triggers import Trigger, crossing
from steelyard.simulation.conditions import MarketConditions
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.schedule import Schedule

__all__ = ["Flow", "PricePath", "Stop", "Threshold", "next_reset"]

NO_MARKET_TRADES = frozenset({"launch", "roll"})
"""Trades that a forecast leaves out; a roll sells and buys the same exposure, so it is no flow."""
FARTHEST = 1e6
"""Thresholds are searched from the price divided by this factor to the price times it."""


class Flow(NamedTuple):
    """One trade that the forecast expects; units and notional are negative for a sale."""

    token: str
    time: int
    """Epoch s of the scheduled observation; for a trade on the way, the time of the forecast,
    because the time at which the price gets there is not known."""
    price: float
    trigger: str
    """The trigger of the trade, or ``liquidation`` where the venue closes the position."""
    units: float
    notional: float
    leverage_before: float
    leverage_after: float


class Threshold(NamedTuple):
    """A price at which a trigger or the venue will act if nothing trades before."""

    trigger: str
    price: float
    side: str
    """``below`` or ``above`` the present price, for a threshold at that price the side on which it
    acts."""


class Stop(NamedTuple):
    """A price on the way: the trades since the stop before, and the trades of a reset there."""

    price: float
    flows: tuple[Flow, ...]
    reset: tuple[Flow, ...]


class PricePath:
    """The replay of one token over hypothetical prices.

    Args:
        token: the token in its present state.
        price: present price of the underlying.
        time: present time, epoch s.
        book: columns of the order book on which its series trades; None where it uses no book.
    """

    def __init__(
        self, token: Token, price: float, time: int, book: Sequence[Sequence[float]] | None = None
    ) -> None:
        series = token.series
        if series.execution.delay_s:
            # an order is shown at the price at which it is decided, since its fill price is unknown
            series = replace(series, execution=replace(series.execution, delay_s=0))
        self.name, self.series, self.price, self.time = token.name, token.series, price, time
        schedule = Schedule(FLOAT, first_rate=series.venue.first_rate_per_year)
        state = token.state_at(price, time)
        self.member: Member[float] = member_of(
            series, FLOAT, schedule, state, MarketConditions(book, None)
        )
        self.replay: Replay[float] = Replay([self.member])
        self.now: tuple[Flow, ...] = self._observe(time, price)
        """Its immediate trades, at the present price."""
        self.state = self.member.state
        """Its state after the immediate trades."""
        self.leverage = 0.0 if self.ended else leverage_of(state.cash, state.units, price)
        self.assets = nav_of(state.cash, state.units, price)
        self.next_reset = None if self.ended else next_reset(series, self.state)

    @property
    def ended(self) -> bool:
        """Whether the token is wiped out at the present observation."""
        return self.state.ended is not None

    def along(self, prices: Sequence[float]) -> list[Stop]:
        """The stops on one continuous path from the present price through ``prices``."""
        if self.ended:
            return [Stop(price, (), ()) for price in prices]
        self._stand(self.state.copy())
        stops, here = [], self.price
        for price in prices:
            flows = self._travel(here, price) if price != here else ()
            stops.append(Stop(price, flows, self._reset(price)))
            here = price
        return stops

    def thresholds(self) -> list[Threshold]:
        """All thresholds of its present state, from the lowest price to the highest."""
        found: list[Threshold] = []
        state, terms = self.state, self.member.fund.terms
        if self.ended or state.reference is None or state.units == 0:
            return found
        ends = (("below", self.price / FARTHEST), ("above", self.price * FARTHEST))
        for side, end in ends:
            spent = 0
            while True:
                met = crossing(
                    terms.rule,
                    terms.venue,
                    state.cash,
                    state.units,
                    state.reference,
                    self.price,
                    end,
                    False,  # noqa: FBT003 (rules are called by position)
                    spent,
                )
                if met.trigger in (Trigger.NONE, Trigger.LIQUIDATION):
                    break
                found.append(Threshold(Trigger(met.trigger).name.lower(), met.price, side))
                spent |= 1 << met.trigger
        closed = liquidation_price(terms.venue, state.cash, state.units)
        if closed > 0:
            side = "below" if state.units > 0 else "above"
            found.append(Threshold("liquidation", closed, side))
        return sorted(found, key=lambda threshold: threshold.price)

    # -- steps --------------------------------------------------------------------------------

    def _stand(self, state: State[float]) -> None:
        self.member.fund.state = state
        self.replay.group.reserve = state.reserve

    def _observe(self, time: int, price: float) -> tuple[Flow, ...]:
        state = self.member.state
        held = state.units
        self.replay.observe(time, price)
        return self._flows(held, time)

    def _travel(self, start: float, end: float) -> tuple[Flow, ...]:
        state = self.member.state
        if state.ended is not None:
            return ()
        held = state.units
        self.replay.travel(self.time, start, end)
        return self._flows(held, self.time)

    def _reset(self, price: float) -> tuple[Flow, ...]:
        """The trades of the next scheduled instant, if the price is then ``price``."""
        walked = self.member.state
        if walked.ended is not None:
            return ()
        due = next_reset(self.series, walked)
        if due is None:
            return ()
        self._stand(walked.copy())
        flows = self._observe(due, price)
        self._stand(walked)
        return flows

    def _flows(self, held: float, time: int) -> tuple[Flow, ...]:
        """The trades that the replay recorded, then cleared; ``held`` are the units before them."""
        state, rows = self.member.state, self.member.record.trades
        if not rows and state.ended is None:
            return ()
        flows = []
        for row in rows:
            if row.trigger in NO_MARKET_TRADES:
                continue
            side = 1 if row.side == "buy" else -1
            price = row.price / state.mark
            held += side * row.notional / price
            flows.append(
                Flow(
                    self.name,
                    time,
                    price,
                    row.trigger,
                    side * row.units,
                    side * row.notional,
                    row.leverage_before,
                    row.leverage_after,
                )
            )
        if state.ended is not None and held != 0:
            price = state.ended.price
            flows.append(
                Flow(self.name, time, price, "liquidation", -held, -held * price, NAN, 0.0)
            )
        rows.clear()
        return tuple(flows)


NAN = float("nan")


def next_reset(series: Series, state: State[float]) -> int | None:
    """The next instant (epoch s) at which the clock alone makes the token trade; None: never.

    A trigger that is overdue, because it was blocked or there was nothing to trade, acts at the
    next observation.
    """
    how, due = series.rebalance, []
    if how.interval is not None:
        due.append(state.next_interval)
    if how.daily is not None:
        due.append(state.next_daily)
    if how.fallback is not None:
        due.append(state.last_rebalance + how.fallback.after_s)
    if not due:
        return None
    return min(due) if state.time is None else max(min(due), state.time + 1)
