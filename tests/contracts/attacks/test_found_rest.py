"""Found by attack: after a recovery the rest of an emergency's fill is still paid as one."""

from __future__ import annotations

import boa

from support.chain.series import EMERGENCY, WAD, Fund, Terms
from support.chain.world import Setting, World


def test_a_recovered_rest_is_not_paid_from_the_common_part() -> None:
    """What an emergency leaves.

    Scenario: somebody takes a hundredth in an emergency; the price recovers until leverage is
    back inside the band; within two durations the rest is taken. The account is nearly empty.

    Property: outside an emergency a series is paid from its own account alone, at most K of W.
    """
    fund = Fund(World(Setting()), Terms(injects="0.12"), common=4 * WAD)
    series, reserve = fund.series[0], fund.reserve
    series.arrive()
    series.go("4.85")
    series.accrue()
    plan = series.plan
    assert plan.trigger == EMERGENCY
    series.rebalance(plan.least)
    series.go("3.35", 61)
    boa.env.time_travel(seconds=1_100)
    fund.world.refresh_feeds()
    boa.env.time_travel(seconds=61)
    series.accrue()
    nav, _, _ = series.contract.standing()
    before = series.account.held + reserve.common()
    plan = series.plan
    series.rebalance()
    paid = before - series.account.held - reserve.common()
    assert paid <= nav // 1_000
    assert plan.least * 9 <= plan.most <= plan.least * 10
