"""``steelyard keeper demo``: real kills of a real process, a table, an object, and exit code 5."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from steelyard.cli import keeper_demo, main
from steelyard.cli.live_compare import Difference, compare_with_simulate
from steelyard.keeper.settings import read_settings
from steelyard.ledger import Journal
from steelyard.market import Prices, sample_prices
from support.command import command


class Demo(NamedTuple):
    """Two runs in one folder: the table of the first, the object of the second."""

    place: Path
    table: str
    told: str
    figures: dict[str, Any]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """As a user runs it, twice."""
    place = tmp_path_factory.mktemp("demo")
    first = command("keeper", "demo", cwd=place, check=True)
    again = command("keeper", "demo", "--json", cwd=place, check=True)
    return Demo(place, first.stdout, first.stderr, json.loads(again.stdout))


@pytest.mark.parametrize("folder", ["steelyard-live", "steelyard-live-2"])
def test_it_is_killed_twice_with_orders_under_way(demo: Demo, folder: str) -> None:
    """The journal has the start of three processes, and each order that was cut off once."""
    with Journal.open(demo.place / folder / "keeper.db") as journal:
        rows = list(journal.events())
    started = [(row.fund, row.fields["token"]) for row in rows if row.kind == "keeper_started"]
    assert Counter(started) == {(f, n): 1 for f in ("ORACLE-3L", "ORACLE-1S") for n in (1, 2, 3)}
    starts = [row.seq for row in rows if row.kind == "keeper_started" and row.fund == "ORACLE-3L"]
    for seq in starts[1:]:
        before = [row for row in rows if row.seq < seq]
        begun = {row.fields["id"] for row in before if row.kind == "order"}
        cut = begun - {row.fields["id"] for row in before if row.kind == "order_ended"}
        assert cut
        for name in cut:
            trades = [row for row in rows if row.kind == "venue_trade"]
            assert [row.seq > seq for row in trades if row.fields["order"] == name] == [True]


def test_the_object_says_what_was_cut_off_and_that_all_agrees(demo: Demo) -> None:
    """One order had not come to the venue, one was filled there; both are booked once."""
    figures = demo.figures
    first, second = figures["kills"]
    assert {order["at_venue"] for order in first["orders"]} == {None}
    assert "filled" in {order["at_venue"] for order in second["orders"]}
    for order in first["orders"] + second["orders"]:
        assert (order["outcome"], order["times_booked"]) == ("filled", 1)
    assert [figures["verify"][name]["ok"] for name in ("chain", "books", "rules")] == [True] * 3
    assert [each["engine"] for each in figures["comparisons"]] == ["reference", "fast"]
    for each in figures["comparisons"]:
        assert each["ok"]
        assert each["rebalances"] == len(figures["rebalances"])
    assert [each["hours"] for each in figures["comparisons"]] == [2 * 241, 0]
    assert {(each["hours"], each["published"]) for each in figures["health"]} == {(241, 241)}
    assert {each["symbol"] for each in figures["health"]} == {"ORACLE-3L", "ORACLE-1S"}


def test_the_table_says_what_the_object_says(demo: Demo) -> None:
    """A line a rebalance, in the same order with the same figures; some say that a kill was there.

    (Which order is cut off is not the same in two runs; the rebalances are.)
    """
    lines = [line for line in demo.table.splitlines() if line.startswith("2020-03-")]
    rows = sorted(demo.figures["rebalances"], key=lambda each: each["symbol"], reverse=True)
    assert len(lines) == len(rows) > 40
    assert {line[-6:] for line in lines if "kill" in line} == {"kill 1", "kill 2"}
    for line, row in zip(lines, rows, strict=True):
        words = line.split()
        assert words[:3] == [row["time"][:10], row["trigger"], row["side"]]
        figures = [f"{float(row[name]):,.2f}" for name in ("price", "nav_before", "nav_after")]
        figures += [f"{float(row[f'paid_by_{who}']):,.2f}" for who in ("holders", "reserve")]
        assert set(figures) <= set(words)


def test_it_writes_over_nothing(demo: Demo) -> None:
    """The second run has a folder of its own, and a folder with files in it is refused."""
    assert sorted(path.name for path in demo.place.iterdir()) == [
        "steelyard-live",
        "steelyard-live-2",
    ]
    assert demo.figures["folder"] == "steelyard-live-2"
    refused = command("keeper", "demo", "--out", "steelyard-live", cwd=demo.place)
    assert refused.returncode == 2
    assert "found one with files in it" in refused.stderr


def test_what_it_wrote_can_be_looked_at(demo: Demo) -> None:
    """Status and verify of its files; its log is there; without a terminal there is no bar."""
    status = command("keeper", "status", "steelyard-live/keeper.toml", "--json", cwd=demo.place)
    assert [each["state"] for each in json.loads(status.stdout)["funds"]] == [
        "running",
        "suspended",
    ]
    verified = command("journal", "verify", "steelyard-live/keeper.db", cwd=demo.place)
    assert verified.returncode == 0
    log = (demo.place / "steelyard-live" / "keeper.log").read_text(encoding="utf-8")
    assert log.startswith("ORACLE-3L: launch, asked by ")
    orders = len(demo.figures["rebalances"])
    # a process may be killed after it stored an order, before it said so: of each fund, twice
    assert orders - 4 <= log.count(" as sy-") <= orders
    assert [line.partition(" ")[0] for line in demo.told.splitlines()] == [
        "Running",
        "killed",
        "killed",
        "wrote",
    ]


def test_an_hour_of_health_that_differs_in_its_last_digit_is_named(demo: Demo) -> None:
    """By its instant and figure; the other hours agree."""
    settings = read_settings(demo.place / "steelyard-live" / "keeper.toml")
    path = demo.place / "steelyard-live" / "health" / "ORACLE-1S-2020-03-12T11.json"
    kept = path.read_text(encoding="utf-8")
    units = json.loads(kept)["units"]
    other = f"{units[:-1]}{9 - int(units[-1])}"
    with Journal.open(settings.journal) as journal:
        rows = list(journal.events())
    try:
        path.write_text(kept.replace(units, other), encoding="utf-8")
        reference, _ = compare_with_simulate(settings, rows, sample_prices("BTC"))
    finally:
        path.write_text(kept, encoding="utf-8")
    name = "health.2020-03-12T11:00:00Z.units"
    assert reference.differences == (Difference("ORACLE-1S", name, other, units),)
    assert reference.hours == 2 * 241 - 1


@pytest.mark.parametrize("as_json", [False, True])
def test_a_difference_is_named_and_the_exit_code_is_5(
    as_json: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The keeper's process has the true history; what it is held against opens 1e-7 higher once."""

    def changed() -> Prices:
        history = sample_prices("BTC").between("2020-03-01", "2020-04-01")
        assert history.open is not None
        opens = history.open.copy()
        opens[9] += 1e-7  # on 10 March
        return replace(history, open=opens)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keeper_demo, "_prices", changed)
    arguments = ["keeper", "demo", *(["--json"] if as_json else [])]
    assert main(arguments) == 5
    told = capsys.readouterr()
    if as_json:
        reference, _ = json.loads(told.out)["comparisons"]
        assert not reference["ok"]
        named = {each["field"] for each in reference["differences"]}
        assert {"rebalance 2.price", "state.cash"} <= named
    else:
        assert "reference  NO: " in told.out
        assert "ORACLE-3L state.cash is " in told.err
