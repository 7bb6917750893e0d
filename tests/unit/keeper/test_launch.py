"""Launches that are refused, asked for again, or asked for twice."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from steelyard.keeper import core
from steelyard.keeper.desk import Desk
from steelyard.keeper.keeper_events import LeaseChanged, NewRequest
from steelyard.keeper.request_adoption import launch_key
from steelyard.keeper.shell import Shell
from steelyard.ledger import Journal, open_writer
from steelyard.venues.simulated.fault_chances import FaultChances
from support.live_machine import START_MS, Machine, check, opened


def key_now(machine: Machine) -> str:
    """Under which key a command would ask for the launch."""
    with Journal.open(machine.place) as journal:
        return launch_key(journal, machine.series.symbol)


def answers(machine: Machine) -> dict[str, str | None]:
    """Why each request was refused, by its key; None: it was done."""
    with Journal.open(machine.place) as journal:
        return {row.fields["key"]: row.fields["why"] for row in journal.events(kinds=["request"])}


def test_a_launch_that_was_refused_is_asked_for_anew(tmp_path: Path) -> None:
    """An account that lacked money is filled; the next command's request is not the old one."""
    machine = Machine(tmp_path / "live.journal")
    machine.venue.exchange.transfer(Decimal(-500))
    asyncio.run(machine.keep(2, [68_000]))
    assert "transfer 500" in (answers(machine)["first"] or "")
    machine.venue.exchange.transfer(Decimal(500))
    key = key_now(machine)
    assert key == "launch-TEST-2"
    desk = asyncio.run(machine.keep(2, [68_000], [(key, "launch", {})]))
    assert desk.state.units > 0
    check(machine, desk)
    # of a launched fund it is the same request for good
    assert key_now(machine) == key


def test_a_second_launch_is_refused_and_leaves_nothing_under_way(tmp_path: Path) -> None:
    """While the first one waits for its price, and when the fund is launched."""
    machine = Machine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(2, [68_000], [("early", "launch", {})]))
    desk = asyncio.run(machine.keep(1, [68_000], [("late", "launch", {})]))
    found = answers(machine)
    assert found.pop("first") is None
    assert set(found.values()) == {"the fund is launched, or about to be"}
    assert set(found) == {"early", "late"}
    assert desk.launch is None
    check(machine, desk)


def test_one_pass_hears_prices_until_what_it_began_is_done(tmp_path: Path) -> None:
    """A launch waits for two rounds farther apart than the venue lags: longer than a price."""
    machine = Machine(tmp_path / "live.journal")
    machine.venue.faults = FaultChances(lag=1e-12, lag_ms=15_000)

    async def one_pass() -> Desk:
        with open_writer(machine.place) as writer:
            desk = opened(machine.place, machine.series)
            keeper = core.Keeper()
            core.add_desk(keeper, desk)
            face = {desk.symbol: machine.face()}
            shell = Shell(keeper, writer, face, machine.clock, once=True)
            shell.tell(LeaseChanged(START_MS, 10**15))
            shell.tell(NewRequest(START_MS, desk.symbol, "first", "a test", "launch", {}))
            market = asyncio.create_task(machine.move(10**6, [68_000], shell))
            try:
                await asyncio.wait_for(shell.run(), 20)
            finally:
                market.cancel()
        return desk

    desk = asyncio.run(one_pass())
    assert desk.state.units > 0
    check(machine, desk)
