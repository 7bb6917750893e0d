"""The beginning of a fund in a journal: its books, and the first row with its series."""

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
    """The books of these series, with copies of their states.

    Args:
        funds: each series with its state; several series share a reserve.
        number: the kind of number of the states.
        intrabar: how the driver observes prices inside bars; None for observations by the clock.
        is_model: whether fills follow the series' own costs.
        name: the name of the reserve that they share.
        books: the order book of each series, as columns, where its costs use one.
    """
    kept = [
        Kept(series, number, state.copy(), intrabar, is_model, book)
        for (series, state), book in zip(funds, books or [None] * len(funds), strict=True)
    ]
    for each in kept:
        each.state.reserve = kept[0].state.reserve
    return Books(name or kept[0].series.symbol, kept)


def series_row(kept: Kept, books: Books) -> dict[str, Any]:
    """The fields of the first row of a fund."""
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
    """Whether its text describes it fully; not if it was made or changed in Python."""
    return bool(series.text) and Series.loads(series.text) == series
