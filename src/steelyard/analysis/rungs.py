"""What a forecast is made of: each token's outlook, each price of the ladder, and the feedback."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from steelyard.analysis.walk import Flow, Threshold
from steelyard.market import format_time
from steelyard.rules.series import Series

__all__ = ["Feedback", "Rung", "TokenOutlook"]


@dataclass(frozen=True)
class TokenOutlook:
    """One token: how it stands after what it trades at once, and at which prices it will act.

    Attributes:
        name: its own on the shelf.
        series: its rule.
        leverage: signed, now; 0 where it does not live on.
        assets: quote.
        next_reset: epoch s of the next instant at which the clock makes it trade; None: none.
        thresholds: prices at which something acts if nothing trades before, the lowest first.
        now: what it trades at once, at the present price.
        reset: what its next reset trades if the price stays.
    """

    name: str
    series: Series
    leverage: float
    assets: float
    next_reset: int | None
    thresholds: tuple[Threshold, ...]
    now: tuple[Flow, ...]
    reset: tuple[Flow, ...]

    def nearest(self, side: str) -> Threshold | None:
        """The threshold that is met first on the way down (``below``) or up (``above``)."""
        found = [each for each in self.thresholds if each.side == side]
        if not found:
            return None
        return found[-1] if side == "below" else found[0]

    @property
    def liquidation(self) -> float | None:
        """The price at which its venue closes the position if nothing trades before."""
        found = [each.price for each in self.thresholds if each.trigger == "liquidation"]
        return found[0] if found else None

    @property
    def figures(self) -> dict[str, Any]:
        """Its entry in ``forecast --json``."""
        return {
            "name": self.name,
            "target_leverage": self.series.target_leverage,
            "leverage": self.leverage,
            "assets": self.assets,
            "next_reset": None if self.next_reset is None else format_time(self.next_reset),
            "reset_notional": math.fsum(flow.notional for flow in self.reset),
            "liquidation": self.liquidation,
            "thresholds": [each._asdict() for each in self.thresholds],
        }


@dataclass(frozen=True)
class Rung:
    """One price of the ladder, all tokens together.

    Attributes:
        price: of the underlying.
        move: from the present price.
        bought, sold: on the way there, what is traded at once included (quote).
        reset_bought, reset_sold: at each token's next reset if the price then stands there.
        net: all of it, negative for sales.
        units: the same in units of the underlying.
        share_of_volume: ``net`` over the daily volume; None where that is not known.
        share_of_book: ``net`` over all that the book holds on its side; None likewise.
        book_cost: quote that the book takes for ``net`` in one order; None where it holds less.
        amplified_move: to which the move grows by the feedback; None where it is not known.
        resets: the trades at resets, one a token.
    """

    price: float
    move: float
    bought: float
    sold: float
    reset_bought: float
    reset_sold: float
    net: float
    units: float
    share_of_volume: float | None
    share_of_book: float | None
    book_cost: float | None
    amplified_move: float | None
    resets: tuple[Flow, ...]

    @property
    def row(self) -> dict[str, Any]:
        """Its row of ``Forecast.ladder_table``."""
        return {name: value for name, value in vars(self).items() if name != "resets"}


@dataclass(frozen=True)
class Feedback:
    """How flows answer a move and moves answer flows (FORMULAS 8), tokens at their targets.

    Attributes:
        demand: quote that resets trade per unit of move: ``sum A L (L-1)``.
        share_of_volume: the same over the daily volume; None where that is not known.
        impact: bps per million of quote, as given; None where it was not.
        gain: what of a move comes back through the resets; None without an impact.
        amplification: ``1 / (1 - gain)``; None without an impact, and where it is unstable.
        unstable_from: the impact at which the gain is 1; None where there is no demand.
    """

    demand: float
    share_of_volume: float | None
    impact: float | None
    gain: float | None
    amplification: float | None
    unstable_from: float | None
