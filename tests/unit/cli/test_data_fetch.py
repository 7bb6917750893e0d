"""``data fetch``: what it prints, what it remarks, what it refuses."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from steelyard.cli.data_fetch import fetch
from support.exchange_server import HOUR_S, SINCE_S, ExchangeServer, serving

BTC = ["data", "fetch", "BTC/USDT:USDT", "--exchange", "binanceusdm", "--since", "2024-01-01"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeServer]:
    """An exchange on loopback, to which every command is led."""
    with serving() as server:
        monkeypatch.setenv("STEELYARD_API_URL", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


def test_json_is_the_check_s_report_and_where_it_is_from(
    server: ExchangeServer, steelyard: Callable[..., Any]
) -> None:
    """One object, the same words as ``data check --json``."""
    found = json.loads(steelyard(*BTC, "--out", "btc.csv", "--json").out)
    check = json.loads(steelyard("data", "check", "btc.csv", "--json").out)
    own = {"exchange": "binanceusdm", "symbol": "BTC/USDT:USDT", "timeframe": "1h"}
    assert found == {**check, **own, "added": 240, "corrected": 0}
    found = json.loads(steelyard(*BTC, "--funding", "--out", "f.csv.gz", "--json").out)
    assert (found["rows"], found["timeframe"], found["schema"]) == (31, None, 1)
    assert (found["start"], found["end"]) == ("2024-01-01T00:00:00Z", "2024-01-11T00:00:00Z")
    assert found["rate"]["min"] < found["rate"]["mean"] < found["rate"]["max"]
    assert {asked.what for asked in server.asked} == {
        "exchangeInfo",
        "time",
        "klines",
        "fundingRate",
    }


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--out", "b.csv", "--timeframe", "7m"], 3, "timeframe: expected one of 1s, 1m"),
        (["--out", "b.csv", "--exchange", "binanc"], 3, 'Did you mean "binance"?'),
        (["--out", "b.xlsx"], 2, "ends in .csv, .csv.gz or .parquet"),
        (["--out", "no/b.csv"], 2, "there is no folder no"),
        (["--out", "b.csv", "--funding", "--timeframe", "1h"], 2, "--funding has no timeframe"),
        (["--out", "b.csv", "--page-size", "1"], 2, "--page-size"),
        (["--out", "b.csv", "--since", "soon"], 2, "expected a time such as"),
        (["--out", "b.csv", "--api-url", "example.org"], 3, "expected an address"),
        ([], 2, "Missing option '--out'"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked_for(
    server: ExchangeServer,
    steelyard: Callable[..., Any],
    tmp_path: Path,
    more: list[str],
    code: int,
    said: str,
) -> None:
    """Exit code 2 for the command line, 3 for what the exchange does not have."""
    result = steelyard(*BTC, *more)
    assert result.code == code
    assert said in " ".join(result.err.split())
    assert server.asked == []
    assert list(tmp_path.iterdir()) == []


def test_a_later_beginning_is_remarked(
    server: ExchangeServer, steelyard: Callable[..., Any]
) -> None:
    """Who asks for more than there is hears where it begins."""
    server.listed_s = SINCE_S + 5 * 86_400
    done = steelyard(*BTC, "--out", "btc.csv")
    assert "btc.csv: fit to simulate on" in done.out
    assert done.err == (
        "btc.csv: 120 candles added\nbinanceusdm has no data from 2024-01-01 to 2024-01-06 UTC\n"
    )
    assert "btc.csv: nothing new\n" in steelyard(*BTC, "--out", "btc.csv").err


def test_a_correction_is_remarked(server: ExchangeServer, steelyard: Callable[..., Any]) -> None:
    """What was there and is no longer does not change silently."""
    last_ms = (server.now_s - HOUR_S) * 1_000
    server.twist = lambda rows: [
        [*row[:5], "0.001", *row[6:]] if row[0] == last_ms else row for row in rows
    ]
    steelyard(*BTC, "--out", "btc.csv")
    server.twist = list
    server.now_s += HOUR_S
    done = steelyard(*BTC, "--out", "btc.csv")
    assert done.err == "btc.csv: 1 candle added, the previous last one corrected\n"


def test_the_examples_of_the_help_run(
    server: ExchangeServer, steelyard: Callable[..., Any]
) -> None:
    """As they stand, at an exchange that has what they ask for."""
    server.now_s = SINCE_S + 3 * HOUR_S
    for example in fetch.examples:
        found = json.loads(steelyard(*shlex.split(example)[1:], "--json").out)
        assert found["rows"] > 0


def test_ccxt_is_loaded_by_the_command_alone() -> None:
    """It takes seconds to load: neither the command's help nor the module behind it needs it."""
    program = (
        "import sys, steelyard.market.fetch; from steelyard.cli import main; "
        "main(['data', 'fetch', '--help']); print('ccxt' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("False\n")
