"""The check of a series that was made in Python or read as data.

The series is written as the document that its file would contain, and read by the rules for files
(``series_file``), so the allowed values are stated only there. Values that equal their default are
left out of the document.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from steelyard.errors import InputError
from steelyard.rules import series_parts as model
from steelyard.rules.series_file import IN_SECONDS, TABLES, TRIGGERS, values_of_document

if TYPE_CHECKING:
    from steelyard.rules.series import Series

__all__ = ["check_series"]

PARTS = {
    "rebalance": model.Rebalance,
    "venue": model.Venue,
    "costs": model.Costs,
    "execution": model.Execution,
    "fees": model.Fees,
}
KINDS = {
    "band": model.Band,
    "move": model.Move,
    "volatility": model.Volatility,
    "interval": model.Interval,
    "daily": model.Daily,
    "fallback": model.Fallback,
}
PLAIN = (str, int, float, tuple)
DAY_S = 86_400
TIMES_OF_DAY = ("at", "anchor")


def check_series(series: Series, name: str) -> None:
    """Refuse a series that no series file can describe; ``name`` stands for the file in messages.

    Raises:
        InputError: the series is not valid. The message names the key, the value found and the
        values allowed.
    """
    _check_parts(series, name)
    values = values_of_document(_document(series), name)
    reserve = values.pop("reserve")
    values["costs"] = _named_book(values["costs"])
    pool = series.reserve and replace(series.reserve, **reserve)
    made = type(series)(**values, reserve=pool)
    for each in fields(series):
        said, read = getattr(series, each.name), getattr(made, each.name)
        if each.name == "costs":
            said = _named_book(said)
        if each.compare and said != read:
            message = (
                f"{name}: {each.name}: expected a value that a series file can hold, such as "
                f"{read}, found {said}."
            )
            raise InputError(message, key=each.name, found=said, allowed=read)


def _check_parts(series: Series, name: str) -> None:
    """Refuse a part of another type, which Python itself would accept."""
    for key, kind in PARTS.items():
        _check_part(name, key, getattr(series, key), kind)
    if not isinstance(series.costs.book, str):
        _refuse_part(name, "costs.book", "the name of a file", series.costs.book)
    if series.reserve is not None:
        if not is_dataclass(series.reserve):
            _refuse_part(name, "reserve", "a Reserve or None", series.reserve)
        _check_plain(name, "reserve", series.reserve)
    for key, kind in KINDS.items():
        part = getattr(series.rebalance, key)
        if part is not None:
            _check_part(name, f"rebalance.{key}", part, kind)


def _check_part(name: str, key: str, part: Any, kind: type) -> None:  # noqa: ANN401
    if type(part) is not kind:
        _refuse_part(name, key, f"a {kind.__name__}", part)
    _check_plain(name, key, part)


def _check_plain(name: str, key: str, part: Any) -> None:  # noqa: ANN401
    """Refuse a value that is neither plain nor a part, since comparing an array gives no bool."""
    for each in fields(part):
        value = getattr(part, each.name)
        if not (value is None or isinstance(value, PLAIN) or is_dataclass(value)):
            _refuse_part(name, f"{key}.{each.name}", "a plain value", value)


def _refuse_part(name: str, key: str, expected: str, found: object) -> NoReturn:
    message = f"{name}: {key}: expected {expected}, found a {type(found).__qualname__}."
    raise InputError(message, key=key, found=found, allowed=expected)


def _document(series: Series) -> dict[str, Any]:
    document = {
        each.name: getattr(series, each.name)
        for each in fields(series)
        if each.name not in (*TABLES, "text")
    }
    for name in TABLES:
        part = getattr(series, name)
        if part is not None:
            document[name] = _table(_named_book(part) if name == "costs" else part)
    how = document["rebalance"]
    triggers = [(kind, how.pop(kind)) for kind in TRIGGERS if kind in how]
    how["trigger"] = [{"when": kind, **_table(part)} for kind, part in triggers]
    document["venue"]["kind"] = series.venue.kind
    return document


def _table(part: Any) -> dict[str, Any]:  # noqa: ANN401 (a part of a series)
    """The keys of a part as a file writes them, without those that have their default."""
    table = {}
    for each in fields(part):
        value, key = getattr(part, each.name), each.name.removesuffix("_s")
        is_default = each.default is not MISSING and value == each.default
        if is_default or (key == "lower" and value is None and part.delever_only):
            continue
        if key not in IN_SECONDS:
            table[key] = list(value) if isinstance(value, tuple) else value
        elif key in TIMES_OF_DAY:
            table[key] = _time_of_day(value)
        else:
            table[key] = f"{value}s"
    return table


def _time_of_day(seconds: Any) -> Any:  # noqa: ANN401 (what a Python program gave)
    if type(seconds) is not int or not 0 <= seconds < DAY_S:
        return seconds
    return f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _named_book(costs: Any) -> Any:  # noqa: ANN401
    """The costs with only the file name of their book, since its folder is not part of a series."""
    return replace(costs, book=Path(costs.book).name) if costs.book else costs
