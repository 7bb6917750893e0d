"""A forecast in a few sentences: what is traded if the price stays, and the side not to be on.

A flow adds to a move where tokens sell into a fall or buy into a rise. Who is on the other side of
that flow (long into a fall, short into a rise) is on the side not to be on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.analysis.rungs import Rung
    from steelyard.analysis.shown import ShownForecast

__all__ = ["forecast_words", "tokens_counted"]

SMALL = 1e-9
"""Of all assets: less than that is no flow."""


def forecast_words(found: ShownForecast) -> str:
    """Two sentences or so, with figures."""
    return " ".join((_staying(found), _moving(found)))


def tokens_counted(found: ShownForecast) -> str:
    """``1 token``, ``1,000 tokens``."""
    return f"{len(found.tokens):,} token{'' if len(found.tokens) == 1 else 's'}"


def _staying(found: ShownForecast) -> str:
    stays = f"If {_base(found)} stays at {found.price:,.10g}, tokens"
    rung = found.present
    if not _counts(found, rung.net):
        return f"{stays} trade nothing at their next resets."
    on_it = "short" if rung.net > 0 else "long"
    return (
        f"{stays} {_trade(found, rung)} by their next resets: until then the side not to be on "
        f"is {on_it}."
    )


def _moving(found: ShownForecast) -> str:
    """The answer to moves, beyond what is traded anyway."""
    still = found.present.net
    fall, rise = found.ladder[0], found.ladder[-1]
    adds = {
        "long": fall if fall.move < 0 and _counts(found, min(fall.net - still, 0.0)) else None,
        "short": rise if rise.move > 0 and _counts(found, max(rise.net - still, 0.0)) else None,
    }
    said = [
        f"a {'fall' if rung.move < 0 else 'rise'} of {abs(rung.move):.1%} makes them "
        f"{_trade(found, rung)}".replace("%", " %", 1)
        for rung in adds.values()
        if rung is not None
    ]
    if not said:
        return "No move of the ladder brings a flow that adds to it."
    sides = sorted(
        (side for side, rung in adds.items() if rung is not None),
        key=lambda side: -abs(_per_move(adds[side], still)),
    )
    first = "; ".join(said)
    return (
        f"{first[0].upper()}{first[1:]}: the flow adds to the move"
        f"{' both ways, more' if len(sides) > 1 else ','} against a {sides[0]}, the side not to "
        f"be on."
    )


def _per_move(rung: Rung | None, still: float) -> float:
    return 0.0 if rung is None else (rung.net - still) / rung.move


def _trade(found: ShownForecast, rung: Rung) -> str:
    word = "buy" if rung.net > 0 else "sell"
    share = ""
    if rung.share_of_volume is not None:
        share = f", {abs(rung.share_of_volume) * 100:.2g} % of a day's volume"
    return f"{word} {abs(rung.net):,.0f} {found.shelf.quote} ({abs(rung.units):,.4g} units{share})"


def _counts(found: ShownForecast, notional: float) -> bool:
    return abs(notional) > SMALL * sum(token.assets for token in found.tokens)


def _base(found: ShownForecast) -> str:
    return found.shelf.underlying.partition("/")[0]
