"""Whether a fund can be told what a row says that it was told.

An input that a series does not know changes nothing in an honest journal, and could change
everything in a forged one: another impact makes trades cheaper, a verdict on volatility makes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from steelyard.fund.events import Crossed, Filled, Inputs, Liquidated, Observed, Paused
from steelyard.ledger.fold import Books, Kept

__all__ = ["wrong_inputs"]


def wrong_inputs(books: Books, event: Any, impact: Sequence[Any] | None) -> Iterator[str]:  # noqa: ANN401
    """Why what a row says of the outside cannot be.

    Args:
        books: as they were before it.
        event: what happened.
        impact: the impact that trades have at present, one a fund; None for none.
    """
    first = books.funds[0]
    if first.is_model and isinstance(event, (Filled, Liquidated, Paused)):
        kind = type(event).__name__.lower()
        yield f"{kind} by a venue or an operator, and the fund is a simulated one, which has none"
    if isinstance(event, Crossed) and first.intrabar == "close":
        yield "a crossing inside a bar, expected observations of closes only"
    if impact is not None:
        if len(impact) != len(books.funds):
            yield f"the impact of {len(impact)} funds, expected {len(books.funds)}"
        for kept, one in zip(books.funds, impact, strict=False):
            if one is not None and not kept.series.follows_the_market:
                yield f"{kept.series.symbol}: an impact of its own, and its series says it is fixed"
    if not isinstance(event, Observed):
        return
    if len(event.inputs) != len(books.funds):
        yield f"the inputs of {len(event.inputs)} funds, expected {len(books.funds)}"
    if event.injections and books.pool is None:
        yield "injections, and there is no reserve"
    for kept, inputs in zip(books.funds, event.inputs, strict=False):
        for what in _wrong_of_one(kept, inputs, event.time):
            yield f"{kept.series.symbol}: {what}"


def _wrong_of_one(kept: Kept, inputs: Inputs[Any], time: int) -> Iterator[str]:
    venue, since = kept.series.venue.kind, kept.state.time
    if inputs.funding and venue != "perpetual":
        yield f"funding on a venue of the kind {venue}"
    if inputs.rates and venue != "spot":
        yield f"interest rates on a venue of the kind {venue}"
    if inputs.impact is not None and not kept.series.follows_the_market:
        yield "an impact of its own, and its series says it is fixed"
    if inputs.volatile is not None and kept.is_model:
        yield "a verdict on volatility, and the journal holds the returns themselves"
    if venue == "spot" and since is not None and kept.state.ended is None:
        seconds = sum(each for _, each in inputs.rates)
        if seconds != time - since:
            yield f"interest rates over {seconds} s, expected {time - since}"
