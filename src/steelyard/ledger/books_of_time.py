"""The check of accruals between two rows: whether a row's figures follow from the state before it.

Each function yields the reasons why they do not. Figures that depend on prices that are not stored,
such as the price at which a fee was charged, are only checked against bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from steelyard.fund.effects import Passed
from steelyard.fund.terms import FundTerms
from steelyard.ledger.fold import Books, Kept
from steelyard.ledger.same import shown
from steelyard.rules.accruals import YEAR_S
from steelyard.rules.futures import mark_factor
from steelyard.rules.leverage import nav_of

__all__ = ["wrong_accruals", "wrong_reserve"]

ROOM = 0.01
"""The relative tolerance of the bounds of a fee, since other accruals within the hour change nav
slightly."""
FUNDED_ROOM = 0.25
"""The same tolerance where funding was paid: payments of both signs may have changed nav in
between, and a row holds only their sum."""
NEAR = 1e-11
"""The relative tolerance of sums: of floats, and of decimals that are rounded at 28 digits."""


def wrong_accruals(
    kept: Kept,
    terms: FundTerms[Any],
    passed: Passed[Any],
    time: int,
    low: Any,  # noqa: ANN401
    high: Any,  # noqa: ANN401
) -> Iterator[str]:
    """The reasons why a row's statement about the time before it cannot be true.

    Args:
        kept: the fund before this time.
        terms: the terms of the fund.
        passed: the statement of the row.
        time: the time of the row, epoch s.
        low: the lowest price observed since the row before; None where none was observed.
        high: the highest price observed since then.
    """
    state, name = kept.state, passed.fund
    if state.time is None or state.ended is not None:
        yield f"{name}: expected no accruals before its launch or after its end"
        return
    if not state.time <= passed.time <= time:
        yield f"{name}: the last observation is at {passed.time}, expected {state.time} to {time}"
    if passed.time == state.time:
        if passed.price != state.price:
            yield f"{name}: the price is {passed.price}, expected {state.price} at that time"
    elif low is None:
        yield f"{name}: price {passed.price} was observed, expected a row with its range"
    elif not low <= passed.price <= high:
        yield f"{name}: the price is {passed.price}, expected one from {low} to {high}"
    if passed.blocked < 0:
        yield f"{name}: it was blocked {passed.blocked} times, expected 0 or more"
    if passed.blocked > 0 and kept.told is None:
        yield f"{name}: it was blocked {passed.blocked} times again, without a first refusal"
    accrued, settled = passed.accrued, passed.settled
    yield from _wrong_cash(kept, terms, passed, low, high)
    yield from _wrong_window(kept, terms, passed)
    if accrued is not None:
        yield from _wrong_kinds(terms, passed)
        yield from _wrong_sums(kept, passed)
        yield from _wrong_units(kept, terms, passed)
        yield from _wrong_management(kept, terms, passed, low, high)
    if settled is not None:
        yield from _wrong_settlement(kept, passed)


def _wrong_cash(
    kept: Kept,
    terms: FundTerms[Any],
    passed: Passed[Any],
    low: Any,  # noqa: ANN401
    high: Any,  # noqa: ANN401
) -> Iterator[str]:
    """Check that cash is the cash before, less the accruals of each kind."""
    state, accrued, settled = kept.state, passed.accrued, passed.settled
    cash = state.cash
    if accrued is not None:
        cash = cash - accrued.funding - accrued.interest - accrued.management
    if settled is not None:
        cash = cash - settled.shortfall
    if accrued is not None and accrued.units != state.units and terms.venue.spot:
        yield from _wrong_cash_beside_units(kept, passed, cash, low, high)
        return
    is_exact = terms.number.round_amount is not None
    adds_up = cash == passed.cash if is_exact else _is_near(cash, passed.cash, abs(state.cash))
    if not adds_up:
        why = f"it was {state.cash} before, and {_said(passed)}"
        yield f"{passed.fund}: the cash is {passed.cash}, expected {cash}: {why}"


def _wrong_cash_beside_units(
    kept: Kept,
    passed: Passed[Any],
    cash: Any,  # noqa: ANN401
    low: Any,  # noqa: ANN401
    high: Any,  # noqa: ANN401
) -> Iterator[str]:
    """Check cash where units are borrowed.

    Their interest is valued at prices within the range, and is not paid in cash.
    """
    if passed.accrued is None or low is None:
        return
    grown = kept.state.units - passed.accrued.units
    least, most = sorted((cash + grown * low, cash + grown * high))
    # the interest of each observation is rounded separately
    room = (abs(cash) + 1) * (NEAR if isinstance(cash, float) else type(cash)("1e-12"))
    if not least - room <= passed.cash <= most + room:
        yield (
            f"{passed.fund}: the cash is {passed.cash}, expected {shown(least)} to {shown(most)}: "
            f"it was {kept.state.cash} before, and {_said(passed)}"
        )


def _wrong_window(kept: Kept, terms: FundTerms[Any], passed: Passed[Any]) -> Iterator[str]:
    """Check that the volatility trigger's returns are contiguous from the last observation."""
    since = kept.state.time
    if not terms.has_volatility:
        if passed.window:
            yield f"{passed.fund}: it states returns, but its series has no volatility trigger"
        return
    ends = [start for start, _, _ in passed.window[1:]] + [passed.time]
    for (start, square, first), end in zip(passed.window, ends, strict=False):
        if start != since or square < 0 or first != end - terms.window_s or end < start:
            yield (
                f"{passed.fund}: it states a return from {start} to {end}, expected one from "
                f"{since}"
            )
            return
        since = end
    if since != passed.time:
        yield f"{passed.fund}: it states no return from {since} to {passed.time}"


def _said(passed: Passed[Any]) -> str:
    accrued = passed.accrued
    if accrued is None:
        return "nothing accrued"
    return (
        f"funding {accrued.funding}, interest {accrued.interest} and management "
        f"{accrued.management} accrued"
    )


def _wrong_kinds(terms: FundTerms[Any], passed: Passed[Any]) -> Iterator[str]:
    """Check that no kind accrued that the series does not have."""
    accrued = passed.accrued
    if accrued is None:
        return
    venue = terms.series.venue.kind
    for kind, found, may_be in (
        ("funding", accrued.funding, venue == "perpetual"),
        ("interest", accrued.interest, terms.has_interest),
        ("management", accrued.management, terms.management > 0),
    ):
        if found != 0 and not may_be:
            yield f"{passed.fund}: {kind} is {found}, expected 0, as its series has none"


def _wrong_sums(kept: Kept, passed: Passed[Any]) -> Iterator[str]:
    accrued, sums = passed.accrued, kept.state.totals
    if accrued is None:
        return
    for kind in ("funding", "interest", "management"):
        before, amount = getattr(sums, kind), getattr(accrued, kind)
        after = getattr(accrued, f"{kind}_total")
        if not _is_near(before + amount, after, abs(before) + abs(amount)):
            yield f"{passed.fund}: the total of {kind} is {after}, expected {before + amount}"


def _wrong_units(kept: Kept, terms: FundTerms[Any], passed: Passed[Any]) -> Iterator[str]:
    """Check that units change only where they are borrowed, and the mark only for a future."""
    accrued, state = passed.accrued, kept.state
    if accrued is None:
        return
    units, mark = state.units, state.mark
    if terms.is_future:
        mark = mark_factor(terms.basis, state.expiry, passed.time)
        units = units / state.mark * mark
        near = _is_near(units, accrued.units, abs(units)) and _is_near(mark, accrued.mark, mark)
        if not near:
            yield f"{passed.fund}: units are {accrued.units}, expected {units} at mark {mark}"
        return
    if accrued.mark != mark:
        yield f"{passed.fund}: the mark is {accrued.mark}, expected {mark}"
    if terms.venue.spot and units < 0 and terms.venue.units_borrow_rate != 0:
        years = terms.number.of(passed.time - (state.time or 0)) / YEAR_S
        most = abs(units * terms.venue.units_borrow_rate) * years * terms.number.of(1 + ROOM)
        if abs(accrued.units - units) <= most:
            return
    if accrued.units != units:
        yield f"{passed.fund}: units are {accrued.units}, expected {units}"


def _wrong_management(
    kept: Kept,
    terms: FundTerms[Any],
    passed: Passed[Any],
    low: Any,  # noqa: ANN401
    high: Any,  # noqa: ANN401
) -> Iterator[str]:
    """Check that the fee fits a nav between those at the lowest and the highest price."""
    accrued, state, of = passed.accrued, kept.state, terms.number.of
    if accrued is None or low is None or not terms.management > 0:
        return
    share = terms.management * (passed.time - (state.time or 0)) / YEAR_S
    navs = [
        nav_of(cash, units, price)
        for cash, units in ((state.cash, state.units), (passed.cash, accrued.units))
        for price in (low, high)
    ]
    room = of(ROOM if accrued.funding == 0 else FUNDED_ROOM)
    least = max(min(navs), of(0)) * share * (1 - room)
    most = max(*navs, of(0)) * share * (1 + room)
    # the fee of each observation is rounded separately
    grain = of("1e-12")
    if not least - grain <= accrued.management <= most + grain:
        yield (
            f"{passed.fund}: management is {accrued.management}, expected {shown(least)} to "
            f"{shown(most)} for this time at these prices"
        )


def _wrong_settlement(kept: Kept, passed: Passed[Any]) -> Iterator[str]:
    """Check that the counterparty paid units times the change of price, on any price path."""
    settled, state = passed.settled, kept.state
    if settled is None or state.settled_price is None:
        return
    gain = state.units * (settled.price - state.settled_price)
    found = settled.paid + settled.shortfall
    scale = abs(state.units) * (abs(settled.price) + abs(state.settled_price))
    if not _is_near(gain, found, scale):
        yield f"{passed.fund}: its counterparty paid {found}, expected {gain}"


def wrong_reserve(
    books: Books, terms: Sequence[FundTerms[Any]], passed: Sequence[Passed[Any]]
) -> Iterator[str]:
    """The reasons why a row's statement about a reserve's fees and settlements cannot be true."""
    reserve, by_symbol = books.funds[0].state.reserve, {each.symbol: each for each in terms}
    fees, total = reserve.pending_fees, reserve.settled
    for each in passed:
        if each.accrued is not None:
            share = by_symbol[each.fund].fee_share if each.fund in by_symbol else 0
            fees = fees + each.accrued.management * share
        if each.settled is not None:
            total = total - each.settled.paid
    for each in passed:
        if each.accrued is not None and not _is_near(fees, each.accrued.pending_fees, abs(fees)):
            yield (
                f"{each.fund}: the pending fees are {each.accrued.pending_fees}, expected {fees} "
                f"with the reserve's share of management {each.accrued.management}"
            )
        if each.settled is not None and not _is_near(
            total, each.settled.total, abs(total) + abs(each.settled.paid)
        ):
            yield f"{each.fund}: the total settled is {each.settled.total}, expected {total}"


def _is_near(one: Any, other: Any, scale: Any) -> bool:  # noqa: ANN401
    if one == other:
        return True
    near = NEAR if isinstance(one, float) else type(one)("1e-16")
    return bool(abs(one - other) <= near * (scale + 1))
