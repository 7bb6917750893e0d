# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A Chainlink-style feed that a test holds in its hand
@notice A double. Its answers, their times and its decimals can be set to anything, it remembers
        its rounds, and it can fail in the ways in which a real one can. A sequencer feed is the
        same with answers 0 and 1.
@dev Reading the latest round takes three slots, as in an aggregator: there the round, its
     transmission and the list of readers, here the round with the fault, the answer and its
     times. A proxy in front of it costs more on a chain, and is not here.
"""

flag Fault:
    REVERTS
    BURNS_GAS

# @dev As an aggregator says it.
event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256


# @dev As a proxy says it: the first phase's first round.
FIRST: constant(uint80) = 2**64 + 1

ROUND: constant(uint256) = 2**80 - 1
TIME: constant(uint256) = 2**128 - 1

decimals: public(uint8)

# @dev fault << 80 | round.
_hot: uint256
_answers: HashMap[uint80, int256]

# @dev started at << 128 | updated at.
_times: HashMap[uint80, uint256]


@deploy
def __init__(decimals: uint8, answer: int256):
    self.decimals = decimals
    self._hot = convert(FIRST, uint256) - 1
    self._update(answer)


@internal
@view
def _round() -> uint80:
    return convert(self._hot & ROUND, uint80)


@external
@view
def fault() -> Fault:
    return convert(self._hot >> 80, Fault)


@internal
@view
def _works(hot: uint256):
    fault: Fault = convert(hot >> 80, Fault)
    assert fault != Fault.REVERTS, "feed: reverting"
    assert fault != Fault.BURNS_GAS, UNREACHABLE


@internal
def _update(answer: int256):
    self._hot += 1
    self._answers[self._round()] = answer
    self._set_times(block.timestamp, block.timestamp)
    log AnswerUpdated(
        current=answer, roundId=convert(self._round(), uint256), updatedAt=block.timestamp
    )


@internal
def _set_times(started_at: uint256, updated_at: uint256):
    self._times[self._round()] = started_at << 128 | updated_at


@external
@view
def answer() -> int256:
    return self._answers[self._round()]


@external
@view
def round_id() -> uint80:
    return self._round()


@external
@view
def updated_at() -> uint256:
    return self._times[self._round()] & TIME


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
    self._set_times(started_at, updated_at)


@external
def set_decimals(decimals: uint8):
    self.decimals = decimals


@external
def set_fault(fault: Fault):
    """
    @notice 0 none, 1 every read reverts, 2 every read burns the gas that it is given.
    """
    self._hot = convert(fault, uint256) << 80 | self._hot & ROUND


@external
def change_phase():
    """
    @notice A new aggregator: the round before the latest cannot be read by its number.
    """
    answer: int256 = self._answers[self._round()]
    self._hot += 2**64
    self._answers[self._round()] = answer
    self._set_times(block.timestamp, block.timestamp)


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    hot: uint256 = self._hot
    self._works(hot)
    round: uint80 = convert(hot & ROUND, uint80)
    times: uint256 = self._times[round]
    return round, self._answers[round], times >> 128, times & TIME, round


@external
@view
def getRoundData(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    self._works(self._hot)
    times: uint256 = self._times[round_id]
    assert times > 0, "No data present"
    return round_id, self._answers[round_id], times >> 128, times & TIME, round_id
