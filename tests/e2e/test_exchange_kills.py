"""A keeper at an exchange is killed at any moment, under faults, and so is the exchange.

``STEELYARD_TEST_KILLS=100`` kills it a hundred times instead of ten.

At the end the books are those of the exchange: position and trades exactly, cash to the last digit
of each trade, and every order has one intent, which has ended.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.errors import SteelyardError
from support.command import SCRIPT, environment
from support.exchange_keeper import ExchangeFolder
from support.postgres import database, served

pytestmark = pytest.mark.xdist_group("processes")

ROUNDS = int(os.environ.get("STEELYARD_TEST_KILLS", "10"))
WAIT_S = 60
FAULTS = (
    "drop_before",
    "drop_after",
    "408_filled",
    "503_unknown_lost",
    "garbled_filled",
    "503_busy",
    "held",
    "late",
    "lag",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, testrun_uid: str
) -> Iterator[ExchangeFolder]:
    """A keeper's folder with an exchange beside it, and a journal of either kind."""
    found = ExchangeFolder(tmp_path)
    try:
        if request.param == "sqlite":
            yield found
        else:
            with served(testrun_uid) as server, database(server) as url:
                found.journal(url)
                yield found
    finally:
        found.exchange.kill()


def orders(place: ExchangeFolder) -> int:
    """How many intents the journal has; none where there is no journal yet."""
    try:
        return len(place.rows("order"))
    except SteelyardError:
        return 0


def kept(place: ExchangeFolder, round_: int) -> subprocess.Popen[bytes]:
    """A keeper that runs; one that is told to wait for the lease of another is started again."""
    log = (place.folder / f"keeper-{round_}.log").open("ab")
    with log:
        return subprocess.Popen(
            [SCRIPT, "keeper", "run", "keeper.toml", "--live", "--launch"],
            cwd=place.folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )


def test_killed_at_any_moment_nothing_is_lost_or_doubled(place: ExchangeFolder) -> None:
    """Each time with a fault of its own; in the middle the exchange is killed as well."""
    dice = random.Random(15)  # noqa: S311 (moments, no secrets)
    for round_ in range(ROUNDS):
        before = orders(place)
        place.fault(dice.choice(FAULTS), wait_ms=dice.randrange(500, 3_000))
        place.cross(Decimal("4.2") if round_ % 2 else Decimal("2.2"))
        keeper = kept(place, round_)
        until = time.monotonic() + WAIT_S
        while orders(place) == before and time.monotonic() < until:
            if keeper.poll() is not None:
                keeper = kept(place, round_)
            time.sleep(0.1)
        time.sleep(dice.uniform(0, 1))
        if round_ == ROUNDS // 2:
            place.exchange.kill()
            place.exchange.start()
            time.sleep(dice.uniform(0, 1))
        keeper.kill()
        keeper.wait()
    place.exchange.control("DELETE", "/fault")
    until = time.monotonic() + WAIT_S
    while place.pass_once() and time.monotonic() < until:
        time.sleep(0.5)
    assert orders(place) > ROUNDS // 2
    place.check_agreement()
    place.verify()
