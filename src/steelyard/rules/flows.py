"""Creations and redemptions: the exposure they move, and who pays for it (SPEC 5).

Who comes or goes does so at nav and pays for the exposure that it adds or removes, so the others
neither win nor lose. What falls on one instant, a rebalance too, is sent as one order; what that
saves against separate orders is shared in proportion to their sizes.
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
"""In which the smallest of several solutions is looked for: cost beside flows is not convex."""


class Flows(NamedTuple, Generic[Num]):
    """All creations and redemptions of one instant, in quote."""

    net: Num
    """Sum of the exposures that they add (signed)."""
    size: Num
    """Sum of the sizes of these."""
    alone: TradeCost[Num]
    """Sum of what each would cost in an order of its own."""


def flow_exposure(tokens: Num, outstanding: Num, exposure: Num) -> Num:
    """Exposure (signed notional) that the creation of ``tokens`` adds: leverage stays as it is."""
    return exposure * tokens / outstanding


def flow_fee(tokens: Num, nav_per_token: Num, fee_bps: Num) -> Num:
    """The issuer's fee on a creation or redemption, in quote."""
    return abs(tokens) * nav_per_token * fee_bps / 10_000


def is_nothing_sent(order: Num, sizes: Num) -> bool:
    """Whether parts of these sizes cancel: to 1e-12 of them, or there are none."""
    return abs(order) * 1_000_000_000_000 <= sizes


def netted_kind(alone: Num, all_alone: Num, together: Num, size: Num, all_sizes: Num) -> Num:
    """A trade's part of one kind of cost: what it costs alone less its share of what netting saved.

    Args:
        alone: the trade's cost in an order of its own.
        all_alone: the sum of these over all trades of the order.
        together: the cost of the one order that was sent.
        size: the trade's notional, not negative.
        all_sizes: the sum of these, above 0.
    """
    return alone - (all_alone - together) * size / all_sizes


def rebalance_cost(
    rates: CostRates[Num],
    flows: Flows[Num],
    notional: Num,
    reserve_value: Num,
    sqrt: Callable[[Num], Num],
) -> TradeCost[Num]:
    """A rebalance's part of the cost of one order with ``flows``, and who pays it.

    ``notional`` is signed. The reserve bears its kinds of the rebalance's part only: who comes or
    goes pays the rest.
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
    """A planned trade whose order goes out together with ``flows``: its size and cost anew.

    The size lands on the plan's destination after the rebalance's own part of the cost, found by
    bisection; a trade that was cut (clips, lots, capacity) keeps its size. Whether more clips have
    to follow is judged by the leverage that it comes to at this cost.
    """
    notional = plan.notional
    # creations in a fund without exposure trade nothing: there is nothing to net with
    if not plan.cut and flows.size > 0:
        notional = _netted_size(plan, rates, flows, nav, exposure, reserve_value, sqrt)
    cost = rebalance_cost(rates, flows, notional, reserve_value, sqrt)
    if cost.paid_by_nav >= nav:
        nothing = notional * 0
        free = no_cost(nothing)
        return Plan(
            Outcome.BLOCKED, plan.destination, nothing, free, False, False, plan.raises, plan.cut
        )
    # another cost than it has alone may be what leverage arrives by, or falls short by
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
    """The smallest size with ``exposure + x = destination * (nav - cost(x))``; else the plan's."""
    goal = plan.destination
    side = exposure * 0 + 1
    if plan.notional < 0:
        side = -side
    # no cost: the trade is the gap; the whole cost twice over is beyond the solution either way,
    # and so is all that the flows could save, a part of which may make the own part negative
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
        # what lowers the exposure does not turn it round
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
        # none lands: what comes nearest alone
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
