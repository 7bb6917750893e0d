"""``forecast`` and ``series check --history``: tables, JSON, pages, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Steelyard = Callable[..., Any]

SHELF = """
price = 60000.0
time = "2024-11-06T20:00:00Z"
[[token]]
series = "ftx-bull"
assets = 12e6
leverage = 2.7
[[token]]
series = "ftx-bear"
assets = 5e6
[[token]]
series = "steelyard-3l"
assets = 5e6
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A shelf file in the folder in which commands run."""
    (tmp_path / "shelf.toml").write_text(SHELF)
    return tmp_path / "shelf.toml"


def test_a_person_gets_a_ladder_and_what_it_means(steelyard: Steelyard, shelf: Path) -> None:
    """A row a price, the sentence, the feedback, a row a token, within the terminal."""
    result = steelyard("forecast", shelf.name, "--daily-volume", "1e9", "--impact", "2")
    assert (result.code, result.err) == (0, "")
    assert "3 tokens on BTC/USDT:USDT at 60,000, 2024-11-06 20:00 UTC" in result.out
    assert "this flow moves against" in result.out
    assert "a move grows to" in " ".join(result.out.split())
    assert "11-07 00:02" in result.out
    assert (
        len([line for line in result.out.splitlines() if "000.00 " in line or "500.00 " in line])
        >= 17
    )
    assert max(map(len, result.out.splitlines())) <= 100
    assert "…" not in result.out


def test_json_is_the_forecast_and_nothing_else(steelyard: Steelyard, shelf: Path) -> None:
    """The ladder as asked for, in percent; the page that was written."""
    result = steelyard(
        *("forecast", shelf, "--ladder", "-10%", "10", "5", "--json", "--out", "flow.html")
    )
    found = json.loads(result.out)
    assert [rung["move"] for rung in found["ladder"]] == pytest.approx([-0.1, -0.05, 0, 0.05, 0.1])
    assert found["report"] == "flow.html"
    assert "wrote flow.html" in result.err
    assert found["tokens"][0]["next_reset"] == "2024-11-07T00:02:00Z"
    assert found["feedback"] is None


def test_price_and_time_of_the_command_line_win(steelyard: Steelyard, shelf: Path) -> None:
    """And a book is read."""
    (shelf.parent / "book.csv").write_text("bps_from_mid,bid_notional,ask_notional\n1,1e6,1e6\n")
    words = ("--price", "50000", "--time", "2024-12-01", "--book", "book.csv")
    found = json.loads(steelyard("forecast", shelf, *words, "--json").out)
    assert (found["price"], found["time"]) == (50_000, "2024-12-01T00:00:00Z")
    assert found["ladder"][0]["share_of_book"] < -1
    assert "cost, bps" in steelyard("forecast", shelf, *words).out


def test_a_preset_is_a_shelf_of_its_own(steelyard: Steelyard) -> None:
    """As at its launch; where the price is missing it is asked for."""
    result = steelyard("forecast", "oracle-3l", "--price", "60000", "--time", "2024-11-06")
    assert result.code == 0
    missing = steelyard("forecast", "oracle-3l")
    assert missing.code == 3
    assert "expected the price of BTC/USDT:USDT" in missing.err


def test_what_is_left_out_is_remarked(steelyard: Steelyard, tmp_path: Path) -> None:
    """Clips, delays, volatility, and a token that trades at once."""
    (tmp_path / "odd.toml").write_text(
        'symbol = "ODD"\nunderlying = "BTC/USDT:USDT"\ntarget_leverage = 3.0\n'
        "[rebalance]\nmax_trade_notional = 10.0\n[[rebalance.trigger]]\n"
        'when = "volatility"\nwindow = "24h"\nannualised = 1.0\n[[rebalance.trigger]]\n'
        'when = "band"\nlower = 2.5\nupper = 3.5\n[execution]\ndelay = "60s"\n'
    )
    (tmp_path / "s.toml").write_text('[[token]]\nseries = "odd.toml"\nassets = 1e6\nleverage = 5\n')
    result = steelyard("forecast", "s.toml", "--price", "100")
    for words in (
        "leaves out a volatility trigger",
        "only the first",
        "not at their fill",
        "at once",
    ):
        assert words in result.err


def test_a_token_that_is_liquidated_at_once_is_told(steelyard: Steelyard, tmp_path: Path) -> None:
    """Its venue closes it where it stands, which is no trigger of its own."""
    (tmp_path / "s.toml").write_text(
        '[[token]]\nseries = "ftx-bull"\nassets = 1e6\nleverage = 250\n'
    )
    result = steelyard("forecast", "s.toml", "--price", "100")
    assert "FTX-BULL: is liquidated at once" in result.err
    assert "a trigger is already met" not in result.err
    assert result.code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("forecast",), 2, "SHELF.toml"),
        (("forecast", "none.toml"), 3, "none.toml: expected a shelf file"),
        (("forecast", "shelf.toml", "--ladder", "a", "10", "5"), 2, "a move in percent"),
        (("forecast", "shelf.toml", "--ladder", "10", "-10", "5"), 3, "ladder: expected moves"),
        (("forecast", "shelf.toml", "--price", "0"), 3, "price: expected a number above 0"),
        (("forecast", "shelf.toml", "--book", "none.csv"), 3, "none.csv"),
        (("forecast", "shelf.toml", "--out", "no/where/f.html"), 2, "--out"),
        (("series", "check", "ftx-bull", "--allow-killed"), 2, "together with --history"),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_wrong_usage_is_told(
    steelyard: Steelyard, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Exit code 2 for usage, 3 for what a file or a figure says."""
    result = steelyard(*arguments)
    assert result.code == code
    assert words in result.err
    assert result.out == ""


KILLED = (
    'symbol = "BOLD"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
    '[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"\n'
)


def test_a_series_that_its_history_kills_is_refused(steelyard: Steelyard, tmp_path: Path) -> None:
    """Exit code 3, when and how; the table is shown all the same."""
    (tmp_path / "bold.toml").write_text(KILLED)
    result = steelyard("series", "check", "bold.toml", "--history", "BTC")
    assert result.code == 3
    assert "found it left without nav at 2020-03-12T00:00:00Z, at a price of" in result.err
    assert "--allow-killed" in result.err
    assert "1 day, fall" in result.out
    assert "liquidated at" in result.out


def test_it_can_be_allowed_and_is_not_quiet_about_it(steelyard: Steelyard, tmp_path: Path) -> None:
    """Exit code 0 and a warning; JSON says how it ended."""
    (tmp_path / "bold.toml").write_text(KILLED)
    words = ("series", "check", "bold.toml", "--history", "BTC", "--allow-killed", "--json")
    result = steelyard(*words)
    assert result.code == 0
    assert "WARNING: BOLD does not survive btc_usd_daily.csv: it is left without nav" in result.err
    history = json.loads(result.out)["history"]
    assert history["killed"]["reason"] == "nav"
    assert len(history["worst_moves"]) == 8


def test_a_series_that_survives_is_reported(steelyard: Steelyard) -> None:
    """A token that trades inside the day survived March 2020."""
    result = steelyard("series", "check", "bybit-3l", "--history", "BTC")
    assert result.code == 0
    assert "BYBIT-3L survives btc_usd_daily.csv." in result.err
    assert json.loads(steelyard("series", "check", "bybit-3l", "--json").out).get("history") is None
