"""The upkeep: names what goes through, rebalances it, and no token stands in another's way."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest

from support.chain.deploying import deploy_double, deploy_source
from support.chain.series import CONTRACTS

if TYPE_CHECKING:
    from support.chain.series import Fund
    from support.chain.world import World

REVERTS, BURNS_GAS, SAYS_NOTHING, BURNS_GAS_WHEN_ASKED = 1, 2, 4, 8
PERFORM_GAS = 5_000_000
"""What Chainlink's registries allow a perform at most."""
CHECK_GAS = 10_000_000


def bits(*places: int) -> bytes:
    """The tokens at some places of the list, as `performUpkeep` takes them."""
    return sum(1 << place for place in places).to_bytes(32)


@pytest.fixture
def beneficiary() -> Any:
    """Who gets the pay; owns nothing before."""
    return boa.env.generate_address("beneficiary")


@pytest.fixture
def upkeep(fund: Fund, beneficiary: Any) -> Any:
    """An upkeep of the long and the short."""
    tokens = [token.contract.address for token in fund.tokens]
    return deploy_source(CONTRACTS / "Upkeep.vy", tokens, beneficiary)


def go_to(world: World, price: int) -> None:
    """Feed, pool and the pool's mean at a price."""
    world.move(price)
    boa.env.time_travel(seconds=61)
    world.pool.observe()
    world.set_feed(price)


def events(upkeep: Any, name: str) -> list[Any]:
    """The upkeep's events of a name that the last call logged."""
    return [log for log in upkeep.get_logs(strict=False) if type(log).__name__ == name]


def test_nothing_is_due_where_no_token_asks(upkeep: Any, world: World) -> None:
    """Scenario: both tokens at their target. Property: no upkeep needed, none to be forced."""
    assert upkeep.checkUpkeep(b"") == (False, bits())
    keeper = world.roles.keeper
    for asked, reason in ((bits(0, 1), "upkeep: nothing done"), (bits(), "upkeep: nothing named")):
        with boa.reverts(reason):
            upkeep.performUpkeep(asked, sender=keeper)
    with boa.reverts("upkeep: perform_data"):
        upkeep.performUpkeep(b"", sender=keeper)


def test_a_token_that_asks_is_named_and_rebalanced(
    upkeep: Any, fund: Fund, beneficiary: Any
) -> None:
    """Scenario: the price has left both bands.

    Property: both are named and rebalanced by what the check gave, and then nothing is due.
    """
    world = fund.world
    go_to(world, 2_500)
    needed, asked = upkeep.checkUpkeep(b"", sender="0x" + "00" * 20, gas=CHECK_GAS)
    assert (needed, asked) == (True, bits(0, 1))
    before = [token.leverage for token in fund.tokens]
    upkeep.performUpkeep(asked, sender=world.roles.attacker, gas=PERFORM_GAS)
    done = events(upkeep, "Performed")
    assert [str(log.token) for log in done] == [t.contract.address for t in fund.tokens]
    assert events(upkeep, "Failed") == []
    for token, leverage in zip(fund.tokens, before, strict=True):
        target = Fraction(token.contract.config().rule.target_leverage, 10**18)
        assert abs(token.leverage - target) < abs(leverage - target)
    assert upkeep.checkUpkeep(b"") == (False, bits())
    assert world.underlying.balanceOf(beneficiary) > 0


def test_the_pay_is_the_beneficiarys_whoever_calls(
    upkeep: Any, fund: Fund, beneficiary: Any
) -> None:
    """Scenario: an attacker performs.

    Property: the pay of the event is the beneficiary's; the attacker and the upkeep have nothing of
    it.
    """
    world, attacker = fund.world, fund.world.roles.attacker
    go_to(world, 1_700)
    had = world.balances(attacker)
    upkeep.performUpkeep(bits(0), sender=attacker)
    paid = world.underlying.balanceOf(beneficiary)
    assert paid == fund.reserve.paid_ever(fund.tokens[0].contract.address) - covered(upkeep) > 0
    assert world.balances(attacker) == had
    assert world.balances(upkeep.address) == (0, 0)


def covered(upkeep: Any) -> int:
    """What the reserve covered of the last perform's swaps, by the tokens' own events."""
    return sum(e.covered for e in upkeep.get_logs(strict=False) if type(e).__name__ == "Rebalanced")


def test_a_check_can_ask_for_some(upkeep: Any, world: World) -> None:
    """Scenario: both are due, an upkeep each.

    Property: only those asked for are named; data of another length asks for all.
    """
    go_to(world, 2_500)
    assert upkeep.checkUpkeep(bits(1)) == (True, bits(1))
    assert upkeep.checkUpkeep(bits(0)) == (True, bits(0))
    assert upkeep.checkUpkeep(bits(7)) == (False, bits())
    assert upkeep.checkUpkeep(b"\xff" * 5_000) == (True, bits(0, 1))


def test_a_check_for_one_has_all_the_gas(fund: Fund, beneficiary: Any) -> None:
    """Scenario: one of eight is asked for, with the gas of two rebalances.

    Property: it is named: what is not asked for takes no share, or a dear rebalance would not fit.
    """
    others = [deploy_double("HostileSeries").address for _ in range(7)]
    tokens = [*others, fund.tokens[0].contract.address]
    upkeep = deploy_source(CONTRACTS / "Upkeep.vy", tokens, beneficiary)
    go_to(fund.world, 2_500)
    assert upkeep.checkUpkeep(bits(7), gas=1_000_000) == (True, bits(7))


def test_bits_beyond_the_list_are_nothing(upkeep: Any, world: World) -> None:
    """Scenario: perform data from a stranger names places that are not there.

    Property: the one that is there is rebalanced.
    """
    go_to(world, 2_500)
    upkeep.performUpkeep(b"\xff" * 31 + b"\xfd", sender=world.roles.attacker)
    assert len(events(upkeep, "Performed")) == 1


@pytest.mark.parametrize(
    ("vice", "place"),
    [(REVERTS, 2), (BURNS_GAS, 0), (SAYS_NOTHING, 1), (BURNS_GAS_WHEN_ASKED, 0)],
    ids=["reverts", "burns-gas", "says-nothing", "burns-gas-when-asked"],
)
def test_one_that_fails_blocks_no_other(
    fund: Fund, beneficiary: Any, vice: int, place: int
) -> None:
    """One that fails blocks no other.

    Scenario: what is no leveraged token stands in the list, before the others or not, and reverts,
    burns its gas or answers nonsense.
    Property: never named, the others are; asked for all the same, it is said to have failed and the
    others are rebalanced, within Chainlink's gas.
    """
    hostile = deploy_double("HostileSeries")
    hostile.set_vice(vice)
    tokens = [token.contract.address for token in fund.tokens]
    tokens.insert(place, hostile.address)
    upkeep = deploy_source(CONTRACTS / "Upkeep.vy", tokens, beneficiary)
    go_to(fund.world, 2_500)
    others = [k for k in range(3) if k != place]
    assert upkeep.checkUpkeep(b"", gas=CHECK_GAS) == (True, bits(*others))
    upkeep.performUpkeep(bits(0, 1, 2), sender=fund.world.roles.keeper, gas=PERFORM_GAS)
    assert [str(log.token) for log in events(upkeep, "Failed")] == [hostile.address]
    assert len(events(upkeep, "Performed")) == len(others)


@pytest.mark.parametrize("fault", [1, 2], ids=["reverts", "burns gas"])
def test_a_check_does_not_revert_on_a_dead_feed(upkeep: Any, world: World, fault: int) -> None:
    """Scenario: the feed fails while a rebalance would be due. Property: nothing needed."""
    go_to(world, 2_500)
    world.feed.set_fault(fault)
    assert upkeep.checkUpkeep(b"", gas=CHECK_GAS) == (False, bits())


def test_what_would_not_go_through_is_not_named(upkeep: Any, fund: Fund) -> None:
    """What would not go through is not named.

    Scenario: the pool has next to no liquidity within the tolerance, so that a rebalance is refused
    by the token's own floor on fills, as its view can tell.
    Property: idle, refused if called, not named.
    """
    go_to(fund.world, 2_500)
    fund.world.pool.remove(Fraction(9_999, 10_000))
    assert [token.due for token in fund.tokens] == ["idle", "idle"]
    with boa.reverts("leveraged_token: tiny fill"):
        fund.tokens[0].rebalance()
    assert upkeep.checkUpkeep(b"") == (False, bits())


def test_a_check_that_is_sent_changes_nothing(upkeep: Any, fund: Fund, beneficiary: Any) -> None:
    """Scenario: an attacker sends the check, and its dry part, as transactions.

    Property: the tokens are where they were, nobody is paid.
    """
    world, attacker = fund.world, fund.world.roles.attacker
    go_to(world, 2_500)
    before = [tuple(token.state) for token in fund.tokens]
    upkeep.checkUpkeep(b"", sender=attacker)
    with pytest.raises(boa.BoaError):
        upkeep.dry_rebalance(fund.tokens[0].contract.address, sender=attacker)
    assert [tuple(token.state) for token in fund.tokens] == before
    assert world.balances(beneficiary) == (0, 0)


def test_a_list_that_cannot_work_is_refused(fund: Fund, beneficiary: Any) -> None:
    """Scenario: no tokens, an address without code, nobody to pay. Property: refused in words."""
    token = fund.tokens[0].contract.address
    nobody = "0x" + "00" * 20
    for tokens, who, reason in (
        ([], beneficiary, "upkeep: no tokens"),
        ([token, beneficiary], beneficiary, "upkeep: not a contract"),
        ([token], nobody, "upkeep: beneficiary"),
    ):
        with boa.reverts(reason):
            deploy_source(CONTRACTS / "Upkeep.vy", tokens, who)


def test_a_list_is_told_in_its_order(upkeep: Any, fund: Fund, beneficiary: Any) -> None:
    """Scenario: somebody reads the upkeep.

    Property: the tokens in the order of their bits, and who is paid.
    """
    assert upkeep.tokens() == [token.contract.address for token in fund.tokens]
    assert upkeep.beneficiary() == beneficiary
