"""A token series: everything that its file fixes for good, as a frozen object (SPEC 1).

``Series.load`` reads and checks a TOML file. ``Series.terms`` returns the scalars that the rules
take, in the wanted kind of number. The allowed values of each key are stated once, in
``series_file``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple

from steelyard.errors import InputError
from steelyard.rules.auction import premium_beyond_cost
from steelyard.rules.costs import CostCurve, CostRates, Levels, cost_curve
from steelyard.rules.decide import MoveTo
from steelyard.rules.liquidation import VenueTerms
from steelyard.rules.numbers import Num, Number
from steelyard.rules.series_parts import (
    FLOOR_RATIO,
    RESUME_RATIO,
    Band,
    Costs,
    Daily,
    Execution,
    Fallback,
    Fees,
    Interval,
    Move,
    Rebalance,
    Venue,
    Volatility,
)
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
class Reserve:
    """The pool in the underlying that pays some kinds of cost, with its floor."""

    initial_units: float = 0.0
    bears: tuple[str, ...] = ("spread", "impact", "gas")
    floor_ratio: float = FLOOR_RATIO
    resume_ratio: float = RESUME_RATIO
    fee_share: float = 0.5
    allocation_every_s: int = 86_400

    @classmethod
    def load(cls, path: str | Path) -> Reserve:
        """Read a reserve that several series share, from a file with a table [reserve].

        Raises:
            InputError: the file cannot be read, or is not a valid reserve file.
        """
        from steelyard.rules.series_file import reserve_in

        return cls(**reserve_in(path))

    @classmethod
    def loads(cls, text: str, name: str = "reserve") -> Reserve:
        """Read a reserve from TOML text; ``name`` stands for the file in messages.

        Raises:
            InputError: as ``load`` does.
        """
        from steelyard.rules.series_file import reserve_values

        return cls(**reserve_values(text, name))


class Terms(NamedTuple, Generic[Num]):
    """The scalars of a series that the rules take, in one kind of number."""

    rule: RebalanceRule[Num]
    rates: CostRates[Num]
    nav_curve: CostCurve[Num]
    reserve_curve: CostCurve[Num]
    venue: VenueTerms[Num]
    lot_units: Num
    min_notional: Num
    basis: Num
    """The basis of a future, per year."""
    max_utilisation: Num
    pool_fee: Num
    """The share of notional that a trade pays into the reserve as its counterparty."""


@dataclass(frozen=True)
class Series:
    """One leveraged token: its underlying, target, rebalancing rule, venue and costs."""

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
    """The exact text of the file that it was read from; a copy with changed keys keeps it."""

    @property
    def trigger_names(self) -> tuple[str, ...]:
        """The triggers that can make it rebalance, in the order in which they are tested."""
        capacity = ("capacity",) if self.venue.kind == "pool" else ()
        return capacity + self.rebalance.trigger_names

    @classmethod
    def load(cls, path: str | Path) -> Series:
        """Read a series file.

        Raises:
            InputError: the file cannot be read, or is not a valid series. The message names the
                file, the key, the value found and the values allowed.
        """
        from steelyard.rules.series_file import series_in

        return cls._of(series_in(path))

    @classmethod
    def loads(cls, text: str, name: str = "series") -> Series:
        """Read a series from TOML text; ``name`` stands for the file in messages.

        Raises:
            InputError: as ``load`` does.
        """
        from steelyard.rules.series_file import series_values

        return cls._of(series_values(text, name))

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Series:
        reserve = values.pop("reserve")
        return cls(**values, reserve=None if reserve is None else Reserve(**reserve))

    @property
    def follows_the_market(self) -> bool:
        """Whether its impact depends on the last 24 hours of the price file."""
        return self.costs.impact_coefficient == "realised" or self.costs.daily_volume == "file"

    def terms(
        self, number: Number[Num], book: Sequence[Sequence[float]] | None = None
    ) -> Terms[Num]:
        """The scalars that the rules take, with each figure exactly as it is written in the file.

        An impact that follows the market is zero here, because it has another value at each time.

        Args:
            number: the kind of number.
            book: the columns of the order book that ``costs.book`` names, of one length: distances
                from mid (bps), bids and asks (quote).

        Raises:
            InputError: the series trades on an order book, and none is given.
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
        """What an auction pays a taker beyond its own costs, which are fee and spread; bps."""
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
            message = (
                f"{self.symbol}: expected the levels of its order book, {costs.book}, found none."
            )
            raise InputError(message, symbol=self.symbol, book=costs.book)
        columns = book if walked and book is not None else ((0.0,), (0.0,), (0.0,))
        levels = Levels.of(*(tuple(number.of(x) for x in column) for column in columns))
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
            book=levels,
            gas=number.of(costs.gas_per_rebalance),
            bears_fee="fee" in bears,
            bears_spread="spread" in bears,
            bears_impact="impact" in bears,
            bears_gas="gas" in bears,
        )
