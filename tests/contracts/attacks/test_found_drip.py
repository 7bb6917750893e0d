"""Found by attack: least fills, one at the end of each cooldown, that hold an auction's age."""

from __future__ import annotations

import boa

from support.chain.series import OPEN, Fund, Terms, new_transaction
from support.chain.world import Setting, World


def test_small_fills_do_not_hold_an_auction_back() -> None:
    """A tenth of a clip at a time.

    Scenario: a series with clips; somebody takes a tenth of a clip, the least, as soon as each
    cooldown ends, at a premium that nobody else would take it for.

    Property: the auction gets older all the same: within three durations it reaches its top.
    """
    fund = Fund(World(Setting()), Terms(largest_clip=2_000, fallback_after=366 * 86_400), age=0)
    series, who = fund.series[0], fund.world.roles.attacker
    series.mint(99_000)
    series.go("2.5", 12)
    series.open()
    boa.env.time_travel(seconds=61)
    premiums, gap = [], 0
    for _ in range(30):
        new_transaction()
        series.accrue()
        plan = series.plan
        premiums.append(plan.premium)
        gap = gap or plan.gap
        if plan.state == OPEN:
            series.rebalance(plan.least, who=who)
        fund.sleep(60)
    assert series.plan.gap > gap * 9 // 10
    assert max(premiums) > 75 * 10**14
