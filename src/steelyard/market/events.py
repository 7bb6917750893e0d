"""Funding, interest rates and injections: values that come into force at an instant.

Each is a table with a header, read from the same sources as prices. All rates are fractions, never
percent; a magnitude above 1 is refused, since in every feed that we know of it is a percentage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.faults import Fault, source_error
from steelyard.market.layout import FUNDING, INJECTIONS, RATES, Events, event_layout
from steelyard.market.reading import Reading, read_table
from steelyard.market.sources import Table, open_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from steelyard.market.reading import Columns, Rules

__all__ = ["Funding", "Injections", "Rates", "read_funding", "read_injections", "read_rates"]

KINDS = ("capital", "trading_fees")
_LARGEST_RATE = 1.0


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
        reading = read_table(table, layout, _amounts, strictly=False)
        _require_rows(table, reading)
        kinds = reading.texts["kind"]
        _check_kinds(table, reading.time, kinds, layout.columns["kind"])
    return Injections(reading.time, reading.numbers["quote"], tuple(kinds))


def _read(source: object, events: Events, rules: Rules) -> Reading:
    with open_table(source) as table:
        layout = event_layout(table.name, table.header, events)
        reading = read_table(table, layout, rules)
        _require_rows(table, reading)
    return reading


def _require_rows(table: Table, reading: Reading) -> None:
    if len(reading.time) == 0:
        raise source_error(table.name, "rows", "a header and no rows")


def _plausible(parts: Columns, columns: Mapping[str, str]) -> list[Fault | None]:
    """Hold rates to what a fraction can be."""
    rate = parts["rate"]
    bad = ~(np.abs(rate) <= _LARGEST_RATE)
    if not bad.any():
        return []
    row = int(bad.argmax())
    expected = "a finite rate as a fraction, from -1 to 1 (divide percent by 100)"
    return [Fault(row, columns["rate"], repr(float(rate[row])), expected)]


def _amounts(parts: Columns, columns: Mapping[str, str]) -> list[Fault | None]:
    """Hold injections to amounts that add something."""
    quote = parts["quote"]
    bad = ~((quote > 0) & (quote < np.inf))
    if not bad.any():
        return []
    row = int(bad.argmax())
    return [Fault(row, columns["quote"], repr(float(quote[row])), "a finite amount above 0")]


def _check_kinds(table: Table, time: NDArray[np.int64], kinds: list[str], column: str) -> None:
    """Refuse unknown kinds, and a kind twice at one instant: that is how a repeated row looks."""
    seen: set[tuple[int, str]] = set()
    for row, (when, kind) in enumerate(zip(time.tolist(), kinds, strict=True)):
        if kind not in KINDS:
            raise table.error(Fault(row, column, repr(kind[:40]), " or ".join(KINDS)))
        if (when, kind) in seen:
            expected = "each kind once at an instant (add the amounts up)"
            raise table.error(Fault(row, column, f"{kind} again: a duplicate row", expected))
        seen.add((when, kind))
