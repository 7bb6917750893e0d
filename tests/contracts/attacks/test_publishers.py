"""What a publisher is paid beyond its gas, by receipts of a node."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from support.chain.anvil import AnvilEnv, anvil, unavailable
from support.chain.attacking import reserve_holds
from support.chain.deploying import deploy_double
from support.chain.series import DAY, Fund, Protocol, Terms
from support.chain.world import Setting, World
from support.page_figures import stated

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))

COUNTS = (1, 2, 4, 8)
"""Reserves of one series each that are published in one transaction."""
PARTS = 4_000
"""Of the reserve, one is paid back at once at most."""


def surplus(env: AnvilEnv, funds: list[Fund], publisher: Any) -> Fraction:
    """What a transaction that publishes all of them got, over what its sender paid, less one."""
    world = funds[0].world
    funds[0].sleep(DAY)
    had = world.underlying.balanceOf(publisher.address)
    before = [reserve_holds(fund) for fund in funds]
    publisher.publish([fund.reserve.address for fund in funds], sender=world.roles.attacker)
    after = [reserve_holds(fund) for fund in funds]
    got = world.underlying.balanceOf(publisher.address) - had
    assert got == sum(before) - sum(after)
    assert all(held - left <= held // PARTS for held, left in zip(before, after, strict=True))
    return Fraction(got, env.gas_used * int(env.receipt["effectiveGasPrice"], 16)) - 1


def test_several_reserves_published_at_once_pay_more_than_their_gas() -> None:
    """Scenario: one, two, four, eight reserves are published in one transaction, day after day.

    Property: each pays the 21,000 of a transaction that its publisher paid once. The surplus is
    what the page says, and no reserve pays more than its 4,000th.
    """
    with anvil() as env:
        world = World(Setting())
        protocol = Protocol(world)
        funds = [
            Fund(world, Terms(), protocol=protocol, salt=bytes([place + 1]) * 32, age=0)
            for place in range(COUNTS[-1])
        ]
        publisher = deploy_double("Publisher")
        # a first publication writes slots for the first time, and is paid below its gas
        surplus(env, funds, publisher)
        found = [f"{float(surplus(env, funds[:count], publisher)) * 100:.0f} %" for count in COUNTS]
    print("a publisher's surplus by reserves of a transaction:", found)
    stated(f"the surplus is {found[0]}, {found[1]}, {found[2]} and {found[3]}")
    stated(f"{found[1]} more for two and {found[3]} for eight", page="index.md")
