"""The faults between a caller and a simulated venue, as probabilities and sizes.

Probabilities are from 0 to 1; one call may have several faults. ``CALM`` has no fault at all, and
``ROUGH`` has every one.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALM", "ROUGH", "FaultChances"]


@dataclass(frozen=True)
class FaultChances:
    """The probabilities and sizes of the faults of a network and a venue."""

    delay_ms: float = 20.0
    """The mean time, ms, of one way to the venue or back: half is fixed, the rest exponential."""
    slow: float = 0.0
    """One way takes up to ``slow_ms`` longer, so that a later request may arrive earlier."""
    slow_ms: int = 4_000
    refused: float = 0.0
    """There is no connection: nothing is sent, and the caller knows it."""
    lost_before: float = 0.0
    """The request is lost, and no answer arrives."""
    lost_after: float = 0.0
    """The request is carried out, and its answer is lost."""
    dropped_before: float = 0.0
    """The connection breaks before the request is read; the caller sees it break."""
    dropped_after: float = 0.0
    """The connection breaks after the request was carried out; the caller sees the same."""
    duplicate: float = 0.0
    """An answer or a stream message arrives twice."""
    unknown: float = 0.0
    """503 "Unknown error", or a time-out inside the venue: half of them are carried out."""
    garbled: float = 0.0
    """The request is carried out, and its answer cannot be read."""
    unavailable: float = 0.0
    """503 "Service Unavailable" or "Internal error": not carried out."""
    overloaded: float = 0.0
    """503 with -1008: not carried out. Reduce-only orders are accepted."""
    thin: float = 0.0
    """An order finds only part of the book, or nothing."""
    tells_trades: float = 0.0
    """An answer or a look-up reports the trades together with the order."""
    lag: float = 0.0
    """A view (order, trade, movement, position, wallet) shows a change later than it happened."""
    lag_ms: int = 3_000
    """The longest such delay, ms."""
    late_funding: float = 0.0
    """A funding payment is booked later than it is due."""
    late_funding_ms: int = 60_000
    deleveraged: float = 0.0
    """At each move of the price, the venue closes part of the position (auto-deleveraging)."""
    banned: float = 0.0
    """Other callers have used up a rate limit: 429, and every call is refused for ``ban_ms``."""
    ban_ms: int = 5_000
    """The length of it, ms; a call in the meantime makes it a ban (418), ``ban_times`` as long."""
    ban_times: int = 6
    skew_ms: int = 0
    """The largest error of the venue's clock, ms; the seed decides the error."""
    down: tuple[tuple[int, int], ...] = ()
    """The periods without a connection, each from and until a time, ms."""


CALM = FaultChances()

ROUGH = FaultChances(
    slow=0.05,
    refused=0.02,
    lost_before=0.03,
    lost_after=0.04,
    dropped_before=0.02,
    dropped_after=0.03,
    duplicate=0.04,
    unknown=0.04,
    garbled=0.02,
    unavailable=0.02,
    overloaded=0.02,
    thin=0.15,
    tells_trades=0.5,
    lag=0.3,
    late_funding=0.5,
    deleveraged=0.0005,
    banned=0.002,
    skew_ms=900,
)
