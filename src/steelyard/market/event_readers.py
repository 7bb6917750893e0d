"""Readers of dated events: funding, rates, injections, flows, splits and outages.

Each is a table with a header, read from the same sources as prices. All rates are fractions, never
percent. A rate above 1 in size is refused, because in every feed that we know such a number is a
percentage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.cell_faults import CellFault, shown, source_error
from steelyard.market.event_tables import (
    YEAR_S,
    Flows,
    Funding,
    Injections,
    Outages,
    Rates,
    Splits,
)
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
from steelyard.market.several_files import read_source
from steelyard.market.times import DAY_S, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from steelyard.market.layout import Layout
    from steelyard.market.reading import Block, Reading, Rules
    from steelyard.market.several_files import Source
    from steelyard.market.table import SourceTable

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
# The limit of the median payment of a file, scaled to a year. The highest rates of BTC and ETH came
# to 2.1 over three days and to 1.5 over two weeks (early 2021); files in percent come to 5 and
# more.
_HIGHEST_PER_YEAR = 3.0
_LEAST_RATIO = 1e-9


def read_funding(source: object, *, high: bool = False, may_turn: bool = True) -> Funding:
    """Read funding rates, columns ``time,rate``, from any source that `read_prices` accepts.

    The names that exchanges use (``fundingTime``, ``fundingRate``, ``last_funding_rate``) are
    accepted. Rates whose median comes to more than 300 % a year, over a day or longer, are refused,
    because they are percent and not fractions.

    Args:
        source: any source that `read_prices` accepts; Funding is returned unchanged.
        high: accept rates above 300 % a year.
        may_turn: whether rows may be ordered newest first; they are then reversed.

    Raises:
        DataError: the source is unreadable or has no rows; a row is out of order, a duplicate, not
            finite or beyond 1 in size (the message names the first such row); or the rates are
            higher than any venue has charged for long.
    """
    if isinstance(source, Funding):
        return source
    found = _source(source, FUNDING, lambda: _plausible, may_turn=may_turn)
    funding = Funding(found.reading.time, found.reading.numbers["rate"], found.name)
    usual = float(np.median(np.abs(funding.rate)))
    per_year = usual * YEAR_S / funding.interval_s
    lasts_s = len(funding) * funding.interval_s
    if per_year > _HIGHEST_PER_YEAR and lasts_s >= DAY_S and not high:
        most, amounts = _percent(_HIGHEST_PER_YEAR), _percent(per_year)
        raise source_error(
            found.name,
            f"rates as fractions (0.0001 is 0.01 %), of at most {most} a year",
            f"{usual:g} as the median, {amounts} a year: divide percent by 100; if it is meant, "
            f"give --high-funding, in Python read_funding(..., high=True)",
            per_year=per_year,
        )
    return funding


def _percent(share: float) -> str:
    return f"{share * 100:z,.0f} %"


def read_rates(source: object) -> Rates:
    """Read interest rates per year, columns ``time,rate``, from any source of `read_prices`.

    Raises:
        DataError: as in `read_funding`.
    """
    if isinstance(source, Rates):
        return source
    reading = _read(source, RATES, lambda: _plausible, may_turn=True)
    return Rates(reading.time, reading.numbers["rate"])


def read_injections(source: object) -> Injections:
    """Read injections, columns ``time,quote,kind``, from any source that `read_prices` accepts.

    Several injections of different kinds may have the same time.

    Raises:
        DataError: the source is unreadable or has no rows; or a row is out of order, repeats
            another row's time and kind, is not a finite amount above 0, or is of an unknown kind
            (the message names the first such row).
    """
    if isinstance(source, Injections):
        return source
    reading = _read(source, INJECTIONS, _Additions, strictly=False)
    return Injections(reading.time, reading.numbers["quote"], tuple(reading.texts["kind"]))


def read_flows(source: object) -> Flows:
    """Read creations and redemptions, columns ``time,tokens``, from any source of `read_prices`.

    Several flows may have the same time.

    Raises:
        DataError: the source is unreadable or has no rows; or a row is out of order, not finite or
            zero (the message names the first such row).
    """
    if isinstance(source, Flows):
        return source
    wanted = "a finite number of tokens other than 0"
    rules = _only("tokens", wanted, lambda x: np.isfinite(x) & (x != 0))
    reading = _read(source, FLOWS, lambda: rules, strictly=False, may_turn=True)
    return Flows(reading.time, reading.numbers["tokens"])


def read_splits(source: object) -> Splits:
    """Read splits and merges, columns ``time,ratio``, from any source that `read_prices` accepts.

    Raises:
        DataError: the source is unreadable or has no rows; or a row is out of order, a duplicate,
            or not a ratio from 1e-9 to 1e9 (the message names the first such row).
    """
    if isinstance(source, Splits):
        return source
    wanted = "tokens for one token, from 1e-9 to 1e9"
    rules = _only("ratio", wanted, lambda x: (x >= _LEAST_RATIO) & (x <= 1 / _LEAST_RATIO))
    reading = _read(source, SPLITS, lambda: rules, may_turn=True)
    return Splits(reading.time, reading.numbers["ratio"])


def read_outages(source: object) -> Outages:
    """Read outages of the keeper, columns ``from,to``, from any source that `read_prices` accepts.

    Raises:
        DataError: the source is unreadable or has no rows; or a row is out of order, ends before it
            begins or overlaps another (the message names the first such row).
    """
    if isinstance(source, Outages):
        return source
    reading = _read(source, OUTAGES, _Spans)
    return Outages(reading.time, reading.numbers["until"].astype(np.int64))


def _read(
    source: object,
    events: Events,
    rules: Callable[[], Rules],
    *,
    strictly: bool = True,
    may_turn: bool = False,
) -> Reading:
    return _source(source, events, rules, strictly=strictly, may_turn=may_turn).reading


def _source(
    source: object,
    events: Events,
    rules: Callable[[], Rules],
    *,
    strictly: bool = True,
    may_turn: bool = False,
) -> Source:
    def layout_of(table: SourceTable) -> Layout:
        return event_layout(table.name, table.header, events)

    found = read_source(source, layout_of, rules, strictly=strictly, may_turn=may_turn)
    if len(found.reading.time) == 0:
        raise source_error(found.name, "rows", "a header and no rows")
    return found


def _plausible(block: Block, columns: Mapping[str, str]) -> list[CellFault | None]:
    """Check that rates are finite and at most 1 in size, as fractions are."""
    rate = block.numbers["rate"]
    bad = ~(np.abs(rate) <= _LARGEST_RATE)
    if not bad.any():
        return []
    row = int(bad.argmax())
    expected = "a finite rate as a fraction, from -1 to 1 (divide percent by 100)"
    return [CellFault(row, columns["rate"], repr(float(rate[row])), expected)]


def _only(
    part: str, expected: str, is_allowed: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
) -> Rules:
    """Make the rule that all values of one part must satisfy a condition."""

    def rules(block: Block, columns: Mapping[str, str]) -> list[CellFault | None]:
        values = block.numbers[part]
        bad = ~is_allowed(values)
        if not bad.any():
            return []
        row = int(bad.argmax())
        return [CellFault(row, columns[part], repr(float(values[row])), expected)]

    return rules


class _Spans:
    """The rule of spans: each ends after it begins, and begins at or after the end of the last."""

    def __init__(self) -> None:
        self._ended = -1.0

    def __call__(self, block: Block, columns: Mapping[str, str]) -> list[CellFault | None]:
        """Return the first span that ends too early or begins too early."""
        # not strict: rows behind a time that could not be read need no check
        for row, (start, end) in enumerate(zip(block.time, block.numbers["until"], strict=False)):
            if not end > start:
                found = "no time" if np.isnan(end) else format_time(int(end))
                expected = f"a time after {format_time(int(start))}, where the outage begins"
                return [CellFault(row, columns["until"], found, expected)]
            if start < self._ended:
                expected = f"a time from {format_time(int(self._ended))} on, the last outage's end"
                return [CellFault(row, columns["time"], format_time(int(start)), expected)]
            self._ended = float(end)
        return []


class _Additions:
    """The rule of injections: amounts are above 0, kinds are known, and each kind once at a time.

    Times never descend, so only the kinds at the latest time need to be remembered.
    """

    def __init__(self) -> None:
        self._time = -1
        self._kinds: set[str] = set()

    def __call__(self, block: Block, columns: Mapping[str, str]) -> list[CellFault | None]:
        """Return the first bad amount and the first bad kind of a block."""
        quote = block.numbers["quote"]
        bad = ~((quote > 0) & (quote < np.inf))
        faults = [self._bad_kind(block, columns["kind"])]
        if bad.any():
            row = int(bad.argmax())
            found = repr(float(quote[row]))
            faults.append(CellFault(row, columns["quote"], found, "a finite amount above 0"))
        return faults

    def _bad_kind(self, block: Block, column: str) -> CellFault | None:
        # Not strict: rows behind a time or kind that could not be read need no check.
        for row, (time, kind) in enumerate(
            zip(block.time.tolist(), block.texts["kind"], strict=False)
        ):
            if kind not in KINDS:
                return CellFault(row, column, shown(kind), " or ".join(KINDS))
            if time != self._time:
                self._time = time
                self._kinds.clear()
            if kind in self._kinds:
                # A repeated row looks like this.
                expected = "each kind once at an instant (add the amounts up)"
                return CellFault(row, column, f"{kind} again: a duplicate row", expected)
            self._kinds.add(kind)
        return None
