"""``data book`` and what the commands on series say of a book, inside the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from steelyard.market import read_book

Steelyard = Callable[..., Any]

TOP = (
    "time,venue,symbol,level,bid_px,bid_qty,ask_px,ask_qty\n"
    "100,here,X,0,99,2000,101,1000\n100,here,X,1,98,3000,102,9000\n"
    "200,here,X,0,199,20,201,10\n100,there,X,0,99,1,101,1\n"
)
WHEN = "1970-01-01T00:02:30Z"
SERIES = (
    'symbol = "T"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
    '[[rebalance.trigger]]\nwhen = "band"\nlower = 2.5\nupper = 3.5\n'
    '[costs]\nimpact = "book"\nbook = "book.csv"\nhalf_spread_bps = 1.0\n'
)


def test_snapshots_become_a_book_that_a_series_can_name(
    steelyard: Steelyard, tmp_path: Path
) -> None:
    """What is written is what was read; the table says what orders cost."""
    (tmp_path / "top.csv").write_text(TOP)
    made = steelyard("data", "book", "top.csv", "--venue", "here", "--time", WHEN, "--out", "b.csv")
    assert made.code == 0
    for words in ("top.csv: here X at 1970-01-01 00:01:40 UTC", "market order", "too large"):
        assert words in made.out
    assert 'wrote b.csv: name it in a series with impact = "book"' in made.err
    found, chosen = read_book(tmp_path / "b.csv"), {"venue": "here", "time": WHEN}
    assert found.columns == read_book(tmp_path / "top.csv", **chosen).columns


def test_json_is_one_object(steelyard: Steelyard, tmp_path: Path) -> None:
    """Levels, depths and the cost of orders in quote; what is too large costs null."""
    (tmp_path / "top.csv").write_text(TOP)
    result = steelyard("data", "book", "top.csv", "--venue", "here", "--time", WHEN, "--json")
    figures = json.loads(result.out)
    assert figures["layout"] == "top20"
    assert figures["time"] == "1970-01-01T00:01:40Z"
    assert figures["ask_depth"] == 1_000_000.0
    assert [order["notional"] for order in figures["orders"]][:2] == [10_000, 100_000]
    assert figures["orders"][1]["buy"] == 1000.0
    assert figures["orders"][-1] == {"notional": 10_000_000, "buy": None, "sell": None}
    assert set(figures["levels"][0]) == {"bps_from_mid", "bid_notional", "ask_notional"}


def test_what_has_to_be_chosen_is_listed(steelyard: Steelyard, tmp_path: Path) -> None:
    """Exit code 3, with the venues that are there."""
    (tmp_path / "top.csv").write_text(TOP)
    result = steelyard("data", "book", "top.csv")
    assert result.code == 3
    assert "expected one venue: choose it; found here, there" in result.err


def test_a_check_of_a_series_reads_its_book(steelyard: Steelyard, tmp_path: Path) -> None:
    """Sizes are those of the book, a spread paid twice is remarked, a missing file fails."""
    (tmp_path / "t.toml").write_text(SERIES)
    missing = steelyard("series", "check", "t.toml")
    assert missing.code == 3
    assert "book.csv: expected a CSV file" in missing.err
    (tmp_path / "book.csv").write_text("bps_from_mid,bid_notional,ask_notional\n0,2000,1e6\n")
    result = steelyard("series", "check", "t.toml")
    assert result.code == 0
    assert "sell 2,000.00" in result.out
    assert "impact of walking the book book.csv" in result.out
    assert "half_spread_bps is paid on top of the book" in result.err
