"""``steelyard data fetch`` as it is typed, at an exchange on loopback: real HTTP, real kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import SCRIPT, command, environment
from support.exchange_server import HOUR_S, SINCE_S, Answer, ExchangeServer, serving

BTC = ["data", "fetch", "BTC/USDT:USDT", "--exchange", "binanceusdm", "--since", "2024-01-01"]
EVER = 1 << 33


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """An exchange on loopback."""
    with serving() as server:
        yield server


@pytest.fixture
def there(server: ExchangeServer) -> dict[str, str]:
    """What leads the command to it."""
    return {"STEELYARD_API_URL": server.url, "NO_PROXY": "127.0.0.1"}


def started(folder: Path, there: dict[str, str], *more: str) -> subprocess.Popen[str]:
    """The command, running."""
    return subprocess.Popen(
        [SCRIPT, *BTC, *more],
        cwd=folder,
        env=environment(**there),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def test_what_was_fetched_is_fit_to_simulate_on(
    server: ExchangeServer, there: dict[str, str], tmp_path: Path
) -> None:
    """Candles and funding, checked by ``data check`` and run by ``simulate``."""
    done = command(*BTC, "--out", "btc.parquet", cwd=tmp_path, check=True, **there)
    assert "btc.parquet: fit to simulate on" in done.stdout
    assert done.stderr == "btc.parquet: 240 candles added\n"
    done = command(*BTC, "--funding", "--out", "f.csv", cwd=tmp_path, check=True, **there)
    assert done.stdout.startswith("f.csv: 31 funding rates, 2024-01-01 to 2024-01-11 UTC, mean ")
    command("data", "check", "btc.parquet", cwd=tmp_path, check=True)
    prices = ["--prices", "btc.parquet", "--funding", "f.csv"]
    run = command("simulate", "oracle-3l", *prices, "--json", cwd=tmp_path, check=True)
    assert json.loads(run.stdout)["bars"] == 240
    assert len({asked.what for asked in server.asked}) == 4


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_killed_in_the_middle_and_started_again(
    server: ExchangeServer, there: dict[str, str], tmp_path: Path, ending: str
) -> None:
    """``kill -9`` at one page, again at the next run's: the file in the end is as if never."""
    small = ["--page-size", "60"]
    running: list[subprocess.Popen[str]] = []

    def kill(asked: int) -> None:
        if asked in {3, 6}:
            running[-1].kill()

    server.before = kill
    out = f"btc.{ending}"
    for _ in range(2):
        running.append(started(tmp_path, there, "--out", out, *small))
        running[-1].communicate()
        assert running[-1].returncode == -signal.SIGKILL
        assert [path.name for path in tmp_path.iterdir()] == [f"{out}.part"]
    server.before = lambda _: None
    done = command(*BTC, "--out", out, cwd=tmp_path, check=True, **there)
    assert "candles added" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [out]
    command(*BTC, "--out", f"once.{ending}", cwd=tmp_path, check=True, **there)
    assert (tmp_path / out).read_bytes() == (tmp_path / f"once.{ending}").read_bytes()


def test_ctrl_c_says_that_nothing_is_lost(
    server: ExchangeServer, there: dict[str, str], tmp_path: Path
) -> None:
    """Exit code 130, what is kept, and the same command goes on."""
    small = ["--page-size", "60"]
    running: list[subprocess.Popen[str]] = []

    def interrupt(asked: int) -> None:
        if asked == 3:
            running[0].send_signal(signal.SIGINT)

    server.before = interrupt
    server.faults.extend([None, None, Answer(wait_s=5)])
    running.append(started(tmp_path, there, "--out", "btc.csv", *small))
    out, err = running[0].communicate()
    assert (running[0].returncode, out) == (130, "")
    assert err == (
        "btc.csv.part keeps the rows received so far; repeat the command to resume\nInterrupted.\n"
    )
    command(*BTC, "--out", "btc.csv", cwd=tmp_path, check=True, **there)
    expected = server.expected_csv("BTCUSDT", HOUR_S, SINCE_S, EVER)
    assert (tmp_path / "btc.csv").read_text() == expected


def test_an_exchange_that_is_down_is_exit_code_4(
    server: ExchangeServer, there: dict[str, str], tmp_path: Path
) -> None:
    """One sentence with what is kept and how to go on; the next run needs no ``--since``."""
    server.page_rows = 60
    server.faults.extend([None, None, *[Answer(503, "Down")] * 2])
    words = [*BTC, "--out", "btc.csv", "--json", "--retries", "1"]
    result = command(*words, cwd=tmp_path, **there)
    assert result.returncode == 4
    assert json.loads(result.stdout)["error"]["kind"] == "Unavailable"
    waiting, error = result.stderr.splitlines()
    assert "503" in waiting
    assert waiting.endswith("asking again in 1 s (1 of 1)")
    assert error.startswith("Error: binanceusdm")
    assert error.endswith(
        "Rows up to 2024-01-05T22:00:00Z were kept; the same command continues there"
    )
    words.remove("--since")
    words.remove("2024-01-01")
    found = json.loads(command(*words, cwd=tmp_path, check=True, **there).stdout)
    assert (found["rows"], found["added"]) == (240, 240 - 119)


def test_a_terminal_sees_a_bar(
    server: ExchangeServer, there: dict[str, str], tmp_path: Path
) -> None:
    """On standard error, once it is worth it; standard output stays clean."""
    server.faults.extend([*[None] * 3, Answer(503, "")])
    reader, writer = os.openpty()
    with subprocess.Popen(
        [SCRIPT, *BTC, "--out", "btc.csv", "--json", "--page-size", "10"],
        cwd=tmp_path,
        env=environment(TERM="xterm", COLUMNS="100", **there),
        stdout=subprocess.PIPE,
        stderr=writer,
        text=True,
    ) as process:
        os.close(writer)
        seen = b""
        while True:
            try:
                piece = os.read(reader, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(reader)
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["rows"] == 240
    assert "binanceusdm BTC/USDT:USDT" in seen.decode()
    assert " %" in seen.decode()
