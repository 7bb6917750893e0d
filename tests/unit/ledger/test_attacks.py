"""Forgeries by somebody who runs the program itself, so that every later row agrees with them.

The forger tells the fund something that did not happen, and the recorder writes what follows.
"""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import DataError, InputError, JournalError
from steelyard.fund import deciding
from steelyard.fund import step as stepping
from steelyard.fund.events import Charges, Event, Filled, Liquidated, Observed, Paused
from steelyard.ledger import Event as JournalEvent
from steelyard.ledger import open_writer
from steelyard.ledger.bodies import plain
from steelyard.ledger.event_rows import Row
from steelyard.market import Feed
from steelyard.rules.decide import Outcome
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Daily, Execution, Reserve, Series, Venue
from steelyard.simulation.journals import Journal
from steelyard.simulation.reference import Replay
from steelyard.simulation.run import simulate
from support.journals import forge_snapshot
from support.random_runs import example_series, random_bars
from support.run_journals import audited, folded, journalled, rehashed
from support.tokens import T0

Bodies = list[dict[str, Any]]
NOTHING = Decimal(0)
FREE = Charges(NOTHING, NOTHING, NOTHING, NOTHING)


def token() -> Series:
    """A token with a band, a daily rebalance and a reserve."""
    series = example_series()
    pool = Reserve(initial_units=1.5, floor_ratio=0.1, resume_ratio=0.105, bears=("spread", "gas"))
    return replace(series, rebalance=replace(series.rebalance, daily=Daily(0)), reserve=pool)


def rows_of(series: Series) -> list[Row]:
    """Its journal over four days."""
    return journalled(series, random_bars(4 * 96, seed=3, step_s=900), number=DECIMAL18)[1]


def bodies_of(rows: list[Row]) -> Bodies:
    """The rows as their bodies."""
    return [
        {**copy.deepcopy(dict(row.fields)), "time": row.time_ms, "fund": row.fund, "kind": row.kind}
        for row in rows
    ]


def reasons(rows: list[Row]) -> str:
    """All that the audit found; the chain is whole."""
    verdict = audited(rows)
    assert verdict.proofs["chain"].ok
    return "; ".join(each.why for proof in verdict.proofs.values() for each in proof.findings)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Says something else to the fund, once, a day and a bit after its launch."""
    honest = Replay.observe

    def forge(make: Callable[[int, Any], Event[Any]]) -> None:
        done = []

        def observe(self: Replay[Any], time: int, price: Any) -> None:
            if time >= T0 + 100_000 and not done:
                done.append(time)
                self._step(make(time, price))
            honest(self, time, price)

        monkeypatch.setattr(Replay, "observe", observe)

    yield forge
    monkeypatch.undo()


NOT_OF_A_BACKTEST: dict[str, Callable[[int, Any], Event[Any]]] = {
    "a pause": lambda time, _: Paused(time, is_paused=True),
    "a liquidation": lambda time, price: Liquidated(time, price, Decimal(1)),
    "a fill": lambda time, price: Filled(
        time, price, NOTHING, NOTHING, FREE._replace(fee=Decimal(5_000))
    ),
}


@pytest.mark.parametrize("name", NOT_OF_A_BACKTEST)
def test_what_a_backtest_has_not_is_named(told: Callable[..., None], name: str) -> None:
    """A simulated fund has no operator and no venue of its own that could take its cash."""
    told(NOT_OF_A_BACKTEST[name])
    assert "the fund is simulated and has no venue" in reasons(rows_of(token()))


CANNOT_BE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an injection that takes": ({"injections": ((Decimal(-3_000), True),)}, {}, "injections"),
    "a price of nothing": ({"price": NOTHING}, {}, "price"),
    "a price below nothing": ({"price": Decimal(-5)}, {}, "price"),
}


@pytest.mark.parametrize("name", CANNOT_BE)
def test_what_cannot_have_been_observed_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """An observation that no market and nobody's payment can make is no observation."""
    changed, _, reason = CANNOT_BE[name]
    honest, done = Replay._step, []

    def say(self: Replay[Any], event: Event[Any]) -> Any:
        if isinstance(event, Observed) and event.time >= T0 + 100_000 and not done:
            done.append(event)
            event = event._replace(**changed)
        return honest(self, event)

    monkeypatch.setattr(Replay, "_step", say)
    assert f"cannot have happened: {reason}" in reasons(rows_of(token()))


def test_clips_that_are_withheld_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rebalance that began in clips and was not gone on with is not one that was kept."""
    series = token()
    how = replace(series.rebalance, max_trade_notional=4_000.0, cooldown_s=1_800)
    assert not reasons(rows_of(replace(series, rebalance=how)))
    monkeypatch.setattr(deciding, "_next_clip", lambda *_: Outcome.BLOCKED)
    assert "the rules require a rebalance" in reasons(rows_of(replace(series, rebalance=how)))


def test_a_fill_that_is_withheld_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order of a simulated fund is filled when it is due, or the journal says so."""
    series = replace(token(), execution=Execution(delay_s=1_800), reserve=None)
    assert not reasons(rows_of(series))
    monkeypatch.setattr(stepping, "settle", lambda *_: None)
    assert "was due to be filled by" in reasons(rows_of(series))


def test_a_fund_that_joins_a_life_is_named() -> None:
    """A second series row on the same reserve cannot put another reserve into its books."""
    bodies = bodies_of(rows_of(token()))
    where = [seq for seq, body in enumerate(bodies) if body["kind"] == "mark"][40]
    time, series = bodies[where]["time"], copy.deepcopy(bodies[0])
    terms, series["stated"]["reserve"] = series["stated"]["reserve"], None
    series["stated"]["symbol"] = "OTHER"
    series.update(fund="OTHER", time=time, shared={"name": "BTC3L", "terms": terms})
    state = plain(folded(rehashed(bodies[:where]))["BTC3L"])
    state["ended"] = {"time": time // 1_000, "price": "7000", "reason": "wind_down"}
    state["reserve"]["units"] = "0.9"
    version = {"kind": "version", "fund": "OTHER", "time": time, "program": "1", "state": state}
    assert "joins it later" in reasons(rehashed([*bodies[:where], series, version]))


def test_splits_of_many_requests_do_not_stall_the_proof() -> None:
    """A row of 400 kB asks for two hundred million new requests: it is named, and not worked on."""
    series = replace(token(), execution=Execution(delay_s=1_800), reserve=None)
    bars = random_bars(2 * 96, seed=3, step_s=900)
    flows = {"time": [int(bars.time[60])] * 2_000, "tokens": [0.001] * 2_000}
    bodies = bodies_of(journalled(series, bars, number=DECIMAL18, flows=flows)[1])
    requested = max(place for place, each in enumerate(bodies) if each["kind"] == "requested")
    following = next(each for each in bodies[requested:] if each["kind"] == "observed")
    following["inputs"][0]["splits"] = ["1"] * 100_000
    assert "cannot have happened: BTC3L: splits: expected at most" in reasons(rehashed(bodies))


NAMES: dict[str, Callable[[dict[str, Any]], object]] = {
    "the reserve of another fund": lambda series: series.update(
        shared={"name": "BTC3L", "terms": series["stated"]["reserve"]}
    ),
    "a note beside the terms": lambda series: series.update(
        shared={"name": "reserve:X", "terms": series["stated"]["reserve"], "note": "x"}
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_reserve_that_funds_share_has_a_name_of_its_own(name: str) -> None:
    """A row of a fund cannot be taken for one of a reserve, nor join the books of that name."""
    bodies = bodies_of(rows_of(token()))
    series = copy.deepcopy(bodies[0])
    NAMES[name](series)
    series["stated"].update(symbol="OTHER", reserve=None)
    series["fund"] = "OTHER"
    assert "expected the name (reserve:NAME) and terms" in reasons(rehashed([series, *bodies]))


def test_a_fund_is_no_reserve() -> None:
    """The symbol of a fund that reads as the name of a reserve is refused."""
    bodies = bodies_of(rows_of(token()))
    bodies[0]["stated"]["symbol"] = bodies[0]["fund"] = "reserve:X"
    assert "expected the symbol of a fund" in reasons(rehashed(bodies))


def test_a_series_that_says_two_things_is_named() -> None:
    """What holders read as the series file is what the fund runs on."""
    bodies = bodies_of(rows_of(token()))
    bodies[0]["text"] = "[fees]\nmanagement_per_year = 0.0\n"
    assert "its series file and its series data differ" in reasons(rehashed(bodies))


def test_marks_of_another_underlying_are_named() -> None:
    """Readers look for marks under the fund's underlying, so the audit does too."""
    bodies = bodies_of(rows_of(token()))
    for body in bodies:
        if body["kind"] == "mark":
            body["fund"] = "price:OTHER"
    assert "expected price:BTC" in reasons(rehashed(bodies))


def test_cash_beside_borrowed_units_adds_up() -> None:
    """Where interest is paid in units as well, cash is still held against it."""
    venue = Venue(kind="spot", liquidation_threshold=0.9, units_borrow_rate_per_year=0.05)
    series = replace(example_series(target=-2.0), venue=venue)
    rows = rows_of(series)
    assert not reasons(rows)
    bodies = bodies_of(rows)
    where = [seq for seq, body in enumerate(bodies) if body["kind"] == "mark"][50]
    passed = bodies[where]["passed"][0]
    passed["cash"] = str(Decimal(passed["cash"]) - 20_000)
    assert "cash" in reasons(rehashed(bodies[: where + 1]))


def test_an_inputs_array_that_is_none_is_named() -> None:
    """A body of another shape is a finding, and does not end the proof."""
    bodies = bodies_of(rows_of(token()))
    bodies[1]["impact"] = "1"
    assert "impact: expected an array" in reasons(rehashed(bodies))


def objects_in(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects within a body, each with its place; those of one array have the same."""
    inside: Any = ()
    if isinstance(value, dict):
        if path:
            yield path, value
        inside = value.items()
    elif isinstance(value, list):
        inside = ((".", each) for each in value)
    for name, each in inside:
        yield from objects_in(each, path + "/" + name)


def test_a_key_too_many_within_a_row_is_named() -> None:
    """What readers see in a row is what was proved: an object within it holds no more than that."""
    bodies = bodies_of(rows_of(token()))
    seen = set()
    for place, body in enumerate(bodies):
        for path, _ in objects_in(body):
            if (body["kind"], path) in seen:
                continue
            seen.add((body["kind"], path))
            forged = copy.deepcopy(bodies[: place + 1])
            next(each for name, each in objects_in(forged[place]) if name == path)["note"] = "x"
            verdict = audited(rehashed(forged))
            found = {each.seq: each.why for each in verdict.proofs["books"].findings}
            assert "note" in found[place + 1], path
    assert {
        ("decided", "/intent"),
        ("settled", "/cost"),
        ("settled", "/fill/charges"),
        ("observed", "/inputs/."),
        ("mark", "/passed/./accrued"),
        ("observed", "/came/."),
        ("series", "/stated/venue"),
    } <= seen


def test_an_impact_of_three_figures_is_named() -> None:
    """A figure that nothing reads is not shown as if it had been proved."""
    bodies = bodies_of(rows_of(token()))
    bodies[1]["impact"] = [["0.1", "5", "7"]]
    assert "impact: expected" in reasons(rehashed(bodies))


@pytest.mark.parametrize("what", ["", "-wal"])
def test_a_file_that_was_taken_away_takes_nothing(tmp_path: Path, what: str) -> None:
    """An event is not acknowledged that went into a file which nobody will find again."""
    path = tmp_path / "x.journal"
    event = JournalEvent(0, "X", "version", {"program": "1", "state": {}})
    with open_writer(path) as writer:
        writer.append([event])
        Path(f"{path}{what}").unlink()
        with pytest.raises(JournalError, match="removed or replaced"):
            writer.append([event])


def test_a_link_is_the_same_journal(tmp_path: Path) -> None:
    """A second writer hears of the first, by whatever name it comes."""
    link = tmp_path / "link.journal"
    with open_writer(tmp_path / "x.journal"):
        link.symlink_to(tmp_path / "x.journal")
        with pytest.raises(InputError, match="is in use"):
            open_writer(link)


def test_a_snapshot_that_was_changed_is_named(tmp_path: Path) -> None:
    """No hash of the chain covers a snapshot: verify holds it against the rows."""
    path = tmp_path / "x.journal"
    bars = random_bars(2 * 96, seed=3, step_s=900)
    simulate(token(), bars, number=DECIMAL18, journal=path)
    with Journal.open(path) as journal:
        assert journal.verify().ok
    forge_snapshot(path)
    with Journal.open(path) as journal:
        books = journal.verify().proofs["books"]
    assert books.ok is False
    assert "snapshot" in books.findings[0].why


def test_nothing_goes_on_from_a_snapshot_that_was_changed(tmp_path: Path) -> None:
    """A stop says the hash of its state: opening refuses another one, and tells what to do."""
    path = tmp_path / "x.journal"
    bars = random_bars(2 * 96, seed=3, step_s=900)
    cut = int(bars.time[96])
    run = simulate(token(), Feed(bars, end=cut), number=DECIMAL18, journal=path)
    forge_snapshot(path)
    with Journal.open(path) as journal, pytest.raises(DataError, match="was changed: expected"):
        journal.state()
    with pytest.raises(DataError, match="Drop the table of snapshots"):
        simulate(token(), Feed(bars, start=cut), number=DECIMAL18, journal=path)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TABLE snapshot")
    with Journal.open(path) as journal:
        assert journal.state() == run.state


def test_a_stop_that_names_another_state_is_named() -> None:
    """Who changes a snapshot and the hash in its row, with all hashes after it, is found too."""
    bodies = bodies_of(rows_of(token()))
    assert bodies[-1]["kind"] == "stopped"
    bodies[-1]["state"] = "0" * 64
    assert "the hash of its state is 000" in reasons(rehashed(bodies))
