"""Decay at matched volatility: closed forms, plain loops, and worlds whose truth is known."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steelyard as sy
from steelyard.errors import DataError, InputError
from steelyard.explain.decay import DecayAcross, decay_across
from steelyard.explain.matching import (
    FEWEST,
    Matched,
    Resamples,
    expanded_tail,
    joined,
    match,
    resampled,
)
from steelyard.explain.windows import Windows, variance_decay, windows_of
from steelyard.market import Prices
from steelyard.rules.series import Daily
from support.tokens import DAY_S, T0, closes, observed, token
from support.two_assets import PER_DAY, two_assets

TARGETS = st.sampled_from([-3.0, -1.0, 0.5, 2.0, 3.0])


def days_of(*prices: float) -> Prices:
    """Daily closes, the first one at an instant at which windows of 2, 3 and 5 days begin."""
    return closes(*prices, start=(18_270 - 1) * DAY_S)


# Windows


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


# Matching


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


# Worlds whose truth is known


def test_intervals_cover_no_difference_as_often_as_they_say() -> None:
    """A placebo: of 95 % intervals over worlds without a difference, 90 to 99 of 100 hold 0."""
    random = np.random.default_rng(2024)
    held_it = dict.fromkeys((("bars", 0), ("bars", 1), ("days", 0), ("days", 1)), 0)
    for _ in range(100):
        found = decay_across(two_assets(random), resamples=300)
        for volatility in ("bars", "days"):
            pair = found.pair("ALT", "REF", volatility=volatility)
            for which, (_, low, high) in enumerate((pair.difference, pair.lost_more)):
                assert low is not None
                assert high is not None
                held_it[volatility, which] += low <= 0 <= high
    assert all(90 <= times <= 99 for times in held_it.values()), held_it


@pytest.mark.parametrize(("jump", "sign"), [(-0.28, -1), (0.28, 1)])
def test_planted_jumps_are_found(jump: float, sign: int) -> None:
    """A 3x long decays more than variance says where days crash, less where they leap."""
    found = decay_across(two_assets(np.random.default_rng(7), jump=jump))
    pair = found.pair("ALT", "REF", volatility="days")
    assert pair.difference.low is not None
    assert pair.difference.high is not None
    assert sign * pair.difference.low > 0
    assert sign * pair.difference.high > 0
    assert pair.from_variance == pytest.approx(0, abs=1e-9)


def test_planted_reversals_are_found_by_bars_and_not_by_days() -> None:
    """Bars that take each other back are volatility that a daily reset never meets."""
    found = decay_across(two_assets(np.random.default_rng(8), reversal=0.5))
    by_bars, by_days = (found.pair("ALT", "REF", volatility=way) for way in ("bars", "days"))
    assert by_bars.difference.low is not None
    assert by_bars.difference.low > 0
    assert by_bars.from_variance is not None
    assert by_bars.difference.value is not None
    assert by_bars.from_variance > 0.8 * by_bars.difference.value
    assert by_days.difference.low is not None
    assert by_days.difference.high is not None
    assert by_days.difference.low <= 0 <= by_days.difference.high


# What is given back


@pytest.fixture(scope="module")
def found() -> DecayAcross:
    """Three assets against two, one of them wiped out once."""
    random = np.random.default_rng(11)
    first, second = two_assets(random), two_assets(random)
    crashed = second["ALT"]
    close = crashed.close.copy()
    close[700 * PER_DAY :] *= 0.6
    return decay_across(
        {
            "A": first["REF"],
            "B": second["REF"],
            "C": first["ALT"],
            "D": replace(crashed, close=close),
        },
        against=["A", "B"],
    )


def test_all_pairs_are_there_in_all_ways(found: DecayAcross) -> None:
    """Each against each and all, then all together: by bars and days, on any and same dates."""
    own = [("C", "A"), ("C", "B"), ("C", "A+B"), ("D", "A"), ("D", "B"), ("D", "A+B")]
    together = [("C+D", "A"), ("C+D", "B"), ("C+D", "A+B")]
    ways = [(volatility, dates) for volatility in ("bars", "days") for dates in ("any", "same")]
    assert [pair[:4] for pair in found.pairs] == [
        (*pair, *way) for way in ways for pair in own + together
    ]
    assert found.pair("C+D", "A+B").windows == len(found.held["C"]) + len(found.held["D"])


def test_frames_agree_with_the_figures(found: DecayAcross) -> None:
    """A row a window, an asset and a pair; the wipe-out is counted, and told as what it is."""
    table = found.windows
    assert len(table) == sum(map(len, found.held.values()))
    gone = table[table.wiped_out]
    assert list(gone.asset) == ["D"]
    assert list(gone.decay) == [-math.inf]
    assert str(table.start.dt.tz) == "UTC"
    lived = table[(table.asset == "C") & ~table.wiped_out]
    assert found.assets.loc["C", "decay"] == pytest.approx(lived.decay.mean() * 365 / 30)
    assert found.assets.loc["C", "predicted"] == pytest.approx(lived.predicted.mean() * 365 / 30)
    assert list(found.assets.wiped_out) == [0, 0, 0, 1]
    assert len(found.matched) == len(found.pairs)
    assert found.matched.difference[0] == found.pairs[0].found.difference.value


def test_figures_are_plain_and_repeatable(found: DecayAcross) -> None:
    """Nothing but what JSON knows; the same seed gives the same, another one other intervals."""
    figures = found.figures
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    again, other = (
        decay_across(found.prices, against=("A", "B"), seed=seed).figures for seed in (0, 1)
    )
    assert again == figures
    assert other["pairs"][0]["difference"] == figures["pairs"][0]["difference"]
    assert other["pairs"][0]["difference_low"] != figures["pairs"][0]["difference_low"]


def test_it_is_shown_in_words_and_rows(found: DecayAcross, tmp_path: Path) -> None:
    """Text, a notebook's table, a figure in two themes, and a page that needs nothing else."""
    text = repr(found)
    assert text.startswith("Decay of a 3x daily reset at matched volatility, windows of 30 days")
    assert "At equal volatility from day to day C+D decayed" in text
    assert "C+D" in found._repr_html_()
    figure = found.plot()
    assert {trace.name for trace in figure.data} >= {"A", "B", "C", "D", "matched by days"}
    assert figure.layout.paper_bgcolor != found.plot(dark=True).layout.paper_bgcolor
    found.save(tmp_path / "decay.html")
    page = (tmp_path / "decay.html").read_text(encoding="utf-8")
    assert "C+D against A+B" in page
    assert "https://" not in page.partition("<script>")[0]


def test_daily_bars_have_one_volatility() -> None:
    """From bar to bar is then from day to day, and is not told twice."""
    moves = np.random.default_rng(1).normal(0, 0.03, (2, 400))
    prices = {name: days_of(*np.exp(np.cumsum(one))) for name, one in zip("AB", moves, strict=True)}
    found = decay_across(prices, window_days=5, block_days=15)
    assert {pair.volatility for pair in found.pairs} == {"days"}
    assert found.against == ("A",)
    assert sy.decay_across is decay_across


def test_shifted_windows_begin_so_many_days_later() -> None:
    """Shifted windows are those of the same history, had it been as much earlier."""
    prices = {name: days_of(*np.geomspace(100, end, 40)) for name, end in (("A", 200), ("B", 190))}
    found = decay_across(prices, window_days=5, shift_days=2)
    earlier = {name: replace(one, time=one.time - 2 * DAY_S) for name, one in found.prices.items()}
    plain = decay_across(earlier, window_days=5)
    assert found.held["A"].decay == pytest.approx(plain.held["A"].decay, rel=1e-12)
    later = found.windows.start - plain.windows.start
    assert set(later.dt.days) == {2}
    assert found.figures["assets"][0]["start"] == f"{found.windows.start[0]:%Y-%m-%dT%H:%M:%SZ}"


def test_what_never_matches_is_said() -> None:
    """A calm asset and a wild one: no figure, and words that say why."""
    calm, wild = (np.tile([100.0, 100.0 * (1 + x)], 50) for x in (0.001, 0.1))
    found = decay_across({"CALM": days_of(*calm), "WILD": days_of(*wild)}, window_days=5)
    assert "cannot be held against CALM: no windows match" in found.words
    assert found.pair("WILD", "CALM").matched == 0
    assert "nan" not in repr(found)
    assert found.plot().data


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target": 1.0}, "target: expected neither 0 nor 1, found 1"),
        ({"target": math.nan}, "target: expected neither 0 nor 1"),
        ({"window_days": 1}, "window_days: expected whole days, 2 or more, found 1"),
        ({"window_days": 2.5}, "window_days: expected whole days"),
        ({"shift_days": 5}, "shift_days: expected whole days, less than a window, found 5"),
        ({"caliper": 0.0}, "caliper: expected a share above 0"),
        ({"block_days": 3.0}, "block_days: expected at least a window, found 3"),
        ({"resamples": 10}, "resamples: expected 100 or more, found 10"),
        ({"confidence": 95}, "confidence: expected between 0 and 1, found 95"),
        ({"against": "C"}, "decay: expected two assets or more, .* found A, B against C"),
        ({"against": ["A", "B"]}, "found A, B against A, B"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, object], message: str) -> None:
    """With what was expected and what was found."""
    prices = {"A": days_of(*range(100, 140)), "B": days_of(*range(100, 140))}
    with pytest.raises(InputError, match=message):
        decay_across(prices, **{"window_days": 5, **given})  # type: ignore[arg-type]


def test_histories_that_cannot_be_compared_are_refused() -> None:
    """One alone, bars of two lengths or that fill no day, prices at instants, no whole window."""
    daily = days_of(*range(100, 140))
    hourly = closes(*range(100, 400), step_s=3_600)
    with pytest.raises(InputError, match="two assets or more"):
        decay_across({"A": daily})
    with pytest.raises(InputError, match="B: expected bars of 86400 s, as of A, found 3600 s"):
        decay_across({"A": daily, "B": hourly}, window_days=5)
    for wrong in (observed(*range(100, 140)), closes(*range(100, 140), step_s=7 * 3_600)):
        with pytest.raises(DataError, match="expected bars of a day, or of a length that fills"):
            decay_across({"A": wrong, "B": wrong}, window_days=5)
    with pytest.raises(DataError, match="at least one whole window of 30 days"):
        decay_across({"A": hourly, "B": hourly})
    pairs = decay_across({"A": daily, "B": daily}, window_days=5)
    with pytest.raises(InputError, match="expected one of B against A; found A B days any"):
        pairs.pair("A", "B")


def test_windows_of_several_assets_are_joined_as_they_are() -> None:
    """None is lost and none is changed."""
    one, two = windows([0, 1], [0.1, 0.2], [-0.3, -0.6]), windows([1], [0.3], [-math.inf])
    both = joined([one, two])
    assert both.number.tolist() == [0, 1, 1]
    assert both.decay.tolist() == [-0.3, -0.6, -math.inf]
    assert both.lived.tolist() == [True, True, False]
