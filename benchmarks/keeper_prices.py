"""Many funds on two underlyings: what price updates and a round of the clock cost the core.

Run by hand: ``python benchmarks/keeper_prices.py``. It hands the core price updates that cross
nothing, at a rate, and once a minute observes every fund in slices between them, with the real
rules on Decimals and the real journal codec; the events go nowhere. It prints the share of a core,
the 99th percentile from handing an update over to its decision, and the worst.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from decimal import Decimal
from random import Random

from steelyard.fund.events import Inputs, Observed
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import new_state
from steelyard.fund.terms import fund_terms
from steelyard.keeper import core, observing
from steelyard.keeper.desk import Desk, Guards
from steelyard.keeper.keeper_events import LeaseChanged, Priced
from steelyard.keeper.memory import Memory
from steelyard.keeper.sorted_thresholds import WatchedMarket
from steelyard.ledger.event_rows import Head, sealed
from steelyard.ledger.recorder import Recorder
from steelyard.ledger.series_rows import books_for
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.order_limit import urgency
from steelyard.rules.presets import preset
from steelyard.venues.protocol import Mark

MOST_OF_A_CORE, MOST_MS = 0.25, 3.0
T0 = 1_577_836_800
FIRST = {"BTC": Decimal(68_000), "ETH": Decimal(3_500)}


def a_desk(number: int, underlying: str) -> Desk:
    """A fund that is launched, filled, and waits for its band."""
    series = replace(preset("oracle-3l"), symbol=f"F{number}", underlying=underlying)
    state = new_state(series, DECIMAL18)
    books = books_for([(series, state)], DECIMAL18, intrabar=None, is_model=False)
    rows: list[object] = []
    terms = fund_terms(series, DECIMAL18)
    group = Group([Fund(terms, state)])
    desk = Desk(
        series.symbol,
        group,
        Recorder(books, rows.extend, every=True),
        Memory(is_open=True),
        Guards(stale_after_ms=10**15),
        urgency(terms.rule, terms.venue),
        WatchedMarket(underlying),
        rows=rows,
    )
    desk.clock.see(0, 0, 0)
    price = FIRST[underlying]
    desk.tell(Observed(T0, price, False, (), (Inputs(),)))  # noqa: FBT003
    filled = state.intent
    desk.tell(_fill(filled.units, price))
    desk.is_ready = True
    rows.clear()
    return desk


def _fill(units: Decimal, price: Decimal) -> object:
    from steelyard.fund.events import Charges, Filled

    nothing = Decimal(0)
    free = Charges(nothing, nothing, nothing, nothing)
    return Filled(T0, price, units, units * price, free)


def one_run(funds: int, rate: int, seconds: int, seed: int) -> tuple[float, float, float]:
    """Share of a core, 99th percentile and worst (ms) of one run."""
    chance = Random(seed)  # noqa: S311 (a benchmark)
    keeper = core.Keeper()
    for number in range(funds):
        core.add_desk(keeper, a_desk(number, ("BTC", "ETH")[number % 2]))
    core.step(keeper, LeaseChanged(0, 10**15))
    now_ms = T0 * 1000
    for underlying, price in FIRST.items():
        core.step(keeper, Priced(now_ms, underlying, Mark(price, now_ms)))
    for desk in keeper.desks.values():
        observing.arm(desk)
        desk.rows.clear()
    desks, head, waits = list(keeper.desks.values()), Head(0, bytes(32)), []
    each_ms = 60_000 / funds  # the round of all funds is spread over its minute
    spent, observed = 0.0, 0
    for update in range(rate * seconds):
        now_ms = T0 * 1000 + update * 1000 // rate
        underlying = ("BTC", "ETH")[update % 2]
        price = FIRST[underlying] * Decimal(1 + chance.uniform(-0.002, 0.002))
        event = Priced(now_ms, underlying, Mark(price.quantize(Decimal("0.01")), now_ms))
        begin = time.perf_counter()
        core.step(keeper, event)
        waits.append(time.perf_counter() - begin)
        spent += waits[-1]
        while observed * each_ms <= (update * 1000 / rate):
            desk = desks[observed % funds]
            begin = time.perf_counter()
            observing.observe(desk, now_ms)
            for row in desk.rows:
                made = sealed(row, head)
                head = Head(made.seq, made.hash)
            desk.rows.clear()
            desk.commands.clear()
            took = time.perf_counter() - begin
            spent += took
            # an update that comes meanwhile waits for it
            waits.append(took)
            observed += 1
    if head.size < observed:
        message = f"expected a row for each of {observed} observations, found {head.size}"
        raise AssertionError(message)
    waits.sort()
    return spent / seconds, waits[int(len(waits) * 0.99)] * 1000, waits[-1] * 1000


def main() -> int:
    """Five runs, and their medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--funds", type=int, default=1_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    with DECIMAL18.context():
        runs = [one_run(given.funds, given.rate, given.seconds, seed) for seed in range(5)]
    share, p99, worst = (statistics.median(figures) for figures in zip(*runs, strict=True))
    print(
        f"{given.funds} funds, {given.rate} updates a second, each fund observed once a minute: "
        f"{share:.3f} of a core; 99 % within {p99:.3f} ms, the worst {worst:.1f} ms"
    )
    is_held = share <= MOST_OF_A_CORE and p99 <= MOST_MS
    print(f"at most {MOST_OF_A_CORE} of a core, 99 % within {MOST_MS} ms: {is_held}")
    return 0 if is_held else 1


if __name__ == "__main__":
    raise SystemExit(main())
