"""``series list``, ``show``, ``check`` and ``data check``: what a person and a program get."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steelyard.rules.presets import preset_names, preset_text
from steelyard.rules.series import Series

Steelyard = Callable[..., Any]


def test_list_shows_every_preset(steelyard: Steelyard) -> None:
    """Name, target and rule of each, in the order of the shelf, at any width."""
    result = steelyard("series", "list")
    assert (result.code, result.err) == (0, "")
    names = [
        line.split()[0] for line in result.out.splitlines() if " long " in line or " short " in line
    ]
    assert names == list(preset_names())
    assert "Index Coop flexible 2x" in result.out


def test_list_fits_a_narrow_terminal(steelyard: Steelyard, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns no line is longer, and no name is cut."""
    monkeypatch.setenv("COLUMNS", "80")
    result = steelyard("series", "list")
    assert max(map(len, result.out.splitlines())) <= 80
    assert all(name in result.out for name in preset_names())


def test_list_as_json_is_one_object(steelyard: Steelyard) -> None:
    """Presets with what makes them different."""
    figures = json.loads(steelyard("series", "list", "--json").out)
    assert [preset["name"] for preset in figures["presets"]] == list(preset_names())
    assert figures["presets"][0] == {
        "name": "ftx-bull",
        "title": "FTX BULL",
        "symbol": "FTX-BULL",
        "underlying": "BTC/USDT:USDT",
        "quote": "USDT",
        "target_leverage": 3.0,
        "venue": "perpetual",
        "rule": "above 4, daily 00:02",
    }


def test_show_prints_the_file_itself(steelyard: Steelyard, tmp_path: Path) -> None:
    """Standard output is the file, to be sent into one's own; the words go to standard error."""
    result = steelyard("series", "show", "toros-3l")
    assert result.out == preset_text("toros-3l")
    assert "It trades only back to the nearest edge of its band" in result.err
    mine = tmp_path / "mine.toml"
    mine.write_text(result.out)
    assert steelyard("series", "show", "mine.toml").out == result.out
    figures = json.loads(steelyard("series", "show", "mine.toml", "--json").out)
    assert figures["file"] == result.out
    assert figures["words"] in result.err


def test_check_says_at_which_move_it_trades(steelyard: Steelyard) -> None:
    """The published figures of a 3x long outside 2.5 to 3.5, in a table and as JSON."""
    result = steelyard("series", "check", "oracle-3l")
    rows = [line.split() for line in result.out.splitlines() if line.startswith("band")]
    assert [row[1] for row in rows] == ["-6.67", "+11.1"]
    figures = json.loads(steelyard("series", "check", "oracle-3l", "--json").out)
    assert [each["trigger"] for each in figures["thresholds"]] == ["liquidation", "band", "band"]
    assert set(figures["thresholds"][1]) == {
        "trigger",
        "leverage",
        "move",
        "nav_return",
        "trade_notional",
    }
    assert figures["warnings"] == []


def series_file(folder: Path, rebalance: str, margin: float = 0.005) -> Path:
    """A 3x long with the given lines under [rebalance]."""
    path = folder / "mine.toml"
    path.write_text(
        'symbol = "MINE"\nunderlying = "BTC/USDT:USDT"\ntarget_leverage = 3.0\n'
        f"[venue]\nmaintenance_margin = {margin}\n[rebalance]\n{rebalance}\n"
    )
    return path


@pytest.mark.parametrize(
    ("rebalance", "margin", "warning"),
    [
        ("emergency_leverage = 250.0", 0.005, "emergency is met at a move of -33.1 %, but"),
        ("", 0.005, "there is no trigger"),
        ('[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"', 0.005, "only clock triggers lower"),
        ("emergency_leverage = 4.0", 0.0, "venue.maintenance_margin is 0"),
    ],
)
def test_check_warns_of_what_may_not_be_meant(
    steelyard: Steelyard, tmp_path: Path, rebalance: str, margin: float, warning: str
) -> None:
    """A file that is no mistake passes, with a note."""
    path = series_file(tmp_path, rebalance, margin)
    result = steelyard("series", "check", path)
    assert result.code == 0
    assert warning in result.err
    figures = json.loads(steelyard("series", "check", path, "--json").out)
    assert any(warning in each for each in figures["warnings"])


def test_a_file_wins_over_a_preset_of_its_name(steelyard: Steelyard, tmp_path: Path) -> None:
    """A file in the folder comes before a preset of the same name."""
    series_file(tmp_path, "emergency_leverage = 4.0").rename(tmp_path / "ftx-bull")
    assert json.loads(steelyard("series", "check", "ftx-bull", "--json").out)["symbol"] == "MINE"


def test_what_is_neither_file_nor_preset_gets_a_suggestion(steelyard: Steelyard) -> None:
    """Exit code 3, the nearest name, and where to look."""
    result = steelyard("series", "check", "ftx-bul")
    assert (result.code, result.out) == (3, "")
    assert 'Did you mean "ftx-bull"?' in result.err
    missing = steelyard("series", "show", "mine.toml")
    assert missing.code == 3
    assert missing.err == (
        "Error: mine.toml: expected a series file (TOML), but it cannot be read: No such file or "
        "directory.\n"
    )


def test_a_misspelt_command_gets_a_suggestion(steelyard: Steelyard) -> None:
    """In the root and in a group; wrong usage is exit code 2."""
    for words, hint in ((["simulat"], "simulate"), (["series", "chekc"], "check")):
        result = steelyard(*words)
        assert result.code == 2
        assert f'Did you mean "{hint}"?' in result.err
    assert steelyard("--nothing").code == 2


def test_data_check_describes_the_bundled_history(steelyard: Steelyard) -> None:
    """Rows, span, gaps, the crash of March 2020, for people and as JSON."""
    result = steelyard("data", "check", "btc")
    assert (result.code, result.err) == (0, "")
    assert "1,096 bars of 24 h" in result.out
    assert "-39.0 % from close to close, 2020-03-12 UTC (row 72)" in result.out
    figures = json.loads(steelyard("data", "check", "BTC", "--json").out)
    assert (figures["schema"], figures["rows"], figures["gaps"]["count"]) == (1, 1096, 0)


def test_data_check_reports_gaps(steelyard: Steelyard, tmp_path: Path) -> None:
    """Missing bars are counted, and the longest stretch is placed."""
    days = [1, 2, 3, 6, 7, 9]
    rows = "".join(f"2020-01-{day:02},{100 + day}\n" for day in days)
    (tmp_path / "gaps.csv").write_text("time,close\n" + rows)
    out = steelyard("data", "check", "gaps.csv").out
    assert "2, 3 d in all; the longest 2 d from 2020-01-04 UTC (before row 4)" in out
    assert "closes only" in out


def test_data_check_reports_prices_at_instants(steelyard: Steelyard, tmp_path: Path) -> None:
    """Prices without bars have no length, a single one no moves."""
    (tmp_path / "one.csv").write_text("time,price\n2020-01-01,100\n")
    out = steelyard("data", "check", "one.csv").out
    assert "1 price, each at its own time" in out
    assert "deepest fall" not in out


def test_a_new_series_starts_from_a_preset(steelyard: Steelyard, tmp_path: Path) -> None:
    """Rule and comments are the preset's, symbol and underlying one's own."""
    words = ["--preset", "ftx-bull", "--symbol", "MINE", "--underlying", "ETH/USDC:USDC"]
    assert steelyard("series", "new", "mine.toml", *words).code == 0
    series = Series.load(tmp_path / "mine.toml")
    assert (series.symbol, series.underlying, series.quote) == ("MINE", "ETH/USDC:USDC", "USDC")
    assert series.rebalance == Series.loads(preset_text("ftx-bull")).rebalance
    assert "# Rule: " in (tmp_path / "mine.toml").read_text()
