"""What reading prices imports: a cold command must not wait for libraries it does not use."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from support.tables import bars_text, file_of

if TYPE_CHECKING:
    from pathlib import Path


def loaded(code: str, *arguments: object) -> set[str]:
    """The libraries that a fresh interpreter has loaded after running this code."""
    program = f"import sys\n{code}\nprint(*(name.partition('.')[0] for name in sys.modules))"
    words = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_package_alone_is_light() -> None:
    """Importing it, and its reading of times, loads no library at all."""
    libraries = {"numpy", "pandas", "polars", "pyarrow"}
    assert not libraries & loaded("import steelyard.market")
    assert not libraries & loaded(
        "from steelyard.market import parse_time; parse_time('2020-01-01')"
    )


def test_reading_files_needs_no_pandas(tmp_path: Path) -> None:
    """CSV and Parquet files are read by Arrow alone, which would otherwise load pandas as well."""
    text = bars_text()
    path = tmp_path / "a.parquet"
    columns = {name: [1.0, 2.0] for name in ("open", "high", "low", "close")}
    stamps = pa.array([0, 60], pa.timestamp("s", "UTC"))
    pq.write_table(pa.table({"time": stamps, **columns}), path)
    code = "from steelyard.market import read_prices; assert len(read_prices(sys.argv[1])) > 1"
    for file in (path, file_of(tmp_path, text), file_of(tmp_path, text.replace("10,", "10 ,"))):
        assert "pyarrow" in loaded(code, file)
        assert not {"pandas", "polars"} & loaded(code, file)


def test_everything_offered_is_there() -> None:
    """Each name in `__all__` can be fetched, and another gives AttributeError."""
    code = """
import steelyard.market as market
assert set(market.__all__) == set(dir(market))
assert all(hasattr(market, name) for name in market.__all__)
assert not hasattr(market, "absent")
"""
    assert "steelyard" in loaded(code)
