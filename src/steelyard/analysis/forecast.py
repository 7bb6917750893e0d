"""The order flow that tokens will send: for each price, what they trade on the way and at resets.

Each token is walked by itself (``walk``), down and up from the present price through a ladder of
prices. On the way its band, move and emergency trade at the prices where they are crossed, and
the venue liquidates; at a stop its next scheduled reset trades as if the price stood there then.
The flow of a shelf is the sum over its tokens (FORMULAS 2).
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

from steelyard.analysis.outlook import Forecast
from steelyard.analysis.rungs import Feedback, Rung, TokenOutlook
from steelyard.analysis.shelf import Shelf, shelf_of
from steelyard.analysis.token import Token
from steelyard.analysis.walk import Flow, Stop, Walk
from steelyard.errors import InputError
from steelyard.market import Book, parse_time, read_book
from steelyard.rules.leverage import amplified_move, feedback_gain, rebalance_demand

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from steelyard.rules.series import Series
    from steelyard.simulation.run import Run

    Columns = Sequence[Sequence[float]]

__all__ = ["LADDER", "forecast"]

LADDER = (-0.20, 0.20, 17)
"""From and to, as moves of the price, and the number of steps."""
MOST_STEPS = 1_001


def forecast(
    positions: Shelf | Run | Sequence[Run | Series | str] | str | Path,
    *,
    price: float | None = None,
    time: str | float | date | None = None,
    ladder: tuple[float, float, int] = LADDER,
    daily_volume: float | None = None,
    impact: float | None = None,
    book: object = None,
) -> Forecast:
    """Say what tokens will trade as the price moves, and at their next resets.

    Args:
        positions: the tokens as they stand: a ``Shelf``, or the path of its file; a run, or a list
            of runs, as they ended; or a list of series, as ``simulate`` takes them, as at launch.
        price: of the underlying, now; None: that of the shelf.
        time: now; None: that of the shelf, else this machine's clock.
        ladder: moves of the price (-0.2 = -20 %) from and to, and in how many steps.
        daily_volume: quote traded in a day, of which flows are shown as a share.
        impact: bps that the price moves per million of quote traded, for the feedback.
        book: a source that ``read_book`` takes, of which flows are shown as a share.

    Raises:
        InputError: an argument is not what it should be, there is no price, or a token is worth
            nothing at it.
        DataError: a book cannot be read.
    """
    shelf = shelf_of(positions)
    here, now = _price(shelf, price), _time(shelf, time)
    if daily_volume is not None:
        daily_volume = _positive("daily_volume", daily_volume)
    if impact is not None:
        impact = _positive("impact", impact)
    moves = ladder_moves(ladder)
    below = [here * (1 + move) for move in sorted(moves, reverse=True) if move < 0]
    above = [here * (1 + move) for move in moves if move >= 0]
    if 0.0 not in moves:
        above.insert(0, here)
    tokens, down, up = _outlooks(shelf, here, now, (below, above))
    depth = None if book is None else read_book(book)
    feedback = _feedback(tokens, daily_volume, impact)
    at_once = [flow for token in tokens for flow in token.now]
    falling, rising = (
        _rungs(at_once, ways, daily_volume, depth, feedback, here) for ways in (down, up)
    )
    return Forecast(
        shelf=shelf,
        price=here,
        time=now,
        tokens=tuple(tokens),
        ladder=(*reversed(falling), *(rising if 0.0 in moves else rising[1:])),
        present=rising[0],
        falling=_in_price_order(at_once, down, falls=True),
        rising=_in_price_order(at_once, up, falls=False),
        daily_volume=daily_volume,
        book=depth,
        feedback=feedback,
    )


def ladder_moves(ladder: tuple[float, float, int]) -> list[float]:
    """The moves of a ladder, rising; what is 0 but for rounding is 0.

    Raises:
        InputError: it does not rise, falls to nothing, or has fewer than 2 steps.
    """
    try:
        first, last, steps = float(ladder[0]), float(ladder[1]), int(ladder[2])
    except (TypeError, ValueError, LookupError, OverflowError):
        first, last, steps = 0.0, 0.0, 0
    if not (-1 < first < last <= 1_000 and 2 <= steps <= MOST_STEPS):  # noqa: PLR2004 (stated)
        message = (
            f"ladder: expected moves from above -100 % to at most 100,000 %, the first below the "
            f"last, in 2 to {MOST_STEPS:,} steps, such as -20 % to 20 % in 17 steps, in Python "
            f"(-0.2, 0.2, 17); found {_ladder_words(ladder)}."
        )
        raise InputError(message, argument="ladder", found=ladder)
    each = (last - first) / (steps - 1)
    moves = [first + each * step for step in range(steps - 1)] + [last]
    return [0.0 if abs(move) < each * 1e-9 else move for move in moves]


def _ladder_words(ladder: tuple[float, float, int]) -> str:
    """A ladder in percent, as it was understood; what is none as it stands."""
    try:
        return f"{float(ladder[0]) * 100:g} % to {float(ladder[1]) * 100:g} % in {ladder[2]} steps"
    except (TypeError, ValueError, IndexError, OverflowError):
        return repr(ladder)


def _price(shelf: Shelf, given: float | None) -> float:
    price = shelf.price if given is None else given
    if price is None:
        message = (
            f"{shelf.source}: expected the price of {shelf.underlying}, found none; write "
            f"price = ... into the shelf file or give one."
        )
        raise InputError(message, file=shelf.source, key="price")
    return _positive("price", price)


def _positive(name: str, value: object) -> float:
    """As a plain float, whatever kind of number it is: figures go into JSON."""
    found = 0.0 if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    if not 0 < found < 1e50:  # noqa: PLR2004 (as prices)
        message = f"{name}: expected a number above 0 and below 1e50, found {value!r}."
        raise InputError(message, argument=name, found=value)
    return found


def _time(shelf: Shelf, given: str | float | date | None) -> int:
    if given is not None:
        return parse_time(given)
    return int(clock.time()) if shelf.time is None else shelf.time


def _outlooks(
    shelf: Shelf, price: float, time: int, ways: tuple[list[float], list[float]]
) -> tuple[list[TokenOutlook], list[list[Stop]], list[list[Stop]]]:
    """Each token, and its stops down and up; each book is read once."""
    books: dict[str, Columns] = {}
    tokens, down, up = [], [], []
    for token in shelf.tokens:
        walk = Walk(token, price, time, _book_of(token, books))
        falling, rising = (walk.along(prices) for prices in ways)
        down.append(falling)
        up.append(rising)
        tokens.append(
            TokenOutlook(
                name=walk.name,
                series=walk.series,
                leverage=walk.leverage,
                assets=walk.assets,
                next_reset=walk.next_reset,
                thresholds=tuple(walk.thresholds()),
                now=walk.now,
                reset=rising[0].reset,
            )
        )
    return tokens, down, up


def _book_of(token: Token, books: dict[str, Columns]) -> Columns | None:
    costs = token.series.costs
    if token.book is not None or costs.impact != "book":
        return token.book
    if costs.book not in books:
        books[costs.book] = read_book(costs.book).columns
    return books[costs.book]


def _rungs(
    at_once: Sequence[Flow],
    ways: Sequence[Sequence[Stop]],
    daily_volume: float | None,
    book: Book | None,
    feedback: Feedback | None,
    here: float,
) -> list[Rung]:
    """One way's rungs, away from the present price: what all tokens have traded by then."""
    bought = sold = units = 0.0
    for flow in at_once:
        bought, sold = bought + max(flow.notional, 0.0), sold - min(flow.notional, 0.0)
        units += flow.units
    rungs = []
    for stops in zip(*ways, strict=True):
        reset_bought = reset_sold = reset_units = 0.0
        resets = []
        for stop in stops:
            for flow in stop.flows:
                bought, sold = bought + max(flow.notional, 0.0), sold - min(flow.notional, 0.0)
                units += flow.units
            for flow in stop.reset:
                reset_bought += max(flow.notional, 0.0)
                reset_sold -= min(flow.notional, 0.0)
                reset_units += flow.units
                resets.append(flow)
        price = stops[0].price
        net = bought - sold + reset_bought - reset_sold
        rungs.append(
            Rung(
                price=price,
                move=price / here - 1 if price != here else 0.0,
                bought=bought,
                sold=sold,
                reset_bought=reset_bought,
                reset_sold=reset_sold,
                net=net,
                units=units + reset_units,
                share_of_volume=None if daily_volume is None else net / daily_volume,
                share_of_book=None if book is None else net / book.depth[net > 0],
                book_cost=None if book is None else book.cost(net),
                amplified_move=_amplified(price / here - 1, feedback),
                resets=tuple(resets),
            )
        )
    return rungs


def _amplified(move: float, feedback: Feedback | None) -> float | None:
    if feedback is None or feedback.gain is None or feedback.gain >= 1:
        return None
    return amplified_move(move, feedback.gain)


def _feedback(
    tokens: Sequence[TokenOutlook], daily_volume: float | None, impact: float | None
) -> Feedback | None:
    """FORMULAS 8, of the tokens as if at their targets."""
    if daily_volume is None and impact is None:
        return None
    demand = sum(
        rebalance_demand(token.assets, token.series.target_leverage, 1.0, 0.0)
        for token in tokens
        if token.leverage != 0
    )
    gain = None if impact is None else feedback_gain(impact / 1e10, demand)
    return Feedback(
        demand=demand,
        share_of_volume=None if daily_volume is None else demand / daily_volume,
        impact=impact,
        gain=gain,
        amplification=None if gain is None or gain >= 1 else amplified_move(1.0, gain),
        unstable_from=1e10 / demand if demand > 0 else None,
    )


def _in_price_order(
    at_once: Sequence[Flow], ways: Sequence[Sequence[Stop]], *, falls: bool
) -> tuple[Flow, ...]:
    """All trades of one way, those made at once first, then as the price comes to them."""
    on_way = [flow for stops in ways for stop in stops for flow in stop.flows]
    # sorting is stable: what one token trades at one price stays in its order
    on_way.sort(key=lambda flow: -flow.price if falls else flow.price)
    return (*at_once, *on_way)
