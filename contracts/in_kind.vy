# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title in_kind
@custom:contract-name in_kind
@license GNU Affero General Public License v3.0 only
@notice What a mint and a redemption in kind exchange in this block, with interest up to now, as
        the token computes it: rounded in favour of those who stay.
"""


from .interfaces import IIrm
from .interfaces import ILeveragedToken
from .interfaces import IMorpho
from .interfaces import ISeries

from . import auction


WAD: constant(uint256) = 10**18

# @dev Morpho's virtual shares and assets.
VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1


# @dev A series' position and its market, with interest up to now. The virtual assets and shares
# are included.
struct Position:
    collateral: uint256
    shares: uint256
    debt: uint256
    total_assets: uint256
    total_shares: uint256
    lendable: uint256
    supply: uint256


MORPHO: immutable(IMorpho)


@deploy
def __init__(morpho: address):
    """
    @param morpho Morpho Blue on this chain.
    """
    MORPHO = IMorpho(morpho)


@internal
@view
def _position(series: address, market: IMorpho.MarketParams) -> Position:
    """
    @notice As if interest were accrued now.
    """
    state: ILeveragedToken.State = staticcall ISeries(series).state()
    held: uint256[6] = staticcall MORPHO.market(keccak256(abi_encode(market)))
    supplied: uint256 = held[0]
    borrowed: uint256 = held[2]
    elapsed: uint256 = block.timestamp - held[4]
    if elapsed > 0 and market.irm != empty(address):
        rate: uint256 = staticcall IIrm(market.irm).borrowRateView(
            market,
            IIrm.Market(
                totalSupplyAssets=convert(held[0], uint128),
                totalSupplyShares=convert(held[1], uint128),
                totalBorrowAssets=convert(held[2], uint128),
                totalBorrowShares=convert(held[3], uint128),
                lastUpdate=convert(held[4], uint128),
                fee=convert(held[5], uint128),
            ),
        )
        interest: uint256 = borrowed * self._compounded(rate, elapsed) // WAD
        supplied += interest
        borrowed += interest
    position: Position = Position(
        collateral=state.collateral,
        shares=state.shares,
        debt=0,
        total_assets=borrowed + VIRTUAL_ASSETS,
        total_shares=held[3] + VIRTUAL_SHARES,
        lendable=supplied - min(supplied, borrowed),
        supply=state.supply,
    )
    position.debt = auction._div_up(
        position.shares * position.total_assets, position.total_shares
    )
    return position


@internal
@pure
def _compounded(rate: uint256, elapsed: uint256) -> uint256:
    """
    @notice Interest per borrowed unit, times 1e18: three terms of the exponential, as Morpho has.
    """
    first: uint256 = rate * elapsed
    second: uint256 = first * first // (2 * WAD)
    return first + second + second * first // (3 * WAD)


@internal
@pure
def _fee(collateral: uint256, config: ISeries.Config) -> uint256:
    """
    @notice As the token's.
    """
    multiple: uint256 = auction._multiple(config.terms.target, config.terms.long)
    return auction._div_up(collateral * config.fee, multiple)


@internal
@pure
def _minted(
    position: Position, config: ISeries.Config, tokens: uint256
) -> (uint256, uint256, uint256):
    """
    @notice Collateral to bring, the fee in it, and the debt that is given.
    """
    collateral: uint256 = auction._div_up(position.collateral * tokens, position.supply)
    fee: uint256 = self._fee(collateral, config)
    shares: uint256 = position.shares * tokens // position.supply
    return collateral + fee, fee, shares * position.total_assets // position.total_shares


@internal
@pure
def _redeemed(
    position: Position, config: ISeries.Config, tokens: uint256
) -> (uint256, uint256, uint256):
    """
    @notice Collateral that is given, the fee that stays, and the debt to bring.
    """
    collateral: uint256 = position.collateral * tokens // position.supply
    fee: uint256 = self._fee(collateral, config)
    shares: uint256 = auction._div_up(position.shares * tokens, position.supply)
    debt: uint256 = auction._div_up(shares * position.total_assets, position.total_shares)
    return collateral - fee, fee, debt
