# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title lens_readings
@custom:contract-name lens_readings
@license GNU Affero General Public License v3.0 only
@notice How a series is read: its nav and its facts with interest up to now, what its Decision makes
        of them, and whether it would mint.
"""


from .interfaces import IDecision
from .interfaces import IOracle
from .interfaces import ISeries

from . import auction
from . import in_kind
from . import lens_cover
uses: in_kind


WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36


@internal
@pure
def _sides(config: ISeries.Config) -> (address, address):
    """
    @notice Underlying and quote asset.
    """
    if config.terms.long:
        return config.market.collateralToken, config.market.loanToken
    return config.market.loanToken, config.market.collateralToken


@internal
@view
def _standing(series: address) -> (uint256, uint256):
    """
    @notice Supply, and nav in the underlying.
    """
    config: ISeries.Config = staticcall ISeries(series).config()
    position: in_kind.Position = in_kind._position(series, config.market)
    price: uint256 = staticcall IOracle(config.market.oracle).price()
    value: uint256 = position.collateral * price // SCALE
    nav: uint256 = value - min(value, position.debt)
    return position.supply, nav * SCALE // price if config.terms.long else nav


@internal
@view
def _facts(series: address, config: ISeries.Config) -> IDecision.Facts:
    """
    @notice The series' facts with interest up to now and what its reserve says.
    """
    facts: IDecision.Facts = staticcall ISeries(series).facts()
    position: in_kind.Position = in_kind._position(series, config.market)
    facts.debt = position.debt
    facts.lendable = position.lendable
    facts.suspended = lens_cover._suspended(series, config.reserve)
    return facts


@internal
@view
def _plan(
    series: address, config: ISeries.Config, facts: IDecision.Facts
) -> IDecision.Plan:
    return staticcall IDecision(staticcall ISeries(series).DECISION()).decide(config.terms, facts)


@internal
@pure
def _premium(terms: IDecision.Terms, plan_: IDecision.Plan, at: uint256) -> int256:
    """
    @notice The premium of an instant, if price and position stay; one that begins anew is not
            looked for.
    """
    elapsed: uint256 = 0
    if plan_.began > 0 and plan_.began < at:
        elapsed = at - plan_.began
    return auction._premium(terms, plan_.danger, elapsed, 0)


@internal
@pure
def _mint_is_open(
    config: ISeries.Config, position: in_kind.Position, price: uint256, updated: uint256
) -> bool:
    """
    @notice As the token refuses.
    """
    value: uint256 = position.collateral * price // SCALE
    calm: uint256 = auction._loan_to_value(config.terms.upper, config.terms.long)
    return updated != 0 and value > 0 and position.debt * WAD <= value * calm
