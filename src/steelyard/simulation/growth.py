"""``log(1 + x)`` and ``exp(x) - 1`` of many numbers, the same bits on every processor.

NumPy's own are vectorised by what the processor has, and their last bits differ between AVX-512 and
what came before it; those of the C library differ where it multiplies and adds in one step. State
is made of ``+ - * /`` and square roots, which IEEE 754 rounds correctly everywhere. So both are
their power series, and where x is large it is made small first::

    log(1 + x) = 2 log(1 + y),   y = x / (1 + sqrt(1 + x)), about x / 2
    exp(x) - 1 = e (2 + e),      e = exp(x / 2) - 1

Rates of a step are thousandths at most, and there the result is right to 5e-16 of itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["grown_by", "log_of_growth"]

Floats = npt.NDArray[np.float64]

SMALL = 2.0**-7
"""The largest x of which the series is taken."""
MOST_HALVINGS = 64
"""Any number that has a result needs fewer; only -1 and infinity stay as large as they are."""
LAST_BIT = 2.0**-56
"""Share of the result below which a term is left out."""
LOG_TERMS = (1.0, -1 / 2, 1 / 3, -1 / 4, 1 / 5, -1 / 6, 1 / 7, -1 / 8)
GROWTH_TERMS = (1.0, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5_040)


def log_of_growth(rates: Floats) -> Floats:
    """``log(1 + rate)`` of each; of -1, which has none, so low that nothing is left."""
    halvings = 0
    while (largest := _largest(rates)) > SMALL and halvings < MOST_HALVINGS:
        rates = rates / (1.0 + np.sqrt(1.0 + rates))
        halvings += 1
    logs = _series(LOG_TERMS, rates, largest)
    return logs * 2.0**halvings if halvings else logs


def grown_by(logs: Floats) -> Floats:
    """``exp(log) - 1`` of each."""
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
    """``terms[0] at + terms[1] at^2 + ...``, as many as count where none is beyond ``largest``."""
    count, power = 1, largest
    while count < len(terms) and abs(terms[count]) * power > LAST_BIT:
        count, power = count + 1, power * largest
    total = at * terms[count - 1]
    for term in reversed(terms[: count - 1]):
        total += term
        total *= at
    return total
