"""A forecast in a few sentences: what is traded if the price stays, and whom the flow hurts.

A flow adds to a move where tokens sell into a fall or buy into a rise. Such a flow moves against
traders who are long in a fall or short in a rise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.analysis.result_protocols import ShownForecast
    from steelyard.analysis.rungs import Rung

__all__ = ["forecast_words", "tokens_counted"]

SMALL = 1e-9
"""A flow below this share of all assets counts as none."""


def forecast_words(found: ShownForecast) -> str:
    """About two sentences with figures: the flow if the price stays, and if it moves."""
    return " ".join((_staying(found), _moving(found)))


def tokens_counted(found: ShownForecast) -> str:
    """The number of tokens in words: ``1 token``, ``1,000 tokens``."""
    return f"{len(found.tokens):,} token{'' if len(found.tokens) == 1 else 's'}"


def _staying(found: ShownForecast) -> str:
    stays = f"If {_base(found)} stays at {found.price:,.10g}, tokens"
    rung = found.present
    if not _counts(found, rung.net):
        return f"{stays} trade nothing at their next resets."
    hurt = "shorts" if rung.net > 0 else "longs"
    return f"{stays} {_trade(found, rung)} by their next resets; this flow moves against {hurt}."


def _moving(found: ShownForecast) -> str:
    """The response to moves, beyond what is traded if the price stays."""
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
        return "The flow of the tokens does not add to any move of the ladder."
    sides = sorted(
        (side for side, rung in adds.items() if rung is not None),
        key=lambda side: -abs(_per_move(adds[side], still)),
    )
    first = "; ".join(said)
    how = " in both directions, and it moves more strongly" if len(sides) > 1 else " and moves"
    return f"{first[0].upper()}{first[1:]}. The flow adds to the move{how} against {sides[0]}s."


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
