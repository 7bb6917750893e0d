"""A token series: everything that one file fixes for good, as a frozen object (SPEC 1).

``Series.load`` reads and checks a TOML file; ``Series.terms`` gives the scalars that the rules
take, in the wanted kind of number. What a key may hold is said once, in ``series_file``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Generic, NamedTuple

from steelyard.errors import InputError
from steelyard.rules.auction import premium_beyond_cost
from steelyard.rules.costs import CostCurve, CostRates, Levels, cost_curve
from steelyard.rules.decide import MoveTo
from steelyard.rules.liquidation import VenueTerms
from steelyard.rules.numbers import Num, Number
from steelyard.rules.triggers import RebalanceRule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "Band",
    "Costs",
    "Daily",
    "Execution",
    "Fallback",
    "Fees",
    "Interval",
    "Move",
    "Rebalance",
    "Reserve",
    "Series",
    "Terms",
    "Venue",
    "Volatility",
]


@dataclass(frozen=True)
class Band:
    """|leverage| leaves [lower, upper]; ``lower`` is None where only deleveraging acts."""

    lower: float | None
    upper: float
    delever_only: bool = False


@dataclass(frozen=True)
class Move:
    """The price has moved by ``threshold`` (0.15 = 15 %) since the last rebalance."""

    threshold: float
    losing_side_only: bool = False


@dataclass(frozen=True)
class Volatility:
    """Realised volatility over the trailing window reaches ``annualised`` (1.5 = 150 %)."""

    window_s: int
    annualised: float


@dataclass(frozen=True)
class Interval:
    """Every ``every_s`` seconds, counted from ``anchor_s`` seconds after midnight UTC."""

    every_s: int
    anchor_s: int = 0


@dataclass(frozen=True)
class Daily:
    """Each day at ``at_s`` seconds after midnight UTC."""

    at_s: int


@dataclass(frozen=True)
class Fallback:
    """No rebalance for ``after_s`` seconds."""

    after_s: int


@dataclass(frozen=True)
class Rebalance:
    """When leverage is put back, where to, and in what clips."""

    move_to: str = "target"
    recentering_speed: float = 1.0
    edge_slack: float = 0.02
    inside_band: str = "nothing"
    """What other triggers do inside the band of a move to the edge: nothing, or go to target."""
    max_trade_notional: float = 0.0
    cooldown_s: int = 0
    emergency_leverage: float = 0.0
    band: Band | None = None
    move: Move | None = None
    volatility: Volatility | None = None
    interval: Interval | None = None
    daily: Daily | None = None
    fallback: Fallback | None = None

    @property
    def trigger_names(self) -> tuple[str, ...]:
        """The configured kinds, in the order in which they are tested."""
        kinds = ("band", "move", "volatility", "interval", "daily", "fallback")
        emergency = ("emergency",) if self.emergency_leverage > 0 else ()
        return emergency + tuple(kind for kind in kinds if getattr(self, kind) is not None)


@dataclass(frozen=True)
class Venue:
    """Where the position lives; a rate is per year, a margin or threshold a share."""

    kind: str = "perpetual"
    maintenance_margin: float = 0.0
    liquidation_fee: float = 0.0
    liquidation_threshold: float = 0.86
    rate_per_year: float = 0.0
    borrow_spread_per_year: float = 0.0
    supply_spread_per_year: float = 0.0
    units_borrow_rate_per_year: float = 0.0
    expiry: str = "quarterly"
    roll_days: float = 3.0
    """Days before its expiry at which a future is replaced by the next."""
    basis_per_year: float = 0.0
    """What a future is above the price (0.05 = 5 %) for a year to its expiry."""
    max_utilisation: float = 0.8
    """Largest net notional against a pool, as a share of the reserve's value."""
    fee_bps: float = 0.0
    """What a trade against a pool pays into it."""


@dataclass(frozen=True)
class Costs:
    """What a trade costs: basis points of notional, and gas in quote a clip.

    ``impact_coefficient`` may be "realised" and ``daily_volume`` "file": then they follow the
    trailing 24 hours of the price file. ``book`` is a path, empty where there is none.
    """

    taker_fee_bps: float = 0.0
    half_spread_bps: float = 0.0
    impact: str = "none"
    impact_coefficient: float | str = 0.0
    daily_volume: float | str = 0.0
    amm_liquidity: float = 0.0
    amm_fee_bps: float = 0.0
    book: str = ""
    auction_start_bps: float = 0.0
    """What a taker pays when an auction begins."""
    auction_top_bps: float = 0.0
    """What it is paid when the duration is over."""
    auction_duration_s: int = 0
    taker_delay_s: int = 0
    """How long takers let the premium rise above their own cost."""
    gas_per_rebalance: float = 0.0


@dataclass(frozen=True)
class Execution:
    """What sizes the venue takes, and how long an order takes to its fill."""

    lot_units: float = 0.0
    """Sizes are rounded toward zero to a multiple; 0 for any size."""
    min_notional: float = 0.0
    """Quote; smaller rebalances wait."""
    delay_s: int = 0


@dataclass(frozen=True)
class Fees:
    """What holders pay the issuer."""

    management_per_year: float = 0.0
    creation_bps: float = 0.0
    redemption_bps: float = 0.0


@dataclass(frozen=True)
class Reserve:
    """The pool in the underlying that pays some kinds of cost, and its floor."""

    initial_units: float = 0.0
    bears: tuple[str, ...] = ("spread", "impact", "gas")
    floor_ratio: float = 0.10
    resume_ratio: float = 0.12
    fee_share: float = 0.5
    allocation_every_s: int = 86_400

    @classmethod
    def load(cls, path: str | Path) -> Reserve:
        """Read a reserve that several series share: a file with a table [reserve].

        Raises:
            InputError: as ``Series.load`` does.
        """
        from steelyard.rules.series_file import load_reserve

        return load_reserve(path)

    @classmethod
    def loads(cls, text: str, name: str = "reserve") -> Reserve:
        """Read a reserve from TOML text; ``name`` stands for the file in messages.

        Raises:
            InputError: as ``load`` does.
        """
        from steelyard.rules.series_file import parse_reserve

        return parse_reserve(text, name)


class Terms(NamedTuple, Generic[Num]):
    """A series as the rules take it: scalars of one kind of number."""

    rule: RebalanceRule[Num]
    rates: CostRates[Num]
    nav_curve: CostCurve[Num]
    reserve_curve: CostCurve[Num]
    venue: VenueTerms[Num]
    lot_units: Num
    min_notional: Num
    basis: Num
    """Of a future, per year."""
    max_utilisation: Num
    pool_fee: Num
    """Share of notional that a trade pays into the reserve as its counterparty."""


@dataclass(frozen=True)
class Series:
    """One leveraged token: what it tracks, how far, by what rule, where and at what cost."""

    symbol: str
    underlying: str
    quote: str
    target_leverage: float
    initial_nav: float = 100.0
    initial_tokens: float = 1000.0
    rebalance: Rebalance = field(default_factory=Rebalance)
    venue: Venue = field(default_factory=Venue)
    costs: Costs = field(default_factory=Costs)
    execution: Execution = field(default_factory=Execution)
    fees: Fees = field(default_factory=Fees)
    reserve: Reserve | None = None
    text: str = field(default="", repr=False, compare=False)
    """The file that it was read from, word for word; a copy with other keys keeps it."""

    @property
    def trigger_names(self) -> tuple[str, ...]:
        """What can make it rebalance, in the order in which it is tested."""
        capacity = ("capacity",) if self.venue.kind == "pool" else ()
        return capacity + self.rebalance.trigger_names

    @classmethod
    def load(cls, path: str | Path) -> Series:
        """Read a series file.

        Raises:
            InputError: where the file cannot be read, or says what no series can be; the message
                names the file, the key, what was found and what is allowed.
        """
        from steelyard.rules.series_file import load_series

        return load_series(path)

    @classmethod
    def loads(cls, text: str, name: str = "series") -> Series:
        """Read a series from TOML text; ``name`` stands for the file in messages.

        Raises:
            InputError: as ``load`` does.
        """
        from steelyard.rules.series_file import parse_series

        return parse_series(text, name)

    @property
    def follows_the_market(self) -> bool:
        """Whether its impact depends on the trailing 24 hours of the price file."""
        return self.costs.impact_coefficient == "realised" or self.costs.daily_volume == "file"

    def terms(
        self, number: Number[Num], book: Sequence[Sequence[float]] | None = None
    ) -> Terms[Num]:
        """The scalars of the rules, each figure exactly as it was written in the file.

        An impact that follows the market is none here: each moment has its own.

        Args:
            number: the kind of number.
            book: the distances (bps), bids and asks (quote) of the book that ``costs.book`` names.

        Raises:
            InputError: the series trades on a book, and none is given.
        """
        rates = self._rates(number, book)
        venue = VenueTerms(
            spot=self.venue.kind == "spot",
            maintenance_margin=number.of(self.venue.maintenance_margin),
            liquidation_fee=number.of(self.venue.liquidation_fee),
            liquidation_threshold=number.of(self.venue.liquidation_threshold),
            borrow_spread=number.of(self.venue.borrow_spread_per_year),
            supply_spread=number.of(self.venue.supply_spread_per_year),
            units_borrow_rate=number.of(self.venue.units_borrow_rate_per_year),
        )
        return Terms(
            self._rule(number),
            rates,
            cost_curve(rates, False),
            cost_curve(rates, True),
            venue,
            lot_units=number.of(self.execution.lot_units),
            min_notional=number.of(self.execution.min_notional),
            basis=number.of(self.venue.basis_per_year),
            max_utilisation=number.of(self.venue.max_utilisation),
            pool_fee=number.of(self.venue.fee_bps) / 10_000,
        )

    def _rule(self, number: Number[Num]) -> RebalanceRule[Num]:
        how, nothing = self.rebalance, number.of(0)
        band, move = how.band, how.move
        slack = number.of(how.edge_slack) if how.move_to == "edge" else nothing
        has_lower = band is not None and band.lower is not None and not band.delever_only
        lower = number.of(band.lower) if band is not None and has_lower else nothing
        upper = number.of(band.upper) if band is not None else nothing
        return RebalanceRule(
            target=number.of(self.target_leverage),
            move_to=int(self._move_to()),
            recentering_speed=number.of(how.recentering_speed),
            has_band=band is not None,
            has_lower=has_lower,
            lower=lower,
            upper=upper,
            lower_limit=lower - slack,
            upper_limit=upper + slack,
            has_emergency=how.emergency_leverage > 0,
            emergency=number.of(how.emergency_leverage),
            has_move=move is not None,
            move_threshold=number.of(move.threshold) if move else nothing,
            move_losing_side_only=bool(move and move.losing_side_only),
            max_trade_notional=number.of(how.max_trade_notional),
        )

    def _move_to(self) -> MoveTo:
        if self.rebalance.move_to == "edge" and self.rebalance.inside_band == "target":
            return MoveTo.EDGE_OR_TARGET
        return MoveTo[self.rebalance.move_to.upper()]

    def _impact_flat(self, number: Number[Num]) -> Num:
        """What an auction pays a taker beyond fee and spread, which are its own costs; bps."""
        costs = self.costs
        if costs.impact != "auction":
            return number.of(0)
        return premium_beyond_cost(
            number.of(costs.auction_start_bps),
            number.of(costs.auction_top_bps),
            number.of(costs.taker_fee_bps) + number.of(costs.half_spread_bps),
            costs.taker_delay_s,
            costs.auction_duration_s,
        )

    def _rates(self, number: Number[Num], book: Sequence[Sequence[float]] | None) -> CostRates[Num]:
        costs, nothing = self.costs, number.of(0)
        moving = self.follows_the_market
        coefficient = nothing if moving else number.of(costs.impact_coefficient)
        rooted = costs.impact == "square_root" and not moving
        walked = costs.impact == "book"
        if walked and book is None:
            message = f"{self.symbol}: expected the levels of its book, {costs.book}, found none."
            raise InputError(message, symbol=self.symbol, book=costs.book)
        columns = book if walked and book is not None else ((0.0,), (0.0,), (0.0,))
        bps, bids, asks = (tuple(number.of(x) for x in column) for column in columns)
        bears = self.reserve.bears if self.reserve else ()
        return CostRates(
            taker_fee_bps=number.of(costs.taker_fee_bps) + number.of(self.venue.fee_bps),
            half_spread_bps=number.of(costs.half_spread_bps),
            impact_linear=coefficient if costs.impact == "linear" else nothing,
            impact_flat=self._impact_flat(number),
            impact_root=coefficient if rooted else nothing,
            daily_volume=number.of(costs.daily_volume) if rooted else number.of(1),
            amm_liquidity=number.of(costs.amm_liquidity) if costs.impact == "amm" else nothing,
            amm_fee_bps=number.of(costs.amm_fee_bps),
            has_book=walked,
            book=Levels(bps, bids, asks, reduce(add, bids), reduce(add, asks)),
            gas=number.of(costs.gas_per_rebalance),
            bears_fee="fee" in bears,
            bears_spread="spread" in bears,
            bears_impact="impact" in bears,
            bears_gas="gas" in bears,
        )
