"""Delivery of the reserves' hourly health to a folder, standard output, or a URL.

Health is read from the journal, so only stored events are delivered. Delivery runs beside the
keeper, so a receiver that does not answer delays nothing. A file beside the keeper file records
the last hour delivered, and delivery continues from there after a crash. So each hour is delivered
whole, in order, and at least once; a receiver recognises a repeated hour by its fund and time.
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
"""Seconds between two looks at the journal."""
ANSWERS_WITHIN_S = 10.0
RETRY_S = 30.0
"""Seconds to wait after a failed delivery."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class HealthSettings(NamedTuple):
    """The table ``[health]`` of a keeper file."""

    to: str
    """A folder, ``-`` for standard output, or a URL that takes a POST."""
    every_s: int
    """The interval, s, in whole hours that divide a day; hours at its multiples are delivered."""

    @property
    def place(self) -> str:
        """The receiver as logs show it: of a URL the host alone, since the rest may be secret."""
        parts = urlsplit(self.to)
        return f"{parts.scheme}://{parts.hostname}" if parts.scheme else self.to


def is_receiver(found: str) -> bool:
    """Whether health can be delivered there; a URL has to be https, or http on this machine."""
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
    """Delivers the health rows of a journal, hour by hour.

    Args:
        settings: the receiver and the interval; a folder is given as it is to be opened.
        journal: the journal's file or URL.
        mark: the file that records the last row delivered.
        told: is called from this thread with the fund of a delivery and the reason why it failed,
            or None if it arrived.
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
        # an earlier process may have left the alarm on
        self._failing = True

    def start(self) -> None:
        """Start the thread that delivers."""
        self._thread.start()

    def close(self) -> None:
        """Deliver what is stored by now, trying each hour once, and end the thread."""
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
        """Deliver every hour after the last delivered one, and say whether all of them arrived."""
        try:
            with Journal.open(self._journal) as journal:
                after = self._reached(journal)
                for row in journal.events(after, kinds=["health"]):
                    if row.time_ms // 1000 % self._settings.every_s == 0:
                        self._tell(row)
                        self._keep(row)
        except (OSError, SteelyardError):
            # a failed delivery was reported already; a journal that cannot be read ends the keeper
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
        """The number of the last row delivered to this receiver; 0 if none of this journal was."""
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
    """The file name of one hour of a fund, such as ``BTC3L-2020-03-12T11.json``."""
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
    """Write a file atomically: it is there whole or not at all, even if the machine stops."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)  # noqa: PTH105 (one call for a new and for an old file)


def _post(url: str, text: str) -> None:
    """Send a message by POST. Redirections are not followed, since their target was not configured.

    Raises:
        OSError: no complete answer arrived within ten seconds, or its status is not in the 200s.
    """
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWERS_WITHIN_S)
    # a socket's time-out restarts with each byte, so another clock limits the whole answer
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
