"""Incidents of real funds, played to a keeper at the rehearsal exchange: what came of each.

Keeper and exchange are processes of their own. ``docs/explanation/incidents.md`` tells what
happened in tables, and each figure there is held to what happened here.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.command import SCRIPT, environment
from support.doc_pages import REPOSITORY
from support.exchange_keeper import SERIES, ExchangeFolder

pytestmark = pytest.mark.xdist_group("processes")

PAGE = REPOSITORY / "docs" / "explanation" / "incidents.md"
WAIT_S = 180
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CENT = Decimal("0.01")
LOOK_UPS = ("order", "userTrades", "income")
ACCOUNT = ("v3/positionRisk", "v3/balance")


def series(symbol: str, leverage: str, lower: str, upper: str, emergency: str) -> str:
    """A series with a band and an emergency leverage."""
    text = SERIES.replace("BTC3L", symbol).replace("= 3.0", f"= {leverage}")
    text = text.replace("lower = 2.5", f"lower = {lower}").replace("upper = 3.5", f"upper = {upper}")
    return text.replace("[rebalance]\n", f"[rebalance]\nemergency_leverage = {emergency}\n")


@contextmanager
def opened(
    folder: Path, text: str, prices: str, options: tuple[str, ...] = ()
) -> Iterator[ExchangeFolder]:
    """A keeper's folder with an exchange beside it, until the end of the block."""
    found = ExchangeFolder(folder, prices=prices, series=text, options=options)
    try:
        yield found
    finally:
        found.exchange.kill()


@contextmanager
def running(place: ExchangeFolder) -> Iterator[None]:
    """A keeper that runs beside, and is asked to stop at the end."""
    with (place.folder / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [SCRIPT, "keeper", "run", "keeper.toml", "--live", "--launch"],
            cwd=place.folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )
    try:
        yield
        assert keeper.poll() is None, (place.folder / "keeper.log").read_text()
    finally:
        keeper.terminate()
        keeper.wait(timeout=WAIT_S)


def wait_for(place: ExchangeFolder, what: Callable[[], bool]) -> None:
    """Wait until something has come about."""
    until = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < until, (place.folder / "keeper.log").read_text()
        time.sleep(0.2)


def settled(place: ExchangeFolder, orders: int) -> Callable[[], bool]:
    """Whether so many orders have come to their ends, and books and exchange agree on them."""

    def is_so() -> bool:
        if not (place.folder / "keeper.db").exists() or not place.rows("order"):
            return False
        status = place.status()
        is_quiet = status["intent"] is None and status["venue"]["agrees"]
        same = Decimal(status["books"]["units"]) == place.units()
        return is_quiet and same and len(place.rows("order_ended")) >= orders

    return is_so


def mark(place: ExchangeFolder) -> Decimal:
    """The exchange's mark now."""
    state = place.exchange.control("GET", "/state")
    return Decimal(state["markets"]["BTCUSDT"]["mark"])


def nav(place: ExchangeFolder) -> Decimal:
    """What the account is worth at the mark."""
    return place.cash() + place.units() * mark(place)


def leverage(place: ExchangeFolder) -> Decimal:
    """Of the account, at the mark."""
    return abs(place.units() * mark(place)) / nav(place)


def amount(value: Decimal) -> str:
    """An amount of money as the page tells it."""
    return f"{value.quantize(CENT):,}"


def times(value: Decimal) -> str:
    """A leverage as the page tells it."""
    return f"{value.quantize(CENT)}x"


def check_page(heading: str, found: dict[str, str]) -> None:
    """The table of an incident on the page has these rows and no others."""
    parts = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S))
    told = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", parts[heading], re.M))
    told = {name: value for name, value in told.items() if name not in {"what", "---"}}
    assert told == found


def lost_orders(place: ExchangeFolder) -> list[str]:
    """What the journal says of each order's end."""
    return [each["outcome"] for each in place.rows("order_ended")]


# -- seven days without an exchange ----------------------------------------------------------------

WEEK = series("BTC2L", "2.0", "1.9", "2.1", "3.0")
MAY = ("--start", "2022-05-04", "--end", "2022-05-14")


def later(place: ExchangeFolder, ms: int) -> None:
    """Hours go by on the exchange's clock, and prices and funding with them."""
    state = place.exchange.control("GET", "/state")
    ahead = state["time"] - time.time_ns() // 1_000_000
    place.exchange.control("POST", "/clock", skew_ms=ahead + ms)


def unreachable(place: ExchangeFolder, *paths: str) -> None:
    """Requests of these paths are answered that the service is unavailable, until further notice."""
    for path in paths or ("",):
        whole = path if not path or path.startswith("/") else f"/fapi/v1/{path}"
        place.fault("503_unavailable", method="GET" if path else "", path=whole, count=0)


def week_kept(folder: Path) -> tuple[Decimal, int]:
    """The same days with an exchange that answers: nav at their end, and orders sent."""
    with opened(folder, WEEK, "BTC", MAY) as place:
        place.once("--launch")
        for hours in (12, *[24] * 8):
            later(place, hours * HOUR_MS)
            if not Decimal("1.9") <= leverage(place) <= Decimal("2.1"):
                place.once()
        place.check_agreement()
        return nav(place), len(place.rows("order"))


@pytest.mark.parametrize("answer", ["drop_after", "drop_before"])
def test_seven_days_without_an_exchange(tmp_path: Path, answer: str) -> None:
    """An order is under way as it begins; what came of it is found out a week later."""
    with opened(tmp_path / "dark", WEEK, "BTC", MAY) as place, running(place):
        wait_for(place, settled(place, 1))
        later(place, 12 * HOUR_MS)
        wait_for(place, settled(place, 2))
        before = nav(place)
        # look-ups fail first, so that nothing is found out after the order's answer is lost
        unreachable(place, *LOOK_UPS, *(f"/fapi/{path}" for path in ACCOUNT))
        place.fault(answer)
        later(place, DAY_MS)
        wait_for(place, lambda: not _waits(place, answer))
        unreachable(place)
        at_start = {"price": mark(place), "nav": nav(place), "units": place.units()}
        for _ in range(7):
            later(place, DAY_MS)
        at_end = {"price": mark(place), "nav": nav(place), "leverage": leverage(place)}
        assert len(place.rows("order_ended")) == 2
        assert place.status()["intent"] is not None
        place.exchange.control("DELETE", "/fault")
        wait_for(place, settled(place, 4))
        wait_for(place, lambda: leverage(place) <= Decimal("2.1"))
        wait_for(place, settled(place, 4))
        place.check_agreement()
        place.verify()
        is_filled = answer == "drop_after"
        assert lost_orders(place) == ["filled", "filled", "filled" if is_filled else "void", "filled"]
        assert place.rows("decided")[-1]["intent"]["trigger"] == "emergency"
        paid = [each for each in place.rows("venue_money") if each["kind"] == "funding"]
        sold = place.rows("order_ended")[-1]
        after, units = nav(place), place.units()
    print(before, at_start, at_end, len(paid), sold, after, units)
    if is_filled:
        kept, orders = week_kept(tmp_path / "kept")
        print(kept, orders)
        check_page("Seven days without an exchange", {})


def _waits(place: ExchangeFolder, fault: str) -> bool:
    rules = place.exchange.control("GET", "/state")["faults"]
    return any(rule["fault"] == fault for rule in rules)


# -- a ban during a crash --------------------------------------------------------------------------

CRASH = series("BTC3L", "3.0", "2.5", "3.5", "5.0")


def test_a_ban_during_a_crash(tmp_path: Path) -> None:
    """The order that lowers the leverage is answered by a ban; it is sent when the ban is over."""
    with opened(tmp_path / "banned", CRASH, "hand:7956.3") as place, running(place):
        wait_for(place, settled(place, 1))
        start = nav(place)
        place.fault("ban", wait_ms=20_000)
        place.price(7_000)
        wait_for(place, lambda: not _waits(place, "ban"))
        there = leverage(place)
        place.price(6_200)
        worst = leverage(place)
        wait_for(place, settled(place, 3))
        # what was asked side by side with the order; asking each second would be twenty
        assert place.exchange.control("GET", "/state")["asked_while_banned"] <= 5
        place.check_agreement()
        place.verify()
        triggers = [each["intent"]["trigger"] for each in place.rows("decided")]
        outcomes, end, units = lost_orders(place), nav(place), place.units()
    with opened(tmp_path / "kept", CRASH, "hand:7956.3") as place:
        place.once("--launch")
        for price in (7_000, 6_200):
            place.price(price)
            place.once()
        kept = nav(place)
    print(start, there, worst, triggers, outcomes, end, units, kept)
    check_page("A ban during a crash", {})


# -- half of the answers lost ----------------------------------------------------------------------

LOST = (
    "drop_after",
    "drop_before",
    "503_unknown_filled",
    "garbled_lost",
    "408_filled",
    "503_page_lost",
    "garbled_filled",
    "503_unknown_lost",
)
"""What the answers to orders are, one after the other: half of the orders had filled."""
DAY = (7_500, 7_000, 6_400, 5_900, 5_300, 4_900, 5_600, 6_300)
"""Prices of the day, by hand."""


def day(place: ExchangeFolder, faults: tuple[str, ...]) -> None:
    """A day of falling prices, on which each order meets the next fault."""
    for fault in faults:
        place.fault(fault)
    place.once("--launch")
    while place.units() == 0:
        place.once()
    for price in DAY:
        place.price(price)
        place.once()
        while not Decimal("2.5") <= leverage(place) <= Decimal("3.5"):
            place.once()


def test_half_of_the_answers_are_lost(tmp_path: Path) -> None:
    """The account is the same to the last digit as where each answer came."""
    found: dict[str, Any] = {}
    for name, faults in (("lost", LOST), ("all", ())):
        with opened(tmp_path / name, CRASH, "hand:7956.3") as place:
            start = Decimal(place.account()["wallet"])
            day(place, faults)
            place.check_agreement()
            place.verify()
            account = place.account()
            found[name] = {
                "units": place.units(),
                "wallet": account["wallet"],
                "orders": account["orders"],
                "outcomes": lost_orders(place),
                "nav": nav(place),
                "start": start,
            }
    print(found)
    for same in ("units", "wallet", "orders"):
        assert found["lost"][same] == found["all"][same]
    check_page("Half of the answers lost", {})


# -- a short that is deleveraged -------------------------------------------------------------------

SHORT = series("BTC2S", "-2.0", "1.5", "2.5", "4.0")


def test_a_short_is_deleveraged(tmp_path: Path) -> None:
    """More than half of it is closed below the market's best; it is sold again."""
    with opened(tmp_path / "short", SHORT, "hand:121500") as place:
        place.once("--launch")
        start = nav(place)
        place.price(104_000)
        place.once()
        before, held = nav(place), place.units()
        gone = (-held * Decimal("0.6")).quantize(Decimal("0.001"))
        place.exchange.control(
            "POST", "/adl", account="main", symbol="BTCUSDT", units=str(gone), price="107000"
        )
        there, left, low = nav(place), place.units(), leverage(place)
        place.once()
        place.check_agreement()
        place.verify()
        causes = [each["cause"] for each in place.rows("venue_trade")]
        assert "auto_deleveraging" in causes
        print(start, before, held, gone, there, left, low, place.units(), leverage(place), nav(place), causes)
        check_page("A short that is deleveraged", {})
