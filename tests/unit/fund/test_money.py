"""Every step of a fund keeps the money: cash, units, tokens and the reserve (to the last digit)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from steelyard.fund.effects import (
    Accrued,
    Allocated,
    Booked,
    Closed,
    Effect,
    Injected,
    PriceSettled,
    Requested,
    Rolled,
    Settled,
    Split,
    Withdrawn,
)
from steelyard.fund.events import Filled, Liquidated, Traded
from steelyard.fund.group import Group
from steelyard.rules.numbers import DECIMAL18, FRACTION, Number
from steelyard.rules.triggers import Trigger
from support.fund_life import Life, lives
from support.watched import Books, books_of

VENUES = ("perpetual", "spot", "future", "pool")


class Purse:
    """Follows the books of a group from effect to effect, and checks what each of them moved."""

    def __init__(self, number: Number) -> None:
        self.number = number
        self.books: dict[str, Books] = {}
        self.marks: dict[str, Any] = {}
        self.asked: dict[str, Any] = {}
        self.reserve: Any = None

    def look(self, group: Group, event: Any, effects: list[Effect]) -> None:
        """Check a step."""
        if not self.books:
            for fund in group.funds:
                symbol, tokens = fund.terms.symbol, fund.terms.number.of(1_000)
                nothing = tokens * 0
                reserve = fund.terms.number.of(fund.terms.series.reserve.initial_units)
                self.books[symbol] = Books(100 * tokens, nothing, tokens, reserve, None)
                self.marks[symbol], self.asked[symbol] = nothing + 1, nothing
                self.reserve = reserve
        for effect in effects:
            shared = effect.fund not in self.books
            symbol = group.funds[0].terms.symbol if shared else effect.fund
            before = self.books[symbol]._replace(reserve=self.reserve)
            after = before.after(effect)
            self.check(symbol, event, before, effect, after)
            self.books[symbol], self.reserve = after, after.reserve
            self.marks[symbol] = getattr(effect, "mark", self.marks[symbol])
        for fund in group.funds:
            state, symbol = fund.state, fund.terms.symbol
            assert books_of(state) == self.books[symbol]._replace(reserve=self.reserve)
            held = () if state.intent is None else state.intent.requests
            waiting = [each.tokens for each in (*held, *state.pending)]
            assert sum(waiting) == self.asked[symbol]

    def check(self, symbol: str, event: Any, before: Books, effect: Effect, after: Books) -> None:
        """What an effect moved, from whom to whom."""
        amount, price = self.number.amount, getattr(effect, "price", None)
        cash, units = after.cash - before.cash, after.units - before.units
        tokens, reserve = after.tokens - before.tokens, after.reserve - before.reserve
        if isinstance(effect, Requested):
            self.asked[symbol] += effect.request.tokens
        elif isinstance(effect, Withdrawn):
            self.asked[symbol] = self.asked[symbol] * 0
        elif isinstance(effect, Split):
            assert after.tokens == amount(before.tokens * effect.ratio)
            self.asked[symbol] *= effect.ratio
        elif isinstance(effect, PriceSettled):
            gain = amount(before.units * (price - before.settled_price))
            assert cash == effect.paid - gain == -effect.shortfall
            assert abs(reserve * price + effect.paid) <= self.crumb(price)
        elif isinstance(effect, Accrued):
            worth = sum(effect.funding) + effect.interest + effect.management
            marked = before.units / self.marks[symbol] * effect.mark
            change = cash + (after.units - marked) * price + worth
            assert abs(change) <= self.crumb(price)
        elif isinstance(effect, Booked):
            assert (cash, units, tokens, reserve) == (amount(event.amount), 0, 0, 0)
        elif isinstance(effect, (Injected, Allocated)):
            assert abs(reserve * price - effect.quote) <= self.crumb(price)
        elif isinstance(effect, Rolled):
            contracts = after.units / effect.mark - before.units / self.marks[symbol]
            assert abs(contracts) <= self.crumb(price)
            paid = sum(cost.paid_by_nav for cost in effect.costs)
            old = amount(before.units * price)
            assert cash == old - effect.notional - paid
        elif isinstance(effect, Settled):
            self.check_trade(symbol, event, before, effect, after)
        elif isinstance(effect, Closed):
            assert after.units == 0
            if isinstance(event, Liquidated):
                assert after.cash == event.cash
            else:
                assert after.cash in (before.cash, 0)
        else:
            assert (cash, units, tokens, reserve) == (0, 0, 0, 0)

    def check_trade(
        self, symbol: str, event: Any, before: Books, effect: Settled, after: Books
    ) -> None:
        """A trade: with the venue, the creations, the reserve, and who is paid its cost."""
        amount, price, cost = self.number.amount, effect.price, effect.cost
        brought = sum(each.brought for each in effect.creations)
        created = sum(each.tokens for each in effect.creations)
        gross = cost.fee + cost.spread + cost.impact + cost.gas
        assert gross == cost.paid_by_nav + cost.paid_by_reserve
        assert after.tokens == before.tokens + created
        self.asked[symbol] -= created
        given = effect.received - cost.paid_by_reserve
        assert abs((after.reserve - before.reserve) * price - given) <= self.crumb(price)
        if not isinstance(event, (Filled, Traded)):
            # deleveraged, or an order of creations that cancel: nothing comes from a venue
            moved = (after.units - before.units) * price
            change = after.cash - before.cash - (brought - moved - cost.paid_by_nav)
            assert abs(change) <= self.crumb(price)
            return
        notional = 0 if effect.trigger == Trigger.CAPACITY else event.notional
        if effect.trigger == Trigger.CAPACITY:
            return
        assert after.cash == before.cash + brought - amount(notional) - cost.paid_by_nav
        filled = amount(event.units * self.marks[symbol])
        assert after.units == before.units + filled
        by_parties = sum(each.cost for each in effect.creations)
        assert abs(gross + by_parties - sum(event.charges)) <= 8 * self.crumb(price)

    def crumb(self, price: Any) -> Any:
        """What rounding an amount of units may be worth: nothing where nothing is rounded."""
        if self.number.round_amount is None:
            return 0
        return (price + 1) * Decimal("2e-18")


@pytest.mark.parametrize("kind", VENUES)
@settings(max_examples=30)
@given(life=lives("perpetual", hours=9))
def test_every_step_keeps_the_money_exactly(kind: str, life: Life) -> None:
    """On Fraction: whatever the venue fills, what one side gets the other gives."""
    life.on(kind).live(FRACTION, Purse(FRACTION).look)


@settings(max_examples=30)
@given(life=lives(hours=8))
def test_every_step_of_funds_on_one_reserve_keeps_the_money_exactly(life: Life) -> None:
    """The same for any venues together, which draw on one reserve in order."""
    life.live(FRACTION, Purse(FRACTION).look)


@settings(max_examples=60)
@given(life=lives(hours=20))
def test_balances_of_a_live_fund_are_sums_of_amounts_of_18_places(life: Life) -> None:
    """On DECIMAL18 no balance has more places, and each is what moved added up."""
    purse = Purse(DECIMAL18)

    def look(group: Group, event: Any, effects: list[Effect]) -> None:
        purse.look(group, event, effects)
        for fund in group.funds:
            state, reserve = fund.state, fund.state.reserve
            held = (state.cash, state.units, state.tokens, reserve.units, reserve.pending_fees)
            waiting = tuple(each.tokens for each in state.pending)
            for balance in (*held, *waiting):
                assert balance == balance.quantize(Decimal("1e-18")), balance

    life.live(DECIMAL18, look)
