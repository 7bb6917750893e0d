"""``steelyard keeper`` as it is typed: runs, requests, ``kill -9`` of its process, a restart."""

from __future__ import annotations

import json
import resource
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steelyard.market import Feed
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset_text
from steelyard.simulation.run import simulate
from support.command import SCRIPT, command, environment
from support.keeper_command import funds_of, keeper_file, running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a series file."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    return tmp_path


def status(folder: Path) -> dict[str, Any]:
    """The one fund's status."""
    return funds_of(folder)[0]


def books_of_the_backtest(end: str) -> dict[str, Decimal]:
    """What the reference loop has on the same history."""
    feed = Feed("BTC", start="2020-02-01", end=end)
    state = simulate(
        "kucoin-3l", feed, number=DECIMAL18, engine="reference", intrabar="close"
    ).state
    return {name: getattr(state, name) for name in ("cash", "units", "tokens")}


def events_in(journal: Path) -> int:
    """How many events a keeper has stored so far."""
    if not journal.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as there:
            return int(there.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # it is being made


def books(found: dict[str, Any]) -> dict[str, Decimal]:
    """The same of a status."""
    return {name: Decimal(text) for name, text in found["books"].items()}


def test_a_run_that_is_killed_again_and_again_ends_with_the_books_of_the_backtest(
    folder: Path,
) -> None:
    """``kill -9`` at any instant, restarted each time: to the last digit, and the proofs hold."""
    keeper_file(folder, "one.toml", end="2020-03-10")
    kills = 0
    for events in (10, 30, 60, 10**9):
        process = subprocess.Popen(
            [SCRIPT, "keeper", "run", "keeper.toml", "--launch"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        while process.poll() is None and events_in(folder / "keeper.db") < events:
            time.sleep(0.002)
        if process.poll() is None:
            kills += 1
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        else:
            _, error = process.communicate(timeout=60)
            assert process.returncode == 0, error.decode()
    found = status(folder)
    assert kills > 0
    assert books(found) == books_of_the_backtest("2020-03-10")
    assert found["venue"]["agrees"]
    verified = command("journal", "verify", "keeper.db", cwd=folder)
    assert verified.returncode == 0, verified.stdout


def test_a_running_keeper_answers_requests(folder: Path) -> None:
    """Pause and resume are adopted once, with who asked; another's key is refused."""
    keeper_file(folder, "one.toml", speed=86_400.0)
    with running(folder, "--launch") as keeper:
        asked = ("keeper", "pause", "keeper.toml", "KUCOIN-3L", "--key", "k1", "--json")
        paused = json.loads(command(*asked, cwd=folder, check=True).stdout)
        assert paused == {"schema": 1, "key": "k1", "outcome": "done", "why": None}
        assert status(folder)["state"] == "paused"
        again = command("keeper", "resume", "keeper.toml", "KUCOIN-3L", "--key", "k1", cwd=folder)
        assert again.returncode == 3
        assert "another request" in again.stderr
        second = command("keeper", "run", "keeper.toml", cwd=folder)
        assert second.returncode == 3
        assert "which holds it as long as it runs" in second.stderr
        assert f"process {keeper.pid} on " in second.stderr
        done = command("keeper", "status", "keeper.toml", "--json", cwd=folder, check=True)
        lease = json.loads(done.stdout)["lease"]
        assert f"process {keeper.pid} on " in lease["holder"]
        assert lease["until"] is None
        assert lease["since"] in second.stderr
        command("keeper", "resume", "keeper.toml", "KUCOIN-3L", cwd=folder, check=True)
        assert status(folder)["state"] != "paused"


def test_what_cannot_be_is_refused(folder: Path) -> None:
    """``--live`` without a venue that can send; a fund that is not in the file."""
    keeper_file(folder, "one.toml", end="2020-03-01")
    live = command("keeper", "run", "keeper.toml", "--live", cwd=folder)
    assert live.returncode == 3
    assert "paper venues only" in live.stderr
    other = command("keeper", "pause", "keeper.toml", "OTHER", cwd=folder)
    assert other.returncode == 3
    assert "KUCOIN-3L" in other.stderr
    idle = command("keeper", "run", "keeper.toml", cwd=folder)
    assert idle.returncode == 3
    assert "give --launch" in idle.stderr
    path = folder / "keeper.toml"
    kept = path.read_text()
    path.write_text('health = { to = "-" }\n' + kept)
    mixed = command("keeper", "run", "keeper.toml", "--launch", "--json", cwd=folder)
    assert mixed.returncode == 3
    assert "health.to" in mixed.stderr
    path.write_text(kept)
    changed = preset_text("kucoin-3l").replace('at = "23:30"', 'at = "22:30"')
    command("keeper", "once", "keeper.toml", "--launch", cwd=folder, check=True)
    (folder / "one.toml").write_text(changed, encoding="utf-8")
    refused = command("keeper", "once", "keeper.toml", cwd=folder)
    assert refused.returncode == 3
    assert "fixed for good" in refused.stderr


def test_a_full_disk_ends_the_keeper_and_the_next_one_goes_on(folder: Path) -> None:
    """The files may grow so far and no farther: nothing is sent that is not stored.

    Once there is room again, the books are those of the backtest.
    """
    keeper_file(folder, "one.toml", end="2020-03-10")
    full = 0
    for kilobytes in (192, 256, 384, 512):
        limit = (kilobytes * 1024, kilobytes * 1024)
        done = subprocess.run(
            [SCRIPT, "keeper", "run", "keeper.toml", "--launch"],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, limit),
        )
        if done.returncode != 0:
            full += 1
            assert "Traceback" not in done.stderr
            assert done.stderr.splitlines()[-1].startswith("Error")
    assert full > 0
    command("keeper", "run", "keeper.toml", "--launch", cwd=folder, check=True)
    assert books(status(folder)) == books_of_the_backtest("2020-03-10")
    verified = command("journal", "verify", "keeper.db", cwd=folder)
    assert verified.returncode == 0, verified.stdout
