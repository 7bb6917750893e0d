"""The token that resets daily at no cost, computed from the underlying's daily returns.

The token's value compounds L times the simple return r of the underlying on each day,

    I[d] = I[d-1] * max(1 + L * r[d], 0).

A day that would take the value to zero or below ends the token: a negative value would change its
sign on a later day and recover, whereas a token without assets stays at zero. This is the only
place where the value is computed; every comparison with a daily reset on pages, in summaries and in
explanations uses it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["reset_growths", "reset_values"]

Floats = npt.NDArray[np.float64]


def reset_growths(moves: Floats, target: float) -> Floats:
    """The growth factor of each day, shape (days,); 0 on a day that ends the token."""
    return np.maximum(1.0 + target * moves, 0.0)


def reset_values(moves: Floats, target: float) -> Floats:
    """The token's value, 1 at the start, shape (days + 1,); 0 from the day that ends it."""
    return np.concatenate(([1.0], np.cumprod(reset_growths(moves, target))))
