"""Shelf files: what they may say, and how what they may not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import steelyard as sy
from steelyard.analysis.shelf import Shelf
from steelyard.errors import InputError
from steelyard.rules.numbers import DECIMAL
from steelyard.rules.presets import preset
from support.tokens import T0, closes, token

OWN = """
underlying = "ETH/USDT:USDT"
price = 2500.0
time = 2024-11-06T20:00:00Z

[[token]]
series = "oracle-3l"
cash = -200000.0
units = 120.0
last_rebalance = "2024-11-06T10:00:00Z"
reference = 2400.0
reserve_units = 20.0

[[token]]
name = "theirs"
target_leverage = -2
at = "00:02"
assets = 5e7
leverage = -2.1
"""


def test_every_key_reaches_its_token() -> None:
    """Books as written; a preset is on the shelf's underlying; a target alone resets daily."""
    shelf = sy.Shelf.loads(OWN, "own.toml")
    assert (shelf.underlying, shelf.quote, shelf.price) == ("ETH/USDT:USDT", "USDT", 2500.0)
    own, theirs = shelf.tokens
    assert own.name == own.series.symbol == "ORACLE-3L"
    assert own.series.rebalance == preset("oracle-3l").rebalance
    assert (own.cash, own.units, own.reserve_units) == (-200_000, 120, 20)
    assert own.reference == 2400.0
    assert shelf.time is not None
    assert own.last_rebalance == shelf.time - 36_000
    assert (theirs.name, theirs.assets, theirs.leverage) == ("theirs", 5e7, -2.1)
    assert theirs.series.rebalance.daily is not None
    assert theirs.series.rebalance.daily.at_s == 120
    state = own.state_at(2500.0, shelf.time)
    assert (state.cash, state.units, state.reserve.units) == (-200_000, 120, 20)
    assert state.reference == 2400.0


def test_series_files_are_found_from_where_the_shelf_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the program runs; a file wins over a preset of its name."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    text = 'symbol = "MINE"\nunderlying = "BTC"\ntarget_leverage = 2.0\n'
    (folder / "oracle-3l").write_text(text)
    (folder / "s.toml").write_text('[[token]]\nseries = "oracle-3l"\nassets = 1.0\n')
    monkeypatch.chdir(tmp_path)
    assert Shelf.load("shelf/s.toml").tokens[0].name == "MINE"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"s: token: expected at least one table \[\[token\]\], found nothing"),
        ("token = 3", r"s: token: expected at least one table"),
        ("schema = 2\n[[token]]", "schema: expected 1"),
        ("prices = 3.0", r'unknown key "prices"\. Did you mean "price"\?'),
        ("price = -3.0", "price: expected a number above 0, found -3.0"),
        ('time = "noon"', 'time: expected a time in UTC such as .*, found "noon"'),
        ("[[token]]\nassets = 1", "token 1: series: expected either series or target_leverage"),
        (
            '[[token]]\nseries = "ftx-bull"\ntarget_leverage = 3\nassets = 1',
            "series: expected either series or target_leverage, found .both",
        ),
        (
            '[[token]]\nseries = "ftx-bul"\nassets = 1',
            r'token 1 \(ftx-bul\): series: expected a series file, or a preset .* found "ftx-bul"',
        ),
        ('[[token]]\nseries = "no.toml"\nassets = 1', "no.toml: expected a series file"),
        (
            '[[token]]\nname = "A"\ntarget_leverage = 3\nasets = 1',
            r's: unknown key "token 1 \(A\): asets"\. Did you mean "assets"\?',
        ),
        (
            '[[token]]\nname = "A"\ntarget_leverage = 3\nassets = "1"',
            r's: token 1 \(A\): assets: expected a number above 0, found "1"',
        ),
        ("[[token]]\ntarget_leverage = 0\nassets = 1", "expected a leverage other than 0"),
        ("[[token]]\ntarget_leverage = 3", "cash: expected cash and units, or assets"),
        ("[[token]]\ntarget_leverage = 3\ncash = 1", "units: expected cash and units, or assets"),
        (
            "[[token]]\ntarget_leverage = 3\nassets = 1\nunits = 1",
            "units: expected no such key with assets, found 1",
        ),
        (
            "[[token]]\ntarget_leverage = 3\ncash = 1\nunits = 1\nleverage = 3",
            "leverage: expected no such key without assets",
        ),
        ("[[token]]\ntarget_leverage = -3\nassets = 1\nleverage = 3", "leverage below 0, the side"),
        ("[[token]]\ntarget_leverage = 3\nassets = 1\nleverage = 0", "a leverage other than 0"),
        ("[[token]]\ntarget_leverage = 3\ncash = 9\nunits = -1", "units above 0, the side of"),
        (
            '[[token]]\nseries = "ftx-bull"\nat = "00:00"\nassets = 1',
            "at: expected no such key with series",
        ),
        (
            '[[token]]\nseries = "ftx-bull"\nreserve_units = 1\nassets = 1',
            r"reserve_units: expected no such key where the series has no \[reserve\]",
        ),
        (
            2 * '[[token]]\nseries = "ftx-bull"\nassets = 1\n',
            "s: FTX-BULL: expected tokens of different names, found this name twice",
        ),
        ("[[token]]\ntarget_leverage = nan\nassets = 1", "expected a leverage"),
        ("[[token", "s: expected a shelf file"),
    ],
)
def test_wrong_files_are_refused(text: str, message: str) -> None:
    """The message names file, token, key, what was found and what is allowed."""
    with pytest.raises(InputError, match=message):
        Shelf.loads(text, "s")


def test_tokens_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    """Another underlying or quote, a pool's token, a missing file."""
    text = 'symbol = "MINE"\nunderlying = "{}"\ntarget_leverage = 2.0\n{}'
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    shelf = tmp_path / "s.toml"
    first.write_text(text.format("BTC", ""))
    second.write_text(text.format("ETH", "").replace("MINE", "YOURS"))
    shelf.write_text(
        '[[token]]\nseries = "a.toml"\nassets = 1\n[[token]]\nseries = "b.toml"\nassets = 1\n'
    )
    with pytest.raises(InputError, match='YOURS: underlying: expected that of the shelf, "BTC"'):
        Shelf.load(shelf)
    second.write_text(
        text.format("BTC", '[venue]\nkind = "pool"\n[reserve]\n').replace("MINE", "YOURS")
    )
    with pytest.raises(InputError, match="YOURS: expected a token that trades on a market"):
        Shelf.load(shelf)
    with pytest.raises(InputError, match=r"none\.toml: expected a shelf file"):
        Shelf.load(tmp_path / "none.toml")


def test_shelves_of_runs_and_series() -> None:
    """A run's token stands where it ended; a dead or exact one, no run, nothing: refused."""
    run = sy.simulate(token(3.0), closes(100.0, 101.0, 102.0))
    shelf = Shelf.of_runs([run])
    assert (shelf.price, shelf.time) == (102.0, T0 + 3 * 86_400)
    assert shelf.at(99.0).price == 99.0
    assert shelf.at(time=T0).time == T0
    with pytest.raises(InputError, match="TEST: expected a state at or before"):
        sy.forecast(shelf.at(time=T0))
    dead = sy.simulate(token(3.0), closes(100.0, 50.0, 50.0))
    with pytest.raises(InputError, match="expected a token that is still running"):
        Shelf.of_runs([dead])
    with pytest.raises(InputError, match=r"run: expected what sy\.simulate gives, found a Series"):
        Shelf.of_runs([token(3.0)])  # type: ignore[list-item]
    exact = sy.simulate(token(3.0), closes(100.0, 101.0), number=DECIMAL, engine="reference")
    with pytest.raises(InputError, match=r"in floats.*found its books in Decimal"):
        Shelf.of_runs([exact])
    for nothing in (lambda: Shelf.of_runs([]), Shelf.of_series):
        with pytest.raises(InputError, match="expected at least one"):
            nothing()
    assert Shelf.of_series(preset("ftx-bull")).tokens[0].assets == 100_000.0
