"""A feed reads prices and what goes with them, once, and can be cut to a part of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import steelyard as sy
from steelyard.market import Funding, sample_prices
from steelyard.market.price_feed import files_of, for_series
from steelyard.rules.series import Costs, Series
from support.tokens import DAY_S, T0, closes, token

FLOWS = {"time": [T0 + DAY_S + 1], "tokens": [10.0]}
BOOK = {"bps_from_mid": [1.0], "bid_notional": [1e9], "ask_notional": [1e9]}


def test_every_source_is_read_when_the_feed_is_made(tmp_path: Path) -> None:
    """Tables are there as tables, times as seconds; a file that changes later changes nothing."""
    file = tmp_path / "funding.csv"
    file.write_text("time,rate\n2020-02-01,0.0001\n")
    feed = sy.Feed("BTC", funding=file, wind_down="2021-01-01", start="2020-01-02")
    file.write_text("no funding any more")
    assert isinstance(feed.funding, Funding)
    assert feed.funding.rate.tolist() == [0.0001]
    assert feed.wind_down == 1_609_459_200
    assert len(feed) == len(feed.bars) == 1_095
    assert len(feed.prices) == 1_096
    assert feed.given() == ("funding", "wind_down")
    assert repr(feed).startswith("<Feed btc_usd_daily.csv: 1,095 bars, 2020-01-02")
    assert repr(feed).endswith(", funding, wind_down>")


@pytest.mark.parametrize(
    ("option", "source"),
    [
        ("funding", {"time": [T0], "rate": [2.0]}),
        ("rates", {"time": [T0]}),
        ("injections", {"time": [T0], "quote": [-1.0], "kind": ["capital"]}),
        ("flows", {"time": [T0], "tokens": [0.0]}),
        ("flows", {"TEST": "nowhere.csv"}),
        ("splits", {"time": [T0], "ratio": [0.0]}),
        ("outages", {"from": [T0], "to": [T0 - 1]}),
        ("wind_down", "the day after"),
        ("book", {"bps_from_mid": [1.0]}),
        ("start", "some day"),
        ("end", "2019-01-01"),
    ],
)
def test_what_is_wrong_is_refused_at_once(option: str, source: Any) -> None:
    """Before any run: a row, a column, a time, a file, a span without bars."""
    with pytest.raises(sy.SteelyardError):
        sy.Feed("BTC", **{option: source})


def test_a_part_is_of_the_same_tables() -> None:
    """``between`` cuts the part that is run, never widens it, and reads nothing again."""
    feed = sy.Feed("BTC", flows=FLOWS, start="2020-01-01", end="2021-01-01")
    part = feed.between("2020-06-01", "2022-01-01")
    assert part.flows is feed.flows
    assert part.prices is feed.prices
    assert (part.start, part.end) == (1_590_969_600, feed.end)
    assert part.bars.time[0] == 1_590_969_600
    assert feed.between() is feed
    assert len(feed) == 366
    with pytest.raises(sy.DataError, match="expected prices from"):
        feed.between("2030-01-01", "2031-01-01")


def test_a_feed_can_go_without_an_input() -> None:
    """The feed itself keeps it."""
    feed = sy.Feed("BTC", flows=FLOWS, splits={"time": [T0], "ratio": [2.0]})
    assert feed.without("flows").given() == ("splits",)
    assert feed.given() == ("flows", "splits")
    with pytest.raises(sy.InputError, match="without: expected one of funding"):
        feed.without("flow")


def test_a_feed_does_not_change() -> None:
    """It is shared by runs."""
    with pytest.raises(AttributeError):
        sy.Feed("BTC").start = 0


def test_inputs_by_symbol_are_told_from_a_table() -> None:
    """A table has a column of times; a series may have any symbol, ``time`` too."""
    both = sy.Feed("BTC", flows={"A": FLOWS, "B": None}, wind_down={"time": "2021-01-01"})
    assert for_series(both, "A").flows is not None
    assert for_series(both, "B").flows is None
    assert for_series(both, "time").wind_down == 1_609_459_200
    assert for_series(both, "A").wind_down is None
    assert sy.Feed("BTC", flows={}).flows is None


def test_files_are_known_by_their_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the root on, by input; what was in no file has none."""
    monkeypatch.chdir(tmp_path)
    Path("flows.csv").write_text("time,tokens\n2020-02-01,5\n")
    feed = sy.Feed("BTC", flows={"A": "flows.csv"}, splits={"time": [T0], "ratio": [2.0]})
    found = files_of(for_series(feed, "A"))
    assert found == {"prices": "btc_usd_daily.csv", "flows": str(tmp_path / "flows.csv")}
    assert files_of(for_series(feed, "B")) == {"prices": "btc_usd_daily.csv"}


def test_bare_prices_are_a_feed() -> None:
    """Whatever can be read as prices stands wherever a feed can."""
    series = sy.preset("ftx-bull")
    run = sy.simulate(series, sy.Feed("BTC"))
    assert sy.simulate(series, "BTC").summary == run.summary
    assert sy.simulate(series, sample_prices("BTC")).summary == run.summary
    assert sy.gaps(sy.Feed("BTC", end="2020-03-01")).prices.time[-1] < 1_583_020_800


def on_a_book(tmp_path: Path) -> Series:
    """A series that names a book that is not there."""
    costs = Costs(impact="book", book=str(tmp_path / "nowhere.csv"))
    return token(symbol="BOOKED", costs=costs)


def test_a_book_of_the_feed_takes_the_place_of_the_series_own(tmp_path: Path) -> None:
    """For the run, and for what is forecast from its end."""
    series = on_a_book(tmp_path)
    with pytest.raises(sy.DataError):
        sy.simulate(series, closes(100, 110))
    run = sy.simulate(series, sy.Feed(closes(100, 110), book=BOOK))
    assert run.summary["costs"]["impact"] == pytest.approx(300_000 * 1e-4, rel=1e-3)
    assert sy.forecast(run).tokens[0].name == "BOOKED"
    with pytest.raises(sy.InputError, match=r"book: expected a series with costs\.impact"):
        sy.simulate(token(), sy.Feed(closes(100, 110), book=BOOK))


def test_an_input_of_a_stranger_is_refused() -> None:
    """Flows of a symbol that is not run would silently change nothing."""
    feed = sy.Feed(closes(100, 110, 120), flows={"B": FLOWS})
    for run in (sy.simulate, sy.explain, sy.tear_sheet):
        with pytest.raises(sy.InputError, match="flows: expected symbols of the series, TEST"):
            run(token(), feed)
    with pytest.raises(sy.InputError, match="flows: expected symbols of the series, TEST"):
        sy.compare([token()], feed)


def test_a_comparison_takes_what_a_run_takes() -> None:
    """Flows for all, or for the one series that has them."""
    tokens = [token(symbol="A"), token(symbol="B")]
    prices = closes(100, 110, 120)
    shared = sy.compare(tokens, sy.Feed(prices, flows=FLOWS))
    assert [len(run.flows) for run in shared.runs.values()] == [1, 1]
    own = sy.compare(tokens, sy.Feed(prices, flows={"B": FLOWS}))
    assert [len(run.flows) for run in own.runs.values()] == [0, 1]
    alone = sy.simulate(tokens[1], sy.Feed(prices, flows=FLOWS))
    assert own.runs["B"].summary == alone.summary
