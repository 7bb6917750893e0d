"""Journals of runs: they verify, they fold to the state that wrote them, and can be gone on with.

Over random series, venues, flows, outages and reserves, shared ones too.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard.errors import DataError, InputError
from steelyard.ledger import Journal as Rows
from steelyard.ledger import recorder
from steelyard.ledger.current_books import open_books
from steelyard.ledger.event_rows import Row
from steelyard.ledger.instants import HOUR_S
from steelyard.market import sample_prices
from steelyard.market.price_feed import BY_SYMBOL
from steelyard.rules.numbers import DECIMAL, DECIMAL18, FLOAT, FRACTION, Number
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Fees, Move
from steelyard.simulation import journalling
from steelyard.simulation.journal_anew import compare_anew
from support.feeding import fed, others_in
from support.random_runs import example_series, random_bars
from support.reaching import reaching
from support.run_journals import (
    audited,
    folded,
    journalled,
    journalled_series,
    options_of_several,
)
from support.situations import Situation, situations
from support.story_cases import delayed_several_series, several_series
from support.strategies import MODES
from support.tokens import bars, token

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failing history is named as it was drawn: making it smaller takes minutes."""
NUMBERS = st.sampled_from([FLOAT, DECIMAL, DECIMAL18])


def assert_holds(rows: list[Row]) -> None:
    """All three proofs hold."""
    verdict = audited(rows)
    assert verdict.ok, [proof.findings[:2] for proof in verdict.proofs.values()]


@settings(max_examples=60, deadline=None, phases=PHASES)
@given(situations(most=80), NUMBERS)
def test_a_journal_verifies_and_folds_to_the_state_that_wrote_it(
    case: Situation, number: Number[Any]
) -> None:
    """Whatever happens to a fund, its journal gives its state to the last digit, and holds."""
    try:
        run, rows = journalled(case.series, case.bars, number=number, **case.options)
    except InputError:
        reject()
    assert folded(rows)[case.series.symbol] == run.state
    assert_holds(rows)


def test_a_trade_that_only_a_fee_makes_due_is_not_missed_before_it_was_charged() -> None:
    """With no cash a 1x token stands at its target at any price: its move trades nothing at first.

    The fee lowers cash, and then the same move is a trade, at a later crossing of its threshold.
    """
    series = token(1.0, move=Move(threshold=0.04), fees=Fees(management_per_year=0.02))
    path = bars((100.0, 108.0, 99.0, 102.0), (102.0, 105.0, 102.0, 104.5), step_s=HOUR_S)
    run, rows = journalled(series, path, intrabar="path")
    assert run.summary["rebalances"]["count"] == 1
    assert_holds(rows)


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(several_series() | delayed_several_series(), MODES, NUMBERS)
def test_a_journal_of_funds_on_one_reserve_verifies_and_folds(
    case: tuple[Any, ...], mode: str, number: Number[Any]
) -> None:
    """Several funds that share what pays for them: the same promise."""
    options = options_of_several(case, mode)
    try:
        run, rows = journalled_series(case[0], case[1], number=number, **options)
    except InputError:
        reject()
    states = folded(rows)
    assert [states[token.symbol] for token in case[0]] == run.states
    assert_holds(rows)


def merged(rows: list[Row]) -> list[tuple[Any, ...]]:
    """Rows as they would be had nobody stopped: what a stop told goes to the row after it."""
    told: list[tuple[Any, ...]] = []
    held: dict[str, Any] | None = None
    for row in rows:
        fields = dict(row.fields)
        if row.kind == "stopped":
            held = _joined(held, fields)
            continue
        if held is not None and "passed" in fields:
            fields = _joined(held, fields)
            held = None
        told.append((row.time_ms, row.fund, row.kind, fields))
    return told


def _joined(first: dict[str, Any] | None, then: dict[str, Any]) -> dict[str, Any]:
    """What two rows say of the time before them, as one."""
    if first is None:
        return then
    lows = [each["low"] for each in (first, then) if each["low"] is not None]
    highs = [each["high"] for each in (first, then) if each["high"] is not None]
    passed = {each["fund"]: each for each in first["passed"]}
    for each in then["passed"]:
        before = passed.get(each["fund"])
        passed[each["fund"]] = each if before is None else _sum(before, each)
    return {
        **then,
        "low": min(lows, key=float, default=None),
        "high": max(highs, key=float, default=None),
        "out": first["out"] or then["out"],
        "passed": sorted(passed.values(), key=lambda each: str(each["fund"])),
    }


def _sum(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    joined = {**then, "blocked": first["blocked"] + then["blocked"]}
    joined["window"] = first["window"] + then["window"]
    for part, amounts in (
        ("accrued", ("funding", "interest", "management")),
        ("settled", ("paid", "shortfall")),
    ):
        one, other = first[part], then[part]
        joined[part] = one if other is None else other
        if one is not None and other is not None:
            sums = {name: str(float(one[name]) + float(other[name])) for name in amounts}
            joined[part] = {**other, **sums}
    return joined


def assert_near(one: Any, other: Any) -> None:
    """The same, sums of floats to 1e-12."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_near(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for each, that in zip(one, other, strict=True):
            assert_near(each, that)
    elif isinstance(one, str) and isinstance(other, str) and one != other:
        assert float(one) == pytest.approx(float(other), rel=1e-12, abs=1e-9)
    else:
        assert one == other


@settings(max_examples=12, deadline=None, phases=PHASES)
@given(case=situations(most=60), number=NUMBERS, data=st.data())
def test_closing_a_journal_anywhere_and_going_on_gives_the_same_journal(
    case: Situation, number: Number[Any], data: st.DataObject, tmp_path_factory: Any
) -> None:
    """A history that is run in two parts is told as one that is run at once."""
    series, bars, options = case
    place = tmp_path_factory.mktemp("parts") / "two.journal"
    try:
        run, rows = journalled(series, bars, number=number, **options)
    except InputError:
        reject()
    at = data.draw(st.integers(1, len(bars) - 1))
    cut = int(bars.time[at])
    try:
        first = reaching(options, bars.slice(0, at))
        how = {**others_in(options), "number": number, "journal": place}
        sy.simulate(series, fed(bars, first, end=cut), **how)
        second = sy.simulate(series, fed(bars, options, start=cut), **how)
    except (InputError, DataError):
        # the first part's own time has none of an input's rows
        reject()
    assert second.state == run.state
    with Rows.open(place) as journal:
        parts = list(journal.all_rows())
        assert open_books(journal)[series.symbol].funds[0].state == run.state
        without = open_books(journal, with_snapshots=False)
        assert without[series.symbol].funds[0].state == run.state
    assert_holds(parts)
    assert_near(merged(parts), merged(rows))
    own = {name: {series.symbol: options[name]} for name in BY_SYMBOL if name in options}
    assert compare_anew(parts, fed(bars, options, **own)) == []


def test_inputs_that_came_too_late_for_a_closed_fund_do_not_stop_its_proof() -> None:
    """A fund that is wound down has no rows after; the split of its file is of a later day."""
    series, bars = example_series(), random_bars(96, seed=3, step_s=900)
    wind_down, late = int(bars.time[30]), int(bars.time[60])
    inputs: dict[str, Any] = {"wind_down": wind_down, "splits": {"time": [late], "ratio": [2.0]}}
    _, rows = journalled(series, bars, **inputs)
    given = {name: {series.symbol: source} for name, source in inputs.items()}
    assert compare_anew(rows, sy.Feed(bars, **given)) == []
    with pytest.raises(DataError, match=r"splits: .* none of them has an effect"):
        compare_anew(rows, sy.Feed(bars.slice(0, 50), **given))


def test_going_on_looks_back_on_a_reserve_to_the_last_digit(tmp_path: Path) -> None:
    """What a reserve paid and was worth before the cut is summed in the books' own 50 digits."""
    series, bars = example_series(reserve=True), random_bars(96, seed=3, step_s=900)
    assert series.reserve is not None
    series = replace(series, reserve=replace(series.reserve, initial_units=1.723382059352637))
    place, first, cut = tmp_path / "two.journal", int(bars.time[1]), int(bars.time[41])
    sy.simulate(series, sy.Feed(bars, start=first, end=cut), number=DECIMAL18, journal=place)
    sy.simulate(series, sy.Feed(bars, start=cut), number=DECIMAL18, journal=place)
    with Rows.open(place) as journal:
        assert_holds(list(journal.all_rows()))


@pytest.mark.parametrize("name", preset_names())
def test_the_journal_of_every_preset_verifies(name: str, tmp_path: Path) -> None:
    """Over the bundled history each preset's journal holds, and is what the prices give."""
    bars = sample_prices("BTC").between("2020-02-01", "2020-06-01")
    series, place = preset(name), tmp_path / "run.journal"
    run = sy.simulate(series, bars, journal=place, number=DECIMAL18)
    with sy.Journal.open(place) as journal:
        assert journal.verify().ok
        assert journal.state() == run.state
        assert compare_anew(list(journal.events()), bars) == []


def test_a_journal_has_the_frames_of_its_run(tmp_path: Path) -> None:
    """Rebalances and flows equal those of the run; nav does at each full hour."""
    series, bars = example_series(reserve=True), random_bars(300, step_s=1_800)
    flows = {"time": bars.time[[40, 90]] + 1, "tokens": [25.0, -10.0]}
    place = tmp_path / "run.journal"
    run = sy.simulate(series, sy.Feed(bars, flows=flows), journal=place, intrabar="close")
    with sy.Journal.open(place) as journal:
        assert journal.rebalances.equals(run.rebalances)
        assert journal.flows.equals(run.flows)
        assert list(journal.nav) == list(run.nav)
        ends = run.nav.assign(time=run.nav["time"] + np.timedelta64(1_800, "s"))
        hours = ends[ends["time"].dt.minute == 0].reset_index(drop=True)
        assert journal.nav.equals(hours)
        assert len(journal.reserve) == len(journal.nav)
        assert journal.reserve["level"].iloc[-1] == run.summary["reserve"]["level"]
        assert journal.run().summary["rebalances"] == run.summary["rebalances"]
        assert sy.tracking(journal.run()) is not None


def test_a_series_that_changed_is_a_new_fund(tmp_path: Path) -> None:
    """A journal is gone on with by the very series that began it, and told so in one sentence."""
    place, bars = tmp_path / "run.journal", random_bars(40)
    sy.simulate(example_series(), sy.Feed(bars, end=int(bars.time[20])), journal=place)
    other = example_series(target=2.0)
    with pytest.raises(InputError, match="series file that its journal began with"):
        sy.simulate(other, sy.Feed(bars, start=int(bars.time[20])), journal=place)
    with pytest.raises(InputError, match="kind of number that its journal began with"):
        sy.simulate(
            example_series(), sy.Feed(bars, start=int(bars.time[20])), journal=place, number=DECIMAL
        )


def test_a_fraction_is_not_journalled(tmp_path: Path) -> None:
    """A Fraction has no decimal string: the refusal says which kinds have one."""
    with pytest.raises(InputError, match="expected one of float, decimal, decimal18"):
        sy.simulate(
            example_series(), random_bars(5), journal=tmp_path / "a.journal", number=FRACTION
        )


def test_a_newer_program_says_its_version_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before its first step it writes the whole state; the journal is whole, and what it was."""
    series, bars = example_series(reserve=True), random_bars(120)
    whole, place = tmp_path / "whole.journal", tmp_path / "two.journal"
    run = sy.simulate(series, bars, number=DECIMAL18, journal=whole)
    cut = int(bars.time[60])
    sy.simulate(series, sy.Feed(bars, end=cut), number=DECIMAL18, journal=place)
    for module in (journalling, recorder):
        monkeypatch.setattr(module, "__version__", "999.0")
    second = sy.simulate(series, sy.Feed(bars, start=cut), number=DECIMAL18, journal=place)
    assert second.state == run.state
    with Rows.open(place) as journal:
        rows = list(journal.all_rows())
        assert open_books(journal, with_snapshots=False)[series.symbol].funds[0].state == run.state
    (version,) = [row for row in rows if row.kind == "version"]
    assert rows[version.seq - 2].kind == "stopped"
    assert version.fields["program"] == "999.0"
    assert folded(rows[: version.seq]) == folded(rows[: version.seq - 1])
    assert_holds(rows)
    assert compare_anew(rows, bars) == []


def test_a_run_is_journalled_in_postgres(postgres: str) -> None:
    """By URL: the same rows, proofs, frames and state as in a file, and it is gone on with."""
    series, bars = example_series(), random_bars(80)
    run, rows = journalled(series, bars, number=DECIMAL18)
    cut = int(bars.time[40])
    sy.simulate(series, sy.Feed(bars, end=cut), number=DECIMAL18, journal=postgres)
    sy.simulate(series, sy.Feed(bars, start=cut), number=DECIMAL18, journal=postgres)
    with sy.Journal.open(postgres) as journal:
        assert journal.verify().ok
        assert journal.state() == run.state
        assert journal.rebalances.equals(run.rebalances)
        parts = list(journal.events())
    assert merged(parts) == merged(rows)
