"""The parts of a series, one for each table of its file, with plain values as in the file.

The allowed values of each key are stated once, in ``series_file``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "FLOOR_RATIO",
    "RESUME_RATIO",
    "Band",
    "Costs",
    "Daily",
    "Execution",
    "Fallback",
    "Fees",
    "Interval",
    "Move",
    "Rebalance",
    "Venue",
    "Volatility",
]

FLOOR_RATIO, RESUME_RATIO = 0.10, 0.12
"""The default ratios of a reserve whose file does not set them."""


@dataclass(frozen=True)
class Band:
    """The trigger that acts when |leverage| leaves [lower, upper].

    ``lower`` is None where the trigger only lowers leverage.
    """

    lower: float | None
    upper: float
    delever_only: bool = False


@dataclass(frozen=True)
class Move:
    """The trigger that acts on a move by ``threshold`` (0.15 = 15 %) since the last rebalance."""

    threshold: float
    losing_side_only: bool = False


@dataclass(frozen=True)
class Volatility:
    """The trigger that acts when trailing volatility reaches ``annualised`` (1.5 = 150 %).

    It is the realised volatility of the last ``window_s`` seconds.
    """

    window_s: int
    annualised: float


@dataclass(frozen=True)
class Interval:
    """The trigger that acts every ``every_s`` s, counted from ``anchor_s`` s after midnight UTC."""

    every_s: int
    anchor_s: int = 0


@dataclass(frozen=True)
class Daily:
    """The trigger that acts each day at ``at_s`` seconds after midnight UTC."""

    at_s: int


@dataclass(frozen=True)
class Fallback:
    """The trigger that acts after ``after_s`` seconds without a rebalance."""

    after_s: int


@dataclass(frozen=True)
class Rebalance:
    """The rebalancing rule: its triggers, its destination and its clips."""

    move_to: str = "target"
    recentering_speed: float = 1.0
    edge_slack: float = 0.02
    inside_band: str = "nothing"
    """With a move to the edge: whether other triggers do nothing inside the band or trade to the
    target."""
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
    """The venue of the position; rates are per year, margins and thresholds are shares."""

    kind: str = "perpetual"
    maintenance_margin: float = 0.0
    liquidation_fee: float = 0.0
    liquidation_threshold: float = 0.86
    rate_per_year: float = 0.0
    borrow_spread_per_year: float = 0.0
    supply_spread_per_year: float = 0.0
    units_borrow_rate_per_year: float = 0.0
    cash_rate_per_year: float = 0.0
    """The interest rate on the idle cash beside a perpetual or a future, which is all of nav."""
    expiry: str = "quarterly"
    roll_days: float = 3.0
    """The number of days before its expiry at which a future is replaced by the next one."""
    basis_per_year: float = 0.0
    """The premium of a future over the price (0.05 = 5 %) for each year to its expiry."""
    max_utilisation: float = 0.8
    """The largest net notional against a pool, as a share of the reserve's value."""
    fee_bps: float = 0.0
    """The fee that a trade against a pool pays into it, in basis points of notional."""

    @property
    def has_interest(self) -> bool:
        """Whether its cash bears interest at a rate per year, which a file of rates may replace."""
        return self.kind == "spot" or self.cash_rate_per_year != 0

    @property
    def first_rate_per_year(self) -> float:
        """The interest rate of its cash before spreads, until a file of rates sets another."""
        return self.rate_per_year if self.kind == "spot" else self.cash_rate_per_year


@dataclass(frozen=True)
class Costs:
    """The costs of a trade: basis points of notional, and gas in quote per clip.

    ``impact_coefficient`` may be "realised" and ``daily_volume`` may be "file". They then follow
    the last 24 hours of the price file. ``book`` is a path, and empty where there is no order book.
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
    """The premium that a taker pays when an auction begins."""
    auction_top_bps: float = 0.0
    """The premium that a taker receives when the duration is over."""
    auction_duration_s: int = 0
    taker_delay_s: int = 0
    """The time for which takers let the premium rise above their own cost."""
    gas_per_rebalance: float = 0.0


@dataclass(frozen=True)
class Execution:
    """The sizes that the venue accepts, and the time from an order to its fill."""

    lot_units: float = 0.0
    """Sizes are rounded toward zero to a multiple of this; 0 allows any size."""
    min_notional: float = 0.0
    """The smallest trade in quote; smaller rebalances wait."""
    delay_s: int = 0


@dataclass(frozen=True)
class Fees:
    """The fees that holders pay to the issuer."""

    management_per_year: float = 0.0
    creation_bps: float = 0.0
    redemption_bps: float = 0.0
