"""Laws of drift: what a move does to leverage, and what a reset after it has to trade."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given

from steelyard.rules.leverage import (
    leverage_after_move,
    leverage_of,
    move_to_leverage,
    nav_of,
    price_at_leverage,
    rebalance_demand,
    wipeout_move,
)
from steelyard.rules.numbers import FRACTION
from steelyard.rules.sizing import size_trade
from support.rule_cases import FREE, exact, targets, written

NAVS = written("1", "1000000", 2)
PRICES = written("0.01", "70000", 2)
MOVES = written("-0.99", "4", 4)


def position(leverage: Fraction, nav: Fraction, price: Fraction) -> tuple[Fraction, Fraction]:
    """Cash and units of that leverage."""
    units = leverage * nav / price
    return nav - units * price, units


@given(targets(), NAVS, PRICES, MOVES)
def test_the_closed_form_of_drift_is_the_leverage_of_the_moved_position(
    leverage: Decimal, nav: Decimal, price: Decimal, move: Decimal
) -> None:
    """L (1 + r) / (1 + L r) is what cash and units say after the price moved, exactly."""
    start, at = exact(leverage), exact(price)
    assume(1 + leverage * move != 0)
    cash, units = position(start, exact(nav), at)
    moved = at * (1 + exact(move))
    assert leverage_of(cash, units, moved) == leverage_after_move(start, exact(move))
    assert nav_of(cash, units, moved) == exact(nav) * (1 + start * exact(move))


@given(targets(), MOVES)
def test_leverage_falls_when_the_token_gains(leverage: Decimal, move: Decimal) -> None:
    """|leverage| falls with a gain and rises with a loss, for every short and for longs above 1x.

    Below 1x a long drifts the other way, and at exactly 1x not at all.
    """
    gain = exact(leverage) * exact(move)
    assume(gain > -1)
    before, after = abs(exact(leverage)), abs(leverage_after_move(exact(leverage), exact(move)))
    if gain == 0 or leverage == 1:
        assert after == before
    elif 0 < leverage < 1:
        assert (after > before) == (gain > 0)
    else:
        assert (after < before) == (gain > 0)


@given(targets(), targets())
def test_the_move_to_a_leverage_is_the_inverse_of_drift(start: Decimal, reached: Decimal) -> None:
    """Moving by it arrives at that leverage, and the price that has it is that move away."""
    assume(start != 1 != reached)
    move = move_to_leverage(exact(start), exact(reached))
    assert leverage_after_move(exact(start), move) == exact(reached)
    cash, units = position(exact(start), Fraction(1), Fraction(1))
    assert price_at_leverage(cash, units, exact(reached)) == 1 + move


@given(targets(), NAVS, PRICES, targets())
def test_the_price_at_a_leverage_has_it_or_is_nowhere(
    leverage: Decimal, nav: Decimal, price: Decimal, wanted: Decimal
) -> None:
    """At that price the position has the wanted leverage; where none has it, it is not positive."""
    assume(wanted != 1)
    cash, units = position(exact(leverage), exact(nav), exact(price))
    found = price_at_leverage(cash, units, exact(wanted))
    if found > 0:
        assert leverage_of(cash, units, found) == exact(wanted)
    else:
        # a long above 1x never gets to 1x or below, a part-cash one never above, a 1x nowhere
        assert leverage == 1 or leverage * wanted < 0 or (leverage > 1) != (wanted > 1)


@given(targets())
def test_a_wipe_out_is_where_nav_is_zero(leverage: Decimal) -> None:
    """Nav, 1 + L r, is zero at r = -1 / L."""
    assert 1 + exact(leverage) * wipeout_move(exact(leverage)) == 0


@given(targets(), NAVS, MOVES, written("-500000", "500000", 2))
def test_demand_is_what_a_reset_without_costs_trades(
    target: Decimal, assets: Decimal, move: Decimal, inflow: Decimal
) -> None:
    """A L (L - 1) r + L F equals the size that the rules give, at zero cost, after both."""
    leverage, start = exact(target), exact(assets)
    nav = start * (1 + leverage * exact(move)) + exact(inflow)
    assume(nav > 0)
    exposure = start * leverage * (1 + exact(move))
    size = size_trade(leverage, nav, exposure, FREE.payers(FRACTION), FRACTION.sqrt)
    assert size == rebalance_demand(start, leverage, exact(move), exact(inflow))


@given(targets(), NAVS, MOVES)
def test_demand_has_the_sign_of_the_move(target: Decimal, assets: Decimal, move: Decimal) -> None:
    """Longs above 1x and all shorts trade with the market; below 1x against it; 1x not at all."""
    demand = rebalance_demand(exact(assets), exact(target), exact(move), Fraction(0))
    factor = target * (target - 1)
    sign = (factor > 0) - (factor < 0)
    direction = (move > 0) - (move < 0)
    assert (demand > 0) - (demand < 0) == sign * direction


@given(targets(), NAVS, MOVES)
def test_an_inflow_can_replace_the_rebalance(
    target: Decimal, assets: Decimal, move: Decimal
) -> None:
    """At F = -(L - 1) A r the reset trades nothing (FORMULAS 2)."""
    leverage, start = exact(target), exact(assets)
    flow = -(leverage - 1) * start * exact(move)
    assert rebalance_demand(start, leverage, exact(move), flow) == 0


@given(targets(), NAVS, NAVS, MOVES)
def test_demands_of_several_funds_add_up(
    target: Decimal, one: Decimal, other: Decimal, move: Decimal
) -> None:
    """Two funds of one target ask for what a single fund of their joint assets asks for."""
    leverage, change, none = exact(target), exact(move), Fraction(0)
    apart = [rebalance_demand(exact(assets), leverage, change, none) for assets in (one, other)]
    assert sum(apart) == rebalance_demand(exact(one + other), leverage, change, none)
