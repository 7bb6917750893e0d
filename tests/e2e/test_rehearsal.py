"""Unmodified ccxt against a rehearsal exchange in a process of its own, over real sockets.

What is asserted is what happened, never how long it took.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.command import command
from support.rehearsal import PAIR, WAIT_S, Served, opened, served

pytestmark = pytest.mark.xdist_group("processes")

LOT = 0.01


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests that leave nothing behind but trades."""
    folder = tmp_path_factory.mktemp("rehearsal") / "exchange"
    with served(folder, "--account", "main", "--account", "other") as running:
        yield running


def run(exchange: Served, use: Callable[[Any], Awaitable[Any]], **settings: Any) -> Any:
    """What comes of using ccxt."""

    async def main() -> Any:
        async with opened(exchange, **settings) as client:
            return await asyncio.wait_for(use(client), WAIT_S)

    return asyncio.run(main())


def order(client: Any, units: float = LOT, **params: Any) -> Awaitable[Any]:
    """A market order; below 0 it sells."""
    side = "buy" if units > 0 else "sell"
    given: Awaitable[Any] = client.create_order(PAIR, "market", side, abs(units), None, params)
    return given


async def outcome(call: Awaitable[Any]) -> str:
    """The name of ccxt's error; empty where there is none."""
    try:
        await call
    except Exception as error:  # noqa: BLE001 (whatever ccxt raises is what is asked)
        return type(error).__name__
    return ""


# -- as a stranger would use it --------------------------------------------------------------------


def test_what_a_stranger_asks_is_answered(exchange: Served) -> None:
    """The unified calls of ccxt, each with what it is for."""

    async def use(client: Any) -> None:
        market = client.market(PAIR)
        assert (market["linear"], market["contractSize"], market["limits"]["cost"]["min"]) == (
            True,
            1,
            100,
        )
        assert market["precision"] == {"amount": 1e-3, "price": 0.1, "base": 1e-8, "quote": 1e-8}
        await client.set_leverage(5, PAIR)
        assert (await client.fetch_position_mode(PAIR))["hedged"] is False
        filled = await order(client, 0.1)
        assert (filled["status"], filled["filled"]) == ("closed", 0.1)
        (position,) = await client.fetch_positions([PAIR])
        assert (position["contracts"], position["side"]) == (0.1, "long")
        assert position["initialMargin"] == position["notional"] / 5
        assert position["entryPrice"] == filled["average"]
        (same,) = await client.fetch_positions_risk([PAIR])
        assert same["notional"] == position["notional"]
        trades = await client.fetch_my_trades(PAIR)
        (trade,) = [one for one in trades if one["order"] == filled["id"]]
        assert trade["fee"] == {"currency": "USDT", "cost": trade["cost"] * 0.0005}
        found = await client.fetch_balance()
        assert found["info"]["totalWalletBalance"] == "99996.99997000"
        assert found["USDT"]["total"] == 99996.99997 - 0.06
        assert [one["id"] for one in await client.fetch_orders(PAIR)][-1] == filled["id"]
        assert await client.fetch_open_orders(PAIR) == []
        exchange.control("POST", "/funding", symbol="BTCUSDT", rate="0.0001")
        (paid,) = await client.fetch_funding_history(PAIR)
        assert paid["amount"] == -0.1 * 60_000 * 0.0001
        (rate,) = await client.fetch_funding_rate_history(PAIR)
        assert rate["fundingRate"] == 0.0001
        kinds = {entry["info"]["incomeType"] for entry in await client.fetch_ledger()}
        assert kinds == {"TRANSFER", "COMMISSION", "FUNDING_FEE"}
        tiers = (await client.fetch_leverage_tiers([PAIR]))[PAIR]
        assert (tiers[0]["maxLeverage"], tiers[0]["maintenanceMarginRate"]) == (125, 0.004)
        fee = await client.fetch_trading_fee(PAIR)
        assert (fee["maker"], fee["taker"]) == (0.0002, 0.0005)
        book = await client.fetch_order_book(PAIR, 5)
        assert len(book["bids"]) == 5
        assert book["bids"][0][0] < (await client.fetch_mark_price(PAIR))["markPrice"]
        assert (await client.fetch_funding_rate(PAIR))["indexPrice"] == 60_000
        assert (await client.fetch_leverages([PAIR]))[PAIR]["longLeverage"] == 5
        assert (await client.fetch_margin_modes([PAIR]))[PAIR]["marginMode"] == "cross"
        allowed = await client.sapi_get_account_apirestrictions()
        assert allowed["enableWithdrawals"] is False
        await order(client, -0.1, reduceOnly=True)
        assert await client.fetch_positions([PAIR]) == []

    run(exchange, use)


def test_orders_that_rest_are_seen_and_cancelled(exchange: Served) -> None:
    """By the sender's own id; an id is taken while its order is open, and free after that."""

    async def use(client: Any) -> list[str]:
        rest = (PAIR, "limit", "buy", LOT, 59_000)
        named = {"newClientOrderId": "sy-rest"}
        by_name = {"origClientOrderId": "sy-rest"}
        await client.create_order(*rest, named)
        said = [await outcome(client.create_order(*rest, named))]
        (seen,) = await client.fetch_open_orders(PAIR)
        assert seen["clientOrderId"] == "sy-rest"
        assert (await client.cancel_order(None, PAIR, by_name))["status"] == "canceled"
        said.append(await outcome(client.cancel_order(None, PAIR, by_name)))
        said.append(await outcome(client.fetch_order(None, PAIR, {"origClientOrderId": "none"})))
        for _ in range(2):
            await order(client, LOT, newClientOrderId="sy-twice")
        await order(client, -2 * LOT)
        return said

    assert run(exchange, use) == ["InvalidOrder", "OrderNotFound", "OrderNotFound"]


@pytest.mark.parametrize(
    ("units", "params", "error"),
    [
        (LOT, {"reduceOnly": True}, "InvalidOrder"),
        (0.001, {}, "InvalidOrder"),
        (100, {}, "InsufficientFunds"),
        (LOT, {"timestamp": 1_600_000_000_000}, "InvalidNonce"),
        (LOT, {"timestamp": 9_000_000_000_000}, "InvalidNonce"),
        (LOT, {"positionSide": "LONG"}, "OperationRejected"),
    ],
)
def test_what_is_refused_has_ccxt_s_own_class(
    exchange: Served, units: float, params: dict[str, Any], error: str
) -> None:
    """Those that ccxt chooses for the real exchange's host and codes."""
    before = exchange.units()
    assert run(exchange, lambda client: outcome(order(client, units, **params))) == error
    assert exchange.units() == before


def test_keys_of_ed25519_sign_too(exchange: Served) -> None:
    """With the private key as ccxt takes it."""
    pair = exchange.keys()["ed25519"]

    async def use(client: Any) -> Any:
        client.apiKey, client.secret = pair["apiKey"], pair["secret"]
        return await client.fetch_balance()

    assert run(exchange, use)["USDT"]["total"] > 0


def test_accounts_are_apart(exchange: Served) -> None:
    """What one holds the other does not."""
    keys = exchange.keys(1)

    async def use(client: Any) -> None:
        await order(client)
        await order(client, -LOT)
        client.apiKey, client.secret = keys["apiKey"], keys["secret"]
        assert await client.fetch_my_trades(PAIR) == []
        assert (await client.fetch_balance())["USDT"]["total"] == 100_000

    run(exchange, use)


def test_modes_and_margins_are_set_and_told(tmp_path: Path) -> None:
    """Isolated margin, then hedge mode, as ccxt asks for them and reads them."""
    with served(tmp_path / "x") as running:

        async def use(client: Any) -> None:
            await client.set_leverage(5, PAIR)
            await client.set_margin_mode("isolated", PAIR)
            filled = await order(client, 1)
            (alone,) = await client.fetch_positions([PAIR])
            assert (alone["marginMode"], alone["side"]) == ("isolated", "long")
            paid = Decimal(filled["info"]["cumQuote"])
            assert Decimal(alone["info"]["isolatedWallet"]) == paid / 5
            assert alone["liquidationPrice"] > 60_000 * 0.8
            free = (await client.fetch_balance())["USDT"]["free"]
            assert free == pytest.approx(100_000 - filled["cost"] * (0.2 + 0.0005))
            await order(client, -1, reduceOnly=True)
            await client.set_margin_mode("cross", PAIR)
            await client.set_position_mode(hedged=True)
            await order(client, 0.5, positionSide="LONG")
            await order(client, -0.2, positionSide="SHORT")
            held = {one["side"]: one["contracts"] for one in await client.fetch_positions([PAIR])}
            assert held == {"long": 0.5, "short": 0.2}
            await order(client, 0.2, positionSide="SHORT")
            (left,) = await client.fetch_positions([PAIR])
            assert (left["side"], left["hedged"]) == ("long", True)

        run(running, use)


def test_candles_and_the_day_are_told(tmp_path: Path) -> None:
    """Of the prices that there were, with what was traded; a killed exchange still has them."""
    exchange = Served(tmp_path / "x", "--prices", "BTCUSDT=hand:60000")
    try:

        async def use(client: Any) -> None:
            for minute, price in enumerate((60_000, 61_000, 59_000)):
                exchange.control("POST", "/clock", skew_ms=minute * 120_000)
                exchange.control("POST", "/price", symbol="BTCUSDT", price=str(price))
            exchange.kill()
            exchange.start()
            exchange.control("POST", "/clock", skew_ms=240_000)
            client.options["timeDifference"] = -240_000
            await outcome(client.fetch_time())  # the connection to the one that was killed is gone
            await order(client)
            rows = await client.fetch_ohlcv(PAIR, "1m")
            assert [row[4] for row in rows][:5] == [60_000, 60_000, 61_000, 61_000, 59_000]
            assert {row[0] % 60_000 for row in rows} == {0}
            (week,) = (await client.fetch_ohlcv(PAIR, "1w"))[-1:]
            assert week[1:] in ([60_000, 61_000, 59_000, 59_000, LOT], [59_000] * 4 + [LOT])
            day = await client.fetch_ticker(PAIR)
            assert (day["open"], day["high"], day["low"], day["last"]) == (60e3, 61e3, 59e3, 59e3)
            assert (day["baseVolume"], day["change"]) == (LOT, -1_000)
            assert await outcome(client.fetch_ohlcv(PAIR, "1M")) == "BadRequest"

        run(exchange, use)
    finally:
        exchange.kill()


# -- faults ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "is_filled"),
    [
        ("drop_before", "ExchangeNotAvailable", False),
        ("drop_after", "ExchangeNotAvailable", True),
        ("503_unknown_lost", "OperationFailed", False),
        ("503_unknown_filled", "OperationFailed", True),
        ("503_unavailable", "OperationFailed", False),
        ("503_internal", "OperationFailed", False),
        ("503_busy", "OperationFailed", False),
        ("503_page_lost", "ExchangeNotAvailable", False),
        ("503_page_filled", "ExchangeNotAvailable", True),
        ("503_1006_filled", "OperationFailed", True),
        ("408_lost", "RequestTimeout", False),
        ("408_filled", "RequestTimeout", True),
        ("garbled_lost", "", False),
        ("garbled_filled", "", True),
        ("empty_filled", "", True),
        ("429", "DDoSProtection", False),
        ("held", "InvalidNonce", False),
        ("late", "RequestTimeout", True),
        ("lag", "", True),
    ],
)
def test_each_fault_is_told_and_happens_as_it_says(
    exchange: Served, fault: str, error: str, is_filled: bool
) -> None:
    """What ccxt raises, and whether the order was filled all the same: they do not go together."""
    before = exchange.units()

    async def use(client: Any) -> str:
        wait_ms = {"late": 3_000, "held": 1_000}.get(fault, 0)
        exchange.control("POST", "/fault", fault=fault, wait_ms=wait_ms)
        if fault == "late":
            client.timeout = 1_000
        window = {"recvWindow": 500} if fault == "held" else {}
        return await outcome(order(client, **window))

    assert run(exchange, use) == error
    assert exchange.units() == before + (Decimal("0.01") if is_filled else 0)
    assert exchange.state()["faults"] == []


def test_a_look_up_that_lags_does_not_find_what_filled(exchange: Served) -> None:
    """Neither the order nor its trade, nor the position; all of them later."""

    async def use(client: Any) -> None:
        exchange.control("POST", "/lag", ms=3_600_000)
        was = await client.fetch_positions([PAIR])
        await order(client, LOT, newClientOrderId="sy-lag")
        named = (None, PAIR, {"origClientOrderId": "sy-lag"})
        assert await outcome(client.fetch_order(*named)) == "OrderNotFound"
        assert await client.fetch_positions([PAIR]) == was
        exchange.control("DELETE", "/fault")
        exchange.control("POST", "/clock", skew_ms=3_600_000)
        client.options["timeDifference"] = -3_600_000
        assert (await client.fetch_order(*named))["status"] == "closed"
        assert await client.fetch_positions([PAIR]) != was
        exchange.control("POST", "/clock", skew_ms=0)

    run(exchange, use)


def test_a_ban_has_an_end(exchange: Served) -> None:
    """Nothing is answered until then, and the answer says until when."""
    exchange.control("POST", "/fault", fault="ban", wait_ms=3_600_000)

    async def use(client: Any) -> list[str]:
        said = [await outcome(order(client)), await outcome(client.fetch_time())]
        assert "banned until" in client.last_http_response
        exchange.control("DELETE", "/fault")
        return [*said, await outcome(client.fetch_time())]

    assert run(exchange, use) == ["DDoSProtection", "DDoSProtection", ""]


def test_a_wrong_fault_is_told(exchange: Served) -> None:
    """By the control port, in words."""
    assert "expected a fault" in exchange.control("POST", "/fault", fault="odd")["error"]


# -- streams ---------------------------------------------------------------------------------------


def test_streams_tell_prices_orders_positions_and_balance(exchange: Served) -> None:
    """As ``ccxt.pro`` reads them."""

    async def use(client: Any) -> None:
        assert (await client.watch_mark_price(PAIR))["markPrice"] > 0
        assert (await client.watch_bids_asks([PAIR]))[PAIR]["bid"] > 0
        await client.load_time_difference()
        watched = asyncio.ensure_future(client.watch_orders(PAIR))
        positions = asyncio.ensure_future(client.watch_positions([PAIR]))
        sent = 0
        while not (watched.done() and positions.done()):
            await order(client, LOT if sent % 2 == 0 else -LOT, newClientOrderId=f"sy-ws-{sent}")
            sent += 1
            await asyncio.sleep(0.5)
        (told,) = (await watched)[:1]
        assert told["clientOrderId"].startswith("sy-ws-")
        assert (await positions)[0]["symbol"] == PAIR

    run(exchange, use)


def test_a_stream_that_is_cut_is_opened_again(exchange: Served) -> None:
    """The client is told of the end, and goes on with a new socket."""

    async def use(client: Any) -> str:
        await client.watch_mark_price(PAIR)
        assert exchange.control("POST", "/streams", cut=True)["cut"] >= 1
        said = await outcome(_drained(client))
        assert (await client.watch_mark_price(PAIR))["markPrice"] > 0
        return said

    assert run(exchange, use) == "NetworkError"


async def _drained(client: Any) -> None:
    while True:
        await client.watch_mark_price(PAIR)


def test_an_account_s_own_stream_tells_all_of_its_life(tmp_path: Path) -> None:
    """Orders, balances, a margin call, a liquidation, the end of the key, the end of the day."""
    with served(tmp_path / "x") as running:

        async def use(client: Any) -> list[str]:
            key = (await client.fapiPrivatePostListenKey())["listenKey"]
            url = f"wss://fstream.binance.com/private/ws?listenKey={key}"
            told = []
            async with client.session.ws_connect(url) as socket:
                await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
                assert await socket.receive_json() == {"result": [], "id": 1}
                await order(client, 8)
                running.control("POST", "/funding", symbol="BTCUSDT", rate="0.0001")
                running.control("POST", "/price", symbol="BTCUSDT", price="47780")
                while "MARGIN_CALL" not in told:
                    told.append(_said(await socket.receive_json()))
                running.control("POST", "/price", symbol="BTCUSDT", price="40000")
                running.control("POST", "/streams", silent_ms=3_600_000)
                running.control("POST", "/transfer", account="main", amount="1000")
                await order(client, LOT)
                running.control("POST", "/streams", expire=True)
                while "listenKeyExpired" not in told:
                    told.append(_said(await socket.receive_json()))
                running.control("POST", "/clock", skew_ms=86_400_000)
                assert (await socket.receive()).type.name in {"CLOSE", "CLOSING", "CLOSED"}
            return told

        assert run(running, use) == [
            "NEW",
            "TRADE",
            "ORDER",
            "FUNDING_FEE",
            "MARGIN_CALL",
            "CALCULATED",
            "ORDER",
            "INSURANCE_CLEAR",
            "listenKeyExpired",
        ]


def _said(event: dict[str, Any]) -> str:
    """What an event is about, in one word."""
    inner = event.get("o", {}).get("x") or event.get("a", {}).get("m")
    word: str = inner or event["e"]
    return word


def test_a_combined_stream_names_what_it_tells(exchange: Served) -> None:
    """Several streams on one socket; one that is left is no longer told."""

    async def use(client: Any) -> None:
        names = "btcusdt@markPrice@1s/btcusdt@bookTicker"
        url = f"wss://fstream.binance.com/stream?streams={names}"
        async with client.session.ws_connect(url) as socket:
            heard = set()
            while len(heard) < 2:
                heard.add((await socket.receive_json())["stream"])
            assert heard == set(names.split("/"))
            ask = {"method": "UNSUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 9}
            await socket.send_json(ask)
            while (await socket.receive_json()).get("id") != 9:
                pass
            assert (await socket.receive_json())["stream"] == "btcusdt@markPrice@1s"
            await socket.send_str("odd")
            while "code" not in await socket.receive_json():
                pass

    run(exchange, use)


# -- what the exchange does by itself --------------------------------------------------------------


def test_a_crash_liquidates_and_deleverages(tmp_path: Path) -> None:
    """Forced orders have the exchange's own ids; ccxt finds the liquidations."""
    with served(tmp_path / "x", "--account", "long", "--account", "short") as running:

        async def use(client: Any) -> None:
            await order(client, 8)
            client.apiKey, client.secret = running.keys(1)["apiKey"], running.keys(1)["secret"]
            await order(client, -2)
            running.control("POST", "/price", symbol="BTCUSDT", price="45000")
            running.control(
                "POST", "/adl", account="short", symbol="BTCUSDT", units="0.5", price="47000"
            )
            (last,) = (await client.fetch_orders(PAIR))[-1:]
            assert (last["clientOrderId"], last["filled"]) == ("adl_autoclose", 0.5)
            client.apiKey, client.secret = running.keys()["apiKey"], running.keys()["secret"]
            (lost,) = await client.fetch_my_liquidations(PAIR)
            assert lost["info"]["clientOrderId"].startswith("autoclose-")
            assert await client.fetch_positions([PAIR]) == []

        run(running, use)
        assert running.units("short") == Decimal("-1.5")
        assert running.units("long") == 0
        assert Decimal(running.state()["accounts"]["long"]["wallet"]) == 0


def test_a_crash_from_a_file_is_played_at_any_speed(tmp_path: Path) -> None:
    """12 March 2020 in seconds: the price falls by a third, funding is paid on the way."""
    options = ("--prices", "BTCUSDT=BTC", "--start", "2020-03-12", "--end", "2020-03-13")
    with served(tmp_path / "x", *options, "--speed", "20000") as running:

        async def use(client: Any) -> None:
            while (await client.watch_mark_price(PAIR))["markPrice"] > 5_500:
                pass
            assert len(await client.fetch_funding_rate_history(PAIR)) >= 2

        run(running, use)


def test_faults_come_from_a_file_and_books_too(tmp_path: Path) -> None:
    """The first order is lost; the second walks the book of the file."""
    (tmp_path / "faults.toml").write_text('[[fault]]\nfault = "503_internal"\n')
    rows = "bps_from_mid,bid_notional,ask_notional\n1,1200,600\n50,1000000,1000000\n"
    (tmp_path / "book.csv").write_text(rows)
    options = ("--faults", str(tmp_path / "faults.toml"), "--book", str(tmp_path / "book.csv"))
    with served(tmp_path / "x", *options) as running:

        async def use(client: Any) -> None:
            assert await outcome(order(client, 0.02)) == "OperationFailed"
            await order(client, 0.02)
            prices = [trade["price"] for trade in await client.fetch_my_trades(PAIR)]
            assert prices == [60_006, 60_300]

        run(running, use)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--prices", "XYZUSDT=hand"], "XYZUSDT"),
        (["--prices", "BTCUSDT=nothing.csv"], "nothing.csv"),
        (["--prices", "BTCUSDT=walk:-1"], "above 0"),
        (["--prices", "BTCUSDT=hand", "--prices", "BTCUSDT=walk"], "once"),
        (["--wallet", "x"], "--wallet"),
        (["--account", "../x"], "--account"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, options: list[str], words: str) -> None:
    """In one sentence, before anything is made."""
    done = command("rehearsal", "serve", "x", *options, cwd=tmp_path)
    assert done.returncode == 3
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_has_one_exchange(exchange: Served, tmp_path: Path) -> None:
    """A second process is refused, and the first goes on."""
    done = command("rehearsal", "serve", exchange.folder, cwd=tmp_path)
    assert done.returncode == 3
    assert "locked" in done.stderr
    assert exchange.state()["accounts"]


def test_an_exchange_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """On the same port with the same certificate and keys, so a client that is open goes on."""
    options = ("--prices", "BTCUSDT=walk:60000", "--seed", "3")
    exchange = Served(tmp_path / "x", *options)
    try:

        async def use(client: Any) -> None:
            for number in range(3):
                await order(client, LOT, newClientOrderId=f"sy-{number}")
                exchange.kill()
                assert await outcome(client.fetch_time()) == "ExchangeNotAvailable"
                exchange.start()
                found = await client.fetch_order(None, PAIR, {"origClientOrderId": f"sy-{number}"})
                assert found["status"] == "closed"
            assert len(await client.fetch_my_trades(PAIR)) == 3
            (position,) = await client.fetch_positions([PAIR])
            assert position["contracts"] == 0.03

        run(exchange, use)
    finally:
        exchange.kill()
