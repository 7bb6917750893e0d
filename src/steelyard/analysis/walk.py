"""What one token will trade as the price goes somewhere, and at its next reset there.

It is the simulation's own replay, taken along prices that have not been: an observation now, the
continuous way from price to price inside one bar, and a clock observation at the token's next
scheduled instant. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from steelyard.analysis.token import Token
from steelyard.fund.state import State
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import liquidation_price
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Series
from steelyard.rules.triggers import Trigger, crossing
from steelyard.simulation.conditions import Market
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.schedule import Schedule

__all__ = ["Flow", "Stop", "Threshold", "Walk", "next_reset"]

NO_MARKET_TRADES = frozenset({"launch", "roll"})
"""A roll sells and buys the same exposure: no flow."""
FARTHEST = 1e6
"""Thresholds are looked for from a millionth of the price to a million times it."""


class Flow(NamedTuple):
    """One trade that will be made: units and notional signed, negative for a sale."""

    token: str
    time: int
    """Epoch s: of a clock observation; on the way the time of the forecast, since none is known."""
    price: float
    trigger: str
    """What names the trade; ``liquidation`` where the venue closes the position."""
    units: float
    notional: float
    leverage_before: float
    leverage_after: float


class Threshold(NamedTuple):
    """A price at which something will act if nothing trades before."""

    trigger: str
    price: float
    side: str
    """``below`` or ``above`` the present price; a threshold on which it stands is where it acts."""


class Stop(NamedTuple):
    """A price on the way: what was traded since the one before, and what its reset trades there."""

    price: float
    flows: tuple[Flow, ...]
    reset: tuple[Flow, ...]


class Walk:
    """One token, ready to be walked.

    Args:
        token: as it stands.
        price: of the underlying, now.
        time: epoch s, now.
        book: the columns of the book that its series trades on; None where it trades on none.
    """

    def __init__(
        self, token: Token, price: float, time: int, book: Sequence[Sequence[float]] | None = None
    ) -> None:
        series = token.series
        if series.execution.delay_s:
            # an order is shown where it is decided: nobody knows the price at its fill
            series = replace(series, execution=replace(series.execution, delay_s=0))
        self.name, self.series, self.price, self.time = token.name, token.series, price, time
        schedule = Schedule(FLOAT, first_rate=series.venue.first_rate_per_year)
        state = token.state_at(price, time)
        self.member: Member[float] = member_of(series, FLOAT, schedule, state, Market(book, None))
        self.replay: Replay[float] = Replay([self.member])
        self.now: tuple[Flow, ...] = self._observe(time, price)
        """What it trades at once, at the present price."""
        self.state = self.member.state
        """Its books after that."""
        self.leverage = 0.0 if self.ended else leverage_of(state.cash, state.units, price)
        self.assets = nav_of(state.cash, state.units, price)
        self.next_reset = None if self.ended else next_reset(series, self.state)

    @property
    def ended(self) -> bool:
        """Whether it does not live through the present observation."""
        return self.state.ended is not None

    def along(self, prices: Sequence[float]) -> list[Stop]:
        """The stops on one continuous way, away from the present price, through ``prices``."""
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
        """Every threshold of its present books, from the lowest price to the highest."""
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
        """What the next scheduled instant trades if the price then stands here."""
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
        """What the replay has written down, which is then forgotten; ``held`` units before it."""
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

    What is overdue (it was blocked, or there was nothing to trade) acts at any later observation.
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
