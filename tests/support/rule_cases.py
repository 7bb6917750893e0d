"""Cases for tests of the rules: figures as a person writes them, made into any kind of number.

A case is drawn as short decimals, so that float, Decimal and Fraction start from one text; the
builders here turn it into the tuples that the rules take.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from steelyard.rules.costs import CostRates, Levels, cost_curve
from steelyard.rules.decide import MoveTo, TradeLimits
from steelyard.rules.liquidation import VenueTerms
from steelyard.rules.numbers import DECIMAL, FLOAT, FRACTION, Number
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import RebalanceRule

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = (FLOAT, DECIMAL, FRACTION)
KINDS = ("fee", "spread", "impact", "gas")
IMPACTS = ("none", "linear", "square_root", "amm", "book", "auction")


def written(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    """Decimals from ``low`` to ``high`` of at most ``places`` places, short ones first."""
    scale = 10**places
    first, last = int(Decimal(low) * scale), int(Decimal(high) * scale)
    return st.integers(first, last).map(lambda n: Decimal(n) / scale)


PILES = written("0.1", "90000", 1)
"""What rests at one level of a book: never nothing."""


def sizes() -> st.SearchStrategy[Decimal]:
    """|leverage| from 0.1 to 20, one among them."""
    return st.sampled_from([Decimal(1), Decimal(2), Decimal(3)]) | written("0.1", "20", 3)


def targets() -> st.SearchStrategy[Decimal]:
    """Target leverages, long and short: below one, exactly one, and deep ones too."""
    return st.builds(lambda size, side: size * side, sizes(), st.sampled_from([1, -1]))


@dataclass(frozen=True)
class Costing:
    """A price list as written, what the reserve bears of it, and what the reserve holds."""

    fee_bps: Decimal = Decimal(0)
    spread_bps: Decimal = Decimal(0)
    impact: str = "none"
    coefficient: Decimal = Decimal(0)
    volume: Decimal = Decimal(1)
    gas: Decimal = Decimal(0)
    bears: frozenset[str] = frozenset()
    reserve_value: Decimal = Decimal(0)
    levels: tuple[tuple[Decimal, Decimal, Decimal], ...] | None = None
    """Of a book: bps from mid, bids, asks; None for four that end where no trade gets to."""

    def book(self, number: Number[Any]) -> Levels[Any]:
        """A book of the coefficient's distances and a thousandth of the volume's depth."""
        far, deep = self.coefficient, self.volume
        levels = self.levels or (
            (Decimal(0), deep / 1000, Decimal(0)),
            (far / 8, Decimal(0), deep / 500),
            (far / 4, deep / 100, deep / 200),
            (far, Decimal("1e12"), Decimal("1e12")),
        )
        bps, bids, asks = (tuple(map(number.of, column)) for column in zip(*levels, strict=True))
        return Levels(bps, bids, asks, sum(bids, number.of(0)), sum(asks, number.of(0)))

    def rates(self, number: Number[Any]) -> CostRates[Any]:
        """The price list as the rules take it."""
        nothing = number.of(0)
        return CostRates(
            taker_fee_bps=number.of(self.fee_bps),
            half_spread_bps=number.of(self.spread_bps),
            impact_linear=number.of(self.coefficient) if self.impact == "linear" else nothing,
            impact_flat=number.of(self.coefficient / 10) if self.impact == "auction" else nothing,
            impact_root=number.of(self.coefficient) if self.impact == "square_root" else nothing,
            daily_volume=number.of(self.volume),
            # as large as a volume, so that it is bought from as deeply
            amm_liquidity=number.of(10 * self.volume) if self.impact == "amm" else nothing,
            amm_fee_bps=number.of(self.coefficient / 100 if self.impact == "amm" else 0),
            has_book=self.impact == "book",
            book=self.book(number),
            gas=number.of(self.gas),
            bears_fee="fee" in self.bears,
            bears_spread="spread" in self.bears,
            bears_impact="impact" in self.bears,
            bears_gas="gas" in self.bears,
        )

    def payers(self, number: Number[Any]) -> Payers[Any]:
        """Who pays it."""
        rates = self.rates(number)
        return Payers(
            cost_curve(rates, borne=False),
            cost_curve(rates, borne=True),
            number.of(self.reserve_value),
        )


FREE = Costing()


def any_size(number: Number[Any]) -> TradeLimits[Any]:
    """A venue that takes every size."""
    return TradeLimits(number.of(0), number.of(0), False, number.of(0))


def costings(
    steepest_bps: str = "100",
    impacts: Iterable[str] = IMPACTS,
    reserves: Iterable[str] = ("0", "3", "250", "1e9"),
) -> st.SearchStrategy[Costing]:
    """Price lists for funds of some 100,000 quote, with an empty, a short and an ample reserve."""
    steep = max(1, int(Decimal(steepest_bps)) // 100)
    return st.builds(
        Costing,
        fee_bps=written("0", steepest_bps, 1),
        spread_bps=written("0", steepest_bps, 1),
        impact=st.sampled_from(list(impacts)),
        coefficient=written("0", str(100 * steep * steep), 1),
        volume=st.sampled_from([Decimal(1_000_000), Decimal(25_000_000), Decimal("1e9")]),
        gas=st.just(Decimal(0)) | written("0", "20", 2),
        bears=st.frozensets(st.sampled_from(KINDS)),
        reserve_value=st.sampled_from([Decimal(value) for value in reserves])
        | written("0", "2000", 2),
    )


@st.composite
def shallow(draw: st.DrawFn, *impacts: str) -> Costing:
    """Price lists of pools and books that a fund of some 100,000 quote can trade empty."""
    # an ample reserve would pay a pool out to its last digits, where floats have none left
    costing = draw(costings("60", impacts or ("amm", "book"), reserves=["0", "40", "900"]))
    if costing.impact == "amm":
        return replace(costing, volume=draw(written("100", "60000", 0)))
    distances = draw(st.lists(written("0", "900", 1), min_size=4, max_size=4, unique=True))
    bids, asks = (
        [*draw(st.lists(written("0", "90000", 1), min_size=3, max_size=3)), draw(PILES)]
        for _ in range(2)
    )
    levels = tuple(zip(sorted(distances), bids, asks, strict=True))
    return replace(costing, levels=levels)


@dataclass(frozen=True)
class Rule:
    """A rebalance rule as written; None where a threshold is not set."""

    target: Decimal
    move_to: MoveTo = MoveTo.TARGET
    speed: Decimal = Decimal(1)
    lower: Decimal | None = None
    upper: Decimal | None = None
    slack: Decimal = Decimal(0)
    emergency: Decimal | None = None
    move: Decimal | None = None
    losing_side_only: bool = False
    largest_clip: Decimal = Decimal(0)

    def of(self, number: Number[Any]) -> RebalanceRule[Any]:
        """The rule as the rules take it."""
        lower, upper, slack = (number.of(x or 0) for x in (self.lower, self.upper, self.slack))
        return RebalanceRule(
            target=number.of(self.target),
            move_to=int(self.move_to),
            recentering_speed=number.of(self.speed),
            has_band=self.upper is not None,
            has_lower=self.lower is not None,
            lower=lower,
            upper=upper,
            lower_limit=lower - slack,
            upper_limit=upper + slack,
            has_emergency=self.emergency is not None,
            emergency=number.of(self.emergency or 0),
            has_move=self.move is not None,
            move_threshold=number.of(self.move or 0),
            move_losing_side_only=self.losing_side_only,
            max_trade_notional=number.of(self.largest_clip),
        )


@st.composite
def rules(draw: st.DrawFn, move_to: MoveTo | None = None, side: int | None = None) -> Rule:
    """Rules of every kind around every target: bands, edges, moves, emergencies, clips, or none."""
    target = draw(targets())
    if side is not None:
        target = side * abs(target)
    size = abs(target)
    if move_to is None:
        move_to = draw(st.sampled_from(list(MoveTo)))
    lower = upper = emergency = None
    slack = Decimal(0)
    to_edge = move_to in (MoveTo.EDGE, MoveTo.EDGE_OR_TARGET)
    if to_edge or draw(st.booleans()):
        upper = size * (1 + draw(written("0.01", "0.6", 2)))
        if draw(st.booleans()):
            lower = size * (1 - draw(written("0.01", "0.6", 2)))
    if to_edge:
        slack = draw(written("0.001", "0.05", 3))
    if draw(st.booleans()):
        emergency = (upper or size) + slack + draw(written("0.01", "2", 2))
    return Rule(
        target=target,
        move_to=move_to,
        speed=draw(written("0.01", "1", 2)),
        lower=lower,
        upper=upper,
        slack=slack,
        emergency=emergency,
        move=draw(st.none() | written("0.01", "1.2", 2)),
        losing_side_only=draw(st.booleans()),
        largest_clip=draw(st.just(Decimal(0)) | written("100", "100000", 0)),
    )


@dataclass(frozen=True)
class Terms:
    """A venue as written."""

    spot: bool = False
    margin: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    threshold: Decimal = Decimal(1)
    borrow: Decimal = Decimal(0)
    supply: Decimal = Decimal(0)
    units_borrow: Decimal = Decimal(0)

    def of(self, number: Number[Any]) -> VenueTerms[Any]:
        """The venue as the rules take it."""
        return VenueTerms(
            self.spot,
            *(
                number.of(figure)
                for figure in (
                    self.margin,
                    self.fee,
                    self.threshold,
                    self.borrow,
                    self.supply,
                    self.units_borrow,
                )
            ),
        )


@st.composite
def venues(draw: st.DrawFn, size: Decimal = Decimal(1)) -> Terms:
    """Perpetuals and spot venues under which a leverage of ``size`` can live, long and short."""
    fee = draw(written("0", "0.05", 3))
    if draw(st.booleans()):
        # at leverage L debt is (L - 1) / L of a long's collateral and L / (L + 1) of a short's
        least = (size / (size + 1) * 1000).to_integral_value() / 1000 + Decimal("0.001")
        return Terms(spot=True, threshold=draw(written(str(min(least, 1)), "1", 3)), fee=fee)
    most = (Decimal("0.9") / max(size, Decimal(1))).quantize(Decimal("0.001"))
    return Terms(margin=draw(st.just(Decimal(0)) | written("0", str(most), 3)), fee=fee)


def settled(cash: Any, units: Any, price: Any, notional: Any, paid_by_nav: Any) -> tuple[Any, Any]:
    """Cash and units after a trade of signed ``notional``: money moves, nothing is judged."""
    return cash - notional - paid_by_nav, units + notional / price


def exact(figure: Decimal | str | int) -> Fraction:
    """A written figure as the fraction that it is."""
    return FRACTION.of(figure)
