"""The keeper file (TOML): the funds that it runs, their venues, and the limits on its actions.

A wrong file is refused before anything runs. The message names the file, the key, what was found
and what is allowed, and suggests a key for a misspelt one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from steelyard.errors import InputError
from steelyard.keeper.desk import Guards
from steelyard.keeper.desk_opening import expected_live
from steelyard.keeper.health_delivery import HealthSettings, is_receiver
from steelyard.rules.series import Series
from steelyard.rules.series_keys import Reader, choice, duration, file_name, number, text
from steelyard.rules.toml_file import TomlFile, toml_content, toml_document
from steelyard.venues.exchange.support import is_supported, market_of, what_is_missing
from steelyard.venues.secrets import EXPECTED, is_source

__all__ = ["FundSettings", "Settings", "VenueSettings", "read_settings"]

KIND = "a keeper file"
SQLITE = "sqlite:"
ROOT = ("schema", "journal", "clock", "health", "venue", "fund", "prices", "guards")
HOUR_S = 3_600
DAY_S = 86_400
FOR_EVER_MS = 10**15
SPEED = number("a speed of at least 0", lambda x: x >= 0)
BPS = number("basis points from 0 to below 10,000", lambda x: 0 <= x < 10_000)  # noqa: PLR2004
COUNT = number("a whole number above 0", lambda x: x > 0 and x == int(x))


def _files(found: object) -> dict[str, str]:
    """A table of file names, by the underlying."""
    if not isinstance(found, Mapping) or not found:
        raise ValueError('a table such as { "BTC/USDT:USDT" = "btc.parquet" }')
    if not all(isinstance(each, str) and each for each in found.values()):
        raise ValueError("the name of a file for each underlying")
    return dict(found)


def _source(found: object) -> str:
    """The source of a venue's secrets."""
    if not is_source(found):
        raise ValueError(EXPECTED)
    return str(found)


VENUE: dict[str, Reader] = {
    "name": text,
    "kind": choice(("paper", "exchange")),
    "recv_window": duration(zero=False),
    "prices": _files,
    "funding": _files,
    "rates": _files,
    "books": _files,
    "speed": SPEED,
    "start": text,
    "end": text,
    "intrabar": choice(("close", "path")),
    "secrets": _source,
    "exchange": text,
    "rehearsal": file_name,
}
KEYS_OF = {
    "paper": ("prices", "funding", "rates", "books", "speed", "start", "end", "intrabar"),
    "exchange": ("exchange", "rehearsal"),
}
"""The keys that only one kind of venue has."""
NEEDED = {"paper": ("prices",), "exchange": ("exchange", "secrets")}
LONGEST_WINDOW_S = 10
"""An order is sent only if it can no longer be accepted when the lease ends. The lease always has
at least 11 s left (``LASTS_MS`` less ``RENEW_MS``), so with a longer window none would be sent."""
FUND: dict[str, Reader] = {"series": text, "venue": text}
PRICES: dict[str, Reader] = {"stale_after": duration(zero=False)}
HEALTH: dict[str, Reader] = {"every": duration(zero=False), "to": text}
GUARDS: dict[str, Reader] = {
    "slippage_bps": BPS,
    "max_orders_per_hour": COUNT,
    "disagree_after": duration(zero=False),
}


@dataclass(frozen=True)
class VenueSettings:
    """A venue: on paper its histories and their speed, otherwise which exchange it is."""

    name: str
    kind: str
    recv_window_ms: int
    prices: Mapping[str, str]
    funding: Mapping[str, str]
    rates: Mapping[str, str]
    speed: float
    start: str | None
    end: str | None
    intrabar: str | None
    secrets: str | None = None
    """The source of its key and secret (``venues.secrets``), which are never in this file."""
    exchange: str | None = None
    """The exchange's id in ccxt."""
    books: Mapping[str, str] = field(default_factory=dict)
    """Files of recorded order books by underlying; paper orders fill from them."""
    rehearsal: str | None = None
    """The folder of a rehearsal exchange; None: the real hosts."""

    @property
    def is_paper(self) -> bool:
        """Whether it trades on histories from files."""
        return self.kind == "paper"


@dataclass(frozen=True)
class FundSettings:
    """A fund: its series, and the venue where it has its own account."""

    series: Series
    venue: VenueSettings
    guards: Guards

    @property
    def account(self) -> str:
        """The file of its paper account, beside the keeper file; elsewhere the account's name."""
        symbol = "".join(each if each.isalnum() else "_" for each in self.series.symbol)
        return f"{self.venue.name}-{symbol}.{self.venue.kind}"


@dataclass(frozen=True)
class Settings:
    """The content of a keeper file, read and checked."""

    path: Path
    journal: str
    funds: tuple[FundSettings, ...]
    health: HealthSettings | None = None
    """Where the reserves' health is published; None: only in the journal."""

    @property
    def is_paper(self) -> bool:
        """Whether its funds trade on histories; either all funds do or none."""
        return self.funds[0].venue.is_paper

    def beside(self, name: str) -> Path:
        """The path of a file that the keeper file names, relative to the keeper file."""
        return self.path.parent / name

    def fund(self, symbol: str) -> FundSettings:
        """The fund of this symbol.

        Raises:
            InputError: the keeper file has no such fund.
        """
        for each in self.funds:
            if each.series.symbol == symbol:
                return each
        allowed = ", ".join(each.series.symbol for each in self.funds)
        message = f"{self.path}: expected a fund of this file ({allowed}), found {symbol!r}."
        raise InputError(message, found=symbol)


def read_settings(path: Path) -> Settings:
    """Read and check a keeper file, and the series files that it names.

    Raises:
        InputError: one of the files is missing or wrong.
    """
    file = TomlFile(str(path))
    document = toml_document(toml_content(path, KIND), str(path), KIND)
    file.check_version(document)
    file.only_known(document, ROOT, "")
    guards = _guards(file, document)
    venues = {each.name: each for each in _venues(file, document)}
    funds = tuple(_funds(file, document, path, venues, guards))
    return Settings(path, _journal(file, document, path), funds, _health(file, document, path))


def _journal(file: TomlFile, document: Mapping[str, Any], path: Path) -> str:
    found = document.get("journal")
    if isinstance(found, str) and found.startswith(("postgresql://", "postgres://")):
        return found
    if isinstance(found, str) and found.startswith(SQLITE) and len(found) > len(SQLITE):
        return str(path.parent / found[len(SQLITE) :])
    return file.refuse("journal", '"sqlite:FILE" or "postgresql://..."', found)


def _health(file: TomlFile, document: Mapping[str, Any], path: Path) -> HealthSettings | None:
    if "health" not in document:
        return None
    values = file.read(_table(file, document, "health"), HEALTH, "health.")
    _needed(file, values, ("to",), "health.")
    every, to = values.get("every", HOUR_S), values["to"]
    if every % HOUR_S or DAY_S % every:
        file.refuse("health.every", "hours that divide a day", document["health"]["every"])
    if not is_receiver(to):
        expected = 'a folder, "-" (standard output), or an https URL'
        file.refuse("health.to", expected, to)
    is_folder = to != "-" and not urlsplit(to).scheme
    return HealthSettings(str(path.parent.resolve() / to) if is_folder else to, every)


def _guards(file: TomlFile, document: Mapping[str, Any]) -> Guards:
    every = 60
    if "clock" in document:
        every = file.read({"clock": document["clock"]}, {"clock": duration(zero=False)}, "")[
            "clock"
        ]
        if every % 60 or HOUR_S % every:
            file.refuse("clock", "minutes that divide an hour", document["clock"])
    prices = file.read(_table(file, document, "prices"), PRICES, "prices.")
    given = file.read(_table(file, document, "guards"), GUARDS, "guards.")
    first = Guards()
    return Guards(
        slippage_bps=Decimal(str(given.get("slippage_bps", first.slippage_bps))),
        max_orders_per_hour=int(given.get("max_orders_per_hour", first.max_orders_per_hour)),
        disagree_after_ms=_ms(given, "disagree_after", first.disagree_after_ms),
        stale_after_ms=_ms(prices, "stale_after", first.stale_after_ms),
        clock_every_s=every,
    )


def _ms(given: Mapping[str, Any], key: str, otherwise: int) -> int:
    return given[key] * 1000 if key in given else otherwise


def _table(file: TomlFile, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key, {})
    if not isinstance(found, Mapping):
        file.refuse(key, f"a table [{key}]", found)
    return found


def _tables(file: TomlFile, document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = document.get(key, [])
    if not isinstance(found, list) or not found or not all(isinstance(x, Mapping) for x in found):
        file.refuse(key, f"one or more tables [[{key}]]", found or None)
    return found


def _needed(file: TomlFile, values: Mapping[str, Any], keys: tuple[str, ...], place: str) -> None:
    for key in keys:
        if key not in values:
            file.refuse(place + key, "a value", None)


def _venue_values(file: TomlFile, table: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a venue; secrets in place of their source are never shown in a message."""
    file.only_known(table, tuple(VENUE), "venue.")
    if "secrets" in table and not is_source(table["secrets"]):
        message = (
            f"{file.name}: venue.secrets: expected {EXPECTED}, found something else (not shown: "
            "it may be a secret)."
        )
        raise InputError(message, file=file.name, key="venue.secrets", allowed=EXPECTED)
    return file.read(table, VENUE, "venue.")


def _check_kind(file: TomlFile, values: Mapping[str, Any]) -> None:
    """Refuse keys of another kind of venue, and exchanges that are not supported."""
    kind = values["kind"]
    for other, keys in KEYS_OF.items():
        for key in keys:
            if key in values and other != kind:
                expected = f'no such key where the kind is "{kind}" (it is one of "{other}")'
                file.refuse(f"venue.{key}", expected, values[key])
    _needed(file, values, NEEDED[kind], "venue.")
    # the lease of a history without a speed does not end
    if values.get("recv_window", 0) > LONGEST_WINDOW_S and (
        kind == "exchange" or values.get("speed", 0) > 0
    ):
        found = f"{values['recv_window']}s"
        file.refuse("venue.recv_window", "at most 10s, of which the lease is sure", found)
    if kind != "exchange":
        return
    if not is_supported(values["exchange"]):
        lacks = what_is_missing(values["exchange"])
        expected = f"an exchange that is supported; this one is not ({lacks})"
        file.refuse("venue.exchange", expected, values["exchange"])


def _venues(file: TomlFile, document: Mapping[str, Any]) -> list[VenueSettings]:
    venues, names = [], set[str]()
    for table in _tables(file, document, "venue"):
        values = _venue_values(file, table)
        _needed(file, values, ("name", "kind"), "venue.")
        _check_kind(file, values)
        if values["name"] in names:
            file.refuse("venue.name", "a name of its own for each venue", values["name"])
        names.add(values["name"])
        venues.append(
            VenueSettings(
                values["name"],
                values["kind"],
                values.get("recv_window", 2) * 1000,
                values.get("prices", {}),
                values.get("funding", {}),
                values.get("rates", {}),
                values.get("speed", 0.0),
                values.get("start"),
                values.get("end"),
                values.get("intrabar"),
                values.get("secrets"),
                values.get("exchange"),
                values.get("books", {}),
                values.get("rehearsal"),
            )
        )
    return venues


def _funds(
    file: TomlFile,
    document: Mapping[str, Any],
    path: Path,
    venues: Mapping[str, VenueSettings],
    guards: Guards,
) -> list[FundSettings]:
    funds, taken = list[FundSettings](), dict[str, str]()
    for table in _tables(file, document, "fund"):
        values = file.read(table, FUND, "fund.")
        _needed(file, values, ("series", "venue"), "fund.")
        venue = venues.get(values["venue"])
        if venue is None:
            allowed = f"the name of a venue of this file: {', '.join(venues)}"
            file.refuse("fund.venue", allowed, values["venue"])
        series = Series.load(path.parent / values["series"])
        if series.symbol in taken:
            expected = "one fund a symbol, each with a venue account of its own"
            file.refuse("fund.series", expected, values["series"])
        taken[series.symbol] = values["venue"]
        refused = expected_live(series)
        if refused is not None:
            expected, found = refused
            file.refuse("fund.series", expected, f"{values['series']}: {found}")
        _check_market(file, series, venue, values["series"])
        if funds and funds[0].venue.is_paper != venue.is_paper:
            expected = (
                "funds that are all on paper venues, or all on exchanges, which have one clock"
            )
            file.refuse("fund.venue", expected, values["venue"])
        if not venue.is_paper and venue.name in {each.venue.name for each in funds}:
            expected = "an account of its own for each fund: another venue, with secrets of its own"
            file.refuse("fund.venue", expected, values["venue"])
        fund = FundSettings(series, venue, _guards_of(guards, venue))
        if fund.account in {each.account for each in funds}:
            expected = f"an account of its own ({fund.account} is that of another fund)"
            file.refuse("fund.series", expected, f"{values['series']}: {series.symbol}")
        funds.append(fund)
    return funds


def _check_market(file: TomlFile, series: Series, venue: VenueSettings, name: str) -> None:
    """Refuse a series whose underlying its venue does not trade."""
    if venue.is_paper and series.underlying not in venue.prices:
        expected = f"prices of {series.underlying} in the venue {venue.name}"
        file.refuse("venue.prices", expected, ", ".join(venue.prices))
    if venue.is_paper:
        return
    if series.venue.kind != "perpetual":
        expected = 'a series whose venue is "perpetual" at an exchange'
        file.refuse("fund.series", expected, f"{name}: {series.venue.kind}")
    if market_of(series.underlying, series.quote) is None:
        quote = series.quote
        expected = f"an underlying that is a linear perpetual, such as BTC/{quote}:{quote}"
        file.refuse("fund.series", expected, f"{name}: {series.underlying}")


def _guards_of(guards: Guards, venue: VenueSettings) -> Guards:
    """The guards as they apply at a venue.

    On paper the marks schedule the observations, and a price holds until the next one.

    The clock of the paper venues is the history that has advanced farthest. A history that starts
    later, or is one bar behind after a crash, does not mean that a clock is wrong. Where history
    passes faster, every wait is longer in history time, since the machine's own work is not faster.
    """
    if not venue.is_paper:
        window = venue.recv_window_ms
        return replace(guards, recv_window_ms=window, clock_off_ms=window // 2)
    faster = max(1.0, venue.speed)
    waits = ("answer_after_ms", "ask_every_ms", "read_after_ms", "retry_after_ms")
    return replace(
        guards,
        clock_every_s=0,
        stale_after_ms=FOR_EVER_MS,
        recv_window_ms=round(venue.recv_window_ms * faster),
        clock_off_ms=FOR_EVER_MS,
        disagree_after_ms=round(guards.disagree_after_ms * faster),
        **{name: round(getattr(guards, name) * faster) for name in waits},
    )
