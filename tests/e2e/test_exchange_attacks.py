"""What an exchange that is at its worst can make a keeper do: no order twice, and none lost.

Each of these was an attack that got through once. The exchange is the rehearsal, a process of its
own, and the keeper is the command.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from support.exchange_keeper import ExchangeFolder

pytestmark = pytest.mark.xdist_group("processes")

FIRST = "sy-BTC3L-1-1"
"""The id of the first order of a journal."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ExchangeFolder]:
    """A keeper's folder with an exchange beside it."""
    found = ExchangeFolder(tmp_path)
    try:
        yield found
    finally:
        found.exchange.kill()


def order_of_an_earlier_journal(place: ExchangeFolder) -> None:
    """The account once had an order of the first id, of which nothing came."""
    now_ms = place.exchange.control("GET", "/state")["time"]
    order = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "IOC",
        "quantity": "1",
        "price": "67000",
        "newClientOrderId": FIRST,
        "timestamp": now_ms,
        "recvWindow": 10_000,
    }
    place.calls(("fapiPrivatePostOrder", order))
    assert place.units() == 0


def test_an_order_of_an_earlier_journal_is_not_taken_for_this_one(place: ExchangeFolder) -> None:
    """The answer is lost, and look-ups lag: the id finds the old order, which came to nothing."""
    order_of_an_earlier_journal(place)
    place.exchange.control("POST", "/lag", ms=2_500)
    place.fault("drop_after")
    place.once("--launch")
    assert place.units() == Decimal("4.405")
    (ended,) = place.rows("order_ended")
    assert (ended["id"], ended["outcome"], ended["filled"]) == (FIRST, "filled", "4.405")
    place.exchange.control("POST", "/lag", ms=0)
    place.once()
    assert place.units() == Decimal("4.405")
    place.check_agreement()
    place.verify()
