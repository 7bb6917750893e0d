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

from steelyard.analysis.rungs import Feedback, Rung, TokenOutlook
from steelyard.analysis.shelf import Shelf
from steelyard.analysis.walk import Flow
from steelyard.market import Book, format_time
from steelyard.report.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["Forecast"]


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Shown):
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
        from steelyard.analysis.forecast_words import forecast_words

        return forecast_words(self)

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """The ladder as an interactive figure: what is traded as the price moves, and at resets."""
        from steelyard.analysis.forecast_document import ladder_data
        from steelyard.report.figure import stacked_figure
        from steelyard.report.ladder import ladder_panel

        data = ladder_data(self)
        return stacked_figure([ladder_panel(data)], data.title, dark=dark)

    def document(self) -> Document:
        """All that is shown of it: terminal, text, notebook and page are made of it."""
        from steelyard.analysis.forecast_document import forecast_document

        return forecast_document(self)

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
        from steelyard.analysis.forecast_words import tokens_counted

        return (
            f"<Forecast of {tokens_counted(self)} on {self.shelf.underlying} at "
            f"{self.price:,.10g}, {format_time(self.time)}: {self.words}>"
        )


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
