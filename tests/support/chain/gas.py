"""The bill for gas: what one step of leverage costs, by receipts, each peer on its own node.

``python tests/contracts/refresh_gas.py`` writes the bill into tests/contracts/gas.json, which a
test holds. Every step is the same: a position of 20,000 USDC of its own at 3x, ten minutes after
it was last touched, trades 2,000 USDC more or less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import boa

from support.chain.aave import Aave
from support.chain.anvil import AnvilEnv, anvil
from support.chain.periphery_gas import on_periphery
from support.chain.perpetual import Perpetual
from support.chain.token_gas import Bill, on_ours
from support.chain.world import Setting, World

SNAPSHOT = Path(__file__).resolve().parents[2] / "contracts" / "gas.json"
REFRESH = "python tests/contracts/refresh_gas.py"

WETH, USDC = 10**18, 10**6
OWN = 20_000
STEP = 2_000
QUIET_S = 600


def cost(env: AnvilEnv, steps: Iterable[Callable[[], Any]]) -> int:
    """The gas of all the calls of a step, each a transaction of its own, after a quiet time."""
    boa.env.time_travel(seconds=QUIET_S)
    total = 0
    for step in steps:
        step()
        total += env.gas_used
    return total


def on_aave() -> Bill:
    """Aave v3: borrow, swap, supply; withdraw, swap, repay."""
    with anvil() as env:
        world = World(Setting())
        peer, who = Aave(world), world.roles.holder
        peer.supply(world.quote, 10**7 * USDC, world.roles.lender)
        peer.supply(world.underlying, 3 * OWN // 2_000 * WETH, who)
        cost(env, peer.up(2 * OWN * USDC, who)[:1])
        return {
            "step up, Aave v3, three calls": cost(env, peer.up(STEP * USDC, who)),
            "step down, Aave v3, three calls": cost(env, peer.down(STEP // 2_000 * WETH, who)),
        }


def on_perpetual() -> Bill:
    """Perpetual v2: one call each way."""
    with anvil() as env:
        world = World(Setting())
        peer, who = Perpetual(world), world.roles.holder
        peer.deposit(OWN, who)
        cost(env, peer.up(3 * OWN, who))
        return {
            "step up, Perpetual v2, one call": cost(env, peer.up(STEP, who)),
            "step down, Perpetual v2, one call": cost(env, peer.down(STEP, who)),
        }


def on_morpho() -> Bill:
    """Morpho Blue by hand: the venue of ours, without our contract."""
    with anvil() as env:
        world = World(Setting())
        market, who = world.lending.market(long=True, lent=10**7), world.roles.holder
        morpho, params, got = world.morpho, tuple(market), []
        morpho.supplyCollateral(params, 3 * OWN // 2_000 * WETH, who, b"", sender=who)
        morpho.borrow(params, 2 * OWN * USDC, 0, who, who, sender=who)
        up = (
            lambda: morpho.borrow(params, STEP * USDC, 0, who, who, sender=who),
            lambda: got.append(world.pool.swap(world.quote, STEP * USDC, who=who)),
            lambda: morpho.supplyCollateral(params, got[0], who, b"", sender=who),
        )
        sold = STEP // 2_000 * WETH
        down = (
            lambda: morpho.withdrawCollateral(params, sold, who, who, sender=who),
            lambda: got.append(world.pool.swap(world.underlying, sold, who=who)),
            lambda: morpho.repay(params, got[1], 0, who, b"", sender=who),
        )
        return {
            "step up, Morpho Blue, three calls": cost(env, up),
            "step down, Morpho Blue, three calls": cost(env, down),
        }


BILLS: tuple[Callable[[], Bill], ...] = (
    on_aave,
    on_perpetual,
    on_morpho,
    partial(on_ours, "IrmMock"),
    partial(on_ours, "AdaptingRate"),
    partial(on_ours, "AdaptingRate", composite=True),
    partial(on_periphery, "IrmMock"),
    partial(on_periphery, "AdaptingRate"),
    partial(on_periphery, "AdaptingRate", composite=True),
)
"""Each on a node of its own; add yours here."""


def measured() -> Bill:
    """All bills, one after the other."""
    return {name: gas for bill in BILLS for name, gas in bill().items()}


def text_of(bill: Bill) -> str:
    """The bill as it is committed."""
    return json.dumps(bill, indent=2) + "\n"
