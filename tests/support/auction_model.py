"""A series with its auction and its reserve on Fraction, and an attacker who may do anything.

At one price, which is the oracle's and the market's: what the attacker takes costs it nothing to
trade, so all that is measured is in its favour. Amounts are in one unit, which stands for quote
and underlying alike. The attacker is the issuer as well: of a fee only the reserve's share is lost
to it. Every decision and every payment is the rules'; only the books are kept here.

A ``Faults`` plants one mistake, as a contract could make it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from steelyard.rules.accruals import DAY_S, WEEK_S
from steelyard.rules.auction import AuctionTerms, collateral_multiple
from steelyard.rules.auction_clock import AuctionClock, arrived_clock, opened_clock
from steelyard.rules.auction_plan import (
    AuctionBooks,
    AuctionPlan,
    AuctionState,
    clock_after_call,
    clock_after_fill,
    plan_auction,
)
from steelyard.rules.auction_size import is_fill_taken
from steelyard.rules.leverage import move_to_leverage
from steelyard.rules.reserve_account import (
    CommonPart,
    ReserveAccount,
    Settlement,
    credit_account,
    is_rise_paid,
    served_share,
    served_worth,
    settle_premium,
)
from steelyard.rules.supply_mean import counted_supply, mean_after
from steelyard.rules.triggers import RebalanceRule

__all__ = ["NOTHING", "SOUND", "Faults", "Reserve", "Token", "account_of", "common_of", "launched"]

NOTHING = Fraction(0)
AMPLE = Fraction(10**30)


@dataclass(frozen=True)
class Faults:
    """Mistakes to be found; at most one of them is made at a time."""

    scales_before_capping: bool = False
    remembers_scaled: bool = False
    counts_present_supply: bool = False
    free_exit: bool = False
    pays_any_rise: bool = False
    forgets_at_once: bool = False
    ignores_account_share: bool = False


SOUND = Faults()


def account_of(held: Fraction, now_s: int) -> ReserveAccount[Fraction]:
    """An account that remembers nothing."""
    return ReserveAccount(held, NOTHING, NOTHING, now_s, NOTHING, now_s - DAY_S)


def common_of(held: Fraction, now_s: int) -> CommonPart[Fraction]:
    """A common part that remembers nothing."""
    return CommonPart(held, NOTHING, now_s - DAY_S)


@dataclass
class Reserve:
    """What several series share: the common part, and what came in and went out."""

    common: CommonPart[Fraction]
    came_in: Fraction = NOTHING
    went_out: Fraction = NOTHING


@dataclass
class Token:
    """One series. ``own`` of its tokens are the attacker's, ``cash`` is what it gained so far."""

    rule: RebalanceRule[Fraction]
    terms: AuctionTerms[Fraction]
    fee: Fraction
    reserve_share: Fraction
    collateral: Fraction
    debt: Fraction
    supply: Fraction
    mean: Fraction
    account: ReserveAccount[Fraction]
    reserve: Reserve
    now_s: int
    clock: AuctionClock
    own: Fraction = NOTHING
    cash: Fraction = NOTHING
    fees: Fraction = NOTHING
    """Lost to the reserve by the attacker."""
    held: Fraction = NOTHING
    """Its nav times the days that it held it."""
    cover: Fraction = NOTHING
    """Its part of what the reserve paid, which is all that the reserve can be to it."""
    filled: bool = False
    """In this transaction: no second fill is taken in one."""
    faults: Faults = field(default=SOUND)

    @property
    def nav(self) -> Fraction:
        """Of the whole series."""
        return self.collateral - self.debt

    @property
    def leverage(self) -> Fraction:
        """Without its sign."""
        exposure = self.collateral if self.rule.target > 0 else self.debt
        return exposure / self.nav

    @property
    def share(self) -> Fraction:
        """The attacker's part of the supply."""
        return self.own / self.supply

    @property
    def wealth(self) -> Fraction:
        """What the attacker has, its tokens at nav."""
        return self.cash + self.share * self.nav

    @property
    def counted(self) -> Fraction:
        """The supply that the reserve serves."""
        if self.faults.counts_present_supply:
            return self.supply
        return counted_supply(self.mean, self.supply)

    def wait(self, seconds: int) -> None:
        """Let time pass; the next block is another transaction."""
        self.held += self.share * self.nav * seconds / DAY_S
        self.mean = mean_after(self.mean, self.supply, seconds, DAY_S)
        self.now_s += seconds
        self.filled = False

    def mint(self, tokens: Fraction) -> None:
        """In kind: a part of the position, and the fee of that."""
        part = tokens / self.supply
        self._pay_fee(part)
        self.cash -= part * self.nav
        self.collateral += part * self.collateral
        self.debt += part * self.debt
        self.supply += tokens
        self.own += tokens

    def redeem(self, tokens: Fraction) -> None:
        """In kind, all that is asked for."""
        part = tokens / self.supply
        if not self.faults.free_exit:
            self._pay_fee(part)
        self.cash += part * self.nav
        self.collateral -= part * self.collateral
        self.debt -= part * self.debt
        self.supply -= tokens
        self.own -= tokens

    def _pay_fee(self, part: Fraction) -> None:
        multiple = collateral_multiple(self.rule.target)
        fee = part * self.collateral * self.fee / multiple * self.reserve_share
        self.cash -= fee
        self.fees += fee
        credited = credit_account(self.account, self.reserve.common, fee, self._worth())
        self.account, self.reserve.common = credited.account, credited.common
        self.reserve.came_in += fee

    def gift(self, amount: Fraction, as_debt: bool) -> None:
        """Repay the series' debt, or supply collateral on its behalf."""
        if as_debt:
            amount = min(amount, self.debt)
            self.debt -= amount
        else:
            self.collateral += amount
        self.cash -= amount

    def drift(self, leverage: Fraction) -> None:
        """Bring leverage somewhere at the same nav, as a move of the price and back would."""
        nav = self.nav
        side = 1 if self.rule.target > 0 else -1
        self.collateral = nav * collateral_multiple(side * leverage)
        self.debt = self.collateral - nav

    def crash(self, leverage: Fraction) -> None:
        """Move the price against the series until it has this leverage."""
        side = 1 if self.rule.target > 0 else -1
        move = move_to_leverage(side * self.leverage, side * leverage)
        if side > 0:
            self.collateral *= 1 + move
        else:
            self.debt *= 1 + move
        account, common = self.account, self.reserve.common
        self.account = account._replace(held=account.held * (1 + move))
        self.reserve.common = common._replace(held=common.held * (1 + move))

    def open(self) -> None:
        """Start the clock of a band's auction."""
        plan = self.plan()
        self.clock = clock_after_call(self.clock, plan)
        if plan.state == AuctionState.UNOPENED:
            self.clock = opened_clock(self.clock, plan.raises, self.now_s)

    def plan(self) -> AuctionPlan[Fraction]:
        """What is on sale."""
        books = AuctionBooks(self.collateral, self.debt, AMPLE, NOTHING)
        return plan_auction(self.rule, self.terms, self.clock, books, False, self.now_s)

    def fill(self, part: Fraction) -> AuctionPlan[Fraction] | None:
        """The attacker takes a part of what is on sale; None where that is refused."""
        plan = self.plan()
        size = plan.most * part
        if plan.state != AuctionState.OPEN or self.filled:
            return None
        if not is_fill_taken(size, plan.least, plan.most):
            return None
        self.filled = True
        premium = plan.premium * size
        paid = NOTHING
        deep = plan.raises and not is_rise_paid(self.leverage, self.rule.lower)
        if not deep or self.faults.pays_any_rise:
            settled = self._settle(premium, plan.emergency)
            self.account, self.reserve.common = settled.account, settled.common
            paid = settled.paid
        self.cover += self.share * paid
        if paid > 0:
            self.reserve.went_out += paid
        else:
            self.reserve.came_in -= paid
        if plan.raises:
            self.collateral += size
            self.debt += size + premium - paid
        else:
            self.collateral -= size + premium - paid
            self.debt -= size
        self.cash += premium
        self.clock = clock_after_fill(self.terms, self.clock, plan, size, self.now_s)
        return plan

    def _worth(self) -> Fraction:
        return served_worth(self.nav, self.counted, self.supply)

    def _settle(self, premium: Fraction, emergency: bool) -> Settlement[Fraction]:
        share, worth = served_share(self.counted, self.supply), self._worth()
        cap, faults, account = self.terms.reserve_cap, self.faults, self.account
        if faults.scales_before_capping:
            premium, share = premium * share, Fraction(1)
        if faults.forgets_at_once:
            account = account._replace(paid=NOTHING, rescued=NOTHING)
        if faults.ignores_account_share:
            cap_of_all = ReserveAccount(account.held + 10**9, *account[1:])
            made = settle_premium(
                cap_of_all, self.reserve.common, premium, worth, share, cap, emergency, self.now_s
            )
            short = max(made.paid - account.held, NOTHING)
            left = made.account._replace(held=made.account.held - 10**9 + short)
            return Settlement(made.paid - short, left, made.common)
        made = settle_premium(
            account, self.reserve.common, premium, worth, share, cap, emergency, self.now_s
        )
        if faults.remembers_scaled and made.paid > 0:
            forgotten = made.paid / share - made.paid
            now = made.account
            if emergency:
                now = now._replace(rescued=now.rescued - forgotten)
            else:
                now = now._replace(paid=now.paid - forgotten)
            return Settlement(made.paid, now, made.common)
        return made


def launched(
    rule: RebalanceRule[Fraction],
    terms: AuctionTerms[Fraction],
    *,
    nav: Fraction,
    leverage: Fraction,
    mean_share: Fraction,
    account: Fraction,
    common: Fraction = NOTHING,
    fee: Fraction = Fraction(1, 1000),
    reserve_share: Fraction = Fraction(3, 4),
    now_s: int = 1_700_000_000,
    waited_s: int = 0,
    faults: Faults = SOUND,
) -> Token:
    """A series of honest holders at this leverage, whose tokens are worth one each.

    ``waited_s`` is how long ago leverage last arrived anywhere.
    """
    collateral = nav * collateral_multiple(leverage if rule.target > 0 else -leverage)
    return Token(
        rule,
        terms,
        fee,
        reserve_share,
        collateral,
        collateral - nav,
        supply=nav,
        mean=nav * mean_share,
        account=account_of(account, now_s - WEEK_S),
        reserve=Reserve(common_of(common, now_s)),
        now_s=now_s,
        clock=arrived_clock(now_s - waited_s),
        faults=faults,
    )
