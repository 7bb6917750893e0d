"""Reading a shelf file: all its keys, and the checks of their values.

An error message names the file, the token, the key, what was found and what is allowed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from steelyard.analysis.shelf_token import Token
from steelyard.arguments import path_of
from steelyard.errors import InputError
from steelyard.market import parse_time
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Daily, Rebalance, Series
from steelyard.rules.series_file import ANY, LEVERAGE, NOT_NEGATIVE, POSITIVE
from steelyard.rules.series_keys import Reader, file_name, number, text, time_of_day
from steelyard.rules.toml_file import TomlFile, toml_content, toml_document

__all__ = ["ROOT", "TOKEN", "shelf_in", "shelf_values"]

MOST_TOKENS = 100_000
KIND = "a shelf file"


def instant(found: object) -> int:
    """Read an instant as epoch s: a string such as ``"2024-11-06T23:55:00Z"``, or a TOML date."""
    allowed = "a time in UTC such as 2024-11-06 or 2024-11-06T23:55:00Z"
    if isinstance(found, bool) or not isinstance(found, str | int | dt.date):
        raise ValueError(allowed)
    try:
        return parse_time(found)
    except InputError:
        raise ValueError(allowed) from None


MONEY = number("an amount from -1e30 to 1e30", lambda x: abs(x) <= 1e30)  # noqa: PLR2004 (stated)

ROOT: dict[str, Reader] = {
    "underlying": text,
    "quote": text,
    "price": POSITIVE,
    "time": instant,
}
TOKEN: dict[str, Reader] = {
    "name": text,
    "series": file_name,
    "target_leverage": LEVERAGE,
    "at": time_of_day,
    "cash": MONEY,
    "units": MONEY,
    "assets": POSITIVE,
    "leverage": ANY,
    "last_rebalance": instant,
    "reference": POSITIVE,
    "reserve_units": NOT_NEGATIVE,
}


Values = dict[str, Any]
"""Values by the names of the fields of ``Shelf``."""


def shelf_in(path: str | Path) -> Values:
    """Read and check the shelf file at ``path``; see ``Shelf.load``."""
    path = path_of("path", path)
    document = toml_document(toml_content(path, KIND), str(path), KIND)
    return _ShelfFile(str(path), path.parent).shelf(document)


def shelf_values(content: str, name: str) -> Values:
    """Read and check a shelf from TOML text; see ``Shelf.loads``."""
    return _ShelfFile(name, Path()).shelf(toml_document(content, name, KIND))


class _ShelfFile(TomlFile):
    """The reader of one shelf file; paths of series files are relative to ``folder``."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.folder = folder
        self.known: dict[str, Series] = {}
        """Series that were read already, by the name in the file; many tokens may share one."""

    def shelf(self, document: Mapping[str, Any]) -> Values:
        self.check_version(document)
        self.only_known(document, ("schema", *ROOT, "token"), "")
        given = {key: value for key, value in document.items() if key in ROOT}
        root = self.read(given, ROOT, "")
        tables = document.get("token")
        if not isinstance(tables, list) or not tables:
            self.refuse("token", "at least one table [[token]]", tables)
        if len(tables) > MOST_TOKENS:
            self.refuse("token", f"at most {MOST_TOKENS:,} tables [[token]]", len(tables))
        tokens = [self._token(table, place, root) for place, table in enumerate(tables, 1)]
        first = tokens[0].series
        on = {"underlying": first.underlying, "quote": first.quote}
        return {**on, **root, "tokens": tuple(tokens), "source": self.name}

    def _token(self, table: object, number_of: int, root: Mapping[str, Any]) -> Token:
        place = f"token {number_of}"
        if not isinstance(table, Mapping):
            self.refuse("token", "tables [[token]]", table)
        called = table.get("name", table.get("series"))
        if isinstance(called, str) and called.isprintable():
            place += f" ({called[:40]})"
        values = self.read(table, TOKEN, f"{place}: ")
        given = set(values)
        place += ": "
        if ("series" in given) == ("target_leverage" in given):
            both = "both" if "series" in given else None
            self.refuse(f"{place}series", "either series or target_leverage", both)
        self._check_books(place, values)
        if "at" in given and "series" in given:
            self.refuse(f"{place}at", "no such key with series, which has its own", values["at"])
        if "series" in given:
            series = self._series(values.pop("series"), place, root)
        else:
            series = _plain(values, root, number_of)
        if "reserve_units" in given and series.reserve is None:
            expected = "no such key where the series has no [reserve]"
            self.refuse(f"{place}reserve_units", expected, values["reserve_units"])
        for key in ("units", "leverage"):
            if values.get(key, 0.0) * series.target_leverage < 0:
                side = "above" if series.target_leverage > 0 else "below"
                expected = f"{key} {side} 0, the side of target {series.target_leverage:g}"
                self.refuse(place + key, expected, values[key])
        return Token(values.pop("name", series.symbol), series, **values)

    def _check_books(self, place: str, values: Mapping[str, Any]) -> None:
        """Check that a token has either cash and units, or assets and optionally a leverage."""
        if "assets" in values:
            for key in ("cash", "units"):
                if key in values:
                    self.refuse(place + key, "no such key with assets", values[key])
            if values.get("leverage") == 0:
                self.refuse(f"{place}leverage", "a leverage other than 0", 0)
            return
        if "leverage" in values:
            expected = "no such key without assets: cash and units determine it"
            self.refuse(f"{place}leverage", expected, values["leverage"])
        for key in ("cash", "units"):
            if key not in values:
                self.refuse(place + key, "cash and units, or assets", None)

    def _series(self, name: str, place: str, root: Mapping[str, Any]) -> Series:
        """The series of that name: a file relative to the shelf's folder, or a preset."""
        if name in self.known:
            return self.known[name]
        path = self.folder / name
        if not path.exists() and name in preset_names():
            series = preset(name)
            # a preset defines a rule, which applies to any underlying that the shelf's tokens have
            series = replace(
                series,
                underlying=root.get("underlying", series.underlying),
                quote=root.get("quote", series.quote),
            )
        elif path.exists() or name.endswith(".toml"):
            series = Series.load(path)
        else:
            expected = "a series file, or a preset (steelyard series list)"
            self.refuse(f"{place}series", expected, name)
        self.known[name] = series
        return series


def _plain(values: dict[str, Any], root: Mapping[str, Any], number_of: int) -> Series:
    """The series of a token of which only the target is known: a daily reset without costs."""
    target = values.pop("target_leverage")
    side = "L" if target > 0 else "S"
    return Series(
        symbol=values.get("name", f"{abs(target):g}{side} ({number_of})"),
        underlying=root.get("underlying", "BTC/USDT:USDT"),
        quote=root.get("quote", "USDT"),
        target_leverage=target,
        rebalance=Rebalance(daily=Daily(values.pop("at", 0))),
    )
