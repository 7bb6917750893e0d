# pragma version 0.4.3
# pragma evm-version cancun
"""
@title snekmate's ERC-20 and nothing else
@notice What a transfer of our token is measured against.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (erc20.transfer, erc20.balanceOf)


@deploy
def __init__(holder: address, amount: uint256):
    ownable.__init__()
    erc20.__init__("Plain", "PLAIN", 18, "Plain", "1")
    erc20._mint(holder, amount)
