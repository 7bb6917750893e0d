"""The factory: a reserve and its series in one transaction, with every parameter checked."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from support.chain.lending import Market
from support.chain.series import (
    DAY,
    DEAD,
    DEAD_DEBT,
    DEAD_TOKENS,
    PLACES,
    WAD,
    ZERO,
    Fund,
    Launch,
    Protocol,
    Series,
    Terms,
    launch_words,
    wad,
)
from support.chain.world import Setting, World

EIP_7825 = 2**24
"""The gas that a transaction may use."""
LONG, SHORT = Terms(), Terms(long=False)


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    """Implementations and factory; the deployer may pay for launches."""
    made = Protocol(World(Setting()))
    creator = made.world.roles.deployer
    made.world.fund(creator)
    for token in (made.world.underlying, made.world.quote):
        made.world.approve(token, creator, made.factory)
    return made


def launch(protocol: Protocol, *series: list[Any], **fields: Any) -> Any:
    """Launch series by the deployer."""
    prepared = Launch(list(series), protocol.world.underlying.address, **fields)
    return protocol.factory.launch(*prepared.arguments(), sender=protocol.world.roles.deployer)


def test_a_launch_is_at_its_target(fund: Fund) -> None:
    """A launch leaves nothing open.

    Property: the first position is at the target, dead tokens and dead debt lie locked, the
    creator holds the rest, the injection and what was lent.
    """
    world = fund.world
    for each in fund.series:
        creator = world.roles.deployer
        assert abs(each.leverage - (3 if each.long else 1)) < Fraction(1, 10**5)
        assert each.contract.balanceOf(DEAD) == DEAD_TOKENS
        assert each.contract.balanceOf(creator) == wad(1_000) - DEAD_TOKENS
        dead = world.lending.position(each.market, fund.factory.address)
        assert dead.debt in (DEAD_DEBT, DEAD_DEBT + 1)
        assert dead.collateral * each.price // 10**36 >= 11 * DEAD_DEBT
        assert world.morpho.position(each.market.id, creator)[0] > 0
        assert fund.factory.is_series(each.address)
        assert not each.contract.allowance(fund.factory.address, each.address)
    assert world.underlying.balanceOf(fund.factory.address) == 0
    assert world.quote.balanceOf(fund.factory.address) == 0


def test_four_series_fit_into_a_transaction(protocol: Protocol) -> None:
    """A launch cannot be cut in two, and a chain takes no transaction above 2**24 gas (EIP-7825).

    Property: four series, the most there may be, with their reserve take less than that.
    """
    series = [launch_words(protocol.world, each) for each in (LONG, SHORT, LONG, SHORT)]
    reserve, made = launch(protocol, *series, common=5)
    assert protocol.factory._computation.get_gas_used() < EIP_7825
    assert len(set(made)) == 4
    at = protocol.at("Reserve", reserve)
    assert at.series() == made
    assert at.common() == 5
    with boa.reverts():
        launch(protocol, series[0], salt=b"\1" * 32)
    launch(protocol, series[0], salt=b"\2" * 32)


def test_what_is_appended_is_what_was_asked(series: Series) -> None:
    """Property: name, symbol, decimals, terms and reserve of a clone are those of its launch."""
    words = series.fund.launch.series[series.fund.series.index(series)]
    asked = dict(zip(PLACES, words, strict=True))
    token, config = series.contract, series.config
    assert (token.name(), token.symbol(), token.decimals()) == (words[0], words[1], 18)
    assert tuple(config.terms) == tuple(asked["terms"])
    for name in ("fee", "reserve_share", "fee_recipient", "debt_cap", "initial_nav"):
        assert getattr(config, name) == asked[name]
    assert token.reserve() == series.fund.reserve.address == config.reserve
    assert token.oracle() == series.market.oracle


CHANGES: dict[str, dict[str, Any]] = {
    "series_checks: target": {"target": 11, "upper": 12, "emergency": 13},
    "series_checks: band": {"lower": 3},
    "series_checks: edge_slack": {"to_edge": True},
    "series_checks: lower": {"lower": 1},
    "series_checks: emergency": {"emergency": "3.4"},
    "series_checks: emergency near the threshold": {"emergency": "7.2"},
    "series_checks: duration": {"duration": 59},
    "series_checks: start": {"start": 0},
    "series_checks: premium rises too fast": {"duration": 700},
    "series_checks: calm_top": {"calm_top": "0.0059"},
    "series_checks: emergency_top": {"emergency_top": "0.0299"},
    "series_checks: emergency_top above the incentive": {"emergency_top": "0.0439"},
    "series_checks: fallback_after": {"fallback_after": 3_599},
    "series_checks: daily_at": {"daily_at": DAY},
    "series_checks: cooldown": {"cooldown": 1_201},
    "series_checks: fee": {"fee": "0.0101"},
    "series_checks: reserve_share": {"reserve_share": "1.1"},
    "series_checks: fee_recipient": {"reserve_share": "0.9", "account_rate": 0},
    "series_checks: account_rate": {"account_rate": "0.0014"},
    "factory: base_age": {"base_age": 0},
    "factory: quote_age": {"composite": True, "quote_age": 2 * DAY + 1},
    "factory: grace": {"grace": 1},
    "factory: tokens": {"tokens": "0.009"},
    "factory: injects": {"injects": "0.119"},
    "leveraged_token: debt_cap": {"debt_cap": 1_000},
}


@pytest.mark.parametrize("reason", CHANGES)
def test_a_parameter_beyond_its_bound_is_refused(protocol: Protocol, reason: str) -> None:
    """Property: each inequality is checked, and says which it is."""
    with boa.reverts(reason):
        launch(protocol, launch_words(protocol.world, Terms(**CHANGES[reason])))


def test_a_launch_needs_a_good_price(protocol: Protocol) -> None:
    """Property: a dead feed, or one that is too old, launches nothing."""
    words = launch_words(protocol.world, LONG)
    protocol.world.feed.set_fault(1)
    with boa.reverts():
        launch(protocol, words)
    protocol.world.feed.set_fault(0)
    boa.env.time_travel(seconds=LONG.base_age + 1)
    with boa.reverts("factory: no good price"):
        launch(protocol, words)


def foreseen(protocol: Protocol, words: list[Any]) -> Market:
    """The market that a launch will make, seen by rehearsing it."""
    with boa.env.anchor():
        _, made = launch(protocol, words)
        return Market(*protocol.at("LeveragedToken", made[0]).config().market)


def test_a_market_made_by_a_stranger_is_used(protocol: Protocol) -> None:
    """Scenario: somebody foresees the market's id and creates it first, and even lends there.

    Property: the launch uses it, since nothing was borrowed.
    """
    words, morpho = launch_words(protocol.world, LONG), protocol.world.morpho
    stranger = protocol.world.roles.attacker
    market = foreseen(protocol, words)
    morpho.createMarket(tuple(market), sender=stranger)
    morpho.supply(tuple(market), 10**6, 0, stranger, b"", sender=stranger)
    _, made = launch(protocol, words)
    assert tuple(protocol.at("LeveragedToken", made[0]).config().market) == tuple(market)


def test_borrowed_units_cannot_kill_a_series(fund: Fund) -> None:
    """Scenario: somebody borrows a unit and repays one share, 109 times, after the launch.

    Property: beside the dead debt the shares do not overflow: minting and raising go on.
    """
    series, world = fund.series[0], fund.world
    who, market = world.roles.attacker, tuple(series.market)
    world.morpho.supplyCollateral(market, WAD, who, b"", sender=who)
    for _ in range(109):
        world.morpho.borrow(market, 1, 0, who, who, sender=who)
        world.morpho.repay(market, 0, 1, who, b"", sender=who)
    series.mint(1)
    series.arrive()


def test_the_registry_finds_what_it_launched(protocol: Protocol) -> None:
    """Property: series are found by reserve, underlying, creator and feed, and nothing else is."""
    world, factory = protocol.world, protocol.factory
    words = [launch_words(world, LONG), launch_words(world, SHORT)]
    reserve, made = launch(protocol, *words, salt=b"\5" * 32)
    other, more = launch(protocol, words[0], salt=b"\6" * 32)
    find = factory.find
    assert find(ZERO, ZERO, ZERO, ZERO, 0) == ([*made, *more], 0)
    assert find(reserve, ZERO, ZERO, ZERO, 0) == (made, 0)
    assert find(other, ZERO, ZERO, ZERO, 0) == (more, 0)
    assert find(ZERO, ZERO, ZERO, ZERO, 1) == (more, 0)
    both = (world.underlying.address, world.roles.deployer, world.feed.address)
    assert find(ZERO, *both, 0)[0] == [*made, *more]
    nobody = world.roles.attacker
    for asked in ((ZERO, nobody, ZERO, ZERO), (ZERO, ZERO, nobody, ZERO), (ZERO,) * 3 + (nobody,)):
        assert find(*asked, 0) == ([], 0)
    assert factory.reserve_count() == 2


def test_a_permit_is_good_for_one_clone(fund: Fund) -> None:
    """Property: a signature for one series sets no allowance of another, and works once."""
    one, other = (each.contract for each in fund.series)
    assert one.DOMAIN_SEPARATOR() != other.DOMAIN_SEPARATOR()
    owner, spender = Account.from_key(b"\3" * 32), fund.world.roles.keeper
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {
            "name": one.name(),
            "version": "1",
            "chainId": boa.env.evm.patch.chain_id,
            "verifyingContract": one.address,
        },
        "message": {
            "owner": owner.address,
            "spender": str(spender),
            "value": 5,
            "nonce": 0,
            "deadline": 2**63,
        },
    }
    signed = owner.sign_message(encode_typed_data(full_message=message))
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    arguments = (owner.address, spender, 5, 2**63, signed.v, r, s)
    with boa.reverts("clone_permit: invalid signature"):
        other.permit(*arguments)
    one.permit(*arguments)
    assert one.allowance(owner.address, spender) == 5
    with boa.reverts("clone_permit: invalid signature"):
        one.permit(*arguments)
    with boa.reverts("clone_permit: expired deadline"):
        one.permit(owner.address, spender, 5, 1, signed.v, r, s)
