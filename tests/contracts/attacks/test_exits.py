"""Exits never close: `redeem` under every failure of what stands around a series."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.attacking import fortune
from support.chain.series import DAY, Series, Terms, new_transaction
from support.page_figures import stated

WHERE = {"low": ("1.5", "0.2"), "band": ("3", "1"), "emergency": ("5.5", "4")}
REVERTING = bytes.fromhex("60006000fd")
"""Code that reverts on every call."""
ENDLESS = bytes.fromhex("5b600056")
"""Code that burns all the gas that it is given."""


def feed(series: Series, fault: str) -> None:
    """The feed fails."""
    answers = series.world.feed
    if fault in {"reverts", "burns"}:
        answers.set_fault(1 if fault == "reverts" else 2)
    elif fault == "zero":
        answers.update(0)
    elif fault == "negative":
        answers.update(-1)
    elif fault == "stale":
        answers.set_times(1, 1)
    elif fault == "future":
        now = boa.env.timestamp
        answers.set_times(now + DAY, now + DAY)
    elif fault == "gone":
        boa.env.set_code(answers.address, b"")


FAULTS = ("reverts", "burns", "zero", "negative", "stale", "future", "gone")


def leaves(series: Series) -> Fraction:
    """A holder redeems half of what it has; what that cost, as a part of its claim."""
    series.accrue()
    new_transaction()
    who = series.world.roles.holder
    tokens = series.contract.balanceOf(who) // 2
    series.redeem(Fraction(tokens, 10**18))
    assert series.contract.balanceOf(who) > 0
    return Fraction(tokens)


@pytest.mark.parametrize("where", WHERE)
def test_whatever_the_feed_does(series: Series, where: str) -> None:
    """Scenario: at three leverages the feed fails in each of its ways, then for 30 days.

    Property: a redemption passes each time.
    """
    series.mint(100)
    series.go(WHERE[where][0 if series.long else 1])
    series.oracle.poke()
    for fault in FAULTS:
        with boa.env.anchor():
            feed(series, fault)
            leaves(series)
            boa.env.time_travel(seconds=3 * DAY)
            leaves(series)


def test_without_pool_reserve_decision_and_keeper(series: Series) -> None:
    """A redemption asks nobody.

    Scenario: the pool has no liquidity, reserve and Decision revert or burn all gas, nobody has
    called anything for 60 days, and nothing can be lent.
    Property: a redemption passes under each alone, and under all at once.
    """
    world, fund = series.world, series.fund
    series.mint(100)
    series.go("4.2" if series.long else "1.6")

    def pool() -> None:
        world.pool.remove()
        world.pool.leave()

    def lending() -> None:
        series.accrue()
        world.lending.withdraw(series.market, world.lending.lendable(series.market))

    def broken(address: Any, code: bytes) -> None:
        boa.env.set_code(address, code)

    failures = {
        "pool": pool,
        "lending": lending,
        "reserve reverts": lambda: broken(fund.reserve.address, REVERTING),
        "reserve burns gas": lambda: broken(fund.reserve.address, ENDLESS),
        "decision reverts": lambda: broken(fund.protocol.decision.address, REVERTING),
        "feed": lambda: feed(series, "burns"),
        "nobody": lambda: boa.env.time_travel(seconds=60 * DAY),
    }
    for fails in failures.values():
        with boa.env.anchor():
            fails()
            leaves(series)
    for fails in failures.values():
        fails()
    leaves(series)


def test_during_an_auction_a_cooldown_and_a_suspension(series: Series) -> None:
    """Scenario: an auction is open, filled in part, cooling; the reserve is empty and suspended.

    Property: redemptions and mints of others do not wait for any of it.
    """
    series.mint(100)
    series.go("2.5" if series.long else "0.7")
    series.open()
    leaves(series)
    series.fund.sleep(600)
    series.accrue()
    series.rebalance(series.plan.most // 3)
    leaves(series)
    series.mint(10)


def test_an_exit_costs_its_fee_and_nothing_else(series: Series) -> None:
    """Scenario: redemptions at leverages from 1.2 to nearly the threshold.

    Property: the fee is fee * leverage / target of nav (a short's: of leverage + 1), and two units.
    """
    series.mint(100)
    who = series.world.roles.holder
    costs = {}
    for leverage in ("1.2", "3", "6.9") if series.long else ("0.1", "1", "5.9"):
        with boa.env.anchor():
            series.go(leverage)
            series.accrue()
            new_transaction()
            before, held = fortune(series.fund, who), series.contract.balanceOf(who)
            claim = Fraction(series.nav * held, series.state.supply * 10 ** series.loan.decimals())
            claim *= 1 if series.long else series.world.feed_price
            at = series.leverage + (0 if series.long else 1)
            series.contract.redeem(held, 2**255, who, sender=who)
            cost = (before - fortune(series.fund, who)) / claim
            most = Fraction(Terms().fee) * at / (3 if series.long else 2)
            costs[leverage] = cost
            assert most * Fraction(9_999, 10_000) <= cost <= most + Fraction(1, 10**7)
    print("an exit's cost, of nav:", {at: f"{float(cost):.4%}" for at, cost in costs.items()})
    # the least is a long's, the most a short's
    if series.long:
        stated(f"an exit costs {float(costs['1.2']) * 100:.2f} % to")
    else:
        stated(f"to {float(costs['5.9']) * 100:.3f} % of nav, by leverage")
