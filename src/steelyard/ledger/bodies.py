"""Records of the fund as the fields of a body, and back: one exact conversion for all of them.

An amount is a decimal string (``steelyard.ledger.amounts``), a trigger is its name, a record within
a record is an object, a tuple is an array; integers, booleans, text and None stand for themselves.
The way back is read off the record's own annotations, so a field that is added to a record of the
fund needs no line here.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from steelyard.errors import DataError, InputError
from steelyard.ledger.amounts import amount_text, decimal_of, float_of
from steelyard.rules.numbers import DECIMAL, DECIMAL18, FLOAT, Number
from steelyard.rules.triggers import Trigger

__all__ = ["NUMBERS", "amount_reader", "built", "number_named", "plain"]

NUMBERS: dict[str, Number[Any]] = {number.name: number for number in (FLOAT, DECIMAL, DECIMAL18)}
"""The kinds of number that have a decimal string; a Fraction has none."""

TRIGGER_NAMES = {int(trigger): trigger.name.lower() for trigger in Trigger}
TRIGGERS = {name: number for number, name in TRIGGER_NAMES.items()}

Reader = Callable[[Any, Callable[[str], Any]], Any]


def number_named(name: str) -> Number[Any]:
    """The kind of number of a journal's books.

    Raises:
        InputError: it has no decimal strings, so that it is not journalled.
    """
    try:
        return NUMBERS[name]
    except (KeyError, TypeError):
        allowed = ", ".join(NUMBERS)
        message = f"number: expected one of {allowed}, found {name!r}; the others have no decimals."
        raise InputError(message, found=name, allowed=list(NUMBERS)) from None


def amount_reader(number: Number[Any]) -> Callable[[str], Any]:
    """What reads the amounts of books that are kept in ``number``."""
    return float_of if number is FLOAT else decimal_of


def plain(value: Any) -> Any:  # noqa: ANN401 (any record)
    """A record, or a part of one, as a body holds it.

    Raises:
        InputError: an amount has no decimal string.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is int:
        return value
    if isinstance(value, float | Decimal):
        return amount_text(value)
    names = _names(kind)  # type: ignore[arg-type]  # a class is hashable
    if names is not None:
        return {
            name: TRIGGER_NAMES[int(each)] if name == "trigger" else plain(each)
            for name, each in ((name, getattr(value, name)) for name in names)
        }
    if isinstance(value, tuple | list | deque):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {TRIGGER_NAMES[int(key)]: plain(each) for key, each in value.items()}
    if isinstance(value, int):
        return int(value)
    message = f"body: expected a record of the fund, found the {kind.__name__} {value!r:.60}."
    raise InputError(message, found=value)


@cache
def _names(kind: type) -> tuple[str, ...] | None:
    """The fields of a record."""
    if hasattr(kind, "_fields"):
        return tuple(kind._fields)
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else None


def built(kind: type, body: object, of: Callable[[str], Any], **given: Any) -> Any:  # noqa: ANN401
    """The record of type ``kind`` whose fields a body holds.

    Args:
        kind: a NamedTuple or dataclass of the fund.
        body: an object; other fields in it are left alone.
        of: reads an amount.
        given: fields that the body says elsewhere, such as its time.

    Raises:
        DataError: a field is missing, or is not of its type.
    """
    if not isinstance(body, Mapping):
        raise DataError(f"{kind.__name__}: expected an object, found {body!r:.60}.")
    readers = _readers(kind)
    found = {name: given[name] for name, _ in readers if name in given} if given else {}
    for name, reader in readers:
        if name in found:
            continue
        try:
            found[name] = reader(body[name], of)
        except KeyError:
            message = f"{kind.__name__}: expected a field {name}, found none."
            raise DataError(message, missing=name) from None
        except _Unfit as error:
            message = f"{kind.__name__}.{name}: expected {error}, found {body[name]!r:.60}."
            raise DataError(message, field=name) from None
    return kind(**found)


class _Unfit(Exception):
    """A value is not of its field's type; what was expected."""


@cache
def _readers(kind: type) -> tuple[tuple[str, Reader], ...]:
    hints = get_type_hints(kind)
    names = _names(kind) or ()
    return tuple(
        (name, _read_trigger if name == "trigger" else _reader(hints[name])) for name in names
    )


def _reader(hint: Any) -> Reader:  # noqa: ANN401 (a type of any form)
    origin, inside = get_origin(hint), get_args(hint)
    if isinstance(hint, TypeVar) or hint in (float, Decimal):
        return _read_amount
    if hint in LEAVES:
        return LEAVES[hint]
    if origin in (Union, types.UnionType):
        return _read_either([_reader(one) for one in inside if one is not types.NoneType], inside)
    if origin in (tuple, deque, list):
        return _read_array(origin, inside)
    if origin is dict:
        return _read_counts
    record = origin or hint
    if isinstance(record, type) and _names(record) is not None:
        return lambda value, of: built(record, value, of)
    raise TypeError(f"no reader for {hint!r}")  # pragma: no cover (a new type in the fund)


def _read_either(readers: list[Reader], inside: tuple[Any, ...]) -> Reader:
    may_be_none = types.NoneType in inside

    def read(value: Any, of: Callable[[str], Any]) -> Any:  # noqa: ANN401
        if value is None and may_be_none:
            return None
        for reader in readers[:-1]:
            try:
                return reader(value, of)
            except (_Unfit, DataError):
                continue
        return readers[-1](value, of)

    return read


def _read_array(origin: type, inside: tuple[Any, ...]) -> Reader:
    if origin is tuple and inside[-1] is not Ellipsis:
        readers = [_reader(one) for one in inside]

        def read_row(value: Any, of: Callable[[str], Any]) -> Any:  # noqa: ANN401
            if type(value) is not list or len(value) != len(readers):
                raise _Unfit(f"an array of {len(readers)}")
            return tuple(reader(one, of) for reader, one in zip(readers, value, strict=True))

        return read_row
    each = _reader(inside[0])

    def read_all(value: Any, of: Callable[[str], Any]) -> Any:  # noqa: ANN401
        if type(value) is not list:
            raise _Unfit("an array")
        return origin(each(one, of) for one in value)

    return read_all


def _read_amount(value: Any, of: Callable[[str], Any]) -> Any:  # noqa: ANN401
    return of(value)


def _read_exactly(kind: type, name: str) -> Reader:
    def read(value: Any, _: Callable[[str], Any]) -> Any:  # noqa: ANN401
        if type(value) is not kind:
            raise _Unfit(name)
        return value

    return read


def _read_trigger(value: Any, _: Callable[[str], Any]) -> int:  # noqa: ANN401
    if type(value) is not str or value not in TRIGGERS:
        raise _Unfit("the name of a trigger")
    return TRIGGERS[value]


def _read_counts(value: Any, of: Callable[[str], Any]) -> dict[int, int]:  # noqa: ANN401
    if type(value) is not dict or any(type(count) is not int for count in value.values()):
        raise _Unfit("counts by the name of their trigger")
    return {_read_trigger(name, of): count for name, count in value.items()}


LEAVES: dict[Any, Reader] = {
    int: _read_exactly(int, "a whole number"),
    bool: _read_exactly(bool, "true or false"),
    str: _read_exactly(str, "text"),
}
