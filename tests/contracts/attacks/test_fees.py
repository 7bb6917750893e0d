"""L1, L2, L4 and permit across clones: the first edition's small faults."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.attacking import fortune, wait_for_fallback
from support.chain.deploying import deploy_double
from support.chain.series import DAY, MOST, Fund, Series, Terms, wad
from support.chain.world import Setting, World


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_l1_a_frozen_recipient_stops_nobody(long: bool) -> None:
    """L1: an asset's issuer freezes the fee recipient.

    Scenario: fees of 1 %, half the recipient's; transfers to it are refused.
    Property: allocation works, the series' share reaches its account; a claim fails for the
    recipient alone, and works once it is thawed.
    """
    frozen = boa.env.generate_address("recipient")
    asset = deploy_double("Freezable", 18)
    world = World(Setting(), underlying=asset)
    terms = Terms(long=long, fee="0.01", reserve_share="0.5", recipient=frozen)
    fund = Fund(world, terms, age=2 * DAY)
    (series,) = fund.series
    asset.freeze(frozen, True)
    series.mint(500)
    held = series.account.held + fund.reserve.common()
    fund.sleep(
        0 if long else (1_200 - boa.env.timestamp + series.contract.facts().allocated) % 2_400
    )
    limit = 0 if long else -(10**18)
    series.contract.allocate(limit, sender=world.roles.keeper)
    own = series.account.held + fund.reserve.common() - held
    owed = fund.reserve.owed(frozen)
    assert own > 0
    assert abs(own - owed) <= 1
    with boa.reverts("freezable: frozen"):
        fund.reserve.claim(frozen)
    assert fund.reserve.owed(frozen) == owed
    series.redeem(100)
    asset.freeze(frozen, False)
    assert fund.reserve.claim(frozen) == owed == asset.balanceOf(frozen)
    print(f"L1 {'long' if long else 'short'}: {owed / 10**18:.5f} kept for a frozen recipient")


def test_l2_there_is_no_exit_without_a_fee(series: Series) -> None:
    """L2: in the first edition the fee was optional, since an exit in kind had none.

    Scenario: 100 tokens are redeemed at once, in hundred parts, and in kind with a callback.
    Property: each way pays the fee, and parts pay no less than the whole.
    """
    taker = deploy_double("Taker")
    keeper, holder = series.world.roles.keeper, series.world.roles.holder
    series.loan.transfer(taker.address, series.loan.balanceOf(keeper) // 10, sender=keeper)
    series.mint(100)
    series.accrue()
    expected = Fraction(series.state.collateral * wad(100), series.state.supply)
    expected *= Fraction(1, 3_000) if series.long else Fraction(1, 2_000)
    fees = {}
    start = series.state.fees
    with boa.env.anchor():
        series.redeem(100)
        fees["at once"] = series.state.fees - start
    with boa.env.anchor():
        for _ in range(100):
            series.redeem(1)
        fees["in parts"] = series.state.fees - start
    with boa.env.anchor():
        series.contract.transfer(taker.address, wad(100), sender=holder)
        data = series.contract.redeem.prepare_calldata(wad(100), MOST, taker.address, b"x")
        taker.act(series.address, data)
        fees["callback"] = series.state.fees - start
    print("L2: raw fees of an exit of 100 tokens:", fees)
    assert min(fees.values()) >= expected - 1
    assert fees["in parts"] >= fees["at once"] == fees["callback"]


def test_l2_dust_pays_no_less(series: Series) -> None:
    """Scenario: tokens are redeemed unit by unit.

    Property: each redemption rounds against its sender: nobody leaves cheaper by dust.
    """
    series.mint(1)
    who = series.world.roles.holder
    for tokens in (1, 2, 10**6 + 1):
        before = series.state
        got, paid = series.contract.redeem(tokens, MOST, who, sender=who)
        assert got <= Fraction(before.collateral * tokens, before.supply)
        assert paid >= Fraction(before.debt - 1) * tokens / before.supply


def test_a_round_trip_wins_nothing(series: Series) -> None:
    """Scenario: minted and redeemed at once, from a unit to a hundred supplies.

    Property: it costs at least twice the fee at this leverage; the others lose nothing.
    """
    who = series.world.roles.attacker
    series.go("3.2" if series.long else "1.1")
    for tokens in (1, 10**9, wad(1), wad(100_000)):
        with boa.env.anchor():
            before, state = fortune(series.fund, who), series.state
            series.contract.mint(tokens, MOST, who, sender=who)
            series.contract.redeem(tokens, MOST, who, sender=who)
            after = series.state
            assert fortune(series.fund, who) < before
            assert after.collateral >= state.collateral
            assert after.shares <= state.shares


@pytest.mark.parametrize("leverage", ["2.65", "2.9", "3.1", "3.35"])
def test_l4_a_fallback_acts_inside_a_to_edge_band(
    launch: Callable[..., Fund], leverage: str
) -> None:
    """L4: a series that trades to its edge, inside the band for a day.

    Scenario: leverage drifts inside the band and nothing is done for a day.
    Property: the fallback is due there, and goes to the target.
    """
    (series,) = launch(Terms(to_edge=True, edge_slack="0.05")).series
    series.go(leverage)
    wait_for_fallback(series)
    plan = series.plan
    assert (plan.trigger, plan.destination, plan.state) == (8, wad(3), 2)
    series.rebalance()
    assert abs(series.leverage - 3) < Fraction(1, 50)


def test_a_permit_of_one_series_is_none_of_another(fund: Fund) -> None:
    """Clones share code and no domain.

    Property: a signature for one series is refused by the other and by the implementation.
    """
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    first, second = (each.contract for each in fund.series)
    owner = Account.from_key(b"\3" * 32)
    spender = str(fund.world.roles.keeper)
    fields = {
        "EIP712Domain": "string name,string version,uint256 chainId,address verifyingContract",
        "Permit": "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline",
    }
    types = {
        name: [{"type": each.split()[0], "name": each.split()[1]} for each in text.split(",")]
        for name, text in fields.items()
    }
    message: dict[str, Any] = {
        "types": types,
        "primaryType": "Permit",
        "domain": {
            "name": first.name(),
            "version": "1",
            "chainId": boa.env.evm.patch.chain_id,
            "verifyingContract": first.address,
        },
        "message": {
            "owner": owner.address,
            "spender": spender,
            "value": 5,
            "nonce": 0,
            "deadline": 2**63,
        },
    }
    signed = owner.sign_message(encode_typed_data(full_message=message))
    said = (signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))
    for contract, why in (
        (second, "clone_permit: invalid signature"),
        (fund.protocol.token, "series_config: implementation"),
    ):
        with boa.reverts(why):
            contract.permit(owner.address, spender, 5, 2**63, *said)
    first.permit(owner.address, spender, 5, 2**63, *said)
    assert first.allowance(owner.address, spender) == 5


def test_the_implementation_cannot_be_used(fund: Fund) -> None:
    """Property: no act works in the implementation, so that nobody can make it a series."""
    token, who = fund.protocol.token, fund.world.roles.attacker
    for act, args in (
        ("launch", (wad(1), wad(1), who)),
        ("mint", (wad(1), MOST, who)),
        ("redeem", (wad(1), MOST, who)),
        ("rebalance", (1, 0)),
        ("open", ()),
        ("allocate", (0,)),
    ):
        with boa.reverts():
            getattr(token, act)(*args, sender=who)
    assert token.totalSupply() == 0
