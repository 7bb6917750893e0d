"""What a forecast found: figures, tables, a sentence, a page.

Notional is quote and signed where it is one figure (negative for sales); ``bought`` and ``sold``
are not negative. The columns of a table are the keys of its rows in ``figures``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from steelyard.explain.shelf import Shelf
from steelyard.explain.walk import Flow, Threshold
from steelyard.market import Book, format_time
from steelyard.rules.series import Series

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["Feedback", "Forecast", "Rung", "TokenOutlook"]


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


@dataclass(frozen=True, eq=False)
class Forecast:
    """The order flow of a shelf.

    Attributes:
        shelf: the tokens.
        price: of the underlying, now.
        time: now, epoch s.
        tokens: one a token.
        ladder: one a price, the lowest first.
        present: as if the ladder had the present price.
        falling, rising: the trades on the way down and up, as the price comes to them; what is
            traded at once, at the present price, opens both.
        daily_volume: as given.
        book: as given, read.
        feedback: None where neither a daily volume nor an impact was given.
    """

    shelf: Shelf
    price: float
    time: int
    tokens: tuple[TokenOutlook, ...]
    ladder: tuple[Rung, ...]
    present: Rung
    falling: tuple[Flow, ...]
    rising: tuple[Flow, ...]
    daily_volume: float | None
    book: Book | None
    feedback: Feedback | None

    @cached_property
    def ladder_table(self) -> pd.DataFrame:
        """One row a price of the ladder."""
        import pandas as pd

        return pd.DataFrame([rung.row for rung in self.ladder]).astype(float)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a trade on the way, in price order from the highest to the lowest."""
        import pandas as pd

        rows = [*reversed(list(self._trades(self.rising))), *self._trades(self._only_falling)]
        return pd.DataFrame(rows, columns=[*TRADE_COLUMNS])

    @cached_property
    def resets(self) -> pd.DataFrame:
        """One row a token and price of the ladder at which its next reset trades."""
        import pandas as pd

        rows = [
            {"move": rung.move, **_figures(flow)} for rung in self.ladder for flow in rung.resets
        ]
        frame = pd.DataFrame(rows, columns=["move", *FLOW_COLUMNS])
        return frame.assign(time=pd.to_datetime(frame["time"]))

    @cached_property
    def token_table(self) -> pd.DataFrame:
        """One row a token, by name: its leverage, its next reset, the nearest prices that act."""
        import pandas as pd

        rows = []
        for token in self.tokens:
            row = token.figures
            del row["thresholds"]
            for word in ("below", "above"):
                met = token.nearest(word)
                row[word] = None if met is None else met.price
                row[f"{word}_trigger"] = None if met is None else met.trigger
            rows.append(row)
        frame = pd.DataFrame(rows).set_index("name")
        return frame.astype(dict.fromkeys(("liquidation", "below", "above"), float)).assign(
            next_reset=pd.to_datetime(frame["next_reset"])
        )

    @property
    def figures(self) -> dict[str, Any]:
        """The object of ``forecast --json``."""
        return {
            "schema": 1,
            "shelf": self.shelf.source,
            "underlying": self.shelf.underlying,
            "quote": self.shelf.quote,
            "price": self.price,
            "time": format_time(self.time),
            "words": self.words,
            "daily_volume": self.daily_volume,
            "book": None if self.book is None else self.book.source,
            "feedback": None if self.feedback is None else vars(self.feedback).copy(),
            "tokens": [token.figures for token in self.tokens],
            "ladder": [
                {**rung.row, "resets": [_figures(flow) for flow in rung.resets]}
                for rung in self.ladder
            ],
            "trades": [*self._trades(self._only_falling), *self._trades(self.rising)],
        }

    @property
    def words(self) -> str:
        """What will be traded if the price stays, and the side not to be on, in a few sentences."""
        from steelyard.explain.forecast_words import forecast_words

        return forecast_words(self)

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """The ladder as an interactive figure: what is traded as the price moves, and at resets."""
        from steelyard.plots.ladder import ladder_figure

        return ladder_figure(_ladder_data(self), dark=dark)

    def save(self, path: str | Path) -> None:
        """Write the forecast as a page, one HTML file, whole or not at all.

        Raises:
            InputError: where the file cannot be written.
        """
        from steelyard.explain.forecast_page import save_forecast

        save_forecast(self, path)

    @property
    def _only_falling(self) -> Sequence[Flow]:
        """The way down without what is traded at once, which opens the way up as well."""
        at_once = sum(len(token.now) for token in self.tokens)
        return self.falling[at_once:]

    def _trades(self, flows: Sequence[Flow]) -> Iterator[dict[str, Any]]:
        """Rows with what has been bought and sold up to and with each, from the present on."""
        bought = sold = 0.0
        if flows is not self.rising:
            bought = math.fsum(max(f.notional, 0.0) for token in self.tokens for f in token.now)
            sold = -math.fsum(min(f.notional, 0.0) for token in self.tokens for f in token.now)
        for flow in flows:
            bought += max(flow.notional, 0.0)
            sold -= min(flow.notional, 0.0)
            row = _figures(flow)
            del row["time"]
            move = flow.price / self.price - 1 if flow.price != self.price else 0.0
            yield {"move": move, **row, "bought_so_far": bought, "sold_so_far": sold}

    def __repr__(self) -> str:
        from steelyard.explain.forecast_words import tokens_counted

        return (
            f"<Forecast of {tokens_counted(self)} on {self.shelf.underlying} at "
            f"{self.price:,.10g}, {format_time(self.time)}: {self.words}>"
        )

    def _repr_html_(self) -> str:
        """For notebooks: the sentence, then the ladder."""
        from html import escape

        shown = self.ladder_table.dropna(axis="columns", how="all")
        table: str = shown.to_html(index=False, float_format=lambda x: f"{x:z,.6g}", border=0)
        return f"<p>{escape(self.words)}</p>{table}"


FLOW_COLUMNS = ("token", "time", "price", "trigger", "side", "units", "notional")
TRADE_COLUMNS = (
    "move",
    "token",
    "price",
    "trigger",
    "side",
    "units",
    "notional",
    "bought_so_far",
    "sold_so_far",
)


def _figures(flow: Flow) -> dict[str, Any]:
    """A trade as SPEC.md tells trades: a side, and amounts that are not negative."""
    return {
        "token": flow.token,
        "time": format_time(flow.time),
        "price": flow.price,
        "trigger": flow.trigger,
        "side": "buy" if flow.notional > 0 else "sell",
        "units": abs(flow.units),
        "notional": abs(flow.notional),
    }


def _ladder_data(found: Forecast) -> Any:  # noqa: ANN401 (of plots, which is imported late)
    from steelyard.explain.forecast_page import ladder_data

    return ladder_data(found)
