"""A venue whose lists show what has happened later than it promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.keeper.shell import Shell
from steelyard.venues.simulated.venue import SimulatedFace
from support.live_machine import Machine, check

LATE_MS = 100_000


class LateFace(SimulatedFace):
    """Records are listed long after wallet and position show them."""

    async def trades_since(self, since_ms: int) -> Any:
        """Those that are old."""
        return self._old(await super().trades_since(since_ms))

    async def movements_since(self, since_ms: int) -> Any:
        """Those that are old."""
        return self._old(await super().movements_since(since_ms))

    def _old(self, found: Any) -> Any:
        value = tuple(each for each in found.value if each.time_ms <= found.time_ms - LATE_MS)
        return replace(found, value=value)


class NeverFace(SimulatedFace):
    """One kind of record is never listed; how often it was asked."""

    calls = 0

    async def movements_since(self, since_ms: int) -> Any:
        """None of them."""
        self.calls += 1
        found = await super().movements_since(since_ms)
        return replace(found, value=())


class LateMachine(Machine):
    """A machine on which somebody moves money, or the position, after a minute and a half."""

    what = ""

    def face(self) -> SimulatedFace:
        """The venue."""
        return LateFace(self.venue, self.clock)

    async def move(self, minutes: int, path: list[float], shell: Shell) -> None:
        """The price, and that."""
        change = asyncio.create_task(self.change())
        await super().move(minutes, path, shell)
        await change

    async def change(self) -> None:
        """Once."""
        what, self.what = self.what, ""
        await self.clock.sleep_until(self.clock.now_ms() + 90_000)
        if what == "a transfer":
            self.venue.exchange.transfer(Decimal(500))
        elif what == "a trade":
            self.venue.exchange.deleverage(Decimal("0.01"))


@pytest.mark.parametrize("what", ["a transfer", "a trade"])
def test_what_is_listed_late_is_booked_once_it_is(what: str, tmp_path: Path) -> None:
    """Meanwhile an alarm holds; no restart is needed for the books to agree again."""
    machine = LateMachine(tmp_path / "live.journal")
    asyncio.run(Machine.keep(honest(machine), 2, [68_000]))
    machine.what = what
    desk = asyncio.run(machine.keep(7, [68_000]))
    assert any(line.startswith("books_differ holds") for line in machine.lines)
    assert "books_differ" not in desk.memory.alarms
    check(machine, desk)


class NeverMachine(LateMachine):
    """A machine whose wallet moves, by what no list tells of."""

    last: NeverFace

    def face(self) -> SimulatedFace:
        """The venue."""
        self.last = NeverFace(self.venue, self.clock)
        return self.last


def test_a_difference_that_stays_leaves_the_rate_limit_to_orders(tmp_path: Path) -> None:
    """The account is read again less and less often, while the alarm holds.

    A round weighs 49 of the 2,400 that Binance lets an address ask in a minute.
    """
    machine = NeverMachine(tmp_path / "live.journal")
    asyncio.run(Machine.keep(honest(machine), 2, [68_000]))
    machine.what = "a transfer"
    minutes = 6
    desk = asyncio.run(machine.keep(minutes, [68_000]))
    assert "books_differ" in desk.memory.alarms
    assert machine.last.calls * 49 <= minutes * 1_200
    assert machine.last.calls >= minutes


def honest(machine: Machine) -> Machine:
    """The same machine, whose venue lists at once: for the launch."""
    found = Machine(machine.place)
    found.venue, found.clock, found.own = machine.venue, machine.clock, machine.clock
    return found
