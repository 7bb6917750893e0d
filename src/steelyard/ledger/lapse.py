"""The accruals of uneventful observations, which a recorder collects for its next row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steelyard.fund.effects import (
    Accruals,
    Accrued,
    Blocked,
    Effect,
    Passed,
    PriceSettled,
    PricesSettled,
    Seen,
)
from steelyard.ledger.fold import Kept

__all__ = ["Lapse", "coming"]


class Lapse:
    """The accruals of one fund since the last row."""

    def __init__(self, nothing: Any) -> None:  # noqa: ANN401 (a kind of number)
        self.blocked = 0
        self.window: list[tuple[int, Any, int]] = []
        self.accrues = self.settles = False
        self.funding = self.interest = self.management = nothing
        self.paid = self.shortfall = nothing

    def add(self, effect: Effect[Any], since: int | None) -> None:
        """Collect one more effect; ``since`` is the time of the scheduled observation before it."""
        if isinstance(effect, Blocked):
            self.blocked += 1
            return
        if isinstance(effect, (Seen, Accrued)) and effect.window is not None and since is not None:
            self.window.append((since, *effect.window))
        if isinstance(effect, Accrued):
            self.accrues = True
            for paid in effect.funding:
                self.funding += paid
            self.interest += effect.interest
            self.management += effect.management
        elif isinstance(effect, PriceSettled):
            self.settles = True
            self.paid += effect.paid
            self.shortfall += effect.shortfall

    def passed(self, kept: Kept) -> Passed[Any]:
        """The collected accruals with the resulting balances."""
        state = kept.state
        sums, reserve = state.totals, state.reserve
        accrued = settled = None
        if self.accrues:
            accrued = Accruals(
                self.funding,
                self.interest,
                self.management,
                state.units,
                state.mark,
                reserve.pending_fees,
                sums.funding,
                sums.interest,
                sums.management,
            )
        if self.settles:
            settled = PricesSettled(
                self.paid, self.shortfall, state.settled_price, reserve.units, reserve.settled
            )
        return Passed(
            kept.series.symbol,
            state.time or 0,
            state.price,
            state.cash,
            self.blocked,
            tuple(self.window),
            accrued,
            settled,
        )


def coming(effects: Sequence[Effect[Any]]) -> list[Effect[Any]]:
    """The accruals at an observation before anything else happened to its fund."""
    came: list[Effect[Any]] = []
    is_first = True
    for effect in effects:
        if isinstance(effect, (Seen, Accrued)):
            came.append(effect)
        if isinstance(effect, PriceSettled) and is_first:
            came.append(effect)
        else:
            is_first = False
    return came
