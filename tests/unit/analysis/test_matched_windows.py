"""Windows matched by volatility, and the bootstrap: plain loops and planted truths."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.analysis.matched_windows import (
    FEWEST,
    Matched,
    Resamples,
    expanded_tail,
    joined,
    match,
    resampled,
)
from steelyard.analysis.windows import Windows


def windows(number: list[int], variance: list[float], decay: list[float]) -> Windows:
    """Windows of 30 days whose variance is the same either way."""
    both = np.array(variance)
    return Windows(30, np.array(number, dtype=np.int64), both, both, np.array(decay))


def held(
    own: Windows, others: Windows, *, same_dates: bool = False, target: float = 3.0
) -> Matched:
    """Matched by days within a tenth, with a few resamples."""
    numbers = np.concatenate((own.number, others.number))
    drawn = resampled(
        int(numbers.min()), int(numbers.max()), block=3, resamples=200, confidence=0.95, seed=1
    )
    return match(
        own,
        others,
        target,
        by="days",
        same_dates=same_dates,
        caliper=0.1,
        resamples=drawn,
    )


sizes = st.floats(0.001, 0.5)


@st.composite
def some_windows(draw: st.DrawFn) -> Windows:
    """Up to twelve windows, some of which wiped the token out."""
    count = draw(st.integers(1, 12))
    number = draw(
        st.lists(st.integers(0, 15), min_size=count, max_size=count, unique=True).map(sorted)
    )
    variance = draw(st.lists(sizes, min_size=count, max_size=count))
    decay = draw(st.lists(st.floats(-3, 0) | st.just(-math.inf), min_size=count, max_size=count))
    return windows(number, variance, decay)


@given(some_windows(), some_windows(), st.booleans())
def test_matching_is_that_of_a_plain_loop(own: Windows, others: Windows, same: bool) -> None:
    """Each window against the mean of all within the caliper, carried over to its variance."""
    found = held(own, others, same_dates=same)
    differences, more, matched = [], [], 0
    for i in range(len(own)):
        near = [
            j
            for j in range(len(others))
            if 1 / 1.1 <= math.sqrt(own.days[i] / others.days[j]) <= 1.1
            and (not same or own.number[i] == others.number[j])
        ]
        carried = [others.decay[j] * own.days[i] / others.days[j] for j in near]
        living = [x for x in carried if math.isfinite(x)]
        if living and math.isfinite(own.decay[i]):
            differences.append(own.decay[i] - sum(living) / len(living))
        if near:
            matched += 1
            theirs = sum(1 - math.exp(x) for x in carried) / len(carried)
            more.append(1 - math.exp(own.decay[i]) - theirs)
    assert found.matched == matched
    assert (found.difference.value is None) == (not differences)
    assert (found.lost_more.value is None) == (not more)
    if differences:
        exact = sum(differences) / len(differences) * 365 / 30
        assert found.difference.value == pytest.approx(exact, rel=1e-9, abs=1e-9)
        assert found.from_variance is not None
        assert found.from_shape is not None
        both = found.from_variance + found.from_shape
        assert both == pytest.approx(found.difference.value, abs=1e-12)
    if more:
        assert found.lost_more.value == pytest.approx(sum(more) / len(more), abs=1e-12)


@given(st.lists(sizes, min_size=5, max_size=40), st.lists(sizes, min_size=5, max_size=40))
def test_decay_in_proportion_to_variance_is_no_difference(a: list[float], b: list[float]) -> None:
    """Where variance alone decides, nothing is left at any match, in no resample."""
    own = windows(list(range(len(a))), a, [-3 * v for v in a])
    found = held(own, windows(list(range(len(b))), b, [-3 * v for v in b]))
    for interval in (found.difference, found.lost_more):
        for figure in interval:
            assert figure is None or figure == pytest.approx(0, abs=1e-12)


@given(st.lists(sizes, min_size=FEWEST, max_size=60), st.floats(-0.5, 0.5))
def test_a_planted_share_is_found_exactly(variance: list[float], more: float) -> None:
    """An asset that decays by a share more has that share of its mean variance as difference."""
    number = list(range(len(variance)))
    own = windows(number, variance, [-3 * (1 + more) * v for v in variance])
    found = held(own, windows(number, variance, [-3 * v for v in variance]))
    planted = -3 * more * float(np.mean(variance)) * 365 / 30
    assert found.matched == len(variance)
    assert found.difference.value == pytest.approx(planted, abs=1e-9)
    assert found.difference.low is not None
    assert found.difference.high is not None
    assert found.difference.low <= planted + 1e-9
    assert found.difference.high >= planted - 1e-9


def test_a_wipe_out_counts_where_a_mean_of_logs_cannot() -> None:
    """It is left out of the decay of who lived, and is a loss of all in the share lost."""
    own = windows([0, 1], [0.1, 0.1], [-0.3, -math.inf])
    found = held(own, windows([0, 1], [0.1, 0.1], [-0.3, -0.3]))
    assert found.difference.value == pytest.approx(0)
    assert (found.wiped_out, found.wiped_out_against) == (0.5, 0.0)
    assert found.lost_more.value == pytest.approx((0 + math.exp(-0.3)) / 2)


def test_what_has_no_match_is_not_told() -> None:
    """Other volatilities, other dates, or a price that never moved."""
    calm, wild = windows([0], [0.01], [-0.03]), windows([0], [0.5], [-1.5])
    still, later = windows([0], [0.0], [0.0]), windows([1], [0.01], [-0.03])
    for own, others, same in ((calm, wild, False), (still, calm, False), (calm, later, True)):
        found = held(own, others, same_dates=same)
        assert found.matched == 0
        assert found.difference == found.lost_more == (None, None, None)
        assert found.volatility is None
    assert held(calm, later).matched == 1


def test_windows_of_several_assets_are_joined_as_they_are() -> None:
    """None is lost and none is changed."""
    one, two = windows([0, 1], [0.1, 0.2], [-0.3, -0.6]), windows([1], [0.3], [-math.inf])
    both = joined([one, two])
    assert both.number.tolist() == [0, 1, 1]
    assert both.decay.tolist() == [-0.3, -0.6, -math.inf]
    assert both.lived.tolist() == [True, True, False]


# The bootstrap


def test_a_resample_is_made_of_runs_of_the_calendar() -> None:
    """Each has as many windows as there are; with endless runs each window comes exactly once."""
    drawn = resampled(5, 24, block=4, resamples=500, confidence=0.95, seed=3)
    assert np.all(drawn.times.sum(axis=1) == 20)
    assert drawn.times.mean() == pytest.approx(1)
    assert np.all(drawn.times.mean(axis=0) > 0.7)
    whole = resampled(5, 24, block=1e12, resamples=50, confidence=0.95, seed=3)
    assert np.all(whole.times == 1)
    # neighbours come together: with long runs their counts agree, with short ones they do not
    long, short = (
        resampled(0, 99, block=block, resamples=400, confidence=0.95, seed=3).times
        for block in (20, 1)
    )
    together = [np.corrcoef(times[:, 50], times[:, 51])[0, 1] for times in (long, short)]
    assert together[0] > 0.8
    assert abs(together[1]) < 0.2


def test_assets_are_resampled_together() -> None:
    """An asset against its own copy on the same dates is nothing in every resample."""
    random = np.random.default_rng(5)
    variance = random.uniform(0.01, 0.3, 60).tolist()
    own = windows(
        list(range(60)), variance, (-3 * random.uniform(0.5, 1.5, 60) * variance).tolist()
    )
    found = held(own, own, same_dates=True)
    assert found.difference == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
    other_dates = held(own, own)
    assert other_dates.difference.low is not None
    assert other_dates.difference.low < -0.01


def test_an_interval_is_that_of_the_expanded_percentiles() -> None:
    """Resamples without a match are left out; of many such, or few windows, there is none."""
    number, found = np.arange(60), np.arange(101.0)
    drawn = Resamples(0, np.ones((101, 60)), 3.0, 0.9)
    tail = expanded_tail(0.05, 20)
    assert drawn.interval(found, number) == pytest.approx((100 * tail, 100 - 100 * tail))
    found[0] = np.nan
    assert drawn.interval(found, number) == pytest.approx((1 + 99 * tail, 100 - 99 * tail))
    assert drawn.interval(found, number[: FEWEST - 1]) == (None, None)
    found[:20] = np.nan
    assert drawn.interval(found, number) == (None, None)


@pytest.mark.parametrize(("runs", "t"), [(6, 2.5706), (11, 2.2281), (31, 2.0423), (10**9, 1.96)])
def test_a_percentile_is_expanded_as_student_s_t_is_wider(runs: int, t: float) -> None:
    """The tabled t of 97.5 %, for one degree of freedom less than there are runs."""
    beyond = -NormalDist().inv_cdf(expanded_tail(0.025, runs))
    assert beyond == pytest.approx(t * math.sqrt(runs / (runs - 1)), rel=0.01)
