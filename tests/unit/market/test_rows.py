"""Which rows of prices are refused, and that the first bad one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steelyard.market import read_prices
from support.tables import HEADER, START_S, bars_text, file_of, packed, refusal

if TYPE_CHECKING:
    from pathlib import Path

BAD_ROWS = {
    "not finite: nan": ("nan,12,9,11", "open", "finite price above 0", "nan"),
    "not finite: inf": ("10,inf,9,11", "high", "finite price above 0", "inf"),
    "not finite: -inf": ("10,12,-inf,11", "low", "finite price above 0", "-inf"),
    "too large a number": ("10,1e999,9,11", "high", "finite price above 0", "inf"),
    "larger than any price": ("10,1e300,9,11", "high", "a price from 1e-50 to 1e+50", "1e+300"),
    "smaller than any price": ("10,12,5e-324,11", "low", "a price from 1e-50", "5e-324"),
    "zero": ("10,12,9,0", "close", "finite price above 0", "0.0"),
    "negative": ("10,12,-9,11", "low", "finite price above 0", "-9.0"),
    "low above open": ("10,12,10.5,11", "low", "at or below the open", "above the open 10.0"),
    "low above close": ("10,12,9.5,9.2", "low", "at or below the close", "above the close 9.2"),
    "high below open": ("13,12,9,11", "high", "at or above the open", "below the open 13.0"),
    "high below close": ("10,12,9,12.5", "high", "at or above the close", "below the close 12.5"),
    "text": ("10,12,nine,11", "low", "a number", "'nine'"),
    "empty": ("10,12,,11", "low", "a number", "an empty cell"),
    "thousands mark": ('"1,000",12,9,11', "open", "a number", "'1,000'"),
    "decimal comma": ('"10,5",12,9,11', "open", "a number", "'10,5'"),
    "underscores": ("1_0,12,9,11", "open", "a number", "'1_0'"),
    "hexadecimal": ("0x10,12,9,11", "open", "a number", "'0x10'"),
    "other digits": ("\u0661\u0660,12,9,11", "open", "a number", "'\u0661\u0660'"),
    "control characters": ("\x1b[31m,12,9,11", "open", "a number", r"'\x1b[31m'"),
    "too few cells": ("10,12,9", None, "5", "4"),
    "too many cells": ("10,12,9,11,1", None, "5", "6"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_row_is_named(tmp_path: Path, name: str) -> None:
    """A row that cannot be a bar is refused with its row, its line, its column and what it says."""
    cells, column, expected, found = BAD_ROWS[name]
    lines = bars_text().splitlines()
    lines[4] = f"{lines[4].split(',')[0]},{cells}"
    error = refusal(file_of(tmp_path, "\n".join(lines)))
    assert "row 4 (line 5)" in str(error)
    assert (error.details["row"], error.details["line"]) == (4, 5)
    assert error.details.get("column") == column
    assert expected in str(error.details["expected"])
    assert found in str(error.details["found"])


@pytest.mark.parametrize(
    ("time", "found"),
    [
        (START_S + 60, "duplicate"),
        (START_S + 61, "out of order"),
        (START_S, "out of order"),
    ],
)
def test_order_is_held(tmp_path: Path, time: int, found: str) -> None:
    """A time that does not come after the one before it is refused; nothing is sorted."""
    lines = bars_text().splitlines()
    lines[3] = lines[3].replace(str(START_S + 120), str(START_S + 62 if "order" in found else time))
    lines[4] = lines[4].replace(str(START_S + 180), str(time))
    error = refusal(file_of(tmp_path, "\n".join(lines)))
    row = 4 if "order" in found else 3
    assert f"row {row} (line {row + 1})" in str(error)
    assert found in str(error)


def test_two_rows_in_one_second_are_duplicates(tmp_path: Path) -> None:
    """Times are cut to whole seconds first, and then must still ascend."""
    text = f"time,price\n{START_S}100,1\n{START_S}900,2\n"
    assert "the same second again" in str(refusal(file_of(tmp_path, text)))


def test_the_earliest_fault_is_the_one_named(tmp_path: Path) -> None:
    """Of several bad cells the first row's is named, whatever its column: files are mended down."""
    lines = bars_text().splitlines()
    lines[5] = lines[5].replace("10,12", "-1,12")
    lines[4] = lines[4].replace("11", "ten")
    lines[3] = lines[3].replace("9,11", "11,11")
    assert "row 3 (line 4), low" in str(refusal(file_of(tmp_path, "\n".join(lines))))


def test_lines_count_blank_ones_and_rows_do_not(tmp_path: Path) -> None:
    """The line is an editor's, the row a person's: blank lines are in the first only."""
    text = "\n\n" + bars_text().replace(f"{START_S + 60}", f"\n\n{START_S + 60}")
    text = text.replace(f"{START_S + 120},10", f"{START_S + 120},0")
    for path in (file_of(tmp_path, text), file_of(tmp_path, packed(text), "a.gz")):
        assert "row 3 (line 8), open" in str(refusal(path))


def test_without_a_header_rows_are_lines(tmp_path: Path) -> None:
    """Where there is no header the first row is line 1."""
    text = "1577836800000,10,12,9,11,5\n1577836860000,10,12,9,-11,5\n"
    assert "row 2 (line 2), close" in str(refusal(file_of(tmp_path, text)))


@pytest.mark.parametrize("far", [40_000, 199_999])
def test_rows_are_counted_across_blocks(tmp_path: Path, far: int) -> None:
    """A bad row megabytes into a file is named as exactly as one at its beginning."""
    text = bars_text(rows=200_000)
    when = START_S + 60 * far
    bad = text.replace(f"{when},10", f"{when},-10")
    assert f"row {far + 1} (line {far + 2}), open" in str(refusal(file_of(tmp_path, bad)))
    ragged = text.replace(f"{when},10,", f"{when},")
    assert f"row {far + 1} (line {far + 2}):" in str(refusal(file_of(tmp_path, ragged)))
    back = text.replace(f"{when},10", f"{when - 61},10")
    assert f"row {far + 1} (line {far + 2}), time" in str(refusal(file_of(tmp_path, back)))


@pytest.mark.parametrize("volume", ["-1", "nan", "inf", ""])
def test_volume_is_a_number(tmp_path: Path, volume: str) -> None:
    """A volume is 0 or more in every row, or the file has none."""
    rows = f"\n1,10,12,9,11,0\n2,10,12,9,11,{volume}\n"
    error = refusal(file_of(tmp_path, f"{HEADER},volume{rows}"))
    assert "row 2 (line 3), volume" in str(error)


def test_a_single_bar_has_no_length(tmp_path: Path) -> None:
    """One bar is refused, since the spacing of bars is their length; one observation is not."""
    assert "at least 2 bars" in str(refusal(file_of(tmp_path, bars_text(rows=1))))
    assert len(read_prices(file_of(tmp_path, "time,price\n2020-01-01,5\n"))) == 1


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    """Decimal text becomes the nearest float, as Python's own reading does."""
    values = np.random.default_rng(2).lognormal(8, 3, 5_000)
    text = "time,price\n" + "".join(f"{row},{value!r}\n" for row, value in enumerate(values, 1))
    text = text.replace("np.float64(", "").replace(")", "")
    assert (read_prices(file_of(tmp_path, text)).close == values).all()
