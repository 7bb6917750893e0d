"""The asyncio shell, with a real journal in SQLite, on a simulated venue that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import Fenced
from steelyard.keeper import core
from steelyard.keeper.keeper_events import LeaseChanged, NewRequest, Priced
from steelyard.keeper.shell import Shell
from steelyard.ledger import Event, Journal, Row, Writer, open_writer
from steelyard.rules.numbers import DECIMAL18
from steelyard.venues.protocol import Mark
from steelyard.venues.simulated.fault_chances import CALM, ROUGH, FaultChances
from steelyard.venues.simulated.network import SimulatedVenue
from steelyard.venues.simulated.venue import SimulatedFace
from support.live_machine import START_MS, Machine, check, opened


def test_a_keeper_launches_follows_the_price_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Two processes, one after the other: a launch, rebalances both ways, equal books."""
    machine = Machine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(4, [68_000, 70_000, 69_000]))
    assert desk.memory.sequence >= 2
    check(machine, desk)
    again = asyncio.run(machine.keep(4, [69_000, 66_000, 68_000]))
    assert again.memory.sequence > desk.memory.sequence
    check(machine, again)
    assert abs(again.fund.leverage(Decimal(68_000)) - 3) < Decimal("0.12")


def test_a_venue_that_fails_makes_no_difference_in_the_end(tmp_path: Path) -> None:
    """Lost answers, time-outs, duplicates, partial fills; then a calm: the books are equal."""
    machine = Machine(tmp_path / "live.journal", seed=5)
    asyncio.run(machine.keep(2, [68_000]))
    machine.venue.faults = ROUGH
    asyncio.run(machine.keep(12, [68_000, 70_000, 67_000, 69_500, 66_500]))
    machine.venue.faults = CALM
    desk = asyncio.run(machine.keep(5, [66_500]))
    check(machine, desk)
    assert desk.memory.traded > 4


def test_the_kill_switch_stops_every_sending(tmp_path: Path) -> None:
    """While the file is there, decisions end as unavailable and nothing reaches the venue."""
    machine = Machine(tmp_path / "live.journal")
    machine.kill_file.touch()
    asyncio.run(machine.keep(2, [68_000]))
    assert not any(name.startswith("sy-") for name in machine.venue.exchange.orders)
    assert any("kill switch" in line for line in machine.lines)
    machine.kill_file.unlink()
    desk = asyncio.run(machine.keep(3, [68_000]))
    assert desk.state.units > 0
    check(machine, desk)


@pytest.mark.parametrize("kind", ["folder", "link to nothing", "link to itself", "no folder"])
def test_whatever_has_the_name_of_the_kill_switch_is_one(kind: str, tmp_path: Path) -> None:
    """A folder, a link to a disk that is not there, and a place that cannot be looked at."""
    machine = Machine(tmp_path / "live.journal")
    if kind == "folder":
        machine.kill_file.mkdir()
    elif kind == "no folder":
        (tmp_path / "file").touch()
        machine.kill_file = tmp_path / "file" / "live.kill"
    else:
        to = machine.kill_file if kind == "link to itself" else tmp_path / "nothing"
        machine.kill_file.symlink_to(to)
    asyncio.run(machine.keep(2, [68_000]))
    assert not any(name.startswith("sy-") for name in machine.venue.exchange.orders)
    assert any("kill switch" in line for line in machine.lines)


def test_a_clock_that_is_far_off_is_named_and_raises_no_leverage(tmp_path: Path) -> None:
    """More than half of the window: the alarm holds, and the launch's order is held back."""
    machine = Machine(tmp_path / "live.journal")
    machine.venue = SimulatedVenue(
        3, Decimal(68_000), faults=FaultChances(skew_ms=60_000), now_ms=START_MS
    )
    assert abs(machine.venue.skew_ms) > 2_000
    asyncio.run(machine.keep(2, [68_000]))
    desk = asyncio.run(machine.keep(2, [68_000]))
    assert "clock_differs" in desk.memory.alarms
    assert any("clock_differs stops what raises" in line for line in machine.lines)


class Watched:
    """The journal's writer, which tells the shell of a price while a round of the clock goes on."""

    def __init__(self, writer: Writer, tell: Callable[[], None], from_ms: int) -> None:
        self.lease, self.snapshot, self.place = writer.lease, writer.snapshot, writer.place
        self._writer, self._tell, self._from_ms = writer, tell, from_ms

    def append(self, events: Iterable[Event]) -> list[Row]:
        """Append, as it does."""
        rows = self._writer.append(events)
        if any(row.kind == "observed" and row.time_ms >= self._from_ms for row in rows):
            self._from_ms = 10**15
            asyncio.get_running_loop().call_soon(self._tell)
        return rows


def test_an_update_waits_for_one_fund_of_a_round_and_not_for_all(tmp_path: Path) -> None:
    """All funds are observed at the full minute, and a price that comes then is told between."""
    machine, count = Machine(tmp_path / "live.journal"), 8
    from_ms = START_MS + 120_000

    async def kept() -> None:
        with open_writer(machine.place) as writer, DECIMAL18.context():
            keeper, venues = core.Keeper(), {}
            for number in range(count):
                series = replace(machine.series, symbol=f"F{number}")
                desk = opened(machine.place, series)
                desk.market.underlying = series.symbol
                core.add_desk(keeper, desk)
                venue = SimulatedVenue(number, Decimal(68_000), now_ms=START_MS)
                venues[series.symbol] = SimulatedFace(venue, machine.clock)

            def tell() -> None:
                now_ms = machine.clock.now_ms()
                shell.tell(Priced(now_ms, "F0", Mark(Decimal(0), now_ms)))

            watched: Any = Watched(writer, tell, from_ms)
            shell = Shell(keeper, watched, venues, machine.clock)
            shell.tell(LeaseChanged(START_MS, 10**15))
            for name in venues:
                shell.tell(NewRequest(START_MS, name, f"launch-{name}", "a test", "launch", {}))

            async def move() -> None:
                for _ in range(130):
                    for face in venues.values():
                        face.venue.move(machine.clock.now_ms(), Decimal(68_000))
                    await machine.clock.sleep_until(machine.clock.now_ms() + 1_000)
                shell.stop()

            market = asyncio.create_task(move())
            await shell.run()
            await market

    asyncio.run(kept())
    with Journal.open(machine.place) as journal:
        rows = list(journal.events(kinds=["observed", "price_refused"], since_ms=from_ms))
    kinds = [row.kind for row in rows]
    assert len({row.fund for row in rows if row.kind == "observed"}) == count
    assert kinds.index("price_refused") <= 2


def test_a_keeper_that_was_replaced_ends_with_that(tmp_path: Path) -> None:
    """Its next store is refused, and the shell says so; the successor has the journal."""
    machine = Machine(tmp_path / "live.journal")

    async def replaced() -> None:
        running = asyncio.create_task(machine.keep(10, [68_000]))
        await machine.clock.sleep_until(START_MS + 90_000)
        with open_writer(machine.place, take_over=True):
            await running

    with pytest.raises(Fenced):
        asyncio.run(replaced())
