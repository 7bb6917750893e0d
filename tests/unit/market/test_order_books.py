"""Order books: what is read, what snapshots become, and what is refused by row."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.market import read_book
from support.tables import file_of, packed, refusal

BOOK = "bps_from_mid,bid_notional,ask_notional\n0.5,1000,0\n2,500,800\n10,0,9000\n"
TOP = "time,venue,symbol,level,bid_px,bid_qty,ask_px,ask_qty\n"
SLIP = (
    "time,buy_slip_bps_1000,buy_slip_bps_3000,sell_slip_bps_1000,sell_slip_bps_3000,"
    "bid_depth_usd_5bps,ask_depth_usd_5bps,bid_depth_usd_25bps,ask_depth_usd_25bps\n"
)


def test_a_book_is_read_as_it_is(tmp_path: Path) -> None:
    """Each row what rests there, whatever the order of columns and the packing."""
    for content in (BOOK, packed(BOOK), BOOK.replace("bps_from_mid", "BPS from-mid")):
        book = read_book(file_of(tmp_path, content))
        assert book.columns == ([0.5, 2.0, 10.0], [1000.0, 500.0, 0.0], [0.0, 800.0, 9000.0])
        assert book.depth == (1500.0, 9800.0)
        assert (book.layout, book.snapshots, len(book)) == ("book", 0, 3)
    assert read_book(book) is book


def test_a_market_order_walks_its_own_side() -> None:
    """Buys take the asks, sells the bids, and what is not there cannot be had."""
    book = read_book({"bps_from_mid": [1.0, 3.0], "bid_notional": [10, 10], "ask_notional": [5, 1]})
    assert book.cost(15) is None
    assert book.cost(6.0) == pytest.approx((5 * 1 + 1 * 3) / 1e4)
    assert book.cost(-15.0) == pytest.approx((10 * 1 + 5 * 3) / 1e4)
    assert book.cost(0.0) == 0.0


BAD = [
    ("3,1,1\n3,1,1\n", "row 2 (line 3), bps_from_mid: expected more than the row before"),
    ("-1,1,1\n", "row 1 (line 2), bps_from_mid: expected a distance of at least 0"),
    ("1,1,1\n2,-1,1\n", "row 2 (line 3), bid_notional: expected an amount from 0"),
    ("1,1,1\n2,1,nan\n", "row 2 (line 3), ask_notional: expected an amount from 0"),
    ("1,1,x\n", "row 1 (line 2), ask_notional: expected a number"),
    ("1,1,\n", "row 1 (line 2), ask_notional"),
    ("inf,1,1\n", "row 1 (line 2), bps_from_mid"),
    ("1,1,0\n2,3,0\n", "expected something on the ask side; found nothing"),
    ("1,0,1\n", "expected something on the bid side; found nothing"),
    ("", "expected rows; found a header and no rows"),
]


@pytest.mark.parametrize(("rows", "words"), BAD)
def test_a_wrong_book_is_refused(tmp_path: Path, rows: str, words: str) -> None:
    """The first wrong row is named, with what was expected and what was found."""
    path = file_of(tmp_path, "bps_from_mid,bid_notional,ask_notional\n" + rows)
    assert words in str(refusal(path, read_book))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("time,price\n1,2\n", "or snapshots: level,bid_px"),
        ("1,2,3\n4,5,6\n", "expected a header with columns bps_from_mid"),
        (TOP, "expected rows"),
        (TOP + "1,a,X,0,9,1,11,1\n1,b,X,0,9,1,11,1\n", "expected one venue: choose it; found a, b"),
        (TOP + "1,a,X,0,9,1,11,1\n1,a,Y,0,9,1,11,1\n", "expected one symbol: choose it; found X"),
        (TOP + "1,a,X,0,0,1,11,1\n", "bid_px: expected a finite number"),
        (TOP + "1,a,X,0,9,-1,11,1\n", "bid_qty: expected a finite number"),
        (TOP + "1,a,X,0,12,1,11,1\n", "expected bids below asks"),
        (TOP + "x,a,X,0,9,1,11,1\n", "row 1 (line 2), time"),
        (TOP.replace("time,", "") + "a,X,0,9,1,11,1\n", "expected one column for time"),
    ],
)
def test_wrong_snapshots_are_refused(tmp_path: Path, content: str, words: str) -> None:
    """And where several markets are there, they are listed."""
    assert words in str(refusal(file_of(tmp_path, content), read_book))


def test_what_is_not_there_cannot_be_chosen(tmp_path: Path) -> None:
    """A venue, a symbol, a time: each says what there is."""
    path = file_of(tmp_path, TOP + "100,a,X,0,9,1,11,1\n")
    for chosen, words in (
        ({"venue": "b"}, "expected the venue 'b'; found a"),
        ({"symbol": "Y"}, "expected the symbol 'Y'; found X"),
        ({"time": 99}, "expected a snapshot by 1970-01-01T00:01:39Z; found the first at"),
    ):
        with pytest.raises(Exception, match="expected") as caught:
            read_book(path, **chosen)
        assert words in str(caught.value)
    with pytest.raises(Exception, match="snapshots, to choose a venue"):
        read_book(file_of(tmp_path, BOOK), venue="a")


def test_prices_become_distances_from_mid(tmp_path: Path) -> None:
    """Mid of 9 and 11 is 10: units there count at mid, whatever their own price."""
    rows = "100,a,X,0,9,2,11,3\n100,a,X,1,8,5,12,7\n"
    book = read_book(file_of(tmp_path, TOP + rows))
    assert book.bps.tolist() == pytest.approx([1000, 2000])
    assert book.bids.tolist() == [20, 50]
    assert book.asks.tolist() == [30, 70]
    assert (book.layout, book.venue, book.symbol, book.snapshots) == ("top20", "a", "X", 1)


def test_of_snapshots_the_median_or_the_last_by_then(tmp_path: Path) -> None:
    """Level by level; a chosen time takes one snapshot, and says which."""
    rows = "".join(f"{time},a,X,0,9,{size},11,{size}\n" for time, size in ((1, 5), (9, 1), (5, 2)))
    path = file_of(tmp_path, TOP + rows)
    median = read_book(path)
    assert (median.bids.tolist(), median.time, median.snapshots) == ([20.0], None, 3)
    for asked, time, size in ((1, 1, 5), (8, 5, 2), (9, 9, 1), (1000, 9, 1)):
        book = read_book(path, time=asked)
        assert (book.time, book.asks.tolist()) == (time, [size * 10.0])


@given(
    st.lists(st.floats(0.01, 50), min_size=2, max_size=2),
    st.lists(st.floats(0.01, 50), min_size=2, max_size=2),
    st.floats(0, 9000),
)
def test_law_published_costs_come_back(buys: list[float], sells: list[float], deep: float) -> None:
    """Walking the book that a row of costs becomes costs what the row says, at each of its sizes.

    Costs are averages of steps that get dearer, as those of any real book.
    """
    row: dict[str, Any] = {"time": [100]}
    steps = {"buy": sorted(buys), "sell": sorted(sells)}
    for order, (near, far) in steps.items():
        row[f"{order}_slip_bps_1000"] = [near]
        row[f"{order}_slip_bps_3000"] = [(near * 1000 + far * 2000) / 3000]
    for side, edge in itertools.product(("bid", "ask"), (5, 25)):
        row[f"{side}_depth_usd_{edge}bps"] = [deep * edge]
    book = read_book(row)
    for sign, order in ((1, "buy"), (-1, "sell")):
        for size in (1000, 3000):
            cost = book.cost(sign * size)
            assert cost is not None
            assert cost / size * 1e4 == pytest.approx(row[f"{order}_slip_bps_{size}"][0], rel=1e-9)
    # and what rests beyond the largest order is there as well
    assert book.depth == pytest.approx([max(3000.0, deep * 25)] * 2)


def test_without_costs_what_rests_lies_in_the_middle(tmp_path: Path) -> None:
    """Depth alone says how much, not where between two distances: the middle is taken."""
    head = "time,bid_depth_usd_5bps,ask_depth_usd_5bps,bid_depth_usd_25bps,ask_depth_usd_25bps\n"
    book = read_book(file_of(tmp_path, head + "100,10,20,30,50\n"))
    assert book.columns == ([2.5, 15.0], [10.0, 20.0], [20.0, 30.0])


def test_an_order_that_no_book_could_fill_is_left_out(tmp_path: Path) -> None:
    """A blank cost is an order that was too large: the book ends where the figures do."""
    book = read_book(file_of(tmp_path, SLIP + "100,1,2,1,,1000,3000,1500,9000\n"))
    assert np.sum(book.asks) == 9000
    assert np.sum(book.bids) == 1500
    assert book.cost(-3000) is None
