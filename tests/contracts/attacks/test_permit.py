"""permit: a signature is good once, for one token, on one chain, for its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boa
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from support.chain.series import WAD

if TYPE_CHECKING:
    from support.chain.series import Fund, Token

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1: s and ORDER - s are the two signatures of one message."""
OWNER = Account.from_key(10**9 + 7)


def signed(token: Token, spender: str, amount: int, **other: Any) -> tuple[Any, ...]:
    """The owner's signature as `permit` takes it; `other` signs something else."""
    fields = {
        "owner": OWNER.address,
        "spender": spender,
        "value": amount,
        "nonce": token.contract.nonces(OWNER.address),
        "deadline": boa.env.timestamp + 60,
    }
    domain = {
        "name": token.contract.name(),
        "version": "1",
        "chainId": boa.env.evm.patch.chain_id,
        "verifyingContract": token.contract.address,
    }
    said = {**fields, **{key: value for key, value in other.items() if key in fields}}
    where = {**domain, **{key: value for key, value in other.items() if key in domain}}
    kinds = {
        "Permit": [
            {"name": "owner", "type": "address"},
            {"name": "spender", "type": "address"},
            {"name": "value", "type": "uint256"},
            {"name": "nonce", "type": "uint256"},
            {"name": "deadline", "type": "uint256"},
        ]
    }
    signature = OWNER.sign_message(encode_typed_data(where, kinds, said))
    word = [value.to_bytes(32, "big") for value in (signature.r, signature.s)]
    return (OWNER.address, spender, amount, said["deadline"], signature.v, *word)


def test_a_permit_is_good_once(fund: Fund) -> None:
    """Scenario: used, sent again, sent in its mirrored form. Property: one allowance, once."""
    token = fund.tokens[0]
    attacker = token.world.roles.attacker
    token.contract.transfer(OWNER.address, 10 * WAD, sender=token.world.roles.depositor)
    permit = signed(token, attacker, 5 * WAD)
    token.contract.permit(*permit, sender=attacker)
    token.contract.transferFrom(OWNER.address, attacker, 5 * WAD, sender=attacker)
    *head, v, r, s = permit
    mirrored = (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    for again in (permit, (*head, 55 - v, r, mirrored)):
        with boa.reverts():
            token.contract.permit(*again, sender=attacker)
    with boa.reverts():
        token.contract.transferFrom(OWNER.address, attacker, 1, sender=attacker)
    assert token.contract.balanceOf(OWNER.address) == 5 * WAD


@pytest.mark.parametrize(
    "other",
    [
        {"chainId": 10},
        {"name": "ETH 1x short"},
        {"version": "2"},
        {"value": 1},
        {"nonce": 1},
        {"deadline": 1},
        {"owner": "0x" + "22" * 20},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_permit_is_good_for_what_it_says_alone(fund: Fund, other: dict[str, Any]) -> None:
    """Scenario: signed for another chain, token, amount, nonce, time, owner. Property: refused."""
    token = fund.tokens[0]
    with boa.reverts():
        token.contract.permit(*signed(token, token.world.roles.attacker, 5 * WAD, **other))


def test_a_permit_of_one_series_is_none_of_another(fund: Fund) -> None:
    """Scenario: a permit for the long is sent to the short. Property: refused there."""
    long, short = fund.tokens
    attacker = long.world.roles.attacker
    permit = signed(long, attacker, 5 * WAD, name=short.contract.name())
    with boa.reverts():
        short.contract.permit(*permit)
    with boa.reverts():
        short.contract.permit(*signed(long, attacker, 5 * WAD))
    long.contract.permit(*signed(long, attacker, 5 * WAD))
    assert long.contract.allowance(OWNER.address, attacker) == 5 * WAD
