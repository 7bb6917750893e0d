"""Rows that a stranger writes into the table of requests, as no command does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.keeper import running
from steelyard.keeper.desk import Desk
from steelyard.keeper.settings import read_settings
from steelyard.ledger import Journal
from steelyard.ledger.requests import Requests
from steelyard.rules.presets import preset_text
from support.journals import execute
from support.keeper_command import keeper_file
from support.live_machine import Machine


def insert(place: Path, *texts: str) -> None:
    """Write a request as no command writes it: key, who, what and content as SQL."""
    values = ", ".join(texts).replace("{", "{{").replace("}", "}}")
    execute(
        place,
        f"INSERT INTO request (key, who, what, content, fund, time) VALUES ({values}, 'TEST', 0)",  # noqa: S608 (a test)
    )


@pytest.mark.parametrize(
    "content",
    [
        "CAST(x'7BFFFE7D' AS TEXT)",
        "printf('{\"a\": \"%.*c\"}', 9000000, 'a')",
        "printf('%.*c', 100000, '[')",
    ],
    ids=["no text", "longer than an event", "deep"],
)
def test_a_content_that_no_event_can_hold_is_cut_and_refused(content: str, tmp_path: Path) -> None:
    """Bytes that are no text, or too many of them: told short, and refused like what is unknown."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(1, [68_000]))
    with Requests(machine.place) as requests:
        insert(machine.place, "'a'", "'a stranger'", "'pause'", content)
        (row,) = requests.after(0)
    assert list(row.content) == ["unreadable"]
    assert len(row.content["unreadable"]) < 200
    asyncio.run(machine.keep(1, [68_000], [(row.key, row.what, row.content)]))
    with Journal.open(machine.place) as journal:
        rows = [each.fields for each in journal.events(kinds=["request"])]
    found = {fields["key"]: fields["outcome"] for fields in rows}
    assert found == {"first": "done", "a": "refused"}


def test_texts_of_a_request_are_short_and_stay_on_their_line(tmp_path: Path) -> None:
    """A forged line of the log, or a key of megabytes, is escaped and cut; keys stay distinct."""
    machine = Machine(tmp_path / "live.journal")
    asyncio.run(machine.keep(1, [68_000]))
    forged = "'x' || char(10) || 'ALARM TEST: all is well'"
    with Requests(machine.place) as requests:
        for n in range(2):
            key = f"printf('%.*c', 5000000, 'k') || '{n}'"
            insert(machine.place, key, forged, forged, "'{}'")
        rows = requests.after(0)
        with pytest.raises(InputError, match="printable"):
            requests.ask("a\nb", "TEST", "a test", "pause", {})
    for row in rows:
        assert all(text.isprintable() and len(text) < 200 for text in (row.key, row.who, row.what))
        assert list(row.content) == ["unreadable"]
    assert rows[0].key != rows[1].key


def test_a_creation_that_nobody_paid_is_refused(tmp_path: Path) -> None:
    """The table mints no tokens, whoever writes into it."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    settings = read_settings(keeper_file(tmp_path, "one.toml", end="2020-03-10"))

    def keep(**options: bool) -> dict[str, Desk]:
        keeper = running.run_keeper(settings, owner="a test", say=lambda *_: None, **options)
        return asyncio.run(keeper)

    keep(once=True, launch=True)
    with Requests(settings.journal) as requests:
        requests.ask("a", "KUCOIN-3L", "a stranger", "flow", {"amount": "100"})
    desk = keep()["KUCOIN-3L"]
    assert desk.memory.requests["a"]["outcome"] == "refused"
    assert desk.state.tokens == 1_000
