"""A fund at an exchange, by the command: launched, traded, and followed through what goes wrong.

The exchange is the rehearsal, a process of its own that unmodified ccxt asks. What is asserted is
what came of it, never a time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from steelyard.venues.secrets import Secrets
from support.exchange_keeper import ExchangeFolder

pytestmark = pytest.mark.xdist_group("processes")

WAIT_S = 120.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ExchangeFolder]:
    """A keeper's folder with an exchange beside it."""
    found = ExchangeFolder(tmp_path)
    try:
        yield found
    finally:
        found.exchange.kill()


def test_a_fund_is_launched_and_rebalanced(place: ExchangeFolder) -> None:
    """Three passes: it buys, it does nothing, it sells back to its target after a fall."""
    place.once("--launch")
    bought = place.units()
    assert bought == Decimal("4.405")
    place.once()
    assert place.units() == bought
    place.price(62_000)
    said = place.once()
    assert "band at a price of 62000" in said
    assert 0 < place.units() < bought
    place.check_agreement()
    place.verify()
    assert abs(Decimal(place.status()["leverage"]) - 3) < Decimal("0.01")


def test_without_live_nothing_is_sent(place: ExchangeFolder) -> None:
    """A dry run reads the account and decides; no order leaves, and none is launched by it."""
    _, said = place.keeper("once", "keeper.toml", "--launch", code=3)
    assert "--live" in said
    place.once("--launch")
    orders = place.account()["orders"]
    place.price(62_000)
    _, said = place.keeper("once", "keeper.toml")
    assert "dry run" in said
    assert "band at a price of 62000" in said
    assert place.account()["orders"] == orders
    place.once()
    assert place.account()["orders"] == orders + 1
    place.check_agreement()


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("drop_after", "filled"),
        ("drop_before", "void"),
        ("503_unknown_filled", "filled"),
        ("garbled_filled", "filled"),
        ("empty_filled", "filled"),
        ("503_busy", "unavailable"),
    ],
)
def test_an_order_is_followed_to_its_end(place: ExchangeFolder, fault: str, outcome: str) -> None:
    """Whatever became of the answer, the fund knows what became of the order; it is sent once."""
    place.fault(fault)
    place.once("--launch")
    (ended,) = place.rows("order_ended")
    assert ended["outcome"] == outcome
    is_filled = outcome == "filled"
    assert place.account()["orders"] == is_filled
    assert (place.units() != 0) == is_filled
    place.check_agreement()
    place.once()
    assert place.units() == Decimal("4.405")
    assert place.account()["orders"] == 1
    place.check_agreement()


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that is to happen."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.parametrize("name", ["once", "run"])
def test_a_launch_that_is_refused_ends_with_the_reason(place: ExchangeFolder, name: str) -> None:
    """The account lacks money: nothing is sent, and the command fails; filled, it is launched."""
    place.exchange.control("POST", "/transfer", account="main", amount="-500")
    out, said = place.keeper(name, "keeper.toml", "--live", "--launch", "--json", code=3)
    assert "the launch was refused: BTC3L: expected an account that holds" in said
    assert "transfer 500" in said.splitlines()[-1]
    assert json.loads(out)["funds"][0]["state"] == "waiting"
    assert place.account()["orders"] == 0
    # without a launch that was asked for, nothing was refused
    place.once()
    place.exchange.control("POST", "/transfer", account="main", amount="500")
    place.once("--launch")
    assert place.units() != 0
    place.check_agreement()


def test_a_wind_down_is_done_when_the_fund_has_ended(place: ExchangeFolder) -> None:
    """Before that it is accepted: its position is closed, and then its last money is booked."""
    asked = ("winddown", "keeper.toml", "BTC3L", "--key", "end", "--json")
    with place.running("--launch"):
        until(lambda: place.units() != 0)
        until(lambda: place.status()["venue"]["agrees"])
        out, _ = place.keeper(*asked, "--wait", "20")
        answer = json.loads(out)["outcome"]
        assert answer in ("accepted", "waiting") or place.rows("closed")
        until(lambda: place.units() == 0)
        out, _ = place.keeper(*asked, "--wait", str(WAIT_S))
    assert json.loads(out)["outcome"] == "done"
    (closed,) = place.rows("closed")
    assert Decimal(closed["cash"]) == place.cash()
    assert place.status()["state"] == "ended"
    place.check_agreement()
    place.verify()


@pytest.mark.parametrize("signing", ["main", "main.ed25519"])
def test_key_and_signature_are_written_nowhere(place: ExchangeFolder, signing: str) -> None:
    """Neither in what is printed, nor in the journal, nor in any file but the one for them."""
    secrets = place.sign(signing)
    said = [place.once("--launch")]
    place.price(62_000)
    place.fault("drop_before")
    said.append(place.once())
    said += place.keeper("doctor", "keeper.toml")
    with place.running():
        until(lambda: len(place.sockets()) == 2)
        place.exchange.control("POST", "/streams", cut=True, expire=True)
        until(lambda: place.sockets("opened")["main"] > 1)
    wrong = Secrets("0" * 64, "0" * 64)
    if signing == "main.ed25519":
        pair = Ed25519PrivateKey.generate()
        wrong.secret = pair.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()
    path = place.folder / "secrets.toml"
    for old, new in ((secrets.secret, wrong.secret), (secrets.key, wrong.key)):
        path.write_text(path.read_text().replace(old, new.strip()))
        said += place.keeper("doctor", "keeper.toml", code=4)
    hidden = [
        part
        for each in (secrets.key, wrong.key, secrets.secret, wrong.secret)
        for part in each.splitlines()
        if not part.startswith("---")
    ]
    texts = "\n".join(said).encode()
    for file in place.folder.glob("*"):
        if file.is_file() and file.name != "secrets.toml":
            texts += file.read_bytes()
    assert b"BTC3L" in texts
    for part in [*hidden, "signature=", "PRIVATE KEY", "listenKey="]:
        assert part.encode() not in texts


def test_a_keeper_that_runs_hears_what_nobody_ordered(place: ExchangeFolder) -> None:
    """It is woken up by its streams, which are cut meanwhile; it ends without a word of a leak."""
    with place.running("--launch") as log:
        until(lambda: place.units() != 0 and len(place.sockets()) == 2)
        until(lambda: len(place.rows("venue_trade")) == 1)
        place.exchange.control("POST", "/adl", account="main", symbol="BTCUSDT", units="2.000")
        until(lambda: len(place.rows("venue_trade")) == 3)
        place.exchange.control("POST", "/streams", cut=True)
        place.price(62_000)
        until(lambda: len(place.rows("venue_trade")) == 4)
        until(lambda: len(place.sockets()) == 2)
    causes = [each["cause"] for each in place.rows("venue_trade")]
    assert causes == ["order", "auto_deleveraging", "order", "order"]
    until(lambda: not place.sockets())
    text = log.read_text()
    for word in ("Traceback", "Unclosed", "never retrieved", "destroyed", "Warning", "release all"):
        assert word not in text
    place.once()
    place.check_agreement()
    place.verify()


def test_a_perpetual_that_the_exchange_does_not_have_is_refused(place: ExchangeFolder) -> None:
    """By the keeper and by the doctor, before anything is stored or sent."""
    series = place.folder / "btc3l.toml"
    series.write_text(series.read_text().replace("BTC/USDT:USDT", "XYZ/USDT:USDT"))
    for command in (("once", "keeper.toml", "--live", "--launch"), ("doctor", "keeper.toml")):
        _, said = place.keeper(*command, code=3)
        assert "found XYZUSDT" in said
    assert place.account()["orders"] == 0


def test_what_the_exchange_closed_is_adopted_and_acted_on(place: ExchangeFolder) -> None:
    """Half of the position is deleveraged away: it is booked with its cause, and bought again."""
    place.once("--launch")
    place.exchange.control("POST", "/adl", account="main", symbol="BTCUSDT", units="2.000")
    place.once()
    causes = [each["cause"] for each in place.rows("venue_trade")]
    assert causes == ["order", "auto_deleveraging", "order"]
    assert abs(Decimal(place.status()["leverage"]) - 3) < Decimal("0.01")
    place.check_agreement()
