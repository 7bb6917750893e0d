"""The table of kinds: what is not in it is not written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import InputError
from steelyard.ledger import Event, Journal, Kind, all_kinds, kind_of, open_writer, register_kind
from support.journals import T0_MS, TRIED, event, events, journal_of


def test_a_registered_kind_is_in_the_table() -> None:
    """It is found by its name, and registering it again changes nothing."""
    assert kind_of("tried") is TRIED
    assert TRIED in all_kinds()
    before = all_kinds()
    register_kind(Kind("tried", TRIED.meaning, dict(TRIED.fields), dict(TRIED.optional)))
    assert all_kinds() == before


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind("tried", "Something else.", {}), "another kind of this name"),
        (Kind("Tried", "A test.", {}), "lower-case"),
        (Kind("größe", "A test.", {}), "lower-case"),
        (Kind("tried_2", "A test.", {"Größe": "x"}), "lower-case"),
        (Kind("tried_2", "A test.", {"seq": "x"}), "every body has"),
        (Kind("tried_2", "A test.", {}, {"time": "x"}), "every body has"),
    ],
)
def test_a_kind_that_cannot_be_is_refused(kind: Kind, words: str) -> None:
    """A name twice, a name that is not ASCII, a field that every body has."""
    before = all_kinds()
    with pytest.raises(InputError, match=words):
        register_kind(kind)
    assert all_kinds() == before


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (Event(T0_MS, "A", "treid", {"n": 1, "cash": "1"}), 'Did you mean "tried"'),
        (Event(T0_MS, "A", "tried", {"n": 1}), "none named cash"),
        (Event(T0_MS, "A", "tried", {"n": 1, "cash": "1", "more": 1}), "found more too"),
        (Event(T0_MS, "A", "tried", {"n": 1, "cash": 1.5}), r"tried\.cash: .* the float 1\.5"),
        (Event(T0_MS, "A", "tried", {"n": 1, "cash": {"é": "1"}}), r"tried\.cash: .*ASCII"),
        (Event(T0_MS, "", "tried", {"n": 1, "cash": "1"}), "fund: expected text of 1 to"),
        (Event(T0_MS, "A\nB", "tried", {"n": 1, "cash": "1"}), "printed"),
        (Event(T0_MS, "prize:BTC", "tried", {"n": 1, "cash": "1"}), "price:UNDERLYING"),
        (Event(T0_MS, "price:", "tried", {"n": 1, "cash": "1"}), "price:UNDERLYING"),
        (Event(-1, "A", "tried", {"n": 1, "cash": "1"}), "milliseconds"),
        (Event(1.5, "A", "tried", {"n": 1, "cash": "1"}), "milliseconds"),  # type: ignore[arg-type]
        (Event(10**15, "A", "tried", {"n": 1, "cash": "1"}), "milliseconds"),
    ],
)
def test_an_event_that_no_journal_takes_is_refused(file: Path, wrong: Any, words: str) -> None:
    """Nothing of its group is written, and the writer goes on."""
    with open_writer(file) as writer:
        writer.append(events(2))
        with pytest.raises(InputError, match=words):
            writer.append([event(3), wrong, event(4)])
        writer.append([event(3)])
    with Journal.open(file) as journal:
        assert [row.fields["n"] for row in journal.events()] == [1, 2, 3]


@pytest.mark.parametrize("fund", ["BTC3L", "price:BTC/USDT:USDT", "reserve:house", "ÉTH-2x"])
def test_a_fund_a_price_and_a_reserve_can_have_events(file: Path, fund: str) -> None:
    """The column holds a symbol, or what several funds share."""
    journal_of(file, [event(1, fund)])
    with Journal.open(file) as journal:
        assert journal.funds() == [fund]


def test_the_fields_of_a_row_are_those_of_the_event(file: Path) -> None:
    """A row gives the event back as it was given; optional fields may be there or not."""
    given = [event(1), event(2, note="words")]
    journal_of(file, given)
    with Journal.open(file) as journal:
        assert [row.event for row in journal.events()] == given
