"""What the reserve pays of a premium: accounts, caps, and what they remember.

Every series has an account of its own, and all series of a reserve share a common part. All
amounts are in the underlying. ``W`` is the supply that counts, ``min(mean over a day, supply)``,
valued at the present nav per token, and ``share`` is ``W`` over the nav of the whole supply.

- Outside an emergency the premium goes to or comes from the account, each way at most ``K W``
  and of payments at most a 25th of the account. What was paid is remembered, and forgotten evenly
  within seven days.
- In an emergency it comes from the account, then from the common part: at most 2 % of ``W`` until
  24 hours have passed without such a payment, and of the common part at most a quarter for all
  series together, remembered likewise.
- A payment is capped first and scaled by ``share`` afterwards. The memory counts what was capped,
  or else small fills would undo the scaling.

What the reserve does not pay falls on nav. FORMULAS 15.
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
"""In an emergency the reserve pays at most this part of ``W``: a 50th, 2 %."""
ACCOUNT_PARTS = 25
"""Outside of one at most this part of the account, so that nobody can empty it quickly."""
COMMON_PARTS = 4
"""All series together draw at most this part of the common part."""
FULL_PARTS = 4
"""An account that holds this part of ``W`` is full: what comes in goes to the common part."""


class ReserveAccount(NamedTuple, Generic[Num]):
    """A series' account, in the underlying; the amounts remembered are before scaling."""

    held: Num
    paid: Num
    """Paid outside emergencies, as far as remembered at ``settled_s``."""
    gained: Num
    """Taken in as premiums, as far as remembered at ``settled_s``."""
    settled_s: int
    rescued: Num
    """Paid in emergencies since 24 hours passed without such a payment."""
    rescued_s: int


class CommonPart(NamedTuple, Generic[Num]):
    """What all series of a reserve share, in the underlying."""

    held: Num
    drawn: Num
    """Paid out since 24 hours passed without a payment."""
    drawn_s: int


class Settlement(NamedTuple, Generic[Num]):
    """What a fill's premium did to the reserve."""

    paid: Num
    """By the reserve to the fill; below zero, what it received."""
    account: ReserveAccount[Num]
    common: CommonPart[Num]


def remembered(used: Num, cap: Num, elapsed_s: int, period_s: int) -> Num:
    """What is left of ``used`` where ``cap`` is forgotten evenly within ``period_s``."""
    forgotten = cap * elapsed_s / period_s
    if forgotten >= used:
        return used * 0
    return used - forgotten


def remembered_whole(used: Num, elapsed_s: int) -> Num:
    """What is left of ``used``: all of it until a day has passed since the last use.

    Within any 24 hours a cap is then used up once. Forgotten evenly it could be used up twice.
    """
    if elapsed_s >= DAY_S:
        return used * 0
    return used


def served_worth(nav: Num, counted: Num, supply: Num) -> Num:
    """W in the unit of ``nav``: that of the whole series, of which ``counted`` tokens count."""
    return nav * counted / supply


def served_share(counted: Num, supply: Num) -> Num:
    """The share of a capped payment that is paid."""
    return counted / supply


def is_rise_paid(leverage: Num, lower: Num) -> bool:
    """Whether the reserve takes part in a raise from |leverage|: not from below ``0.8 lower``.

    At so low a leverage the fees of a round trip would not cover what the reserve pays.
    """
    return 5 * abs(leverage) >= 4 * lower


def most_reserve_cap(reserve_share: Num, fee: Num, lower: Num, target: Num) -> Num:
    """The largest K at which minting around a fill cannot pay.

    ``reserve_share * 2 fee * 0.8 lower / |target|``: what a round trip costs that begins and ends
    at the least leverage from which a raise is paid.
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
    """Settle a fill's premium: see ``settle_calm`` and, for what an emergency pays, the other."""
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
        account: the series'.
        common: takes what an account that is full does not.
        premium: the whole premium in the underlying; below zero the taker paid it.
        worth: W.
        share: W over nav.
        cap_share: K.
        now_s: epoch s.
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
    """Settle the premium (not below zero) of a fill in an emergency; arguments as above."""
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
    """The common part after it paid what it may of ``wanted``."""
    drawn = remembered_whole(common.drawn, now_s - common.drawn_s)
    paid = _within(wanted, (common.held + drawn) / COMMON_PARTS, drawn)
    drawn_s = common.drawn_s
    if paid > 0:
        drawn_s = now_s
    return CommonPart(common.held - paid, drawn + paid, drawn_s)


def credit_account(
    account: ReserveAccount[Num], common: CommonPart[Num], amount: Num, worth: Num
) -> Settlement[Num]:
    """Take in a series' fees: into its account until that holds a quarter of W.

    The rest goes to the common part. An injection that names a series stays in its account.
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
    """What of ``amount`` an account takes in before it holds a quarter of W."""
    room = worth / FULL_PARTS - held
    if room <= 0:
        return amount * 0
    if room < amount:
        return room
    return amount


def share_of_common(common_held: Num, week_worth: Num, all_week_worth: Num) -> Num:
    """The part of the common part that a series' level counts, as published.

    In proportion to supplies averaged over seven days, at nav: an hour's capital buys no part.
    """
    if all_week_worth <= 0:
        return common_held * 0
    return common_held * week_worth / all_week_worth


def _paying_cap(account: ReserveAccount[Num], cap: Num) -> Num:
    """The lesser of ``cap`` and a 25th of what the account holds with what is remembered."""
    most = (account.held + account.paid) / ACCOUNT_PARTS
    if most < cap:
        return most
    return cap


def _within(wanted: Num, cap: Num, used: Num) -> Num:
    """What of ``wanted`` (not below zero) a cap leaves room for."""
    room = cap - used
    if room <= 0:
        return wanted * 0
    if room < wanted:
        return room
    return wanted
