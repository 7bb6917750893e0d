# pragma version 0.4.3
# pragma evm-version cancun
"""
@title The price feed of a peer's market
@notice A double, for the bill of gas only: one price, in the interface of Perpetual v2.
"""

price: public(uint256)


@deploy
def __init__(price: uint256):
    self.price = price


@external
@pure
def decimals() -> uint8:
    return 18


@external
@view
def getPrice(interval: uint256) -> uint256:
    return self.price


@external
@view
def getDispatchedPrice(interval: uint256) -> uint256:
    return self.price


@external
def dispatchPrice(interval: uint256):
    pass


@external
def cacheTwap(interval: uint256):
    pass
