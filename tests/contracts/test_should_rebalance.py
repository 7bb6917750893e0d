"""should_rebalance: one word for what is due, as the rules decide it; idle where it may not act."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.driving import go
from support.chain.series import Fund, ReserveTerms, Terms

if TYPE_CHECKING:
    from support.chain.series import Token
    from support.chain.world import World


BAND = {True: ("2.6", "3.4", "4.8"), False: ("0.8", "1.25", "2.5")}


def test_inside_the_band_nothing_is_due(token: Token) -> None:
    """Scenario: just inside both edges. Property: idle."""
    lower, upper, _ = (Fraction(each) for each in BAND[token.long])
    for leverage in (lower * Fraction(1_000_001, 1_000_000), upper * Fraction(999_999, 1_000_000)):
        go(token, leverage)
        assert token.due == "idle"


def test_outside_the_band_it_is_due(token: Token) -> None:
    """Scenario: just outside the edges, the emergency. Property: each by its name."""
    lower, upper, emergency = (Fraction(each) for each in BAND[token.long])
    hair = Fraction(1, 1_000_000)
    go(token, lower * (1 - hair))
    assert token.due == "band_up"
    go(token, upper * (1 + hair))
    assert token.due == "band_down"
    go(token, emergency * (1 - hair))
    assert token.due == "band_down"
    go(token, emergency * (1 + hair))
    assert token.due == "emergency"


def test_the_fallback_acts_after_a_day(token: Token) -> None:
    """Scenario: 24 hours without a rebalance, off target. Property: due then, not before."""
    go(token, Fraction(31, 10) if token.long else Fraction(11, 10))
    world = token.world
    last = token.state.last_rebalance
    world.pass_time(last + 86_400 - boa.env.timestamp - 10, every=600)
    assert token.due == "idle"
    world.pass_time(72)
    assert token.due == "fallback"


def test_with_a_move_to_the_edge_the_slack_counts(world: World) -> None:
    """Scenario: past the edge by less and by more than the slack. Property: idle, then due."""
    token = Fund(world, Terms(to_edge=True, edge_slack="0.1")).tokens[0]
    go(token, "3.49")
    assert token.due == "idle"
    go(token, "3.51")
    assert token.due == "band_down"
    go(token, "2.49")
    assert token.due == "band_up"
    go(token, "3.0")
    world.pass_time(90_000, every=1_800)
    assert token.due == "idle", "inside the band a fallback to the edge has nothing to do"
    go(token, "3.45")
    assert token.due == "fallback"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: world.feed.set_fault(1),
        lambda world: world.feed.set_fault(2),
        lambda world: world.feed.update(0),
        lambda world: world.feed.update(-5),
        lambda world: world.feed.set_times(boa.env.timestamp - 3_701, boa.env.timestamp - 3_701),
        lambda world: world.feed.set_times(boa.env.timestamp + 1, boa.env.timestamp + 1),
        lambda world: world.feed.set_times(0, 0),
        lambda world: world.pool.move(world.feed_price * Fraction(1_003, 1_000)),
        lambda world: world.pool.move(world.feed_price * Fraction(997, 1_000)),
    ],
    ids=["reverts", "burns-gas", "zero", "negative", "old", "future", "no-round", "high", "low"],
)
def test_a_bad_oracle_makes_it_idle(token: Token, spoil: Any) -> None:
    """Scenario: each way in which a price cannot be trusted. Property: idle; rebalance refuses."""
    go(token, "2.5" if token.long else "0.7")
    assert token.due == "band_up"
    spoil(token.world)
    assert token.due == "idle"
    # at the last good price, the one of before, nothing may have been due at all
    with pytest.raises(boa.BoaError) as refused:
        token.rebalance()
    assert any(word in str(refused.value) for word in ("oracle_guard: refused", "nothing to do"))


@pytest.mark.parametrize("sold", [0, 1])
def test_a_minute_at_an_end_of_all_prices_makes_it_idle(world: World, sold: int) -> None:
    """Scenario: next to no liquidity, and a swap takes the pool to an end. Property: idle."""
    tokens = Fund(world, Terms(), Terms(long=False)).tokens
    coin, who = world.pool.tokens[sold], world.roles.arbitrageur
    if hasattr(coin, "mint"):
        coin.mint(who, 10**30, sender=who)
    world.pool.remove()
    world.pool.swap(coin, 10**26, 0, who)
    boa.env.time_travel(seconds=120)
    world.set_feed(1_700)
    assert [token.due for token in tokens] == ["idle", "idle"]


def test_a_pool_that_was_elsewhere_makes_it_idle(world: World) -> None:
    """Scenario: feed and pool jump 4 % together. Property: idle until the minute's mean agrees."""
    token = Fund(world, Terms(lower="2.9")).tokens[0]
    world.move(2_000 * Fraction(104, 100) ** 2)
    assert token.due == "idle"
    world.pass_time(24)
    assert token.due == "idle"
    world.pass_time(36)
    assert token.due == "band_up"


def test_a_pool_without_a_minute_of_history_makes_it_idle(token: Token) -> None:
    """Scenario: no observation for hours, then one. Property: what the pool knows is enough."""
    go(token, "2.5" if token.long else "0.7")
    boa.env.time_travel(seconds=3_000)
    assert token.due == "band_up", "the last observation stands for all the time since"


def test_the_sequencer_has_to_be_up_for_a_while(world: World) -> None:
    """Scenario: down, up again, the grace over. Property: idle until then; exits open."""
    sequencer = deploy_double("PriceFeed", 0, 0)
    fund = Fund(
        world,
        Terms(),
        reserve=ReserveTerms(sequencer_feed=sequencer, sequencer_grace=3_600),
        launch=0,
    )
    token = fund.tokens[0]
    with boa.reverts("oracle_guard: refused"):
        token.mint(1_000)
    world.pass_time(3_612)
    token.mint(1_000)
    world.pool.move(2_000)
    go(token, "2.5")
    assert token.due == "band_up"
    sequencer.update(1)
    assert token.due == "idle"
    token.redeem(1)
    sequencer.update(0)
    world.pass_time(3_588)
    assert token.due == "idle"
    world.pass_time(24)
    assert token.due == "band_up"
    sequencer.set_fault(1)
    assert token.due == "idle"


def test_nothing_to_lend_makes_raising_idle(token: Token) -> None:
    """Scenario: the lender takes all but 5 % of what is wanted. Property: idle, later due."""
    world = token.world
    go(token, "2.5" if token.long else "0.7")
    lendable = token.position.lendable
    with boa.env.anchor():
        world.lending.withdraw(token.market, lendable)
        assert token.due == "idle"
        with boa.reverts("leveraged_token: not to be raised"):
            token.rebalance()
    assert token.due == "band_up"


def test_an_empty_token_is_idle(world: World) -> None:
    """Scenario: deployed, nobody in. Property: idle; there is nothing to rebalance."""
    token = Fund(world, Terms(), launch=0).tokens[0]
    assert token.due == "idle"
    with boa.reverts("leveraged_token: nothing to do"):
        token.rebalance()


def test_interest_counts_to_the_second(token: Token) -> None:
    """Scenario: years of interest that nobody accrued. Property: the view sees what acting does."""
    world = token.world
    boa.env.time_travel(seconds=20 * 365 * 86_400)
    seen = token.position.debt
    world.morpho.accrueInterest(tuple(token.market))
    assert token.position.debt == seen


@pytest.mark.parametrize("leverage", [("2.4", "0.7"), ("4", "1.6")], ids=["low", "high"])
def test_what_would_be_a_tiny_fill_is_idle(token: Token, leverage: tuple[str, str]) -> None:
    """Scenario: ever less liquidity. Property: what works is not called idle, what is clear is."""
    go(token, leverage[not token.long])
    due, seen = token.due, set()
    assert due != "idle"
    for thousandths in (500, 100, 30, 20, 15, 10, 7, 5, 3, 2, 1):
        with boa.env.anchor():
            token.world.pool.remove(1 - Fraction(thousandths, 1_000))
            said = token.due
            try:
                token.rebalance()
            except boa.BoaError as refused:
                if "leveraged_token: tiny fill" not in str(refused):
                    raise
                seen.add((said, "refused"))
            else:
                seen.add((said, "done"))
    assert (
        {(due, "done"), ("idle", "refused")}
        <= seen
        <= {
            (due, "done"),
            ("idle", "refused"),
            (due, "refused"),
        }
    )
