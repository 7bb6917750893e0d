"""One keeper with two funds, each on a paper account of its own, by a keeper file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from steelyard.keeper.running import run_keeper
from steelyard.keeper.settings import read_settings
from steelyard.ledger import Journal
from steelyard.ledger.audit import Audit
from steelyard.market import Feed
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset, preset_text
from steelyard.simulation.fills import ModelFills
from steelyard.simulation.run import simulate

FILE = """
journal = "sqlite:keeper.db"
[[venue]]
name = "main"
kind = "paper"
prices = { "BTC/USDT:USDT" = "BTC" }
start = "2020-03-01"
end = "2020-04-01"
intrabar = "path"
[[fund]]
series = "steelyard-3l.toml"
venue = "main"
[[fund]]
series = "oracle-1s.toml"
venue = "main"
[guards]
slippage_bps = 5000.0
max_orders_per_hour = 1000
"""
NAMES = ("steelyard-3l", "oracle-1s")


def test_a_long_and_a_short_with_a_reserve_go_through_march_2020_together(tmp_path: Path) -> None:
    """To the last digit as the reference loop takes each through it; one journal, proved whole."""
    for name in NAMES:
        (tmp_path / f"{name}.toml").write_text(preset_text(name), encoding="utf-8")
    path = tmp_path / "keeper.toml"
    path.write_text(FILE, encoding="utf-8")
    settings, lines = read_settings(path), list[str]()
    keep = run_keeper(
        settings, owner="a test", say=lambda _, text, __: lines.append(text), launch=True
    )
    desks = asyncio.run(keep)
    feed = Feed("BTC", start="2020-03-01", end="2020-04-01")
    for name in NAMES:
        series = preset(name)
        expected = simulate(
            series, feed, number=DECIMAL18, engine="reference", intrabar="path"
        ).state
        found = desks[series.symbol].state
        for part in ("cash", "units", "tokens", "reference", "ended"):
            assert getattr(found, part) == getattr(expected, part), (name, part)
        assert found.reserve.units == expected.reserve.units
        assert found.reserve.suspended is expected.reserve.suspended
        assert found.totals.by_trigger == expected.totals.by_trigger
    with Journal.open(settings.journal) as journal:
        assert sorted(each.fund for each in journal.snapshots()) == ["ORACLE-1S", "STEELYARD-3L"]
        assert journal.verify(checks=[Audit(ModelFills(), journal.snapshots())]).ok
    assert any("launch" in line for line in lines)
