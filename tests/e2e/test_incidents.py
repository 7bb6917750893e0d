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
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import SteelyardError
from steelyard.market import sample_prices
from support.command import SCRIPT, environment
from support.doc_pages import REPOSITORY
from support.exchange_keeper import SERIES, ExchangeFolder

pytestmark = pytest.mark.xdist_group("processes")

PAGE = REPOSITORY / "docs" / "explanation" / "incidents.md"
HEADINGS = r"^## (.*?)\n(.*?)(?=^## |\Z)"
WAIT_S = 240
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CENT = Decimal("0.01")
LOOK_UPS = ("order", "userTrades", "income")
ACCOUNT = ("v3/positionRisk", "v3/balance")


def series(symbol: str, leverage: str, lower: str, upper: str, emergency: str) -> str:
    """A series with a band and an emergency leverage."""
    text = SERIES.replace("BTC3L", symbol).replace("= 3.0", f"= {leverage}")
    text = text.replace("lower = 2.5", f"lower = {lower}").replace(
        "upper = 3.5", f"upper = {upper}"
    )
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
        try:
            is_begun = bool(place.rows("order"))
        except SteelyardError:  # there is no journal yet
            return False
        if not is_begun:
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
    parts = dict(re.findall(HEADINGS, PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
    told = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", parts[heading], re.MULTILINE))
    told = {name: value for name, value in told.items() if name != "what"}
    assert told == found, "\n".join(f"| {name} | {value} |" for name, value in found.items())


def lost_orders(place: ExchangeFolder) -> list[str]:
    """What the journal says of each order's end."""
    return [each["outcome"] for each in place.rows("order_ended")]


# -- seven days without an exchange ----------------------------------------------------------------

WEEK = series("BTC2L", "2.0", "1.9", "2.1", "3.0")
OPENED = Decimal("37735.4")
"""BTC at the open of 4 May 2022; the lows of the days after it are the bundled history's."""


def lows() -> list[Decimal]:
    """The lows of 5 to 12 May 2022."""
    may = sample_prices("BTC").between(utc("2022-05-05"), utc("2022-05-13"))
    assert may.low is not None
    return [Decimal(repr(float(low))) for low in may.low]


def utc(day: str) -> int:
    """Epoch seconds of a day's begin."""
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())


def moved(place: ExchangeFolder, price: Decimal) -> None:
    """The market moves."""
    place.exchange.control("POST", "/price", symbol="BTCUSDT", price=str(price))


def later(place: ExchangeFolder, ms: int) -> None:
    """Hours go by on the exchange's clock, and prices and funding with them."""
    state = place.exchange.control("GET", "/state")
    ahead = state["time"] - time.time_ns() // 1_000_000
    place.exchange.control("POST", "/clock", skew_ms=ahead + ms)


def unreachable(place: ExchangeFolder, *paths: str) -> None:
    """Requests of these paths, or all, are answered that the service is unavailable."""
    for path in paths or ("",):
        whole = path if not path or path.startswith("/") else f"/fapi/v1/{path}"
        place.fault("503_unavailable", method="GET" if path else "", path=whole, count=0)


def week_kept(folder: Path) -> tuple[Decimal, int]:
    """The same prices at an exchange that answers once a day: nav at their end, and orders sent."""
    with opened(folder, WEEK, f"hand:{OPENED}") as place:
        place.once("--launch")
        first, *others = lows()
        moved(place, first)
        place.once()
        for price in others:
            moved(place, price)
            place.once()
            for _ in range(3):
                place.exchange.control("POST", "/funding", symbol="BTCUSDT", rate="0.0001")
        place.once()
        place.check_agreement()
        return nav(place), len(place.rows("order"))


@pytest.mark.parametrize("answer", ["drop_after", "drop_before"])
def test_seven_days_without_an_exchange(tmp_path: Path, answer: str) -> None:
    """An order is under way as it begins; what came of it is found out a week later."""
    first, *others = lows()
    midnight = ("--start", "2022-05-05")  # of the clock by which funding falls due
    with opened(tmp_path / "dark", WEEK, f"hand:{OPENED}", midnight) as place, running(place):
        wait_for(place, settled(place, 1))
        # look-ups fail first, so that nothing is found out after the order's answer is lost
        unreachable(place, *LOOK_UPS, *(f"/fapi/{path}" for path in ACCOUNT))
        place.fault(answer)
        moved(place, first)
        wait_for(place, lambda: not _waits(place, answer))
        unreachable(place)
        started, held = nav(place), place.units()
        for price in others:
            moved(place, price)
            later(place, DAY_MS)
        ended, worst = nav(place), leverage(place)
        assert len(place.rows("order_ended")) == 1
        assert place.status()["intent"] is not None
        place.exchange.control("DELETE", "/fault")
        wait_for(place, settled(place, 3))
        place.check_agreement()
        place.verify()
        is_filled = answer == "drop_after"
        assert lost_orders(place) == ["filled", "filled" if is_filled else "void", "filled"]
        assert place.rows("decided")[-1]["intent"]["trigger"] == "emergency"
        paid = [each for each in place.rows("movement") if each["what"] == "funding"]
        found = {
            "price at the launch, and as it began": f"{OPENED:,}, {first:,}",
            "nav as it began": amount(started),
            "BTC held as it began": str(held),
            "price a week later": f"{others[-1]:,}",
            "nav then, and leverage": f"{amount(ended)}, {times(worst)}",
            "funding payments that were booked late": str(len(paid)),
            "sold at once": f"{held - place.units()} BTC",
            "nav and leverage after that": f"{amount(nav(place))}, {times(leverage(place))}",
        }
    if is_filled:
        kept, orders = week_kept(tmp_path / "kept")
        found["nav of a fund that traded once a day"] = f"{amount(kept)}, {orders} orders"
        check_page("Seven days without an exchange", found)


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
    assert (triggers[0], triggers[-1]) == ("launch", "emergency")
    assert (outcomes[0], outcomes[-1], set(outcomes[1:-1])) == ("filled", "filled", {"unavailable"})
    found = {
        "nav after the launch at 7,956.3": amount(start),
        "leverage at 7,000, where the order is answered by a ban": times(there),
        "leverage at 6,200, during the ban": times(worst),
        "what the keeper sent after the ban, and why": f"one order, {triggers[-1]}",
        "nav and BTC held at the end": f"{amount(end)}, {units}",
        "nav of the same fund without a ban": amount(kept),
    }
    check_page("A ban during a crash", found)


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
    ended: dict[str, list[Any]] = {}
    for name, faults in (("lost", LOST), ("all", ())):
        with opened(tmp_path / name, CRASH, "hand:7956.3") as place:
            day(place, faults)
            place.check_agreement()
            place.verify()
            account, ends = place.account(), lost_orders(place)
            ended[name] = [place.units(), account["wallet"], account["orders"]]
            ended[name] += [nav(place), len(ends), ends.count("void")]
    units, wallet, orders, worth, sent, void = ended["lost"]
    assert ended["all"] == [units, wallet, orders, worth, orders, 0]
    found = {
        "orders that the keeper sent": str(sent),
        "of these, answers lost": str(len(LOST)),
        "orders that had filled, of those whose answer was lost": str(len(LOST) - void),
        "orders that the exchange filled in the end": str(orders),
        "orders that it fills where each answer comes": str(ended["all"][2]),
        "nav at the end, BTC held": f"{amount(worth)}, {units}",
        "the same where each answer comes": f"{amount(ended['all'][3])}, {ended['all'][0]}",
    }
    check_page("Half of the answers lost", found)


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
        found = {
            "nav after the launch at 121,500": amount(start),
            "nav and BTC held at 104,000": f"{amount(before)}, {held}",
            "closed by the exchange at 107,000": f"{gone} BTC",
            "nav, BTC held and leverage after that": f"{amount(there)}, {left}, {times(low)}",
            "nav and BTC held after the keeper's order": f"{amount(nav(place))}, {place.units()}",
            "leverage at the end": times(leverage(place)),
        }
        check_page("A short that is deleveraged", found)
