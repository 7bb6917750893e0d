# pragma version 0.4.3
# pragma evm-version cancun
"""
@title What stands in a list of leveraged tokens and is none
@notice A double. It always asks for a rebalance, and then fails in one of the ways there are.
"""

flag Vice:
    REVERTS
    BURNS_GAS
    SAYS_NOTHING
    BURNS_GAS_WHEN_ASKED

vice: public(Vice)
calls: public(uint256)


@external
def set_vice(vice: Vice):
    """
    @notice 1 reverts, 2 burns its gas, 4 returns nothing, 8 burns its gas already when asked.
    """
    self.vice = vice


@external
@view
def should_rebalance() -> uint256:
    assert self.vice != Vice.BURNS_GAS_WHEN_ASKED, UNREACHABLE
    return 4


@external
@payable
def __default__():
    # rebalance(address)
    self.calls += 1
    assert self.vice != Vice.REVERTS, "hostile: no"
    assert self.vice != Vice.BURNS_GAS and self.vice != Vice.BURNS_GAS_WHEN_ASKED, UNREACHABLE
