"""How a fund begins in a journal: its books, and the row with its series that comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from steelyard.ledger.bodies import plain
from steelyard.ledger.fold import Books, Kept
from steelyard.rules.series import Series
from steelyard.version import __version__

__all__ = ["books_for", "series_row"]


def books_for(
    funds: Sequence[tuple[Series, Any]],
    number: Any,  # noqa: ANN401 (a kind of number)
    *,
    intrabar: str | None,
    is_model: bool,
    name: str | None = None,
    books: Sequence[Any] = (),
) -> Books:
    """Books of series and their states, which are copied.

    Args:
        funds: each series with its state; where there are several they share a reserve.
        number: the kind of number of the states.
        intrabar: how the driver observes prices; None: by the clock.
        is_model: fills are the series' own costs.
        name: of the reserve that they share.
        books: the order book of each, as columns, where its costs are taken from one.
    """
    kept = [
        Kept(series, number, state.copy(), intrabar, is_model, book)
        for (series, state), book in zip(funds, books or [None] * len(funds), strict=True)
    ]
    for each in kept:
        each.state.reserve = kept[0].state.reserve
    return Books(name or kept[0].series.symbol, kept)


def series_row(kept: Kept, books: Books) -> dict[str, Any]:
    """The fields of a fund's first row."""
    series, shared = kept.series, None
    if books.name != series.symbol:
        shared = {"name": books.name, "terms": plain(series.reserve)}
        series = replace(series, reserve=None)
    is_said = _is_said_by_its_text(series)
    return {
        "text": series.text if is_said else "",
        "number": kept.number.name,
        "intrabar": kept.intrabar,
        "venue": "model" if kept.is_model else None,
        "shared": shared,
        "book": plain(kept.book),
        "program": __version__,
        "stated": None if is_said else {**plain(series), "text": None},
    }


def _is_said_by_its_text(series: Series) -> bool:
    """Whether its file says all of it: it does not where it was made, or changed, in Python."""
    return bool(series.text) and Series.loads(series.text) == series
