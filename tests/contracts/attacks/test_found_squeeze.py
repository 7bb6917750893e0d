"""Found by attack: a raise that somebody puts off for ever by what a moment's borrowing leaves."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import boa

from support.chain.deploying import deploy_source
from support.chain.series import OPEN, WAD, Fund, Terms, new_transaction
from support.chain.world import Setting, World
from support.page_figures import stated

HERE = Path(__file__).parent
LEFT = 10**4
"""Raw quote that the attacker leaves to be lent: a cent."""


def squeezer(fund: Fund) -> tuple[Any, int]:
    """The attacker's contract, with a little to pay with, and the flash loan that it needs."""
    series, world, who = fund.series[0], fund.world, fund.world.roles.attacker
    made = deploy_source(
        HERE / "FlashSqueeze.vy", world.morpho.address, tuple(series.market), series.address
    )
    for token, amount in ((series.collateral, WAD * 10), (series.loan, 10**6)):
        token.transfer(made.address, amount, sender=who)
    return made, int(2 * 10**6 * 10**18 / 2_000)


def test_a_squeezed_market_puts_no_raise_off() -> None:
    """Fills of a cent.

    Scenario: at each end of a cooldown somebody borrows all but a cent of what can be lent, by
    Morpho's flash loan, takes that cent's fill, and repays. It costs gas.

    Property: the auction gets older all the same: in two durations it has reached its top.
    """
    fund = Fund(World(Setting()), Terms(), lent=10**6)
    series, world = fund.series[0], fund.world
    made, flash = squeezer(fund)
    # what Morpho's flash loan comes from: somebody else's market
    world.lending.lend(world.lending.market(long=False), 10 * flash)
    series.go("2.5")
    series.open()
    boa.env.time_travel(seconds=61)
    premiums = []
    for _ in range(40):
        new_transaction()
        series.accrue()
        premiums.append(Fraction(series.plan.premium, 10**18))
        if series.plan.state == OPEN:
            made.squeeze(flash, LEFT, sender=world.roles.attacker)
        fund.sleep(60)
    assert max(premiums) >= Fraction("0.0079")


def test_a_squeezed_least_does_not_hold_an_auction_back() -> None:
    """A tenth of a clip, as all that can be lent.

    Scenario: a series with clips; at each end of a cooldown somebody borrows by a flash loan all
    but a tenth of a clip, takes that, and repays. It is all that could be lent, and still a tenth.

    Property: the auction gets older all the same: within three durations it reaches its top.
    """
    rule = Terms(largest_clip=2_000, fallback_after=366 * 86_400)
    fund = Fund(World(Setting()), rule, lent=10**6, age=0)
    series, world = fund.series[0], fund.world
    made, flash = squeezer(fund)
    world.lending.lend(world.lending.market(long=False), 10 * flash)
    series.go("2.5", 12)
    series.open()
    boa.env.time_travel(seconds=61)
    premiums, fills = [], 0
    for _ in range(24):
        new_transaction()
        series.accrue()
        plan = series.plan
        premiums.append(plan.premium)
        if plan.state == OPEN:
            left = plan.least * (WAD + max(plan.premium, 0)) // WAD + 2
            made.squeeze(flash, left, sender=world.roles.attacker)
            fills += 1
        fund.sleep(60)
    assert fills >= 20
    assert max(premiums) > 75 * 10**14


def test_a_squeezed_market_lets_more_than_a_clip_through_and_pays_nobody() -> None:
    """Fills below the least are not remembered, so no cooldown follows them.

    Scenario: a series with clips; in one block somebody leaves, by flash loans, a little less than
    the least fill to lend and takes that, transaction after transaction.

    Property: a clip does not bound what one block raises then. Each fill is at the auction's
    premium, which the taker pays here, and none goes across the band's edge or the target.
    """
    rule = Terms(largest_clip=2_000, fallback_after=366 * 86_400)
    fund = Fund(World(Setting()), rule, lent=10**6, age=0)
    series, world = fund.series[0], fund.world
    made, flash = squeezer(fund)
    world.lending.lend(world.lending.market(long=False), 10 * flash)
    series.go("2.5", 12)
    series.open()
    boa.env.time_travel(seconds=61)
    sold, premiums = 0, []
    for _ in range(40):
        new_transaction()
        plan = series.plan
        if plan.state != OPEN:
            break
        premiums.append(plan.premium)
        before = series.state.debt
        made.squeeze(flash, plan.least * 98 // 100, sender=world.roles.attacker)
        sold += series.state.debt - before
        assert series.leverage <= 3
    clip = 2_000 * 10**6
    assert sold > clip
    stated(f"from 2.5 they sold {sold / clip:.1f} clips before the raise was over")
    assert max(premiums) < 0
