"""A token's cash and units, moved by the plans that the rules make: examples told step by step."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from steelyard.rules.decide import Outcome, destination_of, plan_trade
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.triggers import Trigger, crossing
from support.rule_cases import FREE, Costing, Rule, Terms, any_size, settled

if TYPE_CHECKING:
    from steelyard.rules.decide import Plan
    from steelyard.rules.numbers import Number


class Holding:
    """A token held under one rule, without costs unless told, on one kind of number."""

    def __init__(self, number: Number[Any], rule: Rule, cash: Any, costing: Costing = FREE) -> None:
        self.number = number
        self.rule = rule.of(number)
        self.rates = costing.rates(number)
        self.payers = costing.payers(number)
        self.venue = Terms().of(number)
        self.cash = number.of(cash)
        self.units = number.of(0)
        self.reference = self.cash

    def nav(self, price: Any) -> Any:
        """Net asset value at a price."""
        return nav_of(self.cash, self.units, self.number.of(price))

    def leverage(self, price: Any) -> Any:
        """Signed leverage at a price."""
        return leverage_of(self.cash, self.units, self.number.of(price))

    def rebalance(self, price: Any, trigger: Trigger = Trigger.DAILY) -> Plan[Any]:
        """Make the rebalance that ``trigger`` names, and return its plan."""
        price = self.number.of(price)
        nav = nav_of(self.cash, self.units, price)
        leverage = self.leverage(price)
        plan = plan_trade(
            self.rule,
            self.rates,
            self.payers,
            any_size(self.number),
            trigger,
            destination_of(self.rule, trigger, leverage),
            nav,
            self.units * price,
            suspended=False,
            sqrt=self.number.sqrt,
        )
        if plan.outcome == Outcome.TRADE:
            self.cash, self.units = settled(
                self.cash, self.units, price, plan.notional, plan.cost.paid_by_nav
            )
            self.reference = price
        return plan

    def travel(self, start: Any, end: Any) -> list[Any]:
        """Let the price go continuously from one to the other; the prices of its rebalances."""
        start, end = self.number.of(start), self.number.of(end)
        traded = []
        while True:
            met = crossing(
                self.rule,
                self.venue,
                self.cash,
                self.units,
                self.reference,
                start,
                end,
                emergency_only=False,
                spent=0,
            )
            if met.trigger == Trigger.NONE:
                return traded
            start = met.price
            assert self.rebalance(start, Trigger(met.trigger)).outcome == Outcome.TRADE
            traded.append(start)


def held(number: Number[Any], target: Any, cash: Any, units: Any) -> Holding:
    """A token that holds this already, whatever its leverage is."""
    holding = Holding(number, Rule(Decimal(str(target))), cash)
    holding.units = number.of(units)
    return holding


def daily_reset_return(number: Number[Any], target: Any, prices: list[Any]) -> Any:
    """The return of a token launched at the first price and reset at each one after it."""
    holding = Holding(number, Rule(Decimal(str(target))), 1)
    holding.rebalance(prices[0], Trigger.LAUNCH)
    for price in prices[1:]:
        holding.rebalance(price)
    return holding.nav(prices[-1]) - 1


def prices_of(number: Number[Any], moves: list[Any], first: Any = 1) -> list[Any]:
    """Prices that make these simple returns."""
    prices = [number.of(first)]
    for move in moves:
        prices.append(prices[-1] * (1 + number.of(move)))
    return prices
