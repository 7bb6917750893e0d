"""Forecast of the order flow of tokens: their trades on the way to each price, and at resets.

Each token is simulated by itself (``price_path``), down and up from the present price through a
ladder of prices. On the way, the triggers band, move and emergency trade at the prices where they
are crossed, and the venue liquidates. At each price of the ladder, the next scheduled reset trades
as if the price stood there at that time. The order flow of a shelf is the sum over its tokens
(FORMULAS 2).
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

from steelyard.analysis.forecast_result import Forecast
from steelyard.analysis.price_path import Flow, PricePath, Stop
from steelyard.analysis.rungs import Feedback, Rung, TokenOutlook
from steelyard.analysis.shelf import Shelf, shelf_of
from steelyard.analysis.shelf_token import Token
from steelyard.errors import InputError
from steelyard.market import OrderBook, parse_time, read_book
from steelyard.rules.leverage import amplified_move, feedback_gain, rebalance_demand

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from steelyard.rules.series import Series
    from steelyard.simulation.run import Run

    Columns = Sequence[Sequence[float]]

__all__ = ["LADDER", "forecast"]

LADDER = (-0.20, 0.20, 17)
"""The first and last move of the price, as shares, and the number of prices."""
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
    """Forecast what tokens will trade as the price moves, and at their next resets.

    Args:
        positions: the tokens in their present state: a ``Shelf`` or the path of its file; a run or
            a list of runs, in their final states; or a list of series in any form that ``simulate``
            takes, in their states at launch.
        price: present price of the underlying; None: the price of the shelf.
        time: present time; None: the time of the shelf, or else of this machine's clock.
        ladder: first and last move of the price (-0.2 is -20 %), and the number of prices.
        daily_volume: market volume of a day in quote; flows are then also shown as shares of it.
        impact: market impact, in bps of the price per million of quote traded, for the feedback.
        book: an order book in any form that ``read_book`` takes; flows are then also shown as
            shares of its depth.

    Raises:
        InputError: an argument is invalid, no price is known, or a token has no value at the price.
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
    """The moves of a ladder in ascending order; a move that differs from 0 by rounding only is 0.

    Raises:
        InputError: the moves do not rise, reach -100 % or exceed 100,000 %, or their number is not
            from 2 to 1,001.
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
    """The given ladder in percent, for a message; an invalid one is shown as it was given."""
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
    """The number, of any numeric type, as a plain float, because figures are written as JSON."""
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
    """Each token's outlook, and its stops on the way down and up; each order book is read once."""
    books: dict[str, Columns] = {}
    tokens, down, up = [], [], []
    for token in shelf.tokens:
        walk = PricePath(token, price, time, _book_of(token, books))
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
    book: OrderBook | None,
    feedback: Feedback | None,
    here: float,
) -> list[Rung]:
    """The rungs in one direction from the present price: what all tokens trade up to each."""
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
    """The feedback by FORMULAS 8, computed as if all tokens were at their targets."""
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
    """All trades in one direction: first the immediate ones, then in the order of their prices."""
    on_way = [flow for stops in ways for stop in stops for flow in stop.flows]
    # sorting is stable, so trades of one token at one price keep their order
    on_way.sort(key=lambda flow: -flow.price if falls else flow.price)
    return (*at_once, *on_way)
