"""What happens to a token at given times: funding, rates, injections, flows, splits, outages.

Each is a table with a header, read from the same sources as prices. All rates are fractions, never
percent; a magnitude above 1 is refused, since in every feed that we know of it is a percentage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.faults import Fault, shown, source_error
from steelyard.market.layout import (
    FLOWS,
    FUNDING,
    INJECTIONS,
    OUTAGES,
    RATES,
    SPLITS,
    Events,
    event_layout,
)
from steelyard.market.reading import Reading, read_table
from steelyard.market.sources import open_table
from steelyard.market.table import Table
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from steelyard.market.reading import Block, Rules

__all__ = [
    "Flows",
    "Funding",
    "Injections",
    "Outages",
    "Rates",
    "Splits",
    "read_flows",
    "read_funding",
    "read_injections",
    "read_outages",
    "read_rates",
    "read_splits",
]

KINDS = ("capital", "trading_fees")
_LARGEST_RATE = 1.0
_LEAST_RATIO = 1e-9


@dataclass(frozen=True, eq=False)
class Funding:
    """Funding of a perpetual: at ``time`` a long pays ``rate`` of its notional to a short.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        rate: float64, fraction of notional, positive where longs pay.
    """

    time: NDArray[np.int64]
    rate: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Rates:
    """Interest rates: each holds from its ``time`` until the next one's.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        rate: float64, per year, as a fraction.
    """

    time: NDArray[np.int64]
    rate: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Injections:
    """Money that is put into a reserve.

    Attributes:
        time: int64, epoch seconds UTC, never descending.
        quote: float64, amount in quote, above 0.
        kind: ``capital`` or ``trading_fees``, one per row.
    """

    time: NDArray[np.int64]
    quote: NDArray[np.float64]
    kind: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Flows:
    """Creations and redemptions.

    Attributes:
        time: int64, epoch seconds UTC, never descending.
        tokens: float64, created (> 0) or redeemed (< 0).
    """

    time: NDArray[np.int64]
    tokens: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Splits:
    """Splits (ratio > 1) and merges (ratio < 1) of tokens.

    Attributes:
        time: int64, epoch seconds UTC, ascending.
        ratio: float64, tokens for one token.
    """

    time: NDArray[np.int64]
    ratio: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Outages:
    """Spans in which the keeper is dead: nothing is traded.

    Attributes:
        start: int64, epoch seconds UTC, ascending; the instant itself is inside.
        end: int64, epoch seconds UTC, after its start; the instant itself is outside.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def read_funding(source: object) -> Funding:
    """Read funding, columns ``time,rate``, from any source that `read_prices` takes.

    Exchanges' names (``fundingTime``, ``fundingRate``, ``last_funding_rate``) are known.

    Raises:
        DataError: the source is unreadable, has no rows, or a row of it is out of order, a
            duplicate, not finite or beyond 1; the message names the first such row.
    """
    if isinstance(source, Funding):
        return source
    reading = _read(source, FUNDING, _plausible)
    return Funding(reading.time, reading.numbers["rate"])


def read_rates(source: object) -> Rates:
    """Read rates per year, columns ``time,rate``, from any source that `read_prices` takes.

    Raises:
        DataError: as `read_funding` does.
    """
    if isinstance(source, Rates):
        return source
    reading = _read(source, RATES, _plausible)
    return Rates(reading.time, reading.numbers["rate"])


def read_injections(source: object) -> Injections:
    """Read injections, columns ``time,quote,kind``, from any source that `read_prices` takes.

    Several may fall on one instant, of different kinds.

    Raises:
        DataError: the source is unreadable, has no rows, or a row of it is out of order, repeats
            another's time and kind, is no finite amount above 0 or of an unknown kind; the
            message names the first such row.
    """
    if isinstance(source, Injections):
        return source
    with open_table(source) as table:
        layout = event_layout(table.name, table.header, INJECTIONS)
        reading = read_table(table, layout, _Additions(), strictly=False)
        _require_rows(table, reading)
    return Injections(reading.time, reading.numbers["quote"], tuple(reading.texts["kind"]))


def read_flows(source: object) -> Flows:
    """Read creations and redemptions, columns ``time,tokens``, from any source of `read_prices`.

    Several may fall on one instant.

    Raises:
        DataError: the source is unreadable, has no rows, or a row of it is out of order, not
            finite or zero; the message names the first such row.
    """
    if isinstance(source, Flows):
        return source
    wanted = "a finite number of tokens other than 0"
    rules = _only("tokens", wanted, lambda x: np.isfinite(x) & (x != 0))
    reading = _read(source, FLOWS, rules, strictly=False)
    return Flows(reading.time, reading.numbers["tokens"])


def read_splits(source: object) -> Splits:
    """Read splits and merges, columns ``time,ratio``, from any source that `read_prices` takes.

    Raises:
        DataError: the source is unreadable, has no rows, or a row of it is out of order, a
            duplicate, or no ratio from 1e-9 to 1e9; the message names the first such row.
    """
    if isinstance(source, Splits):
        return source
    wanted = "tokens for one token, from 1e-9 to 1e9"
    rules = _only("ratio", wanted, lambda x: (x >= _LEAST_RATIO) & (x <= 1 / _LEAST_RATIO))
    reading = _read(source, SPLITS, rules)
    return Splits(reading.time, reading.numbers["ratio"])


def read_outages(source: object) -> Outages:
    """Read outages of the keeper, columns ``from,to``, from any source that `read_prices` takes.

    Raises:
        DataError: the source is unreadable, has no rows, or a row of it is out of order, ends
            before it begins or overlaps another; the message names the first such row.
    """
    if isinstance(source, Outages):
        return source
    reading = _read(source, OUTAGES, _Spans())
    return Outages(reading.time, reading.numbers["until"].astype(np.int64))


def _read(source: object, events: Events, rules: Rules, *, strictly: bool = True) -> Reading:
    with open_table(source) as table:
        layout = event_layout(table.name, table.header, events)
        reading = read_table(table, layout, rules, strictly=strictly)
        _require_rows(table, reading)
    return reading


def _require_rows(table: Table, reading: Reading) -> None:
    if len(reading.time) == 0:
        raise source_error(table.name, "rows", "a header and no rows")


def _plausible(block: Block, columns: Mapping[str, str]) -> list[Fault | None]:
    """Hold rates to what a fraction can be."""
    rate = block.numbers["rate"]
    bad = ~(np.abs(rate) <= _LARGEST_RATE)
    if not bad.any():
        return []
    row = int(bad.argmax())
    expected = "a finite rate as a fraction, from -1 to 1 (divide percent by 100)"
    return [Fault(row, columns["rate"], repr(float(rate[row])), expected)]


def _only(
    part: str, expected: str, is_allowed: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
) -> Rules:
    """Hold one part to what is allowed."""

    def rules(block: Block, columns: Mapping[str, str]) -> list[Fault | None]:
        values = block.numbers[part]
        bad = ~is_allowed(values)
        if not bad.any():
            return []
        row = int(bad.argmax())
        return [Fault(row, columns[part], repr(float(values[row])), expected)]

    return rules


class _Spans:
    """Holds spans to ending after they begin, and to beginning after the one before ended."""

    def __init__(self) -> None:
        self._ended = -1.0

    def __call__(self, block: Block, columns: Mapping[str, str]) -> list[Fault | None]:
        """Return the first span that ends too early or begins too early."""
        # not strictly: behind a time that could not be read nothing needs a look
        for row, (start, end) in enumerate(zip(block.time, block.numbers["until"], strict=False)):
            if not end > start:
                found = "no time" if np.isnan(end) else format_time(int(end))
                expected = f"a time after {format_time(int(start))}, where the outage begins"
                return [Fault(row, columns["until"], found, expected)]
            if start < self._ended:
                expected = f"a time from {format_time(int(self._ended))} on, the last outage's end"
                return [Fault(row, columns["time"], format_time(int(start)), expected)]
            self._ended = float(end)
        return []


class _Additions:
    """Holds injections to amounts that add something, of a known kind, each kind once at a time.

    Times never descend, so only the kinds at the latest one need to be remembered.
    """

    def __init__(self) -> None:
        self._time = -1
        self._kinds: set[str] = set()

    def __call__(self, block: Block, columns: Mapping[str, str]) -> list[Fault | None]:
        """Return the first bad amount and the first bad kind of a block."""
        quote = block.numbers["quote"]
        bad = ~((quote > 0) & (quote < np.inf))
        faults = [self._bad_kind(block, columns["kind"])]
        if bad.any():
            row = int(bad.argmax())
            found = repr(float(quote[row]))
            faults.append(Fault(row, columns["quote"], found, "a finite amount above 0"))
        return faults

    def _bad_kind(self, block: Block, column: str) -> Fault | None:
        # Not strictly: behind a time or a kind that could not be read nothing needs a look.
        for row, (time, kind) in enumerate(
            zip(block.time.tolist(), block.texts["kind"], strict=False)
        ):
            if kind not in KINDS:
                return Fault(row, column, shown(kind), " or ".join(KINDS))
            if time != self._time:
                self._time = time
                self._kinds.clear()
            if kind in self._kinds:
                # That is how a repeated row looks.
                expected = "each kind once at an instant (add the amounts up)"
                return Fault(row, column, f"{kind} again: a duplicate row", expected)
            self._kinds.add(kind)
        return None
