# pragma version 0.4.3
# pragma evm-version cancun
"""
@title An interest model that writes a slot at every accrual
@notice A double of Morpho's adaptive curve model, which is on no package registry: the same
        interface, a steep curve around a utilisation of 90 %, and a rate at the target that
        drifts with the error, kept in one slot per market. Its figures are not that model's.
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


WAD: constant(int256) = 10**18
TARGET: constant(int256) = 9 * 10**17
STEEPNESS: constant(int256) = 4
SPEED: constant(int256) = 50 * 10**18 // 31_536_000
INITIAL: constant(int256) = 4 * 10**16 // 31_536_000
LOWEST: constant(int256) = 10**15 // 31_536_000
HIGHEST: constant(int256) = 2 * 10**18 // 31_536_000

rate_at_target: public(HashMap[bytes32, int256])


@internal
@view
def _error(market: Market) -> int256:
    """
    @dev -1 at no utilisation, 0 at the target, 1 at full utilisation; times 10**18.
    """
    if market.totalSupplyAssets == 0:
        return -WAD
    supplied: int256 = convert(market.totalSupplyAssets, int256)
    used: int256 = min(convert(market.totalBorrowAssets, int256) * WAD // supplied, WAD)
    return (used - TARGET) * WAD // (WAD - TARGET if used > TARGET else TARGET)


@internal
@pure
def _on_curve(at_target: int256, error: int256) -> uint256:
    if error < 0:
        return convert(at_target * (WAD + error * (STEEPNESS - 1) // STEEPNESS) // WAD, uint256)
    return convert(at_target * (WAD + error * (STEEPNESS - 1)) // WAD, uint256)


@internal
@view
def _adapted(id: bytes32, market: Market) -> int256:
    at_target: int256 = self.rate_at_target[id]
    if at_target == 0:
        return INITIAL
    elapsed: int256 = convert(block.timestamp - convert(market.lastUpdate, uint256), int256)
    drift: int256 = at_target * (SPEED * self._error(market) // WAD) * elapsed // WAD
    return max(LOWEST, min(HIGHEST, at_target + drift))


@external
@view
def borrowRateView(params: MarketParams, market: Market) -> uint256:
    return self._on_curve(self._adapted(keccak256(abi_encode(params)), market), self._error(market))


@external
def borrowRate(params: MarketParams, market: Market) -> uint256:
    id: bytes32 = keccak256(abi_encode(params))
    at_target: int256 = self._adapted(id, market)
    self.rate_at_target[id] = at_target
    return self._on_curve(at_target, self._error(market))
