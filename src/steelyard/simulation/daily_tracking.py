"""How well a token tracks: its daily returns against the underlying's, and its exposure error.

``slope``, ``r2``: least-squares fit of the token's UTC-day returns to the underlying's.
``error_daily``: standard deviation of the token's returns less L times the underlying's.
``tracking_error``: the same for a year, ``error_daily * sqrt(365)``, as the field defines it.
``exposure_error``: ``sqrt(sum (leverage[t-1] - L)^2 r[t]^2 / years)`` over bars, the error of the
exposure itself, which a daily reset does not hide. ``error`` is its former name, kept for one
release.
``difference``: final nav over the nav of a frictionless daily reset over the same days, less 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from steelyard.market.daily_reset import reset_growths
from steelyard.market.days import day_ends
from steelyard.rules.accruals import YEAR_S

__all__ = ["FEWEST_RETURNS", "FIGURES", "line_through", "tracking"]

Floats = npt.NDArray[np.float64]

FIGURES = (
    "slope",
    "r2",
    "error_daily",
    "tracking_error",
    "error",
    "exposure_error",
    "difference",
)
DAYS_A_YEAR = 365
FEWEST_RETURNS = 2
NO_SPREAD = 1e-24
"""Variance over mean square below which days differ only by rounding, so no line is fitted."""


def tracking(
    time: npt.NDArray[np.int64], price: Floats, nav: Floats, target: float, squares: float
) -> dict[str, float | None]:
    """The figures above, from one row per bar; None where undefined.

    A token without nav has no returns, so the days after its end are left out.

    Args:
        time: epoch seconds, shape (bars,).
        price: price of the underlying at each close, shape (bars,).
        nav: nav per token at each close, shape (bars,).
        target: target leverage, signed.
        squares: the sum under the root of ``exposure_error``.
    """
    if not len(time):
        # a token that was closed before the first bar
        return dict.fromkeys(FIGURES)
    ends = day_ends(time)
    day_nav, day_price = nav[ends], price[ends]
    figures: dict[str, float | None] = dict.fromkeys(FIGURES)
    lived = day_nav[:-1] > 0
    token = day_nav[1:][lived] / day_nav[:-1][lived] - 1
    asset_all = day_price[1:] / day_price[:-1] - 1
    asset = asset_all[lived]
    if len(token) >= FEWEST_RETURNS:
        daily = figures["error_daily"] = float(np.std(token - target * asset, ddof=1))
        figures["tracking_error"] = daily * math.sqrt(DAYS_A_YEAR)
        figures["slope"], figures["r2"] = line_through(token, asset)
    years = float(time[-1] - time[0]) / YEAR_S
    exposure_error = math.sqrt(squares / years) if years > 0 else None
    figures["error"] = figures["exposure_error"] = exposure_error
    ideal = reset_growths(asset_all, target)
    if len(ideal) and np.all(ideal > 0) and day_nav[0] > 0:
        grown = float(day_nav[-1] / day_nav[0])
        figures["difference"] = grown / math.prod(ideal.tolist()) - 1
    return figures


def line_through(token: Floats, asset: Floats) -> tuple[float | None, float | None]:
    """Slope and R2 of the least-squares line through returns; None where undefined."""
    moved = asset - asset.mean()
    spread = float(np.sum(moved * moved))
    if not spread > NO_SPREAD * float(np.sum(asset * asset)):
        return None, None
    centred = token - token.mean()
    total = float(np.sum(centred * centred))
    slope = float(np.sum(moved * centred)) / spread
    # two days lie exactly on a line, and rounding may give an R2 slightly above 1
    return slope, min(slope * slope * spread / total, 1.0) if total > 0 else None
