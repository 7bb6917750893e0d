"""Windows of days: their variance, and what a daily reset loses in them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steelyard as sy
from steelyard.analysis.windows import variance_decay, windows_of
from steelyard.market import Prices
from steelyard.rules.series import Daily
from support.tokens import DAY_S, T0, closes, token

TARGETS = st.sampled_from([-3.0, -1.0, 0.5, 2.0, 3.0])


def days_of(*prices: float) -> Prices:
    """Daily closes, the first one at an instant at which windows of 2, 3 and 5 days begin."""
    return closes(*prices, start=(18_270 - 1) * DAY_S)


@pytest.mark.parametrize("target", [-1.0, 2.0, 3.0])
def test_a_price_that_alternates_decays_by_its_closed_form(target: float) -> None:
    """Up x and back, n times: n (log(1 + Lx) + log(1 - Lx/(1+x))), of a variance 2n log(1+x)^2."""
    x, rounds = 0.04, 5
    found = windows_of(days_of(100.0, *[104.0, 100.0] * rounds), target, 2 * rounds)
    exact = rounds * (math.log1p(target * x) + math.log1p(-target * x / (1 + x)))
    assert len(found) == 1
    assert found.decay[0] == pytest.approx(exact, rel=1e-12)
    assert found.days[0] == pytest.approx(2 * rounds * math.log1p(x) ** 2, rel=1e-12)
    assert found.bars[0] == pytest.approx(found.days[0], rel=1e-12)


@pytest.mark.parametrize("target", [-1.0, 2.0, 3.0])
def test_a_trend_decays_by_its_closed_form(target: float) -> None:
    """Days of a growth g, n of them: n (log(1 + Lg) - L log(1 + g)); below 0 even there."""
    found = windows_of(days_of(*[100 * 1.02**day for day in range(11)]), target, 5)
    exact = 5 * (math.log1p(target * 0.02) - target * math.log1p(0.02))
    assert found.decay == pytest.approx([exact, exact], rel=1e-11)
    assert exact < 0


def test_the_finer_the_days_the_nearer_to_variance_alone() -> None:
    """As moves get small, decay over what variance predicts goes to 1, with their size."""
    ratios = []
    for x in (0.04, 0.02, 0.01):
        found = windows_of(days_of(100.0, *[100 * (1 + x), 100.0] * 5), 3.0, 10)
        ratios.append(abs(found.decay[0] / variance_decay(3.0, found.days)[0] - 1))
    assert ratios[0] > 3.5 * ratios[1] > 3.5**2 * ratios[2]


@st.composite
def histories(draw: st.DrawFn) -> Prices:
    """Bars of six hours with some missing, that begin at any hour of a day."""
    rows = draw(st.integers(30, 120))
    moves = draw(st.lists(st.floats(-0.3, 0.3), min_size=rows, max_size=rows))
    held = draw(st.lists(st.sampled_from([True] * 15 + [False]), min_size=rows, max_size=rows))
    kept = np.array(held)
    kept[:2] = True
    step = DAY_S // 4
    time = T0 + step * (draw(st.integers(0, 40)) + np.arange(rows))
    close = 100 * np.exp(np.cumsum(moves))
    return Prices(time=time[kept], close=close[kept], step_s=step)


def slowly(
    prices: Prices, target: float, length: int, shift: int
) -> dict[int, tuple[float, float, float]]:
    """Windows by their definition: by number, variance of bars, of days, and decay."""
    closing = dict(zip(prices.end_times.tolist(), prices.close.tolist(), strict=True))
    found = {}
    first, last = int(prices.end_times[0]), int(prices.end_times[-1])
    for number in range(first // (length * DAY_S) - 1, last // (length * DAY_S) + 1):
        start = (number * length + shift) * DAY_S
        midnights = [start + day * DAY_S for day in range(length + 1)]
        inside = [end for end in closing if start < end <= midnights[-1]]
        if not all(end in closing for end in midnights) or len(inside) < 0.99 * 4 * length:
            continue
        steps = [closing[end] for end in [start, *inside]]
        bars = sum(math.log(b / a) ** 2 for a, b in itertools.pairwise(steps))
        days = decay = 0.0
        for a, b in itertools.pairwise(midnights):
            move = closing[b] / closing[a]
            days += math.log(move) ** 2
            nav = 1 + target * (move - 1)
            decay += math.log(nav) - target * math.log(move) if nav > 0 else -math.inf
        found[number] = bars, days, decay
    return found


@given(histories(), TARGETS, st.sampled_from([2, 3, 5]), st.integers(0, 1))
def test_windows_are_those_of_a_plain_loop(
    prices: Prices, target: float, length: int, shift: int
) -> None:
    """The same windows, whole ones only, with the same variances and decay, wipe-outs included."""
    found = windows_of(prices, target, length, shift_days=shift)
    exact = slowly(prices, target, length, shift)
    assert found.number.tolist() == list(exact)
    for place, figures in enumerate(exact.values()):
        ours = found.bars[place], found.days[place], found.decay[place]
        assert ours == pytest.approx(figures, rel=1e-7, abs=1e-9)
        assert found.lived[place] == math.isfinite(figures[2])


@given(st.lists(st.floats(-0.3, 0.3), min_size=10, max_size=10), st.sampled_from([-1.0, 2.0, 3.0]))
def test_decay_is_what_a_simulated_daily_reset_loses(moves: list[float], target: float) -> None:
    """Log of nav less L times log of the price, of a token without costs; none where it ended."""
    prices = days_of(*(100 * np.exp(np.cumsum([0.0, *moves]))).tolist())
    run = sy.simulate(token(target, daily=Daily(0)), prices)
    (decay,) = windows_of(prices, target, 10).decay
    if run.state.ended is not None:
        assert decay == -math.inf
        return
    nav = run.summary["nav"]["return"]
    left = math.log1p(nav) - target * math.log(prices.close[-1] / prices.close[0])
    assert decay == pytest.approx(left, rel=1e-9, abs=1e-12)


@given(histories(), st.sampled_from([-3.0, -1.0, 2.0, 3.0]))
def test_a_reset_never_gains_beyond_its_multiple(prices: Prices, target: float) -> None:
    """Outside of 0 to 1 decay is never above 0 (Bernoulli's inequality)."""
    assert np.all(windows_of(prices, target, 2).decay <= 1e-12)
