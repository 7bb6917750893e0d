"""A keeper of one fund that lives through the whole history of its paper account."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from steelyard.keeper import core
from steelyard.keeper.desk import Desk, Guards
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.keeper_clocks import HistoryClock
from steelyard.keeper.keeper_events import LeaseChanged, NewRequest
from steelyard.keeper.observing import stop_on_way
from steelyard.keeper.shell import Shell
from steelyard.ledger import Journal, open_writer
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Series
from steelyard.venues.paper.venue import open_paper
from support.feeding import fed, others_in

__all__ = ["kept"]

FAR_MS = 10**15

GUARDS = Guards(
    slippage_bps=Decimal(5_000),
    max_orders_per_hour=10**6,
    stale_after_ms=10**12,
    clock_every_s=0,
)


async def kept(
    place: Path, series: Series, prices: object, given: dict[str, Any], until_ms: int = FAR_MS
) -> Desk:
    """A keeper that lives through the history of its paper account.

    It is stopped, as by a signal, at its first line at or after ``until_ms``.
    """
    venue = open_paper(place.with_suffix(".paper"), series, fed(prices, given), **others_in(given))
    clock = HistoryClock([venue])
    with open_writer(place) as writer:
        with Journal.open(place) as journal, DECIMAL18.context():
            desk = open_desk(journal, series, GUARDS)
        venue.stops = partial(stop_on_way, desk)
        keeper = core.Keeper()
        core.add_desk(keeper, desk)

        def say(*_: object) -> None:
            if clock.now_ms() >= until_ms:
                shell.stop()

        shell = Shell(keeper, writer, {desk.symbol: venue}, clock, say=say, waits=True)
        shell.tell(LeaseChanged(clock.now_ms(), FAR_MS))
        shell.tell(NewRequest(clock.now_ms(), desk.symbol, "first", "a test", "launch", {}))
        await shell.run()
    await venue.close()
    return desk
