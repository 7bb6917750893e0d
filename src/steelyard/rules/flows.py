"""Creations and redemptions: the exposure that they add or remove, and who pays (SPEC 5).

Creations and redemptions are priced at nav and bear the trading cost of the exposure that they add
or remove, so the other holders neither gain nor lose. All creations, redemptions and the rebalance
of one instant are sent as one order. The saving against separate orders is shared in proportion to
their sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple

from steelyard.rules.costs import CostRates, TradeCost, no_cost, pay, trade_cost
from steelyard.rules.decide import Outcome, Plan, is_clip_done
from steelyard.rules.numbers import Num

__all__ = [
    "Flows",
    "flow_exposure",
    "flow_fee",
    "is_nothing_sent",
    "netted_kind",
    "netted_plan",
    "rebalance_cost",
]

HALVINGS = 160
PIECES = 256
"""The number of intervals that are searched for the smallest solution: with flows in the same order
the cost is not convex, so there can be several."""


class Flows(NamedTuple, Generic[Num]):
    """The totals of all creations and redemptions of one instant, in quote."""

    net: Num
    """The sum of the exposures that they add (signed)."""
    size: Num
    """The sum of the sizes of these exposures."""
    alone: TradeCost[Num]
    """The sum of what each would cost in an order of its own."""


def flow_exposure(tokens: Num, outstanding: Num, exposure: Num) -> Num:
    """The signed exposure (quote) that creating ``tokens`` adds to keep leverage unchanged."""
    return exposure * tokens / outstanding


def flow_fee(tokens: Num, nav_per_token: Num, fee_bps: Num) -> Num:
    """The issuer's fee on a creation or redemption, in quote."""
    return abs(tokens) * nav_per_token * fee_bps / 10_000


def is_nothing_sent(order: Num, sizes: Num) -> bool:
    """Whether an order is at most 1e-12 of the sum of its parts' sizes, so that nothing is sent."""
    return abs(order) * 1_000_000_000_000 <= sizes


def netted_kind(alone: Num, all_alone: Num, together: Num, size: Num, all_sizes: Num) -> Num:
    """The part of one kind of cost that one creation, redemption or rebalance bears, in quote.

    It is the cost of a separate order less a share of the saving from netting.

    Args:
        alone: its cost in an order of its own.
        all_alone: the sum of ``alone`` over all parts of the order.
        together: the cost of the netted order that was sent.
        size: its notional, not negative.
        all_sizes: the sum of ``size`` over all parts of the order, above 0.
    """
    return alone - (all_alone - together) * size / all_sizes


def rebalance_cost(
    rates: CostRates[Num],
    flows: Flows[Num],
    notional: Num,
    reserve_value: Num,
    sqrt: Callable[[Num], Num],
) -> TradeCost[Num]:
    """The rebalance's part of the cost of one order with ``flows``, and who pays it.

    ``notional`` is signed. The reserve bears its kinds of the rebalance's part only. Creations and
    redemptions pay their own parts.
    """
    nothing = notional * 0
    size = abs(notional)
    alone = trade_cost(rates, notional, nothing, sqrt)
    order = flows.net + notional
    together = no_cost(nothing)
    if not is_nothing_sent(order, flows.size + size):
        together = trade_cost(rates, order, nothing, sqrt)
    sizes = flows.size + size
    others = flows.alone
    return pay(
        rates,
        netted_kind(alone.fee, others.fee + alone.fee, together.fee, size, sizes),
        netted_kind(alone.spread, others.spread + alone.spread, together.spread, size, sizes),
        netted_kind(alone.impact, others.impact + alone.impact, together.impact, size, sizes),
        netted_kind(alone.gas, others.gas + alone.gas, together.gas, size, sizes),
        reserve_value,
    )


def netted_plan(
    plan: Plan[Num],
    rates: CostRates[Num],
    flows: Flows[Num],
    nav: Num,
    exposure: Num,
    reserve_value: Num,
    sqrt: Callable[[Num], Num],
) -> Plan[Num]:
    """The planned trade with its new size and cost, when it is sent in one order with ``flows``.

    The size is found by bisection, so that leverage lands on the plan's destination after the
    rebalance's own part of the cost. A trade that was cut (by clips, lots or capacity) keeps its
    size. Whether more clips have to follow is decided by the leverage that results at this cost.
    """
    notional = plan.notional
    # in a fund without exposure flows trade nothing, so there is nothing to net with
    if not plan.cut and flows.size > 0:
        notional = _netted_size(plan, rates, flows, nav, exposure, reserve_value, sqrt)
    cost = rebalance_cost(rates, flows, notional, reserve_value, sqrt)
    if cost.paid_by_nav >= nav:
        nothing = notional * 0
        free = no_cost(nothing)
        return Plan(
            Outcome.BLOCKED, plan.destination, nothing, free, False, False, plan.raises, plan.cut
        )
    # at the netted cost leverage may arrive where it would not have, or the other way round
    leverage = (exposure + notional) / (nav - cost.paid_by_nav)
    clipped = plan.is_clip and not is_clip_done(plan.destination, plan.raises, leverage)
    return Plan(
        Outcome.TRADE,
        plan.destination,
        notional,
        cost,
        plan.is_clip,
        clipped,
        plan.raises,
        plan.cut,
    )


def _netted_size(
    plan: Plan[Num],
    rates: CostRates[Num],
    flows: Flows[Num],
    nav: Num,
    exposure: Num,
    reserve_value: Num,
    sqrt: Callable[[Num], Num],
) -> Num:
    """The smallest size with ``exposure + x = destination * (nav - cost(x))``.

    Where no size solves the equation, it is the plan's own size.
    """
    goal = plan.destination
    side = exposure * 0 + 1
    if plan.notional < 0:
        side = -side
    # without cost the size would be the gap. The solution is at most twice the whole cost away from
    # it, where the cost includes all that the flows could save, since the saving may make the
    # rebalance's own part negative
    gap = abs(goal * nav - exposure)
    costs = plan.cost.fee + plan.cost.spread + plan.cost.impact + plan.cost.gas
    others = flows.alone
    costs = costs + others.fee + others.spread + others.impact + others.gas
    reach = 2 * abs(goal) * costs
    low = gap - reach
    high = gap + reach
    if low < 0:
        low = gap * 0
    held = -side * exposure
    if 0 < held < high:
        # a trade that lowers the exposure may not reverse it
        high = held
    step = (high - low) / PIECES
    for _ in range(PIECES):
        middle = low + step
        paid = rebalance_cost(rates, flows, side * middle, reserve_value, sqrt).paid_by_nav
        if side * (goal * (nav - paid) - exposure) <= middle:
            high = middle
            break
        low = middle
    else:
        # no size lands on the destination: keep the size of the plan
        return plan.notional
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        paid = rebalance_cost(rates, flows, side * middle, reserve_value, sqrt).paid_by_nav
        if side * (goal * (nav - paid) - exposure) > middle:
            low = middle
        else:
            high = middle
    return side * low
