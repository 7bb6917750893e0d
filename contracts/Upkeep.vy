# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Upkeep
@custom:contract-name Upkeep
@license GNU Affero General Public License v3.0 only
@notice Lets Chainlink Automation, or anybody, rebalance a list of leveraged tokens. The list and
        who gets the pay are fixed at deployment; it holds nothing.

        What must hold:
        1. `checkUpkeep` does not revert, and names a token only if its rebalance goes through.
        2. A token that fails, or burns its gas, keeps no other from its rebalance.
        3. The pay goes to the beneficiary, whoever calls. Under Chainlink the caller is a
           forwarder, at which a token would be lost; what is spent there, in LINK, is spent by
           who funds the upkeep, and that is the beneficiary. Others who want to earn call
           `rebalance` of the token themselves.
@dev `should_rebalance` is a view and cannot know whether the pool has liquidity within the
     tolerance, so a check also tries the rebalance, and reverts what it did. `checkUpkeep` is
     not a view in Chainlink's interface for that very reason; it is simulated, never sent.
"""


from .interfaces import IAutomation
implements: IAutomation

from . import LeveragedToken


# @dev Emitted for each token that was rebalanced.
event Performed:
    token: indexed(address)
    trigger: uint256


# @dev Emitted for each token whose rebalance reverted, with what it reverted with.
event Failed:
    token: indexed(address)
    response: Bytes[132]


MAX_TOKENS: constant(uint256) = 8


# @dev Who gets the keeper's pay.
beneficiary: public(immutable(address))


# @dev The tokens; their places in the list are the bits of `perform_data`.
_tokens: DynArray[address, MAX_TOKENS]


@deploy
def __init__(tokens_: DynArray[address, MAX_TOKENS], beneficiary_: address):
    """
    @param tokens_ Deployed leveraged tokens.
    @param beneficiary_ Who gets the pay of their rebalances.
    """
    assert len(tokens_) > 0, "upkeep: no tokens"
    assert beneficiary_ != empty(address), "upkeep: beneficiary"
    for token: address in tokens_:
        assert token.is_contract, "upkeep: not a contract"
    self._tokens = tokens_
    beneficiary = beneficiary_


@external
@view
def tokens() -> DynArray[address, MAX_TOKENS]:
    """
    @notice The tokens, in the order of the bits.
    """
    return self._tokens


@external
def checkUpkeep(check_data: Bytes[5000]) -> (bool, Bytes[32]):
    """
    @notice Whether a rebalance is due that goes through, and of which tokens. For `eth_call`.
    @param check_data The bits of the tokens to look at, in 32 bytes: so one list serves several
           upkeeps. Anything else: all.
    @return bool Whether there is one.
    @return Bytes[32] The bits of those tokens: what `performUpkeep` takes.
    """
    asked: uint256 = max_value(uint256)
    if len(check_data) == 32:
        asked = extract32(check_data, 0, output_type=uint256)
    left: uint256 = self._named(asked)
    due: uint256 = 0
    bit: uint256 = 1
    for token: address in self._tokens:
        if asked & bit != 0:
            if self._is_due(token, msg.gas // left):
                due |= bit
            left -= 1
        bit = bit << 1
    return due != 0, abi_encode(due)


@external
def performUpkeep(perform_data: Bytes[32]):
    """
    @notice Rebalances the tokens that are named. By anyone. Reverts only if none went through,
            so that what simulates it first sends nothing in vain.
    @dev Each gets an equal share of the gas that is left.
    @param perform_data As `checkUpkeep` gave it; bits beyond the list are nothing.
    """
    assert len(perform_data) == 32, "upkeep: perform_data"
    asked: uint256 = extract32(perform_data, 0, output_type=uint256)
    left: uint256 = self._named(asked)
    assert left > 0, "upkeep: nothing named"
    performed: bool = False
    for token: address in self._tokens:
        wanted: bool = asked & 1 == 1
        asked = asked >> 1
        if not wanted:
            continue
        success: bool = False
        response: Bytes[132] = b""
        success, response = raw_call(
            token,
            abi_encode(beneficiary, method_id=method_id("rebalance(address)")),
            max_outsize=132,
            gas=msg.gas // left,
            revert_on_failure=False,
        )
        left -= 1
        if success and len(response) == 32:
            performed = True
            log Performed(token=token, trigger=extract32(response, 0, output_type=uint256))
        else:
            log Failed(token=token, response=response)
    assert performed, "upkeep: nothing done"


@external
def dry_rebalance(token: address):
    """
    @notice Rebalances, and reverts in any case, with the trigger: a part of `checkUpkeep`.
    """
    raw_revert(abi_encode(extcall LeveragedToken.__interface__(token).rebalance(beneficiary)))


@internal
@view
def _named(asked: uint256) -> uint256:
    """
    @notice How many tokens of the list some bits name.
    """
    named: uint256 = 0
    for place: uint256 in range(MAX_TOKENS):
        if place < len(self._tokens):
            named += asked >> place & 1
    return named


@internal
def _is_due(token: address, share: uint256) -> bool:
    """
    @notice Whether a token asks for a rebalance, and one goes through.
    """
    success: bool = False
    response: Bytes[64] = b""
    success, response = raw_call(
        token,
        method_id("should_rebalance()"),
        max_outsize=64,
        gas=share // 4,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(response) != 32 or extract32(response, 0, output_type=uint256) == 0:
        return False
    success, response = raw_call(
        self,
        abi_encode(token, method_id=method_id("dry_rebalance(address)")),
        max_outsize=64,
        gas=share // 2,
        revert_on_failure=False,
    )
    return not success and len(response) == 32
