"""Decay across assets in words and rows: for a terminal, for a notebook, for the page."""

from __future__ import annotations

from steelyard.explain.decay_pair import Decay
from steelyard.explain.matching import Interval, Matched
from steelyard.explain.words import aligned, rounded

__all__ = [
    "ASSETS",
    "LEGEND",
    "PAIRS",
    "WAYS",
    "as_text",
    "asset_cells",
    "decay_words",
    "pair_cells",
    "pair_rows",
    "title",
]

MISSING = "-"
ASSETS = ("asset", "windows", "wiped out", "vol., bars", "vol., days", "decay", "by variance")
PAIRS = (
    "asset",
    "against",
    "matched",
    "vol.",
    "decay",
    "theirs",
    "diff.",
    "interval",
    "var.",
    "lost",
    "interval",
)
LEGEND = (
    "Decay is in points of log return a year, of windows that the token lived through. Theirs: had "
    "it decayed as the others do at its volatility. Diff.: below 0 it decays more; var.: of that, "
    "what the variance of days explains, the rest being jumps and skew. Lost: points of value that "
    "it lost more to decay in a window, wipe-outs included. An interval needs 20 matched windows."
)
WAYS = {
    ("bars", "any"): "Matched by volatility from bar to bar, any dates",
    ("bars", "same"): "Matched by volatility from bar to bar, same dates",
    ("days", "any"): "Matched by volatility from day to day, any dates",
    ("days", "same"): "Matched by volatility from day to day, same dates",
}


def title(found: Decay) -> str:
    """``Decay of a 3x daily reset at matched volatility, windows of 30 days``."""
    return (
        f"Decay of a {found.target:g}x daily reset at matched volatility, "
        f"windows of {found.window_days} days"
    )


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
                said.append(f"{who} cannot be held against {pair.against}: no windows match.")
                continue
            more = "more" if size < 0 else "less"
            points = f"{abs(size) * 100:,.0f}"
            unit = "point" if points == "1" else "points"
            told = f"{who} decayed {points} {unit} a year {more} than {pair.against}"
            said.append(f"{told}, {_judged(low, high, found.confidence)}.")
    return " ".join(said)


def asset_cells(found: Decay) -> list[list[str]]:
    """A row an asset, under ``ASSETS``."""
    return [
        [
            row["asset"],
            f"{row['windows']:,}",
            f"{row['wiped_out']:,}",
            _share(row["volatility_bars"]),
            _share(row["volatility_days"]),
            _points(row["decay"]),
            _points(row["predicted"]),
        ]
        for row in found.figures["assets"]
    ]


def pair_cells(asset: str, against: str, one: Matched) -> list[str]:
    """A row under ``PAIRS``."""
    return [
        asset,
        against,
        f"{one.matched}/{one.windows}",
        _share(one.volatility),
        _points(one.decay),
        _points(one.decay_against),
        _points(one.difference.value),
        _ends(one.difference),
        _points(one.from_variance),
        _points(one.lost_more.value, 1),
        _ends(one.lost_more, 1),
    ]


def pair_rows(found: Decay) -> dict[str, list[list[str]]]:
    """The rows of each way to match, by its words."""
    rows: dict[str, list[list[str]]] = {}
    for pair in found.pairs:
        cells = pair_cells(pair.asset, pair.against, pair.found)
        rows.setdefault(WAYS[pair.volatility, pair.dates], []).append(cells)
    return rows


def as_text(found: Decay) -> str:
    """All of it as plain text."""
    told = [title(found), "", *aligned([ASSETS, *asset_cells(found)])]
    for way, rows in pair_rows(found).items():
        told += ["", way, *aligned([PAIRS, *rows], first=2)]
    return "\n".join([*told, "", decay_words(found)])


def _judged(low: float | None, high: float | None, confidence: float) -> str:
    if low is None or high is None:
        return "too few windows for an interval"
    interval = f"{confidence * 100:g} % interval {_points(low)} to {_points(high)}"
    if low <= 0 <= high:
        return f"no difference that can be told from none ({interval})"
    return interval


def _ends(found: Interval, decimals: int = 0) -> str:
    if found.low is None or found.high is None:
        return MISSING
    return f"{_points(found.low, decimals)} to {_points(found.high, decimals)}"


def _points(share: float | None, decimals: int = 0) -> str:
    if share is None:
        return MISSING
    return rounded(share * 100, decimals, signed=True)


def _share(share: float | None) -> str:
    return MISSING if share is None else f"{rounded(share * 100, 0)} %"
