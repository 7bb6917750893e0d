"""The rehearsal exchange around its core: signatures, time, limits, faults, prices, the store."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError, JournalError
from steelyard.rehearsal.answering import HttpAnswer, HttpRequest, answer
from steelyard.rehearsal.contracts import HOUR_MS
from steelyard.rehearsal.credentials import Credential, credentials_of
from steelyard.rehearsal.exchange import Exchange, SetUp
from steelyard.rehearsal.exchange_file import ExchangeFile
from steelyard.rehearsal.fault_rules import FAULTS, FaultRules, Rule, read_rules, rule_of
from steelyard.rehearsal.matching import place
from steelyard.rehearsal.price_feeds import HandFeed, MarketClock, WalkFeed, file_feed
from steelyard.rehearsal.routes import ROUTES
from steelyard.rehearsal.upkeep import move
from support.rehearsal import NOW_MS, market_order

PLAIN, PAIR = credentials_of("main", 0)
SET_UP = SetUp((HandFeed("BTCUSDT", Decimal(60_000)),), ("main",), Decimal(100_000))


class Clock:
    """A clock that moves by hand."""

    now = NOW_MS

    def __call__(self) -> int:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands still."""
    return Clock()


@pytest.fixture
def exchange(tmp_path: Path, clock: Clock) -> Iterator[Exchange]:
    """An exchange without a network, on a clock that stands still."""
    with closing(ExchangeFile(tmp_path / "exchange.db")) as store:
        yield Exchange(SET_UP, store, clock)


def signed(
    method: str, path: str, *, key: Credential = PLAIN, in_body: bool = False, **params: Any
) -> HttpRequest:
    """A request with the signature of a key."""
    text = urlencode({"timestamp": NOW_MS, **params})
    if key.pair is None:
        mark = hmac.new(key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    else:
        mark = quote(base64.b64encode(key.pair.sign(text.encode())).decode(), safe="")
    text += f"&signature={mark}"
    asked = HttpRequest(method, path, api_key=key.api_key)
    return replace(asked, body=text) if in_body else replace(asked, query=text)


def code_of(found: HttpAnswer) -> int:
    """The code of a refusal."""
    code: int = orjson.loads(found.body)["code"]
    return code


def balance(**params: Any) -> HttpRequest:
    """A request that needs a signature."""
    return signed("GET", "/fapi/v3/balance", **params)


# -- who asks, and when ----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [PLAIN, PAIR], ids=["hmac", "ed25519"])
@pytest.mark.parametrize("in_body", [False, True])
def test_a_signed_request_is_answered(exchange: Exchange, key: Credential, in_body: bool) -> None:
    """By either kind of key, with the parameters in the query or in the body."""
    found = answer(exchange, balance(key=key, in_body=in_body))
    assert (found.status, orjson.loads(found.body)[0]["balance"]) == (200, "100000")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"query": "timestamp=1"}, 400, -1102),
        ({"query": f"timestamp={NOW_MS}"}, 400, -1102),
        ({"query": "timestamp=x&signature=1"}, 400, -1102),
        ({"query": f"timestamp={NOW_MS}&signature=00"}, 400, -1022),
        ({"api_key": ""}, 401, -2014),
        ({"api_key": "0" * 64}, 401, -2015),
        ({"api_key": PAIR.api_key}, 400, -1022),
        ({"path": "/fapi/v1/nothing"}, 404, -5000),
        ({"method": "POST"}, 404, -5000),
    ],
)
def test_who_does_not_prove_it_is_refused(
    exchange: Exchange, change: dict[str, str], status: int, code: int
) -> None:
    """Each with the exchange's own status and code."""
    found = answer(exchange, replace(balance(), **change))
    assert (found.status, code_of(found)) == (status, code)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"timestamp": NOW_MS + 999}, None),
        ({"timestamp": NOW_MS + 1_000}, -1021),
        ({"timestamp": NOW_MS - 5_000}, None),
        ({"timestamp": NOW_MS - 5_001}, -1021),
        ({"timestamp": NOW_MS - 100, "recvWindow": 100}, None),
        ({"timestamp": NOW_MS - 101, "recvWindow": 100}, -1021),
        ({"recvWindow": 60_001}, -1131),
        ({"recvWindow": 0}, -1131),
    ],
)
def test_a_request_is_of_its_time(
    exchange: Exchange, params: dict[str, int], code: int | None
) -> None:
    """``stamp - 1000 ms < clock <= stamp + window``, to the millisecond."""
    found = answer(exchange, balance(**params))
    assert found.status == 200 if code is None else code_of(found) == code


def test_a_clock_that_is_off_moves_the_window(exchange: Exchange) -> None:
    """The exchange judges by its own clock."""
    exchange.skew_ms = 7_000
    assert code_of(answer(exchange, balance())) == -1021


def rows_of(exchange: Exchange, clock: Clock, path: str, **params: Any) -> Any:
    """A list, or the code of its refusal."""
    found = answer(exchange, signed("GET", path, timestamp=clock.now, **params))
    return orjson.loads(found.body) if found.status == 200 else code_of(found)


def test_lists_tell_of_a_week_at_a_time(exchange: Exchange, clock: Clock) -> None:
    """The last one, the one from a time on, or from an id on all of them."""
    week, symbol = 7 * 24 * HOUR_MS, {"symbol": "BTCUSDT"}
    order = {**symbol, "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    answer(exchange, signed("POST", "/fapi/v1/order", **order))
    first = clock.now
    clock.now += week + 1
    for path, by_id in (("/fapi/v1/userTrades", "fromId"), ("/fapi/v1/allOrders", "orderId")):
        asked = partial(rows_of, exchange, clock, path, **symbol)
        assert asked() == []
        assert len(asked(startTime=first)) == 1
        assert len(asked(startTime=first, endTime=first + week)) == 1
        assert asked(startTime=first, endTime=first + week + 1) == -4165
        assert len(asked(**{by_id: 1})) == 1
    mixed = rows_of(exchange, clock, "/fapi/v1/userTrades", **symbol, fromId=1, startTime=first)
    assert mixed == -1128
    incomes = partial(rows_of, exchange, clock, "/fapi/v1/income")
    kinds = [row["incomeType"] for row in incomes(startTime=first)]
    assert kinds[:2] == ["TRANSFER", "COMMISSION"]
    assert {row["incomeType"] for row in incomes()} == {"FUNDING_FEE"}


def test_old_orders_are_forgotten(exchange: Exchange, clock: Clock) -> None:
    """Three days after they came without a fill, ninety with one; trades stay for half a year."""
    day, symbol = 24 * HOUR_MS, {"symbol": "BTCUSDT"}
    filled = {**symbol, "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    expired = {**filled, "type": "LIMIT", "timeInForce": "IOC", "price": "59000"}
    for name, order in (("filled", filled), ("expired", expired)):
        answer(exchange, signed("POST", "/fapi/v1/order", **order, newClientOrderId=name))

    def found() -> list[bool]:
        return [
            rows_of(exchange, clock, "/fapi/v1/order", **symbol, origClientOrderId=name) != -2013
            for name in ("filled", "expired")
        ]

    clock.now += 3 * day
    assert found() == [True, True]
    clock.now += 1
    assert found() == [True, False]
    clock.now += 87 * day
    assert found() == [False, False]
    assert len(rows_of(exchange, clock, "/fapi/v1/userTrades", **symbol, fromId=1)) == 1


# -- how often -------------------------------------------------------------------------------------


def test_weights_and_orders_are_counted_in_the_headers(exchange: Exchange) -> None:
    """The weight of the minute in each answer, the orders in answers to orders."""
    answer(exchange, HttpRequest("GET", "/fapi/v1/depth", "symbol=BTCUSDT&limit=20"))
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    found = answer(exchange, signed("POST", "/fapi/v1/order", **order))
    assert found.headers == {
        "X-MBX-USED-WEIGHT-1M": "2",
        "X-MBX-ORDER-COUNT-10S": "1",
        "X-MBX-ORDER-COUNT-1M": "1",
    }


def test_too_many_requests_are_refused_then_banned_until_an_end(
    exchange: Exchange, clock: Clock
) -> None:
    """429 says when to come back; whoever goes on is banned, and then answered again."""
    exchange.throttle.weight_limit = 20
    found = [answer(exchange, balance()) for _ in range(16)]
    counts = Counter(one.status for one in found)
    assert counts == {200: 4, 429: 10, 418: 2}
    assert int(found[5].headers["Retry-After"]) <= 60
    assert orjson.loads(found[-1].body)["msg"].find(str(NOW_MS + 120_000)) > 0
    clock.now += 120_000
    assert answer(exchange, balance(timestamp=clock.now)).status == 200


def test_too_many_orders_are_refused(exchange: Exchange, clock: Clock) -> None:
    """Within ten seconds; afterwards they are taken again."""
    exchange.throttle.orders_per_ten_seconds = 2
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    found = [answer(exchange, signed("POST", "/fapi/v1/order", **order)) for _ in range(3)]
    assert [one.status for one in found] == [200, 200, 429]
    assert code_of(found[-1]) == -1015
    clock.now += 10_000
    again = signed("POST", "/fapi/v1/order", **order, timestamp=clock.now)
    assert answer(exchange, again).status == 200


# -- faults ----------------------------------------------------------------------------------------


def struck(faults: FaultRules, times: int, **more: bool) -> list[bool]:
    """Which of so many orders are struck."""
    return [
        faults.strike("POST", "/fapi/v1/order", is_reduce_only=more.get("is_reduce_only", False))
        is not None
        for _ in range(times)
    ]


def test_a_rule_strikes_what_fits_as_often_as_it_says() -> None:
    """After those that it lets through, and nothing else."""
    faults = FaultRules([Rule("429", skip=1, count=2)])
    assert faults.strike("GET", "/fapi/v1/order", is_reduce_only=False) is None
    assert struck(faults, 4) == [False, True, True, False]
    assert faults.rules == []


def test_chance_is_the_seed_s() -> None:
    """The same seed strikes the same requests, another one others."""
    runs = [struck(FaultRules([Rule("429", count=0, chance=0.3)], seed), 200) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 30 < sum(runs[0]) < 90


def test_an_exchange_that_is_busy_takes_reduce_only_orders() -> None:
    """-1008 spares them, as the exchange says; the rule waits for another order."""
    faults = FaultRules([Rule("503_busy")])
    assert struck(faults, 2, is_reduce_only=True) == [False, False]
    assert struck(faults, 1) == [True]


def test_rules_are_read_from_a_file(tmp_path: Path) -> None:
    """A table each."""
    path = tmp_path / "faults.toml"
    path.write_text('[[fault]]\nfault = "late"\nwait_ms = 20\n[[fault]]\nfault = "ban"\n')
    assert read_rules(path) == [Rule("late", wait_ms=20), Rule("ban")]


@pytest.mark.parametrize(
    "given", [{}, {"fault": "odd"}, {"fault": "late", "x": 1}, {"fault": "late", "count": -1}]
)
def test_a_wrong_rule_is_refused(given: dict[str, Any]) -> None:
    """With what is expected."""
    with pytest.raises(InputError, match="expected"):
        rule_of(given, "fault")


@pytest.mark.parametrize("text", ["x", "a = 1", "fault = 1"])
def test_a_wrong_file_of_rules_is_refused(tmp_path: Path, text: str) -> None:
    """It is named."""
    (tmp_path / "faults.toml").write_text(text)
    with pytest.raises(InputError, match=r"faults\.toml"):
        read_rules(tmp_path / "faults.toml")


def test_each_fault_says_whether_the_request_is_carried_out() -> None:
    """By its name, where it has one for each."""
    assert all(fault.is_carried_out for name, fault in FAULTS.items() if name.endswith("_filled"))
    assert not any(fault.is_carried_out for name, fault in FAULTS.items() if "_lost" in name)


# -- prices ----------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 60_000), min_size=1, max_size=6), st.integers(0, 3))
def test_a_walk_is_the_same_however_often_it_is_asked(stops: list[int], seed: int) -> None:
    """Its prices are those of the seed and the time."""
    feed = WalkFeed("BTCUSDT", Decimal(60_000), 0.6, seed)

    def walked(ends: list[int]) -> list[Any]:
        price, after, told = feed.first(), 0, []
        for end in ends:
            for point in feed.points(after, end, price):
                price = point.price
                told.append(point)
            after = end
        return told

    assert walked(sorted(stops)) == walked([max(stops)])


def test_a_bar_is_told_by_its_course(tmp_path: Path) -> None:
    """Low before high where it rose, high before low where it fell."""
    rows = "time,open,high,low,close\n0,10,14,9,12\n3600,12,13,8,9\n"
    (tmp_path / "p.csv").write_text(rows)
    feed = file_feed("BTCUSDT", str(tmp_path / "p.csv"), None, None)
    told = [int(point.price) for point in feed.points(-1, 10**12, Decimal(1))]
    assert told == [10, 9, 14, 12, 12, 13, 8, 9]
    assert feed.times_ms[:2] == (900_000, 1_800_000)


def test_the_market_may_run_faster_than_the_clock() -> None:
    """Funding is told by the clock that stamps."""
    clock = MarketClock(1_000, 50_000, 100.0)
    assert clock.at(1_010) == 51_000
    assert clock.until(52_000, 1_010) == 1_020


def test_prices_and_funding_follow_the_market_s_clock(tmp_path: Path, clock: Clock) -> None:
    """A day of a walk in eight seconds: three payments, and prices that moved."""
    set_up = replace(SET_UP, feeds=(WalkFeed("BTCUSDT", Decimal(60_000), 0.6, 1, 60_000),))
    fast = replace(set_up, speed=10_800.0, start_ms=0)
    with closing(ExchangeFile(tmp_path / "fast.db")) as store:
        exchange = Exchange(fast, store, clock)
        (market,) = exchange.world.markets.values()
        assert market.next_funding_ms == 8 * HOUR_MS
        clock.now += 8_000
        exchange.advance()
    assert len(market.rates) == 3
    assert market.index != 60_000


# -- the store -------------------------------------------------------------------------------------


def test_an_exchange_that_is_opened_again_is_as_it_was(tmp_path: Path, clock: Clock) -> None:
    """To the last record, without a word of farewell."""
    with closing(ExchangeFile(tmp_path / "x.db")) as store:
        first = Exchange(SET_UP, store, clock)
        account = first.world.accounts["main"]
        place(first.world, account, market_order("1", client_id="a"), NOW_MS)
        first.commit()
        move(first.world, first.world.markets["BTCUSDT"], Decimal(61_000), NOW_MS)
        place(first.world, account, market_order("-0.5", client_id="b"), NOW_MS)
        first.commit()
    with closing(ExchangeFile(tmp_path / "x.db")) as store:
        again = Exchange(SET_UP, store, clock)
    kept = again.world.accounts["main"]
    for name in ("wallet", "holdings", "orders", "latest", "open_ids", "trades", "incomes"):
        assert getattr(kept, name) == getattr(account, name), name
    assert again.world.number == first.world.number
    assert again.world.markets["BTCUSDT"].index == 61_000


def test_a_request_that_was_refused_leaves_nothing(exchange: Exchange) -> None:
    """Neither in the store nor to be stored."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "100"}
    assert answer(exchange, signed("POST", "/fapi/v1/order", **order)).status == 400
    assert exchange.world.changes == []


def test_another_seed_is_refused_for_a_folder_that_is_set_up(tmp_path: Path) -> None:
    """Keys and prices would not be what they were."""
    with closing(ExchangeFile(tmp_path / "x.db")) as store:
        Exchange(SET_UP, store)
        with pytest.raises(InputError, match="seed"):
            Exchange(replace(SET_UP, seed=1), store)


def test_a_second_process_gets_no_access(tmp_path: Path) -> None:
    """Two exchanges in one folder would spoil both."""
    with closing(ExchangeFile(tmp_path / "x.db")) as store:
        Exchange(SET_UP, store)
        with pytest.raises(InputError, match="locked"):
            ExchangeFile(tmp_path / "x.db")


def test_an_exchange_that_cannot_store_answers_no_more(exchange: Exchange) -> None:
    """It is ahead of its file then: whoever asks gets no answer, and the process ends."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    exchange.store._file.execute("PRAGMA max_page_count = 1")
    ask = signed("POST", "/fapi/v1/order", **order)
    with pytest.raises(JournalError, match="full"):
        deque((answer(exchange, ask) for _ in range(1_000)), maxlen=0)
    with pytest.raises(JournalError, match="full"):
        answer(exchange, HttpRequest("GET", "/fapi/v1/time"))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """It is named, and stays as it is."""
    (tmp_path / "x.db").write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match="rehearsal exchange"):
        ExchangeFile(tmp_path / "x.db")
    assert (tmp_path / "x.db").read_bytes().startswith(b"no database")


def test_listeners_hear_what_is_stored(exchange: Exchange) -> None:
    """After it is stored, and each change once."""
    heard: list[Any] = []
    tell: Callable[[Any], None] = heard.extend
    exchange.listeners.append(tell)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    answer(exchange, signed("POST", "/fapi/v1/order", **order))
    events = [change.event for change in heard if change.event]
    assert events == ["NEW", "TRADE", "ORDER"]


NAMES = """symbol side type quantity price timeInForce limit startTime orderId origClientOrderId
newClientOrderId reduceOnly leverage marginType page dualSidePosition fromId incomeType recvWindow
closePosition endTime newOrderRespType multiAssetsMargin feeBurn positionSide autoCloseType"""
VALUES = """BTCUSDT BUY SELL MARKET LIMIT GTC 0.01 60000 1e30 1e-30 -1 true NaN Infinity ISOLATED
3 0 x RESULT BOTH"""
names = st.sampled_from(NAMES.split())
values = st.sampled_from([*VALUES.split(), "", "9" * 5_000, "\u0663"]) | st.text(max_size=8)


@given(
    st.sampled_from(sorted(ROUTES)),
    st.dictionaries(names, values, max_size=8),
    st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_has_an_answer(
    exchange: Exchange, route: tuple[str, str], params: dict[str, str], in_body: bool
) -> None:
    """JSON with a status, never an error of ours; what is refused changes nothing."""
    exchange.throttle.weight_limit = 10**9
    found = answer(exchange, signed(*route, in_body=in_body, **params))
    said = orjson.loads(found.body)
    assert found.status == 200 or said["code"] < 0
    assert exchange.world.changes == []
