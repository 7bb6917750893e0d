"""A request as the handlers see it: the account, the time, and strictly parsed parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from steelyard.rehearsal.exchange import Exchange
from steelyard.rehearsal.matching import market_of
from steelyard.rehearsal.records import Account, Income, Market, Order, Trade
from steelyard.rehearsal.refusals import Refused

__all__ = ["MOST_DIGITS", "WEEK_MS", "Call", "page", "within"]

MOST_DIGITS = 40
WEEK_MS = 7 * 86_400_000
"""The longest period of a list in one answer."""
Row = TypeVar("Row", Order, Trade, Income)


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    exchange: Exchange
    account: Account
    """The account that asks; one without a name if the call needs none."""
    params: Mapping[str, str]
    now_ms: int

    def text(self, name: str) -> str:
        """A parameter that is required."""
        if not self.params.get(name):
            raise Refused("missing", name=name)
        return self.params[name]

    def maybe(self, name: str) -> str | None:
        """A parameter that is optional."""
        return self.params.get(name) or None

    def whole(self, name: str) -> int | None:
        """A whole number that is optional."""
        found = self.maybe(name)
        if found is None:
            return None
        if not found.removeprefix("-").isdecimal() or len(found) > MOST_DIGITS:
            raise Refused("missing", name=name)
        return int(found)

    def needed_whole(self, name: str) -> int:
        """A whole number that is required."""
        self.text(name)
        return self.whole(name) or 0

    def limit(self, usual: int, most: int) -> int:
        """The number of rows requested."""
        found = self.whole("limit")
        if found is not None and found <= 0:
            raise Refused("bad_value", name="limit")
        return min(most, found or usual)

    def amount(self, name: str, usual: Decimal | None = None) -> Decimal:
        """A decimal number; it is required if there is no default."""
        if usual is not None and self.maybe(name) is None:
            return usual
        given = self.text(name)
        try:
            found = Decimal(given)
        except InvalidOperation:
            raise Refused("missing", name=name) from None
        if not found.is_finite() or len(given) > MOST_DIGITS:
            raise Refused("missing", name=name)
        return found

    def flag(self, name: str) -> bool:
        """``true`` or ``false`` in upper or lower case; the default is false."""
        found = (self.maybe(name) or "false").lower()
        if found not in {"true", "false"}:
            raise Refused("missing", name=name)
        return found == "true"

    def market(self) -> Market:
        """The market that the parameter ``symbol`` names."""
        return market_of(self.exchange.world, self.text("symbol"))

    def maybe_symbol(self) -> str | None:
        """The optional parameter ``symbol``, which must name a market if it is given."""
        if self.maybe("symbol") is None:
            return None
        return self.market().contract.symbol


def within(call: Call, rows: Iterable[Row], since: int | None, until: int | None) -> list[Row]:
    """The visible rows, between two times where those are given."""
    return [
        row
        for row in rows
        if row.seen_ms <= call.now_ms
        and (since is None or row.time_ms >= since)
        and (until is None or row.time_ms <= until)
    ]


def week(call: Call) -> tuple[int, int]:
    """The requested period, ms: at most a week, and by default the last one.

    Raises:
        Refused: it is longer than a week.
    """
    since, until = call.whole("startTime"), call.whole("endTime")
    if since is None:
        until = call.now_ms if until is None else until
        return until - WEEK_MS, until
    if until is None:
        return since, since + WEEK_MS
    if until - since > WEEK_MS:
        raise Refused("interval", days=7)
    return since, until


def page(
    call: Call,
    rows: Iterable[Row],
    *,
    most: int,
    usual: int,
    from_id: tuple[str, Callable[[Row], int]] | None = None,
) -> list[Row]:
    """The visible rows that are requested, oldest first.

    With a first id these are the first rows from it on, of any time; with ``startTime`` the first
    rows of the period; without both the last rows of the last week.

    Args:
        call: the request.
        rows: all rows, oldest first.
        most: the largest number that may be requested.
        usual: the number of rows without ``limit``.
        from_id: the name of the parameter with a first id, and a function that gives a row's id.
    """
    limit = call.limit(usual, most)
    if from_id is not None:
        name, id_of = from_id
        first = call.whole(name)
        if first is not None:
            return [row for row in within(call, rows, None, None) if id_of(row) >= first][:limit]
    found = within(call, rows, *week(call))
    return found[:limit] if call.maybe("startTime") else found[-limit:]
