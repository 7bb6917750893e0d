"""``docs/reference/keeper.md`` has every key of a keeper file, and its example is one."""

from __future__ import annotations

import re
from pathlib import Path

from steelyard.keeper import settings
from steelyard.keeper.settings import read_settings
from support.doc_pages import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "keeper.md").read_text(encoding="utf-8")


def test_every_key_is_on_the_page_and_no_other() -> None:
    """By its table: a key that is not known is refused when a file is read."""
    tables = {"health": settings.HEALTH, "venue": settings.VENUE, "fund": settings.FUND}
    tables |= {"prices": settings.PRICES, "guards": settings.GUARDS}
    keys = {"journal", "clock", *(f"{name}.{key}" for name in tables for key in tables[name])}
    table = PAGE.partition("## The keeper file")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)) == keys


def test_the_example_is_a_keeper_file(tmp_path: Path) -> None:
    """It is read as it stands, with a series beside it."""
    text = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    (tmp_path / "keeper.toml").write_text(text[1], encoding="utf-8")
    series = 'symbol = "BTC3L"\nunderlying = "BTC/USDT:USDT"\ntarget_leverage = 3.0\n'
    series += '[[rebalance.trigger]]\nwhen = "band"\nlower = 2.5\nupper = 3.5\n'
    (tmp_path / "btc3l.toml").write_text(series, encoding="utf-8")
    (fund,) = read_settings(tmp_path / "keeper.toml").funds
    assert fund.series.symbol == "BTC3L"
