"""Times of events as readable text, and the full hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["HOUR_S", "first_hour_after", "time_text"]

HOUR_S = 3_600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(time_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601, UTC: ``2020-03-12T08:00:00Z``, ``...:00.250Z``."""
    when = EPOCH + timedelta(milliseconds=time_ms)
    exact = "milliseconds" if time_ms % 1000 else "seconds"
    return when.isoformat(timespec=exact).replace("+00:00", "Z")


def first_hour_after(time: int) -> int:
    """The first full hour after a time; both are epoch s."""
    return time // HOUR_S * HOUR_S + HOUR_S
