"""The check that a row's inputs are possible for its fund.

An input that its series does not use has no effect in an honest journal. In a forged journal it
could change the outcome: another impact makes trades cheaper, and a claim about volatility causes a
trade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from steelyard.fund.events import (
    Arrived,
    Crossed,
    Filled,
    Inputs,
    Liquidated,
    MoneyMoved,
    Observed,
    Paused,
    Traded,
    Visited,
)
from steelyard.fund.sound import is_impact
from steelyard.ledger.fold import Books, Kept
from steelyard.ledger.fund_kinds import kind_name

__all__ = ["believed", "wrong_inputs"]

INSIDE_BARS = (Crossed, Visited, Arrived)
OF_A_VENUE = (Filled, Liquidated, Traded, MoneyMoved, Paused)


def wrong_inputs(books: Books, event: Any, impact: Sequence[Any] | None) -> Iterator[str]:  # noqa: ANN401
    """The reasons why the inputs of a row cannot be true.

    Args:
        books: the books before the row.
        event: the event of the row.
        impact: the present impact of trades, one for each fund; None where there is none.
    """
    first, kind = books.funds[0], type(event)
    if first.is_model and kind in OF_A_VENUE:
        yield f"{kind_name(kind)}, but the fund is simulated and has no venue or operator"
    if kind in INSIDE_BARS and first.intrabar == "close":
        yield f"{kind_name(kind)} inside a bar, expected only observations of closes"
    if impact is not None:
        if len(impact) != len(books.funds):
            yield f"the impact of {len(impact)} funds, expected {len(books.funds)}"
        for kept, one in zip(books.funds, impact, strict=False):
            if one is not None and not kept.series.follows_the_market:
                yield f"an impact of {kept.series.symbol}, whose series has a fixed one"
            if one is not None and not is_impact(one):
                impact_words = f"{one[0]} at a volume of {one[1]}"
                yield f"an impossible impact of {kept.series.symbol}: {impact_words}"
    if not isinstance(event, Observed):
        return
    if len(event.inputs) != len(books.funds):
        yield f"the inputs of {len(event.inputs)} funds, expected {len(books.funds)}"
    if event.injections and books.pool is None:
        yield "injections, but there is no reserve"
    for kept, inputs in zip(books.funds, event.inputs, strict=False):
        for what in _wrong_of_one(kept, inputs, event.time):
            yield f"for {kept.series.symbol} {what}"


def believed(event: Any) -> int:  # noqa: ANN401 (any event of the fund)
    """The number of statements in a live fund's row that no other row can confirm.

    These are the venue's reports of its trades and of prices inside its bars, the actions of an
    operator, and the keeper's statements about the market (volatility and impact).
    """
    if isinstance(event, (Filled, Liquidated, Paused, *INSIDE_BARS)):
        return 1
    if not isinstance(event, Observed):
        return 0
    said = [(inputs.volatile, inputs.impact) for inputs in event.inputs]
    return sum(each is not None for pair in said for each in pair)


def _wrong_of_one(kept: Kept, inputs: Inputs[Any], time: int) -> Iterator[str]:
    venue, since = kept.series.venue.kind, kept.state.time
    if inputs.funding and venue != "perpetual":
        yield f"funding on a venue of the kind {venue}"
    has_interest = kept.series.venue.has_interest
    if inputs.rates and not has_interest:
        yield f"interest rates on a {venue} venue whose cash earns nothing"
    if inputs.impact is not None and not kept.series.follows_the_market:
        yield "an impact, but its series has a fixed one"
    if inputs.volatile is not None and kept.is_model:
        yield "a claim about volatility, but the journal holds the returns themselves"
    # a live fund books each charge of its venue as a money movement
    is_charged_by_rate = kept.is_model or bool(inputs.rates)
    if has_interest and is_charged_by_rate and since is not None and kept.state.ended is None:
        seconds = sum(each for _, each in inputs.rates)
        if seconds != time - since:
            yield f"interest rates over {seconds} s, expected {time - since}"
