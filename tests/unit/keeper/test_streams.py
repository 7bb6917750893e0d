"""What a stream tells of orders: a reason to ask, and nothing that is booked by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.errors import Unavailable, Unknown
from steelyard.ledger import Journal
from steelyard.venues.protocol import Heard, Mark, OrderRequest, OrderState, OrderStatus, Read
from steelyard.venues.simulated.venue import SimulatedFace
from support.live_machine import Machine, check


class Gossip(SimulatedFace):
    """A venue whose stream tells of orders, some of which never were."""

    liar: OrderState | None = None
    calls = 0

    async def stream(self) -> AsyncIterator[Heard]:
        """All that it tells, and an order that nobody sent with each mark."""
        async for heard in super().stream():
            yield heard
            if self.liar is not None:
                yield self.liar

    async def trades_since(self, since_ms: int) -> object:  # type: ignore[override]
        """The list, counted."""
        self.calls += 1
        return await super().trades_since(since_ms)


class Told(Machine):
    """A machine on which an order is forced upon the account just after a clock observation."""

    is_forced = False
    liar: OrderState | None = None
    last: Gossip

    def face(self) -> SimulatedFace:
        """The venue."""
        self.last = Gossip(self.venue, self.clock)
        self.last.liar = self.liar
        return self.last

    async def force(self) -> None:
        """Half of the position is taken away."""
        await self.clock.sleep_until(self.clock.now_ms() + 10_000)
        self.venue.exchange.deleverage(Decimal("0.5"))

    async def move(self, minutes: int, path: list[float], shell: object) -> None:
        """The price, and that."""
        forced = [asyncio.create_task(self.force())] if self.is_forced else []
        await super().move(minutes, path, shell)  # type: ignore[arg-type]
        await asyncio.gather(*forced)


def test_an_order_of_the_venue_is_a_reason_to_read_the_account(tmp_path: Path) -> None:
    """A position that was taken away is booked before the next full minute reads it anyway."""
    machine = Told(tmp_path / "live.journal")
    asyncio.run(machine.keep(2, [68_000]))
    machine.is_forced = True
    before = machine.clock.now_ms()
    desk = asyncio.run(machine.keep(2, [68_000]))
    with Journal.open(machine.place) as journal:
        trades = [row for row in journal.events(kinds=["venue_trade"]) if row.time_ms >= before]
    causes = [row.fields["cause"] for row in trades]
    assert causes == ["auto_deleveraging", "order"]
    assert trades[0].time_ms // 60_000 == before // 60_000
    check(machine, desk)


@pytest.mark.parametrize("client_id", ["sy-TEST-1-1", "somebody", "adl_autoclose"])
def test_an_order_that_never_was_moves_nothing(tmp_path: Path, client_id: str) -> None:
    """A stream that lies costs a reading at most: nothing is booked, and no order is sent."""
    machine = Told(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(2, [68_000]))
    units, sequence = desk.state.units, desk.memory.sequence
    many = Decimal(1_000)
    machine.liar = OrderState(client_id, "9", OrderStatus.FILLED, many, many, 1)
    desk = asyncio.run(machine.keep(2, [68_000]))
    assert (desk.state.units, desk.memory.sequence) == (units, sequence)
    assert not desk.memory.alarms
    # it tells with each mark, and rounds for that are some seconds apart: each weighs 49 of 2,400
    assert machine.last.calls <= 2 * 60 // 5 + 10
    check(machine, desk)


class Echo(SimulatedFace):
    """A venue that keeps an order to itself, while its stream tells of the end again and again."""

    calls = 0
    told: OrderState | None = None

    async def place(self, request: OrderRequest) -> OrderState:
        """It is carried out, and the answer is lost."""
        self.told = await super().place(request)
        raise Unknown("the answer was lost")

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """At first it is not to be had; counted."""
        self.calls += 1
        if self.calls <= 10:
            raise Unavailable("not now")
        return await super().look_up(client_id)

    async def stream(self) -> AsyncIterator[Heard]:
        """All that it tells, and a hundred times the same with each mark."""
        async for heard in super().stream():
            yield heard
            for _ in range(100 if self.told is not None else 0):
                assert self.told is not None
                yield self.told


class Echoing(Machine):
    """A machine on such a venue."""

    last: Echo

    def face(self) -> SimulatedFace:
        """The venue."""
        self.last = Echo(self.venue, self.clock)
        return self.last


def test_an_end_that_is_told_again_and_again_is_looked_up_for_once(tmp_path: Path) -> None:
    """The timer asks on; a stream that repeats itself spends no rate limit."""
    machine = Echoing(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(2, [68_000]))
    assert desk.state.units > 0
    assert machine.last.calls <= 25
    check(machine, desk)


class Dreamer(SimulatedFace):
    """A venue that tells a mark beyond all figures with each true one."""

    async def stream(self) -> AsyncIterator[Heard]:
        """Both."""
        async for heard in super().stream():
            yield heard
            if isinstance(heard, Mark):
                yield replace(heard, price=Decimal("1e999999"))


class Dreaming(Machine):
    """A machine on such a venue."""

    def face(self) -> SimulatedFace:
        """The venue."""
        return Dreamer(self.venue, self.clock)


def test_a_mark_beyond_all_figures_is_refused(tmp_path: Path) -> None:
    """It is told, and neither traded on nor the end of the keeper."""
    machine = Dreaming(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(2, [68_000]))
    assert desk.state.units > 0
    assert any(line.startswith("price_refused") for line in machine.lines)
    check(machine, desk)
