"""What passes is waited for, what stays is said; nothing that came is lost, nothing false kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import DataError, Rejected, Unavailable
from steelyard.market.fetch import Asking, Fetched, Patience, open_exchange
from support.exchange_server import HOUR_S, SINCE_S, Answer, ExchangeServer

TOO_MANY = {"code": -1003, "msg": "Too many requests."}
FAULTS = {
    "an overloaded server": Answer(503, "Service Unavailable"),
    "a broken server": Answer(500, "<html>oops</html>"),
    "a gateway without an answer": Answer(504, ""),
    "a limit on requests": Answer(429, json.dumps(TOO_MANY)),
    "a short ban": Answer(418, json.dumps(TOO_MANY)),
    "a connection that is cut": Answer(0),
    "an answer that is cut": Answer(body="[[1704067200000]]" * 50, cut=100),
    "half an answer that claims to be whole": Answer(body='[[1704067200000,"1.0"'),
    "an answer that is empty": Answer(body=""),
    "a page for people": Answer(body="<html>Please enable JavaScript</html>"),
    "JSON that is null": Answer(body="null"),
    "an answer of another shape": Answer(body='{"rows": [1]}'),
    "candles that are too short": Answer(body="[[1704067200000, 1]]"),
    "candles of text": Answer(body='[["a","b","c","d","e","f"]]'),
    "a time in seconds": Answer(body='[["999999999999999999","2","3","1","2","5"]]'),
    "a price of zero": Answer(body='[[1704067200000,"0","3","1","2","5"]]'),
    "a price that is none": Answer(body='[[1704067200000,null,"3","1","2","5"]]'),
    "a high below the close": Answer(body='[[1704067200000,"2","3","1","4","5"]]'),
    "a low above the open": Answer(body='[[1704067200000,"2","3","2.5","3","5"]]'),
    "no volume": Answer(body='[[1704067200000,"2","3","1","2",null]]'),
    "two candles of one time": Answer(
        body='[[1704067200000,"2","3","1","2","5"],[1704067200000,"2","3","1","2","6"]]'
    ),
    "candles off the grid": Answer(
        body='[[1704067200000,"2","3","1","2","5"],[1704067260000,"2","3","1","2","5"]]'
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_passes_is_waited_for(
    server: ExchangeServer, fetch: Callable[..., Fetched], quick: Any, tmp_path: Path, fault: Answer
) -> None:
    """Twice in the middle of a download, then the truth: the file is as if nothing had been."""
    server.page_rows = 150
    server.faults.extend([fault, fault, None, fault])
    fetch()
    expected = server.expected_csv("BTCUSDT", HOUR_S, SINCE_S, 1 << 33)
    assert (tmp_path / "btc.csv").read_text() == expected
    assert len(quick.remarks) == 3
    for remark in quick.remarks:
        assert "asking again in 0.0 s" in remark
        assert "\n" not in remark
        assert len(remark) < 400


def test_an_exchange_that_is_slow_is_asked_again(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """No answer in time is no answer."""
    exchange = open_exchange("binanceusdm", api_url=server.url, timeout_s=0.2)
    server.faults.append(Answer(body="[]", wait_s=0.6))
    assert fetch(exchange=exchange, until="2024-01-02").added == 24


@pytest.mark.parametrize("fault", list(FAULTS.values())[::3], ids=list(FAULTS)[::3])
def test_what_stays_is_given_up_with_what_has_come(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, fault: Answer
) -> None:
    """Exit code 4 (3 where the exchange insists on candles that are none), and how to go on.

    The next run does, and the file is as if nothing had been.
    """
    server.page_rows = 50
    server.faults.extend([None, None, *[fault] * 4])
    with pytest.raises((Unavailable, DataError)) as caught:
        fetch()
    message = str(caught.value)
    assert "Rows up to 2024-01-05T02:00:00Z were kept; the same command continues there" in message
    assert caught.value.details["last"] == SINCE_S + 98 * HOUR_S
    assert "\n" not in message
    assert not (tmp_path / "btc.csv").exists()
    assert len((tmp_path / "btc.csv.part").read_text().splitlines()) == 1 + 99
    fetch(since=None)
    expected = server.expected_csv("BTCUSDT", HOUR_S, SINCE_S, 1 << 33)
    assert (tmp_path / "btc.csv").read_text() == expected


def test_the_exchange_s_own_pause_is_kept(
    server: ExchangeServer, fetch: Callable[..., Fetched], quick: Any
) -> None:
    """``Retry-After`` in seconds, or as a date, is waited for; then the answer counts."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    server.faults.append(Answer(429, json.dumps(TOO_MANY), {"Retry-After": "2"}))
    server.faults.append(Answer(503, "", {"retry-after": soon}))
    slept: list[float] = []
    patience = Patience(3, first_wait_s=0.01, sleep=slept.append)
    done = fetch(asking=Asking(patience=patience, remark=quick.remarks.append))
    assert slept[0] == 2.0
    assert 0.5 < slept[1] <= 3.0
    assert done.added == 240
    assert "asking again in 2 s (1 of 3)" in quick.remarks[0]
    assert "429" in quick.remarks[0]


def test_a_ban_for_days_is_not_sat_out(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """Binance bans for up to three days: it is told at once, with how long."""
    server.faults.append(Answer(418, json.dumps(TOO_MANY), {"Retry-After": "259200"}))
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"asked 1 time, and it wants a pause of 3 d") as caught:
        fetch()
    assert caught.value.details["retry_after_s"] == 259_200
    assert time.monotonic() - begun < 5


def test_waits_double_up_to_the_longest(
    server: ExchangeServer, fetch: Callable[..., Fetched]
) -> None:
    """1, 2, 4 ... seconds, and never more than the longest; more retries only mean more of them."""
    server.faults.extend([Answer(500)] * 6)
    slept: list[float] = []
    fetch(asking=Asking(patience=Patience(9, longest_wait_s=5.0, sleep=slept.append)))
    assert slept == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_nobody_there(fetch: Callable[..., Fetched], tmp_path: Path) -> None:
    """No connection at all: what the system says of it, and nothing left behind."""
    exchange = open_exchange("binanceusdm", api_url="http://127.0.0.1:9")
    patience = Patience(1, first_wait_s=0.01)
    with pytest.raises(Unavailable, match="Connection refused; asked 2 times") as caught:
        fetch(exchange=exchange, asking=Asking(patience=patience))
    assert caught.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        Answer(400, '{"code": -1121, "msg": "Invalid symbol."}'),
        Answer(400, '{"code": -1130, "msg": "Data sent for startTime is not valid."}'),
        Answer(401, '{"code": -2014, "msg": "API-key format invalid."}'),
    ],
)
def test_a_refusal_is_not_argued_with(
    server: ExchangeServer, fetch: Callable[..., Fetched], fault: Answer
) -> None:
    """Where the exchange says no, it is asked once, and its words are passed on."""
    server.faults.append(fault)
    with pytest.raises(Rejected, match=json.loads(fault.body)["msg"]):
        fetch()
    assert len(server.history_asked) == 1


def test_markets_that_make_no_sense_are_no_markets(
    server: ExchangeServer, fetch: Callable[..., Fetched], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of markets is held to being an answer too."""
    monkeypatch.setattr(server, "answer", lambda *_: {"symbols": [{"symbol": None}]})
    with pytest.raises(Unavailable, match="in a form that ccxt cannot read"):
        fetch()
