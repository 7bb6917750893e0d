"""What a stranger, a venue that lies and a clock that jumps can do to a keeper: nothing unseen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import DataError
from steelyard.keeper import running
from steelyard.keeper.desk import Desk
from steelyard.keeper.settings import read_settings
from steelyard.keeper.venue_clock import VenueClock
from steelyard.ledger import Journal
from steelyard.ledger.leases import FileLease
from steelyard.ledger.requests import Requests
from steelyard.rules.presets import preset_text
from steelyard.venues.clocks import VirtualClock
from steelyard.venues.protocol import OrderRequest, OrderState, OrderStatus, Read
from steelyard.venues.simulated.venue import SimulatedFace
from support.journals import execute
from support.keeper_command import keeper_file
from support.live_machine import START_MS, Machine, check

FORGED: list[tuple[str, Any]] = [
    ("inject", {}),
    ("inject", {"amount": "-5000", "kind": "capital"}),
    ("inject", {"amount": "NaN", "kind": "capital"}),
    ("inject", {"amount": "1e30", "kind": "capital"}),
    ("inject", {"amount": 5000, "kind": "capital"}),
    ("inject", {"amount": "5000", "kind": "theft"}),
    ("inject", {"amount": "5000", "kind": "capital"}),
    ("inject", {"amount": "0.0000000000000000001", "kind": "capital"}),
    ("flow", {"amount": "-999999999"}),
    ("flow", {"amount": "9" * 60}),
    ("flow", {"tokens": "5"}),
    ("pause", {"amount": "1"}),
    ("withdraw", {"amount": "1"}),
    ("launch", {"cash": "1"}),
]


def outcomes(place: Path) -> dict[str, str]:
    """What became of each request, by its key."""
    with Journal.open(place) as journal:
        rows = journal.events(kinds=["request"])
        return {row.fields["key"]: row.fields["outcome"] for row in rows}


def test_a_forged_request_is_refused_and_the_keeper_goes_on(tmp_path: Path) -> None:
    """Whatever stands in the table: a row says why not, also before the launch, and books hold."""
    machine = Machine(tmp_path / "live.journal")
    early = [(f"early {n}", what, content) for n, (what, content) in enumerate(FORGED)]
    late = [(f"late {n}", what, content) for n, (what, content) in enumerate(FORGED)]
    asyncio.run(machine.keep(2, [68_000], early))
    desk = asyncio.run(machine.keep(2, [68_000], late))
    found = outcomes(machine.place)
    assert found.pop("first") == "done"
    assert set(found.values()) == {"refused"}
    assert len(found) == 2 * len(FORGED)
    assert desk.state.units > 0
    check(machine, desk)


def test_a_request_that_cannot_be_read_stops_no_keeper(tmp_path: Path) -> None:
    """Its content is kept as text, so that the request is refused like any that is not known."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(1, [68_000]))
    with Requests(machine.place) as requests:
        requests.ask("a", "TEST", "a stranger", "pause", {})
        execute(machine.place, "UPDATE request SET content = 'no object'")
        (row,) = requests.after(0)
    assert row.content == {"unreadable": "no object"}
    asyncio.run(machine.keep(1, [68_000], [(row.key, row.what, row.content)]))
    assert outcomes(machine.place)["a"] == "refused"


class LiarsFace(SimulatedFace):
    """A venue that puts a trade of an earlier order into each answer."""

    lies = 0

    async def place(self, request: OrderRequest) -> OrderState:
        """The answer, with what was told before."""
        return self._with_more(await super().place(request))

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The order, likewise."""
        found = await super().look_up(client_id)
        return found if found.value is None else replace(found, value=self._with_more(found.value))

    def _with_more(self, state: OrderState) -> OrderState:
        trades = self.venue.exchange.trades.all()
        earlier = [each for each in trades if each.client_id not in ("", state.client_id)]
        self.lies += bool(earlier)
        return replace(state, trades=(*earlier[:1], *state.trades))


class LiarsMachine(Machine):
    """A machine whose venue lies."""

    def face(self) -> SimulatedFace:
        """The liar."""
        self.liar = LiarsFace(self.venue, self.clock)
        return self.liar


def test_a_trade_that_an_answer_repeats_is_booked_once(tmp_path: Path) -> None:
    """Under another order too: an id is booked once, whoever tells of it."""
    machine = LiarsMachine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(6, [68_000, 70_000, 67_000]))
    assert machine.liar.lies > 0
    assert desk.memory.sequence >= 3
    check(machine, desk)


class ForgetfulFace(SimulatedFace):
    """A venue that says an order has filled, and shows no trade of it."""

    async def place(self, request: OrderRequest) -> OrderState:
        """The answer without its trades."""
        return replace(await super().place(request), trades=())

    async def trades_since(self, since_ms: int) -> Any:
        """An empty list."""
        return replace(await super().trades_since(since_ms), value=())


class ForgetfulMachine(Machine):
    """A machine whose venue shows no trades."""

    def face(self) -> SimulatedFace:
        """The venue."""
        return ForgetfulFace(self.venue, self.clock)


def test_a_fill_without_trades_is_an_alarm_and_books_nothing(tmp_path: Path) -> None:
    """After ``disagree_after`` somebody is told; once the trades show, the books are equal."""
    machine = ForgetfulMachine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(3, [68_000]))
    assert "order_unclear" in desk.memory.alarms
    assert desk.memory.order is not None
    assert desk.state.units == 0
    honest = Machine(machine.place)
    honest.venue, honest.clock, honest.own = machine.venue, machine.clock, machine.clock
    desk = asyncio.run(honest.keep(2, [68_000]))
    assert "order_unclear" not in desk.memory.alarms
    check(honest, desk)


class DenyingFace(SimulatedFace):
    """A venue that says of each order that nothing was filled, and shows its trades."""

    async def place(self, request: OrderRequest) -> OrderState:
        """The answer, as if nothing had come of it."""
        return self._denied(await super().place(request))

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The same, with its trades."""
        found = await super().look_up(client_id)
        return found if found.value is None else replace(found, value=self._denied(found.value))

    def _denied(self, state: OrderState) -> OrderState:
        trades = tuple(self.venue.exchange.trades.all())
        return replace(state, status=OrderStatus.EXPIRED, filled=Decimal(0), trades=trades)


class DenyingMachine(Machine):
    """A machine whose venue contradicts itself."""

    def face(self) -> SimulatedFace:
        """The venue."""
        return DenyingFace(self.venue, self.clock)


def test_an_order_of_which_nothing_came_and_trades_are_shown_has_no_end(tmp_path: Path) -> None:
    """The two disagree: it is asked again, and somebody is told; a later word ends it."""
    machine = DenyingMachine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(3, [68_000]))
    assert "filled 0, and trades of" in desk.memory.alarms["order_unclear"]
    assert desk.memory.order is not None
    honest = Machine(machine.place)
    honest.venue, honest.clock, honest.own = machine.venue, machine.clock, machine.clock
    desk = asyncio.run(honest.keep(2, [68_000]))
    assert desk.state.units > 0
    assert desk.memory.sequence == 1
    check(honest, desk)


class StuckFace(SimulatedFace):
    """A venue that goes on saying of an order that it is open."""

    async def place(self, request: OrderRequest) -> OrderState:
        """As it is taken."""
        return replace(await super().place(request), status=OrderStatus.OPEN, filled=Decimal(0))

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The same, for ever."""
        found = await super().look_up(client_id)
        if found.value is None:
            return found
        return replace(found, value=replace(found.value, status=OrderStatus.OPEN))


class StuckMachine(Machine):
    """A machine whose venue is stuck."""

    def face(self) -> SimulatedFace:
        """The venue."""
        return StuckFace(self.venue, self.clock)


def test_an_order_that_is_shown_as_open_for_long_is_an_alarm(tmp_path: Path) -> None:
    """Nothing rests, so somebody is told; once its end is shown, the books are equal."""
    machine = StuckMachine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(3, [68_000]))
    assert "is shown as open" in desk.memory.alarms["order_unclear"]
    assert desk.memory.order is not None
    honest = Machine(machine.place)
    honest.venue, honest.clock, honest.own = machine.venue, machine.clock, machine.clock
    desk = asyncio.run(honest.keep(2, [68_000]))
    assert "order_unclear" not in desk.memory.alarms
    check(honest, desk)


class SlowFace(SimulatedFace):
    """A venue at which a kill file is made while an order is in flight."""

    kill_file: Path

    async def place(self, request: OrderRequest) -> OrderState:
        """The answer, after the file is there."""
        self.kill_file.touch()
        return await super().place(request)


class SlowMachine(Machine):
    """A machine on which somebody makes the kill file in that moment."""

    def face(self) -> SimulatedFace:
        """The venue."""
        face = SlowFace(self.venue, self.clock)
        face.kill_file = self.kill_file
        return face


def test_a_kill_file_made_while_an_order_is_in_flight_stops_the_next_one(tmp_path: Path) -> None:
    """What was sent is followed to its end and booked; nothing is sent after it."""
    machine = SlowMachine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(4, [68_000, 70_000, 67_000]))
    ours = [name for name in machine.venue.exchange.orders if name.startswith("sy-")]
    assert len(ours) == 1
    assert desk.state.units > 0
    assert any("kill switch" in line for line in machine.lines)
    check(machine, desk)


@pytest.mark.parametrize("hours", [-5, -1, 1, 5])
def test_a_clock_that_is_set_is_seen_at_the_next_reading(hours: int) -> None:
    """A worse reading counts where it shows that one of the clocks was set since the best one."""
    clock = VenueClock()
    clock.see(START_MS, START_MS + 20, START_MS + 10)
    assert clock.ahead_ms == 0
    asked = START_MS + 1_000 + hours * 3_600_000
    clock.see(asked, asked + 800, START_MS + 1_400)
    assert clock.ahead_ms == -hours * 3_600_000
    assert clock.off_ms == 400


def test_a_worse_reading_that_fits_changes_nothing() -> None:
    """The best one of the last minutes counts."""
    clock = VenueClock()
    clock.see(START_MS, START_MS + 20, START_MS + 10)
    clock.see(START_MS + 1_000, START_MS + 1_800, START_MS + 1_700)
    assert (clock.ahead_ms, clock.off_ms) == (0, 10)


class JumpyMachine(Machine):
    """A machine whose clock is set back by an hour, and that of the venue is not."""

    def jump(self) -> None:
        """By the operator."""
        self.venue.skew_ms += 3_600_000


def test_after_a_jump_of_the_clock_the_fund_raises_nothing_and_goes_on_lowering(
    tmp_path: Path,
) -> None:
    """The alarm holds, and the books stay those of the venue."""
    machine = JumpyMachine(tmp_path / "live.journal")
    before: Desk = asyncio.run(machine.keep(2, [68_000]))
    machine.jump()
    desk = asyncio.run(machine.keep(3, [68_000, 64_000]))
    assert "clock_differs" in desk.memory.alarms
    assert abs(desk.state.units) < abs(before.state.units)
    assert desk.fund.leverage(Decimal(64_000)) < Decimal("3.2")
    check(machine, desk)


class SetBack:
    """A clock that is set back by an hour at an instant of true time."""

    def __init__(self, true: VirtualClock, at_ms: int) -> None:
        self.true, self.at_ms = true, at_ms

    def now_ms(self) -> int:
        """The wrong time, once it was set."""
        now_ms = self.true.now_ms()
        return now_ms - (3_600_000 if now_ms >= self.at_ms else 0)

    async def sleep_until(self, at_ms: int) -> None:
        """A wait lasts as long as it lasts, whatever the clock is set to meanwhile."""
        await self.true.sleep_until(self.true.now_ms() + max(0, at_ms - self.now_ms()))


def test_a_clock_that_is_set_back_stops_no_timer(tmp_path: Path) -> None:
    """The account is read and the fund observed each minute all the same, with the alarm."""
    machine = Machine(tmp_path / "live.journal")
    machine.own = SetBack(machine.clock, START_MS + 150_000)
    desk = asyncio.run(machine.keep(8, [68_000]))
    assert "clock_differs" in desk.memory.alarms
    with Journal.open(machine.place) as journal:
        observed = [row.time_ms for row in journal.events(kinds=["observed"])]
    late = [time_ms for time_ms in observed if time_ms > START_MS + 200_000]
    assert len(late) >= 4
    check(machine, desk)


@pytest.mark.parametrize("broken", ["after", "renew"])
def test_a_keeper_that_hears_of_no_request_or_renews_no_lease_ends(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is raised and not kept in a task that nobody looks at."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    settings = read_settings(keeper_file(tmp_path, "one.toml", speed=86_400.0))
    where: Any = Requests if broken == "after" else FileLease
    works, calls = getattr(where, broken), []

    def breaks(*given: Any) -> Any:
        calls.append(given)
        if len(calls) > 1:
            raise DataError("the table is broken")
        return works(*given)

    monkeypatch.setattr(where, broken, breaks)
    monkeypatch.setattr(running, "ASK_S", 0.01)
    monkeypatch.setattr(running, "RENEW_MS", 10)
    keep = running.run_keeper(settings, owner="a test", say=lambda *_: None, launch=True)
    with pytest.raises(DataError, match="the table is broken"):
        asyncio.run(asyncio.wait_for(keep, 20))
