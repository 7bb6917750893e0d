"""Comparison of rules on one history: how far each is off its target, and what that costs.

For a series of target L whose trades cost c per unit of notional, on prices of volatility sigma,

    kappa = error * cost_per_year / (c * sigma^3 * L^2 * (L - 1)^2)

is a figure of the rule alone: a wider band or a longer interval trades error for cost and leaves
their product unchanged. The closed forms for a price that moves continuously are 0.289 for trading
to the edge of a band, 0.408 for a reset at a band and 0.564 for a reset by the clock
(``rules.optimal_band``).

All per-year figures here are shares of the nav at the time, without the launch, so that they do not
depend on how well a token did; the ``costs`` of a summary are amounts and include the launch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from steelyard.errors import InputError
from steelyard.market import Prices, feed_of, parse_time
from steelyard.market.price_feed import check_symbols, for_series
from steelyard.report.daily_reset_index import worst_day
from steelyard.rules.accruals import YEAR_S
from steelyard.rules.optimal_band import policy_kappa
from steelyard.rules.series import Series
from steelyard.simulation.checks import check_several
from steelyard.simulation.compared_series import Compared, marked
from steelyard.simulation.comparison import Comparison
from steelyard.simulation.inputs import check_useful, fits
from steelyard.simulation.run import Run, simulate
from steelyard.simulation.series_argument import series_of

__all__ = ["compare", "worst_day_of"]

TRADE_COSTS = ("fee", "spread", "impact", "gas")
CARRY = ("funding", "interest", "management")
NO_CHOICE = ("launch", "roll")
"""Trades that no rebalancing rule decides."""


def compare(
    series: Sequence[Series | str] | Mapping[str, Series | str],
    feed: object,
    *,
    intrabar: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run several series over one feed and compare them.

    Args:
        series: the tokens, in the forms that ``simulate`` takes. A list is named by the symbols (a
            second ``X`` becomes ``X (2)``); a mapping gives the names.
        feed: a ``Feed``, or bare prices. Its funding is used for the perpetuals among the series,
            its rates for those that borrow spot, its injections for those with a reserve, its book
            for those that trade on one, and the other inputs for all.
        intrabar: ``"path"`` or ``"close"``, as in ``simulate``.
        progress: called at times with the number of bars done, of all series together.

    Raises:
        InputError: there is no series, an input fits none of them, or as in ``simulate``.
        DataError: a file is invalid, or no bar is left.
    """
    check_several("series", series, "series")
    if isinstance(series, Mapping):
        named = {str(name): series_of(token) for name, token in series.items()}
    else:
        named = _named([series_of(token) for token in series])
    if not named:
        message = "compare: expected at least one series, found none."
        raise InputError(message)
    tokens = list(named.values())
    history = feed_of(feed)
    check_useful(history.given(), tokens)
    check_symbols(history, (token.symbol for token in tokens))
    bars = history.bars
    sigma = _volatility(bars)
    entries: list[Compared] = []
    for name, token in named.items():
        own = for_series(history, token.symbol)
        fitting = own.without(*(option for option in own.given() if not fits(option, token)))
        step = None if progress is None else _onward(progress, len(entries) * len(bars))
        run = simulate(token, fitting, intrabar=intrabar, progress=step)
        entries.append(_compared(name, run, sigma))
    return Comparison(tuple(marked(entries)), bars, entries[0].run.intrabar, sigma)


def worst_day_of(run: Run) -> tuple[str, float] | None:
    """The UTC day on which the token lost most, and its return; None if there is no day."""
    columns = run.nav_columns
    found = worst_day(columns["time"].astype(np.int64), columns["nav"], run.series.initial_nav)
    return None if found is None else (str(np.datetime64(found[0], "s"))[:10], found[1])


def _named(series: Sequence[Series]) -> dict[str, Series]:
    named: dict[str, Series] = {}
    for token in series:
        name, times = token.symbol, 1
        while name in named:
            times += 1
            name = f"{token.symbol} ({times})"
        named[name] = token
    return named


def _volatility(bars: Prices) -> float | None:
    years = float(bars.time[-1] - bars.time[0]) / YEAR_S
    moves = bars.close[1:] / bars.close[:-1] - 1
    return float(np.sqrt(np.sum(moves * moves) / years)) if years > 0 else None


def _onward(progress: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda done: progress(before + done)


def _compared(name: str, run: Run, sigma: float | None) -> Compared:
    bars, trades = run.nav_columns, run.rebalance_columns
    place = np.searchsorted(bars["time"], trades["time"], side="right") - 1
    assets = trades["nav_before"] * bars["tokens"][place]
    spent = np.sum([trades[kind] for kind in TRADE_COSTS], axis=0) / assets
    chosen = ~np.isin(trades["trigger"], NO_CHOICE)
    rolled = float(spent[trades["trigger"] == "roll"].sum())
    turned = float((trades["notional"] / assets)[chosen].sum())
    years = _years_lived(run)
    cost = float(spent[chosen].sum()) / years if years > 0 else None
    c = float((trades["fee"].sum() + trades["spread"].sum()) / trades["notional"].sum())
    error, kappa = run.summary["tracking"]["error"], None
    if run.summary["wiped_out"] is None and not (error is None or cost is None or sigma is None):
        kappa = policy_kappa(error, cost, run.series.target_leverage, sigma, c)
    return Compared(
        name=name,
        run=run,
        cost_per_year=cost,
        carry_per_year=(_accrued(run) + rolled) / years if years > 0 else None,
        turnover_per_year=turned / years if years > 0 else None,
        proportional_cost=c,
        worst_day=worst_day_of(run),
        kappa=kappa,
    )


def _years_lived(run: Run) -> float:
    first, last = run.nav_columns["time"].astype(np.int64)[[0, -1]].tolist()
    ended = run.summary["wiped_out"]
    return float((last if ended is None else parse_time(ended["time"])) - first) / YEAR_S


def _accrued(run: Run) -> float:
    """Funding, interest and management, each bar's as a share of its nav, summed over the run."""
    sums = np.sum([run.cost_columns[kind] for kind in CARRY], axis=0)
    assets = run.nav_columns["nav"] * run.nav_columns["tokens"]
    alive = assets > 0
    return float(np.sum(np.diff(sums, prepend=0.0)[alive] / assets[alive]))
