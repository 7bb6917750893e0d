"""Two runs that must tell the same: by the reference and by the fast run, or whole and joined."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from hypothesis import reject

from steelyard.errors import InputError
from steelyard.fund.state import State
from steelyard.market import Prices
from steelyard.rules.series import Series
from steelyard.simulation.run import Run, simulate
from support.feeding import fed, others_in
from support.reaching import reaching

__all__ = ["assert_same_run", "assert_same_state", "both_ways", "joined"]

CLOSE = 1e-12


def both_ways(series: Series, bars: Prices, **options: Any) -> tuple[Run, Run]:
    """The reference's run and the fast one; what the one refuses, the other does in its words."""
    feed, how = fed(bars, options), others_in(options)
    try:
        expected = simulate(series, feed, engine="reference", **how)
    except InputError as refusal:
        try:
            simulate(series, feed, engine="fast", **how)
        except InputError as other:
            assert str(other) == str(refusal)  # noqa: PT017 (both are refusals)
            reject()
        raise AssertionError(str(refusal)) from refusal
    return expected, simulate(series, feed, engine="fast", **how)


def joined(series: Series, bars: Prices, at: int, engines: tuple[str, str], **options: Any) -> Run:
    """The second of two runs, cut before bar ``at``, that goes on from the first's state.

    Both are given all bars: an impact that follows the market knows what came before.
    """
    cut = int(bars.time[at])
    held, how = reaching(options, bars.slice(0, at)), others_in(options)
    first = simulate(series, fed(bars, held, end=cut), engine=engines[0], **how)
    rest = fed(bars, options, start=cut)
    return simulate(series, rest, engine=engines[1], state=first.state, **how)


def assert_same_run(found: Run, expected: Run) -> None:
    """Trades, columns, summary and state: alike to the last trade, figures to 1e-12."""
    launch = expected.series.initial_nav * expected.series.initial_tokens
    most = float(np.max(np.abs(expected.nav_columns["nav"]))) * expected.series.initial_tokens
    steepest = max(1.0, float(np.max(np.abs(expected.nav_columns["leverage"]))))
    fund = max(launch, most)
    trades, wanted = found.rebalance_columns, expected.rebalance_columns
    for name in ("time", "trigger", "side"):
        np.testing.assert_array_equal(trades[name], wanted[name], err_msg=name)
    for name, column in wanted.items():
        if name.startswith("leverage"):
            _assert_leverage(trades[name], column)
        elif column.dtype.kind == "f":
            # a trade is the difference of two positions, each a multiple of the fund
            _assert_near(name, trades[name], column, fund * steepest)
    for name, column in expected.nav_columns.items():
        if name == "leverage":
            _assert_leverage(found.nav_columns[name], column)
        elif column.dtype.kind == "f":
            _assert_near(name, found.nav_columns[name], column, expected.series.initial_nav)
        else:
            np.testing.assert_array_equal(found.nav_columns[name], column, err_msg=name)
    for name, column in expected.cost_columns.items():
        if column.dtype.kind == "f":
            _assert_near(name, found.cost_columns[name], column, fund)
    for name, column in expected.suspension_columns.items():
        np.testing.assert_array_equal(found.suspension_columns[name], column, err_msg=name)
    _assert_figures(found.summary, expected.summary, fund, steepest)
    assert_same_state(found.state, expected.state, fund)


def assert_same_state(found: State[Any], expected: State[Any], fund: float) -> None:
    """The same token, to go on from."""
    _assert_figures(asdict(found), asdict(expected), fund, 1.0)


def _assert_near(name: str, found: Any, expected: Any, scale: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=CLOSE * scale, err_msg=name)


def _assert_leverage(found: Any, expected: Any) -> None:
    # a share of a small nav: what nav is off by counts as often as leverage itself
    room = CLOSE * np.maximum(1.0, expected * expected)
    np.testing.assert_array_less(np.abs(found - expected), room, err_msg="leverage")


def _steepness(name: str, leverage: float) -> float:
    """How many times a figure moves by what nav is off by."""
    if name in ("leverage", "tracking"):
        return leverage * leverage
    # a day's payments, or basis points of a trade, over what is left of the reserve
    return 1e4 if name in ("capacity", "runway_days") else 1.0


def _assert_figures(found: Any, expected: Any, fund: float, steepest: float) -> None:
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name in expected:
            scale = fund * _steepness(name, steepest)
            _assert_figures(found[name], expected[name], scale, steepest)
    elif isinstance(expected, float):
        _assert_near("figure", found, expected, fund)
    elif isinstance(expected, (list, tuple)) or hasattr(expected, "popleft"):
        assert len(found) == len(expected)
        for one, two in zip(found, expected, strict=True):
            _assert_figures(one, two, fund, steepest)
    else:
        assert found == expected
