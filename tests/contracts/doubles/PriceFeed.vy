# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A Chainlink-style feed that a test holds in its hand
@notice A double. Its answers, their times and its decimals can be set to anything, it remembers
        its rounds, and it can fail in the ways in which a real one can. A sequencer feed is the
        same with answers 0 and 1.
"""

flag Fault:
    REVERTS
    BURNS_GAS

# @dev As a proxy says it: the first phase's first round.
FIRST: constant(uint80) = 2**64 + 1

decimals: public(uint8)
answer: public(int256)
started_at: public(uint256)
updated_at: public(uint256)
round_id: public(uint80)
fault: public(Fault)
_answers: HashMap[uint80, int256]
_times: HashMap[uint80, uint256]


@deploy
def __init__(decimals: uint8, answer: int256):
    self.decimals = decimals
    self.round_id = FIRST - 1
    self._update(answer)


@internal
def _update(answer: int256):
    self.answer = answer
    self.round_id += 1
    self.started_at = block.timestamp
    self.updated_at = block.timestamp
    self._answers[self.round_id] = answer
    self._times[self.round_id] = block.timestamp


@external
def update(answer: int256):
    """
    @notice A new answer, now.
    """
    self._update(answer)


@external
def set_times(started_at: uint256, updated_at: uint256):
    """
    @notice The same answer, said to be from another time.
    """
    self.started_at = started_at
    self.updated_at = updated_at


@external
def set_decimals(decimals: uint8):
    self.decimals = decimals


@external
def set_fault(fault: Fault):
    """
    @notice 0 none, 1 every read reverts, 2 every read burns the gas that it is given.
    """
    self.fault = fault


@external
def change_phase():
    """
    @notice A new aggregator: the round before the latest cannot be read by its number.
    """
    self.round_id += 2**64
    self._answers[self.round_id] = self.answer
    self._times[self.round_id] = block.timestamp


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    assert self.fault != Fault.REVERTS, "feed: reverting"
    assert self.fault != Fault.BURNS_GAS, UNREACHABLE
    return self.round_id, self.answer, self.started_at, self.updated_at, self.round_id


@external
@view
def getRoundData(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    assert self.fault != Fault.REVERTS, "feed: reverting"
    assert self.fault != Fault.BURNS_GAS, UNREACHABLE
    time: uint256 = self._times[round_id]
    assert time > 0, "No data present"
    return round_id, self._answers[round_id], time, time, round_id
