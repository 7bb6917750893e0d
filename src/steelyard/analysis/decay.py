"""Decay across assets: does one asset decay more than another at the same realised volatility?

Histories are cut into windows of whole days (``windows``). The windows of each asset are compared
with windows of the other assets that had nearly the same volatility (``matched_windows``).
Volatility is measured both from bar to bar and from day to day, because the answer may depend on
the measure. Windows are matched both on any dates and on the same dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.analysis.decay_found import DecayAcross
from steelyard.analysis.decay_pair import Pair
from steelyard.analysis.matched_windows import Matched, Resamples, joined, match, resampled
from steelyard.analysis.windows import Windows, windows_of
from steelyard.arguments import text_of
from steelyard.errors import InputError
from steelyard.market import Prices, feed_of, format_time
from steelyard.market.cell_faults import source_error
from steelyard.market.times import DAY_S
from steelyard.simulation.checks import check_kind, check_number, check_several

if TYPE_CHECKING:
    from datetime import date

__all__ = ["decay_across"]

MEASURES = ("bars", "days")
"""The measures of realised volatility by which windows are matched."""
DATES = ("any", "same")
"""Whether windows of any dates may be matched, or only windows of the same dates."""
BLOCK_DAYS = 90.0
MOST_RESAMPLES = 100_000
TOGETHER = "+"


def decay_across(
    prices: Mapping[str, Any],
    *,
    against: str | Sequence[str] | None = None,
    target: float = 3.0,
    window_days: int = 30,
    shift_days: int = 0,
    caliper: float = 0.1,
    block_days: float | None = None,
    resamples: int = 2_000,
    confidence: float = 0.95,
    seed: int = 0,
    start: str | float | date | None = None,
    end: str | float | date | None = None,
) -> DecayAcross:
    """Compare how much a daily reset decays on several assets at matched realised volatility.

    Args:
        prices: for each asset's name, its history in any form that ``simulate`` takes; all
            histories have bars of one length.
        against: the assets with which all others are compared; by default the first asset.
        target: the target leverage L, signed; neither 0 nor 1, since nothing decays there.
        window_days: length of a window, in days, at least 2; a window begins at every multiple of
            this number of days since 1970.
        shift_days: number of days by which all windows begin later than that.
        caliper: largest relative difference between matched volatilities.
        block_days: mean length, in days, of the blocks that the bootstrap draws, at least one
            window; by default 90 days, or three windows where these are longer.
        resamples: number of bootstrap resamples, from 100 to 100,000.
        confidence: confidence level of the intervals, between 0 and 1.
        seed: seed of the bootstrap, 0 or more; the same seed gives the same intervals.
        start: first instant of the histories that is used, inclusive.
        end: last instant of the histories that is used, exclusive.

    Raises:
        InputError: an argument is out of range, or ``against`` names an asset that is not among
            ``prices``.
        DataError: a history is malformed or holds no whole window.
    """
    check_kind("prices", prices, Mapping, "a mapping of names to histories")
    if against is not None and not isinstance(against, str):
        check_several("against", against, "names")
        against = [text_of("against", name) for name in against]
    numbers = {"target": target, "window_days": window_days, "shift_days": shift_days}
    numbers |= {"caliper": caliper, "resamples": resamples, "confidence": confidence, "seed": seed}
    for argument, value in numbers.items():
        check_number(argument, value)
    if block_days is not None:
        check_number("block_days", block_days)
    named = (against,) if isinstance(against, str) else tuple(against or list(prices)[:1])
    _check_names(list(prices), named)
    if block_days is None:
        block_days = max(BLOCK_DAYS, 3.0 * window_days)
    _check(
        (target not in (0, 1) and np.isfinite(target), "target", "neither 0 nor 1", target),
        (window_days == int(window_days) >= 2, "window_days", "whole days, 2 or more", window_days),  # noqa: PLR2004 (as said)
        (
            shift_days == int(shift_days) and 0 <= shift_days < window_days,
            "shift_days",
            "whole days, less than a window",
            shift_days,
        ),
        (0 < caliper < np.inf, "caliper", "a share above 0", caliper),
        (window_days <= block_days < np.inf, "block_days", "at least a window", block_days),
        (
            resamples == int(resamples) and 100 <= resamples <= MOST_RESAMPLES,  # noqa: PLR2004 (as said)
            "resamples",
            f"from 100 to {MOST_RESAMPLES:,}",
            resamples,
        ),
        (seed == int(seed) >= 0, "seed", "a whole number, 0 or more", seed),
        (0 < confidence < 1, "confidence", "between 0 and 1", confidence),
    )
    length, shift = int(window_days), int(shift_days)
    histories = {name: feed_of(one).between(start, end).bars for name, one in prices.items()}
    _check_bars(histories)
    held = {name: _windows(one, target, length, shift) for name, one in histories.items()}
    calendar = resampled(
        min(int(one.number[0]) for one in held.values()),
        max(int(one.number[-1]) for one in held.values()),
        block=block_days / length,
        resamples=int(resamples),
        confidence=confidence,
        seed=int(seed),
    )
    daily = next(iter(histories.values())).step_s == DAY_S
    pairs = [
        Pair(
            asset=TOGETHER.join(own),
            against=TOGETHER.join(others),
            volatility=measure,
            dates=dates,
            found=_match(held, own, others, target, measure, dates, caliper, calendar),
        )
        for measure in (MEASURES[1:] if daily else MEASURES)
        for dates in DATES
        for own, others in _pairs(list(held), named)
    ]
    return DecayAcross(
        target=float(target),
        window_days=length,
        shift_days=shift,
        caliper=float(caliper),
        block_days=float(block_days),
        resamples=int(resamples),
        confidence=float(confidence),
        seed=int(seed),
        prices=histories,
        held=held,
        against=named,
        pairs=tuple(pairs),
    )


def _match(
    held: Mapping[str, Windows],
    own: Sequence[str],
    others: Sequence[str],
    target: float,
    measure: str,
    dates: str,
    caliper: float,
    calendar: Resamples,
) -> Matched:
    return match(
        joined([held[name] for name in own]),
        joined([held[name] for name in others]),
        target,
        by=measure,
        same_dates=dates == "same",
        caliper=caliper,
        resamples=calendar,
    )


def _pairs(
    names: Sequence[str], against: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Pair each other asset, and all of them together, with each of ``against`` and with all."""
    others = [name for name in names if name not in against]
    groups: list[Sequence[str]] = [[name] for name in others]
    if len(others) > 1:
        groups.append(others)
    for own in groups:
        yield from ((own, [name]) for name in against)
        if len(against) > 1:
            yield own, list(against)


def _windows(prices: Prices, target: float, length_days: int, shift_days: int) -> Windows:
    found = windows_of(prices, target, length_days, shift_days=shift_days)
    if not len(found):
        days = (prices.end_times[-1] - prices.time[0]) / DAY_S
        raise source_error(
            prices.source,
            f"at least one whole window of {length_days} days, counted from "
            f"{format_time(shift_days * DAY_S)[:10]}",
            f"{len(prices):,} bars over {days:z.1f} days without a whole window",
        )
    return found


def _check_names(names: Sequence[str], against: Sequence[str]) -> None:
    unknown = [name for name in against if name not in names]
    if len(names) < 2 or unknown or len(set(against)) == len(names):  # noqa: PLR2004 (a pair)
        message = (
            f"decay: expected two assets or more, and among them those with which the others are "
            f"compared; found {', '.join(names) or 'none'} against {', '.join(against) or 'none'}."
        )
        raise InputError(message, found=list(against), allowed=list(names))


def _check(*rules: tuple[bool, str, str, float]) -> None:
    for holds, name, expected, found in rules:
        if not holds:
            raise InputError(f"{name}: expected {expected}, found {found:g}.", found=found)


def _check_bars(histories: Mapping[str, Prices]) -> None:
    steps = {name: one.step_s for name, one in histories.items()}
    first = next(iter(steps.values()))
    for name, step in steps.items():
        if not step or DAY_S % step:
            expected = "bars of one day, or of a length that divides a day"
            raise source_error(histories[name].source, expected, _bars_words(step))
        if step != first:
            message = (
                f"{name}: expected bars of {first} s, as for {next(iter(steps))}, found {step} s: "
                f"volatility from bar to bar can be compared only between bars of one length."
            )
            raise InputError(message, found=step, expected=first)


def _bars_words(step: int) -> str:
    return f"bars of {step} s" if step else "prices at instants"
