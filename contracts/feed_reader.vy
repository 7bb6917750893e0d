# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title feed_reader
@custom:contract-name feed_reader
@license GNU Affero General Public License v3.0 only
@notice Reads a Chainlink-style feed that may revert, return rubbish, burn gas or be gone.
        A bad answer is a value (0, 0), never a revert: what closes is decided by who reads.
@dev The call gets a fixed share of gas. A caller who leaves less than that would make a good
     feed look dead; then, and only then, reading reverts: with more gas it works again.
"""


# @dev Composite feeds need about 60,000, a proxy with an aggregator 15,000 to 25,000.
FEED_GAS: constant(uint256) = 100_000

# @dev A call forwards at most 63/64 of what is left.
GAS_NEEDED: constant(uint256) = FEED_GAS + FEED_GAS // 32 + 5_000

# @dev Beyond any price; keeps what is computed from an answer inside 256 bits.
MOST: constant(int256) = 2**112


@internal
@view
def _read(feed: address) -> (int256, uint256, uint256):
    """
    @notice The latest round, whatever it says.
    @return int256 The answer.
    @return uint256 When the round started.
    @return uint256 When it was updated; 0 if there is no round to be had.
    """
    assert msg.gas > GAS_NEEDED, "feed_reader: gas"
    success: bool = False
    response: Bytes[160] = b""
    success, response = raw_call(
        feed,
        method_id("latestRoundData()"),
        max_outsize=160,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(response) < 160:
        return 0, 0, 0
    return (
        extract32(response, 32, output_type=int256),
        extract32(response, 64, output_type=uint256),
        extract32(response, 96, output_type=uint256),
    )


@internal
@view
def _answer(feed: address) -> (uint256, uint256):
    """
    @notice A positive answer and when it was updated; (0, 0) for anything else.
    """
    answer: int256 = 0
    started: uint256 = 0
    updated: uint256 = 0
    answer, started, updated = self._read(feed)
    if answer <= 0 or answer >= MOST or updated == 0:
        return 0, 0
    return convert(answer, uint256), updated
