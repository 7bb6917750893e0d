"""The keeper of ``steelyard keeper demo``: a process of its own, killed twice in mid-work.

It is the very command ``steelyard keeper run``, and knows nothing of being watched. Once its log
has told of some orders, the process goes on in small steps: between them it is held (SIGSTOP), and
its journal and its account at the venue are read. The first process gets SIGKILL where an order is
stored and the venue has not got it; the second where the venue has filled an order and the journal
does not know it.
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
"""In the line of the log that tells of an order."""
CRASH = ": band at "
"""And of one whose price came on the way through a bar."""
DAY_MS = 86_400_000
MARCH_12_MS = 1_583_971_200_000


class Window(NamedTuple):
    """What one kill waits for, from when a process starts.

    Attributes:
        passed: how many orders at a price inside a bar are let pass.
        is_filled: whether the venue has to have filled the order; else, not to have got it.
        ends_ms: from when on, by the journal, the process is killed whatever is under way.
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
"""A held process goes on in steps of so long; after so many any order under way will do."""
MOST_FOLDERS = 1_000


@dataclass(frozen=True)
class Open:
    """An order that was under way when the process was killed."""

    fund: str
    client_id: str
    units: Decimal
    at_venue: str | None
    """What had become of it at the venue by then; None: the venue had not got it."""


@dataclass(frozen=True)
class Kill:
    """A process that was killed: when by its own clock, after which event, with what under way."""

    time_ms: int
    events: int
    orders: tuple[Open, ...]


def free_folder(name: str) -> Path:
    """A folder of this name that is not there yet: ``name``, ``name-2``, ``name-3`` and so on.

    Raises:
        InputError: a thousand of them are there.
    """
    for number in range(1, MOST_FOLDERS + 1):
        path = Path(name if number == 1 else f"{name}-{number}")
        if not os.path.lexists(path):
            return path
    message = f"{name}: expected a free name, found {MOST_FOLDERS} taken: give one with --out."
    raise InputError(message, found=name)


def write_files(folder: Path) -> Path:
    """Write the keeper file and its two series files, and give the keeper file's path."""
    for name in PRESETS:
        (folder / f"{name}.toml").write_text(preset_text(name), encoding="utf-8")
    path = folder / FILE
    path.write_text(KEEPER_FILE.format(start=START, end=END), encoding="utf-8")
    return path


def keep_and_kill(
    settings: Settings, say: Callable[[str], None], progress: Callable[[int], None] | None
) -> list[Kill]:
    """Run the keeper to the end of its history, with a kill in each of the windows.

    Args:
        settings: of its file.
        say: takes what happens, in words.
        progress: called with the number of orders so far.

    Raises:
        SteelyardError: the keeper failed by itself, or ended before it could be killed.
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
    """The keeper as a process; whatever happens, none is left behind."""
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
    """The lines of the log, each written to a file beside the keeper file as well."""
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
    """Let some orders pass, then go on in small steps to where the process is to be killed."""
    from steelyard.ledger import Journal

    last, left = "", window.passed
    for line in _lines(process, settings.path):
        last = line
        left -= count(line)
        if left > 0:
            continue
        with contextlib.suppress(OSError):
            # whoever watches it is to be quicker than it is
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
    message = "expected a keeper that can be killed on its way, found it at its end: run it again."
    raise SteelyardError(message)


def _stepped(
    process: subprocess.Popen[str], settings: Settings, journal: Journal, window: Window
) -> Kill | None:
    """Hold the process where it is to be killed; None: it has ended by itself."""
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
    """Hold the process; False: it has ended by itself."""
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
            f"{process.returncode}: {last.strip() or 'it said nothing'}"
        )
        raise SteelyardError(message)


def _under_way(journal: Journal) -> tuple[list[Row], int]:
    """Orders without an end, and the time of the last."""
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
    """What the venue has of an order; its process is held, so that nothing changes meanwhile."""
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
