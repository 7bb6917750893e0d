"""The reserves' health is published as the journal says it: each hour, in order, once."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import InputError
from steelyard.keeper import health_delivery
from steelyard.keeper.health_delivery import HealthSender, HealthSettings
from steelyard.keeper.running import run_keeper
from steelyard.keeper.settings import read_settings
from steelyard.ledger import Journal
from steelyard.market import sample_prices
from steelyard.rules.presets import preset, preset_text
from support.paper_keeper import kept

GIVEN = {"start": "2020-03-10", "end": "2020-03-14", "intrabar": "path"}
FILE = """
journal = "sqlite:keeper.db"
[health]
to = "{to}"
every = "{every}"
[[venue]]
name = "main"
kind = "paper"
prices = {{ "BTC/USDT:USDT" = "BTC" }}
start = "2020-03-10"
end = "2020-03-14"
intrabar = "path"
speed = 100_000.0
[[fund]]
series = "oracle-1s.toml"
venue = "main"
[guards]
slippage_bps = 5000.0
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of four days, with the health of each hour."""
    place = tmp_path / "live.journal"
    asyncio.run(kept(place, preset("oracle-1s"), sample_prices("BTC"), GIVEN))
    return place


def expected(place: Path) -> list[dict[str, Any]]:
    """What has to be told of each hour, in order."""
    with Journal.open(place) as journal:
        rows = list(journal.events(kinds=["health"]))
    return [{**row.fields, "journal": {"seq": row.seq, "hash": row.hash.hex()}} for row in rows]


def figures(text: str) -> dict[str, Any]:
    """A delivered hour without its name."""
    said = json.loads(text)
    assert said.pop("schema") == 1
    assert said.pop("fund").startswith("ORACLE-1S")
    assert said.pop("time").endswith(":00:00Z")
    return dict(said)


def send(place: Path, to: str, every_s: int = 3_600) -> list[str | None]:
    """Deliver what is there; what was told of the deliveries."""
    told: list[str | None] = []
    settings = HealthSettings(to, every_s)
    sender = HealthSender(
        settings, str(place), place.with_suffix(".health"), lambda _, why: told.append(why)
    )
    sender.start()
    sender.close()
    return told


@contextmanager
def receiver(answers: list[int]) -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that answers so, then 200 always; its URL, and what it took."""
    took: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            code = answers.pop(0) if answers else 200
            if code == 200:
                took.append(text)
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/health", took
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_folder_holds_each_hour_and_goes_on_where_it_was(journal: Path, tmp_path: Path) -> None:
    """Whole files only; what was delivered is not written again, what was lost with a mark is."""
    folder = tmp_path / "health"
    assert send(journal, str(folder)) == [None]
    files = sorted(folder.iterdir())
    assert [figures(file.read_text()) for file in files] == expected(journal)
    assert len(files) > 72
    files[5].unlink()
    assert send(journal, str(folder)) == []
    assert not files[5].exists()
    journal.with_suffix(".health").write_text("{")
    send(journal, str(folder))
    assert sorted(folder.iterdir()) == files


def test_another_journal_begins_anew(journal: Path, tmp_path: Path) -> None:
    """A mark that is of no row of this journal counts for nothing."""
    folder = tmp_path / "health"
    send(journal, str(folder))
    mark = journal.with_suffix(".health")
    reached = json.loads(mark.read_text())
    mark.write_text(json.dumps({**reached, "hash": "00"}))
    shutil.rmtree(folder)
    send(journal, str(folder))
    assert len(list(folder.iterdir())) == len(expected(journal))


def test_only_hours_that_are_asked_for(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every eight hours on standard output, a line each."""
    send(journal, "-", 8 * 3_600)
    lines = capsys.readouterr().out.splitlines()
    hours = [json.loads(line)["time"][11:13] for line in lines]
    assert hours[:4] == ["00", "08", "16", "00"]


def test_a_url_that_fails_gets_every_hour_once_and_in_order(journal: Path) -> None:
    """An hour that is refused is tried again before the next one; nothing is left out."""
    with receiver([200, 200, 500, 500]) as (url, took):
        first = send(journal, url)
        assert len(took) == 2
        assert first[0] is None
        assert "500" in str(first[1])
        assert send(journal, url) == [None]
        assert [figures(text) for text in took] == expected(journal)


def test_a_redirection_is_no_delivery(journal: Path) -> None:
    """What it leads to was not configured, and a POST would become a GET."""
    with receiver([302] * 4) as (url, took):
        told = send(journal, url)
    assert not took
    assert "302" in str(told[0])


def test_an_answer_in_drips_is_none_and_no_secret_is_told(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte would begin a socket's time-out anew."""
    monkeypatch.setattr(health_delivery, "ANSWERS_WITHIN_S", 0.5)
    ends = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            with suppress(OSError):
                while not ends.is_set():
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        for letter in itertools.cycle("HTTP/1.1 200 O"):
                            client.sendall(letter.encode())
                            if ends.wait(0.05):
                                return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        told = send(journal, f"http://127.0.0.1:{server.getsockname()[1]}/take?token=secret")
        ends.set()
        with suppress(OSError):
            socket.create_connection(server.getsockname(), timeout=1).close()
        thread.join()
    assert time.monotonic() - began < 10
    assert told
    assert all(why is not None and "secret" not in why for why in told)


def test_a_url_that_does_not_answer_stops_no_fund(tmp_path: Path) -> None:
    """The alarm is in the journal, the history goes on to its end, and the next start delivers."""
    (tmp_path / "oracle-1s.toml").write_text(preset_text("oracle-1s"), encoding="utf-8")
    path = tmp_path / "keeper.toml"

    def run(to: str) -> None:
        path.write_text(FILE.format(to=to, every="1h"), encoding="utf-8")
        asyncio.run(run_keeper(read_settings(path), owner="test", say=lambda *_: None, launch=True))

    run("http://127.0.0.1:1/health")
    place = tmp_path / "keeper.db"
    with Journal.open(place) as journal:
        alarms = [row.fields for row in journal.events(kinds=["alarm"])]
        assert next(journal.events(kinds=["rebalanced", "settled", "filled"]), None) is not None
    assert [each["name"] for each in alarms if each["is_on"]] == ["health_not_delivered"]
    run("health")
    files = sorted((tmp_path / "health").iterdir())
    assert [figures(file.read_text()) for file in files] == expected(place)


@pytest.mark.parametrize(
    ("to", "every", "why"),
    [
        ("health", "30m", "hours that divide a day"),
        ("health", "5h", "hours that divide a day"),
        ("http://example.org/health", "1h", "an https URL"),
        ("ftp://127.0.0.1/health", "1h", "an https URL"),
        ("https://", "1h", "an https URL"),
        ("https://example.org:port/", "1h", "an https URL"),
    ],
)
def test_what_cannot_be_a_receiver_is_refused(
    to: str, every: str, why: str, tmp_path: Path
) -> None:
    """Named, with what is allowed."""
    (tmp_path / "oracle-1s.toml").write_text(preset_text("oracle-1s"), encoding="utf-8")
    path = tmp_path / "keeper.toml"
    path.write_text(FILE.format(to=to, every=every), encoding="utf-8")
    with pytest.raises(InputError, match=why):
        read_settings(path)
