"""A process that writes a journal until it is killed: ``journal_writer.py WHERE SEED [PAUSE_S]``.

It appends tries in groups of random size, the field n counting them, and prints the number of the
last event after each append has returned; then it rests for PAUSE_S seconds, if at all. Where it is
told by the journal that another writer took over, it prints ``fenced`` and ends.
"""

from __future__ import annotations

import os
import random
import sys
import time

from steelyard.ledger import Event, Fenced, Kind, open_writer, register_kind

T0_MS = 1_764_000_000_000
MOST_AT_ONCE = 20

TRIED = Kind(
    "tried",
    "A test tried something.",
    {"n": "the number of the try", "cash": "an amount"},
    {"note": "words"},
)


def main() -> None:
    """Write until the end."""
    where, seed = sys.argv[1], int(sys.argv[2])
    pause_s = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    chance = random.Random(seed)  # noqa: S311 (no secret)
    register_kind(TRIED)
    with open_writer(where, owner="test") as writer:
        os.write(1, b"open\n")
        while True:
            first = writer.head.size + 1
            count = chance.choice((1, 1, 1, 2, 5, MOST_AT_ONCE))
            note = "x" * chance.choice((0, 10, 3_000))
            fields = {"cash": "0.125", "note": note}
            numbers = range(first, first + count)
            group = [Event(T0_MS + n, "BTC3L", "tried", {"n": n, **fields}) for n in numbers]
            try:
                writer.append(group)
                if not first % 7:
                    writer.snapshot("BTC3L", {"n": writer.head.size})
            except Fenced:
                os.write(1, b"fenced\n")
                return
            os.write(1, b"%d\n" % writer.head.size)
            if pause_s:
                time.sleep(pause_s)


if __name__ == "__main__":
    main()
