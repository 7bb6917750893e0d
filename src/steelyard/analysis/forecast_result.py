"""The result of a forecast: figures, tables, sentences, a plot and a document.

Notionals are in quote. A single notional is signed (negative for sales), while ``bought`` and
``sold`` are never negative. The columns of a table are the keys of its rows in ``figures``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from steelyard.analysis.price_path import Flow
from steelyard.analysis.rungs import Feedback, Rung, TokenOutlook
from steelyard.analysis.shelf import Shelf
from steelyard.market import OrderBook, format_time
from steelyard.report.shown_result import Shown

if TYPE_CHECKING:
    import pandas as pd

    from steelyard.report.document import Document

__all__ = ["Forecast"]


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Shown):
    """The forecast order flow of all tokens of a shelf.

    Attributes:
        shelf: the tokens.
        price: present price of the underlying.
        time: present time, epoch s.
        tokens: the outlook of each token.
        ladder: the rungs, one for each price, lowest price first.
        present: the rung of the present price, which the ladder itself may not contain.
        falling, rising: the trades on the way down and up, in the order of their prices. Both begin
            with the trades that are made immediately, at the present price.
        daily_volume: market volume of a day in quote, as given; None if it was not given.
        book: the order book that was given; None if none was given.
        feedback: the feedback of the flows; None where neither a daily volume nor an impact was
            given.
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
    book: OrderBook | None
    feedback: Feedback | None

    @cached_property
    def ladder_table(self) -> pd.DataFrame:
        """One row for each price of the ladder."""
        import pandas as pd

        return pd.DataFrame([rung.row for rung in self.ladder]).astype(float)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row for each trade on the way, from the highest price to the lowest."""
        import pandas as pd

        rows = [*reversed(list(self._trades(self.rising))), *self._trades(self._only_falling)]
        return pd.DataFrame(rows, columns=[*TRADE_COLUMNS])

    @cached_property
    def resets(self) -> pd.DataFrame:
        """One row for each token and price of the ladder at which the token's next reset trades."""
        import pandas as pd

        rows = [
            {"move": rung.move, **_figures(flow)} for rung in self.ladder for flow in rung.resets
        ]
        frame = pd.DataFrame(rows, columns=["move", *FLOW_COLUMNS])
        return frame.assign(time=pd.to_datetime(frame["time"]))

    @cached_property
    def token_table(self) -> pd.DataFrame:
        """One row for each token, by name: leverage, next reset, and the nearest trigger prices."""
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
        """A few sentences: what is traded if the price stays or moves, and whom the flow hurts."""
        from steelyard.analysis.forecast_words import forecast_words

        return forecast_words(self)

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """Plot the ladder as an interactive figure: trades as the price moves, and at resets."""
        from steelyard.analysis.forecast_document import ladder_data
        from steelyard.report.figure import stacked_figure
        from steelyard.report.ladder import ladder_panel

        data = ladder_data(self)
        return stacked_figure([ladder_panel(data)], data.title, dark=dark)

    def document(self) -> Document:
        """The document from which terminal, text, notebook and page are made."""
        from steelyard.analysis.forecast_document import forecast_document

        return forecast_document(self)

    @property
    def _only_falling(self) -> Sequence[Flow]:
        """The trades on the way down without the immediate ones, which ``rising`` has as well."""
        at_once = sum(len(token.now) for token in self.tokens)
        return self.falling[at_once:]

    def _trades(self, flows: Sequence[Flow]) -> Iterator[dict[str, Any]]:
        """Rows of trades, with the totals bought and sold from the present price up to each."""
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
    """A trade in the form of SPEC.md: with a side, and with amounts that are not negative."""
    return {
        "token": flow.token,
        "time": format_time(flow.time),
        "price": flow.price,
        "trigger": flow.trigger,
        "side": "buy" if flow.notional > 0 else "sell",
        "units": abs(flow.units),
        "notional": abs(flow.notional),
    }
