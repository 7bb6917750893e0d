# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title clone_permit
@custom:contract-name clone_permit
@license GNU Affero General Public License v3.0 only
@notice EIP-2612 for clones. snekmate's erc20 keeps the name and its EIP-712 hash in immutables,
        which all clones of an implementation share: here they come from the clone's own
        configuration, its address and the chain, so that a permit is good for one series on
        one chain. Balances, allowances and nonces are snekmate's.
"""


from snekmate.auth import ownable
from snekmate.tokens import erc20
from snekmate.utils import ecdsa
from snekmate.utils import message_hash_utils
uses: erc20

from . import series_config
from . import series_words
uses: series_config


DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
VERSION: constant(String[1]) = "1"


@external
def permit(
    owner: address,
    spender: address,
    amount: uint256,
    deadline: uint256,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice Sets an allowance by its owner's signature (EIP-2612).
    @param owner Whose tokens.
    @param spender Who may spend them.
    @param amount How many.
    @param deadline The last second at which the signature is good.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature.
    """
    series_config._only_clone()
    assert block.timestamp <= deadline, "clone_permit: expired deadline"
    nonce: uint256 = erc20.nonces[owner]
    erc20.nonces[owner] = nonce + 1
    said: bytes32 = keccak256(
        abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline)
    )
    digest: bytes32 = message_hash_utils._to_typed_data_hash(self._domain(), said)
    signer: address = ecdsa._recover_vrs(
        digest, convert(v, uint256), convert(r, uint256), convert(s, uint256)
    )
    assert signer == owner, "clone_permit: invalid signature"
    erc20._approve(owner, spender, amount)


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @notice Of this series on this chain.
    """
    return self._domain()


@internal
@view
def _domain() -> bytes32:
    name: String[32] = series_config._text(series_words.NAME_WORD)
    return keccak256(
        abi_encode(DOMAIN_TYPE, keccak256(name), keccak256(VERSION), chain.id, self)
    )
