"""``decay``: tables, JSON, a page, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steelyard as sy
from steelyard.market import sample_prices
from support.two_assets import two_assets

Steelyard = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Two assets' bars of four hours in the folder in which commands run."""
    for name, prices in two_assets(np.random.default_rng(3), days=700).items():
        rows = [
            f"{time},{close!r}"
            for time, close in zip(prices.time.tolist(), prices.close.tolist(), strict=True)
        ]
        (tmp_path / f"{name}.csv").write_text("time,close\n" + "\n".join(rows) + "\n")
    return {"REF": "REF.csv", "ALT": "ALT.csv"}


def test_a_person_gets_tables_and_what_they_say(
    steelyard: Steelyard, files: dict[str, str]
) -> None:
    """The assets, the pair in all four ways, and the sentences, within the terminal."""
    result = steelyard("decay", *files.values(), "--window", "7")
    assert (result.code, result.err) == (0, "")
    assert "Decay of a 3x daily reset at matched volatility, windows of 7 days" in result.out
    assert result.out.count("Matched by volatility") == 4
    said = " ".join(result.out.split())
    assert "At equal volatility from bar to bar, ALT decayed" in said
    assert "95 % interval" in said
    assert max(map(len, result.out.splitlines())) <= 100


def test_json_is_what_python_finds(steelyard: Steelyard, files: dict[str, str]) -> None:
    """The same figures by names of one's own, and the page that was written."""
    named = [f"{name.lower()}={file}" for name, file in files.items()]
    options = ("--against", "alt", "--target", "-1", "--caliper", "0.2", "--seed", "4")
    more = (
        "--block",
        "120",
        "--resamples",
        "200",
        "--confidence",
        "0.9",
        "--start",
        "2020-02-01",
        "--shift",
        "9",
    )
    result = steelyard("decay", *named, *options, *more, "--json", "--out", "decay.html")
    figures = json.loads(result.out)
    exact = sy.decay_across(
        {name.lower(): file for name, file in files.items()},
        against="alt",
        target=-1,
        caliper=0.2,
        seed=4,
        block_days=120,
        resamples=200,
        shift_days=9,
        confidence=0.9,
        start="2020-02-01",
    ).figures
    assert figures == {**exact, "report": "decay.html"}
    assert figures["pairs"][0]["asset"] == "ref"
    assert Path("decay.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "wrote decay.html" in result.err


def test_bundled_histories_go_by_their_names(steelyard: Steelyard) -> None:
    """As for any command that takes prices."""
    result = steelyard("decay", "BTC", "ETH", "--json")
    prices = {name: sample_prices(name) for name in ("BTC", "ETH")}
    assert json.loads(result.out) == {**sy.decay_across(prices).figures, "report": None}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("BTC", "BTC"), 2, "expected each asset once, found BTC twice"),
        (("BTC",), 3, "expected two assets or more"),
        (("BTC", "ETH", "--against", "SOL"), 3, "against SOL"),
        (("BTC", "ETH", "--target", "1"), 3, "target: expected neither 0 nor 1, found 1."),
        (("BTC", "nowhere.csv"), 3, "nowhere.csv"),
        (("BTC", "ETH", "--end", "2020-01-05"), 3, "one whole window of 30 days"),
        (("BTC", "ETH", "--start", "2021-01-01", "--end", "2020-01-01"), 2, "end"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    steelyard: Steelyard, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """One line that says why, and the exit code of its kind."""
    result = steelyard("decay", *arguments)
    assert result.code == code
    assert message in " ".join(result.err.split())
    assert result.out == ""
