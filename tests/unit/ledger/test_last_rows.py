"""The last rows of a journal: nothing after them could show what is missing in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from steelyard.ledger.event_rows import Row
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Reserve, Series, Venue
from support.random_runs import example_series, random_bars
from support.run_journals import audited, forged, journalled
from support.tokens import DAY_S

Bodies = list[dict[str, Any]]


@cache
def rows_of(kind: str, step_s: int, intrabar: str) -> tuple[Row, ...]:
    """The journal of a token on a venue, with a reserve, over 30 bars."""
    series = replace(example_series(reserve=True), venue=Venue(kind=kind))
    if kind == "pool":
        pool = Reserve(initial_units=90.0, floor_ratio=0.1, resume_ratio=0.2)
        series = replace(series, reserve=pool)
    bars = random_bars(30, step_s=step_s)
    return tuple(journalled(series, bars, number=DECIMAL18, intrabar=intrabar)[1])


def reasons(rows: list[Row] | tuple[Row, ...]) -> str:
    """All that the audit found."""
    proofs = audited(list(rows)).proofs
    return "; ".join(each.why for proof in proofs.values() for each in proof.findings)


def before_the_stop(kinds: set[str]) -> Callable[[Bodies], None]:
    """The last row of each of these kinds is not there."""

    def change(bodies: Bodies) -> None:
        for kind in kinds:
            del bodies[max(n for n, body in enumerate(bodies) if body["kind"] == kind)]

    return change


def at_the_end(kinds: set[str]) -> Callable[[Bodies], None]:
    """The journal ends before the last rows of these kinds, as if its writer had been killed."""

    def change(bodies: Bodies) -> None:
        del bodies[max(n for n, body in enumerate(bodies) if body["kind"] == "health") + 1 :]
        while bodies[-1]["kind"] in kinds:
            bodies.pop()

    return change


@pytest.mark.parametrize("kind", ["perpetual", "spot", "future", "pool"])
@pytest.mark.parametrize("step_s", [900, DAY_S])
def test_a_stop_that_says_nothing_is_named(kind: str, step_s: int) -> None:
    """What passed since the row before the last one is in the last one, whatever the venue."""
    rows = rows_of(kind, step_s, "path")
    assert rows[-1].kind == "stopped"
    assert reasons(rows) == ""
    if not rows[-1].fields["passed"]:
        return

    def empties(bodies: Bodies) -> None:
        bodies[-1]["passed"] = []

    found = reasons(forged(rows, empties))
    assert "settled up to a price of" in found or "it states no accruals of BTC3L since" in found


def test_a_reserve_that_settles_at_the_last_price_says_so() -> None:
    """The case above is one where the last row holds what the counterparty paid."""
    passed = rows_of("pool", DAY_S, "path")[-1].fields["passed"]
    assert passed[0]["settled"] is not None


HOURS = [({"mark", "health"}, "mark"), ({"mark"}, "mark"), ({"health"}, "health")]


@pytest.mark.parametrize("intrabar", ["close", "path"])
@pytest.mark.parametrize("step_s", [900, DAY_S])
@pytest.mark.parametrize(("kinds", "named"), HOURS)
def test_an_hour_that_is_missing_before_a_stop_is_named(
    intrabar: str, step_s: int, kinds: set[str], named: str
) -> None:
    """The mark of the last full hour, and its reserve's health, stand before the stop."""
    rows = rows_of("perpetual", step_s, intrabar)
    assert reasons(rows) == ""
    found = reasons(forged(rows, before_the_stop(kinds)))
    assert f"{named} of 20" in found
    assert "is missing before it" in found


@pytest.mark.parametrize("intrabar", ["close", "path"])
@pytest.mark.parametrize(("kinds", "named"), HOURS[::2])
def test_an_hour_that_is_missing_at_the_end_is_named(
    intrabar: str, kinds: set[str], named: str
) -> None:
    """Mark and health are stored in one transaction with what was observed at their hour."""
    rows = rows_of("perpetual", DAY_S, intrabar)
    found = reasons(forged(rows, at_the_end(kinds)))
    assert f"{named} of 20" in found
    assert "is missing after it" in found


def test_a_journal_of_a_writer_that_was_killed_verifies() -> None:
    """Cut after any mark with its health, as a writer leaves it that never came to stop."""
    rows = rows_of("perpetual", DAY_S, "path")
    ends = [row.seq for row in rows if row.kind == "health"]
    assert len(ends) > 100
    for end in ends[:: len(ends) // 10]:
        assert reasons(rows[:end]) == ""


def test_the_end_of_a_fund_needs_its_mark() -> None:
    """A fund that ended at a full hour was observed there: the mark of that hour is there too."""
    series: Series = example_series(reserve=True)
    bars = random_bars(20, step_s=DAY_S)
    end = int(bars.time[10]) + DAY_S
    rows = journalled(series, bars, number=DECIMAL18, intrabar="close", wind_down=end)[1]
    assert "closed" in {row.kind for row in rows}
    assert reasons(rows) == ""
    assert "is missing" in reasons(forged(rows, before_the_stop({"mark", "health"})))
