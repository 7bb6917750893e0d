"""Wrong input through the real command: the right exit code, one sentence, nothing written."""

from __future__ import annotations

import gzip
import json
import os
import re
import resource
import subprocess
from pathlib import Path

import pytest

from support.command import SCRIPT, command, environment

SERIES = """\
symbol = "BTC3L"
underlying = "BTC/USDT:USDT"
target_leverage = 3.0

[rebalance]
move_to = "target"

[[rebalance.trigger]]
when = "band"
lower = 2.5
upper = 3.5
"""

HEADER = "time,open,high,low,close\n"
ROWS = [
    "2020-01-01,100,110,90,105",
    "2020-01-02,105,110,100,108",
    "2020-01-03,108,120,101,111",
]


def csv(*rows: str) -> bytes:
    """A price file of these rows."""
    return (HEADER + "".join(row + "\n" for row in rows)).encode()


def with_row(row: str) -> bytes:
    """A price file whose second row is this one."""
    return csv(ROWS[0], row, ROWS[2])


PRICES = {
    "empty": (b"", "an empty file"),
    "header only": (HEADER.encode(), "a header and no rows"),
    "one bar": (csv(ROWS[0]), "1 row"),
    "NaN": (with_row("2020-01-02,105,110,nan,108"), "row 2 (line 3), low"),
    "no figure": (with_row("2020-01-02,105,110,,108"), "row 2 (line 3), low"),
    "infinite": (with_row("2020-01-02,105,inf,100,108"), "row 2 (line 3), high"),
    "zero": (with_row("2020-01-02,105,110,0,108"), "row 2 (line 3), low"),
    "negative": (with_row("2020-01-02,105,110,100,-108"), "row 2 (line 3), close"),
    "text": (with_row("2020-01-02,105,110,100,dear"), "row 2 (line 3), close"),
    "low above high": (with_row("2020-01-02,105,110,106,108"), "row 2 (line 3), low"),
    "unsorted": (csv(ROWS[1], ROWS[0], ROWS[2]), "out of order"),
    "duplicate": (csv(ROWS[0], ROWS[0], ROWS[1]), "duplicate"),
    "mixed zones": (
        csv("2020-01-01T00:00:00Z,1,1,1,1", "2020-01-02T00:00:00+05:00,1,1,1,1"),
        "row 2 (line 3), time",
    ),
    "mixed units": (csv("1577836800,1,1,1,1", "1577923200000,1,1,1,1"), "row 2 (line 3), time"),
    "no time": (with_row("yesterday,105,110,100,108"), "row 2 (line 3), time"),
    "unknown layout": (b"a,b,c\n1,2,3\n", "expected"),
    "binary junk": (bytes(range(256)) * 64, "binary data"),
    "broken gzip": (gzip.compress(csv(*ROWS))[:40], "expected"),
    "broken parquet": (b"PAR1" + b"\x00" * 64, "expected"),
    "a zip archive": (b"PK\x03\x04" + b"\x00" * 64, "zip"),
}


def replaced(old: str, new: str) -> str:
    """The series file with one thing changed."""
    assert old in SERIES
    return SERIES.replace(old, new)


WRONG_SERIES = {
    "empty": ("", "symbol: expected the key, found nothing"),
    "no TOML": ("symbol = ", "cannot be parsed"),
    "unknown key": (SERIES + "\n[fees]\nbribe = 1.0\n", 'unknown key "fees.bribe"'),
    "misspelt key": (
        replaced("target_leverage", "target_levrage"),
        'Did you mean "target_leverage"?',
    ),
    "misspelt trigger key": (replaced("upper", "uper"), 'Did you mean "upper"?'),
    "unknown trigger": (replaced('"band"', '"bend"'), 'expected one of "band"'),
    "lower above upper": (replaced("lower = 2.5", "lower = 3.8"), "lower: expected a leverage"),
    "target outside its band": (replaced("3.0", "4.0"), "upper: expected a leverage above"),
    "target 0": (replaced("3.0", "0.0"), "target_leverage: expected a leverage other than 0"),
    "target NaN": (replaced("3.0", "nan"), "target_leverage: expected"),
    "target text": (replaced("3.0", '"three"'), "target_leverage: expected"),
    "edge without a band": (
        SERIES[: SERIES.index("[[")].replace('"target"', '"edge"'),
        'expected a trigger of kind "band"',
    ),
    "edge without slack": (
        replaced('move_to = "target"', 'move_to = "edge"\nedge_slack = 0.0'),
        "edge_slack: expected a number above 0",
    ),
    "two bands": (
        SERIES + '\n[[rebalance.trigger]]\nwhen = "band"\nlower = 2.0\nupper = 4.0\n',
        "at most one trigger of each kind",
    ),
    "emergency inside the band": (
        replaced('move_to = "target"', "emergency_leverage = 3.5"),
        "emergency_leverage: expected a leverage above 3.5",
    ),
    "negative fee": (SERIES + "\n[costs]\ntaker_fee_bps = -1.0\n", "taker_fee_bps: expected"),
    "unknown venue": (SERIES + '\n[venue]\nkind = "bank"\n', "venue.kind: expected one of"),
}


def refused(result: subprocess.CompletedProcess[str], folder: Path, kept: set[str]) -> str:
    """Hold a failure to what all failures promise; give its one sentence."""
    assert result.returncode == 3, result.stderr
    told = json.loads(result.stdout) if result.stdout else None
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert re.match(r"Error: \S", lines[0])
    if told is not None:
        assert told["error"]["exit_code"] == 3
        assert lines[0] == f"Error: {told['error']['message']}"
    assert len(lines[0]) < 600
    assert {path.name for path in folder.iterdir()} == kept
    return lines[0]


@pytest.mark.parametrize("case", PRICES)
def test_a_wrong_price_file_is_refused_by_name_and_place(case: str, tmp_path: Path) -> None:
    """``simulate`` and ``data check`` name the file and what stands there; nothing is written."""
    content, said = PRICES[case]
    (tmp_path / "btc3l.toml").write_text(SERIES)
    (tmp_path / "prices.csv").write_bytes(content)
    kept = {"btc3l.toml", "prices.csv"}
    words = ["simulate", "btc3l.toml", "--prices", "prices.csv", "--out", "run", "--json"]
    simulated = refused(command(*words, cwd=tmp_path), tmp_path, kept)
    checked = refused(command("data", "check", "prices.csv", cwd=tmp_path), tmp_path, kept)
    assert simulated == checked
    assert checked.startswith("Error: prices.csv: ")
    assert said in checked


@pytest.mark.parametrize("case", WRONG_SERIES)
def test_a_wrong_series_file_is_refused_by_key(case: str, tmp_path: Path) -> None:
    """``simulate`` and ``series check`` say the key, what was found and what is allowed."""
    content, said = WRONG_SERIES[case]
    (tmp_path / "btc3l.toml").write_text(content)
    kept = {"btc3l.toml"}
    words = ["simulate", "btc3l.toml", "--prices", "BTC", "--out", "run", "--json"]
    simulated = refused(command(*words, cwd=tmp_path), tmp_path, kept)
    checked = refused(command("series", "check", "btc3l.toml", cwd=tmp_path), tmp_path, kept)
    assert simulated == checked
    assert checked.startswith("Error: btc3l.toml: ")
    assert said in checked


def test_a_series_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a folder."""
    (tmp_path / "junk.toml").write_bytes(b"\xff\xfe\x00" * 100)
    (tmp_path / "folder.toml").mkdir()
    kept = {"junk.toml", "folder.toml"}
    for name in sorted(kept):
        result = command("series", "show", name, cwd=tmp_path)
        assert refused(result, tmp_path, kept).startswith(f"Error: {name}: expected a series file")


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("--funding", "time,rate\n2020-01-02,nan\n"),
        ("--funding", "time,rate\n"),
        ("--funding", "time,rate\n2020-01-02,12.5\n"),
        ("--rates", "time,rate\n2020-01-02,0.05\n"),
        ("--injections", "time,quote,kind\n2020-01-02,-5,capital\n"),
    ],
)
def test_wrong_funding_rates_and_injections_are_refused(
    option: str, content: str, tmp_path: Path
) -> None:
    """Not finite, empty, percent for fractions, not for this venue, negative."""
    (tmp_path / "extra.csv").write_text(content)
    preset = "oracle-3l"
    words = ["simulate", preset, "--prices", "BTC", option, "extra.csv", "--out", "run"]
    refused(command(*words, cwd=tmp_path), tmp_path, {"extra.csv"})


GIGABYTE = 1 << 30
MEMORY = 768 << 20


@pytest.mark.parametrize("start", ["", HEADER, HEADER + ROWS[0] + "\n", "\n" * 70_000])
@pytest.mark.parametrize("words", [["data", "check"], ["series", "check"]], ids=" ".join)
def test_a_gigabyte_of_junk_is_refused_in_bounded_memory(
    start: str, words: list[str], tmp_path: Path
) -> None:
    """A file far larger than the memory that the process may take, refused all the same."""
    junk = tmp_path / "junk.csv"
    junk.write_text(start)
    os.truncate(junk, GIGABYTE)

    def hold() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    result = subprocess.run(
        [SCRIPT, *words, junk.name],
        cwd=tmp_path,
        env=environment(ARROW_DEFAULT_MEMORY_POOL="system", OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=hold,
    )
    refused(result, tmp_path, {"junk.csv"})


def test_a_gigabyte_on_one_line_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    """A line without an end is not read to its end: digits, not zeros, so that it is text."""
    junk = tmp_path / "junk.csv"
    block = b"7" * (1 << 20)
    with junk.open("wb") as file:
        file.write(HEADER.encode())
        for _ in range(1024):
            file.write(block)

    def hold() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    result = subprocess.run(
        [SCRIPT, "data", "check", junk.name],
        cwd=tmp_path,
        env=environment(ARROW_DEFAULT_MEMORY_POOL="system", OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=hold,
    )
    refused(result, tmp_path, {"junk.csv"})
