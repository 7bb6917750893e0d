"""Examples that issuers published, replayed by the rules on each kind of number.

The figures are those of ``worked-examples.json``: "exact" ones to 1e-12, published ones to the
digits that were printed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from steelyard.rules.leverage import leverage_after_move, nav_of
from support.holding import daily_reset_return, held, prices_of
from support.rule_cases import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steelyard.rules.numbers import Number

pytestmark = pytest.mark.parametrize("number", NUMBERS, ids=[n.name for n in NUMBERS])

DAILY = ["ftx-faq-1", "ftx-faq-2", "ftx-faq-3", "kucoin-up", "kucoin-chop"]
OTHERS = ["ftx-rebalance", "ftx-walkthrough", "poloniex", "amun-short", "talkmarkets"]


@pytest.fixture
def example(acceptance: Callable[[str], Path]) -> Callable[[str], dict[str, Any]]:
    """An example by its id."""
    text = acceptance("worked-examples.json").read_text(encoding="utf-8")
    by_id = {entry["id"]: entry for entry in json.loads(text)["examples"]}
    assert sorted(by_id) == sorted(DAILY + OTHERS), "an example is not replayed, or not there"
    return by_id.__getitem__


def near(figure: float) -> Any:
    """The figure to 1e-12."""
    return pytest.approx(figure, rel=1e-12)


def printed(figure: str, *, percent: bool = False) -> Any:
    """A published figure, to the digits that were printed (issuers cut or round)."""
    plain = figure.rstrip("%")
    places = len(plain.partition(".")[2]) + 2 * percent
    return pytest.approx(float(plain) / (100 if percent else 1), abs=1.001 * 10.0**-places)


@pytest.mark.parametrize("name", DAILY)
def test_a_token_reset_daily_returns_what_was_published(
    name: str, number: Number[Any], example: Callable[[str], dict[str, Any]]
) -> None:
    """Launched at the first price, reset at each later one, its return is the issuer's."""
    told = example(name)
    prices = told.get("daily_prices") or prices_of(number, told["daily_returns"])
    found = float(daily_reset_return(number, told["target_leverage"], prices))
    assert found == near(told["token_return"]["exact"])
    assert found == printed(told["token_return"]["published"], percent=True)


def test_ftx_buys_a_seventh_more_after_a_gain(
    number: Number[Any], example: Callable[[str], dict[str, Any]]
) -> None:
    """-20,000 cash and 150 units at 210 have a leverage of 2.74; 14.29 units bring it back to 3."""
    told = example("ftx-rebalance")
    token = held(number, told["target_leverage"], told["cash"], told["units"])
    assert float(token.nav(told["price"])) == near(told["nav"])
    assert float(token.units * number.of(told["price"])) == near(told["notional"])
    leverage = float(token.leverage(told["price"]))
    assert leverage == near(told["leverage"]["exact"])
    assert leverage == printed(told["leverage"]["published"])
    plan = token.rebalance(told["price"])
    assert float(plan.notional / number.of(told["price"])) == near(told["trade_units"])
    assert float(token.leverage(told["price"])) == near(told["target_leverage"])


def test_leverage_of_a_3x_token_after_a_tenth_either_way(
    number: Number[Any], example: Callable[[str], dict[str, Any]]
) -> None:
    """It falls to 2.54 after +10 % and rises to 3.86 after -10 %."""
    told = example("ftx-walkthrough")
    target = number.of(told["target_leverage"])
    for case in told["cases"]:
        leverage = float(leverage_after_move(target, number.of(case["move"])))
        assert leverage == near(case["leverage"])
        assert leverage == printed(case["published"])


@pytest.mark.parametrize("name", ["poloniex", "talkmarkets"])
def test_a_reset_after_a_move_trades_the_published_amount(
    name: str, number: Number[Any], example: Callable[[str], dict[str, Any]]
) -> None:
    """Nav and notional move with the price; the trade puts the notional back to 3 times nav."""
    told = example(name)
    token = held(number, told["target_leverage"], told["nav"] - told["notional"], told["notional"])
    after = 1 + number.of(told["move"])
    assert float(token.nav(after)) == near(told["nav_after"])
    if "leverage_after" in told:
        leverage = float(token.leverage(after))
        assert leverage == near(told["leverage_after"]["exact"])
        assert leverage == printed(told["leverage_after"]["published"])
    plan = token.rebalance(after)
    assert float(plan.notional) == near(told["trade_notional"])
    assert float(token.leverage(after)) == near(told["target_leverage"])


def test_a_short_that_gained_sells_more(
    number: Number[Any], example: Callable[[str], dict[str, Any]]
) -> None:
    """Amun's -1x: the price falls by 1 %, nav rises to 10,100, and 0.0202 units more are sold."""
    told = example("amun-short")
    token = held(number, told["target_leverage"], told["cash"], told["units"])
    first, last = number.of(told["price_from"]), number.of(told["price_to"])
    assert nav_of(token.cash, token.units, first) == first
    assert float(token.leverage(first)) == near(told["target_leverage"])
    assert float(token.nav(last)) == near(told["nav_after"])
    plan = token.rebalance(last)
    assert float(plan.notional / last) == near(told["trade_units"])
    assert float(token.leverage(last)) == near(told["target_leverage"])
