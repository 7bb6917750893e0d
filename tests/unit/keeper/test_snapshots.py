"""Snapshots of a live fund: after a clean stop, and while it runs; a forged one leads nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from steelyard.errors import DataError
from steelyard.keeper import core
from steelyard.keeper.commands import Command, Send
from steelyard.keeper.desk import Desk, Guards
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.shell import Shell
from steelyard.ledger import Journal, open_writer
from steelyard.ledger import current_books as ledger_opening
from steelyard.ledger.audit import Audit
from steelyard.ledger.snapshots import snapshot_of
from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset
from steelyard.rules.series import Series
from steelyard.simulation.fills import ModelFills
from support.journals import execute, forge_snapshot
from support.paper_keeper import kept

SERIES = preset("kucoin-3l")
SPAN = {"start": "2020-02-01", "end": "2020-03-10", "intrabar": "path"}
START_MS = 1_580_515_200_000


def stopped(place: Path, days: int = 100) -> Desk:
    """A keeper that lived through a part of the sample, to its end or so long, and stopped."""
    until_ms = START_MS + days * 86_400_000
    return asyncio.run(kept(place, SERIES, sample_prices("BTC"), SPAN, until_ms))


def opened(place: Path, series: Series = SERIES) -> tuple[Desk, list[str]]:
    """The desk of a journal, and the kinds of the rows that were folded for its books."""
    folded: list[str] = []
    fold_row = ledger_opening._fold_row

    def counting(*args: object) -> None:
        folded.append(args[2].kind)  # type: ignore[attr-defined]
        fold_row(*args)  # type: ignore[arg-type]

    with patch.object(ledger_opening, "_fold_row", counting), Journal.open(place) as journal:
        return open_desk(journal, series, Guards()), folded


def killed(_: core.Keeper) -> list[Command]:
    """In the place of ``core.stop``: a keeper that is killed does nothing last."""
    return []


def verified(place: Path) -> bool:
    """Whether the proofs of a journal and of its snapshots hold."""
    with Journal.open(place) as journal:
        return journal.verify(checks=[Audit(ModelFills(), journal.snapshots())]).ok


def test_after_a_clean_stop_a_keeper_opens_from_its_snapshot(tmp_path: Path) -> None:
    """The last row names the state that the snapshot holds: no row of the books is folded."""
    place = tmp_path / "live.journal"
    desk = stopped(place)
    with Journal.open(place) as journal:
        *_, last = journal.events()
        (taken,) = journal.snapshots()
    assert (last.kind, last.seq) == ("stopped", taken.seq)
    again, folded = opened(place)
    assert folded == []
    assert again.state == desk.state
    assert again.memory == desk.memory
    assert verified(place)
    execute(place, "DELETE FROM {schema}snapshot")
    unaided, folded = opened(place)
    assert len(folded) > 100
    assert unaided.state == desk.state


def test_a_keeper_that_goes_on_from_a_snapshot_has_the_books_of_one_that_never_stopped(
    tmp_path: Path,
) -> None:
    """Three clean stops on the way: the same state in the end, and the proofs hold."""
    ends = []
    place = tmp_path / "live.journal"
    whole = stopped(tmp_path / "whole.journal")
    for days in (3, 10, 20, 100):
        desk = stopped(place, days)
        ends.append(desk.state.time)
    assert len(set(ends)) == len(ends)
    assert desk.state == whole.state
    assert desk.memory.trades.keys() == whole.memory.trades.keys()
    assert verified(place)


@pytest.mark.parametrize("every", [1, 7, 100])
def test_snapshots_while_it_runs_change_nothing_of_what_it_does(every: int, tmp_path: Path) -> None:
    """With one after every few rows: the same books, a journal that verifies, few rows to fold."""
    desk = stopped(tmp_path / "plain.journal")
    place = tmp_path / "live.journal"
    with (
        patch.object(core, "SNAPSHOT_EVERY", every),
        patch.object(core, "stop", killed),
    ):
        other = stopped(place)
    assert other.state == desk.state
    again, folded = opened(place)
    assert again.state == desk.state
    assert len(folded) <= every + 20
    assert verified(place)


def test_a_forged_snapshot_is_refused(tmp_path: Path) -> None:
    """Other cash under the row of a stop: opening says so, and verify finds it."""
    place = tmp_path / "live.journal"
    stopped(place)
    forge_snapshot(place)
    with pytest.raises(DataError, match="was changed: expected"):
        opened(place)
    assert not verified(place)


def test_a_snapshot_that_no_stop_names_leads_nowhere(tmp_path: Path) -> None:
    """Somebody with the file binds one to the last row: the rows are folded from the true one."""
    place = tmp_path / "live.journal"
    with patch.object(core, "stop", killed):
        desk = stopped(place)
    with open_writer(place) as writer, DECIMAL18.context():
        richer = snapshot_of(desk.recorder.books)
        richer["funds"][0]["state"]["cash"] = "999999999"
        writer.snapshot(desk.symbol, richer)
    again, _ = opened(place)
    assert again.state == desk.state


class Killed(BaseException):
    """In the place of ``kill -9``."""


def test_a_keeper_that_is_killed_between_storing_and_sending_sends_then(tmp_path: Path) -> None:
    """At a venue in the same process nothing was under way: no order and no digit is lost."""
    whole = stopped(tmp_path / "whole.journal")
    place, kills = tmp_path / "live.journal", 0
    ask = Shell._ask

    def killing(shell: Shell, command: Any) -> None:
        if isinstance(command, Send) and command.request.client_id not in seen:
            seen.add(command.request.client_id)
            raise Killed
        ask(shell, command)

    seen: set[str] = set()
    with patch.object(Shell, "_ask", killing):
        while True:
            try:
                desk = stopped(place)
                break
            except Killed:
                kills += 1
    assert kills == len(seen) > 10
    assert desk.state == whole.state
    assert verified(place)
