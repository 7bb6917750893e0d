# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title lens_cover
@custom:contract-name lens_cover
@license GNU Affero General Public License v3.0 only
@notice What stands behind a series in its reserve, as the reserve counts it.
"""


from .interfaces import ILeveragedToken
from .interfaces import ISeries


# @dev As Reserve has them.
struct Account:
    held: uint256
    suspended: bool
    paid: uint256
    gained: uint256
    settled_at: uint256
    rescued: uint256
    rescued_at: uint256


struct Health:
    published_at: uint256
    common_share: uint256
    level: uint256


interface Reserve:
    def account(series: address) -> Account: view
    def common() -> uint256: view
    def health() -> Health: view
    def suspended(series: address) -> bool: view


# @dev A series' part of its reserve. Amounts in the underlying.
struct Cover:
    account: uint256
    common: uint256
    level: uint256             # account and published share of the common part, over slow nav
    suspended: bool            # what raises leverage would be refused now
    published_at: uint256
    whole_level: uint256       # the whole reserve over all nav, as published


NEVER: constant(uint256) = max_value(uint256)
WAD: constant(uint256) = 10**18


@internal
@view
def _cover(series: address, reserve: address, nav: uint256, supply: uint256) -> Cover:
    """
    @notice The account, the common part and the level of a series with so much nav.
    """
    account: Account = staticcall Reserve(reserve).account(series)
    health: Health = staticcall Reserve(reserve).health()
    state: ILeveragedToken.State = staticcall ISeries(series).state()
    cover: Cover = Cover(
        account=account.held,
        common=staticcall Reserve(reserve).common(),
        level=NEVER,
        suspended=self._suspended(series, reserve),
        published_at=health.published_at,
        whole_level=health.level,
    )
    slow: uint256 = nav * state.mean_week // max(supply, 1)
    if slow > 0:
        share: uint256 = min(cover.common, health.common_share * slow // WAD)
        cover.level = (account.held + share) * WAD // slow
    return cover


@internal
@view
def _suspended(series: address, reserve: address) -> bool:
    """
    @notice Whether what raises the series' leverage would be refused now.
    """
    return staticcall Reserve(reserve).suspended(series)
