"""Cases for the tests of auctions: series, clocks, books and accounts as a person writes them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from steelyard.rules.auction import AuctionTerms, liquidation_incentive, loan_to_value
from steelyard.rules.auction_clock import AuctionClock
from steelyard.rules.auction_plan import AuctionBooks
from steelyard.rules.decide import MoveTo
from steelyard.rules.reserve_account import CommonPart, ReserveAccount
from steelyard.rules.triggers import Trigger
from support.rule_cases import Rule, written

if TYPE_CHECKING:
    from steelyard.rules.numbers import Number

DAY_S = 86_400
LAUNCHED_S = 1_700_000_000


@dataclass(frozen=True)
class Auction:
    """An auction as written, of a series with this target and upper edge."""

    target: Decimal = Decimal(3)
    upper: Decimal = Decimal("3.4")
    start: Decimal = Decimal("0.005")
    calm_top: Decimal = Decimal("0.008")
    emergency_top: Decimal = Decimal("0.0325")
    duration_s: int = 1_200
    cooldown_s: int = 0
    fallback_s: int = DAY_S
    daily_at_s: int = -1
    threshold: Decimal = Decimal("0.86")
    reserve_cap: Decimal = Decimal("0.001")

    def of(self, number: Number[Any]) -> AuctionTerms[Any]:
        """The auction as the rules take it."""
        side = 1 if self.target > 0 else -1
        # a loan-to-value is no short decimal: the very same one in each kind of number
        calm_ltv = loan_to_value(Fraction(side * self.upper))
        return AuctionTerms(
            start=number.of(self.start),
            calm_top=number.of(self.calm_top),
            emergency_top=number.of(self.emergency_top),
            duration_s=self.duration_s,
            cooldown_s=self.cooldown_s,
            fallback_s=self.fallback_s,
            daily_at_s=self.daily_at_s,
            calm_ltv=number.of(calm_ltv) if number.name != "float" else float(calm_ltv),
            threshold=number.of(self.threshold),
            reserve_cap=number.of(self.reserve_cap),
        )


@st.composite
def auctions(draw: st.DrawFn) -> tuple[Rule, Auction]:
    """A long or short series that the factory takes, and its auction."""
    side = draw(st.sampled_from([1, -1]))
    least = "1.2" if side > 0 else "0.4"
    size = draw(st.sampled_from([Decimal(2), Decimal(3)]) | written(least, "4", 2))
    upper = size * (1 + draw(written("0.02", "0.3", 2)))
    lower = size * (1 - draw(written("0.02", "0.3", 2)))
    if side > 0:
        lower = max(lower, Decimal("1.05"))
    move_to = draw(st.sampled_from([MoveTo.TARGET, MoveTo.EDGE_OR_TARGET]))
    slack = draw(written("0.001", "0.02", 3)) if move_to == MoveTo.EDGE_OR_TARGET else Decimal(0)
    emergency = upper + slack + draw(written("0.2", "1.5", 2))
    # the lender's threshold lies above what an emergency starts at
    ltv = loan_to_value(Fraction(side * emergency))
    room = 1 - ltv
    share = draw(st.sampled_from([Fraction(1, 5), Fraction(2, 5), Fraction(3, 5)]))
    threshold = Decimal(int((ltv + room * share) * 10_000) + 1) / 10_000
    most = int(liquidation_incentive(Fraction(threshold)) * 100_000)
    start = draw(written("0.001", "0.01", 3))
    calm_top = start + draw(written("0.001", "0.01", 4))
    rule = Rule(
        target=side * size,
        move_to=move_to,
        lower=lower,
        upper=upper,
        slack=slack,
        emergency=emergency,
        largest_clip=draw(st.just(Decimal(0)) | written("100", "100000", 0)),
    )
    auction = Auction(
        target=side * size,
        upper=upper,
        start=start,
        calm_top=calm_top,
        emergency_top=max(calm_top, min(Decimal("0.0325"), Decimal(most) / 100_000)),
        duration_s=draw(st.sampled_from([600, 1_200, 3_600])),
        cooldown_s=draw(st.sampled_from([0, 60, 600])),
        fallback_s=draw(st.sampled_from([0, 28_800, DAY_S])),
        daily_at_s=draw(st.sampled_from([-1, 120, 43_200])),
        threshold=threshold,
        reserve_cap=draw(written("0.0001", "0.003", 4)),
    )
    return rule, auction


@st.composite
def clocks(draw: st.DrawFn) -> tuple[AuctionClock, int]:
    """What a series remembers of its auctions, and a moment since."""
    arrived_s = LAUNCHED_S + draw(st.integers(0, DAY_S))
    now_s = arrived_s + draw(st.integers(0, 3_000) | st.integers(0, 3 * DAY_S))
    if draw(st.booleans()):
        return AuctionClock(arrived_s, 0, False, 0, Trigger.NONE), now_s
    opened_s = now_s - draw(st.integers(-600, 4_000))
    raises = draw(st.booleans())
    if draw(st.booleans()):
        return AuctionClock(arrived_s, opened_s, raises, 0, Trigger.NONE), now_s
    named = (Trigger.EMERGENCY, Trigger.BAND, Trigger.DAILY, Trigger.FALLBACK)
    filled_s = now_s - draw(st.integers(0, 1_500))
    return AuctionClock(arrived_s, opened_s, raises, filled_s, draw(st.sampled_from(named))), now_s


@dataclass(frozen=True)
class Books:
    """A series at the oracle's price, as written."""

    collateral: Decimal
    debt: Decimal
    lendable: Decimal
    shift: Decimal = Decimal(0)

    def of(self, number: Number[Any]) -> AuctionBooks[Any]:
        """The books as the rules take them."""
        return AuctionBooks(
            number.of(self.collateral),
            number.of(self.debt),
            number.of(self.lendable),
            number.of(self.shift),
        )


@st.composite
def books(draw: st.DrawFn, rule: Rule) -> Books:
    """A series somewhere between no leverage and the end of its nav."""
    size, long = abs(rule.target), rule.target > 0
    leverage = size * (1 + draw(written("-0.9", "2.5", 3)))
    if long:
        leverage = max(leverage, Decimal("1.01"))
    nav = draw(written("1000", "200000", 2))
    exposure = (nav * leverage).quantize(Decimal("0.01"))
    collateral, debt = (exposure, exposure - nav) if long else (exposure + nav, exposure)
    lendable = draw(st.just(Decimal("1e9")) | st.just(Decimal(0)) | written("10", "100000", 0))
    shift = draw(st.just(Decimal(0)) | written("0", "0.5", 3))
    return Books(collateral, max(debt, Decimal("0.01")), lendable, shift)


@dataclass(frozen=True)
class AccountCase:
    """An account as written."""

    held: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    gained: Decimal = Decimal(0)
    settled_s: int = LAUNCHED_S
    rescued: Decimal = Decimal(0)
    rescued_s: int = LAUNCHED_S

    def of(self, number: Number[Any]) -> ReserveAccount[Any]:
        """The account as the rules take it."""
        return ReserveAccount(
            number.of(self.held),
            number.of(self.paid),
            number.of(self.gained),
            self.settled_s,
            number.of(self.rescued),
            self.rescued_s,
        )


@dataclass(frozen=True)
class CommonCase:
    """A common part as written."""

    held: Decimal = Decimal(0)
    drawn: Decimal = Decimal(0)
    drawn_s: int = LAUNCHED_S

    def of(self, number: Number[Any]) -> CommonPart[Any]:
        """The common part as the rules take it."""
        return CommonPart(number.of(self.held), number.of(self.drawn), self.drawn_s)


AMOUNT = st.just(Decimal(0)) | written("0.01", "5000", 2)

ACCOUNTS = st.builds(
    AccountCase,
    held=AMOUNT,
    paid=AMOUNT,
    gained=AMOUNT,
    settled_s=st.integers(LAUNCHED_S, LAUNCHED_S + DAY_S),
    rescued=AMOUNT,
    rescued_s=st.integers(LAUNCHED_S, LAUNCHED_S + DAY_S),
)

COMMONS = st.builds(
    CommonCase,
    held=AMOUNT,
    drawn=AMOUNT,
    drawn_s=st.integers(LAUNCHED_S, LAUNCHED_S + DAY_S),
)
