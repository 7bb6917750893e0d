"""``steelyard keeper doctor``: each thing that is not fit is told, with what changes it.

The exchange is the rehearsal, a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.keeper.desk_opening import new_desk
from steelyard.keeper.doctor import checks_of
from steelyard.keeper.settings import read_settings
from steelyard.rules.numbers import DECIMAL18
from steelyard.venues.exchange.binanceusdm_account import AccountSetup, Tier
from support.exchange_keeper import KEEPER, SERIES, ExchangeFolder

pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[ExchangeFolder]:
    """A keeper's folder with an exchange of two markets beside it."""
    found = ExchangeFolder(tmp_path, "ETHUSDT=hand:2500")
    try:
        yield found
    finally:
        found.exchange.kill()


def unfit(place: ExchangeFolder, *options: str) -> dict[str, dict[str, Any]]:
    """What is not fit, by its name."""
    out, _ = place.keeper("doctor", "keeper.toml", "--json", *options, code=3)
    found = json.loads(out)
    assert found["fit"] is False
    (fund,) = found["funds"]
    return {each["check"]: each for each in fund["checks"] if not each["fine"]}


def test_what_is_set_wrong_is_told_and_three_settings_are_fixed(place: ExchangeFolder) -> None:
    """Rights of the key and the asset mode are left to the issuer."""
    btc = {"symbol": "BTCUSDT"}
    place.keeper("doctor", "keeper.toml")
    place.calls(
        ("fapiPrivatePostPositionSideDual", {"dualSidePosition": "true"}),
        ("fapiPrivatePostMarginType", {**btc, "marginType": "ISOLATED"}),
        ("fapiPrivatePostLeverage", {**btc, "leverage": 4}),
        ("fapiPrivatePostMultiAssetsMargin", {"multiAssetsMargin": "true"}),
        ("fapiPrivatePostFeeBurn", {"feeBurn": "true"}),
    )
    rights = {"enableWithdrawals": True, "permitsUniversalTransfer": True, "ipRestrict": False}
    place.exchange.control("POST", "/permissions", account="main", permissions=rights)
    found = unfit(place)
    own = {"key: rights", "key: address", "margin assets", "fees in another coin"}
    assert set(found) == {*own, "position mode", "margin mode", "leverage"}
    assert found["key: rights"]["found"] == "it may withdraw, transfer between wallets"
    assert found["leverage"]["found"] == "4"
    assert "--fix" in found["position mode"]["change"]
    assert set(unfit(place, "--fix", "--any-address")) == own - {"key: address"}
    assert place.account()["orders"] == 0


def test_an_account_that_holds_anything_else_is_told(place: ExchangeFolder) -> None:
    """Another position, an order that rests, other tiers than the series says, a clock far off."""
    own = {"timestamp": place.exchange.control("GET", "/state")["time"], "recvWindow": 60_000}
    eth = {"symbol": "ETHUSDT", "side": "BUY", "quantity": "1", **own}
    gtc = {"timeInForce": "GTC", "price": "2400"}
    place.calls(
        ("fapiPrivatePostOrder", {**eth, "type": "MARKET", "newClientOrderId": "a"}),
        ("fapiPrivatePostOrder", {**eth, "type": "LIMIT", "newClientOrderId": "b", **gtc}),
    )
    series = SERIES.replace("maintenance_margin = 0.005", "maintenance_margin = 0.01")
    (place.folder / "btc3l.toml").write_text(series)
    place.exchange.control("POST", "/clock", skew_ms=60_000)
    found = unfit(place)
    assert set(found) == {"holdings", "open orders", "margin tier", "clock"}
    assert found["holdings"]["found"] == "ETHUSDT 1"
    assert found["open orders"]["found"] == "ETHUSDT b"
    assert "maintenance 0.005" in found["margin tier"]["found"]


def test_a_paper_venue_needs_no_doctor(place: ExchangeFolder) -> None:
    """It is told so."""
    paper = 'kind = "paper"\nprices = { "BTC/USDT:USDT" = "BTC" }'
    text = KEEPER.replace(
        'kind = "exchange"\nexchange = "binanceusdm"\nrehearsal = "exchange"', paper
    )
    (place.folder / "keeper.toml").write_text(text)
    _, said = place.keeper("doctor", "keeper.toml", code=3)
    assert "paper venues" in said


FIT = AccountSetup(
    ahead_ms=5,
    off_ms=5,
    rights=(),
    can_trade=True,
    is_ip_bound=True,
    is_hedged=False,
    is_multi_asset=False,
    burns_fees=False,
    margin_mode="crossed",
    leverage=20,
    tiers=(Tier(Decimal(800_000), Decimal("0.005"), 100),),
    assets={"USDT": Decimal(100_000)},
    positions={},
    open_orders=(),
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, set()),
        ({"assets": {"BNFCR": Decimal(1)}}, {"credit account", "holdings"}),
        ({"can_trade": False}, {"key: futures"}),
        ({"positions": {"BTCUSDT": Decimal(1)}}, {"holdings"}),
        ({"tiers": ()}, {"margin tier"}),
        ({"tiers": (Tier(Decimal(800_000), Decimal("0.005"), 5),)}, {"tier's leverage"}),
    ],
)
def test_what_no_rehearsal_shows(tmp_path: Path, change: Any, expected: set[str]) -> None:
    """A credit account, and a position before the launch: by the checks alone."""
    (tmp_path / "btc3l.toml").write_text(SERIES)
    (tmp_path / "keeper.toml").write_text(KEEPER)
    (fund,) = read_settings(tmp_path / "keeper.toml").funds
    with DECIMAL18.context():
        desk = new_desk(fund.series, fund.guards)
        found = checks_of(fund, desk, replace(FIT, **change))
        assert {each.name for each in found if not each.is_fine} == expected
