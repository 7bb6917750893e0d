"""Files that are no table of prices: each gives one clear sentence and no other exception."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steelyard.market import read_prices
from support.tables import bars_text, file_of, packed, refusal

GOOD = bars_text()
NOISE = np.random.default_rng(2).bytes(100_000)


def test_missing(tmp_path: Path) -> None:
    """A path that leads nowhere."""
    error = refusal(tmp_path / "absent.csv")
    assert "no such file" in str(error)
    assert error.details["file"] == str(tmp_path / "absent.csv")


def test_directory(tmp_path: Path) -> None:
    """A path that is a folder."""
    assert "a directory" in str(refusal(tmp_path))


@pytest.mark.parametrize("name", ["x" * 4_000, "nul\0byte", "loop", "no/such/folder.csv"])
def test_impossible_paths(tmp_path: Path, name: str) -> None:
    """Paths that no file system can follow."""
    (tmp_path / "loop").symlink_to("loop")
    refusal(tmp_path / name)


def test_names_with_odd_characters_stay_on_one_line(tmp_path: Path) -> None:
    """A file's name is shown escaped where it would break the line or the terminal."""
    for name in (b"new\nline", b"esc\x1b[2J", b"not-utf8-\xff"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_text("a,b\n")
        message = str(refusal(path))
        assert message.isprintable()
        message.encode()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\n\n  \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("time,open,high,low,close\n", "no rows"),
        ("time,open,high,low,close", "no rows"),
        ("time,price\n\n\n", "no rows"),
        (NOISE, "binary"),
        (b"\0" * 100_000, "binary"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.encode("utf-16-be"), "binary"),
        (GOOD.encode() + b"\xe9\xe8", "not UTF-8"),
        (b"PK\x03\x04" + NOISE, "zip"),
        (b"ARROW1" + NOISE, "Feather"),
        (b"SQLite format 3\0" + NOISE, "SQLite"),
        (b"\x28\xb5\x2f\xfd" + NOISE, "zstd"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>\n", "columns"),
        (b'{"error": "rate limited"}\n', "columns"),
        ("x" * 100_000, "one line of over"),
        (GOOD + '1577837160,"10,12,9,11\n', "cells"),
        (GOOD + '1577837160,10,12,9,"11\n', "row 7 (line 8), close"),
        ('time,price,note\n1,2,"a\n2,3,b\n3,4,c"\n4,5,d\n', "quotation mark"),
        ('time,price,note\n1,2,a\n2,3,"b\n3,4,c\n4,5,d\n', "quotation mark"),
        ('time,"price\n1,2\n3,4\n', "columns"),
        (b"\x1f\x8b", "cannot be read"),
        (b"\x1f\x8b" + NOISE, "cannot be read"),
        (packed(GOOD)[:-6], "cannot be read"),
        (packed(GOOD)[:15], "cannot be read"),
        (packed(GOOD) + b"junk", "cannot be read"),
        (packed(NOISE), "binary"),
        (packed(b""), "empty"),
        (packed(packed(GOOD)), "binary"),
    ],
    ids=range(31),
)
def test_no_table(tmp_path: Path, content: str | bytes, word: str) -> None:
    """Whatever a file holds that is no CSV, the sentence says what it looks like."""
    assert word in str(refusal(file_of(tmp_path, content)))


def test_broken_gzip_far_down(tmp_path: Path) -> None:
    """A gzip file that is cut or damaged megabytes in is refused, never read as far as it goes."""
    whole = packed(bars_text(rows=300_000))
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    for content in (whole[:-5_000], damaged):
        refusal(file_of(tmp_path, content, "a.csv.gz"))


def test_latin_letters_far_down_name_their_row(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, beyond the part that is looked at first, are a bad cell."""
    lines = bars_text(rows=50_000).encode().split(b"\n")
    lines[40_000] = lines[40_000].replace(b"9,11", b"9\xe9,11")
    assert "row 40000 (line 40001), low" in str(refusal(file_of(tmp_path, b"\n".join(lines))))


def parquet_bytes(folder: Path, **options: object) -> bytes:
    """Forty good bars as Parquet."""
    rows = range(40)
    table = pa.table(
        {
            "time": [60 * row for row in rows],
            "open": [10.0 + row for row in rows],
            "high": [12.0 + row for row in rows],
            "low": [9.0 + row for row in rows],
            "close": [11.0 + row for row in rows],
        }
    )
    path = folder / "whole.parquet"
    pq.write_table(table, path, **options)
    return path.read_bytes()


def test_corrupt_parquet(tmp_path: Path) -> None:
    """A Parquet file that is cut, or has no footer, or a footer of noise."""
    whole = parquet_bytes(tmp_path)
    for content in (
        whole[:-1],
        whole[: len(whole) // 2],
        b"PAR1",
        b"PAR1PAR1",
        b"PAR1" + NOISE + b"PAR1",
        whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        b"PAR1" + NOISE[: len(whole)],
    ):
        assert "corrupt" in str(refusal(file_of(tmp_path, content, "a.parquet")))


def test_flipped_bit_in_a_parquet_page(tmp_path: Path) -> None:
    """Where pages carry checksums, one wrong bit in a price is seen."""
    whole = parquet_bytes(
        tmp_path, compression="none", use_dictionary=False, write_page_checksum=True
    )
    price = whole.index(struct.pack("<d", 25.0))
    damaged = whole[:price] + b"\x01" + whole[price + 1 :]
    assert "corrupt" in str(refusal(file_of(tmp_path, damaged, "a.parquet")))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"a": [1]}, "'a'"),
        ({"time": [], "price": []}, "no rows"),
        ({"time": [1, 2], "price": [{"x": 1}, {"x": 2}]}, "a column of type struct"),
        ({"time": [1, 2], "price": [[1.0], [2.0]]}, "a column of type list"),
        ({"time": [1, 2], "price": [True, False]}, "a column of type bool"),
        ({"time": [True, False], "price": [1.0, 2.0]}, "a column of type bool"),
        ({"time": [1, 2], "price": [None, None]}, "row 1, price"),
        ({"time": [1, None], "price": [1.0, 2.0]}, "row 2, time"),
        ({"time": [1, 2], "price": [1.0, None]}, "row 2, price"),
        ({"time": ["2020-01-01", "2020-01-02"], "price": ["1", "x"]}, "row 2, price"),
        ({"time": [1, 2], "price": [b"1", b"2"]}, "a column of type binary"),
    ],
    ids=range(11),
)
def test_parquet_of_something_else(
    tmp_path: Path, columns: dict[str, list[object]], words: str
) -> None:
    """A sound Parquet file without prices in it names the column or the row."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    assert words in str(refusal(path))


def test_parquet_through_a_pipe(tmp_path: Path) -> None:
    """CSV may come through a pipe; Parquet is read from its end and may not."""
    for content in (packed(GOOD), GOOD.encode(), parquet_bytes(tmp_path)):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        try:
            if content.startswith(b"PAR1"):
                assert "a pipe" in str(refusal(f"/dev/fd/{reading}"))
            else:
                assert len(read_prices(f"/dev/fd/{reading}")) == 6
        finally:
            os.close(reading)
