"""What may go wrong between a caller and a simulated venue, as chances and sizes.

Chances are shares of one; a call may suffer from several. ``CALM`` has no fault at all, ``ROUGH``
has every one.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CALM", "ROUGH", "FaultChances"]


@dataclass(frozen=True)
class FaultChances:
    """How a network and a venue fail."""

    delay_ms: float = 20.0
    """Mean of a way to the venue, or back: at least half of it, the rest is exponential."""
    slow: float = 0.0
    """A way takes up to ``slow_ms`` more: what was sent later may arrive before it."""
    slow_ms: int = 4_000
    refused: float = 0.0
    """No connection: nothing is sent, and the caller knows it."""
    lost_before: float = 0.0
    """The request is lost, and no answer comes."""
    lost_after: float = 0.0
    """It is carried out, and the answer is lost."""
    dropped_before: float = 0.0
    """The connection breaks before the request is read; the caller sees it break."""
    dropped_after: float = 0.0
    """It breaks after the request was carried out; the caller sees the same."""
    duplicate: float = 0.0
    """An answer, or what a stream tells, comes twice."""
    unknown: float = 0.0
    """503 "Unknown error", or a time-out inside the venue: carried out or not, half of each."""
    garbled: float = 0.0
    """It is carried out, and the answer cannot be read."""
    unavailable: float = 0.0
    """503 "Service Unavailable" or "Internal error": not carried out."""
    overloaded: float = 0.0
    """503 with -1008: not carried out. Reduce-only orders are let through."""
    thin: float = 0.0
    """An order meets only a part of the book, or nothing."""
    tells_trades: float = 0.0
    """An answer or a look-up tells the trades along with the order."""
    lag: float = 0.0
    """A view of a change (order, trade, movement, position, wallet) is seen later than it is."""
    lag_ms: int = 3_000
    """By at most this."""
    late_funding: float = 0.0
    """A funding payment is booked later than it is due."""
    late_funding_ms: int = 60_000
    deleveraged: float = 0.0
    """At each move of the price: a part of the position is closed by the venue."""
    banned: float = 0.0
    """A call meets a limit that others have used up: 429, and every call is turned away."""
    ban_ms: int = 5_000
    """For this long; asked meanwhile, it becomes a ban (418) of ``ban_times`` as long."""
    ban_times: int = 6
    skew_ms: int = 0
    """The venue's clock is off by up to this, by the seed."""
    down: tuple[tuple[int, int], ...] = ()
    """From when until when (ms) there is no connection."""


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
