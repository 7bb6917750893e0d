"""A keeper file is read whole, or refused with its key, what was found and what is allowed."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.errors import DataError, InputError
from steelyard.keeper.running import open_venue
from steelyard.keeper.settings import read_settings
from steelyard.market import sample_prices
from steelyard.rules.presets import preset_text
from steelyard.venues.paper.venue import PaperVenue

WHOLE = """
schema = 1
journal = "sqlite:keeper.db"
clock = "5m"
[[venue]]
name = "main"
kind = "paper"
recv_window = "3s"
prices = { "BTC/USDT:USDT" = "BTC" }
speed = 60.0
[[fund]]
series = "one.toml"
venue = "main"
[prices]
stale_after = "20s"
[guards]
slippage_bps = 25.0
max_orders_per_hour = 10
disagree_after = "90s"
"""

WRONG = [
    ('journal = "sqlite:keeper.db"', 'journal = "keeper.db"', "sqlite:FILE"),
    ('clock = "5m"', 'clock = "7m"', "divide an hour"),
    ('clock = "5m"', 'clok = "5m"', 'Did you mean "clock"'),
    ('kind = "paper"', 'kind = "exchange"', "paper"),
    ('venue = "main"\n[prices]', 'venue = "other"\n[prices]', "fund.venue"),
    ("speed = 60.0", "speed = -1", "at least 0"),
    ('recv_window = "3s"', 'recv_window = "11s"', "at most 10s"),
    ('{ "BTC/USDT:USDT" = "BTC" }', '{ "ETH/USDT:USDT" = "ETH" }', "prices of BTC/USDT:USDT"),
    ("slippage_bps = 25.0", "slippage_bps = true", "basis points"),
    ('series = "one.toml"', 'series = "none.toml"', "none.toml"),
    ("schema = 1", "schema = 2", "schema"),
    (
        "[prices]",
        '[[fund]]\nseries = "one.toml"\nvenue = "main"\n[prices]',
        "one fund a symbol",
    ),
]


def written(folder: Path, text: str) -> Path:
    """A keeper file with its series beside it."""
    (folder / "one.toml").write_text(preset_text("steelyard-3l"), encoding="utf-8")
    path = folder / "keeper.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    """Every figure arrives, and names are found beside the file."""
    settings = read_settings(written(tmp_path, WHOLE))
    (fund,) = settings.funds
    assert settings.journal == str(tmp_path / "keeper.db")
    assert fund.series.symbol == "STEELYARD-3L"
    assert fund.venue.speed == 60
    guards = fund.guards
    assert (guards.slippage_bps, guards.max_orders_per_hour) == (Decimal("25.0"), 10)
    # the history goes by at 60 times the machine's time
    assert (guards.recv_window_ms, guards.disagree_after_ms) == (180_000, 5_400_000)


def test_recorded_books_of_a_keeper_file_are_walked(tmp_path: Path) -> None:
    """An order pays what the recorded levels ask, found beside the file, not the series' model."""
    at = 'prices = { "BTC/USDT:USDT" = "BTC" }'
    text = WHOLE.replace(at, f'{at}\nbooks = {{ "BTC/USDT:USDT" = "books.csv" }}')
    (fund,) = (settings := read_settings(written(tmp_path, text))).funds
    begins = int(sample_prices("BTC").time[0])
    (tmp_path / "books.csv").write_text(
        "time,level,bid_px,bid_qty,ask_px,ask_qty\n"
        f"{begins},1,99.0,1000,101.0,1000\n{begins},2,90.0,1000,110.0,1000\n"
    )
    venue = open_venue(settings, fund)
    assert isinstance(venue, PaperVenue)
    book = asyncio.run(venue.book())
    # one per cent from the middle, at the mark of the history
    assert float(book.asks[0][0] / book.bids[0][0]) == pytest.approx(101 / 99, rel=1e-6)
    asyncio.run(venue.close())
    (tmp_path / "books.csv").unlink()
    with pytest.raises(DataError, match=r"books\.csv"):
        open_venue(settings, fund)


@pytest.mark.parametrize(("right", "wrong", "words"), WRONG, ids=[each[1] for each in WRONG])
def test_a_wrong_file_is_refused_by_its_key(
    tmp_path: Path, right: str, wrong: str, words: str
) -> None:
    """Before anything runs, with what is allowed."""
    assert right in WHOLE
    path = written(tmp_path, WHOLE.replace(right, wrong, 1))
    with pytest.raises(InputError) as raised:
        read_settings(path)
    assert words in str(raised.value)


def test_a_series_that_no_live_venue_holds_is_refused(tmp_path: Path) -> None:
    """A token whose counterparty is its own reserve is simulated instead."""
    path = written(tmp_path, WHOLE)
    (tmp_path / "one.toml").write_text(
        'symbol = "P"\nunderlying = "BTC/USDT:USDT"\ntarget_leverage = 2.0\n'
        '[venue]\nkind = "pool"\n[reserve]\ninitial_units = 10.0\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError) as raised:
        read_settings(path)
    assert "perpetual" in str(raised.value)


def test_a_short_spot_fund_is_refused(tmp_path: Path) -> None:
    """The interest on units that are borrowed is charged in units, which nothing books yet."""
    path = written(tmp_path, WHOLE)
    (tmp_path / "one.toml").write_text(
        'symbol = "S"\nunderlying = "BTC/USDT:USDT"\ntarget_leverage = -1.0\n'
        '[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"\n'
        '[venue]\nkind = "spot"\nliquidation_threshold = 0.9\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError) as raised:
        read_settings(path)
    assert "a short one" in str(raised.value)


def test_symbols_that_give_one_account_are_refused(tmp_path: Path) -> None:
    """``A-3L`` and ``A_3L`` would both have the file ``main-A_3L.paper``."""
    for name, symbol in (("one", "A-3L"), ("two", "A_3L")):
        text = preset_text("oracle-3l").replace("ORACLE-3L", symbol)
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    path = tmp_path / "keeper.toml"
    text = WHOLE.replace("[prices]", '[[fund]]\nseries = "two.toml"\nvenue = "main"\n[prices]')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="account of its own"):
        read_settings(path)
