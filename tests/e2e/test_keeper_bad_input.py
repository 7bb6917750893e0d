"""What a keeper refuses, as it is typed: named, with what was expected and what to do.

Which keys of a file are refused stands in ``unit/keeper/test_settings.py``, prices that come from a
venue in ``unit/keeper/test_prices.py``, clocks in ``unit/keeper/test_attacks.py``; a changed series
file, ``--live`` and a second keeper of one journal in ``test_keeper_command.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steelyard.ledger import Journal
from steelyard.rules.presets import preset_text
from support.command import command
from support.keeper_command import keeper_file, running

BARS = "time,open,high,low,close\n2020-02-01,8500,8600,8400,8500\n2020-02-02,8500,8600,8400,8550\n"
WRONG = [
    ("2020-02-03,0,0,0,0", "above 0; found 0.0"),
    ("2020-02-03,-5,-4,-6,-5", "above 0; found -5.0"),
    ("2020-02-03,nan,nan,nan,nan", "above 0; found nan"),
    ("2020-02-03,inf,inf,inf,inf", "above 0; found inf"),
    ("2020-02-01,8500,8600,8400,8500", "out of order"),
]
LATER = """
[[venue]]
name = "later"
kind = "paper"
prices = { "BTC/USDT:USDT" = "BTC" }
start = "2020-02-05"
end = "2020-02-10"
intrabar = "close"
[[fund]]
series = "two.toml"
venue = "later"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a keeper file and its series."""
    (tmp_path / "one.toml").write_text(preset_text("kucoin-3l"), encoding="utf-8")
    keeper_file(tmp_path, "one.toml", end="2020-02-10")
    return tmp_path


def changed(folder: Path, old: str, new: str) -> None:
    """Write something else into the keeper file."""
    path = folder / "keeper.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def refused(folder: Path, *arguments: str) -> str:
    """What a command says that is refused, in one line."""
    done = command("keeper", *arguments, cwd=folder)
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    (line,) = [each for each in done.stderr.splitlines() if each.startswith("Error: ")]
    return line


def test_a_key_that_is_not_known(folder: Path) -> None:
    """With a suggestion, and all that are allowed there."""
    changed(folder, "speed = 0.0", "spede = 0.0")
    line = refused(folder, "run", "keeper.toml", "--launch")
    assert 'keeper.toml: unknown key "venue.spede". Did you mean "speed"?' in line
    assert "Allowed here: name, kind," in line
    assert not (folder / "keeper.db").exists()


def test_a_fund_that_nobody_launched(folder: Path) -> None:
    """``run`` says how to launch it; ``once`` does nothing and says so; requests are refused."""
    for name in ("status", "pause"):
        more = ["KUCOIN-3L"] if name == "pause" else []
        line = refused(folder, name, "keeper.toml", *more)
        assert 'start one first, with "steelyard keeper run keeper.toml"' in line
    line = refused(folder, "run", "keeper.toml")
    assert "KUCOIN-3L: expected a launched fund" in line
    assert "give --launch" in line
    once = command("keeper", "once", "keeper.toml", "--json", cwd=folder, check=True)
    assert "KUCOIN-3L: it is not launched" in once.stderr
    assert json.loads(once.stdout)["funds"][0]["state"] == "waiting"


def test_two_funds_on_one_account(folder: Path) -> None:
    """One symbol twice, and two whose accounts would be one file."""
    fund = '[[fund]]\nseries = "one.toml"\nvenue = "main"\n'
    changed(folder, "[guards]", f"{fund}[guards]")
    line = refused(folder, "run", "keeper.toml", "--launch")
    assert "one fund a symbol, each with a venue account of its own" in line
    text = preset_text("kucoin-3l").replace('"KUCOIN-3L"', '"KUCOIN_3L"')
    (folder / "two.toml").write_text(text, encoding="utf-8")
    changed(folder, f"{fund}[guards]", f"{fund.replace('one', 'two')}[guards]")
    line = refused(folder, "run", "keeper.toml", "--launch")
    assert "main-KUCOIN_3L.paper is that of another fund" in line


def test_an_account_on_which_the_keeper_of_another_journal_trades(folder: Path) -> None:
    """Who holds it and until when; the one that runs goes on, and its account is whole."""
    changed(folder, "speed = 0.0", "speed = 86400.0")
    text = (folder / "keeper.toml").read_text(encoding="utf-8")
    (folder / "other.toml").write_text(text.replace("keeper.db", "other.db"), encoding="utf-8")
    with running(folder, "--launch") as keeper:
        line = refused(folder, "run", "other.toml", "--launch")
        assert f"process {keeper.pid} on " in line
        assert "who holds main-KUCOIN_3L.paper as long as that process lives" in line
    again = command("keeper", "once", "keeper.toml", "--json", cwd=folder, check=True)
    (fund,) = json.loads(again.stdout)["funds"]
    assert fund["venue"]["agrees"]
    assert fund["alarms"] == {}


@pytest.mark.parametrize(("row", "words"), WRONG, ids=[words for _, words in WRONG])
def test_a_price_in_a_file_that_is_none(row: str, words: str, folder: Path) -> None:
    """Its row and what was found; nothing of that history is traded on."""
    (folder / "mine.csv").write_text(f"{BARS}{row}\n", encoding="utf-8")
    changed(folder, '= "BTC" }', '= "mine.csv" }')
    line = refused(folder, "run", "keeper.toml", "--launch")
    assert "mine.csv: row 3 (line 4)" in line
    assert words in line
    with Journal.open(folder / "keeper.db") as journal:
        assert journal.head().size == 0


def test_a_secret_is_not_shown(folder: Path) -> None:
    """In the place of its source it is refused; paper says that it needs none."""
    changed(folder, "speed = 0.0", 'secrets = "hunter2"')
    line = refused(folder, "run", "keeper.toml", "--launch")
    assert "venue.secrets: expected" in line
    assert "hunter2" not in line
    changed(folder, "hunter2", "env:MAIN")
    variables = {"MAIN_KEY": "hunter3", "MAIN_SECRET": "hunter4"}
    done = command("keeper", "once", "keeper.toml", "--launch", cwd=folder, check=True, **variables)
    assert "venue main is paper: it needs no secrets, and they are not read" in done.stderr
    assert "hunter" not in done.stdout + done.stderr


def test_histories_that_begin_at_different_times_are_no_wrong_clocks(folder: Path) -> None:
    """Each fund lives by its own venue's clock; none is kept from its launch."""
    (folder / "two.toml").write_text(preset_text("bybit-3s"), encoding="utf-8")
    changed(folder, "[guards]", f"{LATER}[guards]")
    done = command("keeper", "run", "keeper.toml", "--launch", "--json", cwd=folder, check=True)
    assert "clock_differs" not in done.stderr
    since = [fund["since"] for fund in json.loads(done.stdout)["funds"]]
    assert since == ["2020-02-02T00:00:00Z", "2020-02-06T00:00:00Z"]
