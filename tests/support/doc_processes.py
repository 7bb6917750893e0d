"""A terminal for the examples that let processes run on while the next lines are run.

A line that ends with ``&`` runs beside the others and prints into the same terminal. After each
line it is waited for what the page says it prints, as a reader waits, however long that takes.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from support.doc_pages import agrees, environment_of

__all__ = ["Terminal"]

PRINTS_WITHIN_S = 240.0
ENDS_WITHIN_S = 60.0


class Terminal:
    """What all lines of a page print into.

    Args:
        log: a file of its own, outside of the page's folder.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        log.touch()
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, command: str, folder: Path, expected: list[str]) -> tuple[str, int]:
        """Run a line: what is printed from then until it is what is expected, and its exit code."""
        before = self._log.stat().st_size
        stays = command.endswith("&")
        line = f"exec {command.removesuffix('&')}" if stays else command
        with self._log.open("ab") as file:
            process = subprocess.Popen(
                ["/bin/sh", "-c", line],
                cwd=folder,
                env=environment_of(folder),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        if stays:
            self._running.append(process)
        else:
            process.wait()
        until = time.monotonic() + PRINTS_WITHIN_S
        while True:
            found = self._log.read_bytes()[before:].decode()
            code = process.poll() or 0
            is_over = code != 0 or time.monotonic() > until
            if is_over or agrees(expected, found.splitlines()):
                return found, code
            time.sleep(0.1)

    def end(self) -> None:
        """Ask what still runs to stop, the last one first."""
        while self._running:
            process = self._running.pop()
            process.terminate()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
