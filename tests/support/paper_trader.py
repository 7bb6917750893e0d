"""A process that trades on a paper account until it is killed.

``python -m support.paper_trader FILE`` says ``open``, and then each order's number once the venue
has answered. Order number n buys or sells as n says, so that whoever comes after knows what each id
stands for.
"""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal
from itertools import count

from steelyard.errors import Rejected
from steelyard.rules.series import Series
from steelyard.venues.paper.venue import PaperVenue, open_paper
from steelyard.venues.protocol import OrderRequest
from support.venue_stages import BTC3L

HOURS = 4_000
SERIES = f"""{BTC3L}
[venue]
kind = "perpetual"
maintenance_margin = 0.005
[costs]
taker_fee_bps = 5.0
"""
PRICES = {
    "time": range(0, HOURS * 3_600, 3_600),
    "close": [68_000.0 + hour % 7 for hour in range(HOURS)],
}


def opened(path: str) -> PaperVenue:
    """The account, wherever its last process left it."""
    return open_paper(path, Series.loads(SERIES), PRICES)


def units_of(number: int) -> Decimal:
    """What order ``number`` trades."""
    return Decimal(1 + number % 5) * (1 if number % 2 else -1)


async def trade(path: str) -> None:
    """Go on where the account stands: the price goes on, and the next number is ordered."""
    venue = opened(path)
    print("open", flush=True)  # noqa: T201 (what the test waits for)
    for number in count(1):
        if (await venue.look_up(f"n-{number}")).value is not None:
            # stored before its process was killed
            try:
                await venue.place(_request(number, venue.now_ms))
            except Rejected:
                continue
            raise AssertionError(number)
        await venue.next()
        await venue.place(_request(number, venue.now_ms))
        print(number, flush=True)  # noqa: T201 (the same)


def _request(number: int, now_ms: int) -> OrderRequest:
    return OrderRequest(f"n-{number}", units_of(number), None, False, now_ms, 2_000)


if __name__ == "__main__":
    asyncio.run(trade(sys.argv[1]))
