"""The figures of ``formulas.json`` that are about single rebalances, replayed by the rules.

Left to other parts of the program: path dependence (``avellaneda_zhang``), execution over time
(``almgren_chriss_2000_example``), and other protocols' formulas (``tracer_power_leverage``,
``yieldbasis_x0``). The bands of FORMULAS 5 and 6 are in ``test_optimal_band.py``.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from steelyard.rules.leverage import (
    leverage_after_move,
    leverage_of,
    move_to_leverage,
    nav_of,
    rebalance_demand,
    wipeout_move,
)
from steelyard.rules.liquidation import is_liquidated, liquidation_price
from steelyard.rules.sizing import size_trade
from steelyard.rules.triggers import Trigger
from support.holding import Holding, daily_reset_return, held, prices_of
from support.rule_cases import FREE, NUMBERS, Costing, Rule, Terms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steelyard.rules.numbers import Number

pytestmark = pytest.mark.parametrize("number", NUMBERS, ids=[n.name for n in NUMBERS])


@pytest.fixture
def figures(acceptance: Callable[[str], Path]) -> dict[str, Any]:
    """The figures by their heading."""
    text = acceptance("formulas.json").read_text(encoding="utf-8")
    return json.loads(text)


def near(figure: float) -> Any:
    """The figure to 1e-12 (the files carry floats, computed another way)."""
    return pytest.approx(figure, rel=1e-12, abs=1e-14)


def test_demand_at_a_reset_is_l_times_l_less_one(
    number: Number[Any], figures: dict[str, Any]
) -> None:
    """Per unit of assets and of return, a reset trades L (L - 1), for longs and shorts alike."""
    one = number.of(1)
    assert len(figures["rebalance_demand_L(L-1)"]) == 8
    for leverage, factor in figures["rebalance_demand_L(L-1)"].items():
        demand = rebalance_demand(one, number.of(leverage), one, one * 0)
        assert float(demand) == near(factor)


def test_a_move_changes_nav_and_leverage_and_the_reset_trades(
    number: Number[Any], figures: dict[str, Any]
) -> None:
    """Nav is 1 + L r, leverage L (1 + r) / (1 + L r), and the reset trades A L (L - 1) r."""
    for case in figures["post_move"]:
        target, move = number.of(case["L"]), number.of(case["r"])
        token = held(number, case["L"], 1 - target, target)
        after = 1 + move
        assert float(token.nav(after)) == near(case["nav"])
        assert float(token.leverage(after)) == near(case["leverage"])
        assert float(leverage_after_move(target, move)) == near(case["leverage"])
        demand = rebalance_demand(number.of(1), target, move, move * 0)
        assert float(demand) == near(case["check"])
        assert float(token.rebalance(after).notional) == near(case["trade_over_nav0"])


def test_ftx_trigger_moves(number: Number[Any], figures: dict[str, Any]) -> None:
    """BULL reaches 4x at -11.1 %, HEDGE -4/3 at +14.3 %: in closed form, and as a crossing."""
    for case in figures["ftx_trigger_moves"]:
        target = number.of(case["L"])
        # the file's -1.3333333333333333 stands for four thirds
        reached = target * (1 + number.of(1) / 3)
        assert float(reached) == near(case["k"])
        move = move_to_leverage(target, reached)
        assert float(move) == near(case["underlying_move"])
        assert float(1 + target * move) == near(case["nav_factor"])
        rule = Rule(Decimal(case["L"]), upper=Decimal(str(abs(case["k"]))))
        token = Holding(number, rule, 1)
        token.rebalance(1, Trigger.LAUNCH)
        (price,) = token.travel(1, 1 + 2 * move)[:1]
        assert float(price - 1) == near(case["underlying_move"])


def test_a_3x_short_reaches_4x_after_a_fifteenth(number: Number[Any]) -> None:
    """FORMULAS 1: -3x drifts to -4x at +6.67 %, and a 3x long is wiped out at -1/3."""
    move = move_to_leverage(number.of(-3), number.of(-4))
    assert float(move) == near(1 / 15)
    assert float(wipeout_move(number.of(3))) == near(-1 / 3)
    assert float(wipeout_move(number.of(-3))) == near(1 / 3)


def test_ftx_example(number: Number[Any], figures: dict[str, Any]) -> None:
    """Desired position target * nav / mark, traded by the difference to what is held."""
    told = figures["ftx_example"]
    token = held(number, 3, told["usd"], told["pos"])
    price = number.of(told["price"])
    assert float(token.nav(price)) == near(told["nav"])
    assert float(token.leverage(price)) == near(told["leverage"])
    plan = token.rebalance(price)
    assert float(plan.notional / price) == near(told["rebalance_units"])
    assert float(token.units) == near(told["desired"])


def test_ftx_faq_table(number: Number[Any], figures: dict[str, Any]) -> None:
    """BULL over two days that go up and back, and over two that fall."""
    for case in figures["ftx_faq_table"]:
        assert float(daily_reset_return(number, 3, case["prices"])) == near(case["bull"])


def test_kucoin_and_mexc_examples(number: Number[Any], figures: dict[str, Any]) -> None:
    """Four days of a tenth: a trend gains 186 %, swings that end near flat lose 17 %."""
    for case in figures["kucoin_mexc_examples"]:
        prices = prices_of(number, case["returns"])
        assert float(daily_reset_return(number, case["L"], prices)) == near(case["ret"])


def test_a_size_that_counts_its_own_slippage(number: Number[Any], figures: dict[str, Any]) -> None:
    """Delevering to 2.3 at 2 % lands there; the size that forgets the 2 % lands at 2.317.

    For lowering, slippage on what a swap returns and a cost taken from nav are one equation
    (FORMULAS 4), so the file's figure is ours.
    """
    for case in figures["slippage_exact_notional"]:
        assert case["side"] == "delever"
        costing = Costing(fee_bps=Decimal(str(case["slip"])) * 10_000)
        collateral, debt = number.of(case["C"]), number.of(case["D"])
        target, slip = number.of(case["target"]), number.of(case["slip"])
        nav = nav_of(-debt, collateral, number.of(1))
        size = -size_trade(target, nav, collateral, costing.payers(number), number.sqrt)
        assert float(size) == near(case["N"])
        landed = leverage_of(size * (1 - slip) - debt, collateral - size, number.of(1))
        assert float(landed) == near(case["lands"])
        blind = -size_trade(target, nav, collateral, FREE.payers(number), number.sqrt)
        assert float(blind) == near(case["fli_N"])
        missed = leverage_of(blind * (1 - slip) - debt, collateral - blind, number.of(1))
        assert float(missed) == near(case["fli_lands"])


def test_a_raise_counts_its_cost_from_nav(number: Number[Any]) -> None:
    """FORMULAS 4, SPEC's convention: raising trades (L' E - C) / (1 + s L')."""
    payers = Costing(fee_bps=Decimal(200)).payers(number)
    size = size_trade(number.of(3), number.of(1000), number.of(2500), payers, number.sqrt)
    assert float(size) == near(500 / 1.06)


def test_a_lending_position_is_liquidated_at_the_closed_form(
    number: Number[Any], figures: dict[str, Any]
) -> None:
    """A long of leverage L ends at (L - 1) / (L LT) - 1, and not before."""
    for case in figures["liquidation_move_lending"]:
        leverage = number.of(case["L"])
        venue = Terms(spot=True, threshold=Decimal(str(case["LT"]))).of(number)
        cash, units = 1 - leverage, leverage
        price = liquidation_price(venue, cash, units)
        assert float(price - 1) == near(case["move"])
        step = number.of("1e-9")
        assert is_liquidated(venue, cash, units, price * (1 - step))
        assert not is_liquidated(venue, cash, units, price * (1 + step))


def test_ftx_on_a_crash_inside_one_day(number: Number[Any], figures: dict[str, Any]) -> None:
    """12 March 2020: continuous monitoring delevers to 3x at exactly 4x, three times on the way."""
    told = figures["ftx_intraday_replay"]
    rule = Rule(Decimal(3), upper=Decimal(4))
    token = Holding(number, rule, told["token0"])
    token.rebalance(told["start"], Trigger.LAUNCH)
    fall = token.travel(told["start"], told["trough"])
    assert len(fall) == told["triggers"]
    for earlier, later in zip([number.of(told["start"]), *fall], fall, strict=False):
        # from 3x to 4x is one ninth, each time
        assert float(later / earlier) == near(8 / 9)
    assert token.travel(told["trough"], told["end"]) == []
    assert float(token.nav(told["end"])) == near(told["token_end"])
