"""One process of the keeper: it connects lease, journal, venues and requests with the shell."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from steelyard.errors import Fenced, InputError
from steelyard.keeper import core
from steelyard.keeper.desk import Desk
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.health_delivery import HealthSender
from steelyard.keeper.keeper_clocks import HistoryClock, KeeperClock, WallClock
from steelyard.keeper.keeper_events import HealthTold, LeaseChanged, NewRequest
from steelyard.keeper.observing import stop_on_way
from steelyard.keeper.own_accounts import check_own_accounts
from steelyard.keeper.request_adoption import is_known, is_refused, launch_key
from steelyard.keeper.settings import FundSettings, Settings
from steelyard.keeper.shell import Shell
from steelyard.ledger.instants import time_text
from steelyard.ledger.journal import Journal
from steelyard.ledger.leases import RENEW_MS, KeeperLease, take_lease
from steelyard.ledger.lock import WriterLock, lock_writer, signed
from steelyard.ledger.requests import Requests
from steelyard.ledger.store import Owner
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Series
from steelyard.venues.exchange.venue import ExchangeVenue, open_exchange
from steelyard.venues.paper.venue import PaperVenue, open_paper
from steelyard.venues.protocol import Venue
from steelyard.venues.secrets import read_secrets

__all__ = ["ask_to_launch", "kill_file", "open_venue", "run_keeper"]

ASK_S = 0.5
"""Seconds between two looks at the table of requests."""
ASKED = ("launch", "pause", "resume", "wind_down", "inject")
"""The actions that the table may request. Creations are not among them, since no row there proves
that one was paid."""
Say = Callable[[str, str, bool], None]


def kill_file(settings: Settings) -> Path:
    """The kill switch: nothing is sent while this file exists, which ``touch`` can always make."""
    return settings.path.with_suffix(".kill")


def open_venue(
    settings: Settings, fund: FundSettings, *, sends: bool = False, listens: bool = False
) -> Venue:
    """The account of a fund: a file beside the keeper file on paper, or an account at an exchange.

    Args:
        settings: the settings of the keeper.
        fund: the fund that trades on the account.
        sends: whether real orders are sent.
        listens: whether the streams of an exchange are opened besides its REST calls.

    Raises:
        InputError, DataError: the history cannot be read, the file belongs to another account, the
            secrets cannot be read, or there is no rehearsal exchange.
    """
    venue = fund.venue
    if venue.is_paper or venue.secrets is None:
        return _open_paper(settings, fund)
    rehearsal = None if venue.rehearsal is None else settings.beside(venue.rehearsal)
    return open_exchange(
        fund.series.underlying,
        fund.series.quote,
        read_secrets(venue.secrets, settings.path.parent),
        rehearsal=rehearsal,
        name=venue.name,
        sends=sends,
        listens=listens,
        stale_after_ms=fund.guards.stale_after_ms,
    )


def _open_paper(settings: Settings, fund: FundSettings) -> PaperVenue:
    from steelyard.market import Feed

    venue, series = fund.venue, fund.series
    # funds of different kinds may share an underlying: each is charged by its own kind of venue
    files = {"perpetual": ("funding", venue.funding), "spot": ("rates", venue.rates)}
    what, names = files[series.venue.kind]
    given: dict[str, Any] = {what: _file(settings, names, series)}
    history = _history(settings, venue.prices[series.underlying])
    feed = Feed(history, start=venue.start, end=venue.end, **given)
    return open_paper(
        settings.beside(fund.account),
        series,
        feed,
        intrabar=venue.intrabar,
        books=_file(settings, venue.books, series),
        speed=venue.speed,
        name=venue.name,
    )


def _file(settings: Settings, names: Mapping[str, str], series: Series) -> str | None:
    """The file for a series' underlying, relative to the keeper file; None: none is given."""
    name = names.get(series.underlying)
    return None if name is None else str(settings.beside(name))


def hold_account(settings: Settings, fund: FundSettings, owner: str) -> WriterLock:
    """Lock the paper account of a fund against every other keeper, whatever journal it writes.

    Raises:
        InputError: another process trades on the account; the message says who, and since when.
    """
    path = settings.beside(f"{fund.account}-keeper")
    try:
        lock = lock_writer(path, take_over=False)
    except OSError as error:
        message = f"{path}: expected a file that can be written, found: {error.strerror}."
        raise InputError(message, file=str(path)) from error
    if lock is None:
        holder = signed(path) or "another process"
        message = (
            f"{fund.series.symbol}: expected a venue account that no other keeper trades on, found "
            f"{holder}, who holds {fund.account} as long as that process lives: stop that one, or "
            "name another venue."
        )
        raise InputError(message, symbol=fund.series.symbol, holder=holder)
    lock.sign(str(Owner(owner, socket.gethostname(), os.getpid(), time.time_ns() // 1_000_000)))
    return lock


def check_not_behind(desk: Desk, venue: PaperVenue) -> None:
    """Refuse a paper account that is behind the journal: an older copy, or a new account.

    It would give the ids of its trades a second time.

    Raises:
        InputError: the account's next price is earlier than the journal's last event.
    """
    next_ms = venue.next_ms
    if next_ms is not None and next_ms < desk.told_s * 1000:
        found, told = (time_text(ms // 1000 * 1000) for ms in (venue.now_ms, desk.told_s * 1000))
        message = (
            f"{desk.symbol}: expected a paper account of {venue.name} that has come to {told}, as "
            f"the journal has, found one that stands at {found}: it is an older copy, or a new "
            "one. Put the right file back, or begin again without both files."
        )
        raise InputError(message, symbol=desk.symbol, found=found, allowed=told)


def _history(settings: Settings, name: str) -> object:
    """A price file beside the keeper file, or else the bundled history of that name."""
    from steelyard.market import SAMPLE_NAMES, sample_prices

    path = settings.beside(name)
    return sample_prices(name) if not path.exists() and name in SAMPLE_NAMES else str(path)


async def run_keeper(
    settings: Settings,
    *,
    owner: str,
    say: Say,
    once: bool = False,
    launch: bool = False,
    live: bool = False,
) -> dict[str, Desk]:
    """Run the funds of a keeper file until their histories end, or a signal asks to stop.

    Args:
        settings: the settings of the keeper.
        owner: who runs the keeper, for messages and the journal.
        say: is called with each line of the log.
        once: stop when everything that can be done now is done.
        launch: request the launch of each fund that is not launched.
        live: whether orders are sent to real venues.

    Raises:
        InputError: another keeper runs on this journal (the message says who, until when), or the
            file is wrong.
        Fenced: another keeper took over.
    """
    check_own_accounts(settings)
    async with AsyncExitStack() as stack:
        lease = take_lease(settings.journal, owner)
        stack.callback(lease.release)
        requests = stack.enter_context(Requests(settings.journal))
        launches = ask_to_launch(settings, requests, owner) if launch else {}
        keeper, venues = core.Keeper(), dict[str, Venue]()
        with Journal.open(settings.journal) as journal, DECIMAL18.context():
            for fund in settings.funds:
                desk = open_desk(journal, fund.series, fund.guards)
                # each account has its own history, and the histories may stand at different times
                desk.market.underlying = f"{fund.series.underlying} of {desk.symbol}"
                core.add_desk(keeper, desk)
                stack.callback(hold_account(settings, fund, owner).release)
                venue = open_venue(settings, fund, sends=live, listens=not once)
                stack.push_async_callback(venue.close)
                if isinstance(venue, PaperVenue):
                    check_not_behind(desk, venue)
                    venue.stops = partial(stop_on_way, desk)
                venues[fund.series.symbol] = venue
        for fund in settings.funds:
            if fund.venue.is_paper and fund.venue.secrets is not None:
                text = (
                    f"venue {fund.venue.name} is paper: it needs no secrets, and they are not read"
                )
                say(fund.series.symbol, text, False)  # noqa: FBT003
        for venue in venues.values():
            if isinstance(venue, ExchangeVenue):
                await venue.warm_up()
        speed = max(fund.venue.speed for fund in settings.funds)
        stands = settings.is_paper and speed == 0
        idle = _never_launched(requests, keeper.desks)
        if idle and stands and not once:
            refuse_idle(idle)
        for symbol in idle:
            say(symbol, "it is not launched: nothing is done until somebody asks for that", False)  # noqa: FBT003
        clock = _clock(venues.values(), speed)
        shell = Shell(
            keeper,
            lease.writer,
            venues,
            clock,
            owner=owner,
            kill_file=kill_file(settings),
            say=say,
            waits=stands,
            once=once,
        )
        _tell_lease(lease, shell, clock)
        number = _tell_requests(requests, 0, keeper.desks, shell, clock)
        beside = [
            asyncio.create_task(_renew(lease, shell, clock)),
            asyncio.create_task(_look(requests, number, keeper.desks, shell, clock, launches)),
        ]
        for task in beside:
            task.add_done_callback(partial(_fail_with, shell))
        _stop_at_signals(shell)
        sender = _health_sender(settings, shell, clock)
        try:
            await shell.run()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            if sender is not None:
                await asyncio.to_thread(sender.close)
        return keeper.desks


def _clock(venues: Iterable[Venue], speed: float) -> KeeperClock:
    """The clock of the histories on paper; otherwise this machine's."""
    histories = [each for each in venues if isinstance(each, PaperVenue)]
    return HistoryClock(histories, speed) if histories else WallClock()


def _never_launched(requests: Requests, desks: Mapping[str, Desk]) -> list[str]:
    """The funds that are neither launched nor waiting for a requested launch."""
    asked = {
        row.fund
        for row in requests.after(0)
        if row.what == "launch" and row.fund in desks and not is_known(desks[row.fund], row.key)
    }
    return [name for name, desk in desks.items() if not desk.is_launched and name not in asked]


def refuse_idle(symbols: Sequence[str]) -> None:
    """Refuse funds that are not launched on a history without a speed, which would end at once.

    Raises:
        InputError: always.
    """
    message = (
        f"{', '.join(symbols)}: expected a launched fund, since the history goes by at once, found "
        'none: give --launch, or ask with "steelyard keeper launch" first.'
    )
    raise InputError(message, found=list(symbols))


def ask_to_launch(settings: Settings, requests: Requests, who: str) -> dict[str, str]:
    """Request the launch of each fund; for a launched fund the request changes nothing.

    Returns the keys of the requests by the symbols of the funds.
    """
    symbols = [fund.series.symbol for fund in settings.funds]
    with Journal.open(settings.journal) as journal:
        keys = {symbol: launch_key(journal, symbol) for symbol in symbols}
    for symbol, key in keys.items():
        requests.ask(key, symbol, who, "launch", {})
    return keys


def _health_sender(settings: Settings, shell: Shell, clock: KeeperClock) -> HealthSender | None:
    """Start to publish health, and tell the keeper about each delivery; None: not configured."""
    if settings.health is None:
        return None
    loop, symbols = asyncio.get_running_loop(), {each.series.symbol for each in settings.funds}

    def told(fund: str, why: str | None) -> None:
        if fund in symbols and not loop.is_closed():
            loop.call_soon_threadsafe(lambda: shell.tell(HealthTold(clock.now_ms(), fund, why)))

    mark = settings.path.with_suffix(".health")
    sender = HealthSender(settings.health, settings.journal, mark, told)
    sender.start()
    return sender


def _fail_with(shell: Shell, task: asyncio.Task[None]) -> None:
    """End the keeper with the error of its lease or request task, without which it cannot go on."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        shell.fail(error)


def _stop_at_signals(shell: Shell) -> None:
    """Stop cleanly at SIGINT and SIGTERM.

    Python delivers signals only to the main thread. A keeper in another thread, inside a larger
    program, is stopped by that program.
    """
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, shell.stop)


def _tell_lease(lease: KeeperLease, shell: Shell, clock: KeeperClock) -> None:
    before_ms = clock.now_ms()
    lasts_ms = lease.renew()
    # history time passes faster than machine time, so the lease's length is converted
    until = None if lasts_ms is None else before_ms + clock.of_machine(lasts_ms)
    shell.tell(LeaseChanged(clock.now_ms(), until))
    if lasts_ms is None:
        place = lease.writer.place
        shell.fail(Fenced(f"{place}: another keeper has taken over: this one stops.", place=place))


async def _renew(lease: KeeperLease, shell: Shell, clock: KeeperClock) -> None:
    while True:
        await asyncio.sleep(RENEW_MS / 1000)
        _tell_lease(lease, shell, clock)


def _tell_requests(
    requests: Requests, number: int, desks: Mapping[str, Desk], shell: Shell, clock: KeeperClock
) -> int:
    """Tell the shell of the requests after a number, and return the number of the last one."""
    for row in requests.after(number):
        number = row.number
        if row.fund in desks:
            what = row.what if row.what in ASKED else f"{row.what} by the table of requests"
            event = NewRequest(clock.now_ms(), row.fund, row.key, row.who, what, row.content)
            shell.tell(event)
    return number


async def _look(
    requests: Requests,
    number: int,
    desks: Mapping[str, Desk],
    shell: Shell,
    clock: KeeperClock,
    launches: Mapping[str, str],
) -> None:
    while True:
        await asyncio.sleep(ASK_S)
        number = _tell_requests(requests, number, desks, shell, clock)
        if launches and all(is_refused(desks[name], key) for name, key in launches.items()):
            shell.stop()  # the log says why the launches were refused, and there is no fund to run
