# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title morpho_position
@custom:contract-name morpho_position
@license GNU Affero General Public License v3.0 only
@notice A series' position in Morpho Blue, and the exchange of its two assets with a taker inside
        Morpho's own callbacks: the position changes first, then the taker gets its asset, is
        called, and what it owes must have arrived. So neither side needs a loan, and a rescue
        repays before it withdraws, which Morpho allows beyond its threshold too.
@dev The fees lie in the same position as collateral and are not part of what is read here.
"""


from ethereum.ercs import IERC20

from .interfaces import IMorpho
from .interfaces import ITaker

from . import auction
from . import series_config
from . import supply_mean
uses: supply_mean


# @dev The position and its market, with interest up to the market's last accrual.
struct Position:
    collateral: uint256        # without fees
    shares: uint256            # of debt
    debt: uint256              # rounded up, as Morpho does
    total_assets: uint256      # the market's borrowed assets and shares, the virtual ones
    total_shares: uint256      # included: debt = shares * total_assets / total_shares
    lendable: uint256


# @dev What a callback has to do. With the market, which would be read from the code once more
# otherwise; Morpho brings back what this contract told it, and nobody else's words.
struct Deal:
    market: IMorpho.MarketParams
    taker: address
    receiver: address          # of what leaves the position
    out: uint256               # that leaves the position
    shares: uint256            # or so many debt shares are borrowed
    given: uint256             # to the taker in all, the reserve's part included
    owes: uint256              # by the taker


# @dev Morpho's virtual shares and assets.
VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1

# @dev Where Morpho, which nobody can change, stores its positions and its markets, as its own
# MorphoStorageLib says. A position: supply shares; debt shares | collateral << 128. A market: assets
# | shares << 128 of its supply; the same of its debt; one word that is not read here.
POSITIONS: constant(uint256) = 2
MARKETS: constant(uint256) = 3

# @dev Before the words of the only array of a call: where it begins, and how many they are.
ARRAY: constant(uint256) = 32
SLOTS: constant(uint256) = 3


MORPHO: immutable(IMorpho)


@deploy
def __init__(morpho: address):
    """
    @param morpho Morpho Blue on this chain.
    """
    MORPHO = IMorpho(morpho)


@external
def onMorphoSupplyCollateral(assets: uint256, data: Bytes[928]):
    """
    @notice Morpho's callback: the collateral counts already; borrow, give, call.
    @param assets The collateral supplied.
    @param data A deal and the taker's own data.
    """
    self._carry_out(data, True)


@external
def onMorphoRepay(assets: uint256, data: Bytes[928]):
    """
    @notice Morpho's callback: the debt is lower already; withdraw, give, call.
    @param assets The debt repaid.
    @param data A deal and the taker's own data.
    """
    self._carry_out(data, False)


@internal
def _carry_out(data: Bytes[928], borrows: bool):
    assert msg.sender == MORPHO.address, "morpho_position: not morpho"
    deal: Deal = empty(Deal)
    told: Bytes[512] = b""
    deal, told = abi_decode(data, (Deal, Bytes[512]))
    market: IMorpho.MarketParams = deal.market
    if borrows:
        got: uint256 = self._borrow(market, deal.out, deal.shares, deal.receiver)
        self._exchange(deal, told, market.loanToken, got, market.collateralToken)
    else:
        self._withdraw(market, deal.out, deal.receiver)
        self._exchange(deal, told, market.collateralToken, deal.out, market.loanToken)


@internal
def _supply(market: IMorpho.MarketParams, assets: uint256, data: Bytes[928]):
    extcall MORPHO.supplyCollateral(market, assets, self, data, skip_contract_check=True)


@internal
def _repay(
    market: IMorpho.MarketParams, assets: uint256, shares: uint256, data: Bytes[928]
):
    extcall MORPHO.repay(market, assets, shares, self, data)


@internal
def _borrow(
    market: IMorpho.MarketParams, assets: uint256, shares: uint256, receiver: address
) -> uint256:
    return (extcall MORPHO.borrow(market, assets, shares, self, receiver))[0]


@internal
def _withdraw(market: IMorpho.MarketParams, assets: uint256, receiver: address):
    extcall MORPHO.withdrawCollateral(
        market, assets, self, receiver, skip_contract_check=True
    )


@internal
@pure
def _told(deal: Deal, data: Bytes[512]) -> Bytes[928]:
    """
    @notice What Morpho brings back to the callback.
    """
    return abi_encode(deal, data)


@internal
def _exchange(
    deal: Deal, told: Bytes[512], given: address, got: uint256, owed: address
):
    """
    @notice Gives what the taker gets and takes what it owes: with data by its callback, without
            by an allowance.
    @param got What left the position.
    """
    amount: uint256 = deal.given if deal.given > 0 else got
    if deal.receiver == self:
        # the position gave more than the taker gets: the rest is the reserve's
        self._send(given, deal.taker, amount)
    if len(told) == 0:
        self._pull(owed, deal.taker, deal.owes)
        return
    before: uint256 = staticcall IERC20(owed).balanceOf(self)
    extcall ITaker(deal.taker).on_given(given, amount, owed, deal.owes, told)
    after: uint256 = staticcall IERC20(owed).balanceOf(self)
    assert after >= before + deal.owes, "morpho_position: owed"


@internal
def _accrued(market: IMorpho.MarketParams) -> Position:
    """
    @notice The position with interest up to now.
    """
    extcall MORPHO.accrueInterest(market, skip_contract_check=True)
    return self._position(market)


@internal
@view
def _position(market_: IMorpho.MarketParams) -> Position:
    """
    @notice The position up to the market's last accrual. One call for the words themselves:
            `position` would read the supply shares too, from a slot that nothing else touches.
    """
    id: bytes32 = keccak256(abi_encode(market_))
    held: uint256 = convert(
        keccak256(abi_encode(self, keccak256(abi_encode(id, POSITIONS)))), uint256
    )
    market: uint256 = convert(keccak256(abi_encode(id, MARKETS)), uint256)
    words: Bytes[160] = raw_call(
        MORPHO.address,
        abi_encode(
            ARRAY,
            SLOTS,
            # no hash is the last slot
            unsafe_add(held, 1),
            unsafe_add(market, 1),
            market,
            method_id=method_id("extSloads(bytes32[])"),
        ),
        max_outsize=160,
        is_static_call=True,
    )
    word: uint256 = extract32(words, 64, output_type=uint256)
    shares: uint256 = word << 128 >> 128
    collateral: uint256 = word >> 128
    word = extract32(words, 96, output_type=uint256)
    borrowed: uint256 = word << 128 >> 128
    lent: uint256 = extract32(words, 128, output_type=uint256) << 128 >> 128
    total_assets: uint256 = borrowed + VIRTUAL_ASSETS
    total_shares: uint256 = (word >> 128) + VIRTUAL_SHARES
    return Position(
        # after a liquidation there may be less than the fees
        collateral=collateral - min(collateral, supply_mean._fees()),
        shares=shares,
        debt=auction._div_up(shares * total_assets, total_shares),
        total_assets=total_assets,
        total_shares=total_shares,
        lendable=lent - min(lent, borrowed),
    )


@internal
def _pull(token: address, owner: address, amount: uint256):
    """
    @notice Takes an amount from somebody. Of an asset that takes a fee less arrives, and Morpho,
            which takes the whole amount from here, refuses it.
    """
    assert extcall IERC20(token).transferFrom(
        owner, self, amount, default_return_value=True
    ), "morpho_position: pull"


@internal
def _send(token: address, receiver: address, amount: uint256):
    assert extcall IERC20(token).transfer(
        receiver, amount, default_return_value=True
    ), "morpho_position: send"
