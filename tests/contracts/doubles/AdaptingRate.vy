# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Morpho's adaptive interest model, from its published formula
@notice A double: the model itself is on no package registry. With e the error of the utilisation
        against 90 %, from -1 to 1, the rate at the target moves by exp(50 e years), from 4 % a
        year within 0.1 % and 200 %, and borrowers pay of its mean since the last accrual
        1 + 3 e times as much above the target, 1 + 0.75 e below it. The mean is that of the
        start, twice the middle and the end. A slot per market is written at every accrual.
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
LN_2: constant(int256) = 693_147_180_559_945_309

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
@pure
def _exp(x: int256) -> int256:
    """
    @dev 2**q * (1 + r + r * r / 2), with x = q * ln 2 + r and r at most half of ln 2: within 1 %.
    """
    half: int256 = LN_2 // 2 if x >= 0 else -(LN_2 // 2)
    q: int256 = (x + half) // LN_2
    r: int256 = x - q * LN_2
    grown: int256 = WAD + r + r * r // WAD // 2
    return grown << convert(q, uint256) if q >= 0 else grown >> convert(-q, uint256)


@internal
@pure
def _moved(at_target: int256, exponent: int256) -> int256:
    return max(LOWEST, min(HIGHEST, at_target * self._exp(exponent) // WAD))


@internal
@view
def _rates(id: bytes32, market: Market) -> (uint256, int256):
    """
    @dev What borrowers pay a second since the last accrual, and the rate at the target now.
    """
    error: int256 = self._error(market)
    start: int256 = self.rate_at_target[id]
    if start == 0:
        return self._on_curve(INITIAL, error), INITIAL
    elapsed: int256 = convert(block.timestamp - convert(market.lastUpdate, uint256), int256)
    exponent: int256 = SPEED * error // WAD * elapsed
    if exponent == 0:
        return self._on_curve(start, error), start
    end: int256 = self._moved(start, exponent)
    middle: int256 = self._moved(start, exponent // 2)
    return self._on_curve((start + end + 2 * middle) // 4, error), end


@external
@view
def borrowRateView(params: MarketParams, market: Market) -> uint256:
    return self._rates(keccak256(abi_encode(params)), market)[0]


@external
def borrowRate(params: MarketParams, market: Market) -> uint256:
    id: bytes32 = keccak256(abi_encode(params))
    rate: uint256 = 0
    at_target: int256 = 0
    rate, at_target = self._rates(id, market)
    self.rate_at_target[id] = at_target
    return rate
