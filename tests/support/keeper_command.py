"""``steelyard keeper`` with a file of its own, and as a process that runs beside a test."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.command import SCRIPT, command, environment

__all__ = ["funds_of", "keeper_file", "running"]

FILE = """
journal = "sqlite:keeper.db"
[[venue]]
name = "main"
kind = "paper"
prices = {{ "BTC/USDT:USDT" = "BTC" }}
start = "2020-02-01"
end = "{end}"
intrabar = "close"
speed = {speed}
[[fund]]
series = "{series}"
venue = "main"
[guards]
slippage_bps = 5000.0
max_orders_per_hour = 1000
"""
WAIT_S = 60
LAST_BAR = "2022-12-30"


def keeper_file(folder: Path, series: str, *, end: str = LAST_BAR, speed: float = 0.0) -> Path:
    """A keeper file of one fund on the bundled sample, from February 2020 to an end."""
    path = folder / "keeper.toml"
    path.write_text(FILE.format(end=end, speed=speed, series=series), encoding="utf-8")
    return path


def funds_of(folder: Path) -> list[dict[str, Any]]:
    """What ``status`` says of the funds; none where there is no journal yet."""
    done = command("keeper", "status", "keeper.toml", "--json", cwd=folder)
    found: list[dict[str, Any]] = json.loads(done.stdout)["funds"] if done.returncode == 0 else []
    return found


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A keeper that runs until the end of the block, when it is asked to stop.

    It has a journal then, and with ``--launch`` its fund is launched.
    """
    process = subprocess.Popen(
        [SCRIPT, "keeper", "run", "keeper.toml", *options],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + WAIT_S
        while not _is_there(folder, is_launched="--launch" in options):
            assert process.poll() is None, "the keeper has ended"
            assert time.monotonic() < until, "the keeper has not launched its fund"
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WAIT_S) == 0


def _is_there(folder: Path, *, is_launched: bool) -> bool:
    found = funds_of(folder)
    return bool(found) and (not is_launched or found[0]["nav"] is not None)
