"""``log(1 + x)`` and ``exp(x) - 1`` of arrays, with the same bits on every processor.

NumPy's own functions use the vector instructions of the processor, and their last bits differ
between AVX-512 and older ones; those of the C library differ where multiplication and addition are
fused. The state may only depend on ``+ - * /`` and square roots, which IEEE 754 rounds correctly
everywhere. Both functions are therefore computed by their power series, after a large x has been
made smaller::

    log(1 + x) = 2 log(1 + y),   y = x / (1 + sqrt(1 + x)), about x / 2
    exp(x) - 1 = e (2 + e),      e = exp(x / 2) - 1

The rates of one step are thousandths at most, and for these the relative error is below 5e-16.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["grown_by", "log_of_growth"]

Floats = npt.NDArray[np.float64]

SMALL = 2.0**-7
"""The largest x for which the series is used directly."""
MOST_HALVINGS = 64
"""More than any finite result needs; only -1 and infinity do not become smaller."""
LAST_BIT = 2.0**-56
"""A term below this share of the result is left out."""
LOG_TERMS = (1.0, -1 / 2, 1 / 3, -1 / 4, 1 / 5, -1 / 6, 1 / 7, -1 / 8)
GROWTH_TERMS = (1.0, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5_040)


def log_of_growth(rates: Floats) -> Floats:
    """``log(1 + rate)`` of each rate; for -1 a number so low that ``grown_by`` gives -1."""
    halvings = 0
    while (largest := _largest(rates)) > SMALL and halvings < MOST_HALVINGS:
        rates = rates / (1.0 + np.sqrt(1.0 + rates))
        halvings += 1
    logs = _series(LOG_TERMS, rates, largest)
    return logs * 2.0**halvings if halvings else logs


def grown_by(logs: Floats) -> Floats:
    """``exp(log) - 1`` of each log."""
    halvings, largest = 0, _largest(logs)
    while largest > SMALL and halvings < MOST_HALVINGS:
        logs, largest = logs / 2.0, largest / 2.0
        halvings += 1
    grown = _series(GROWTH_TERMS, logs, largest)
    for _ in range(halvings):
        grown = grown * (2.0 + grown)
    return grown


def _largest(values: Floats) -> float:
    return float(np.maximum.reduce(np.abs(values), initial=0.0))


def _series(terms: Sequence[float], at: Floats, largest: float) -> Floats:
    """``terms[0] at + terms[1] at^2 + ...``, with as many terms as ``largest`` makes necessary."""
    count, power = 1, largest
    while count < len(terms) and abs(terms[count]) * power > LAST_BIT:
        count, power = count + 1, power * largest
    total = at * terms[count - 1]
    for term in reversed(terms[: count - 1]):
        total += term
        total *= at
    return total
