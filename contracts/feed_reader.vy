# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title feed_reader
@custom:contract-name feed_reader
@license GNU Affero General Public License v3.0 only
@notice Reads a Chainlink-style feed that may revert, return rubbish, burn gas or be gone. A bad
        answer is a value (0), never a revert: what follows from it is decided by who reads.
@dev Each call gets a fixed share of gas, so that a read is bounded. A caller who leaves less than
     that would make a good feed look dead; then, and only then, reading reverts: with more gas
     it works again.
"""


# @dev A round that may not be one: `answer` is 0 where it is not good.
struct Round:
    id: uint256
    answer: uint256
    updated: uint256


# @dev Composite feeds need about 60,000, a proxy with an aggregator 15,000 to 25,000.
FEED_GAS: constant(uint256) = 100_000

# @dev A call forwards at most 63/64 of what is left.
GAS_NEEDED: constant(uint256) = FEED_GAS + FEED_GAS // 32 + 5_000

# @dev Beyond any price; keeps what is computed from an answer inside 256 bits.
MOST: constant(int256) = 2**112

WAD: constant(uint256) = 10**18

# @dev A larger move between two rounds (5 %) may be a wrong answer; it counts for a minute.
JUMP: constant(uint256) = WAD // 20
FADE: constant(uint256) = 60

# @dev Rounds that are looked back at most: a minute of blocks.
ROUNDS: constant(uint256) = 5


@internal
@view
def _words(feed: address, data: Bytes[36]) -> Bytes[160]:
    """
    @notice The five words of a round; nothing where the feed does not give them.
    """
    assert msg.gas > GAS_NEEDED, "feed_reader: gas"
    success: bool = False
    response: Bytes[160] = b""
    success, response = raw_call(
        feed, data, max_outsize=160, gas=FEED_GAS, is_static_call=True, revert_on_failure=False
    )
    if not success or len(response) < 160:
        return b""
    return response


@internal
@view
def _latest(feed: address) -> Round:
    """
    @notice The latest round, with an answer where that is positive and was given by now.
    """
    response: Bytes[160] = self._words(feed, method_id("latestRoundData()"))
    if len(response) < 160:
        return empty(Round)
    answer: int256 = extract32(response, 32, output_type=int256)
    updated: uint256 = extract32(response, 96, output_type=uint256)
    if answer <= 0 or answer >= MOST or updated == 0 or updated > block.timestamp:
        return empty(Round)
    id: uint256 = extract32(response, 0, output_type=uint256)
    return Round(id=id, answer=convert(answer, uint256), updated=updated)


@internal
@view
def _jump(feed: address, latest: Round) -> uint256:
    """
    @notice The largest jump between two successive answers of the last minute, max / min - 1,
            times 1e18: 0 up to 5 %, else fading to 0 within a minute after the older one was
            superseded, rounded up. Where a round before cannot be read, as after a change of the
            feed's aggregator, it ends there. The last round alone would be passed by a wrong
            answer that is given twice; all of a minute's moves together would hold takers off in
            a crash, which comes in many small steps.
    """
    jump: uint256 = 0
    newer: uint256 = latest.answer
    # when the answer that a round is compared with was superseded
    since: uint256 = latest.updated
    for back: uint256 in range(1, ROUNDS + 1):
        age: uint256 = block.timestamp - min(since, block.timestamp)
        if age >= FADE or latest.id < back:
            return jump
        response: Bytes[160] = self._words(
            feed, abi_encode(latest.id - back, method_id=method_id("getRoundData(uint80)"))
        )
        if len(response) < 160:
            return jump
        answer: int256 = extract32(response, 32, output_type=int256)
        if answer <= 0 or answer >= MOST:
            return jump
        before: uint256 = convert(answer, uint256)
        high: uint256 = max(newer, before)
        low: uint256 = min(newer, before)
        moved: uint256 = ((high - low) * WAD + low - 1) // low
        if moved > JUMP:
            jump = max(jump, (moved * (FADE - age) + FADE - 1) // FADE)
        since = extract32(response, 96, output_type=uint256)
        newer = before
    return jump


@internal
@view
def _is_up(sequencer: address, grace: uint256) -> bool:
    """
    @notice Whether a chain's sequencer has been up for longer than the grace period.
    """
    # 0: up, 1: down; the round started when that began
    response: Bytes[160] = self._words(sequencer, method_id("latestRoundData()"))
    if len(response) < 160:
        return False
    started: uint256 = extract32(response, 64, output_type=uint256)
    if extract32(response, 32, output_type=int256) != 0 or started == 0:
        return False
    return started <= block.timestamp and block.timestamp - started > grace
