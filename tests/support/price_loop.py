"""A token over prices: one loop that runs as it stands and compiled, and writes the same bits.

It has the order of a simulation (the way between two prices, then the clock), but it is a test of
the rules, not a second simulator: it takes every decision and figure from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steelyard.rules.accruals import (
    cash_interest,
    funding_payment,
    management_fee,
    units_interest,
)
from steelyard.rules.decide import Outcome, TradeLimits, destination_of, is_clip_done, plan_trade
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone, nav_after_liquidation
from steelyard.rules.reserve import is_suspended, units_left
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import Trigger, crossing, first_trigger, is_emergency, next_instant

if TYPE_CHECKING:
    from collections.abc import Callable

    from steelyard.rules.costs import CostCurve, CostRates
    from steelyard.rules.liquidation import VenueTerms
    from steelyard.rules.triggers import RebalanceRule

COLUMNS = 6
"""What ``replay`` writes at each price: nav, units, cash, reserve, trades, last trigger."""


def replay(  # noqa: C901, PLR0912, PLR0915 (one loop, so that one compilation holds it all)
    prices: Any,
    rule: RebalanceRule[float],
    rates: CostRates[float],
    nav_curve: CostCurve[float],
    reserve_curve: CostCurve[float],
    venue: VenueTerms[float],
    ratios: tuple[float, float, float, float, float, float, float],
    cash: float,
    reserve: float,
    sqrt: Callable[[float], float],
    out: Any,
) -> None:
    """A token over prices two hours apart, with every decision and figure taken from the rules.

    ``ratios`` are (floor, resume, rate per year, management per year, funding rate, notional of a
    lot, smallest notional). Row i of
    ``out`` is written after the way to price i and the clock's work there.
    """
    units = cash * 0
    limits = TradeLimits(ratios[5], ratios[6], False, 0.0)
    start = prices[0]
    reference = start
    suspended = False
    clipping = False
    clip_raises = False
    clip_destination = rule.target
    clip_trigger = Trigger.NONE
    now = 0
    daily = next_instant(86_400, 120, now)
    quiet = 0
    trades = 0
    last = Trigger.NONE
    for i in range(len(prices)):
        end = prices[i]
        spent = 0
        while units != 0 and start != end:
            found = crossing(rule, venue, cash, units, reference, start, end, clipping, spent)
            start = found.price
            last = found.trigger
            if found.trigger == Trigger.NONE:
                break
            if found.trigger == Trigger.LIQUIDATION:
                cash = nav_after_liquidation(venue, cash, units, start)
                units = units * 0
                break
            nav = nav_of(cash, units, start)
            goal = destination_of(rule, found.trigger, leverage_of(cash, units, start))
            payers = Payers(nav_curve, reserve_curve, reserve * start)
            plan = plan_trade(
                rule,
                rates,
                payers,
                limits,
                found.trigger,
                goal,
                nav,
                units * start,
                suspended,
                sqrt,
            )
            if plan.outcome == Outcome.TRADE:
                cash = cash - plan.notional - plan.cost.paid_by_nav
                units = units + plan.notional / start
                reserve = units_left(reserve, plan.cost.paid_by_reserve, start)
                clipping = plan.clipped
                clip_raises = plan.raises
                clip_destination = plan.destination
                clip_trigger = found.trigger
                reference = start
                quiet = now
                trades += 1
                spent = 0
            else:
                spent = spent | 1 << found.trigger
        start = end
        now = i * 7200
        trigger = Trigger.NONE
        if i == 0:
            trigger = Trigger.LAUNCH
        elif units != 0:
            cash = cash - funding_payment(units, end, ratios[4])
            cash = cash - cash_interest(
                cash, ratios[2], venue.borrow_spread, venue.supply_spread, 7200
            )
            units = units - units_interest(units, venue.units_borrow_rate, 7200)
            cash = cash - management_fee(nav_of(cash, units, end), ratios[3], 7200)
            if is_liquidated(venue, cash, units, end) or is_nav_gone(cash, units, end):
                cash = nav_after_liquidation(venue, cash, units, end)
                units = units * 0
            else:
                leverage = leverage_of(cash, units, end)
                if clipping and is_clip_done(clip_destination, clip_raises, leverage):
                    clipping = False
                if clipping:
                    trigger = clip_trigger
                    if is_emergency(rule, leverage):
                        trigger = Trigger.EMERGENCY
                else:
                    trigger = first_trigger(
                        rule,
                        leverage,
                        end,
                        reference,
                        False,
                        False,
                        now >= daily,
                        now - quiet >= 172_800,
                    )
                if now >= daily:
                    daily = next_instant(86_400, 120, now)
        if trigger != Trigger.NONE:
            nav = nav_of(cash, units, end)
            suspended = is_suspended(suspended, reserve * end, nav, ratios[0], ratios[1])
            goal = rule.target
            if units != 0:
                goal = destination_of(rule, trigger, leverage_of(cash, units, end))
            if clipping and trigger != Trigger.EMERGENCY:
                goal = clip_destination
            payers = Payers(nav_curve, reserve_curve, reserve * end)
            plan = plan_trade(
                rule, rates, payers, limits, trigger, goal, nav, units * end, suspended, sqrt
            )
            last = trigger
            if plan.outcome == Outcome.TRADE:
                cash = cash - plan.notional - plan.cost.paid_by_nav
                units = units + plan.notional / end
                reserve = units_left(reserve, plan.cost.paid_by_reserve, end)
                clipping = plan.clipped
                clip_raises = plan.raises
                clip_destination = plan.destination
                clip_trigger = trigger
                reference = end
                quiet = now
                trades += 1
        out[i, 0] = nav_of(cash, units, end)
        out[i, 1] = units
        out[i, 2] = cash
        out[i, 3] = reserve
        out[i, 4] = trades
        out[i, 5] = last + 0
