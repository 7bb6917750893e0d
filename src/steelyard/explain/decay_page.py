"""Decay across assets as a figure and as a page, in the look of an explanation's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.explain.decay_pair import Decay
from steelyard.explain.decay_words import (
    ASSETS,
    LEGEND,
    PAIRS,
    asset_cells,
    decay_words,
    pair_rows,
    title,
)
from steelyard.explain.windows import variance_decay
from steelyard.plots.decay import DecayPoints, DecayRange, decay_figure
from steelyard.plots.figure_page import Caption, Table, figure_page
from steelyard.simulate.output import check_file, written_whole

__all__ = ["decay_plot", "save_decay"]

WAYS = {"bars": "matched by bars", "days": "matched by days"}


def decay_plot(found: Decay, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
    """The windows above, the differences on any dates below."""
    points = []
    for name, one in found.held.items():
        living = one.chosen(one.lived & (one.days > 0))
        volatility = np.sqrt(living.days * 365 / found.window_days)
        ratio = living.decay / variance_decay(found.target, living.days)
        points.append(DecayPoints(name, volatility, ratio))
    ranges = []
    for pair in found.pairs:
        value, low, high = pair.found.difference
        if pair.dates == "any" and value is not None and low is not None and high is not None:
            name = f"{pair.asset} against {pair.against}"
            ranges.append(DecayRange(name, WAYS[pair.volatility], value, low, high))
    return decay_figure(
        points,
        ranges,
        title=title(found),
        dark=dark,
    )


def save_decay(found: Decay, path: str | Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: where the file cannot be written.
    """
    path = Path(path)
    check_file(path)
    tables = [Table("The assets, unmatched", ASSETS, asset_cells(found))]
    for way, rows in pair_rows(found).items():
        paired = [[f"{own} against {others}", *cells] for own, others, *cells in rows]
        tables.append(Table(way, ("", *PAIRS[2:]), paired))
    tables[-1] = replace(tables[-1], note=LEGEND)
    page = figure_page(
        title=title(found),
        sentences=[decay_words(found)],
        caption=Caption(
            "What variance predicts, and what is left of it",
            "Above, each window's decay over what the variance of its days predicts. Below, the "
            "differences at matched volatility with their intervals: left of zero an asset decays "
            "more.",
        ),
        figures=(decay_plot(found).to_plotly_json(), decay_plot(found, dark=True).to_plotly_json()),
        tables=tables,
        closing=[
            f"Prices: {', '.join(one.source for one in found.prices.values())}.",
            "Nothing here is advice.",
        ],
    )
    with written_whole(path) as stage:
        stage.write_text(page, encoding="utf-8")
