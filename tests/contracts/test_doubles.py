"""The doubles fail in the ways in which the real ones can, and only when told to."""

from __future__ import annotations

import boa
import pytest

from support.chain.deploying import deploy_double

REVERTS, BURNS_GAS = 1, 2


def test_a_feed_answers_as_chainlinks_does() -> None:
    """Round, answer, when the round started, when it was updated, round again."""
    feed = deploy_double("PriceFeed", 8, 2_000 * 10**8)
    now = boa.env.timestamp
    first = 2**64 + 1
    assert feed.latestRoundData() == (first, 2_000 * 10**8, now, now, first)
    boa.env.time_travel(seconds=60)
    feed.update(-1)
    assert feed.latestRoundData() == (first + 1, -1, now + 60, now + 60, first + 1)
    assert feed.getRoundData(first) == (first, 2_000 * 10**8, now, now, first)
    feed.change_phase()
    with boa.reverts("No data present"):
        feed.getRoundData(feed.round_id() - 1)


def test_a_feed_can_be_stale_wrong_and_dead() -> None:
    """Old times, other decimals, a revert, and a read that burns the gas it is given."""
    feed = deploy_double("PriceFeed", 8, 2_000 * 10**8)
    feed.set_times(1, 2)
    feed.set_decimals(18)
    assert feed.latestRoundData()[2:4] == (1, 2)
    assert feed.decimals() == 18
    feed.set_fault(REVERTS)
    with boa.reverts("feed: reverting"):
        feed.latestRoundData()
    feed.set_fault(BURNS_GAS)
    with pytest.raises(boa.BoaError):
        feed.latestRoundData(gas=100_000)
    assert feed._computation.get_gas_used() == 100_000
    feed.set_fault(0)
    assert feed.latestRoundData()[1] == 2_000 * 10**8


def test_a_hostile_token_is_honest_until_told_otherwise() -> None:
    """Balances, allowances and the return value are an ERC-20's; then a fee, then a refusal."""
    token = deploy_double("HostileToken", 6)
    owner, friend, spender = (boa.env.generate_address() for _ in range(3))
    token.mint(owner, 1_000)
    assert token.transfer(friend, 100, sender=owner)
    token.approve(spender, 300, sender=owner)
    assert token.transferFrom(owner, friend, 200, sender=spender)
    assert token.allowance(owner, spender) == 100
    assert (token.balanceOf(owner), token.balanceOf(friend)) == (700, 300)
    token.set_fee_bps(100)
    token.transfer(friend, 100, sender=owner)
    assert (token.balanceOf(friend), token.totalSupply()) == (399, 999)
    token.set_returns_false(True)
    assert not token.transfer(friend, 100, sender=owner)
    assert token.balanceOf(friend) == 399


def test_a_hostile_token_calls_back_on_its_victims_transfers() -> None:
    """The call is made as the token, counted, and its failure does not stop the transfer."""
    token, other = deploy_double("HostileToken", 18), deploy_double("HostileToken", 18)
    victim, friend = (boa.env.generate_address() for _ in range(2))
    token.mint(victim, 1_000)
    mint = other.mint.prepare_calldata(friend, 5)
    token.set_hook(victim, other, mint)
    token.transfer(friend, 1, sender=victim)
    token.transfer(victim, 1, sender=friend)
    assert (token.hook_calls(), token.hook_succeeded(), other.balanceOf(friend)) == (2, 2, 10)
    too_much = other.transfer.prepare_calldata(friend, 1)
    token.set_hook(victim, other, too_much)
    token.transfer(friend, 1, sender=victim)
    assert (token.hook_calls(), token.hook_succeeded()) == (1, 0)
