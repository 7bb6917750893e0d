"""The reserve's level, suspension and published health against `rules/reserve.py` on Fraction."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.rules.numbers import FRACTION
from steelyard.rules.reserve import buffer_depth, is_suspended, reserve_level, utilisation
from support.chain.deploying import deploy_double, deploy_source
from support.chain.exact import HAIR, WAD, Law
from support.chain.series import COIN_DECIMALS, CONTRACTS, ZERO, wad
from support.chain.world import Setting, World

SLOW = settings(max_examples=max(10, settings.default.max_examples // 5))
HOUR, DAY = 3_600, 86_400
POT = Law(True, 3_000, 2_600, 3_400, 4_800, False).series.reserve
assert POT is not None
FLOOR, RESUME = FRACTION.of(POT.floor_ratio), FRACTION.of(POT.resume_ratio)
DAILY_SHARE = Fraction(1, 2)
MOST = 2**103
"""Raw amounts up to here keep the published snapshots whole."""


@dataclass
class Reserve:
    """A reserve of two tokens, with what the rules make of the same events."""

    world: World
    contract: Any
    tokens: tuple[Any, Any]
    suspended: bool = False
    nav: int = 0
    paid: int = 0
    published: list[tuple[int, int, int]] = field(default_factory=list)
    """When, the value, and all that had been paid."""

    @property
    def value(self) -> int:
        """What it holds, raw."""
        return self.world.underlying.balanceOf(self.contract.address)

    def is_suspended(self) -> bool:
        """By the rules, at this value, since it was last noted."""
        figures = (Fraction(self.value), Fraction(self.nav), FLOOR, RESUME)
        return is_suspended(self.suspended, *figures)

    def note(self) -> None:
        """The value changed by an event of the reserve's own."""
        self.suspended = self.is_suspended()


@pytest.fixture(scope="module", params=[6, 8, 18], ids=lambda decimals: f"{decimals}-decimals")
def reserve(request: pytest.FixtureRequest) -> Any:
    """A reserve in an underlying of so many decimals."""
    world = World(Setting(underlying_decimals=request.param))
    pair = (world.feed.address, world.underlying.address, world.quote.address)
    oracle = deploy_source(CONTRACTS / "MorphoOracle.vy", *pair, True, ZERO, 0)
    tokens = (deploy_double("NavToken"), deploy_double("NavToken"))
    # gas plays no part here
    coin = ZERO if request.param == COIN_DECIMALS else world.feed.address
    contract = deploy_source(
        CONTRACTS / "Reserve.vy",
        [token.address for token in tokens],
        oracle.address,
        world.pool.address,
        world.underlying.address,
        world.quote.address,
        coin,
        3_700,
        wad(DAILY_SHARE),
        DAY,
        wad("0.01"),
        wad("0.05"),
    )
    world.approve(world.underlying, world.roles.depositor, contract)
    return world, contract, tokens


def inject(one: Reserve, amount: int) -> None:
    """Capital comes in, as far as there is some."""
    amount = min(amount, one.world.underlying.balanceOf(one.world.roles.depositor))
    if amount:
        one.contract.inject(1, amount, sender=one.world.roles.depositor)
        one.note()


def settle(one: Reserve, token: int, amount: int) -> None:
    """A token asks for what a swap lost; what it gets is within what it was said to have."""
    suspended, available = one.contract.standing(one.tokens[token].address)
    assert suspended == one.is_suspended()
    paid = one.tokens[token].settle(one.contract.address, one.world.roles.keeper, amount)
    assert paid == min(amount, available)
    one.paid += paid
    if paid:
        one.note()


def donate(one: Reserve, amount: int) -> None:
    """Somebody sends it something: no event of the reserve's own, so nothing is noted."""
    amount = min(amount, one.world.underlying.balanceOf(one.world.roles.attacker))
    one.world.underlying.transfer(one.contract.address, amount, sender=one.world.roles.attacker)


def publish(one: Reserve, navs: tuple[int, int]) -> None:
    """The health that is published is that of the rules."""
    for token, nav in zip(one.tokens, navs, strict=True):
        token.set_nav(nav)
    one.contract.publish_health()
    one.nav = sum(navs)
    one.note()
    value, nav, now = Fraction(one.value), Fraction(one.nav), boa.env.timestamp
    health = one.contract.health()
    assert (health.time, health.value, health.nav) == (now, one.value, one.nav)
    assert health.suspended == one.suspended
    depth = buffer_depth(value, nav, FLOOR)
    # rounded towards zero; nothing where there is no nav
    assert health.buffer_depth == (0 if depth is None else int(depth * WAD))
    if depth is not None:
        assert depth == reserve_level(value, nav) - FLOOR
    share = window = 0
    if one.published:
        old = [each for each in one.published if each[0] + DAY <= now]
        then, value_then, paid_then = old[-1] if old else one.published[0]
        exact = utilisation(Fraction(one.paid - paid_then), Fraction(value_then))
        share, window = 0 if exact is None else int(exact * WAD), now - then
    assert (health.utilisation, health.window) == (share, window)
    one.published.append((now, one.value, one.paid))


NAVS = st.integers(0, 10) | st.integers(0, 103).map(lambda n: 2**n) | st.integers(0, 10**30)
AROUND = (Fraction(0), HAIR, -HAIR, 2 * HAIR, -2 * HAIR, Fraction(1, 100), Fraction(-1, 100))


@SLOW
@given(st.data())
def test_health_and_suspension_are_those_of_the_rules(reserve: Any, data: st.DataObject) -> None:
    """Over any course of injections, payments, donations and publications.

    Navs are drawn anywhere and within a hair of where the level is the floor or the resume ratio;
    publications lie an hour to two days apart, a day of them at most.
    """
    world, contract, tokens = reserve
    with boa.env.anchor():
        one = Reserve(world, contract, tokens)
        inject(one, data.draw(st.integers(1, 10 ** (world.underlying_decimals + 8))))
        for _ in range(data.draw(st.integers(2, 12))):
            what = data.draw(st.sampled_from(["inject", "settle", "donate", "publish", "publish"]))
            if what == "inject":
                inject(one, data.draw(st.integers(1, 10**8)) * max(1, one.value // 10**7))
            elif what == "settle":
                settle(one, data.draw(st.integers(0, 1)), data.draw(st.integers(0, one.value)))
            elif what == "donate":
                donate(one, one.value // data.draw(st.integers(1, 100)))
            else:
                boa.env.time_travel(
                    seconds=data.draw(st.sampled_from([HOUR, 7 * HOUR, DAY - 1, DAY, 2 * DAY]))
                )
                nav = data.draw(NAVS)
                ratio = data.draw(st.sampled_from([FLOOR, RESUME]))
                if data.draw(st.booleans()):
                    around = 1 + data.draw(st.sampled_from(AROUND))
                    nav = int(one.value / (ratio * around)) + data.draw(st.integers(0, 1))
                first = data.draw(st.integers(0, nav))
                publish(one, (first, nav - first))
            assert contract.suspended() == one.is_suspended()


@pytest.mark.parametrize("suspended", [True, False], ids=["suspended", "not-suspended"])
def test_a_level_within_a_hair_of_a_ratio_stands_at_it(reserve: Any, suspended: bool) -> None:
    """At floor and resume ratio, 1e-12 off and just beyond, before and after a suspension."""
    world, contract, tokens = reserve
    value = 120 * (10**12 + 1)
    for ratio in (FLOOR, RESUME):
        for factor in (Fraction(1), 1 + HAIR, 1 - HAIR):
            for unit in (-1, 0, 1):
                with boa.env.anchor():
                    one = Reserve(world, contract, tokens)
                    inject(one, value)
                    if suspended:
                        publish(one, (20 * value, 0))
                        assert one.suspended
                        boa.env.time_travel(seconds=HOUR)
                    publish(one, (int(value / ratio * factor) + unit, 0))
                    assert contract.suspended() == one.is_suspended()
