"""Fewer points, no lost extreme."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steelyard.report.decimate import keep_extremes, keep_notable
from steelyard.report.plain_frames import Floats

VALUES = st.floats(-1e9, 1e9) | st.just(float("nan"))


@given(
    st.integers(1, 400).flatmap(
        lambda rows: st.lists(arrays(np.float64, rows, elements=VALUES), min_size=1, max_size=3)
    ),
    st.integers(12, 60),
)
def test_extremes_and_ends_are_kept(series: list[Floats], most: int) -> None:
    """Of every series the first, the last, the least and the greatest value remain."""
    keep = keep_extremes(series, most)
    rows = len(series[0])
    assert len(keep) <= max(most, min(rows, most))
    assert keep[0] == 0
    assert keep[-1] == rows - 1
    assert (np.diff(keep) > 0).all()
    for values in series:
        if np.isfinite(values).any():
            assert np.nanmin(values[keep]) == np.nanmin(values)
            assert np.nanmax(values[keep]) == np.nanmax(values)


def test_each_stretch_keeps_its_own_extremes() -> None:
    """A spike in a quiet month survives though another month had a greater one."""
    values = np.zeros(10_000)
    values[[1_234, 5_678, 9_000]] = [3.0, -2.0, 50.0]
    assert {1_234, 5_678, 9_000} <= set(keep_extremes([values], 100).tolist())


def test_a_short_series_is_left_alone() -> None:
    """Nothing is dropped that fits."""
    assert keep_extremes([np.arange(50.0)], 50).tolist() == list(range(50))


@given(arrays(np.float64, st.integers(0, 200), elements=VALUES), st.integers(1, 50))
def test_the_largest_half_is_kept(sizes: Floats, most: int) -> None:
    """As many rows as there is room for, in order, the largest among them."""
    keep = keep_notable(sizes, np.array([], dtype=np.int64), most)
    assert len(keep) == min(most, len(sizes))
    assert (np.diff(keep) > 0).all()
    rank = np.where(np.isnan(sizes), -1.0, np.abs(sizes))
    largest = np.sort(rank)[::-1][: (most + 1) // 2]
    assert np.sort(rank[keep])[::-1][: len(largest)].tolist() == largest.tolist()


def test_a_quiet_year_is_not_left_blank() -> None:
    """Where all large trades fell into one year, the others still show theirs."""
    sizes = np.concatenate([np.full(1_000, 1.0), np.full(1_000, 50.0), np.full(1_000, 2.0)])
    keep = keep_notable(sizes, np.array([0]), 300)
    years = np.bincount(keep // 1_000, minlength=3)
    assert years.min() >= 40
    assert years[1] >= 150


def test_what_must_stay_stays() -> None:
    """A small row on the list goes before a large one that is not."""
    keep = keep_notable(np.array([1.0, 9.0, 8.0, 7.0]), np.array([0]), 2)
    assert keep.tolist() == [0, 1]
