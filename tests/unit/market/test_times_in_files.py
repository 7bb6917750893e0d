"""How files may write time, and which mixtures are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steelyard.market import read_prices
from support.tables import file_of, refusal

if TYPE_CHECKING:
    from pathlib import Path

T = 1_583_971_200  # 2020-03-12T00:00:00Z


def times(folder: Path, *cells: str) -> list[int]:
    """The instants that these cells are read as."""
    text = "time,price\n" + "".join(f"{cell},1\n" for cell in cells)
    return read_prices(file_of(folder, text)).time.tolist()


def refused(folder: Path, *cells: str) -> str:
    """How these cells are refused."""
    text = "time,price\n" + "".join(f"{cell},1\n" for cell in cells)
    return str(refusal(file_of(folder, text)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1583971200", "1583974800"),
        ("1583971200000", "1583974800000"),
        ("1583971200000000", "1583974800000000"),
        ("1583971200.9", "1583974800.1"),
        ("1583971200999", "1583974800000"),
        ("1583971200999999", "1583974800000000"),
        ("2020-03-12", "2020-03-12T01:00:00"),
        ("2020-03-12 00:00", "2020-03-12 01:00"),
        ("2020-03-12T00:00:00Z", "2020-03-12T01:00:00Z"),
        ("2020-03-12T00:00:00.999Z", "2020-03-12T01:00:00.001Z"),
        ("2020-03-12 00:00:00 UTC", "2020-03-12 01:00:00 UTC"),
        ("2020-03-12T02:00:00+02:00", "2020-03-12T03:00:00+02:00"),
        ("2020-03-12 02:00:00 +0200", "2020-03-12 03:00:00 +0200"),
        ("2020-03-11T19:30:00-04:30", "2020-03-11T20:30:00-04:30"),
        ("2020-03-12T00:00:00Z", "2020-03-12T01:00:00+00:00"),
        (" 1583971200", "1583974800 "),
    ],
)
def test_ways_to_write_one_instant(tmp_path: Path, first: str, second: str) -> None:
    """Epoch s, ms, us and ISO dates with or without an offset are one instant, cut to seconds."""
    assert times(tmp_path, first, second) == [T, T + 3_600]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("1583971200", "1583974800000"), "epoch seconds"),
        (("1583971200000", "1583974800"), "epoch milliseconds"),
        (("1583971200000000", "1583974800000"), "epoch microseconds"),
        (("1583971200", "2020-03-12T01:00:00Z"), "epoch seconds"),
        (("2020-03-12", "1583974800"), "a date"),
        (("2020-03-12T00:00:00Z", "2020-03-12T01:00:00"), "one time zone"),
        (("2020-03-12T00:00:00", "2020-03-12T01:00:00Z"), "one time zone"),
        (("2020-03-12T00:00:00Z", "2020-03-12T03:00:00+02:00"), "one time zone"),
        (("2020-03-12T02:00:00+02:00", "2020-03-12T02:00:00+01:00"), "one time zone"),
    ],
)
def test_mixtures_are_refused(tmp_path: Path, cells: tuple[str, str], words: str) -> None:
    """A file that changes its unit or its time zone midway was glued together: row 2 is named."""
    message = refused(tmp_path, *cells)
    assert "row 2 (line 3), time" in message
    assert words in message
    assert cells[1] in message


def test_mixtures_are_refused_far_down_too(tmp_path: Path) -> None:
    """The unit and the zone are the file's, not the block's."""
    rows = 120_000
    text = "time,price\n" + "".join(f"{T + row},1\n" for row in range(rows))
    bad = text + f"{(T + rows) * 1_000},1\n"
    assert f"row {rows + 1}" in str(refusal(file_of(tmp_path, bad)))
    stamps = [
        f"2020-03-{1 + r // 86_400:02d}T{r // 3_600 % 24:02d}:{r // 60 % 60:02d}:{r % 60:02d}"
        for r in range(rows)
    ]
    text = "time,price\n" + "".join(f"{stamp}+01:00,1\n" for stamp in stamps)
    assert len(read_prices(file_of(tmp_path, text))) == rows
    bad = text + "2020-04-01T00:00:00+02:00,1\n"
    assert "+01:00, like the rows before" in str(refusal(file_of(tmp_path, bad)))


@pytest.mark.parametrize(
    "cell",
    [
        "-1",
        "1969-12-31T23:59:59Z",
        "2200-01-01",
        "9999-12-31",
        "7258118400000000000",
        "9" * 30,
        "1e300",
        "-9223372036854775808",
        "12/03/2020",
        "2020-02-30",
        "2020-03-12T25:00:00Z",
        "2020-W11-4",
        "yesterday",
        "nan",
        "inf",
        "",
        "\u0661\u0665\u0668\u0663\u0669\u0667\u0661\u0662\u0660\u0660",
    ],
)
def test_no_instant_of_a_market(tmp_path: Path, cell: str) -> None:
    """What is no time, or none from 1970 to 2199, is refused in row 1 and in row 2 alike."""
    assert "row 1 (line 2), time" in refused(tmp_path, cell, "1583971200")
    assert "row 2 (line 3), time" in refused(tmp_path, "10", cell)
    assert "row 2 (line 3), time" in refused(tmp_path, "2020-01-01", cell)
    assert "row 2 (line 3), time" in refused(tmp_path, "2020-01-01T00:00:00Z", cell)


def test_days_without_dashes(tmp_path: Path) -> None:
    """20200312 is a day to a person and a second of August 1970 to a machine: refused."""
    assert "a day needs its dashes" in refused(tmp_path, "20200312", "20200313")
    assert times(tmp_path, "20201312", "20201313") == [20_201_312, 20_201_313]


def test_small_numbers_are_seconds(tmp_path: Path) -> None:
    """Toy histories may start at 0."""
    assert times(tmp_path, "0", "60", "120") == [0, 60, 120]
