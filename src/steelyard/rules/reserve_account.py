"""The reserve's payments of premiums: its accounts, their caps, and how the caps recover.

Every series has an account of its own, and all series of a reserve share a common part. All amounts
are in the underlying. ``W`` is the supply that counts, ``min(mean over a day, supply)``, valued at
the present nav per token. ``share`` is ``W`` over the nav of the whole supply.

- Outside an emergency the account pays or receives the premium. Either way the cap is ``K W``, and
  payments are also capped at a 25th of the account. The used part of a cap recovers linearly within
  seven days.
- In an emergency the account pays the premium, and then the common part. The cap is 2 % of ``W``,
  and it recovers only after 24 hours without such a payment. All series together can draw at most a
  quarter of the common part, and this cap recovers in the same way.
- A payment is first capped and then scaled by ``share``. The amount before scaling counts as used,
  because otherwise many small fills would undo the scaling.

Nav pays the part of a premium that the reserve does not pay. See FORMULAS 15.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

from steelyard.rules.accruals import DAY_S, WEEK_S
from steelyard.rules.numbers import Num

__all__ = [
    "CommonPart",
    "ReserveAccount",
    "Settlement",
    "credit_account",
    "draw_common",
    "is_rise_paid",
    "most_reserve_cap",
    "remembered",
    "remembered_whole",
    "served_share",
    "served_worth",
    "settle_calm",
    "settle_premium",
    "settle_rescue",
    "share_of_common",
]

RESCUE_PARTS = 50
"""In an emergency the reserve pays at most one part in this many of ``W``: 2 %."""
ACCOUNT_PARTS = 25
"""Outside an emergency it pays at most one part in this many of the account, so that nobody can
empty the account quickly."""
COMMON_PARTS = 4
"""All series together draw at most one part in this many of the common part."""
FULL_PARTS = 4
"""An account is full at one part in this many of ``W``; further receipts go to the common part."""


class ReserveAccount(NamedTuple, Generic[Num]):
    """A series' account, in the underlying; the used parts of its caps are before scaling."""

    held: Num
    paid: Num
    """The used part of the cap on payments outside emergencies, at ``settled_s``."""
    gained: Num
    """The used part of the cap on premiums received, at ``settled_s``."""
    settled_s: int
    rescued: Num
    """Payments in emergencies since the last 24 hours without such a payment."""
    rescued_s: int


class CommonPart(NamedTuple, Generic[Num]):
    """The part of a reserve that all its series share, in the underlying."""

    held: Num
    drawn: Num
    """Payments since the last 24 hours without a payment."""
    drawn_s: int


class Settlement(NamedTuple, Generic[Num]):
    """The effect of a fill's premium on the reserve, in the underlying."""

    paid: Num
    """The amount that the reserve paid for the fill; negative where it received one."""
    account: ReserveAccount[Num]
    common: CommonPart[Num]


def remembered(used: Num, cap: Num, elapsed_s: int, period_s: int) -> Num:
    """The part of ``used`` that still counts, where ``cap`` recovers linearly in ``period_s``."""
    forgotten = cap * elapsed_s / period_s
    if forgotten >= used:
        return used * 0
    return used - forgotten


def remembered_whole(used: Num, elapsed_s: int) -> Num:
    """The part of ``used`` that still counts: all of it until a day after the last use.

    A cap can then be used up only once in any 24 hours. With a linear recovery it could be used up
    almost twice.
    """
    if elapsed_s >= DAY_S:
        return used * 0
    return used


def served_worth(nav: Num, counted: Num, supply: Num) -> Num:
    """W, in the unit of ``nav``, which is the nav of the whole ``supply``."""
    return nav * counted / supply


def served_share(counted: Num, supply: Num) -> Num:
    """The share of a capped payment that is paid: ``counted / supply``."""
    return counted / supply


def is_rise_paid(leverage: Num, lower: Num) -> bool:
    """Whether the reserve takes part in a raise from |leverage|: only from ``0.8 lower`` upward.

    Below that leverage the fees of a round trip would not cover what the reserve pays.
    """
    return 5 * abs(leverage) >= 4 * lower


def most_reserve_cap(reserve_share: Num, fee: Num, lower: Num, target: Num) -> Num:
    """The largest K at which creating tokens before a fill and redeeming them cannot be profitable.

    It is ``reserve_share * 2 fee * 0.8 lower / |target|``: the cost of a round trip that begins and
    ends at the lowest leverage from which the reserve takes part in a raise.
    """
    return reserve_share * fee * lower * 8 / (abs(target) * 5)


def settle_premium(
    account: ReserveAccount[Num],
    common: CommonPart[Num],
    premium: Num,
    worth: Num,
    share: Num,
    cap_share: Num,
    emergency: bool,
    now_s: int,
) -> Settlement[Num]:
    """Settle a fill's premium.

    A positive premium in an emergency is settled by ``settle_rescue``, any other by
    ``settle_calm``, which explains the arguments.
    """
    if emergency and premium > 0:
        return settle_rescue(account, common, premium, worth, share, now_s)
    return settle_calm(account, common, premium, worth, share, cap_share, now_s)


def settle_calm(
    account: ReserveAccount[Num],
    common: CommonPart[Num],
    premium: Num,
    worth: Num,
    share: Num,
    cap_share: Num,
    now_s: int,
) -> Settlement[Num]:
    """Settle a fill's premium outside an emergency.

    Args:
        account: the account of the series.
        common: the common part, which receives the excess over a full account.
        premium: the whole premium in the underlying; where it is negative the taker paid it.
        worth: ``W`` in the underlying.
        share: ``W`` over nav.
        cap_share: K.
        now_s: the time of the fill, epoch s.
    """
    elapsed_s = now_s - account.settled_s
    cap = worth * cap_share
    if premium < 0:
        gained = remembered(account.gained, cap, elapsed_s, WEEK_S)
        counted = _within(-premium, cap, gained)
        got = counted * share
        kept = account_room(account.held, got, worth)
        paid = remembered(account.paid, _paying_cap(account, cap), elapsed_s, WEEK_S)
        after = ReserveAccount(
            account.held + kept,
            paid,
            gained + counted,
            now_s,
            account.rescued,
            account.rescued_s,
        )
        rest = CommonPart(common.held + got - kept, common.drawn, common.drawn_s)
        return Settlement(-got, after, rest)
    gained = remembered(account.gained, cap, elapsed_s, WEEK_S)
    cap = _paying_cap(account, cap)
    paid = remembered(account.paid, cap, elapsed_s, WEEK_S)
    counted = _within(premium, cap, paid)
    due = counted * share
    if due > account.held:
        due = account.held
    after = ReserveAccount(
        account.held - due,
        paid + counted,
        gained,
        now_s,
        account.rescued,
        account.rescued_s,
    )
    return Settlement(due, after, common)


def settle_rescue(
    account: ReserveAccount[Num],
    common: CommonPart[Num],
    premium: Num,
    worth: Num,
    share: Num,
    now_s: int,
) -> Settlement[Num]:
    """Settle the premium (not negative) of a fill in an emergency.

    The arguments are those of ``settle_calm``.
    """
    rescued = remembered_whole(account.rescued, now_s - account.rescued_s)
    counted = _within(premium, worth / RESCUE_PARTS, rescued)
    due = counted * share
    own = due
    if own > account.held:
        own = account.held
    rest = draw_common(common, due - own, now_s)
    rescued_s = account.rescued_s
    if counted > 0:
        rescued_s = now_s
    after = ReserveAccount(
        account.held - own,
        account.paid,
        account.gained,
        account.settled_s,
        rescued + counted,
        rescued_s,
    )
    return Settlement(own + common.held - rest.held, after, rest)


def draw_common(common: CommonPart[Num], wanted: Num, now_s: int) -> CommonPart[Num]:
    """The common part after it paid as much of ``wanted`` as its cap allows."""
    drawn = remembered_whole(common.drawn, now_s - common.drawn_s)
    paid = _within(wanted, (common.held + drawn) / COMMON_PARTS, drawn)
    drawn_s = common.drawn_s
    if paid > 0:
        drawn_s = now_s
    return CommonPart(common.held - paid, drawn + paid, drawn_s)


def credit_account(
    account: ReserveAccount[Num], common: CommonPart[Num], amount: Num, worth: Num
) -> Settlement[Num]:
    """Credit a series' fees to its account until it holds a quarter of W.

    The rest goes to the common part. An injection that names a series stays in its account. All
    amounts are in the underlying.
    """
    kept = account_room(account.held, amount, worth)
    after = ReserveAccount(
        account.held + kept,
        account.paid,
        account.gained,
        account.settled_s,
        account.rescued,
        account.rescued_s,
    )
    rest = CommonPart(common.held + amount - kept, common.drawn, common.drawn_s)
    return Settlement(-amount, after, rest)


def account_room(held: Num, amount: Num, worth: Num) -> Num:
    """The part of ``amount`` that an account receives before it holds a quarter of W."""
    room = worth / FULL_PARTS - held
    if room <= 0:
        return amount * 0
    if room < amount:
        return room
    return amount


def share_of_common(common_held: Num, week_worth: Num, all_week_worth: Num) -> Num:
    """The part of the common part that counts for a series' published level.

    It is in proportion to the supplies averaged over seven days, valued at nav, so capital that
    stays for an hour gains almost no part.
    """
    if all_week_worth <= 0:
        return common_held * 0
    return common_held * week_worth / all_week_worth


def _paying_cap(account: ReserveAccount[Num], cap: Num) -> Num:
    """The lesser of ``cap`` and a 25th of the account before the payments that still count."""
    most = (account.held + account.paid) / ACCOUNT_PARTS
    if most < cap:
        return most
    return cap


def _within(wanted: Num, cap: Num, used: Num) -> Num:
    """The part of ``wanted`` (not negative) that fits below ``cap`` beside ``used``."""
    room = cap - used
    if room <= 0:
        return wanted * 0
    if room < wanted:
        return room
    return wanted
