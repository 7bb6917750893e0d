"""The worst move of one kind in a history."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["WorstMove"]


class WorstMove(NamedTuple):
    """The worst fall or the worst rise of a history over one span."""

    span: str
    side: str
    """``fall`` or ``rise``."""
    move: float | None
    """Simple return; None where the bars are too coarse to know it, or nothing fell or rose."""
    start: int | None
    """Opening instant of the bar from which the move is measured, epoch s."""
    price_before: float | None
    price_after: float | None
    wiped_out_from: float | None
    """The smallest leverage, signed, that such a jump wipes out; None: none up to 1,000."""
    target_survives: bool | None
    """Whether the series survives the jump at its target leverage; None without a series, or where
    the move is in the token's favour."""
    highest_survives: bool | None
    """Whether it survives at the highest leverage that its rule tolerates; None likewise."""
