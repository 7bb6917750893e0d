"""Placement of the names of points in a chart, so that names do not overlap.

The algorithm is greedy and deterministic: each name in turn takes the first side of its point on
which it covers neither a name that was placed before nor any point. Sizes are estimated for a chart
on a desktop screen; on a phone, names may touch. The side below is tried first, because the stairs
of a frontier leave their points upwards and to the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["sides"]

_SIDES = (
    ("bottom center", 0.0, -1.0),
    ("top center", 0.0, 1.0),
    ("middle right", 1.0, 0.0),
    ("middle left", -1.0, 0.0),
)
_WIDTH, _HEIGHT = 1100.0, 390.0
_LETTER, _LINE, _POINT = 7.2, 15.0, 11.0


class _Box(NamedTuple):
    x: float
    y: float
    wide: float
    high: float

    def covers(self, other: _Box) -> bool:
        return (
            abs(self.x - other.x) * 2 < self.wide + other.wide
            and abs(self.y - other.y) * 2 < self.high + other.high
        )


def sides(points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[str]:
    """Plotly's ``textposition`` for each name; points are given as shares of the axes' lengths."""
    marks = [_Box(x * _WIDTH, y * _HEIGHT, _POINT, _POINT) for x, y in points]
    placed: list[_Box] = []
    chosen = []
    for mark, name in zip(marks, names, strict=True):
        boxes = {side: _beside(mark, name, *way) for side, *way in _SIDES}
        taken = [*placed, *(other for other in marks if other is not mark)]
        free = (side for side, box in boxes.items() if not any(map(box.covers, taken)))
        side = next(free, _SIDES[0][0])
        placed.append(boxes[side])
        chosen.append(side)
    return chosen


def _beside(mark: _Box, name: str, right: float, up: float) -> _Box:
    wide = len(name) * _LETTER
    return _Box(
        mark.x + right * (wide + _POINT) / 2, mark.y + up * (_LINE + _POINT) / 2, wide, _LINE
    )
