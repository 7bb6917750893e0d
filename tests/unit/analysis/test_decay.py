"""Decay across assets: worlds whose truth is known, and what is given back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import steelyard as sy
from steelyard.analysis.decay import decay_across
from steelyard.analysis.decay_found import DecayAcross
from steelyard.errors import DataError, InputError
from steelyard.market import Prices
from support.tokens import DAY_S, closes, observed
from support.two_assets import PER_DAY, two_assets


def days_of(*prices: float) -> Prices:
    """Daily closes, the first one at an instant at which windows of 2, 3 and 5 days begin."""
    return closes(*prices, start=(18_270 - 1) * DAY_S)


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
    assert "At equal volatility from day to day, C+D decayed" in " ".join(text.split())
    assert "C+D" in found._repr_html_()
    figure = found.plot()
    assert {trace.name for trace in figure.data} >= {"A", "B", "C", "D", "matched by days"}
    assert figure.layout.paper_bgcolor != found.plot(dark=True).layout.paper_bgcolor
    found.save(tmp_path / "decay.html")
    page = (tmp_path / "decay.html").read_text(encoding="utf-8")
    sy.write_report(found, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page
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
    assert "cannot be compared with CALM: no windows match" in found.words
    assert found.pair("WILD", "CALM").matched == 0
    assert "nan" not in repr(found)
    assert found.plot().data


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target": 1.0}, "target: expected neither 0 nor 1, found 1"),
        ({"target": math.nan}, "target: expected a finite number, found nan"),
        ({"window_days": 1}, "window_days: expected whole days, 2 or more, found 1"),
        ({"window_days": 2.5}, "window_days: expected whole days"),
        ({"shift_days": 5}, "shift_days: expected whole days, less than a window, found 5"),
        ({"caliper": 0.0}, "caliper: expected a share above 0"),
        ({"block_days": 3.0}, "block_days: expected at least a window, found 3"),
        ({"resamples": 10}, "resamples: expected from 100 to 100,000, found 10"),
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
    with pytest.raises(InputError, match="B: expected bars of 86400 s, as for A, found 3600 s"):
        decay_across({"A": daily, "B": hourly}, window_days=5)
    for wrong in (observed(*range(100, 140)), closes(*range(100, 140), step_s=7 * 3_600)):
        with pytest.raises(DataError, match="expected bars of one day, or of a length"):
            decay_across({"A": wrong, "B": wrong}, window_days=5)
    with pytest.raises(DataError, match="at least one whole window of 30 days"):
        decay_across({"A": hourly, "B": hourly})
    pairs = decay_across({"A": daily, "B": daily}, window_days=5)
    with pytest.raises(InputError, match="expected one of B against A; found A B days any"):
        pairs.pair("A", "B")
