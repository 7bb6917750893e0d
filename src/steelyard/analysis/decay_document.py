"""Decay across assets as a document: the assets, the pairs a way to match, what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from steelyard.analysis.decay_pair import Decay
from steelyard.analysis.matching import Interval, Matched
from steelyard.analysis.windows import variance_decay
from steelyard.report.decay import DecayPoints, DecayRange, differences_panel, windows_panel
from steelyard.report.document import Block, Column, Document, Paragraph, Row, Table
from steelyard.report.number_format import MISSING, count, number, points
from steelyard.report.panels import Panel

__all__ = ["decay_document", "decay_panels", "decay_title", "decay_words"]

ASSETS = (
    Column("asset", words=True),
    Column("windows"),
    Column("wiped out"),
    Column("vol., bars", "volatility measured from bar to bar, a year", drop=1),
    Column("vol., days", "volatility measured from day to day, a year"),
    Column("decay", "percentage points of log return a year, of windows that the token survived"),
    Column("by variance", "the decay that the variance of days predicts"),
)
PAIRS = (
    Column("asset", words=True),
    Column("matched", "windows that have a match; an interval needs 20 of them"),
    Column("vol."),
    Column("decay"),
    Column("theirs", "had it decayed as the others do at its volatility"),
    Column("diff.", "below 0 it decays more"),
    Column("interval"),
    Column("var.", "what of that the variance of days explains; the rest are jumps and skew"),
    Column("lost", "percentage points of value lost more to decay in a window, wipe-outs included"),
    Column("interval"),
)
WAYS = {
    ("bars", "any"): "Matched by volatility from bar to bar, any dates",
    ("bars", "same"): "Matched by volatility from bar to bar, same dates",
    ("days", "any"): "Matched by volatility from day to day, any dates",
    ("days", "same"): "Matched by volatility from day to day, same dates",
}
MATCHED = {"bars": "matched by bars", "days": "matched by days"}


def decay_document(found: Decay) -> Document:
    """All that is shown of it."""
    rows: dict[str, list[Row]] = {}
    for pair in found.pairs:
        name = f"{pair.asset} against {pair.against}"
        row = Row([name, *_pair_cells(pair.found)])
        rows.setdefault(WAYS[pair.volatility, pair.dates], []).append(row)
    plain = tuple(Column(column.name, words=column.words) for column in PAIRS)
    last = len(rows) - 1
    assets = [_asset_row(row) for row in found.figures["assets"]]
    tables: list[Block] = [
        Table(way, plain if place < last else PAIRS, some)
        for place, (way, some) in enumerate(rows.items())
    ]
    return Document(
        title=decay_title(found),
        blocks=[
            Paragraph(decay_words(found), "lead"),
            *decay_panels(found),
            Table("The assets, unmatched", ASSETS, assets),
            *tables,
        ],
        closing=[
            f"Prices: {', '.join(one.source for one in found.prices.values())}.",
            "Nothing here is advice.",
        ],
    )


def decay_title(found: Decay) -> str:
    """``Decay of a 3x daily reset at matched volatility, windows of 30 days``."""
    return (
        f"Decay of a {found.target:g}x daily reset at matched volatility, "
        f"windows of {found.window_days} days"
    )


def decay_panels(found: Decay) -> list[Panel]:
    """The windows, and the differences on any dates."""
    clouds = []
    for name, one in found.held.items():
        living = one.chosen(one.lived & (one.days > 0))
        volatility = np.sqrt(living.days * 365 / found.window_days)
        ratio = living.decay / variance_decay(found.target, living.days)
        clouds.append(DecayPoints(name, volatility, ratio))
    ranges = []
    for pair in found.pairs:
        value, low, high = pair.found.difference
        if pair.dates == "any" and value is not None and low is not None and high is not None:
            name = f"{pair.asset} against {pair.against}"
            ranges.append(DecayRange(name, MATCHED[pair.volatility], value, low, high))
    differences = differences_panel(ranges)
    return [windows_panel(clouds), *([differences] if differences is not None else [])]


def decay_words(found: Decay) -> str:
    """What the intervals say of all assets together, a sentence a measure."""
    # the last of each way has all assets together
    chosen = {(pair.volatility, pair.dates): pair for pair in found.pairs}
    said = []
    for (measure, dates), pair in chosen.items():
        if dates == "any":
            size, low, high = pair.found.difference
            who = f"At equal volatility from {measure[:-1]} to {measure[:-1]} {pair.asset}"
            if size is None:
                said.append(f"{who} cannot be compared with {pair.against}: no windows match.")
                continue
            more = "more" if size < 0 else "less"
            gap = f"{abs(size) * 100:,.0f}"
            unit = "point" if gap == "1" else "points"
            told = f"{who} decayed {gap} percentage {unit} a year {more} than {pair.against}"
            said.append(f"{told}, {_judged(low, high, found.confidence)}.")
    return " ".join(said)


def _asset_row(row: Mapping[str, Any]) -> Row:
    shares = [_share(row[name]) for name in ("volatility_bars", "volatility_days")]
    decays = [points(row[name], 0) for name in ("decay", "predicted")]
    counts = [count(row[name]) for name in ("windows", "wiped_out")]
    return Row([row["asset"], *counts, *shares, *decays])


def _pair_cells(one: Matched) -> list[str]:
    return [
        f"{one.matched}/{one.windows}",
        _share(one.volatility),
        points(one.decay, 0),
        points(one.decay_against, 0),
        points(one.difference.value, 0),
        _ends(one.difference),
        points(one.from_variance, 0),
        points(one.lost_more.value, 1),
        _ends(one.lost_more, 1),
    ]


def _judged(low: float | None, high: float | None, confidence: float) -> str:
    if low is None or high is None:
        return "too few windows for an interval"
    interval = f"{confidence * 100:g} % interval {points(low, 0)} to {points(high, 0)}"
    if low <= 0 <= high:
        return f"no difference that can be told from none ({interval})"
    return interval


def _ends(found: Interval, decimals: int = 0) -> str:
    if found.low is None or found.high is None:
        return MISSING
    return f"{points(found.low, decimals)} to {points(found.high, decimals)}"


def _share(share: float | None) -> str:
    return MISSING if share is None else f"{number(share * 100, 0)} %"
