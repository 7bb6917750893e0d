"""The limit of orders an hour counts what may have left, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from steelyard.keeper.shell import Shell
from steelyard.ledger import Journal
from steelyard.venues.simulated.fault_chances import FaultChances
from support.live_machine import Machine, check

WORDS = "60 orders went out in the last hour"


class Busy(Machine):
    """A machine whose venue answers nothing but that it is busy, from the second minute on."""

    is_busy = False

    async def move(self, minutes: float, path: list[float], shell: Shell) -> None:
        """The price, and that."""
        moving = asyncio.create_task(super().move(minutes, path, shell))
        if self.is_busy:
            await self.clock.sleep_until(self.clock.now_ms() + 60_000)
            self.venue.faults = FaultChances(overloaded=1.0)
        await moving


def raised(machine: Machine, minutes: int) -> None:
    """A keeper whose fund wants to buy for so long: its leverage fell as the price went up."""
    asyncio.run(machine.keep(minutes, [72_000]))


def ended(machine: Machine) -> list[tuple[str, bool]]:
    """How the orders ended, and whether they may have left."""
    with Journal.open(machine.place) as journal:
        found = journal.events(kinds=["order_ended"])
        return [(row.fields["outcome"], row.fields["sent"]) for row in found]


def test_orders_that_never_left_are_not_counted(tmp_path: Path) -> None:
    """While the kill switch is there one is made every few seconds; then one is sent at once."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(2, [68_000]))
    machine.kill_file.touch()
    raised(machine, 8)
    assert ended(machine)[1:].count(("unavailable", False)) > 60
    assert not any(WORDS in line for line in machine.lines)
    machine.kill_file.unlink()
    units = machine.venue.exchange.account.units
    desk = asyncio.run(machine.keep(2, [72_000]))
    assert desk.state.units > units
    assert ended(machine)[-1] == ("filled", True)
    check(machine, desk)


def test_orders_that_left_and_came_to_nothing_are_counted(tmp_path: Path) -> None:
    """An exchange that says it is busy was asked: it is not asked without end."""
    machine = Busy(tmp_path / "live.journal")
    asyncio.run(machine.keep(2, [68_000]))
    machine.is_busy = True
    asyncio.run(machine.keep(16, [68_000, 72_000]))
    assert ended(machine)[1:] == [("unavailable", True)] * 59
    assert any(WORDS in line for line in machine.lines)
