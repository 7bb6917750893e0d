# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title lens_distances
@custom:contract-name lens_distances
@license GNU Affero General Public License v3.0 only
@notice How far the price is from where something happens: the prices of the underlying at which
        leverage is at an edge, and at which Morpho's threshold is reached.
"""


from .interfaces import IDecision
from .interfaces import ISeries

from . import in_kind


# @dev Prices of the underlying in raw quote per raw underlying, times 1e36, at which leverage is
# there; the greatest number: at none.
struct Distances:
    lower: uint256             # where the band acts
    upper: uint256
    emergency: uint256
    liquidation: uint256       # Morpho's threshold


NEVER: constant(uint256) = max_value(uint256)
WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36


@internal
@pure
def _distances(config: ISeries.Config, position: in_kind.Position) -> Distances:
    """
    @notice All four of a series.
    """
    terms: IDecision.Terms = config.terms
    return Distances(
        lower=self._price_at(position, terms.long, terms.lower - terms.edge_slack),
        upper=self._price_at(position, terms.long, terms.upper + terms.edge_slack),
        emergency=self._price_at(position, terms.long, terms.emergency),
        liquidation=self._liquidated_at(position, terms.long, config.market.lltv),
    )


@internal
@pure
def _price_at(position: in_kind.Position, long: bool, leverage: uint256) -> uint256:
    """
    @notice The price of the underlying at which leverage is so much, rounded down: a long's
            debt * L / (L - 1) / collateral, a short's collateral * L / (L + 1) / debt.
    """
    if position.debt == 0 or position.collateral == 0:
        return NEVER
    if long:
        return position.debt * SCALE // position.collateral * leverage // (leverage - WAD)
    return position.collateral * SCALE // position.debt * leverage // (leverage + WAD)


@internal
@pure
def _liquidated_at(position: in_kind.Position, long: bool, lltv: uint256) -> uint256:
    """
    @notice Debt over value is the threshold there; rounded down.
    """
    if position.debt == 0 or position.collateral == 0:
        return NEVER
    if long:
        return position.debt * SCALE // position.collateral * WAD // lltv
    return position.collateral * SCALE // position.debt * lltv // WAD
