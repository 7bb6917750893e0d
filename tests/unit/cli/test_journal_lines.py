"""``steelyard journal show``: one line an event that a reader of the field understands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import steelyard as sy
from steelyard.cli.journal_lines import LINES, all_fields, line
from steelyard.ledger import Journal, open_writer
from steelyard.ledger.fund_kinds import EFFECTS, EVENTS
from steelyard.ledger.keeper_kinds import KEEPER_KINDS
from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset
from steelyard.simulation.journalling import KeptEvents
from support.fund_life import Life, lives
from support.live_journals import Told, live_fund

Run = Callable[..., Any]
COST = {"fee": "1", "spread": "2", "impact": "0", "gas": "0.5"}
SINCE = {"low": None, "high": None, "out": False, "passed": []}
PASSED = {"blocked": 3, "accrued": {"funding": "1.5", "interest": "0", "management": "0.5"}}

TOLD: list[tuple[str, dict[str, Any], str]] = [
    (
        "settled",
        {
            "price": "7160.69", "sent": "299460.056", "trigger": "launch", "leverage_before": "0",
            "leverage_after": "2.9999", "cost": COST, "creations": [],
        },
        "buy 41.820 at 7,160.69, launch 0.00 -> 3.00, cost 3.50",
    ),
    (
        "mark",
        {**SINCE, "price": "7178.68", "low": "7150", "high": "7237.35", "passed": [PASSED]},
        "mark 7,178.68, seen 7,150.00 to 7,237.35, blocked 3 times, accrued cost 2.00",
    ),
    (
        "blocked",
        {"trigger": "band", "leverage": "3.6249", "why": "suspended", "price": "1"},
        "blocked: band at 3.62x, reserve suspended",
    ),
    (
        "decided",
        {"intent": {"trigger": "emergency", "leverage": "4.6", "sent": "-50", "price": "100",
                    "scheduled": False}},
        "emergency crossed at 4.60x: sell 0.5 at 100.00",
    ),
    (
        "filled",
        {"units": "0", "why": "rejected"},
        "venue filled nothing: rejected",
    ),
    ("suspended", {"price": "90", "value": "8", "nav": "100"},
     "reserve suspends at 90.00, 8.00 % of nav"),
    ("crossed", {**SINCE, "price": "90", "trigger": "wind_down"}, "wind-down reached at 90.00"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "words"), TOLD, ids=[one[0] for one in TOLD])
def test_lines_are_in_the_words_of_the_field(kind: str, fields: dict[str, Any], words: str) -> None:
    """Rounded figures with their meaning, and nothing that did not happen."""
    assert line(kind, fields) == words


def test_every_kind_of_a_fund_has_a_line() -> None:
    """A kind that is added to the fund is told in words too."""
    assert set(LINES) == {
        *EVENTS,
        *EFFECTS,
        *KEEPER_KINDS,
        "mark",
        "health",
        "stopped",
        "series",
        "version",
    }


@given(lives(hours=8))
def test_whatever_happens_to_a_live_fund_is_told(life: Life) -> None:
    """No row falls back to its raw fields, and no line is longer than a screen."""
    memory = KeptEvents()
    life.live(DECIMAL18, Told(life.series, DECIMAL18, memory.append).look)
    for event in memory.events:
        told = line(event.kind, event.fields)
        assert all_fields(event.fields) not in told
        assert told
        assert "None" not in told


def test_what_does_not_fit_its_kind_is_shown_by_its_fields() -> None:
    """A row that no program of ours wrote is shown all the same."""
    assert line("settled", {"price": "x"}) == "settled: price x"
    assert line("of_later", {"n": 1}) == "of later: n 1"


def test_a_journal_of_a_preset_fits_a_hundred_columns(
    steelyard: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event takes one line, whatever it is."""
    place = tmp_path / "run.journal"
    bars = sample_prices("BTC").between("2020-03-01", "2020-03-20")
    sy.simulate(preset("steelyard-3l"), bars, journal=place)
    with Journal.open(place) as journal:
        size = journal.head().size
    monkeypatch.setenv("COLUMNS", "100")
    shown = steelyard("journal", "show", place, "--last", str(size)).out.rstrip("\n").splitlines()
    assert len(shown) == size + 2
    assert max(map(len, shown)) <= 100


def test_a_live_fund_is_told(steelyard: Run, tmp_path: Path) -> None:
    """Funding, fills and accruals are in the lines of a live journal."""
    place = tmp_path / "live.journal"
    with open_writer(place) as writer:
        live_fund(writer.append, DECIMAL18)
    out = steelyard("journal", "show", place).out
    assert "series in decimal18, prices by the clock, fills of a venue" in out
    assert "price 95.00, funding +0.01 %" in out
    assert "venue: sell " in out
    assert "accrued cost" in out
