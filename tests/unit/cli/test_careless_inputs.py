"""Options with values that cannot be meant: one sentence that says what was expected and found."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.cli.app import app
from steelyard.errors import SteelyardError


def sentence_of(*arguments: str) -> str:
    """The error of a command that must fail."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code != 0
    known = isinstance(result.exception, SteelyardError | SystemExit)
    assert known, result.exception
    return result.output + str(result.exception)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("simulate|ftx-bull|--prices|", "found an empty name"),
        ("data|check|", "found an empty name"),
        ("forecast|ftx-bull|--price|1e308", "above 0 and below 1e50, found 1e+308"),
        ("decay|BTC|ETH|--seed|-1", "seed: expected a whole number, 0 or more, found -1"),
        ("decay|BTC|ETH|--resamples|100000000", "from 100 to 100,000, found 1e+08"),
        ("forecast|ftx-bull|--price|9|--ladder|-150%|10%|5", "found -150 % to 10 % in 5 steps"),
        ("forecast|ftx-bull|--price|9|--ladder|-1pc|10|5", "a move in percent such as -20"),
    ],
)
def test_one_sentence_each(line: str, words: str) -> None:
    """What was expected and what was found, in the unit in which it was given."""
    assert words in sentence_of(*line.split("|"))


def test_percent_signs_are_read_in_a_ladder() -> None:
    """-10% is -10."""
    arguments = ["forecast", "ftx-bull", "--price", "1000", "--time", "2024-01-01", "--json"]
    outputs = [
        CliRunner().invoke(app, [*arguments, "--ladder", low, high, "5"]).stdout
        for low, high in (("-10", "10"), ("-10%", "10%"))
    ]
    assert outputs[0] == outputs[1] != ""


def test_high_funding_has_to_be_asked_for(tmp_path: Path) -> None:
    """Refused without the option, taken with it, in whatever order they are given."""
    times = (f"{1_577_836_800 + row * 28_800},0.01" for row in range(90))
    file = tmp_path / "funding.csv"
    file.write_text("\n".join(["time,rate", *times]))
    line = ["simulate", "ftx-bull", "--prices", "BTC", "--funding", str(file), "--json"]
    assert "--high-funding" in sentence_of(*line)
    for given in ([*line, "--high-funding"], [*line[:4], "--high-funding", *line[4:]]):
        result = CliRunner().invoke(app, given)
        assert result.exit_code == 0
        assert "+1095.00 % of notional a year" in result.stdout
