"""Of random inputs beside the prices those that a run takes: what is of another time it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from steelyard.market import Funding, read_funding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steelyard.market import Prices


def reaching(options: Mapping[str, Any], bars: Prices) -> dict[str, Any]:
    """Options of ``simulate`` without what is before or after the bars; funding may be high."""
    first, last = int(bars.time[0]), int(bars.time[-1]) + bars.step_s
    kept: dict[str, Any] = {}
    for name, given in options.items():
        if name == "wind_down":
            if given is None or first < given <= last:
                kept[name] = given
            continue
        if isinstance(given, Funding):
            if given.time[0] <= last and given.time[-1] > first:
                kept[name] = given
            continue
        if not isinstance(given, dict | pd.DataFrame):
            kept[name] = given
            continue
        columns = list(given)
        times, ends = given[columns[0]], given[columns[1 if name == "outages" else 0]]
        if not len(times):
            continue
        begins, over = int(list(times)[0]), int(list(ends)[-1])  # noqa: RUF015 (a frame as well)
        if begins <= last and (over > first or name == "rates"):
            kept[name] = read_funding(given, high=True) if name == "funding" else given
    return kept
