"""A rehearsal exchange as a process of its own, with a hand on its control port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from steelyard.venues.secrets import Secrets

__all__ = ["RehearsalProcess"]

STARTS_WITHIN_S = 60.0
ANSWERS_WITHIN_S = 60.0


class RehearsalProcess:
    """One exchange.

    Args:
        folder: which it keeps.
        prices: of its markets, as ``--prices`` takes them.
        options: more of its command line.
    """

    def __init__(self, folder: Path, *prices: str, options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        given = [part for each in prices for part in ("--prices", each)]
        self._command = [sys.executable, "-m", "steelyard", "rehearsal", "serve", str(folder)]
        self._command += [*given, *options]
        self.start()

    @classmethod
    def of_another(cls, folder: Path) -> RehearsalProcess:
        """The exchange that somebody else has started there: only its control port is used."""
        found = cls.__new__(cls)
        found.folder = folder
        found._control = urlsplit(json.loads((folder / "address.json").read_text())["control"])
        return found

    def start(self) -> None:
        """Start it, and wait until it listens."""
        address = self.folder / "address.json"
        log = self.folder.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            self._process = subprocess.Popen(self._command, stderr=file, stdout=file)
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            if address.exists():
                said = json.loads(address.read_text())
                if said["process"] == self._process.pid:
                    self._control = urlsplit(said["control"])
                    return
            time.sleep(0.02)
        raise AssertionError(log.read_text())

    def control(self, method: str, path: str, /, **given: object) -> Any:
        """Ask its control port for something."""
        connection = http.client.HTTPConnection(
            str(self._control.hostname), self._control.port, timeout=ANSWERS_WITHIN_S
        )
        try:
            connection.request(method, path, json.dumps(given) if given else None)
            answer = connection.getresponse()
            said = json.loads(answer.read())
        finally:
            connection.close()
        assert answer.status == 200, said
        return said

    def secrets(self, account: str = "main") -> Secrets:
        """Key and secret of an account."""
        (found,) = [
            each
            for each in json.loads((self.folder / "accounts.json").read_text())
            if each["account"] == account
        ]
        return Secrets(found["apiKey"], found["secret"])

    def kill(self) -> None:
        """End it as a crash does."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
