# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title series_state
@custom:contract-name series_state
@license GNU Affero General Public License v3.0 only
@notice What a series is at a moment, in one place: for its events, its decision, its reserve and
        those who look. Positions are up to the market's last accrual.
"""


from snekmate.tokens import erc20
uses: erc20

from .interfaces import IDecision
from .interfaces import ILeveragedToken
from .interfaces import IMorpho
from .interfaces import IOracle

from . import clock_slot
from . import morpho_position
from . import series_config
from . import series_words
from . import supply_mean
uses: clock_slot
uses: morpho_position
uses: supply_mean


SCALE: constant(uint256) = 10**36


# @dev What every series asks for what is due.
DECISION: public(immutable(IDecision))


@deploy
def __init__(decision: address):
    """
    @param decision The Decision contract.
    """
    DECISION = IDecision(decision)


@external
@view
@nonreentrant
def state() -> ILeveragedToken.State:
    """
    @notice Position, fees, supply and its means.
    """
    return self._state(series_config._market())


@external
@view
@nonreentrant
def facts() -> IDecision.Facts:
    """
    @notice What the decision is made from, but for a suspension, which the reserve knows. Where
            the feed has no good answer the price is the last good one.
    """
    market: IMorpho.MarketParams = series_config._market()
    price: uint256 = 0
    updated: uint256 = 0
    jump: uint256 = 0
    price, updated, jump = staticcall IOracle(
        market.oracle
    ).latest(True)
    position: morpho_position.Position = morpho_position._position(market)
    return self._facts(market.lltv, position, price, jump, clock_slot._read())


@external
@view
@nonreentrant
def standing() -> (uint256, uint256, uint256):
    """
    @notice What a publication reads.
    @return uint256 Nav in the underlying, at the price that Morpho is told; 0 where there is none.
    @return uint256 The supply.
    @return uint256 The supply averaged over seven days.
    """
    config: series_words.Config = series_config._config()
    price: uint256 = staticcall IOracle(config.market.oracle).price()
    position: morpho_position.Position = morpho_position._position(config.market)
    nav: uint256 = self._nav(position, price, config.terms.long)
    supply: uint256 = erc20.totalSupply
    return nav, supply, supply_mean._means(supply)[1]


@internal
@view
def _state(market: IMorpho.MarketParams) -> ILeveragedToken.State:
    return self._placed(self._counted(), market)


@internal
@view
def _counted() -> ILeveragedToken.State:
    """
    @notice The part of the state that the token itself keeps: supply, its means, fees.
    """
    state: ILeveragedToken.State = empty(ILeveragedToken.State)
    state.supply = erc20.totalSupply
    state.mean_day, state.mean_week = supply_mean._means(state.supply)
    state.fees = supply_mean._fees()
    return state


@internal
@view
def _placed(
    counted: ILeveragedToken.State, market: IMorpho.MarketParams
) -> ILeveragedToken.State:
    """
    @notice The state, with the part that lies in Morpho.
    """
    state: ILeveragedToken.State = counted
    position: morpho_position.Position = morpho_position._position(market)
    state.collateral = position.collateral
    state.shares = position.shares
    state.debt = position.debt
    return state


@internal
@pure
def _facts(
    threshold: uint256,
    position: morpho_position.Position,
    price: uint256,
    jump: uint256,
    clock: clock_slot.Clock,
) -> IDecision.Facts:
    return IDecision.Facts(
        collateral=position.collateral,
        debt=position.debt,
        price=price,
        jump=jump,
        threshold=threshold,
        lendable=position.lendable,
        suspended=False,
        arrived=clock.arrived,
        opened=clock.opened,
        opened_up=clock.opened_up,
        filled=clock.filled,
        filled_trigger=clock.filled_trigger,
        allocated=clock.allocated,
    )


@internal
@view
def _good_price(oracle: address, with_jump: bool) -> (uint256, uint256):
    """
    @notice The price, and the jump if it is asked for; refuses an answer that is not good.
    """
    price: uint256 = 0
    updated: uint256 = 0
    jump: uint256 = 0
    price, updated, jump = staticcall IOracle(oracle).latest(with_jump)
    assert updated != 0, "series_state: no good price"
    return price, jump


@internal
@pure
def _nav(position: morpho_position.Position, price: uint256, long: bool) -> uint256:
    """
    @notice In the underlying, rounded down; 0 where there is none.
    """
    worth: uint256 = position.collateral * price // SCALE
    return self._in_underlying(worth - min(worth, position.debt), price, long)


@internal
@pure
def _in_underlying(amount: uint256, price: uint256, long: bool) -> uint256:
    """
    @notice Debt units as the underlying, which a long has as collateral; rounded down.
    """
    return amount * SCALE // price if long else amount
