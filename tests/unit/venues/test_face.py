"""The simulated venue's asynchronous face, and the clocks on which it waits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard.errors import Rejected, Unavailable, Unknown
from steelyard.venues.clocks import MachineClock, VirtualClock
from steelyard.venues.protocol import Mark, OrderRequest, OrderState
from steelyard.venues.simulated.fault_chances import CALM, FaultChances
from steelyard.venues.simulated.network import SimulatedVenue
from steelyard.venues.simulated.venue import SimulatedFace

PRICE = Decimal(68_000)


def faced(faults: FaultChances, timeout_ms: int = 1_500) -> tuple[SimulatedFace, VirtualClock]:
    """A venue with faults, and its one caller."""
    clock = VirtualClock()
    return SimulatedFace(SimulatedVenue(1, PRICE, faults=faults), clock, timeout_ms), clock


def order(client_id: str = "sy-1", stamp_ms: int = 0) -> OrderRequest:
    """A request for half a unit."""
    return OrderRequest(client_id, Decimal("0.5"), None, False, stamp_ms, 2_000)


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
def test_an_answer_that_does_not_come_is_unknown_at_the_time_out(fault: str) -> None:
    """Exactly then, whether the order was carried out or not."""
    face, clock = faced(replace(CALM, **{fault: 1.0}))
    with pytest.raises(Unknown, match="1500 ms"):
        asyncio.run(face.place(order()))
    assert clock.now_ms() == 1_500


def test_an_answer_after_the_time_out_is_not_taken_for_another() -> None:
    """The late answer belongs to its own call; the next call gets its own."""
    face, _ = faced(replace(CALM, delay_ms=1_000.0), timeout_ms=900)

    async def asked() -> int:
        with pytest.raises(Unknown):
            await face.place(order())
        face.venue.faults = replace(CALM, delay_ms=2.0)
        found = await face.look_up("sy-1")
        for _ in range(20):
            await face.time()
        assert found.value is None or found.value.client_id == "sy-1"
        return await face.time()

    assert asyncio.run(asked()) > 900


@pytest.mark.parametrize(
    ("fault", "error"),
    [("refused", Unavailable), ("unavailable", Unavailable), ("unknown", Unknown)],
)
def test_an_outcome_is_raised_as_its_error(fault: str, error: type[Exception]) -> None:
    """A refusal is one too: it carries the venue's own code."""
    face, _ = faced(replace(CALM, **{fault: 1.0}))
    with pytest.raises(error):
        asyncio.run(face.position())
    face.venue.faults = CALM
    with pytest.raises(Rejected) as refused:
        asyncio.run(face.place(order(stamp_ms=60_000)))
    assert refused.value.details["code"] == "-1021"


def test_calls_at_one_time_get_each_their_own_answer() -> None:
    """Ten orders and ten look-ups at once, every answer twice, ways that overtake each other."""
    face, _ = faced(replace(CALM, duplicate=1.0, slow=0.5, slow_ms=300))

    async def all_at_once() -> list[OrderState]:
        return await asyncio.gather(*(face.place(order(f"sy-{n}")) for n in range(10)))

    states = asyncio.run(all_at_once())
    assert [state.client_id for state in states] == [f"sy-{n}" for n in range(10)]
    assert len({state.order_id for state in states}) == 10
    assert face.venue.exchange.account.units == 5


def test_a_stream_tells_of_marks_and_orders() -> None:
    """Also of an order whose answer is still waited for."""
    face, clock = faced(CALM)

    async def heard() -> list[Mark | OrderState]:
        await face.place(order())
        face.venue.move(clock.now_ms(), Decimal(68_100))
        stream, found = face.stream(), []
        async for each in stream:
            found.append(each)
            if len(found) == 2:
                break
        await stream.aclose()
        return found

    # in any order: a later word may overtake an earlier one
    found = {type(each): each for each in asyncio.run(heard())}
    state, mark = found[OrderState], found[Mark]
    assert isinstance(state, OrderState)
    assert sum(trade.units for trade in state.trades) == Decimal("0.5")
    assert isinstance(mark, Mark)
    assert mark.price == 68_100


def test_virtual_time_jumps_to_whatever_is_due_first() -> None:
    """Sleepers wake in the order of their times, and each at its own."""
    clock, woken = VirtualClock(), []

    async def sleeper(at_ms: int) -> None:
        await clock.sleep_until(at_ms)
        woken.append((at_ms, clock.now_ms()))
        if at_ms == 10:
            await clock.sleep_until(25)
            woken.append((25, clock.now_ms()))

    async def all_of_them() -> None:
        await asyncio.gather(*(sleeper(at_ms) for at_ms in (30, 10, 20, 10)))

    asyncio.run(all_of_them())
    assert woken == [(10, 10), (10, 10), (20, 20), (25, 25), (25, 25), (30, 30)]


def test_a_sleeper_that_is_cancelled_holds_no_one_up() -> None:
    """The others go on without it."""
    clock = VirtualClock()

    async def cancelled() -> int:
        first = asyncio.create_task(clock.sleep_until(5))
        await asyncio.sleep(0)
        first.cancel()
        await clock.sleep_until(50)
        return clock.now_ms()

    assert asyncio.run(cancelled()) == 50


def test_the_machines_clock_goes_on_by_itself() -> None:
    """A time that has passed is not waited for."""
    clock = MachineClock()
    before = clock.now_ms()
    asyncio.run(clock.sleep_until(before + 5))
    assert clock.now_ms() >= before + 5
    asyncio.run(clock.sleep_until(0))
