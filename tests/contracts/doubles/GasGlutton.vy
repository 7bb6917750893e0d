# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title A contract that eats all the gas that it is given
@notice A double.
"""


@external
@view
def __default__():
    eaten: uint256 = 0
    for place: uint256 in range(10_000_000):
        eaten += convert(keccak256(abi_encode(place)), uint256) % 2
