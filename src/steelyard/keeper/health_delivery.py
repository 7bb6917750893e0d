"""Where the hourly health of the reserves goes: a folder, standard output, or a URL.

It is read from the journal, so that nothing is told that is not stored, and it runs beside the
keeper: a receiver that does not answer holds nothing up. How far it came stands in a file beside
the keeper file. After a crash it goes on from there, so each hour is delivered at least once, in
order, and never in part; whoever receives knows an hour by its fund and time.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from steelyard.errors import SteelyardError
from steelyard.ledger.event_rows import Row
from steelyard.ledger.instants import time_text
from steelyard.ledger.journal import Journal

__all__ = ["HealthSender", "HealthSettings", "is_receiver"]

LOOK_S = 0.5
"""How often the journal is looked at."""
ANSWERS_WITHIN_S = 10.0
RETRY_S = 30.0
"""After a delivery that failed."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class HealthSettings(NamedTuple):
    """The table ``[health]`` of a keeper file."""

    to: str
    """A folder, ``-`` for standard output, or a URL that takes a POST."""
    every_s: int
    """Hours at a multiple of this are told; a whole number of hours that divides a day."""

    @property
    def place(self) -> str:
        """Where to, for journal and log; of a URL its host alone: the rest may be a secret."""
        parts = urlsplit(self.to)
        return f"{parts.scheme}://{parts.hostname}" if parts.scheme else self.to


def is_receiver(found: str) -> bool:
    """Whether health can go there: https, or http on this machine, where it is a URL."""
    try:
        parts = urlsplit(found)
        _ = parts.port
    except ValueError:
        return False
    if not parts.scheme:
        return bool(found)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return (parts.scheme == "https" and bool(parts.hostname)) or is_local


class HealthSender:
    """Delivers what the journal says of the reserves' health, hour by hour.

    Args:
        settings: where to, and how often; a folder stands as it is to be opened.
        journal: the journal's file or URL.
        mark: the file that says how far it came.
        told: takes, from this thread, the fund of a delivery and why it failed; None: it arrived.
    """

    def __init__(
        self,
        settings: HealthSettings,
        journal: str,
        mark: Path,
        told: Callable[[str, str | None], None],
    ) -> None:
        self._settings, self._journal, self._mark, self._told = settings, journal, mark, told
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)
        self._deliver = _receiver(settings.to)
        # a process before this one may have left the alarm on
        self._failing = True

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Deliver what is stored by now, each hour tried once, and end."""
        self._ends.set()
        self._thread.join(3 * ANSWERS_WITHIN_S)

    def _run(self) -> None:
        while True:
            is_last = self._ends.is_set()
            is_done = self._catch_up()
            if is_last:
                return
            self._ends.wait(LOOK_S if is_done else RETRY_S)

    def _catch_up(self) -> bool:
        """Deliver each hour after the last one that arrived; whether all of them did."""
        try:
            with Journal.open(self._journal) as journal:
                after = self._reached(journal)
                for row in journal.events(after, kinds=["health"]):
                    if row.time_ms // 1000 % self._settings.every_s == 0:
                        self._tell(row)
                        self._keep(row)
        except (OSError, SteelyardError):
            # told already where a delivery failed; a journal that cannot be read ends the keeper
            return False
        return True

    def _tell(self, row: Row) -> None:
        try:
            self._deliver(_name(row), _message(row))
        except OSError as error:
            self._failing = True
            self._told(row.fund, f"{self._settings.place}: {error}")
            raise
        if self._failing:
            self._failing = False
            self._told(row.fund, None)

    def _reached(self, journal: Journal) -> int:
        """The last row that was delivered there; 0: none, or one of another journal."""
        try:
            found = json.loads(self._mark.read_text(encoding="utf-8"))
            seq = int(found["seq"]) if found["to"] == self._settings.to else 0
            row = next(journal.events(max(seq, 1) - 1), None)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0
        return seq if row is not None and row.hash.hex() == found["hash"] else 0

    def _keep(self, row: Row) -> None:
        reached = {"to": self._settings.to, "seq": row.seq, "hash": row.hash.hex()}
        _write(self._mark, json.dumps(reached) + "\n")


def _name(row: Row) -> str:
    """A file name of a fund's hour, such as ``BTC3L-2020-03-12T11.json``."""
    fund = re.sub(r"[^A-Za-z0-9_.-]", "_", row.fund)
    return f"{fund}-{time_text(row.time_ms)[:13]}.json"


def _message(row: Row) -> str:
    said = {
        "schema": 1,
        "fund": row.fund,
        "time": time_text(row.time_ms),
        **row.fields,
        "journal": {"seq": row.seq, "hash": row.hash.hex()},
    }
    return json.dumps(said) + "\n"


def _receiver(to: str) -> Callable[[str, str], None]:
    if to == "-":
        return _print
    if urlsplit(to).scheme:
        return lambda _, text: _post(to, text)
    return lambda name, text: _to_folder(Path(to), name, text)


def _print(_: str, text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _to_folder(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / name, text)


def _write(path: Path, text: str) -> None:
    """The whole file or none, also where the machine stops."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)  # noqa: PTH105 (one call for a new and for an old file)


def _post(url: str, text: str) -> None:
    """Send it by POST; a redirection is not followed, since what it leads to was not configured.

    Raises:
        OSError: no whole answer within ten seconds, or one that is not of the 200s.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWERS_WITHIN_S)
    # the time-out of a socket begins anew with each byte
    clock = threading.Timer(ANSWERS_WITHIN_S, _cut, (connection,))
    clock.daemon = True
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        clock.start()
        connection.request("POST", target, text.encode(), {"Content-Type": "application/json"})
        answer = connection.getresponse()
    except (HTTPException, ValueError) as error:
        raise OSError(f"no answer that can be read ({type(error).__name__})") from None
    finally:
        clock.cancel()
        connection.close()
    if not 200 <= answer.status < 300:  # noqa: PLR2004 (the codes of success)
        raise OSError(f"the answer was {answer.status} {answer.reason}")


def _cut(connection: HTTPConnection) -> None:
    held = connection.sock
    if held is not None:
        with suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)
