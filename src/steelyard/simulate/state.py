"""All that a running token is between two observations, and what a run writes down.

A state is complete: a run that stops after any bar and another that starts from its state do what
one run over both pieces does.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, NamedTuple

from steelyard.rules.numbers import Num

__all__ = ["BarRow", "Clips", "RebalanceRow", "Record", "State", "Totals", "WipedOut"]


@dataclass(frozen=True)
class WipedOut:
    """The token's end: when (epoch s), at what price, and by what: "liquidated" or "nav"."""

    time: int
    price: float
    reason: str


@dataclass
class Clips(Generic[Num]):
    """A rebalance that goes out in pieces: where to, which way, and when the last one went."""

    trigger: int
    destination: Num
    raises: bool
    last_time: int


@dataclass
class Totals(Generic[Num]):
    """Sums since launch, quote, whole fund (costs gross of what the reserve paid)."""

    fee: Num
    spread: Num
    impact: Num
    gas: Num
    funding: Num
    interest: Num
    management: Num
    paid_by_reserve: Num
    received: Num
    injected: Num
    turnover: Num
    clips: int = 0
    blocked: int = 0
    suspended_s: int = 0
    by_trigger: dict[int, int] = field(default_factory=dict)

    @classmethod
    def none(cls, nothing: Num) -> Totals[Num]:
        """Sums before the launch: ``nothing`` is zero in the wanted kind of number."""
        n = nothing
        return cls(n, n, n, n, n, n, n, n, n, n, n)


@dataclass
class State(Generic[Num]):
    """One token: its books, its clocks, its reserve; quote and units of the whole fund."""

    cash: Num
    units: Num
    tokens: Num
    reserve_units: Num
    pending_fees: Num
    """The reserve's share of fees taken and not yet allocated, quote."""
    squares: Num
    """Sum of the squared returns in ``window``."""
    totals: Totals[Num]
    time: int | None = None
    """The last clock observation, epoch s; None before the launch."""
    price: Num | None = None
    """The price at that observation."""
    reference: Num | None = None
    """Price of the last rebalance."""
    last_rebalance: int = 0
    next_interval: int = 0
    next_daily: int = 0
    next_allocation: int = 0
    last_volatile: int | None = None
    window: deque[tuple[int, Num]] = field(default_factory=deque)
    """Start and square of each return in the trailing window of the volatility trigger."""
    clips: Clips[Num] | None = None
    suspended: bool = False
    wiped_out: WipedOut | None = None

    def copy(self) -> State[Num]:
        """A state of its own, so that a run never changes the one it was given."""
        return copy.deepcopy(self)


class RebalanceRow(NamedTuple):
    """One executed trade; nav per token, units, notional and costs of the whole fund, positive."""

    time: int
    trigger: str
    side: str
    units: float
    price: float
    notional: float
    leverage_before: float
    leverage_after: float
    nav_before: float
    nav_after: float
    fee: float
    spread: float
    impact: float
    gas: float
    paid_by_reserve: float


class BarRow(NamedTuple):
    """The token at a bar's close; sums are since launch, quote, whole fund."""

    nav: float
    leverage: float
    reserve: float
    funding: float
    interest: float
    management: float


@dataclass
class Record:
    """What a run wrote down: one row a bar, one a trade, and the reserve's receipts by time."""

    bars: list[BarRow] = field(default_factory=list)
    trades: list[RebalanceRow] = field(default_factory=list)
    receipts: list[tuple[int, float]] = field(default_factory=list)
    """Fees and trading fees paid into the reserve: epoch s and quote (capital is not one)."""
