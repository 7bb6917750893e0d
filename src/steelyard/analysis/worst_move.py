"""The worst move of one kind in a history."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["WorstMove"]


class WorstMove(NamedTuple):
    """The worst move of one kind: over a span, down or up."""

    span: str
    side: str
    """``fall`` or ``rise``."""
    move: float | None
    """Simple return; None where the bars do not tell, or nothing fell or rose."""
    start: int | None
    """Epoch s: opening instant of the bar from which it is counted."""
    price_before: float | None
    price_after: float | None
    wiped_out_from: float | None
    """The least leverage (signed) that such a jump wipes out; None where none up to 1,000 is."""
    target_survives: bool | None
    """Whether the series at its target does; None without a series, and of the harmless side."""
    highest_survives: bool | None
    """The same at the highest leverage that its rule lets stand."""
