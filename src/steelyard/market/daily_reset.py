"""The token that costs nothing and resets each day, by the underlying's returns day by day.

Its value compounds L times each day's simple return r of the underlying,

    I[d] = I[d-1] * max(1 + L * r[d], 0).

A day that would take it to zero or below ends it: below zero it would change sign and come back,
and a token that has nothing left stays there. This is the one place where that is worked out; what
a leveraged token is held against on pages, in summaries and in explanations all comes from here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["reset_growths", "reset_values"]

Floats = npt.NDArray[np.float64]


def reset_growths(moves: Floats, target: float) -> Floats:
    """What one day makes of 1, for each day's move; 0 where the day ends it."""
    return np.maximum(1.0 + target * moves, 0.0)


def reset_values(moves: Floats, target: float) -> Floats:
    """Its value from 1 at the start, shape (days + 1,); 0 from the day on that ends it."""
    return np.concatenate(([1.0], np.cumprod(reset_growths(moves, target))))
