"""A machine on which keepers run one after the other, on a simulated venue and a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard.keeper import core
from steelyard.keeper.desk import Desk, Guards
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.keeper_events import LeaseChanged, NewRequest
from steelyard.keeper.shell import Shell
from steelyard.ledger import Journal, open_writer
from steelyard.ledger.audit import Audit
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Band, Series
from steelyard.simulation.fills import ModelFills
from steelyard.venues.clocks import Clock, VirtualClock
from steelyard.venues.simulated.network import SimulatedVenue
from steelyard.venues.simulated.venue import SimulatedFace
from support.tokens import T0, token

__all__ = ["START_MS", "Machine", "check"]

START_MS = T0 * 1000
FAR_MS = 10**15


class Machine:
    """A place where keepers run one after the other: a clock, a venue, a journal."""

    def __init__(self, place: Path, seed: int = 1) -> None:
        self.place, self.series = place, token(3.0, band=Band(2.9, 3.1))
        self.clock = VirtualClock(START_MS)
        self.venue = SimulatedVenue(seed, Decimal(68_000), now_ms=START_MS)
        self.kill_file = place.with_suffix(".kill")
        self.lines: list[str] = []
        self.own: Clock = self.clock
        """The keeper's clock, which may be wrong."""

    async def keep_s(self, seconds: int, asks: Sequence[tuple[str, str, Any]] = ()) -> Desk:
        """Run a keeper for so many seconds, while the price stands."""
        return await self.keep(seconds / 60, [float(self.venue.exchange.price)], asks)

    async def keep(
        self, minutes: float, path: list[float], asks: Sequence[tuple[str, str, Any]] = ()
    ) -> Desk:
        """Run a keeper for so many minutes, while the price goes along a path.

        ``asks`` are requests that it reads after that to launch: key, what, content.
        """
        with open_writer(self.place, take_over=True) as writer:
            desk = opened(self.place, self.series)
            keeper = core.Keeper()
            core.add_desk(keeper, desk)
            face = self.face()
            shell = Shell(
                keeper,
                writer,
                {desk.symbol: face},
                self.own,
                kill_file=self.kill_file,
                say=lambda _, text, __: self.lines.append(text),
            )
            shell.tell(LeaseChanged(self.clock.now_ms(), FAR_MS))
            ask = NewRequest(self.clock.now_ms(), desk.symbol, "first", "a test", "launch", {})
            shell.tell(ask)
            for key, what, content in asks:
                now_ms = self.clock.now_ms()
                shell.tell(NewRequest(now_ms, desk.symbol, key, "a stranger", what, content))
            market = asyncio.create_task(self.move(minutes, path, shell))
            await shell.run()
            await market
            return desk

    def face(self) -> SimulatedFace:
        """How the keeper speaks to the venue."""
        return SimulatedFace(self.venue, self.clock)

    async def move(self, minutes: float, path: list[float], shell: Shell) -> None:
        """The price goes along its path, a second at a time; then the keeper is stopped."""
        end = self.clock.now_ms() + round(minutes * 60_000)
        second = 0
        while self.clock.now_ms() < end:
            at = min(int(second * len(path) / (minutes * 60)), len(path) - 1)
            self.venue.move(self.clock.now_ms(), Decimal(str(path[at])))
            second += 1
            await self.clock.sleep_until(self.clock.now_ms() + 1_000)
        shell.stop()


def opened(place: Path, series: Series) -> Desk:
    """The desk of the journal there."""
    with Journal.open(place) as journal, DECIMAL18.context():
        return open_desk(journal, series, Guards())


def check(machine: Machine, desk: Desk) -> None:
    """Books and venue are equal, and the journal's proofs hold."""
    account = machine.venue.exchange.account
    assert desk.memory.order is None
    assert desk.state.units == desk.memory.units == account.units
    assert desk.memory.cash == account.wallet - account.cost
    with Journal.open(machine.place) as journal:
        verdict = journal.verify(checks=[Audit(ModelFills(), journal.snapshots())])
    assert verdict.ok, verdict.proofs
