"""A gigabyte of junk is refused in bounded memory and in a moment."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

GIGABYTE = 1 << 30
MEGABYTE = 1 << 20
LIMIT_MB = 300
GOOD = b"time,price\n1,1\n"

READ = """
import resource, sys
import numpy, pyarrow.compute, pyarrow.csv, pyarrow.parquet
from steelyard.errors import DataError
from steelyard.market import read_prices
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_prices(sys.argv[1])
except DataError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


def memory_and_message(path: Path, reader: str = "read_prices") -> tuple[int, str]:
    """Read in a process of its own; return the megabytes it grew by and how it was refused.

    The process must also end: one in which Arrow still reads a Python stream would not.
    """
    done = subprocess.run(
        [sys.executable, "-c", READ.replace("read_prices", reader), path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown, _, message = done.stdout.partition(" ")
    return int(grown), message.strip()


def bomb(path: Path, start: bytes, junk: bytes) -> Path:
    """A small gzip file that unpacks to a gigabyte of junk: one packed megabyte, repeated."""
    member = gzip.compress(junk * (MEGABYTE // len(junk)), compresslevel=9)
    with path.open("wb") as file:
        file.write(gzip.compress(start))
        for _ in range(GIGABYTE // MEGABYTE):
            file.write(member)
    return path


@pytest.mark.parametrize("start", [b"", b"PAR1", GOOD])
def test_a_gigabyte_of_nothing(tmp_path: Path, start: bytes) -> None:
    """A plain file of a gigabyte of zero bytes, with and without a good beginning."""
    path = tmp_path / "prices.csv"
    with path.open("wb") as file:
        file.write(start)
        file.truncate(GIGABYTE)
    grown, message = memory_and_message(path)
    assert message.startswith(str(path))
    assert grown < LIMIT_MB
    assert path.stat().st_size == GIGABYTE
    os.truncate(path, 0)


@pytest.mark.parametrize(
    ("start", "junk", "words"),
    [
        (b"", b"junk", "one line of over 65,536 bytes"),
        (b"", b"junk\n", "columns"),
        (b"", b"\n", "nothing but blanks"),
        (b"", b"\0", "binary"),
        (GOOD, b"junk", "a line of over 1,048,576 bytes"),
        (GOOD, b"junk\n", "row 2 (line 3)"),
        (GOOD, b"a,b\n", "row 2 (line 3), time"),
        (GOOD, b"2,2\n", "row 3 (line 4), time"),
        (GOOD + b'2,"', b"junk\n", "quotation mark"),
        (GOOD, b"2," * 8, "a line of over"),
    ],
    ids=range(10),
)
def test_a_gigabyte_of_junk_in_a_megabyte(
    tmp_path: Path, start: bytes, junk: bytes, words: str
) -> None:
    """A gzip bomb, with and without line ends, with and without a good beginning."""
    grown, message = memory_and_message(bomb(tmp_path / "prices.csv.gz", start, junk))
    assert words in message
    assert grown < LIMIT_MB


@pytest.mark.parametrize("kind", ["capital", "gift"])
def test_a_gigabyte_of_injections(tmp_path: Path, kind: str) -> None:
    """Injections may share an instant; a gigabyte of the same one is refused at the second."""
    start = f"time,quote,kind\n1,2,{kind}\n".encode()
    path = bomb(tmp_path / "injections.csv.gz", start, f"1,2,{kind}\n".encode())
    grown, message = memory_and_message(path, "read_injections")
    assert f"row {2 if kind == 'capital' else 1} " in message
    assert grown < LIMIT_MB


def test_a_plain_file_of_text_junk(tmp_path: Path) -> None:
    """Two hundred megabytes of text after a good beginning."""
    path = tmp_path / "prices.csv"
    with path.open("wb") as file:
        file.write(GOOD)
        for _ in range(200):
            file.write(b"lorem ipsum dolor\n" * (MEGABYTE // 18))
    grown, message = memory_and_message(path)
    assert "row 2 (line 3)" in message
    assert grown < LIMIT_MB
    os.truncate(path, 0)


def test_a_parquet_file_of_one_value(tmp_path: Path) -> None:
    """Fifty million equal rows pack into kilobytes; they are refused at the second."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "prices.parquet"
    part = pa.table({"time": np.ones(MEGABYTE, np.int64), "price": np.ones(MEGABYTE)})
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(50):
            writer.write_table(part)
    grown, message = memory_and_message(path)
    assert "row 2, time" in message
    assert grown < LIMIT_MB
