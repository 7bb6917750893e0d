"""The ids of a fund's orders: ``sy-BTC3L-17-1`` is the first attempt of the 17th order.

No id is used twice. A journal restored from an older copy does not hold the latest orders, but a
trade that the venue shows under such an id tells which sequence numbers have been used.
"""

from __future__ import annotations

import re

__all__ = ["client_id", "own_order", "sequence_of"]

LONGEST = 36
UNFIT = re.compile(r"[^.A-Z:/a-z0-9_-]")
NUMBERED = re.compile(r"sy-.*-([1-9][0-9]{0,8})-([1-9][0-9]{0,8})", re.ASCII)


def client_id(symbol: str, sequence: int, attempt: int) -> str:
    """The id of one attempt of an order, at most 36 characters."""
    end = f"-{sequence}-{attempt}"
    name = UNFIT.sub("_", symbol)[: LONGEST - len("sy-") - len(end)]
    return f"sy-{name}{end}"


def own_order(symbol: str, found: str) -> str | None:
    """The id itself if it belongs to this fund; otherwise None."""
    numbers = NUMBERED.fullmatch(found)
    is_own = numbers is not None and found == client_id(symbol, int(numbers[1]), int(numbers[2]))
    return found if is_own else None


def sequence_of(own: str) -> int:
    """The sequence number in an id of the fund."""
    return int(own.rsplit("-", 2)[1])
