"""Found by attack: a raise that somebody puts off for ever, for nothing but gas."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import boa

from support.chain.deploying import deploy_source
from support.chain.series import OPEN, Fund, Terms, new_transaction
from support.chain.world import Setting, World

HERE = Path(__file__).parent
LEFT = 10**4
"""Raw quote that the attacker leaves to be lent: a cent."""


def squeezer(fund: Fund) -> tuple[Any, int]:
    """The attacker's contract, with a few units to pay with, and the flash loan that it needs."""
    series, world, who = fund.series[0], fund.world, fund.world.roles.attacker
    made = deploy_source(
        HERE / "FlashSqueeze.vy", world.morpho.address, tuple(series.market), series.address
    )
    for token, amount in ((series.collateral, 10**15), (series.loan, 10**6)):
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
