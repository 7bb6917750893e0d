# pragma version 0.4.3
# pragma evm-version cancun
"""
@title An interest model that says what a test wants, or reverts
@notice A double of a model that Morpho's owner should not have allowed.
"""

struct MarketParams:
    loanToken: address
    collateralToken: address
    oracle: address
    irm: address
    lltv: uint256


struct Market:
    totalSupplyAssets: uint128
    totalSupplyShares: uint128
    totalBorrowAssets: uint128
    totalBorrowShares: uint128
    lastUpdate: uint128
    fee: uint128


# @dev Of what is borrowed, a second, times 1e18.
rate: public(uint256)
reverts: public(bool)


@external
def set_rate(rate: uint256):
    self.rate = rate


@external
def set_reverts(reverts: bool):
    self.reverts = reverts


@internal
@view
def _rate() -> uint256:
    assert not self.reverts, "hostile_rate: reverting"
    return self.rate


@external
@view
def borrowRate(market_params: MarketParams, market: Market) -> uint256:
    return self._rate()


@external
@view
def borrowRateView(market_params: MarketParams, market: Market) -> uint256:
    return self._rate()
