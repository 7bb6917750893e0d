"""An event as it is passed to a journal, and the row that the journal stores for it.

The body of a row is the canonical JSON of the event's fields together with its sequence number,
time, fund and kind, so that a line of an export is complete on its own. The rows form a chain:

    hash = SHA-256(hash of the row before || body),  32 zero bytes before the first row

Sequence numbers start at 1 and have no gaps: the number of the last row is the number of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from steelyard.errors import DataError, InputError
from steelyard.ledger.canonical_json import canonical, parsed
from steelyard.ledger.kinds import RESERVED, check_fields, kind_of

__all__ = ["GENESIS", "Event", "Head", "Row", "check_fund", "link", "row_of", "sealed"]

GENESIS = bytes(32)
"""The value used as the hash before the first row."""

MAX_TIME_MS = 253_402_300_799_999  # the end of the year 9999
MAX_FUND_LETTERS = 200
PREFIXES = ("price", "reserve")


class Event(NamedTuple):
    """An event of a journal.

    Attributes:
        time_ms: its time in milliseconds since 1970, UTC.
        fund: the symbol of the fund that it concerns, or ``price:UNDERLYING`` or ``reserve:NAME``
            where it concerns several.
        kind: the name of a registered kind.
        fields: the kind's fields, as JSON values; an amount is a decimal string.
    """

    time_ms: int
    fund: str
    kind: str
    fields: Mapping[str, Any]


class Head(NamedTuple):
    """The end of a journal: its number of rows, and the hash of the last row."""

    size: int
    hash: bytes


class Row(NamedTuple):
    """An event as the journal stores it."""

    seq: int
    time_ms: int
    fund: str
    kind: str
    body: bytes
    hash: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The event's own fields.

        Raises:
            DataError: the body is not a canonical JSON object.
        """
        body = parsed(self.body, f"event {self.seq}")
        return {name: value for name, value in body.items() if name not in RESERVED}

    @property
    def event(self) -> Event:
        """The event that was passed to the journal."""
        return Event(self.time_ms, self.fund, self.kind, self.fields)


def link(previous: bytes, body: bytes) -> bytes:
    """The hash of a row: SHA-256 of the previous row's hash and its own body."""
    return sha256(previous + body).digest()


def sealed(event: Event, head: Head) -> Row:
    """The row of an event that is appended after ``head``.

    Raises:
        InputError: a journal does not accept the event's time, fund, kind or fields.
    """
    time_ms, fund, name, fields = event
    kind = kind_of(name)
    seq = head.size + 1
    _check_time(time_ms, name)
    check_fund(fund)
    if type(fields) is not dict:
        fields = dict(fields)
    names = fields.keys()
    if not (kind.required <= names <= kind.allowed):
        check_fields(kind, set(names))
    body = canonical({**fields, "seq": seq, "time": time_ms, "fund": fund, "kind": name}, name)
    return Row(seq, time_ms, fund, name, body, link(head.hash, body))


def check_fund(fund: str) -> None:
    """Refuse a text that cannot be the fund of an event.

    Raises:
        InputError: it is empty, too long, not printable, or has an unknown prefix.
    """
    if type(fund) is not str or not 0 < len(fund) <= MAX_FUND_LETTERS:
        expected = f"text of 1 to {MAX_FUND_LETTERS} letters"
    elif not fund.isprintable():
        expected = "text that can be printed"
    else:
        prefix, colon, rest = fund.partition(":")
        if not colon or (prefix in PREFIXES and rest):
            return
        expected = "a symbol, price:UNDERLYING or reserve:NAME"
    raise InputError(f"fund: expected {expected}, found {fund!r:.80}.", found=fund)


def row_of(body: bytes, digest: bytes) -> Row:
    """The row of an export's line, from its body, which is not checked to be canonical.

    Raises:
        DataError: the body is not that of an event.
    """
    try:
        inside = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DataError(f"body: expected a JSON object, found other text: {error}.") from error
    if isinstance(inside, dict):
        seq, time_ms, fund, kind = (inside.get(name) for name in RESERVED)
        if type(seq) is type(time_ms) is int and type(fund) is type(kind) is str:
            return Row(seq, time_ms, fund, kind, body, digest)
    message = "body: expected an object with seq and time as whole numbers, fund and kind as text."
    raise DataError(message)


def _check_time(time_ms: int, name: str) -> None:
    if type(time_ms) is not int or not 0 <= time_ms <= MAX_TIME_MS:
        message = (
            f"{name}: expected a time in whole milliseconds since 1970 (UTC), from 0 to "
            f"{MAX_TIME_MS}, found {time_ms!r}."
        )
        raise InputError(message, found=time_ms)
