"""The path of nav as a small line chart in a cell of a table."""

from __future__ import annotations

import numpy as np

from steelyard.report.decimate import keep_extremes
from steelyard.report.plain_frames import Floats, Ints

__all__ = ["sparkline"]

POINTS = 90


def sparkline(time: Ints, nav: Floats, width: int = 116, height: int = 26) -> str:
    """The SVG path of nav on a log scale, in ``width`` by ``height``; empty without two points."""
    alive = np.flatnonzero(np.nan_to_num(nav) > 0.0)
    if len(alive) <= 1:
        return ""
    logs: Floats = np.log(nav[alive])
    keep = keep_extremes([logs], POINTS)
    span = float(logs.max() - logs.min()) or 1.0
    first, last = int(time[0]), int(time[-1])
    across = (time[alive][keep] - first) / max(last - first, 1) * width
    up = (1.0 - (logs[keep] - logs.min()) / span) * (height - 4) + 2
    points = zip(across.tolist(), up.tolist(), strict=True)
    return "M" + "L".join(f"{x:z.1f} {y:z.1f}" for x, y in points)
