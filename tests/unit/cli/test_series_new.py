"""``series new``: what it writes is a series, whatever it is asked for, or nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.cli.series_text import preset_series_text, series_text
from steelyard.errors import InputError
from steelyard.rules.optimal_band import optimal_edge_half_width
from steelyard.rules.presets import preset_names
from steelyard.rules.series import Band, Daily, Fallback, Interval, Move, Series

Steelyard = Callable[..., Any]

NOTHING = dict.fromkeys(
    (
        "preset",
        "symbol",
        "underlying",
        "target_leverage",
        "band",
        "delever_above",
        "move",
        "interval",
        "daily",
        "fallback",
        "move_to",
        "emergency",
        "venue",
        "reserve",
    )
)


def made(**options: object) -> Series:
    """The series that the options give."""
    return Series.loads(series_text(NOTHING | options))


@pytest.mark.parametrize("target", [3.0, 2.0, -1.0, -3.0])
def test_the_default_rule_is_the_band_of_least_cost(target: float) -> None:
    """Edges at the closed-form optimum for the costs that stand in the file, gamma = 1."""
    series = made(target_leverage=target)
    width = optimal_edge_half_width(target, 0.0006, 1.0)
    band = series.rebalance.band
    assert series.rebalance.move_to == "edge"
    assert band is not None
    assert band.lower == pytest.approx(abs(target) - width, rel=1e-5)
    assert band.upper == pytest.approx(abs(target) + width, rel=1e-5)


@given(st.floats(-50, 50).filter(lambda x: abs(x) >= 0.001))
def test_any_leverage_gets_a_series_that_passes(target: float) -> None:
    """The default band is around the target for every target, 1 included."""
    assert made(target_leverage=target).target_leverage == target


def test_a_target_of_one_gets_a_band_that_it_never_leaves() -> None:
    """At 1x the optimum has no width; the band still has."""
    band = made(target_leverage=1.0).rebalance.band
    assert band == Band(0.95, 1.05)


def test_every_option_lands_in_the_file() -> None:
    """All triggers at once, on a borrowed venue with a reserve."""
    series = made(
        target_leverage=2.0,
        symbol="X",
        underlying="ETH/USDC",
        band=(1.5, 2.5),
        move=0.15,
        interval="8h",
        daily="00:02",
        fallback="24h",
        move_to="partway",
        emergency=3.0,
        venue="spot",
        reserve=2.0,
    )
    how = series.rebalance
    assert (series.symbol, series.underlying, series.quote) == ("X", "ETH/USDC", "USDC")
    assert (how.move_to, how.emergency_leverage) == ("partway", 3.0)
    assert (how.band, how.move) == (Band(1.5, 2.5), Move(0.15))
    assert (how.interval, how.daily) == (Interval(28_800), Daily(120))
    assert how.fallback == Fallback(86_400)
    assert series.venue.kind == "spot"
    assert series.reserve is not None
    assert series.reserve.initial_units == 2.0


def test_deleveraging_alone_has_no_lower_bound() -> None:
    """And goes to the target unless told otherwise."""
    how = made(delever_above=4.0).rebalance
    assert (how.band, how.move_to) == (Band(None, 4.0, delever_only=True), "target")


def test_edge_without_a_band_gets_one() -> None:
    """``--move-to edge`` with only a clock: the band of least cost comes with it."""
    how = made(move_to="edge", daily="00:00").rebalance
    assert how.band is not None
    assert how.daily == Daily(0)


def test_names_are_made_from_asset_and_leverage() -> None:
    """``BTC3L``, ``ETH1.5S``; an index without a quote is paid in dollars."""
    assert made().symbol == "BTC3L"
    assert made(underlying="ETH/USDT:USDT", target_leverage=-1.5).symbol == "ETH1.5S"
    index = made(underlying="SPY")
    assert (index.symbol, index.quote) == ("SPY3L", "USD")


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_can_break_out_of_its_quotes(symbol: str, underlying: str) -> None:
    """Any text becomes that very text in the series, or is refused."""
    for text in (
        series_text(NOTHING | {"symbol": symbol or "X", "underlying": underlying or "Y"}),
        preset_series_text("oracle-3l", symbol or "X", underlying or "Y"),
    ):
        try:
            series = Series.loads(text)
        except InputError:
            continue
        assert series.symbol == (symbol or "X")
        assert series.underlying == (underlying or "Y")
        assert series.target_leverage == 3.0


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_can_be_started_from(name: str) -> None:
    """Another symbol on another asset changes nothing else."""
    series = Series.loads(preset_series_text(name, "MINE", "ETH/USDT:USDT"))
    assert (series.symbol, series.underlying) == ("MINE", "ETH/USDT:USDT")


@pytest.mark.parametrize("venue", ["perpetual", "spot", "future", "pool"])
def test_every_venue_can_be_written(steelyard: Steelyard, tmp_path: Path, venue: str) -> None:
    """What is written is a series of that venue."""
    assert steelyard("series", "new", "new.toml", "--venue", venue).code == 0
    assert Series.load(tmp_path / "new.toml").venue.kind == venue


REFUSED = [
    (["--target-leverage", "0"], 3, "target_leverage: expected a leverage other than 0"),
    (["--target-leverage", "nan"], 3, "target_leverage"),
    (["--target-leverage", "three"], 2, "--target-leverage"),
    (["--band", "4", "5"], 3, "lower: expected a leverage below |target_leverage| = 3, found 4"),
    (["--band", "2"], 2, "--band"),
    (["--delever-above", "2"], 3, "upper: expected a leverage above |target_leverage| = 3"),
    (["--band", "2", "4", "--delever-above", "4"], 2, "set the same trigger"),
    (["--daily", "24:00"], 3, "expected a time of day in UTC"),
    (["--interval", "8 hours"], 3, "expected a duration"),
    (["--move-to", "middle"], 2, "--move-to"),
    (["--venue", "bank"], 2, "--venue"),
    (["--target-leverage", "10", "--venue", "spot"], 3, "liquidation_threshold"),
    (["--preset", "nothing"], 3, "expected the name of a preset"),
    (["--preset", "ftx-bull", "--band", "2", "4"], 2, "remove --band"),
    (["--reserve", "-1"], 3, "initial_units"),
]


@pytest.mark.parametrize(("options", "code", "said"), REFUSED)
def test_what_can_be_no_series_is_refused_and_nothing_is_written(
    steelyard: Steelyard, tmp_path: Path, options: list[str], code: int, said: str
) -> None:
    """Wrong usage is 2, a series that cannot be is 3; either way the folder stays empty."""
    result = steelyard("series", "new", "new.toml", *options)
    assert (result.code, result.out) == (code, "")
    assert said in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_written_over(steelyard: Steelyard, tmp_path: Path) -> None:
    """Only with ``--force``; a dangling link counts as being there."""
    path = tmp_path / "mine.toml"
    path.write_text("precious")
    result = steelyard("series", "new", "mine.toml")
    assert result.code == 2
    assert "--force" in result.err
    assert path.read_text() == "precious"
    assert steelyard("series", "new", "mine.toml", "--force").code == 0
    assert Series.load(path).symbol == "BTC3L"
    (tmp_path / "link.toml").symlink_to(tmp_path / "nowhere.toml")
    assert steelyard("series", "new", "link.toml").code == 2


def test_a_place_that_cannot_be_written_is_wrong_usage(steelyard: Steelyard) -> None:
    """A folder that is not there is named."""
    result = steelyard("series", "new", "a/b.toml")
    assert result.code == 2
    assert "Invalid value for FILE" in result.err
    assert "there is no folder a" in result.err


def test_what_was_written_is_told(steelyard: Steelyard) -> None:
    """The words on standard output, or one object with ``--json``."""
    result = steelyard("series", "new", "a.toml")
    assert result.out.startswith("BTC3L aims at 3x long BTC/USDT:USDT.")
    assert "wrote a.toml" in result.err
    figures = json.loads(steelyard("series", "new", "b.toml", "--json").out)
    assert (figures["file"], figures["symbol"]) == ("b.toml", "BTC3L")
