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
@dev Payments are in reserve_payments, the publication in reserve_health, what both write in
     reserve_books.
"""


from ethereum.ercs import IERC20

from .interfaces import IReserve
implements: IReserve

from . import reserve_account
from . import reserve_books
from . import reserve_config
from . import reserve_health
from . import reserve_payments
initializes: reserve_books
initializes: reserve_payments[reserve_books := reserve_books]
initializes: reserve_health[reserve_books := reserve_books]


exports: (
    reserve_books.common,
    reserve_books.drawn,
    reserve_books.is_series,
    reserve_config.config,
    reserve_config.creator,
    reserve_config.underlying,
    reserve_health.health,
    reserve_health.publish,
    reserve_health.series,
    reserve_health.suspended,
)


# @dev What an account pays and gains, as far as it is remembered.
struct Account:
    held: uint256
    suspended: bool            # as of the last publication or raise
    paid: uint256              # outside emergencies, before scaling
    gained: uint256
    settled_at: uint256
    rescued: uint256           # in emergencies
    rescued_at: uint256


# @dev Emitted for each injection; an empty series: into the common part.
event Injected:
    sender: indexed(address)
    series: indexed(address)
    amount: uint256
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


# @dev Emitted when a recipient takes what it is owed.
event Claimed:
    recipient: indexed(address)
    amount: uint256


# @dev What recipients may claim.
owed: public(HashMap[address, uint256])


@external
def register(
    series_: DynArray[address, reserve_health.MAX_SERIES],
    injections: DynArray[uint256, reserve_health.MAX_SERIES],
    injected: uint256,
):
    """
    @notice Names the series, once, by the factory, which sent their injections before.
    @param series_ The series of this launch.
    @param injections Into their accounts.
    @param injected Into the common part.
    """
    config_: reserve_config.Config = reserve_config._config()
    assert msg.sender == config_.factory, "reserve: factory"
    assert len(reserve_health._series) == 0, "reserve: registered"
    reserve_health._series = series_
    reserve_books.common = injected
    books: uint256 = injected
    place: uint256 = 0
    for each: address in series_:
        amount: uint256 = injections[place]
        reserve_books._accounts[each] = amount << 2 | reserve_books.IS_SERIES
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
    underlying_: address = reserve_config._underlying()
    before: uint256 = staticcall IERC20(underlying_).balanceOf(self)
    assert extcall IERC20(underlying_).transferFrom(
        msg.sender, self, amount, default_return_value=True
    ), "reserve: transfer"
    after: uint256 = staticcall IERC20(underlying_).balanceOf(self)
    assert after >= before + amount, "reserve: less arrived"
    held: uint256 = 0
    if series_ == empty(address):
        reserve_books.common += amount
    else:
        word: uint256 = reserve_books._known(series_)
        held = reserve_books._held(word) + amount
        reserve_books._keep(series_, word, held)
    log Injected(
        sender=msg.sender, series=series_, amount=amount, account=held, common=reserve_books.common
    )


@external
def settle(what: IReserve.Settlement) -> uint256:
    """
    @notice Pays for a fill, or takes its gain, which the series sends afterwards. Refuses what
            raises leverage while that is suspended.
    @param what The fill's premium (see IReserve).
    @return uint256 Paid or gained, in the underlying.
    """
    word: uint256 = reserve_books._known(msg.sender)
    if what.raising:
        suspended_: bool = reserve_health._is_suspended(
            word, reserve_health._slow(what.nav, what.mean_week, what.supply)
        )
        assert not suspended_, "reserve: raising is suspended"
        if word & reserve_books.SUSPENDED != 0:
            word ^= reserve_books.SUSPENDED
            reserve_books._accounts[msg.sender] = word
    if what.amount == 0:
        return 0
    if what.emergency and not what.gains:
        return reserve_payments._rescue(what, word)
    return reserve_payments._calm(what, word)


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
    word: uint256 = reserve_books._known(msg.sender)
    held: uint256 = reserve_books._take_in(msg.sender, word, own, worth)
    if owed_ > 0:
        self.owed[recipient] += owed_
    log Credited(
        series=msg.sender,
        recipient=recipient,
        own=own,
        owed=owed_,
        account=held,
        common=reserve_books.common,
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
    reserve_config._send(recipient, amount)
    log Claimed(recipient=recipient, amount=amount)
    return amount


@external
@view
def account(series_: address) -> Account:
    """
    @notice A series' account, as it was last written.
    @param series_ The series.
    """
    word: uint256 = reserve_books._known(series_)
    memory: uint256 = reserve_payments._memory[series_]
    rescue: uint256 = reserve_payments._rescues[series_]
    return Account(
        held=reserve_books._held(word),
        suspended=word & reserve_books.SUSPENDED != 0,
        paid=memory >> 160,
        gained=memory >> 64 & reserve_books.AMOUNT,
        settled_at=memory & reserve_books.TIME,
        rescued=rescue >> 64,
        rescued_at=rescue & reserve_books.TIME,
    )
