"""What of an exchange is refused before anything is sent: named, with what was expected.

No secret is repeated, wherever it stood. Secrets files have tests of their own in
``unit/venues/test_secrets.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.keeper.settings import read_settings
from support.command import command
from support.exchange_keeper import KEEPER, SERIES

SECRET = "5f4dcc3b5aa765d61d8327deb882cf99"  # noqa: S105 (none of anybody's)
PAPER = """
[[venue]]
name = "paper"
kind = "paper"
prices = { "BTC/USDT:USDT" = "BTC" }
[[fund]]
series = "other.toml"
venue = "paper"
"""
WRONG = [
    ('exchange = "binanceusdm"\n', "", "venue.exchange: expected a value"),
    ('secrets = "file:secrets.toml"\n', "", "venue.secrets: expected a value"),
    (
        'rehearsal = "exchange"',
        "speed = 1.0",
        "venue.speed: expected no such key where the kind is",
    ),
    (
        'rehearsal = "exchange"',
        'prices = { "BTC/USDT:USDT" = "BTC" }',
        'is "exchange" (it is one of "paper")',
    ),
    ('kind = "exchange"', 'kind = "paper"', 'is "paper" (it is one of "exchange")'),
    ('exchange = "binanceusdm"', 'exchange = "nowhere"', "ccxt knows none of that name"),
    (
        'exchange = "binanceusdm"',
        'exchange = "kraken"',
        "missing: linear perpetuals, immediate-or-cancel orders, reduce-only orders",
    ),
    (
        'exchange = "binanceusdm"',
        'exchange = "bybit"',
        "missing: a table of what its answers say; supported: binanceusdm",
    ),
    ('exchange = "binanceusdm"', 'exchange = "bitvavo"', "client ids"),
    ('secrets = "file', 'recv_window = "11s"\nsecrets = "file', "at most 10s"),
]
SERIES_WRONG = [
    ('underlying = "BTC/USDT:USDT"', 'underlying = "BTC/USDT"', "a linear perpetual"),
    ('underlying = "BTC/USDT:USDT"', 'underlying = "BTC/USD:BTC"', "a linear perpetual"),
    ('underlying = "BTC/USDT:USDT"', 'underlying = "BTC/USDT:USDT-270326"', "a linear perpetual"),
    ('quote = "USDT"', 'quote = "USDC"', "such as BTC/USDC:USDC"),
    (
        'kind = "perpetual"\nmaintenance_margin = 0.005',
        'kind = "spot"\nliquidation_threshold = 0.9',
        'a series whose venue is "perpetual"',
    ),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A keeper file of a fund at an exchange, which is not there."""
    (tmp_path / "btc3l.toml").write_text(SERIES)
    (tmp_path / "other.toml").write_text(SERIES.replace("BTC3L", "OTHER3L"))
    (tmp_path / "keeper.toml").write_text(KEEPER)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    """Write something else into a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def refusal(folder: Path) -> str:
    """What is said of the keeper file."""
    with pytest.raises(InputError) as caught:
        read_settings(folder / "keeper.toml")
    return str(caught.value)


@pytest.mark.parametrize(("old", "new", "says"), WRONG)
def test_a_venue_that_cannot_be_is_refused(folder: Path, old: str, new: str, says: str) -> None:
    """With the key, what is missing, and whose key it is."""
    change(folder / "keeper.toml", old, new)
    assert says in refusal(folder)


@pytest.mark.parametrize(("old", "new", "says"), SERIES_WRONG)
def test_an_underlying_that_is_no_linear_perpetual_is_refused(
    folder: Path, old: str, new: str, says: str
) -> None:
    """Spot, inverse, dated, and one in another quote than the fund's."""
    change(folder / "btc3l.toml", old, new)
    assert says in refusal(folder)


def test_two_funds_have_no_account_in_common_and_one_clock(folder: Path) -> None:
    """Each fund at an exchange has a venue of its own; paper funds have a file of their own."""
    whole = folder / "keeper.toml"
    whole.write_text(KEEPER + '[[fund]]\nseries = "other.toml"\nvenue = "main"\n')
    assert "an account of its own for each fund" in refusal(folder)
    whole.write_text(KEEPER + PAPER)
    assert "have one clock" in refusal(folder)


OTHER = """
[[venue]]
name = "other"
kind = "exchange"
exchange = "binanceusdm"
rehearsal = "exchange"
secrets = "{secrets}"
[[fund]]
series = "other.toml"
venue = "other"
"""


@pytest.mark.parametrize(
    ("secrets", "more"),
    [
        ("file:secrets.toml", {}),
        ("file:./secrets.toml", {}),
        ("file:copy.toml", {}),
        ("env:OTHER", {"OTHER_KEY": "a" * 20, "OTHER_SECRET": "another"}),
    ],
)
def test_two_venues_that_are_one_account_are_refused(
    folder: Path, secrets: str, more: dict[str, str]
) -> None:
    """By their API key, wherever it was read from and whatever signs with it; it is not shown."""
    text = f'key = "{"a" * 20}"\nsecret = "{SECRET}"\n'
    for name in ("secrets.toml", "copy.toml"):
        (folder / name).touch(0o600)
        (folder / name).write_text(text)
    whole = folder / "keeper.toml"
    whole.write_text(KEEPER + OTHER.format(secrets=secrets))
    for asked in (
        ("run", "keeper.toml", "--live", "--launch"),
        ("once", "keeper.toml"),
        ("doctor", "keeper.toml", "--fix"),
    ):
        done = command("keeper", *asked, cwd=folder, **more)
        assert done.returncode == 3, done.stderr
        assert "found one API key for BTC3L and OTHER3L (venues main and other)" in done.stderr
        assert "a" * 20 not in done.stderr
        assert SECRET not in done.stderr
    assert not (folder / "keeper.db").exists()
    # another key is another account: the rehearsal is what is missing then
    (folder / "copy.toml").write_text(text.replace("a" * 20, "b" * 20))
    whole.write_text(KEEPER + OTHER.format(secrets="file:copy.toml"))
    done = command("keeper", "once", "keeper.toml", cwd=folder)
    assert "steelyard rehearsal serve" in done.stderr


def test_a_rehearsal_that_is_not_there_is_named(folder: Path) -> None:
    """With what starts it; nothing is asked of the real hosts."""
    done = command(
        "keeper", "doctor", "keeper.toml", cwd=folder, MAIN_KEY="a" * 20, MAIN_SECRET=SECRET
    )
    assert done.returncode == 3
    assert "secrets.toml" in done.stderr
    change(folder / "keeper.toml", "file:secrets.toml", "env:MAIN")
    done = command(
        "keeper", "doctor", "keeper.toml", cwd=folder, MAIN_KEY="a" * 20, MAIN_SECRET=SECRET
    )
    assert done.returncode == 3
    assert "steelyard rehearsal serve" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    "given",
    [
        ("run", "keeper.toml", f"--secret={SECRET}"),
        ("run", "keeper.toml", "--secret", SECRET),
        ("once", "keeper.toml", SECRET),
        ("doctor", "keeper.toml", f"--key={SECRET}"),
        ("doctor", "keeper.toml", SECRET),
    ],
)
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(
    folder: Path, given: tuple[str, ...]
) -> None:
    """There is no such option, and what was typed does not go on into a log."""
    done = command("keeper", *given, cwd=folder)
    assert done.returncode != 0
    assert SECRET not in done.stdout + done.stderr


def test_a_secret_in_the_keeper_file_is_refused_and_not_repeated(folder: Path) -> None:
    """Where it stands in the place of its source."""
    change(folder / "keeper.toml", "file:secrets.toml", SECRET)
    assert SECRET not in refusal(folder)
