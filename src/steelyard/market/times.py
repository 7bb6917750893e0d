"""Times: ISO 8601 text and epoch seconds, always in UTC and in whole seconds.

Every instant in Steelyard is a number of seconds since 1970-01-01T00:00:00Z. Fractions are cut off
(floored and never rounded, because a row must not move past the instant at which it was observed),
text without an offset is UTC, and only times from 1970 to 2199 are valid.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from steelyard.errors import InputError

__all__ = [
    "DAY_S",
    "END_S",
    "Instant",
    "format_duration",
    "format_time",
    "parse_instant",
    "parse_time",
]

DAY_S = 86_400
# 2200-01-01T00:00:00Z. Below it, numbers of seconds, milliseconds, microseconds and nanoseconds do
# not overlap for any instant after March 1970, so a file's unit can be recognised from its numbers.
END_S = 7_258_118_400

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# At least nine digits, which begin in 1973: 2020 and 20200312 are meant as a year and a day.
_DIGITS = re.compile(r"\d{9,15}", re.ASCII)
# fromisoformat would also read 20200101 and 2020-W01-1 as dates; here a date must be written with
# dashes.
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)?)"
    r"(?: ?(Z|UTC|[+-]\d\d(?::?\d\d)?))?",
    re.ASCII,
)


class Instant(NamedTuple):
    """An instant together with the offset that its text stated.

    Attributes:
        epoch_s: whole seconds since 1970, UTC.
        offset_min: the UTC offset that the text stated, minutes east; None if it stated none.
    """

    epoch_s: int
    offset_min: int | None


def parse_instant(text: str) -> Instant | None:
    """Read one ISO 8601 date, or date and time; None if ``text`` is not one."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    clock, zone = match.groups()
    if zone and len(clock) == len("2020-01-01"):
        return None  # a day has no offset: -01 behind it would be read as a time zone
    try:
        moment = datetime.fromisoformat(clock + ("Z" if zone == "UTC" else zone or ""))
    except ValueError:
        return None
    offset = moment.utcoffset()
    if offset is None:
        return Instant((moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1), None)
    return Instant((moment - _EPOCH) // timedelta(seconds=1), offset // timedelta(minutes=1))


def parse_time(when: str | float | date) -> int:
    """Return the epoch seconds of an instant in any of the accepted forms.

    Args:
        when: ISO 8601 text, epoch seconds (a number, or text of nine digits or more), a date
            (meaning its midnight) or a datetime. Values without an offset are UTC.

    Raises:
        InputError: the value is not an instant, or is not from 1970 to 2199.
    """
    epoch_s = _epoch_s(when)
    if epoch_s is None or not 0 <= epoch_s < END_S:
        raise InputError(
            f"expected a time such as 2020-03-12 or 2020-03-12T08:00:00Z, between 1970 and 2199; "
            f"found {str(when)[:40]!r}",
            found=when,
        )
    return epoch_s


def _epoch_s(when: object) -> int | None:
    """Epoch seconds of a value of any accepted type; None for anything else."""
    if isinstance(when, datetime):
        aware = when if when.tzinfo else when.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(seconds=1)
    if isinstance(when, date):
        return (when - _EPOCH.date()).days * DAY_S
    if isinstance(when, str):
        if _DIGITS.fullmatch(when.strip()):
            return int(when)
        instant = parse_instant(when)
        return None if instant is None else instant.epoch_s
    try:
        return int(when // 1)  # type: ignore[operator]  # values without // raise TypeError
    except (TypeError, ValueError, OverflowError):
        return None


def format_time(epoch_s: int) -> str:
    """Write epoch seconds as ISO 8601 UTC: ``2020-03-12T08:00:00Z``."""
    return (_EPOCH + timedelta(seconds=int(epoch_s))).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_duration(seconds: int) -> str:
    """Write a number of seconds in days, hours, minutes and seconds: ``1 d 10 h``."""
    parts = []
    rest = int(seconds)
    for unit, size in (("d", DAY_S), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
