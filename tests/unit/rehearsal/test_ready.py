"""What a rehearsal needs before its first order: a market that waits, and keys that can be read."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

from steelyard.rehearsal.address import leave_accounts
from steelyard.rehearsal.contracts import HOUR_MS
from steelyard.rehearsal.credentials import credentials_of
from steelyard.rehearsal.exchange import Exchange, SetUp
from steelyard.rehearsal.exchange_file import ExchangeFile
from steelyard.rehearsal.matching import place
from steelyard.rehearsal.price_feeds import WalkFeed
from steelyard.venues.secrets import read_secrets
from support.rehearsal import NOW_MS, market_order

WALK = WalkFeed("BTCUSDT", Decimal(60_000), 0.6, 1, 60_000)
HELD = SetUp((WALK,), ("main",), Decimal(100_000), speed=10_800.0, start_ms=0, is_held=True)
"""A day in eight seconds."""


def opened(store: ExchangeFile, now_ms: int) -> Exchange:
    """The exchange at a time, come to it."""
    exchange = Exchange(HELD, store, lambda: now_ms)
    exchange.advance()
    return exchange


def test_a_market_that_is_held_begins_with_the_first_order(tmp_path: Path) -> None:
    """Until then it stands, also for an exchange that is opened again; after that it runs."""
    path = tmp_path / "exchange.db"
    for late_ms in (0, 8_000):
        with closing(ExchangeFile(path)) as store:
            exchange = opened(store, NOW_MS + late_ms)
            (market,) = exchange.world.markets.values()
            assert (exchange.walked_ms, market.index, market.rates) == (0, 60_000, [])
    with closing(ExchangeFile(path)) as store:
        exchange = opened(store, NOW_MS + 9_000)
        place(exchange.world, exchange.world.accounts["main"], market_order("1"), NOW_MS + 9_000)
        exchange.commit()
        exchange.advance()
        assert exchange.walked_ms == 0
    with closing(ExchangeFile(path)) as store:
        exchange = opened(store, NOW_MS + 17_000)
        (market,) = exchange.world.markets.values()
        assert exchange.walked_ms == 24 * HOUR_MS
        assert len(market.rates) == 3
        assert market.index != 60_000


def test_each_account_s_key_lies_there_as_a_keeper_reads_it(tmp_path: Path) -> None:
    """For its owner alone; a keeper file names it."""
    credentials = {name: credentials_of(name, 0) for name in ("main", "other")}
    leave_accounts(tmp_path, credentials)
    for name, (plain, _) in credentials.items():
        found = read_secrets(f"file:{name}.toml", tmp_path)
        assert (found.key, found.secret) == (plain.api_key, plain.secret)
