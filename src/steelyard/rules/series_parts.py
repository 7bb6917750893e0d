"""The parts of a series, one for each table of its file: plain values, as the file says them.

What a key may hold is said once, in ``series_file``.
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
"""Of a reserve whose file names none."""


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
    cash_rate_per_year: float = 0.0
    """What the idle cash beside a perpetual or a future earns, which is all of nav."""
    expiry: str = "quarterly"
    roll_days: float = 3.0
    """Days before its expiry at which a future is replaced by the next."""
    basis_per_year: float = 0.0
    """What a future is above the price (0.05 = 5 %) for a year to its expiry."""
    max_utilisation: float = 0.8
    """Largest net notional against a pool, as a share of the reserve's value."""
    fee_bps: float = 0.0
    """What a trade against a pool pays into it."""

    @property
    def has_interest(self) -> bool:
        """Whether its cash pays or earns by a rate per year, which a file of rates may replace."""
        return self.kind == "spot" or self.cash_rate_per_year != 0

    @property
    def first_rate_per_year(self) -> float:
        """The rate that its cash pays or earns, before spreads, until a file says another."""
        return self.rate_per_year if self.kind == "spot" else self.cash_rate_per_year


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
