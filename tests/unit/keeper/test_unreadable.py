"""An answer that cannot be read is unknown: nothing is booked of it, and the keeper goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.keeper.keeper_events import Answered, LookedUp
from steelyard.keeper.unreadable import readable, unreadable
from steelyard.ledger import Journal
from steelyard.venues.protocol import (
    Balance,
    CallOutcome,
    Failure,
    Limits,
    Mark,
    Movement,
    MovementKind,
    OrderRequest,
    OrderState,
    OrderStatus,
    Position,
    Read,
    Trade,
)
from steelyard.venues.simulated.venue import SimulatedFace
from support.live_machine import Machine, check

NAN, INFINITE, HUGE = Decimal("NaN"), Decimal("Infinity"), Decimal("1e40")
FINE = Decimal("1e-400")
ONE = Decimal(1)
TRADE = Trade("t1", "o1", "sy-TEST-1-1", 1_000, ONE, ONE, ONE, ONE)
ORDER = OrderState("sy-TEST-1-1", "o1", OrderStatus.FILLED, ONE, ONE, 1_000, (TRADE,))
LIMITS = Limits(ONE, ONE, ONE, ONE, ONE, ONE, 60, 60, 100)
MOVEMENT = Movement("m1", MovementKind.FUNDING, "USDT", ONE, 1_000)
POSITION = Position(ONE, ONE, ONE)
MARK = Mark(ONE, 1_000)
WRONG: list[tuple[Any, dict[str, Any]]] = [
    *[(POSITION, {name: NAN}) for name in ("units", "entry_price", "entry_cost")],
    (POSITION, {"liquidation_price": INFINITE}),
    *[(Balance("USDT", ONE), {"wallet": each}) for each in (NAN, INFINITE, HUGE, FINE, 1.5, None)],
    *[(LIMITS, {name: NAN}) for name in ("lot", "min_notional", "max_units", "quote_step")],
    (LIMITS, {"lot": -ONE}),
    (LIMITS, {"lag_ms": -1}),
    *[(TRADE, {name: NAN}) for name in ("units", "price", "quote", "commission", "realised")],
    (TRADE, {"units": ONE * 0}),
    (TRADE, {"price": -ONE}),
    (TRADE, {"trade_id": ""}),
    (TRADE, {"trade_id": "a\nline"}),
    (TRADE, {"time_ms": -1}),
    (TRADE, {"time_ms": 1.5}),
    (MOVEMENT, {"amount": -INFINITE}),
    (MOVEMENT, {"rate": NAN}),
    (MOVEMENT, {"time_ms": 2**60}),
    (ORDER, {"filled": NAN}),
    (ORDER, {"units": Decimal("sNaN")}),
    (ORDER, {"trades": (TRADE, replace(TRADE, quote=NAN))}),
    (ORDER, {"time_ms": -1}),
    *[(ORDER, {"filled": each}) for each in (ONE * 0, ONE / 2, ONE * 2, -ONE)],
    *[(replace(ORDER, status=OrderStatus.EXPIRED), {"filled": each}) for each in (-ONE, ONE * 2)],
    *[(MARK, {"price": each}) for each in (NAN, HUGE, FINE)],
    (MARK, {"index": INFINITE}),
    (MARK, {"time_ms": 2**60}),
]


@pytest.mark.parametrize(("sound", "wrong"), WRONG, ids=[str(each[1]) for each in WRONG])
def test_what_cannot_be_read_is_named_by_its_field(sound: Any, wrong: dict[str, Any]) -> None:
    """Alone, in a list and in a reading; what is sound is taken as it is."""
    found = replace(sound, **wrong)
    (name,) = wrong
    for value in (found, (sound, found), Read(1_000, found), Read(1_000, (found,))):
        why = unreadable(value)
        assert why is not None
        assert name in why or name in ("units", "price", "trades")
    for value in (sound, (sound, sound), Read(1_000, sound), Read(1_000, ())):
        assert unreadable(value) is None
    assert unreadable(Read(-1, sound)) is not None


def test_an_answer_about_another_order_is_unknown() -> None:
    """It says nothing of the order that was asked about."""
    other = replace(ORDER, client_id="sy-TEST-2-1")
    heard = readable(Answered(0, "TEST", ORDER.client_id, other))
    assert isinstance(heard.found, Failure)
    assert heard.found.outcome is CallOutcome.UNKNOWN
    looked = readable(LookedUp(0, "TEST", ORDER.client_id, 0, Read(1_000, other)))
    assert isinstance(looked.found, Failure)
    same = Answered(0, "TEST", ORDER.client_id, ORDER)
    assert readable(same) is same
    absent: LookedUp = LookedUp(0, "TEST", ORDER.client_id, 0, Read(1_000, None))
    assert readable(absent) is absent


class GarbledFace(SimulatedFace):
    """A venue one of whose answers is garbled."""

    calls: tuple[str, ...] = ()
    garble: Callable[[Any], Any]

    async def limits(self) -> Limits:
        """What it takes."""
        return self._said("limits", await super().limits())

    async def position(self) -> Read[Position]:
        """What is held."""
        return self._read("position", await super().position())

    async def balance(self) -> Read[Balance]:
        """The wallet."""
        return self._read("balance", await super().balance())

    async def place(self, request: OrderRequest) -> OrderState:
        """The answer to an order."""
        return self._said("place", await super().place(request))

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """An order by its id."""
        return self._read("look_up", await super().look_up(client_id))

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """Trades."""
        found = await super().trades_since(since_ms)
        if "trades" not in self.calls:
            return found
        return replace(found, value=tuple(map(self.garble, found.value)))

    def _said(self, call: str, found: Any) -> Any:
        return self.garble(found) if call in self.calls else found

    def _read(self, call: str, found: Any) -> Any:
        if found.value is None:
            return found
        return replace(found, value=self._said(call, found.value))


class GarbledMachine(Machine):
    """A machine with that venue."""

    calls: tuple[str, ...] = ()
    field = ""
    value: Any = NAN

    def face(self) -> SimulatedFace:
        """The venue."""
        face = GarbledFace(self.venue, self.clock)
        face.calls = self.calls
        face.garble = lambda found: replace(found, **{self.field: self.value})
        return face


def kinds(machine: Machine, kind: str) -> list[dict[str, Any]]:
    """What the rows of a kind say."""
    with Journal.open(machine.place) as journal:
        return [row.fields for row in journal.events(kinds=[kind])]


@pytest.mark.parametrize("value", [NAN, INFINITE, HUGE], ids=str)
@pytest.mark.parametrize(
    ("call", "field"),
    [("position", "units"), ("balance", "wallet"), ("limits", "lot"), ("trades", "price")],
)
def test_an_account_that_cannot_be_read_launches_no_fund_and_is_told(
    call: str, field: str, value: Decimal, tmp_path: Path
) -> None:
    """With the reason, once; when it can be read again the fund is launched and books are equal."""
    machine = GarbledMachine(tmp_path / "live.journal")
    machine.calls, machine.field, machine.value = (call,), field, value
    desk = asyncio.run(machine.keep(3, [68_000]))
    alarms = [(each["name"], each["is_on"], each["why"]) for each in kinds(machine, "alarm")]
    if call == "trades":
        # there are none before the first order: its own are in its answer
        assert desk.is_launched
    else:
        assert not desk.is_launched
        assert not kinds(machine, "order")
    ((is_on, why),) = [rest for name, *rest in alarms if name == "account_unread"]
    assert is_on
    assert "cannot be read" in why or call == "limits"
    machine.calls = ()
    desk = asyncio.run(machine.keep(3, [68_000, 70_000]))
    assert desk.is_launched
    assert not desk.memory.alarms
    check(machine, desk)


@pytest.mark.parametrize("value", [NAN, INFINITE], ids=str)
def test_an_answer_to_an_order_that_cannot_be_read_is_looked_up(
    value: Decimal, tmp_path: Path
) -> None:
    """Nothing is sent again, and what it did is booked once."""
    machine = GarbledMachine(tmp_path / "live.journal")
    machine.calls, machine.field, machine.value = ("place",), "filled", value
    desk = asyncio.run(machine.keep(5, [68_000, 70_000, 67_000]))
    answers = kinds(machine, "answer")
    assert answers
    assert all(each["outcome"] == "unknown" for each in answers)
    assert all("filled is" in each["why"] for each in answers)
    assert desk.memory.sequence >= 3
    check(machine, desk)


def test_an_order_whose_look_up_cannot_be_read_stays_open(tmp_path: Path) -> None:
    """Nothing is decided of it; the next process that can read it books what it did."""
    machine = GarbledMachine(tmp_path / "live.journal")
    machine.calls, machine.field = ("place", "look_up"), "filled"
    desk = asyncio.run(machine.keep(3, [68_000]))
    assert desk.memory.order is not None
    assert "cannot be looked up" in desk.memory.alarms["order_unclear"]
    assert desk.state.units == 0
    machine.calls = ()
    desk = asyncio.run(machine.keep(3, [68_000]))
    assert "order_unclear" not in desk.memory.alarms
    assert desk.memory.sequence == 1
    check(machine, desk)
