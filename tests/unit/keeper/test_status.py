"""``keeper status`` says how the funds stand: who keeps them, on whose clock, with what money."""

from __future__ import annotations

import asyncio
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.cli.keeper_status import print_status
from steelyard.keeper.running import open_venue, run_keeper
from steelyard.keeper.settings import Settings, read_settings
from steelyard.keeper.status import status_of
from steelyard.ledger import Journal
from steelyard.ledger.leases import lease_held, take_lease
from steelyard.rules.presets import preset_text
from support.keeper_command import keeper_file

KEYS = {
    "symbol",
    "state",
    "since",
    "nav",
    "leverage",
    "next",
    "intent",
    "books",
    "venue",
    "price",
    "alarms",
    "reserve",
}
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "keeper.md"
END = "2020-03-05"
LATER_MS = 1_800_000_000_000
"""By the machine's clock the history is long over."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A keeper that lived to the 5th of March 2020, and stopped."""
    folder = tmp_path_factory.mktemp("status")
    (folder / "one.toml").write_text(preset_text("oracle-3l"), encoding="utf-8")
    found = read_settings(keeper_file(folder, "one.toml", end=END))
    asyncio.run(run_keeper(found, owner="a test", say=lambda *_: None, launch=True))
    return found


def told(settings: Settings) -> dict[str, Any]:
    """The whole object."""
    with Journal.open(settings.journal) as journal:
        return status_of(settings, journal, LATER_MS)


def test_it_has_the_keys_that_programs_rely_on(settings: Settings) -> None:
    """All of them, of the right kinds; amounts are text."""
    found = told(settings)
    assert list(found) == ["schema", "journal", "lease", "funds"]
    assert set(found["journal"]) == {"events", "head"}
    assert set(found["lease"]) == {"holder", "since", "until"}
    (fund,) = found["funds"]
    assert set(fund) == KEYS
    assert fund["state"] == "running"
    assert set(fund["books"]) == {"cash", "units", "tokens"}
    assert set(fund["venue"]) == {"position", "balance", "agrees"}
    assert set(fund["price"]) == {"mark", "age_s"}
    assert set(fund["next"]) == {"up", "down"}
    assert set(fund["next"]["up"]) == {"trigger", "price"}
    amounts = (
        fund["nav"],
        fund["leverage"],
        fund["next"]["down"]["price"],
        *fund["books"].values(),
        fund["venue"]["position"],
        fund["venue"]["balance"],
        fund["price"]["mark"],
    )
    assert all(Decimal(each).is_finite() for each in amounts)


def test_every_key_is_on_the_page(settings: Settings) -> None:
    """And no other, in the table of what ``status`` says."""
    section = PAGE.read_text(encoding="utf-8").partition("## What `status` says")[2]
    heads = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = [name for head in heads for name in re.findall(r"`(\w+)`", head)]
    found = told(settings)
    keys = {*found, *found["funds"][0]} - {"schema"}
    assert sorted(named) == sorted(keys)


def test_the_venue_holds_what_its_account_says(settings: Settings) -> None:
    """Position and balance to the last digit, though the paper account is never looked into."""

    async def account() -> tuple[Decimal, Decimal]:
        venue = open_venue(settings, settings.funds[0])
        try:
            return (await venue.position()).value.units, (await venue.balance()).value.wallet
        finally:
            await venue.close()

    (fund,) = told(settings)["funds"]
    found = Decimal(fund["venue"]["position"]), Decimal(fund["venue"]["balance"])
    assert found == asyncio.run(account())
    assert fund["venue"]["agrees"]


def test_a_price_of_history_is_as_old_as_its_own_clock_says(settings: Settings) -> None:
    """The last bar's price is new on the venue's clock, whatever year the machine is in.

    A fund that runs does so since its launch: orders on the way are a part of that.
    """
    (fund,) = told(settings)["funds"]
    assert 0 <= fund["price"]["age_s"] < 60
    assert fund["since"] == "2020-02-02T00:00:00Z"


def test_a_keeper_that_has_stopped_holds_nothing(settings: Settings) -> None:
    """While one runs its name, its process and since when; with a file, no end is known."""
    assert told(settings)["lease"] == {"holder": None, "since": None, "until": None}
    lease = take_lease(settings.journal, "another test")
    try:
        found = told(settings)["lease"]
    finally:
        lease.release()
    assert found["holder"].startswith("another test, process ")
    assert found["since"].endswith("Z")
    assert found["until"] is None
    assert lease_held(settings.journal) is None


@pytest.mark.parametrize("width", [60, 120])
def test_the_table_fits_a_terminal(
    width: int,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Narrow and wide: who keeps the funds, a line a fund, and each alarm with its reason."""
    monkeypatch.setenv("COLUMNS", str(width))
    found = told(settings)
    alarm = {"books_differ": "the venue holds 1 units, expected 2"}
    order = {"id": "sy-A-1-1", "units": "-2.5", "limit": None, "until": "2020-03-12T00:00:02Z"}
    found["funds"][0] |= {"alarms": alarm, "intent": order}
    print_status(found)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[1].startswith("No keeper is running.")
    text = " ".join(" ".join(lines).split())
    assert "ORACLE-3L running" in text
    assert "alarm books_differ: the venue holds 1 units, expected 2" in text
    assert "sell 2.500" in text
    assert "..." not in text
    assert text.isascii()
