"""Run the keeper of ``steelyard keeper demo`` in its own process and kill it twice at work.

The process runs the ordinary command ``steelyard keeper run``. Once its log shows some orders, the
process is resumed in small steps only: between them it is stopped (SIGSTOP), while its journal and
its account at the venue are read. The first process gets SIGKILL when an order is stored and the
venue has not received it; the second when the venue has filled an order and the journal does not
record it yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from steelyard.errors import InputError, SteelyardError
from steelyard.rules.presets import preset_text

if TYPE_CHECKING:
    from steelyard.keeper.settings import Settings
    from steelyard.ledger import Journal, Row

__all__ = ["END", "FILE", "START", "Kill", "Open", "free_folder", "keep_and_kill", "write_files"]

START, END = "2020-03-09", "2020-03-20"
PRESETS = ("oracle-3l", "oracle-1s")
FILE = "keeper.toml"
KEEPER_FILE = """\
# In rehearsal: a 3x long and a 1x short, each with a reserve, in the crash of March 2020.
schema = 1
journal = "sqlite:keeper.db"

[health]
to = "health/" # a file for each reserve and full hour

[[venue]]
name = "main"
kind = "paper"
prices = {{ "BTC/USDT:USDT" = "BTC" }} # the bundled days
start = "{start}"
end = "{end}"
intrabar = "path"
speed = 0.0 # as fast as it goes

[[fund]]
series = "oracle-3l.toml"
venue = "main"

[[fund]]
series = "oracle-1s.toml"
venue = "main"
"""
PROGRAM = "import sys; from steelyard.cli import main; sys.exit(main())"
ORDER = " as sy-"
"""Marks a line of the log that reports an order."""
CRASH = ": band at "
"""Marks one whose price is inside a bar."""
DAY_MS = 86_400_000
MARCH_12_MS = 1_583_971_200_000


class Window(NamedTuple):
    """The conditions of one kill, from the start of a process.

    Attributes:
        passed: the number of orders at a price inside a bar that come before.
        is_filled: True if the venue must have filled the order, False if it must not have it.
        ends_ms: the time in the journal from which the process is killed in any case.
    """

    passed: int
    is_filled: bool
    ends_ms: int


WINDOWS = (
    Window(2, is_filled=False, ends_ms=MARCH_12_MS + 2 * DAY_MS),
    Window(4, is_filled=True, ends_ms=MARCH_12_MS + 7 * DAY_MS),
)
LOW = 10
STEP_S = 0.000_2
PATIENT_STEPS = 100
"""After this many steps of ``STEP_S``, any open order is accepted for the kill."""
MOST_FOLDERS = 1_000


@dataclass(frozen=True)
class Open:
    """An order that was open when the process was killed."""

    fund: str
    client_id: str
    units: Decimal
    at_venue: str | None
    """Its state at the venue at that time; None if the venue had not received it."""


@dataclass(frozen=True)
class Kill:
    """A killed process: the time by its own clock, the last event, and the open orders."""

    time_ms: int
    events: int
    orders: tuple[Open, ...]


def free_folder(name: str) -> Path:
    """The first name that is not taken: ``name``, ``name-2``, ``name-3`` and so on.

    Raises:
        InputError: a thousand such names are taken.
    """
    for number in range(1, MOST_FOLDERS + 1):
        path = Path(name if number == 1 else f"{name}-{number}")
        if not os.path.lexists(path):
            return path
    message = f"{name}: expected a free name, found {MOST_FOLDERS} taken: choose one with --out."
    raise InputError(message, found=name)


def write_files(folder: Path) -> Path:
    """Write the keeper file and its two series files, and return the keeper file's path."""
    for name in PRESETS:
        (folder / f"{name}.toml").write_text(preset_text(name), encoding="utf-8")
    path = folder / FILE
    path.write_text(KEEPER_FILE.format(start=START, end=END), encoding="utf-8")
    return path


def keep_and_kill(
    settings: Settings, say: Callable[[str], None], progress: Callable[[int], None] | None
) -> list[Kill]:
    """Run the keeper to the end of its history, and kill it once in each window.

    Args:
        settings: the settings of its file.
        say: called with messages about the progress.
        progress: called with the number of orders so far.

    Raises:
        SteelyardError: the keeper failed, or ended before it could be killed.
    """
    kills: list[Kill] = []
    orders = 0

    def count(line: str) -> bool:
        nonlocal orders
        orders += ORDER in line
        if progress is not None:
            progress(orders)
        return ORDER in line and CRASH in line

    for window in WINDOWS:
        with _process(settings.path) as process:
            kill = _killed(process, settings, window, count)
        kills.append(kill)
        say(f"killed process {len(kills)} with SIGKILL at event {kill.events}; restarting it")
    with _process(settings.path) as process:
        last = ""
        for line in _lines(process, settings.path):
            count(line)
            last = line
        _refuse_failure(process, last)
    return kills


@contextmanager
def _process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """The keeper as a process, which is always ended on exit."""
    process = subprocess.Popen(  # noqa: S603 (this program itself)
        [sys.executable, "-c", PROGRAM, "keeper", "run", str(path), "--launch"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def _lines(process: subprocess.Popen[str], path: Path) -> Iterator[str]:
    """The lines of the log; each is also written to a file beside the keeper file."""
    assert process.stderr is not None  # noqa: S101 (it was asked for)
    with path.with_suffix(".log").open("a", buffering=1, encoding="utf-8") as log:
        for line in process.stderr:
            log.write(line)
            yield line


def _killed(
    process: subprocess.Popen[str],
    settings: Settings,
    window: Window,
    count: Callable[[str], bool],
) -> Kill:
    """Wait for some orders, then step to the point at which the process is killed."""
    from steelyard.ledger import Journal

    last, left = "", window.passed
    for line in _lines(process, settings.path):
        last = line
        left -= count(line)
        if left > 0:
            continue
        with contextlib.suppress(OSError):
            # this process must be faster than the one it watches
            os.setpriority(os.PRIO_PROCESS, process.pid, LOW)
        with Journal.open(settings.journal) as journal:
            kill = _stepped(process, settings, journal, window)
        if kill is None:
            break
        process.kill()
        process.wait()
        for rest in _lines(process, settings.path):
            count(rest)
        return kill
    _refuse_failure(process, last)
    message = "expected a keeper that still runs, found that it had ended: run the demo again."
    raise SteelyardError(message)


def _stepped(
    process: subprocess.Popen[str], settings: Settings, journal: Journal, window: Window
) -> Kill | None:
    """Stop the process at the point of the kill; None if it has ended by itself."""
    steps = 0
    while _held(process):
        rows, now_ms = _under_way(journal)
        orders = tuple(_at_venue(settings, row) for row in rows)
        is_filled = any(each.at_venue is not None for each in orders)
        is_wanted = bool(orders) and (is_filled == window.is_filled or steps >= PATIENT_STEPS)
        if is_wanted or now_ms >= window.ends_ms:
            return Kill(now_ms, journal.head().size, orders)
        process.send_signal(signal.SIGCONT)
        time.sleep(STEP_S)
        steps += 1
    return None


def _held(process: subprocess.Popen[str]) -> bool:
    """Stop the process; False if it has ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return True
    process.returncode = os.waitstatus_to_exitcode(status)
    return False


def _refuse_failure(process: subprocess.Popen[str], last: str) -> None:
    if process.wait() != 0:
        message = (
            f"expected a keeper that runs to its end, found one that ended with code "
            f"{process.returncode}: {last.strip() or 'it printed nothing'}"
        )
        raise SteelyardError(message)


def _under_way(journal: Journal) -> tuple[list[Row], int]:
    """Orders without an outcome, and the time of the last order."""
    begun: dict[str, Row] = {}
    now_ms = 0
    for row in journal.events(kinds=["order", "order_ended"]):
        if row.kind == "order":
            begun[row.fields["id"]] = row
        else:
            begun.pop(row.fields["id"], None)
        now_ms = max(now_ms, row.time_ms)
    return list(begun.values()), now_ms


def _at_venue(settings: Settings, row: Row) -> Open:
    """An order's state at the venue; the keeper's process is stopped meanwhile."""
    from steelyard.keeper.running import open_venue

    async def look() -> str | None:
        venue = open_venue(settings, settings.fund(row.fund))
        try:
            found = (await venue.look_up(row.fields["id"])).value
            return None if found is None else found.status.value
        finally:
            await venue.close()

    units = Decimal(row.fields["units"])
    return Open(row.fund, row.fields["id"], units, asyncio.run(look()))
