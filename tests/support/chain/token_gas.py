"""The series' own bills: one launched fund, call after call, by receipts of a node.

The fund is one that costs more than most: fees in both series, an interest model that writes a
slot at each accrual, feeds that answered within the minute of a fill, and balances of the series
that are empty in between. A fill is pulled here; a keeper's swap comes on top of it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import boa

from support.chain.anvil import anvil
from support.chain.deploying import deploy_double
from support.chain.series import DAY, WAD, Fund, Launch, Series, Terms, launch_words
from support.chain.world import Setting, World

TRANSFER_OVER_SNEKMATE = 3_000
"""What the proxy of a clone costs."""
BARS = {"mint by a new holder": 205_000, "redeem": 180_000}
"""The most gas that a call in kind takes where accruing interest writes nothing more."""
ADAPTS = 5_500
"""What a rate that adapts adds: a slot that is written at each accrual, and an exponential."""
FILL_BAR = 300_000
"""A fill that is pulled, with one feed or two."""
SERIES_BAR = 950_000
"""For each series of a launch of four, with its oracle, market and first position."""

RATES = {"IrmMock": "mock rate", "AdaptingRate": "adapting rate"}
LEVERAGES = {
    True: {"up": "2.5", "down": "3.7", "emergency": "5"},
    False: {"up": "0.7", "down": "1.5", "emergency": "2.7"},
}
"""Where the auction is taken; by long."""
LAUNCHES = (1, 2, 4)
Bill = dict[str, int]


def paying_terms(*, composite: bool) -> list[Terms]:
    """A long and a short whose accounts are full, and which no clock rebalances meanwhile."""
    fallback = 90 * DAY
    return [
        Terms(long=long, injects=1, composite=composite, fallback_after=fallback)
        for long in (True, False)
    ]


def rested(series: Series, leverage: str) -> None:
    """Go to a leverage a week after the last fill, so that the reserve pays of the next one."""
    series.fund.sleep(7 * DAY)
    series.go(leverage)


def _quiet() -> None:
    """The feed's last answer is older than a minute."""
    boa.env.time_travel(seconds=61)


def _filled(series: Series) -> None:
    """A whole fill near the auction's top, 12 s after an answer of the feed."""
    series.fund.sleep(1_100)
    boa.env.time_travel(seconds=12)
    series.rebalance()


def _launched(fund: Fund, count: int) -> None:
    world = fund.world
    words = [launch_words(world, Terms(long=place % 2 == 0)) for place in range(count)]
    launch = Launch(words, world.underlying.address, salt=bytes([count + 1]) * 32)
    fund.factory.launch(*launch.arguments(), sender=world.roles.deployer)


def _transfer(contract: Any, world: World, receiver: Any) -> None:
    contract.transfer(receiver, WAD, sender=world.roles.holder)


def _steps(fund: Fund) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Each call by its name, with what has to be done before."""
    world, steps = fund.world, dict[str, tuple[Callable[[], Any], Callable[[], Any]]]()
    holder, stranger = world.roles.holder, world.roles.attacker
    for count in LAUNCHES:
        steps[f"launch of {count} series"] = (_quiet, partial(_launched, fund, count))
    for series in fund.series:
        side = "long" if series.long else "short"
        steps[f"{side}, first mint"] = (_quiet, partial(series.mint, 100))
        steps[f"{side}, mint by a new holder"] = (_quiet, partial(series.mint, 100, stranger))
        steps[f"{side}, mint by a holder"] = (_quiet, partial(series.mint, 100))
        steps[f"{side}, redeem"] = (_quiet, partial(series.redeem, 50))
    ours, receiver = fund.series[0].contract, boa.env.generate_address("receiver")
    plain = deploy_double("PlainToken", holder, 1_000 * WAD)
    plain.transfer(world.roles.deployer, WAD, sender=holder)
    for name, contract in (("ours", ours), ("snekmate's", plain)):
        to = partial(_transfer, contract, world)
        steps[f"transfer to a holder, {name}"] = (_quiet, partial(to, world.roles.deployer))
        steps[f"transfer to a new holder, {name}"] = (_quiet, partial(to, receiver))
    for series in fund.series:
        side = "long" if series.long else "short"
        for turn in ("first", "later"):
            for way, leverage in LEVERAGES[series.long].items():
                go = partial(rested, series, leverage)
                steps[f"{side}, {turn} open {way}"] = (go, series.open)
                steps[f"{side}, {turn} fill {way}"] = (_quiet, partial(_filled, series))
    keeper = world.roles.keeper
    wait = partial(fund.sleep, DAY)
    steps["publish two series"] = (wait, partial(fund.reserve.publish, sender=keeper))
    long = fund.series[0].contract
    steps["long, allocate fees"] = (_quiet, partial(long.allocate, 0, sender=keeper))
    return steps


def on_ours(rate: str, *, composite: bool = False) -> Bill:
    """All calls, on a node of their own; of a composite those alone that read its price."""
    said = RATES[rate] + (", composite" if composite else "")
    with anvil() as env:
        world = World(Setting(liquidity=Fraction(50_000), rate=rate))
        fund, bill = Fund(world, *paying_terms(composite=composite)), Bill()
        for name, (prepare, step) in _steps(fund).items():
            if composite and "fill" not in name and "open" not in name:
                continue
            prepare()
            step()
            bill[f"{name} ({said})"] = env.gas_used
    return bill


def bar(name: str) -> int | None:
    """The most that a call of this name may take, None where nothing is said of it."""
    call, _, said = name.partition(" (")
    if " fill " in call and "by keeper" not in call:
        return FILL_BAR
    most = BARS.get(call.partition(", ")[2])
    return most + ADAPTS if most and "adapting" in said else most
