"""The exact conversion of the fund's records to the fields of a body and back.

An amount becomes a decimal string (``steelyard.ledger.amounts``), a trigger its name, a record
within a record an object, and a tuple an array. Integers, booleans, text and None are kept as they
are. The conversion back uses the annotations of the records, so a new field of a record needs no
change here.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache, lru_cache, partial
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from steelyard.errors import DataError, InputError
from steelyard.fund.events import Inputs
from steelyard.ledger.amounts import amount_text, decimal_of, float_of
from steelyard.rules.numbers import DECIMAL, DECIMAL18, FLOAT, Number
from steelyard.rules.triggers import Trigger

__all__ = ["NUMBERS", "UNFIT", "amount_reader", "built", "number_named", "plain", "record_reader"]

NUMBERS: dict[str, Number[Any]] = {number.name: number for number in (FLOAT, DECIMAL, DECIMAL18)}
"""The kinds of number whose amounts have a decimal string; a Fraction has none."""

TRIGGER_NAMES = {int(trigger): trigger.name.lower() for trigger in Trigger}
TRIGGERS = {name: number for number, name in TRIGGER_NAMES.items()}

AMOUNTS = 4_096
"""The size of the cache for amounts, since prices, rates and balances repeat from row to row."""

RECALLED = 256
"""The size of the cache for inputs, since a rate applies for many rows."""

UNFIT = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""The errors that reading a body of the wrong form raises, besides the project's own errors."""

Of = Callable[[str], Any]
"""A function that reads an amount."""
Reader = Callable[[Any], Any]


def number_named(name: str) -> Number[Any]:
    """The kind of number of this name, in which a journal's books are kept.

    Raises:
        InputError: numbers of this kind have no decimal strings, so that no journal holds them.
    """
    try:
        return NUMBERS[name]
    except (KeyError, TypeError):
        allowed = ", ".join(NUMBERS)
        message = f"number: expected one of {allowed}, found {name!r}; others have no decimal text."
        raise InputError(message, found=name, allowed=list(NUMBERS)) from None


def amount_reader(number: Number[Any]) -> Callable[[str], Any]:
    """A function that reads the amounts of books kept in ``number``."""
    return float_of if number is FLOAT else decimal_of


def plain(value: Any) -> Any:  # noqa: ANN401 (any record)
    """A record, or a part of one, in the form in which a body holds it.

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


def built(kind: type, body: object, of: Of, **given: Any) -> Any:  # noqa: ANN401
    """The record of type ``kind`` in an object of a body.

    Args:
        kind: a NamedTuple or dataclass of the fund.
        body: an object with exactly the fields of the record.
        of: the function that reads an amount.
        given: the values of fields that the body holds elsewhere, such as its time.

    Raises:
        DataError: a field is missing, has the wrong type, or does not belong to the record.
    """
    return _object_reader(kind, of, *given)(body, *given.values())


@cache
def _object_reader(kind: type, of: Of, *given: str) -> Callable[..., Any]:
    return record_reader(kind, of, *given, beside=())


class _Unfit(Exception):
    """A value does not have the type of its field; the argument states what was expected."""


@cache
def record_reader(
    kind: type, of: Of, *given: str, beside: tuple[str, ...] | None = None
) -> Callable[..., Any]:
    """A function that reads records as ``built`` does, from a body and given field values.

    It is made once and cached, because reading a journal spends most of its time in such functions.

    Args:
        kind: a NamedTuple or dataclass of the fund.
        of: the function that reads an amount.
        given: the names of fields that the body holds elsewhere.
        beside: the names of further fields that the body may hold; None allows any, as in a row,
            whose fields are those of its kind. Objects within a row have no further fields.
    """
    hints, names = get_type_hints(kind), _names(kind) or ()
    fields = [
        (name, _read_trigger if name == "trigger" else _reader(hints[name], of))
        for name in names
        if name not in given
    ]
    # the places of the given fields in ascending order, each with its index in ``given``
    places = [(place, given.index(name)) for place, name in enumerate(names) if name in given]
    make = partial(tuple.__new__, kind) if issubclass(kind, tuple) else partial(_called, kind)
    allowed = (*(beside or ()), *(name for name, _ in fields))
    most = sys.maxsize if beside is None else len(allowed)

    def read(body: Any, *values_given: Any) -> Any:  # noqa: ANN401
        try:
            values = [reader(body[name]) for name, reader in fields]
        except (KeyError, TypeError, _Unfit) as error:
            raise next(_faults(kind, body, fields)) from error
        if len(body) > most:
            raise _too_much(kind, body, allowed)
        for place, which in places:
            values.insert(place, values_given[which])
        return make(values)

    return read


def _called(kind: type, values: list[Any]) -> Any:  # noqa: ANN401
    return kind(*values)


def _faults(kind: type, body: object, fields: list[tuple[str, Reader]]) -> Iterator[DataError]:
    """The fields of a body that cannot be read, each with the reason."""
    if not isinstance(body, Mapping):
        yield DataError(f"{kind.__name__}: expected an object, found {body!r:.60}.")
        return
    for name, reader in fields:
        if name not in body:
            message = f"{kind.__name__}: expected a field {name}, found none."
            yield DataError(message, missing=name)
            continue
        try:
            reader(body[name])
        except (_Unfit, TypeError) as error:
            expected = error if isinstance(error, _Unfit) else "amounts as text"
            message = f"{kind.__name__}.{name}: expected {expected}, found {body[name]!r:.60}."
            yield DataError(message, field=name)


def _too_much(kind: type, body: Mapping[str, Any], allowed: Collection[str]) -> DataError:
    unknown = ", ".join(sorted(set(body).difference(allowed)))
    message = f"{kind.__name__}: expected only the fields of its kind, found also {unknown:.80}."
    return DataError(message, unknown=unknown)


def _reader(hint: Any, of: Of) -> Reader:  # noqa: ANN401 (a type of any form)
    origin, inside = get_origin(hint), get_args(hint)
    if isinstance(hint, TypeVar) or hint in (float, Decimal):
        return _remembered(of)
    if hint in LEAVES:
        return LEAVES[hint]
    if origin in (Union, types.UnionType):
        readers = [_reader(one, of) for one in inside if one is not types.NoneType]
        return _read_either(readers, may_be_none=types.NoneType in inside)
    if origin in (tuple, deque, list):
        return _read_array(origin, inside, of)
    if origin is dict:
        return _read_counts
    record = origin or hint
    if isinstance(record, type) and _names(record) is not None:
        reader = record_reader(record, of, beside=())
        return _recalled(reader) if record is Inputs else reader
    raise TypeError(f"{hint!r}: expected a type that a body can hold, found one without a reader.")


@cache
def _remembered(of: Of) -> Reader:
    """A reader of amounts with a cache of the texts that it read last."""
    return lru_cache(maxsize=AMOUNTS)(of)


def _recalled(read: Reader) -> Reader:
    """A reader with a cache, for values that rarely change from row to row.

    The cache goes by the text of a value, because values that are equal in Python, such as
    ``false`` and 0, must not be confused.
    """
    of_text = lru_cache(maxsize=RECALLED)(lambda text: read(orjson.loads(text)))
    return lambda value: of_text(orjson.dumps(value))


def _read_either(readers: list[Reader], *, may_be_none: bool) -> Reader:
    *others, last = readers
    if may_be_none and not others:
        return lambda value: None if value is None else last(value)

    def read(value: Any) -> Any:  # noqa: ANN401
        if value is None and may_be_none:
            return None
        for reader in others:
            try:
                return reader(value)
            except (_Unfit, DataError):
                continue
        return last(value)

    return read


def _read_array(origin: type, inside: tuple[Any, ...], of: Of) -> Reader:
    if origin is tuple and inside[-1] is not Ellipsis:
        readers = [_reader(one, of) for one in inside]

        def read_row(value: Any) -> Any:  # noqa: ANN401
            if type(value) is not list or len(value) != len(readers):
                raise _Unfit(f"an array of {len(readers)}")
            return tuple([reader(one) for reader, one in zip(readers, value, strict=True)])

        return read_row
    each = _reader(inside[0], of)

    def read_all(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not list:
            raise _Unfit("an array")
        return origin([each(one) for one in value]) if value else origin()

    return read_all


def _read_exactly(kind: type, name: str) -> Reader:
    def read(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not kind:
            raise _Unfit(name)
        return value

    return read


def _read_trigger(value: Any) -> int:  # noqa: ANN401
    if type(value) is not str or value not in TRIGGERS:
        raise _Unfit("the name of a trigger")
    return TRIGGERS[value]


def _read_counts(value: Any) -> dict[int, int]:  # noqa: ANN401
    if type(value) is not dict or any(type(count) is not int for count in value.values()):
        raise _Unfit("counts by the name of their trigger")
    return {_read_trigger(name): count for name, count in value.items()}


LEAVES: dict[Any, Reader] = {
    int: _read_exactly(int, "a whole number"),
    bool: _read_exactly(bool, "true or false"),
    str: _read_exactly(str, "text"),
}
