"""What Prices promise once they are read: step, gaps, parts and pieces."""

from __future__ import annotations

import datetime as dt
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import DataError, InputError
from steelyard.market import Gap, Prices, read_prices

HOUR = 3_600
T = 1_583_971_200  # 2020-03-12T00:00:00Z


def hours(*times: int) -> Prices:
    """Bars with nothing but a close, at these hours."""
    return read_prices({"time": [T + HOUR * time for time in times], "close": [1.0] * len(times)})


@pytest.mark.parametrize(
    ("times", "step_h"),
    [
        ((0, 1, 2, 3), 1),
        ((0, 2), 2),
        ((0, 1, 2, 4, 6), 1),
        ((0, 2, 4, 5, 6), 1),
        ((0, 3, 6, 9, 10), 3),
        ((0, 5, 7, 10), 2),
    ],
)
def test_the_commonest_spacing_is_the_step(times: tuple[int, ...], step_h: int) -> None:
    """A bar is as long as the commonest spacing, the smaller of two that are equally common."""
    prices = hours(*times)
    assert prices.step_s == step_h * HOUR
    assert (prices.end_times - prices.time == prices.step_s).all()


def test_gaps_are_reported_and_not_filled() -> None:
    """A spacing longer than the step is a gap, at the first bar after it, with what is missing."""
    prices = hours(0, 1, 2, 5, 6, 7, 17)
    assert len(prices) == 7
    assert len(prices.gaps) == 2
    assert list(prices.gaps) == [Gap(3, 2 * HOUR), Gap(6, 9 * HOUR)]
    assert prices.gaps.rows.tolist() == [3, 6]


def test_spacings_shorter_than_the_step_are_no_gaps() -> None:
    """A bar that comes early is not a gap, and one that is late by half a step is."""
    prices = read_prices({"time": [0, 60, 120, 150, 210, 300], "close": [1.0] * 6})
    assert prices.step_s == 60
    assert list(prices.gaps) == [Gap(5, 30)]


@given(st.sets(st.integers(0, 200), min_size=2), st.data())
def test_pieces_keep_the_step_and_join_to_the_whole(times: set[int], data: st.DataObject) -> None:
    """Cut anywhere, the pieces are the rows of the whole, with the step of the whole."""
    whole = hours(*sorted(times))
    cut = data.draw(st.integers(0, len(whole)))
    first, second = whole.slice(0, cut), whole.slice(cut, len(whole))
    assert (first.step_s, second.step_s) == (whole.step_s, whole.step_s)
    assert np.concatenate([first.time, second.time]).tolist() == whole.time.tolist()
    assert len(first.gaps) + len(second.gaps) in {len(whole.gaps), len(whole.gaps) - 1}


def test_between_is_half_open() -> None:
    """The start belongs to the piece and the end does not, so that pieces join."""
    prices = hours(0, 1, 2, 3, 4)
    piece = prices.between("2020-03-12T01:00:00Z", "2020-03-12T03:00:00Z")
    assert ((piece.time - T) // HOUR).tolist() == [1, 2]
    assert piece.step_s == HOUR


@pytest.mark.parametrize(
    "start",
    [
        T + HOUR,
        float(T + HOUR),
        str(T + HOUR),
        "2020-03-12 01:00",
        "2020-03-12T02:00+01:00",
        dt.datetime(2020, 3, 12, 1),  # noqa: DTZ001 - without a zone it is UTC
        dt.datetime(2020, 3, 12, 2, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    ],
)
def test_between_takes_any_writing_of_an_instant(start: object) -> None:
    """Epoch seconds, ISO text and datetimes name the same instant."""
    assert hours(0, 1, 2).between(start).time[0] == T + HOUR


def test_between_without_ends_is_the_whole() -> None:
    """What is left out does not limit."""
    prices = hours(0, 1, 2)
    assert len(prices.between()) == 3
    assert len(prices.between(end=T + HOUR)) == 1


def test_between_refuses_what_it_cannot_give() -> None:
    """Ends the wrong way round and no times are the caller's; no rows there is the data's."""
    prices = hours(0, 1, 2)
    for start, end in ((T + 1, T), (T, T), ("soon", None), (None, -1), (None, "2500-01-01")):
        with pytest.raises(InputError, match="expected"):
            prices.between(start, end)
    for start, end in ((T + 5 * HOUR, None), (None, T), (T + 1, T + 2)):
        with pytest.raises(DataError, match=r"found 2020-03-12T00:00:00Z to 2020-03-12T02:00:00Z"):
            prices.between(start, end)


def test_prices_travel_between_processes() -> None:
    """A pool of workers can be handed a history."""
    prices = hours(0, 1, 5)
    copy = pickle.loads(pickle.dumps(prices))  # noqa: S301 - made here
    assert copy.time.tolist() == prices.time.tolist()
    assert list(copy.gaps) == list(prices.gaps)


def test_repr_says_what_it_is() -> None:
    """At a prompt a history is one line."""
    shown = repr(hours(0, 1))
    assert (
        shown == "<Prices frame: 2 rows, 2020-03-12T00:00:00Z to 2020-03-12T01:00:00Z, step 3600 s>"
    )
