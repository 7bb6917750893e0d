"""The document of a decay comparison: assets, matched pairs for each way of matching, summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from steelyard.analysis.decay_pair import Decay
from steelyard.analysis.matched_windows import Estimate, Matched
from steelyard.analysis.windows import variance_decay
from steelyard.report.decay_charts import DecayPoints, DecayRange, differences_panel, windows_panel
from steelyard.report.document import Block, Column, Document, Paragraph, Table, TableRow
from steelyard.report.number_format import MISSING, count, number, points
from steelyard.report.panels import Panel

__all__ = ["decay_document", "decay_panels", "decay_title", "decay_words"]

ASSETS = (
    Column("asset", words=True),
    Column("windows"),
    Column("wiped out"),
    Column("vol., bars", "annualised volatility from bar to bar", drop=1),
    Column("vol., days", "annualised volatility from day to day"),
    Column("decay", "log return in percentage points per year, of windows the token survived"),
    Column("by variance", "the decay that the variance of daily returns predicts"),
)
PAIRS = (
    Column("asset", words=True),
    Column("matched", "windows that have a match; an interval needs 20 of them"),
    Column("vol."),
    Column("decay"),
    Column("theirs", "its decay if it decayed as the others do at the same volatility"),
    Column("diff.", "decay less theirs; below 0 the asset decays more"),
    Column("interval"),
    Column("var.", "part of it due to the variance of daily returns; the rest is jumps and skew"),
    Column("lost", "extra loss to decay in a window, percentage points of value, with wipe-outs"),
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
    """Build the document of a decay comparison for terminals, notebooks and pages."""
    rows: dict[str, list[TableRow]] = {}
    for pair in found.pairs:
        name = f"{pair.asset} against {pair.against}"
        row = TableRow([name, *_pair_cells(pair.found)])
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
            Table("All windows of each asset, unmatched", ASSETS, assets),
            *tables,
        ],
        closing=[
            f"Prices: {', '.join(one.source for one in found.prices.values())}.",
            "Nothing here is advice.",
        ],
    )


def decay_title(found: Decay) -> str:
    """The title, such as ``Decay of a 3x daily reset at matched volatility, ...``."""
    return (
        f"Decay of a {found.target:g}x daily reset at matched volatility, "
        f"windows of {found.window_days} days"
    )


def decay_panels(found: Decay) -> list[Panel]:
    """The chart of all windows, and the chart of the differences that were matched on any dates."""
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
    """One sentence for each measure of volatility, about all assets together."""
    # the last pair of each way of matching holds all assets together
    chosen = {(pair.volatility, pair.dates): pair for pair in found.pairs}
    said = []
    for (measure, dates), pair in chosen.items():
        if dates == "any":
            size, low, high = pair.found.difference
            who = f"At equal volatility from {measure[:-1]} to {measure[:-1]}, {pair.asset}"
            if size is None:
                said.append(f"{who} cannot be compared with {pair.against}: no windows match.")
                continue
            more = "more" if size < 0 else "less"
            gap = f"{abs(size) * 100:,.0f}"
            unit = "point" if gap == "1" else "points"
            told = f"{who} decayed {gap} percentage {unit} a year {more} than {pair.against}"
            said.append(f"{told}, {_judged(low, high, found.confidence)}.")
    return " ".join(said)


def _asset_row(row: Mapping[str, Any]) -> TableRow:
    shares = [_share(row[name]) for name in ("volatility_bars", "volatility_days")]
    decays = [points(row[name], 0) for name in ("decay", "predicted")]
    counts = [count(row[name]) for name in ("windows", "wiped_out")]
    return TableRow([row["asset"], *counts, *shares, *decays])


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
        return "with too few windows for an interval"
    interval = f"with a {confidence * 100:g} % interval of {points(low, 0)} to {points(high, 0)}"
    if low <= 0 <= high:
        return f"which cannot be distinguished from no difference ({interval})"
    return interval


def _ends(found: Estimate, decimals: int = 0) -> str:
    if found.low is None or found.high is None:
        return MISSING
    return f"{points(found.low, decimals)} to {points(found.high, decimals)}"


def _share(share: float | None) -> str:
    return MISSING if share is None else f"{number(share * 100, 0)} %"
