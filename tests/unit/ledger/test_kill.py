"""A writer is killed at random moments: what it acknowledged is there, and the chain is whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from steelyard.ledger import Journal, open_writer

WRITER = Path(__file__).resolve().parents[2] / "support" / "journal_writer.py"
MOST_AT_ONCE = 20
KILLS = int(os.environ.get("STEELYARD_TEST_KILLS", "20"))
"""By hand: a hundred."""


def killed_after(place: str, seed: int, wait_s: float) -> int:
    """The last event that a writer acknowledged before it was killed."""
    command = [sys.executable, str(WRITER), place, str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        time.sleep(wait_s)
        process.kill()
        said = process.stdout.read()
    whole = said.rpartition(b"\n")[0].split(b"\n")
    return int(whole[-1]) if whole[-1] else 0


def test_no_acknowledged_event_is_lost(place: str) -> None:
    """Killed by -9 again and again, a journal goes on with each next writer where it ended."""
    chance = random.Random()  # noqa: S311 (no secret)
    before = 0
    for seed in range(KILLS):
        wait_s = chance.uniform(0, 0.1)
        acknowledged = max(before, killed_after(place, seed, wait_s))
        with Journal.open(place) as journal:
            verdict = journal.verify()
            head = journal.head()
        assert verdict.ok, (seed, wait_s, verdict.proofs["chain"].findings)
        assert verdict.head == head
        assert acknowledged <= head.size <= acknowledged + MOST_AT_ONCE, (seed, wait_s)
        before = head.size
    with Journal.open(place) as journal:
        assert all(row.fields["n"] == row.seq for row in journal.events())
        snapshot = journal.snapshot("BTC3L")
        assert snapshot is None or snapshot.state == {"n": snapshot.seq}
    with open_writer(place) as writer:
        assert writer.head.size == before > KILLS
