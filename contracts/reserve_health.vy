# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title reserve_health
@custom:contract-name reserve_health
@license GNU Affero General Public License v3.0 only
@notice The hourly publication: levels, suspensions and the publisher's refund.
@dev A series' level is its account and its published share of the common part, over its nav at
     the supply averaged over seven days. The published share is one number: common part per such
     nav of all series, as of the last publication.
"""


from .interfaces import ILeveragedToken
from .interfaces import IOracle

from . import reserve_account
from . import reserve_books
from . import reserve_config
uses: reserve_books


# @dev The last publication. Shares times 1e18.
struct Health:
    published_at: uint256
    common_share: uint256      # of the common part, per nav at the week's mean supply
    level: uint256             # the whole reserve over all nav, at present supply


# @dev Emitted for each series at each publication. Level times 1e18.
event Published:
    series: indexed(address)
    nav: uint256
    slow_nav: uint256
    account: uint256
    level: uint256
    suspended: bool


# @dev Emitted at each publication.
event HealthPublished:
    publisher: indexed(address)
    nav: uint256
    books: uint256
    level: uint256
    common: uint256
    common_share: uint256
    refund: uint256


WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36
HOUR: constant(uint256) = 3_600

# @dev The level below which raising is suspended, and the one that ends it.
FLOOR: constant(uint256) = 10**17
RESUME: constant(uint256) = 12 * 10**16

# @dev A publisher gets the gas of a publication, of the whole reserve at most a 4,000th at once.
# That is forgotten evenly within a day, so that no 24 hours pay more than a 2,000th.
REFUND_PARTS: constant(uint256) = 4_000

# @dev Gas outside of what is measured: the transaction itself, the payment and the last event.
GAS_AROUND: constant(uint256) = 60_000

# @dev Series that one launch makes at most: a publication asks them one by one.
MAX_SERIES: constant(uint256) = 4


# @dev The series, in the order of their launch.
_series: DynArray[address, MAX_SERIES]

# @dev The last publication, and what publishers got << 64 | when.
_health: Health
_refunded: uint256


@external
@nonreentrant
def publish() -> uint256:
    """
    @notice Publishes the health of the reserve and of each series, at most once an hour, and
            has each oracle remember its price. The sender gets its gas, as far as the day's
            share of the reserve goes.
    @return uint256 The refund, in the underlying.
    """
    before: uint256 = msg.gas
    assert block.timestamp >= self._health.published_at + HOUR, "reserve: published this hour"
    common_: uint256 = reserve_books.common
    books: uint256 = common_
    navs: DynArray[uint256, MAX_SERIES] = []
    slows: DynArray[uint256, MAX_SERIES] = []
    nav: uint256 = 0
    slow: uint256 = 0
    for each: address in self._series:
        extcall IOracle(staticcall ILeveragedToken(each).oracle()).poke()
        one: uint256 = 0
        supply: uint256 = 0
        mean: uint256 = 0
        one, supply, mean = staticcall ILeveragedToken(each).standing()
        navs.append(one)
        slows.append(self._slow(one, mean, supply))
        nav += one
        books += reserve_books._held(reserve_books._accounts[each])
        slow += self._slow(one, mean, supply)
    self._health = Health(
        published_at=block.timestamp,
        common_share=common_ * WAD // max(slow, 1),
        level=books * WAD // max(nav, 1),
    )
    place: uint256 = 0
    for each: address in self._series:
        self._publish_one(each, navs[place], slows[place])
        place += 1
    refund: uint256 = self._refund(before, books)
    log HealthPublished(
        publisher=msg.sender,
        nav=nav,
        books=books,
        level=self._health.level,
        common=common_,
        common_share=self._health.common_share,
        refund=refund,
    )
    return refund


@external
@view
def suspended(series_: address) -> bool:
    """
    @notice Whether what raises a series' leverage would be refused now.
    @param series_ The series.
    """
    nav: uint256 = 0
    supply: uint256 = 0
    mean: uint256 = 0
    nav, supply, mean = staticcall ILeveragedToken(series_).standing()
    return self._is_suspended(reserve_books._known(series_), self._slow(nav, mean, supply))


@external
@view
def health() -> Health:
    """
    @notice The last publication.
    """
    return self._health


@external
@view
def series() -> DynArray[address, MAX_SERIES]:
    """
    @notice The series of this reserve.
    """
    return self._series


@internal
def _publish_one(series_: address, nav: uint256, slow: uint256):
    word: uint256 = reserve_books._accounts[series_]
    suspended_: bool = self._is_suspended(word, slow)
    if suspended_ != (word & reserve_books.SUSPENDED != 0):
        reserve_books._accounts[series_] = word ^ reserve_books.SUSPENDED
    held: uint256 = reserve_books._held(word)
    log Published(
        series=series_,
        nav=nav,
        slow_nav=slow,
        account=held,
        level=self._level(held, slow),
        suspended=suspended_,
    )


@internal
def _refund(before: uint256, books: uint256) -> uint256:
    """
    @notice Pays the publisher from all accounts and the common part, in proportion to them.
    """
    word: uint256 = self._refunded
    most: uint256 = books // REFUND_PARTS
    used: uint256 = reserve_account._remembered(
        word >> 64, most, block.timestamp - (word & reserve_books.TIME), reserve_account.DAY
    )
    cost: uint256 = (before - msg.gas + GAS_AROUND) * block.basefee
    native_oracle: address = reserve_config._config().native_oracle
    if native_oracle != empty(address):
        price: uint256 = 0
        updated: uint256 = 0
        jump: uint256 = 0
        price, updated, jump = staticcall IOracle(native_oracle).latest(False)
        cost = cost * price // SCALE if updated > 0 else 0
    wanted: uint256 = reserve_account._within(cost, most, used)
    paid: uint256 = 0
    for each: address in self._series:
        account: uint256 = reserve_books._accounts[each]
        held: uint256 = reserve_books._held(account)
        part: uint256 = wanted * held // max(books, 1)
        if part > 0:
            reserve_books._keep(each, account, held - part)
            paid += part
    rest: uint256 = min(wanted - paid, wanted * reserve_books.common // max(books, 1))
    reserve_books.common -= rest
    paid += rest
    self._refunded = (used + paid) << 64 | block.timestamp
    reserve_config._send(msg.sender, paid)
    return paid


@internal
@pure
def _slow(nav: uint256, mean_week: uint256, supply: uint256) -> uint256:
    """
    @notice Nav at the supply averaged over seven days.
    """
    return nav * mean_week // max(supply, 1)


@internal
@view
def _level(held: uint256, slow: uint256) -> uint256:
    """
    @notice Account and published share of the common part over nav at the week's mean.
    """
    if slow == 0:
        return max_value(uint256)
    share: uint256 = min(reserve_books.common, self._health.common_share * slow // WAD)
    return (held + share) * WAD // slow


@internal
@view
def _is_suspended(word: uint256, slow: uint256) -> bool:
    """
    @notice Suspended below the floor, and then until the resume level.
    """
    least: uint256 = RESUME if word & reserve_books.SUSPENDED != 0 else FLOOR
    held: uint256 = reserve_books._held(word)
    # most accounts hold enough alone: the common part is not read then
    if held * WAD >= least * slow:
        return False
    return self._level(held, slow) < least
