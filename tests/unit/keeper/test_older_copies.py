"""A journal, or a paper account, that is put back from an older copy while the other went on."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.keeper import running
from steelyard.keeper.order_ids import client_id, own_order
from steelyard.keeper.settings import read_settings
from steelyard.ledger import Journal
from steelyard.ledger.event_rows import Head
from steelyard.rules.presets import preset_text
from support.keeper_command import keeper_file
from support.live_machine import Machine, check


def head(place: str) -> Head:
    """Where a journal ends."""
    with Journal.open(place) as journal:
        return journal.head()


def test_after_an_older_copy_of_the_journal_no_id_is_used_a_second_time(tmp_path: Path) -> None:
    """The venue's trades are adopted, and say how far the fund's ids had come."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(3, [68_000, 70_000]))
    copy = tmp_path / "copy"
    shutil.copy(machine.place, copy)
    later = asyncio.run(machine.keep(5, [70_000, 67_000, 69_000, 71_000]))
    shutil.copy(copy, machine.place)
    desk = asyncio.run(machine.keep(5, [71_000, 69_000, 72_000]))
    assert desk.memory.sequence > later.memory.sequence
    used = machine.venue.exchange.orders
    assert [name for name, orders in used.items() if len(orders) > 1] == []
    check(machine, desk)


@pytest.mark.parametrize("symbol", ["BTC3L", "A-B 7-1", "X" * 60])
def test_an_id_of_its_own_is_known_and_no_other(symbol: str) -> None:
    """Of this fund, with numbers as they are written; at most nine digits each."""
    own = client_id(symbol, 17, 2)
    assert own_order(symbol, own) == own
    for other in (own + "0" * 9, own.replace("-17-", "-017-"), own[3:], "sy--1-1", "", own + "\n"):
        assert own_order(symbol, other) is None
    assert own_order("OTHER", own) is None


@pytest.mark.parametrize("is_new", [False, True], ids=["older", "new"])
def test_a_paper_account_that_is_behind_the_journal_is_refused(
    is_new: bool, tmp_path: Path
) -> None:
    """An older copy, or a new account: it is named with both times, and nothing is written."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    settings = read_settings(keeper_file(tmp_path, "one.toml", end="2020-03-10"))
    path, copy = tmp_path / "main-KUCOIN_3L.paper", tmp_path / "copy"

    def keep(**options: bool) -> None:
        asyncio.run(running.run_keeper(settings, owner="a test", say=lambda *_: None, **options))

    keep(once=True, launch=True)
    shutil.copy(path, copy)
    keep()
    path.unlink()
    if not is_new:
        shutil.copy(copy, path)
    before = head(settings.journal)
    with pytest.raises(InputError, match=r"KUCOIN-3L: expected a paper account .* 2020-03-"):
        keep()
    assert head(settings.journal) == before
