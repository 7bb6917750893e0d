# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title clones
@custom:contract-name clones
@license GNU Affero General Public License v3.0 only
@notice Minimal proxies (ERC-1167) with words appended to their code, which the implementation
        reads from there: a configuration that costs no storage and that nobody can change.
"""


# @dev The proxy around the implementation's address: 45 bytes with it.
BEFORE: constant(Bytes[10]) = x"363d3d373d3d3d363d73"
AFTER: constant(Bytes[15]) = x"5af43d82803e903d91602b57fd5bf3"


@internal
def _clone(implementation: address, words: Bytes[512], salt: bytes32) -> address:
    """
    @notice Deploys a clone at an address that sender, salt and code decide.
    """
    code: Bytes[557] = concat(BEFORE, convert(implementation, bytes20), AFTER, words)
    # PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN
    size: bytes2 = convert(convert(len(code), uint16), bytes2)
    made: address = raw_create(
        concat(x"61", size, x"3d81600a3d39f3", code), salt=salt, revert_on_failure=False
    )
    # the same sender, salt and words were there before: without this it would say nothing
    assert made != empty(address), "clones: salt was used"
    return made
