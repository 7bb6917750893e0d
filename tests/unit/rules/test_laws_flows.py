"""Laws of creations and redemptions: the exposure they move, and who pays for what (SPEC 5)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from steelyard.rules.costs import TradeCost, trade_cost
from steelyard.rules.decide import Outcome, is_clip_done, plan_trade
from steelyard.rules.flows import (
    Flows,
    flow_exposure,
    flow_fee,
    netted_kind,
    netted_plan,
    rebalance_cost,
)
from steelyard.rules.leverage import rebalance_demand
from steelyard.rules.numbers import FLOAT, FRACTION
from steelyard.rules.sizing import is_nothing_to_trade
from steelyard.rules.triggers import Trigger
from support.rule_cases import (
    KINDS,
    Costing,
    Rule,
    any_size,
    costings,
    exact,
    sizes,
    targets,
    written,
)

if TYPE_CHECKING:
    from steelyard.rules.decide import Plan
    from steelyard.rules.numbers import Number

TOKENS = written("-900", "5000", 2).filter(lambda tokens: tokens != 0)
NOTIONALS = written("-90000", "90000", 2).filter(lambda notional: notional != 0)
MOVES = written("-0.2", "0.2", 4)
OUTSTANDING = 1000


@given(TOKENS, written("100", "90000", 2), written("-20", "20", 3))
def test_a_flow_leaves_leverage_as_it_is(tokens: Decimal, nav: Decimal, leverage: Decimal) -> None:
    """Nav and exposure grow or shrink by the same share, and nav per token not at all."""
    tokens, nav, leverage = (exact(x) for x in (tokens, nav, leverage))
    exposure = leverage * nav
    brought = tokens * nav / OUTSTANDING
    after = exposure + flow_exposure(tokens, Fraction(OUTSTANDING), exposure)
    assert after == leverage * (nav + brought)
    assert (nav + brought) / (OUTSTANDING + tokens) == nav / OUTSTANDING


@given(TOKENS, written("0.01", "900", 2), written("0", "300", 1))
def test_the_issuers_fee_is_on_the_amount(tokens: Decimal, nav: Decimal, bps: Decimal) -> None:
    """Coming or going costs the same share of what comes or goes."""
    tokens, nav, bps = (exact(x) for x in (tokens, nav, bps))
    assert flow_fee(tokens, nav, bps) == abs(tokens * nav) * bps / 10_000
    assert flow_fee(tokens, nav, bps) == flow_fee(-tokens, nav, bps)


@dataclass(frozen=True)
class Order:
    """What of one instant goes out together: creations, each with a signed notional."""

    number: Number[Any]
    costing: Costing
    notionals: tuple[Decimal, ...]

    def alone(self, notional: Any) -> TradeCost[Any]:
        """A creation's cost in an order of its own; none for no trade."""
        nothing = self.number.of(0)
        if notional == 0:
            return TradeCost(*[nothing] * 6)
        rates = self.costing.rates(self.number)
        return trade_cost(rates, notional, nothing, self.number.sqrt)

    @property
    def creations(self) -> list[Any]:
        """Their notionals in the kind of number."""
        return [self.number.of(notional) for notional in self.notionals]

    @property
    def flows(self) -> Flows[Any]:
        """The creations as the rules take them."""
        each = [self.alone(notional) for notional in self.creations]
        alone = TradeCost(*(sum(parts[1:], parts[0]) for parts in zip(*each, strict=True)))
        return Flows(sum(self.creations), sum(map(abs, self.creations)), alone)

    def parts(self, rebalance: Any) -> list[dict[str, Any]]:
        """Each creation's part by kind, of an order with this rebalance."""
        flows, own = self.flows, self.alone(rebalance)
        together = self.alone(flows.net + rebalance)
        return [
            {
                kind: netted_kind(
                    getattr(self.alone(notional), kind),
                    getattr(flows.alone, kind) + getattr(own, kind),
                    getattr(together, kind),
                    abs(notional),
                    flows.size + abs(rebalance),
                )
                for kind in KINDS
            }
            for notional in self.creations
        ]


SEVERAL = st.lists(NOTIONALS, min_size=1, max_size=4).map(tuple)
ORDERS = st.builds(Order, st.just(FRACTION), costings(), SEVERAL)


@given(ORDERS, NOTIONALS)
def test_the_parts_of_one_order_add_up_exactly_to_its_cost(order: Order, notional: Decimal) -> None:
    """Kind by kind: what creations and rebalance pay is what the one order cost, nothing beside."""
    rebalance = exact(notional)
    own = rebalance_cost(
        order.costing.rates(FRACTION), order.flows, rebalance, Fraction(0), FRACTION.sqrt
    )
    together = order.alone(order.flows.net + rebalance)
    for kind in KINDS:
        creations = sum(part[kind] for part in order.parts(rebalance))
        assert creations + getattr(own, kind) == getattr(together, kind)


@given(ORDERS, NOTIONALS)
def test_savings_are_shared_in_proportion_to_sizes(order: Order, notional: Decimal) -> None:
    """What each of them saves against an order of its own, over its size, is the same for all.

    The rebalance is one of them. What an impact adds to an order that is larger than each is shared
    in the same way.
    """
    rebalance = exact(notional)
    own = rebalance_cost(
        order.costing.rates(FRACTION), order.flows, rebalance, Fraction(0), FRACTION.sqrt
    )
    for kind in KINDS:
        saved = [
            (getattr(order.alone(creation), kind) - part[kind]) / abs(creation)
            for creation, part in zip(order.creations, order.parts(rebalance), strict=True)
        ]
        alone = getattr(order.alone(rebalance), kind)
        assert {*saved} == {(alone - getattr(own, kind)) / abs(rebalance)}


@given(costings(impacts=["none"]), NOTIONALS)
def test_a_flow_that_undoes_the_rebalance_makes_both_free(
    costing: Costing, notional: Decimal
) -> None:
    """Nothing is sent, so nobody pays anything."""
    order = Order(FRACTION, costing, (-notional,))
    own = rebalance_cost(
        costing.rates(FRACTION), order.flows, exact(notional), Fraction(0), FRACTION.sqrt
    )
    assert own.fee == own.spread == own.gas == own.paid_by_nav == 0
    assert sum(order.parts(exact(notional))[0].values()) == 0


@given(costings(), NOTIONALS, SEVERAL)
def test_the_reserve_bears_its_kinds_of_the_rebalances_part_only(
    costing: Costing, notional: Decimal, several: tuple[Decimal, ...]
) -> None:
    """Nav and reserve pay that part between them, the reserve what it bears and has."""
    order, reserve = Order(FRACTION, costing, several), exact(costing.reserve_value)
    own = rebalance_cost(
        costing.rates(FRACTION), order.flows, exact(notional), reserve, FRACTION.sqrt
    )
    borne = sum(getattr(own, kind) for kind in costing.bears)
    assert own.paid_by_reserve == min(borne, reserve)
    assert own.paid_by_reserve + own.paid_by_nav == sum(getattr(own, kind) for kind in KINDS)


Case = tuple[Decimal, Decimal, Decimal]


def netted(
    number: Number[Any], order: Order, case: Case
) -> tuple[Plan[Any], TradeCost[Any], Any] | None:
    """A plan netted with an order's flows, its cost, and by how much it misses its destination."""
    target, nav, leverage = (number.of(figure) for figure in case)
    exposure, costing = leverage * nav, order.costing
    rates, payers = costing.rates(number), costing.payers(number)
    alone = plan_trade(
        Rule(case[0]).of(number),
        rates,
        payers,
        any_size(number),
        Trigger.DAILY,
        target,
        nav,
        exposure,
        suspended=False,
        sqrt=number.sqrt,
    )
    if alone.outcome != Outcome.TRADE:
        return None
    value = payers.reserve_value
    plan = netted_plan(alone, rates, order.flows, nav, exposure, value, number.sqrt)
    missed = exposure + alone.notional - target * (nav - alone.cost.paid_by_nav)
    if plan.notional == alone.notional and abs(missed) * 10**9 > nav:
        # a market so thin that no size lands, alone or netted: it goes as near as it gets alone
        return None
    cost = rebalance_cost(rates, order.flows, plan.notional, value, number.sqrt)
    return plan, cost, exposure + plan.notional - target * (nav - cost.paid_by_nav)


@st.composite
def cases(draw: st.DrawFn, steepest: str = "60") -> tuple[Costing, tuple[Decimal, ...], Case]:
    """A price list, some flows, and a rebalance: target, nav, and a leverage on its side."""
    costing = draw(costings(steepest))
    target = draw(targets())
    leverage = draw(written("0.01", "20", 3)) * (1 if target > 0 else -1)
    nav = draw(written("20000", "300000", 2))
    # up to many times the fund: then an impact's surcharge is a multiple of the cost alone
    share = draw(st.lists(written("-0.9", "9", 2).filter(bool), min_size=1, max_size=3))
    return costing, tuple(each * leverage * nav for each in share), (target, nav, leverage)


@given(cases())
def test_a_netted_rebalance_lands_after_its_own_part(
    drawn: tuple[Costing, tuple[Decimal, ...], Case],
) -> None:
    """Leverage after the rebalance's part of the one order is the destination, to 1e-12."""
    costing, notionals, case = drawn
    found = netted(FLOAT, Order(FLOAT, costing, notionals), case)
    assume(found is not None)
    plan, cost, off = found
    assume(plan.outcome == Outcome.TRADE)
    target, nav, leverage = (float(figure) for figure in case)
    # a cost of a whole position lands nowhere: those are the laws of sizes alone
    assume(abs(cost.paid_by_nav) < 0.3 * nav / (1 + abs(target)))
    scale = (abs(target) + abs(leverage)) * nav + sum(abs(float(each)) for each in notionals)
    event(f"same side: {sum(notionals) * Decimal(plan.notional) > 0}")
    assert plan.cost == cost
    assert abs(off) <= 1e-12 * scale


@given(
    st.sampled_from([1, -1]),
    st.sampled_from(["linear", "square_root"]),
    written("1.5", "5", 1),
    written("0.5", "1.5", 2).filter(lambda share: abs(share - 1) >= Decimal("0.05")),
    written("-0.9", "9", 1).filter(bool),
    st.sampled_from([Decimal(1), Decimal(20), Decimal(100)]),
)
def test_it_lands_beside_a_flow_many_times_its_size(
    side: int, impact: str, reach: Decimal, off: Decimal, share: Decimal, bps: Decimal
) -> None:
    """The rebalance's part may be three times what it would cost alone, or less than nothing."""
    target, nav = side * reach, Decimal(100_000)
    costing = Costing(impact=impact, coefficient=bps, volume=Decimal(10**8))
    leverage = target * off
    order = Order(FLOAT, costing, (share * leverage * nav,))
    found = netted(FLOAT, order, (target, nav, leverage))
    assert found is not None
    plan, _, missed = found
    assert plan.outcome == Outcome.TRADE
    assert abs(missed) <= 1e-12 * float(nav * (1 + abs(share * leverage)) * reach)


@settings(max_examples=25)
@given(cases())
def test_a_netted_rebalance_lands_on_fractions_to_thirty_places(
    drawn: tuple[Costing, tuple[Decimal, ...], Case],
) -> None:
    """Halving and square roots are the only rounding there is."""
    costing, notionals, case = drawn
    found = netted(FRACTION, Order(FRACTION, costing, notionals), case)
    assume(found is not None)
    plan, cost, off = found
    assume(plan.outcome == Outcome.TRADE)
    target, nav, leverage = (exact(figure) for figure in case)
    assume(abs(cost.paid_by_nav) < nav / (4 + 4 * abs(target)))
    assert abs(off) <= Fraction(1, 10**30) * (abs(target) + abs(leverage)) * nav


@given(targets(), written("100", "90000", 2), MOVES)
def test_an_inflow_of_the_demand_needs_no_trade_at_all(
    target: Decimal, assets: Decimal, move: Decimal
) -> None:
    """With -(L-1) A r of inflow after the move, the reset and the creation's exposure cancel out.

    The rebalance of the fund with its new tokens is what the creation adds, sold again.
    """
    target, assets, move = (exact(x) for x in (target, assets, move))
    nav = assets * (1 + target * move)
    inflow = -(target - 1) * assets * move
    assume(nav > 0)
    assume(inflow > -nav)
    exposure = target * assets * (1 + move)
    added = flow_exposure(inflow, nav, exposure)
    rebalance = target * (nav + inflow) - (exposure + added)
    assert rebalance + added == 0
    assert rebalance_demand(assets, target, move, inflow) == 0


@given(sizes(), NOTIONALS, costings())
def test_a_trade_that_was_cut_keeps_its_size(
    target: Decimal, flow: Decimal, costing: Costing
) -> None:
    """A clip, whole lots or a capacity's room are no size to solve for: only the cost is netted."""
    nav = Decimal(100_000)
    order, rates = Order(FRACTION, costing, (flow,)), costing.rates(FRACTION)
    rule = Rule(target, largest_clip=target * 1000).of(FRACTION)
    payers = costing.payers(FRACTION)
    figures = (exact(target), exact(nav), exact(target * nav * 2))
    alone = plan_trade(
        rule,
        rates,
        payers,
        any_size(FRACTION),
        Trigger.DAILY,
        *figures,
        suspended=False,
        sqrt=FRACTION.sqrt,
    )
    assume(alone.outcome == Outcome.TRADE)
    assert alone.cut
    plan = netted_plan(alone, rates, order.flows, *figures[1:], payers.reserve_value, FRACTION.sqrt)
    assert plan.notional == alone.notional
    leverage = (figures[2] + plan.notional) / (figures[1] - plan.cost.paid_by_nav)
    assert plan.is_clip
    assert plan.clipped == (not is_clip_done(figures[0], plan.raises, leverage))
    assert not is_nothing_to_trade(plan.notional, figures[1])
