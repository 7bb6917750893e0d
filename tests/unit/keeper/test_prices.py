"""A price that is none is named, recorded and not traded on; the next sound one is."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.keeper import core, observing
from steelyard.keeper.desk import Desk
from steelyard.keeper.keeper_events import Priced
from steelyard.rules.numbers import DECIMAL18
from steelyard.venues.protocol import Mark
from support.live_machine import Machine, opened

WRONG = [
    ("0", 0, "above 0"),
    ("-68000", 0, "above 0"),
    ("NaN", 0, "above 0"),
    ("sNaN", 0, "above 0"),
    ("Infinity", 0, "above 0"),
    ("40000", 0, "older than 10 s"),
    ("40000", -1, "before the last one"),
    ("40000", 60_000, "ahead of the venue's clock"),
]


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, Desk]:
    """A keeper that has lived for two minutes, and its fund."""
    machine = Machine(tmp_path_factory.mktemp("prices") / "live.journal")
    return machine, asyncio.run(machine.keep(2, [68_000]))


@pytest.mark.parametrize(("price", "later_ms", "words"), WRONG, ids=[str(x[:2]) for x in WRONG])
def test_a_wrong_price_is_recorded_and_not_traded_on(
    price: str, later_ms: int, words: str, launched: tuple[Machine, Desk]
) -> None:
    """Once until a sound one comes, which is traded on where it crosses a threshold."""
    machine, before = launched
    with DECIMAL18.context():
        desk = opened(machine.place, machine.series)
        keeper = core.Keeper()
        core.add_desk(keeper, desk)
        desk.clock, desk.limits, desk.is_ready = before.clock, before.limits, True
        now_ms = machine.clock.now_ms()
        last_ms = now_ms if desk.clock.ahead_ms is None else now_ms + desk.clock.ahead_ms
        name = desk.market.underlying
        core.step(keeper, Priced(now_ms, name, Mark(Decimal(68_000), last_ms)))
        observing.arm(desk)
        heard_ms = now_ms + 10_001 if words.startswith("older") else now_ms
        wrong = Priced(heard_ms, name, Mark(Decimal(price), last_ms + later_ms))
        (store, line) = core.step(keeper, wrong)
        (row,) = store.events  # type: ignore[union-attr]  # a store comes first
        assert row.kind == "price_refused"
        assert words in row.fields["why"]
        assert row.fields["price"] == price
        assert line.is_alarm  # type: ignore[union-attr]
        assert line.text.startswith("price_refused: ")  # type: ignore[union-attr]
        assert core.step(keeper, wrong) == []
        assert desk.mark == Mark(Decimal(68_000), last_ms)
        sound = core.step(keeper, Priced(now_ms, name, Mark(Decimal(66_000), last_ms)))
    kinds = {row.kind for each in sound if isinstance(each, core.Store) for row in each.events}
    assert "observed" in kinds


def test_a_price_that_stops_coming_is_an_alarm_and_nothing_is_traded_on_it(tmp_path: Path) -> None:
    """The scheduled observation finds the last price too old."""
    machine = Machine(tmp_path / "live.journal")
    desk = asyncio.run(machine.keep(2, [68_000]))
    with DECIMAL18.context():
        keeper = core.Keeper()
        core.add_desk(keeper, desk)
        core._ring_clock(desk, machine.clock.now_ms() + 60_000)  # as its timer does
    assert "price_stale" in desk.memory.alarms
    assert not any(row.kind in ("observed", "order") for row in desk.rows)
