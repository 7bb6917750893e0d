"""What a shell is offered after the Tab key."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from click.shell_completion import BashComplete

from steelyard.cli.app import app

WORDS = [
    (("simulate",), "ftx-", {"ftx-bull", "ftx-bear", "ftx-hedge"}),
    (("compare", "ftx-bull"), "kucoin-3", {"kucoin-3l", "kucoin-3s"}),
    (("series", "show"), "index", {"index-2x"}),
    (("series", "check"), "tor", {"toros-3l"}),
    (("explain",), "oracle-1", {"oracle-1s"}),
    (("tearsheet",), "steelyard-3", {"steelyard-3l"}),
    (("forecast",), "pio", {"pionex-2l"}),
    (("simulate", "ftx-bull", "--prices"), "B", {"BTC"}),
    (("data", "check"), "", {"BTC", "ETH"}),
    (("decay",), "E", {"ETH"}),
]


@pytest.mark.parametrize(
    ("words", "begun", "offered"), WORDS, ids=[words[0] + begun for words, begun, _ in WORDS]
)
def test_presets_and_histories_are_completed(
    words: Sequence[str], begun: str, offered: set[str]
) -> None:
    """Those that begin so, and files, for a series may be either."""
    found = BashComplete(app, {}, "steelyard", "_STEELYARD_COMPLETE").get_completions(
        list(words), begun
    )
    assert {item.value for item in found if item.type == "plain"} == offered
    assert [item.value for item in found if item.type == "file"] == [begun]


def test_commands_are_completed() -> None:
    """The groups' own names, which are loaded when they are used."""
    shell = BashComplete(app, {}, "steelyard", "_STEELYARD_COMPLETE")
    assert {item.value for item in shell.get_completions([], "te")} == {"tearsheet"}
    assert {item.value for item in shell.get_completions([], "de")} == {"demo", "decay"}
