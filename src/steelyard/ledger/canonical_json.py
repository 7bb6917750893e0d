"""Canonical JSON: each value has exactly one text, so that its hash identifies it.

This is RFC 8785 (JSON Canonicalization Scheme) restricted to what all JSON libraries write in the
same way: objects with ASCII keys, arrays, strings, true, false, null, and integers below 2**53 in
size. Keys are sorted, there is no white space, and strings are UTF-8 with the shortest escapes.
Floats are refused, because their text differs between libraries. An amount is written as a decimal
string (``steelyard.ledger.amounts``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from steelyard.errors import DataError, InputError

__all__ = ["MAX_BODY_BYTES", "MAX_DEPTH", "canonical", "object_of", "parsed"]

MAX_BODY_BYTES = 8 * 2**20
"""The most bytes of a body; a series file or the state of a fund takes some kilobytes."""

MAX_DEPTH = 32
"""The most levels of nested objects and arrays."""

MAX_INTEGER = 2**53 - 1
SHOWN_LETTERS = 60

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
_LEAVES = frozenset({str, int, bool, type(None)})
_NESTS = frozenset({dict, list, tuple})
_ALL = _LEAVES | _NESTS
_SHAPE = bytes.maketrans(b",[e", b"::.")


def canonical(value: object, where: str = "body") -> bytes:
    """The canonical text of ``value``, in UTF-8.

    Args:
        value: dicts with string keys, lists or tuples, strings, booleans, None and integers.
        where: the name of the value in messages.

    Raises:
        InputError: a part of it has no canonical text; the message names its place.
    """
    if not _is_fit(value, MAX_DEPTH):
        raise next(_faults(value, where, MAX_DEPTH))
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError as error:
        raise next(_faults(value, where, MAX_DEPTH)) from error
    if len(text) > MAX_BODY_BYTES:
        message = (
            f"{where}: expected at most {MAX_BODY_BYTES:,} bytes of JSON, found {len(text):,}: "
            "split it over several events."
        )
        raise InputError(message, where=where, found=len(text), allowed=MAX_BODY_BYTES)
    return text


def parsed(text: bytes, where: str = "body") -> dict[str, Any]:
    """The object whose canonical text is ``text``.

    Raises:
        DataError: the text is not a JSON object, or is not canonical (another order of keys, a
            duplicate key, white space, a float), so that two readers could read it differently.
    """
    value = object_of(text, where)
    if _written(value) != text or not (_looks_fit(text) or _is_fit(value, MAX_DEPTH)):
        message = (
            f"{where}: expected canonical JSON (RFC 8785 without floats), found JSON in "
            "another form, for example with white space, unsorted keys, a duplicate key or a "
            "float."
        )
        raise DataError(message, where=where)
    return value


def object_of(text: bytes, where: str = "body") -> dict[str, Any]:
    """The JSON object in a text, which need not be canonical.

    Raises:
        DataError: the text is not a JSON object.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise DataError(f"{where}: expected a JSON object, found other text: {error}.") from error
    if type(value) is not dict:
        raise DataError(f"{where}: expected a JSON object, found {_shown(value)}.", where=where)
    return value


def _written(value: object) -> bytes | None:
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:  # an integer is too large
        return None


def _looks_fit(text: bytes) -> bool:
    """Whether the text that orjson wrote already shows that its value is allowed.

    The value is allowed if the text is ASCII, no number continues with a point or an exponent (with
    its digits removed, a float begins with these behind a colon, a comma or a bracket), and the
    number of opening brackets is within the limit of nesting. Checking the value itself takes
    several times as long.
    """
    if not text.isascii() or text.count(b"{") + text.count(b"[") > MAX_DEPTH:
        return False
    return b":." not in text.translate(_SHAPE, b"-0123456789")


def _is_fit(value: object, depth: int) -> bool:
    """Whether ``value`` has only permitted types and keys; orjson checks the rest."""
    if type(value) is dict:
        try:
            if not "".join(value).isascii():
                return False
        except TypeError:  # a key is not a string
            return False
        inside: Any = value.values()
    elif type(value) is list or type(value) is tuple:
        inside = value
    else:
        return type(value) in _LEAVES
    if _LEAVES.issuperset(map(type, inside)):
        return depth > 0
    if depth <= 0 or not _ALL.issuperset(map(type, inside)):
        return False
    return all(_is_fit(one, depth - 1) for one in inside if type(one) in _NESTS)


def _faults(value: object, where: str, depth: int) -> Iterator[InputError]:
    """The parts of ``value`` that have no canonical text, in their order."""
    if type(value) in _NESTS and depth <= 0:
        message = f"{where}: expected at most {MAX_DEPTH} objects and arrays within each other."
        yield InputError(message, where=where)
    elif isinstance(value, dict) and type(value) is dict:
        for key, one in value.items():
            if type(key) is not str or not key.isascii():
                message = (
                    f"{where}: expected keys of ASCII letters, found {_shown(key)}: give the field "
                    "an ASCII name and put the text into its value."
                )
                yield InputError(message, where=where, found=key)
            yield from _faults(one, f"{where}.{key}", depth - 1)
    elif isinstance(value, (list, tuple)) and type(value) in _NESTS:
        for place, one in enumerate(value):
            yield from _faults(one, f"{where}[{place}]", depth - 1)
    else:
        yield from _fault_of_leaf(value, where)


def _fault_of_leaf(value: object, where: str) -> Iterator[InputError]:
    if type(value) is int and abs(value) > MAX_INTEGER:
        expected = "an integer below 2**53 in size", "write it as a decimal string"
    elif type(value) is str and not _is_unicode(value):
        expected = "text", "it holds half of a surrogate pair, which no UTF-8 can hold: remove it"
    elif type(value) not in _LEAVES:
        expected = (
            "text, a whole number, true, false, null, an object or an array",
            "write an amount as a decimal string (amount_text)",
        )
    else:
        return
    message = f"{where}: expected {expected[0]}, found {_shown(value)}: {expected[1]}."
    yield InputError(message, where=where, found=value)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: object) -> str:
    text = ascii(value)
    short = text if len(text) <= SHOWN_LETTERS else text[:SHOWN_LETTERS] + "..."
    return f"the {type(value).__name__} {short}"
