"""The rules of a live journal, verified per event on Decimal, and the opening of such a journal.

A hundred live funds observe a random walk each minute, and a venue fills their orders: each
observation, each fill and what followed is an event, in a live fund's numbers (18 places). The
journal has 500 events a fund after its last snapshots.

- All three proofs are made of all events. The processor time of the measured number of events is
  extrapolated to a million: at most 100 s.
- It is opened from the snapshots; the 500 events a fund are folded and stepped again: at most 2 s
  of processor time.

    python benchmarks/journal_rules.py [--events 200000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from steelyard.fund.events import Charges, Filled, Inputs, Observed
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import new_state
from steelyard.fund.step import step
from steelyard.fund.terms import fund_terms
from steelyard.ledger import Event, Journal, open_writer
from steelyard.ledger.audit import Audit
from steelyard.ledger.current_books import open_books
from steelyard.ledger.recorder import Recorder
from steelyard.ledger.series_rows import books_for
from steelyard.ledger.snapshots import snapshot_of
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.presets import preset
from steelyard.rules.series import Series

MOST_RULES_S, MOST_OPEN_S = 100.0, 2.0
FUNDS, TAIL = 100, 500
MINUTE_S = 60
RATE = Decimal("0.05")
"""Interest per year, which a spot venue charges over each minute."""
T0 = 1_577_836_800
PRESET = "toros-3l"


class Live:
    """A live fund, its journal's recorder, and the walk that it observes."""

    def __init__(self, series: Series, write: Callable[[list[Event]], object], seed: int) -> None:
        number = DECIMAL18
        state = new_state(series, number)
        self.group = Group([Fund(fund_terms(series, number), state)])
        pairs = [(series, state)]
        self.books = books_for(pairs, number, intrabar=None, is_model=False)
        self._recorder = Recorder(self.books, self._count, every=True)
        self._write, self.events, self._minute = write, 0, 0
        self._chance, self._price = Random(seed), Decimal(9_000)  # noqa: S311 (a walk, no secret)

    def _count(self, events: Sequence[Event]) -> None:
        self.events += len(events)
        self._write(list(events))

    def live(self, events: int) -> None:
        """Live until there are so many events of this fund."""
        with DECIMAL18.context():
            while self.events < events:
                self._observe()
                self._recorder.flush()

    def stop(self) -> None:
        """Say that the fund's keeper stops here."""
        self._recorder.stop()

    def _observe(self) -> None:
        moved = Decimal(self._chance.choice((-9, -4, -1, 0, 1, 4, 9)))
        self._price = max(Decimal(1_000), self._price + moved)
        when = T0 + MINUTE_S * self._minute
        rates = ((RATE, MINUTE_S),) if self._minute else ()
        self._minute += 1
        inputs = (Inputs(rates=rates),)
        self._tell(Observed(when, self._price, is_out=False, injections=(), inputs=inputs))
        intent = self.group.funds[0].state.intent
        if intent is not None:
            notional = intent.units * self._price
            fee = DECIMAL18.amount(abs(notional) * Decimal("0.0005"))
            none = Decimal(0)
            charges = Charges(fee, none, none, none)
            self._tell(Filled(when, self._price, intent.units, notional, charges))

    def _tell(self, event: Observed[Decimal] | Filled[Decimal]) -> None:
        self._recorder.step(event, step(self.group, event))


def written(path: Path, count: int) -> int:
    """Write the journal; how many events it has."""
    series = preset(PRESET)
    series = replace(series, reserve=None)
    with open_writer(path) as writer:
        held: list[Event] = []

        def write(events: list[Event]) -> None:
            held.extend(events)
            if len(held) >= 10_000:
                writer.append(held)
                held.clear()

        # each of its own size, so that no amount of one is an amount of another
        funds = [
            Live(replace(series, symbol=f"F{n:03d}", initial_tokens=1_000.0 + n), write, n)
            for n in range(FUNDS)
        ]
        for fund in funds:
            fund.live(count // FUNDS - TAIL)
        for fund in funds:
            # a snapshot is bound to the row that holds the hash of its state
            fund.stop()
            writer.append(held)
            held.clear()
            writer.snapshot(fund.books.name, snapshot_of(fund.books))
        for fund in funds:
            fund.live(fund.events + TAIL)
        writer.append(held)
        return writer.head.size


def cpu_of(act: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of something, and what it gave."""
    begun = time.process_time()
    gave = act()
    return time.process_time() - begun, gave


def main() -> int:
    """Print the figures; 1 where a bar was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000, help="of the journal")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.journal"
        took, count = cpu_of(lambda: written(path, arguments.events))
        print(f"{FUNDS} live funds, {count:,} events on decimal18, written in {took:.1f} s of CPU")
        with Journal.open(path) as journal:
            opening, _ = cpu_of(lambda: open_books(journal))
            proving, verdict = cpu_of(lambda: journal.verify(checks=[Audit()]))
    rules = proving / count * 1e6
    print(f"  opened from snapshots, {TAIL} events a fund after: {opening:.2f} s of CPU")
    print(
        f"  chain, books and rules: {proving:.1f} s of CPU, {rules:.0f} us an event, "
        f"{rules:.0f} s for a million (extrapolated)"
    )
    held = [verdict.ok, opening <= MOST_OPEN_S, rules <= MOST_RULES_S]
    words = "held" if all(held) else "MISSED"
    print(f"  bars: {MOST_OPEN_S:.0f} s to open, {MOST_RULES_S:.0f} s for a million: {words}")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
