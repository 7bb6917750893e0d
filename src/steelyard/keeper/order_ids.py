"""The ids of a fund's orders: ``sy-BTC3L-17-1`` is the first attempt of the 17th order.

None is used twice. A journal that was put back from an older copy has forgotten its last ones: a
trade that the venue shows under such an id says how far they had come.
"""

from __future__ import annotations

import re

__all__ = ["client_id", "own_order", "sequence_of"]

LONGEST = 36
UNFIT = re.compile(r"[^.A-Z:/a-z0-9_-]")
NUMBERED = re.compile(r"sy-.*-([1-9][0-9]{0,8})-([1-9][0-9]{0,8})", re.ASCII)


def client_id(symbol: str, sequence: int, attempt: int) -> str:
    """The id of an attempt of an order."""
    end = f"-{sequence}-{attempt}"
    name = UNFIT.sub("_", symbol)[: LONGEST - len("sy-") - len(end)]
    return f"sy-{name}{end}"


def own_order(symbol: str, found: str) -> str | None:
    """The id where it is one of this fund's; None: it is not."""
    numbers = NUMBERED.fullmatch(found)
    is_own = numbers is not None and found == client_id(symbol, int(numbers[1]), int(numbers[2]))
    return found if is_own else None


def sequence_of(own: str) -> int:
    """Which order of the fund an id of its own is."""
    return int(own.rsplit("-", 2)[1])
