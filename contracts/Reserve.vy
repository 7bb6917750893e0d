# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Reserve
@custom:contract-name Reserve
@license GNU Affero General Public License v3.0 only
@notice The reserve of the series that were launched with it, held in their underlying: an account
        for each series and a common part. A clone with its configuration appended to its code;
        no owner, and no way to add a series later.

        What must hold, in the order of its rank:
        1. Accounts, common part and what is owed add up to at most the balance. It counts by its
           books: what somebody sends without a call is nobody's.
        2. It pays for fills of its own series only. Outside an emergency a series pays and gains
           from its own account, each way at most K * W; in one at most 2 % of W in a day, after
           its account from at most a quarter of the common part.
        3. An account receives its own fees and gains, and the injections that name its series.
           Nothing is split in proportion to the nav of a moment, which an hour's capital buys.
        4. Nothing that it does can close a series' exit: no exit calls it.
        5. Below the floor what raises leverage is suspended until the level is back at the
           resume level; what lowers it never is.
@dev A series' level is its account and its published share of the common part, over its nav at
     the supply averaged over seven days. The published share is one number: common part per such
     nav of all series, as of the last publication.
"""


from ethereum.ercs import IERC20

from .interfaces import ILeveragedToken
from .interfaces import IOracle
from .interfaces import IReserve
implements: IReserve

from . import reserve_account


# @dev What is fixed.
struct Config:
    factory: address
    underlying: address
    native_oracle: address     # underlying per wei of the native coin, times 1e36; empty: the
    creator: address           # underlying is the wrapped native coin itself


# @dev What an account pays and gains, as far as it is remembered.
struct Account:
    held: uint256
    suspended: bool            # as of the last publication or raise
    paid: uint256              # outside emergencies, before scaling
    gained: uint256
    settled_at: uint256
    rescued: uint256           # in emergencies
    rescued_at: uint256


# @dev The last publication. Shares times 1e18.
struct Health:
    published_at: uint256
    common_share: uint256      # of the common part, per nav at the week's mean supply
    level: uint256             # the whole reserve over all nav, at present supply


# @dev Emitted for each injection; an empty series: into the common part.
event Injected:
    sender: indexed(address)
    series: indexed(address)
    amount: uint256
    account: uint256
    common: uint256


# @dev Emitted for each fill's premium: `paid` is below zero where the reserve gained. `asked` is
# the whole premium, `counted` what the cap left of it before scaling.
event Settled:
    series: indexed(address)
    paid: int256
    asked: uint256
    counted: uint256
    emergency: bool
    account: uint256
    common: uint256


# @dev Emitted for each allocation of a series' fees.
event Credited:
    series: indexed(address)
    recipient: indexed(address)
    own: uint256
    owed: uint256
    account: uint256
    common: uint256


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


# @dev Emitted when a recipient takes what it is owed.
event Claimed:
    recipient: indexed(address)
    amount: uint256


# @dev Bytes of a clone's code before what is appended, and words of Config.
PREFIX: constant(uint256) = 45
WORDS: constant(uint256) = 4

WAD: constant(uint256) = 10**18
SCALE: constant(uint256) = 10**36
HOUR: constant(uint256) = 3_600

# @dev The level below which raising is suspended, and the one that ends it.
FLOOR: constant(uint256) = 10**17
RESUME: constant(uint256) = 12 * 10**16

# @dev A publisher gets the gas of a publication, of the whole reserve at most a 2,000th a day.
REFUND_PARTS: constant(uint256) = 2_000

# @dev Gas outside of what is measured: the transaction itself, the payment and the last event.
GAS_AROUND: constant(uint256) = 60_000

# @dev Series that one launch makes at most: a publication asks them one by one.
MAX_SERIES: constant(uint256) = 4

# @dev Packed: amounts of 96 bits, times of 64, flags.
AMOUNT: constant(uint256) = 2**96 - 1
TIME: constant(uint256) = 2**64 - 1
IS_SERIES: constant(uint256) = 1
SUSPENDED: constant(uint256) = 2


# @dev The series, in the order of their launch.
_series: DynArray[address, MAX_SERIES]

# @dev held << 2 | SUSPENDED | IS_SERIES.
_accounts: HashMap[address, uint256]

# @dev paid << 160 | gained << 64 | settled at.
_memory: HashMap[address, uint256]

# @dev rescued << 64 | rescued at.
_rescues: HashMap[address, uint256]

# @dev The common part, and what was drawn from it << 64 | when.
common: public(uint256)
_drawn: uint256

# @dev What recipients may claim.
owed: public(HashMap[address, uint256])

# @dev The last publication, and what publishers got << 64 | when.
_health: Health
_refunded: uint256


@external
def register(
    series_: DynArray[address, MAX_SERIES],
    injections: DynArray[uint256, MAX_SERIES],
    injected: uint256,
):
    """
    @notice Names the series, once, by the factory, which sent their injections before.
    @param series_ The series of this launch.
    @param injections Into their accounts.
    @param injected Into the common part.
    """
    config_: Config = self._config()
    assert msg.sender == config_.factory, "reserve: factory"
    assert len(self._series) == 0, "reserve: registered"
    self._series = series_
    self.common = injected
    books: uint256 = injected
    place: uint256 = 0
    for each: address in series_:
        amount: uint256 = injections[place]
        self._accounts[each] = amount << 2 | IS_SERIES
        books += amount
        place += 1
        log Injected(
            sender=config_.creator, series=each, amount=amount, account=amount, common=injected
        )
    if injected > 0:
        log Injected(
            sender=config_.creator,
            series=empty(address),
            amount=injected,
            account=0,
            common=injected,
        )
    balance_: uint256 = staticcall IERC20(config_.underlying).balanceOf(self)
    assert balance_ >= books, "reserve: less arrived"


@external
@nonreentrant
def inject(series_: address, amount: uint256):
    """
    @notice Adds capital, for ever: into the account of a series, or into the common part.
    @param series_ The series; empty: the common part.
    @param amount Of the underlying, from the sender.
    """
    underlying_: address = self._config().underlying
    before: uint256 = staticcall IERC20(underlying_).balanceOf(self)
    assert extcall IERC20(underlying_).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "reserve: transfer"
    after: uint256 = staticcall IERC20(underlying_).balanceOf(self)
    assert after >= before + amount, "reserve: less arrived"
    held: uint256 = 0
    if series_ == empty(address):
        self.common += amount
    else:
        held = self._held(self._known(series_)) + amount
        self._keep(series_, held)
    log Injected(
        sender=msg.sender, series=series_, amount=amount, account=held, common=self.common
    )


@external
def settle(what: IReserve.Settlement) -> uint256:
    """
    @notice Pays for a fill, or takes its gain, which the series sends afterwards. Refuses what
            raises leverage while that is suspended.
    @param what The fill's premium (see IReserve).
    @return uint256 Paid or gained, in the underlying.
    """
    word: uint256 = self._known(msg.sender)
    if what.raising:
        suspended_: bool = self._is_suspended(
            word, self._slow(what.nav, what.mean_week, what.supply)
        )
        assert not suspended_, "reserve: raising is suspended"
        if word & SUSPENDED != 0:
            self._accounts[msg.sender] = word ^ SUSPENDED
    if what.amount == 0:
        return 0
    if what.emergency and not what.gains:
        return self._rescue(what)
    return self._calm(what)


@external
def credit(own: uint256, owed_: uint256, recipient: address, worth: uint256):
    """
    @notice Counts fees that a series has sent: its own share, into its account until that is
            full, and the recipient's, who claims it.
    @param own The series' share.
    @param owed_ The recipient's.
    @param recipient Who may claim it.
    @param worth W of the series.
    """
    held: uint256 = self._held(self._known(msg.sender))
    held = self._take_in(msg.sender, held, own, worth)
    if owed_ > 0:
        self.owed[recipient] += owed_
    log Credited(
        series=msg.sender,
        recipient=recipient,
        own=own,
        owed=owed_,
        account=held,
        common=self.common,
    )


@external
@nonreentrant
def claim(recipient: address) -> uint256:
    """
    @notice Sends a recipient what it is owed. By anyone; one that cannot receive stops nobody.
    @param recipient Whose fees.
    @return uint256 What was sent.
    """
    amount: uint256 = self.owed[recipient]
    self.owed[recipient] = 0
    self._send(recipient, amount)
    log Claimed(recipient=recipient, amount=amount)
    return amount


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
    common_: uint256 = self.common
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
        books += self._held(self._accounts[each])
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
def account(series_: address) -> Account:
    """
    @notice A series' account, as it was last written.
    @param series_ The series.
    """
    word: uint256 = self._known(series_)
    memory: uint256 = self._memory[series_]
    rescue: uint256 = self._rescues[series_]
    return Account(
        held=self._held(word),
        suspended=word & SUSPENDED != 0,
        paid=memory >> 160,
        gained=memory >> 64 & AMOUNT,
        settled_at=memory & TIME,
        rescued=rescue >> 64,
        rescued_at=rescue & TIME,
    )


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
    return self._is_suspended(self._known(series_), self._slow(nav, mean, supply))


@external
@view
def drawn() -> (uint256, uint256):
    """
    @notice What emergencies drew from the common part, and when they last did.
    """
    return self._drawn >> 64, self._drawn & TIME


@external
@view
def health() -> Health:
    """
    @notice The last publication.
    """
    return self._health


@external
@view
def is_series(series_: address) -> bool:
    """
    @notice Whether a series was launched with this reserve.
    @param series_ The series.
    """
    return self._accounts[series_] & IS_SERIES != 0


@external
@view
def series() -> DynArray[address, MAX_SERIES]:
    """
    @notice The series of this reserve.
    """
    return self._series


@external
@view
def underlying() -> address:
    """
    @notice What the reserve holds.
    """
    return self._config().underlying


@external
@view
def creator() -> address:
    """
    @notice Who launched it.
    """
    return self._config().creator


@external
@view
def config() -> Config:
    """
    @notice All that is fixed.
    """
    return self._config()


@internal
def _calm(what: IReserve.Settlement) -> uint256:
    """
    @notice Outside an emergency, and for every gain.
    """
    held: uint256 = self._held(self._accounts[msg.sender])
    memory: uint256 = self._memory[msg.sender]
    elapsed: uint256 = block.timestamp - (memory & TIME)
    counts: uint256 = min(what.mean_day, what.supply)
    weighted: uint256 = what.nav * counts // what.supply
    cap: uint256 = weighted * what.rate // WAD
    paid: uint256 = memory >> 160
    most: uint256 = reserve_account._paying_cap(cap, held, paid)
    paid = reserve_account._remembered(paid, most, elapsed, reserve_account.WEEK)
    gained: uint256 = reserve_account._remembered(
        memory >> 64 & AMOUNT, cap, elapsed, reserve_account.WEEK
    )
    counted: uint256 = 0
    due: uint256 = 0
    if what.gains:
        counted = reserve_account._within(what.amount, cap, gained)
        gained += counted
        due = counted * counts // what.supply
        held = self._take_in(msg.sender, held, due, weighted)
    else:
        counted = reserve_account._within(what.amount, most, paid)
        paid += counted
        due = min(counted * counts // what.supply, held)
        held -= due
        self._keep(msg.sender, held)
    self._memory[msg.sender] = (
        min(paid, AMOUNT) << 160 | min(gained, AMOUNT) << 64 | block.timestamp
    )
    self._log_settled(what, due, counted, held)
    if not what.gains:
        self._send(what.receiver, due)
    return due


@internal
def _rescue(what: IReserve.Settlement) -> uint256:
    """
    @notice What is paid in an emergency: from the account, then from the common part.
    """
    held: uint256 = self._held(self._accounts[msg.sender])
    word: uint256 = self._rescues[msg.sender]
    counts: uint256 = min(what.mean_day, what.supply)
    most: uint256 = what.nav * counts // what.supply // reserve_account.RESCUE_PARTS
    used: uint256 = reserve_account._remembered_whole(
        word >> 64, block.timestamp - (word & TIME)
    )
    counted: uint256 = reserve_account._within(what.amount, most, used)
    due: uint256 = counted * counts // what.supply
    own: uint256 = min(due, held)
    due = own + self._draw(due - own)
    if counted > 0:
        self._rescues[msg.sender] = (used + counted) << 64 | block.timestamp
    if own > 0:
        held -= own
        self._keep(msg.sender, held)
    self._log_settled(what, due, counted, held)
    self._send(what.receiver, due)
    return due


@internal
def _draw(wanted: uint256) -> uint256:
    """
    @notice What the common part pays of an amount.
    """
    if wanted == 0:
        return 0
    word: uint256 = self._drawn
    common_: uint256 = self.common
    used: uint256 = reserve_account._remembered_whole(
        word >> 64, block.timestamp - (word & TIME)
    )
    most: uint256 = (common_ + used) // reserve_account.COMMON_PARTS
    paid: uint256 = reserve_account._within(wanted, most, used)
    if paid > 0:
        self.common = common_ - paid
        self._drawn = (used + paid) << 64 | block.timestamp
    return paid


@internal
def _take_in(series_: address, held: uint256, amount: uint256, weighted: uint256) -> uint256:
    """
    @notice Into an account until it is full, the rest into the common part.
    @return uint256 What the account holds.
    """
    kept: uint256 = reserve_account._kept(held, amount, weighted)
    if kept > 0:
        self._keep(series_, held + kept)
    if amount > kept:
        self.common += amount - kept
    return held + kept


@internal
def _publish_one(series_: address, nav: uint256, slow: uint256):
    word: uint256 = self._accounts[series_]
    suspended_: bool = self._is_suspended(word, slow)
    if suspended_ != (word & SUSPENDED != 0):
        self._accounts[series_] = word ^ SUSPENDED
    held: uint256 = self._held(word)
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
        word >> 64, most, block.timestamp - (word & TIME), reserve_account.DAY
    )
    cost: uint256 = (before - msg.gas + GAS_AROUND) * block.basefee
    native_oracle: address = self._config().native_oracle
    if native_oracle != empty(address):
        price: uint256 = 0
        updated: uint256 = 0
        jump: uint256 = 0
        price, updated, jump = staticcall IOracle(native_oracle).latest(False)
        cost = cost * price // SCALE if updated > 0 else 0
    wanted: uint256 = reserve_account._within(cost, most, used)
    paid: uint256 = 0
    for each: address in self._series:
        held: uint256 = self._held(self._accounts[each])
        part: uint256 = wanted * held // max(books, 1)
        if part > 0:
            self._keep(each, held - part)
            paid += part
    rest: uint256 = min(wanted - paid, wanted * self.common // max(books, 1))
    self.common -= rest
    paid += rest
    self._refunded = (used + paid) << 64 | block.timestamp
    self._send(msg.sender, paid)
    return paid


@internal
def _log_settled(
    what: IReserve.Settlement, due: uint256, counted: uint256, held: uint256
):
    paid: int256 = convert(due, int256)
    log Settled(
        series=msg.sender,
        paid=-paid if what.gains else paid,
        asked=what.amount,
        counted=counted,
        emergency=what.emergency,
        account=held,
        common=self.common,
    )


@internal
def _send(receiver: address, amount: uint256):
    if amount > 0:
        assert extcall IERC20(self._config().underlying).transfer(
            receiver, amount, default_return_value=True
        ), "reserve: send"


@internal
@view
def _known(series_: address) -> uint256:
    """
    @notice The account's word; refuses a stranger.
    """
    word: uint256 = self._accounts[series_]
    assert word & IS_SERIES != 0, "reserve: not its series"
    return word


@internal
@pure
def _held(word: uint256) -> uint256:
    return word >> 2


@internal
def _keep(series_: address, held: uint256):
    """
    @notice Writes what an account holds, and leaves its flags.
    """
    self._accounts[series_] = held << 2 | self._accounts[series_] & 3


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
    share: uint256 = min(self.common, self._health.common_share * slow // WAD)
    return (held + share) * WAD // slow


@internal
@view
def _is_suspended(word: uint256, slow: uint256) -> bool:
    """
    @notice Suspended below the floor, and then until the resume level.
    """
    least: uint256 = RESUME if word & SUSPENDED != 0 else FLOOR
    held: uint256 = self._held(word)
    # most accounts hold enough alone: the common part is not read then
    if held * WAD >= least * slow:
        return False
    return self._level(held, slow) < least


@internal
@view
def _config() -> Config:
    me: address = self
    return abi_decode(slice(me.code, PREFIX, 32 * WORDS), Config)
