"""The end of a fund: what fell due before it is booked before it, and its rows say how it stood."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.ledger import Journal
from steelyard.venues.simulated.fault_chances import FaultChances
from support.live_machine import Machine, check

LATE = FaultChances(late_funding=1.0, late_funding_ms=50_000)


def rows(machine: Machine, *kinds: str) -> list[tuple[str, Any]]:
    """The journal's rows of these kinds."""
    with Journal.open(machine.place) as journal:
        return [(row.kind, row.fields) for row in journal.events(kinds=list(kinds))]


def owing(machine: Machine) -> None:
    """Funding falls due now, and is booked within a minute."""
    machine.venue.faults = LATE
    machine.venue.exchange.funding_rate = Decimal("0.001")
    machine.venue.exchange._next_funding = machine.clock.now_ms() + 1


@pytest.mark.parametrize("seed", range(1, 4))
def test_funding_that_fell_due_before_the_end_is_in_it(seed: int, tmp_path: Path) -> None:
    """A fund is wound down while the venue has not booked its funding yet: its end waits for it."""
    machine = Machine(tmp_path / "live.journal", seed)
    asyncio.run(machine.keep(2, [68_000]))
    owing(machine)
    desk = asyncio.run(machine.keep(3, [68_000], [("end", "wind_down", {})]))
    assert desk.state.ended is not None
    kinds = [kind for kind, _ in rows(machine, "booked", "closed", "venue_trade")]
    assert kinds == ["venue_trade", "booked", "venue_trade", "closed"]
    assert desk.state.cash == machine.venue.exchange.account.wallet
    check(machine, desk)


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_keeper_that_dies_before_the_end_is_booked_waits_again(seed: int, tmp_path: Path) -> None:
    """The position is closed already: the next one finds that out, and closes nothing more."""
    machine = Machine(tmp_path / "live.journal", seed)
    asyncio.run(machine.keep(2, [68_000]))
    owing(machine)
    asyncio.run(machine.keep_s(8, [("end", "wind_down", {})]))
    assert machine.venue.exchange.account.units == 0
    assert not rows(machine, "closed")
    desk = asyncio.run(machine.keep(3, [68_000]))
    kinds = [kind for kind, _ in rows(machine, "booked", "closed", "venue_trade")]
    assert kinds == ["venue_trade", "booked", "venue_trade", "closed"]
    assert desk.state.cash == machine.venue.exchange.account.wallet
    check(machine, desk)


def test_the_fee_of_a_liquidation_is_in_the_end(tmp_path: Path) -> None:
    """So is funding that fell due just before it."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(2, [68_000]))
    owing(machine)
    machine.venue.move(machine.clock.now_ms() + 2, Decimal(68_000))
    machine.venue.move(machine.clock.now_ms() + 2, Decimal(45_500))
    desk = asyncio.run(machine.keep(3, [45_500]))
    assert desk.state.ended is not None
    assert desk.state.ended.reason == "liquidated"
    found = [fields.get("what", "closed") for _, fields in rows(machine, "booked", "closed")]
    assert "funding" in found
    assert found[-1] == "closed"
    check(machine, desk)


def test_a_wind_down_says_at_what_leverage_it_was_due(tmp_path: Path) -> None:
    """The fund's own then; a launch has none."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(2, [68_000]))
    asyncio.run(machine.keep(2, [68_100], [("end", "wind_down", {})]))
    intents = [fields["intent"] for _, fields in rows(machine, "decided")]
    assert [each["trigger"] for each in intents] == ["launch", "wind_down"]
    assert Decimal(intents[0]["leverage"]) == 0
    assert abs(Decimal(intents[1]["leverage"]) - 3) < Decimal("0.02")
    assert any("wind_down at a price of 68100" in line for line in machine.lines)
    assert not any("leverage of 0.0" in line for line in machine.lines)


def test_a_fund_that_holds_nothing_any_more_ends_likewise(tmp_path: Path) -> None:
    """Its position was taken away just before it was to be wound down: nothing is bought again."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(2, [68_000]))
    owing(machine)
    machine.venue.move(machine.clock.now_ms() + 2, Decimal(68_000))
    machine.venue.exchange.deleverage(Decimal(1))
    desk = asyncio.run(machine.keep(4, [68_000], [("end", "wind_down", {})]))
    assert desk.state.ended is not None
    kinds = [kind for kind, _ in rows(machine, "booked", "closed", "venue_trade")]
    assert sorted(kinds[:-1]) == ["booked", "venue_trade", "venue_trade"]
    assert kinds[-1] == "closed"
    assert desk.state.cash == machine.venue.exchange.account.wallet
    check(machine, desk)
