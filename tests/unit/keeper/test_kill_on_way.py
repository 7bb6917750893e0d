"""A keeper that is killed on its way through a bar has, to the digit, the books of the backtest."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steelyard.keeper import core
from steelyard.keeper.desk import Desk
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.keeper_clocks import HistoryClock
from steelyard.keeper.keeper_events import LeaseChanged, NewRequest
from steelyard.keeper.observing import stop_on_way
from steelyard.keeper.shell import Shell
from steelyard.ledger import Journal, open_writer
from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset
from steelyard.simulation.run import simulate
from steelyard.venues.paper.venue import PaperVenue, open_paper
from steelyard.venues.protocol import Mark
from support.feeding import fed, others_in
from support.paper_keeper import FAR_MS, GUARDS

SPAN = {"start": "2020-03-09", "end": "2020-03-20", "intrabar": "path"}


class KilledError(Exception):
    """The process is gone."""


class Mortal:
    """A writer and a venue whose process is killed once so many of their changes are durable."""

    def __init__(self, writer: Any, venue: PaperVenue, changes: int) -> None:
        self.writer, self.left = writer, changes
        self._next = venue.next
        venue.next = self.next  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.writer, name)

    def append(self, events: Iterable[Any]) -> Any:
        """Store, and die where the time has come."""
        found = self.writer.append(events)
        self.count()
        return found

    async def next(self) -> Mark | None:
        """The venue goes on to its next price, and no process lives to hear of it."""
        mark = await self._next()
        self.count()
        return mark

    def count(self) -> None:
        """One change more."""
        self.left -= 1
        if self.left == 0:
            raise KilledError


async def life(place: Path, name: str, changes: int) -> Desk:
    """One process of the keeper, up to its n-th change."""
    series = preset(name)
    feed = fed(sample_prices("BTC"), SPAN)
    venue = open_paper(place.with_suffix(".paper"), series, feed, **others_in(SPAN))
    clock = HistoryClock([venue])
    try:
        with open_writer(place) as writer:
            with Journal.open(place) as journal, DECIMAL18.context():
                desk = open_desk(journal, series, GUARDS)
            venue.stops = partial(stop_on_way, desk)
            keeper = core.Keeper()
            core.add_desk(keeper, desk)
            mortal: Any = Mortal(writer, venue, changes)
            shell = Shell(keeper, mortal, {desk.symbol: venue}, clock, waits=True)
            shell.tell(LeaseChanged(clock.now_ms(), FAR_MS))
            shell.tell(NewRequest(clock.now_ms(), desk.symbol, "first", "a test", "launch", {}))
            await shell.run()
            return desk
    finally:
        await venue.close()


@pytest.mark.parametrize(
    ("name", "changes"),
    [("oracle-1s", 3), ("oracle-1s", 4), ("oracle-1s", 7), ("oracle-3l", 5)],
)
def test_a_start_inside_a_bar_observes_nothing_more(
    name: str, changes: int, tmp_path: Path
) -> None:
    """Scenario: each process is killed after so many stores and prices, in the crash of March 2020.

    Property: the last state is the reference loop's, with what was blocked counted as often. (A
    live keeper is observed at its start, since it does not know what happened meanwhile.)
    """
    series = preset(name)
    run = simulate(
        series,
        fed(sample_prices("BTC"), SPAN),
        number=DECIMAL18,
        engine="reference",
        **others_in(SPAN),
    )
    kills, state = 0, None
    while kills < 1_000:
        try:
            state = asyncio.run(life(tmp_path / "live.journal", name, changes)).state
        except KilledError:
            kills += 1
        else:
            break
    assert kills > 3
    assert state == run.state
