"""The parts of a forecast: each token's outlook, each price of the ladder, and the feedback."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from steelyard.analysis.price_path import Flow, Threshold
from steelyard.market import format_time
from steelyard.rules.series import Series

__all__ = ["Feedback", "Rung", "TokenOutlook"]


@dataclass(frozen=True)
class TokenOutlook:
    """One token's outlook: its state after immediate trades, and the prices at which it acts.

    Attributes:
        name: name of the token on the shelf.
        series: series of the token.
        leverage: present leverage, signed; 0 where the token is wiped out at the present price.
        assets: net asset value of all its tokens, in quote.
        next_reset: epoch s of the next instant at which the clock makes it trade; None: never.
        thresholds: prices at which it acts if nothing trades before, lowest price first.
        now: its immediate trades, at the present price.
        reset: the trades of its next reset if the price stays.
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
        """The price at which the venue closes the position if nothing trades before; None: none."""
        found = [each.price for each in self.thresholds if each.trigger == "liquidation"]
        return found[0] if found else None

    @property
    def figures(self) -> dict[str, Any]:
        """The entry of the token in ``forecast --json``."""
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
    """One price of the ladder, with the trades of all tokens together.

    Attributes:
        price: price of the underlying.
        move: simple return from the present price to this price.
        bought, sold: quote traded on the way to this price, including immediate trades.
        reset_bought, reset_sold: quote traded at each token's next reset, if the price then is this
            one.
        net: all purchases less all sales, in quote; negative for net sales.
        units: the same in units of the underlying.
        share_of_volume: ``net`` over the daily volume; None where the volume is not known.
        share_of_book: ``net`` over the depth of the book on the side that it takes; None without a
            book.
        book_cost: cost in quote of trading ``net`` in one order on the book; None without a book,
            or where the book holds less.
        amplified_move: the move including what the feedback adds to it; None where it is not known.
        resets: the trades at resets.
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
        """The row of this price in ``Forecast.ladder_table``."""
        return {name: value for name, value in vars(self).items() if name != "resets"}


@dataclass(frozen=True)
class Feedback:
    """The feedback between price moves and resets (FORMULAS 8), for tokens at their targets.

    Attributes:
        demand: quote that resets trade per unit of price move: ``sum A L (L-1)``.
        share_of_volume: ``demand`` over the daily volume; None where the volume is not known.
        impact: market impact in bps per million of quote, as given; None where it was not given.
        gain: the price move that the resets cause, as a share of the move that they respond to;
            None without an impact.
        amplification: ``1 / (1 - gain)``; None without an impact, or where the feedback is
            unstable.
        unstable_from: the impact, in bps per million, at which the gain is 1; None where there is
            no demand.
    """

    demand: float
    share_of_volume: float | None
    impact: float | None
    gain: float | None
    amplification: float | None
    unstable_from: float | None
