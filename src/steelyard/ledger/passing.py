"""The check of the time between two rows: it adds up, and nothing that was due is missing.

The figures are checked against the accruals (``books_of_time``), and the prices and the clock
against the thresholds (``rules_between``). The books then continue with the figures of the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steelyard.fund.effects import Passed
from steelyard.ledger.books_of_time import wrong_accruals, wrong_reserve
from steelyard.ledger.event_rows import Row
from steelyard.ledger.findings import Findings
from steelyard.ledger.fold import Books, passed_effects
from steelyard.ledger.hours import HoursAudited, check_hour
from steelyard.ledger.instants import time_text
from steelyard.ledger.replayed_funds import Twins
from steelyard.ledger.rules_between import Between, due_between, due_now, reserve_due
from steelyard.ledger.same import is_close
from steelyard.ledger.snapshots import snapshot_of, state_hash
from steelyard.version import __version__

__all__ = ["check_known", "pass_time"]


def pass_time(
    found: Findings,
    twins: Twins,
    row: Row,
    body: Mapping[str, Any],
    books: Books,
    walk: HoursAudited,
) -> None:
    """Apply a row's statement about the time before it, and check whether something was due.

    The arithmetic context is that of the books.
    """
    seq, time = row.seq, row.time_ms // 1000
    low, high = _range(found, seq, body, books)
    check_hour(found, seq, books, walk, time, row.kind)
    passed = passed_effects(books, body)
    seen = Between(low, high, walk.price, body["out"] is True, books.funds[0].intrabar)
    if passed or low is not None:
        # each observation of a live fund is a row, so no observation lies between two rows
        _take_passed(found, twins, seq, books, passed, walk, time, seen)
    if row.kind in ("mark", "stopped"):
        price = books.of(body["price"])
        _check_price(found, seq, walk, price, low, high)
        _check_settled(found, seq, books, price)
        walk.price = price
    if row.kind == "stopped":
        _check_stop(found, seq, books, time)
        _check_state(found, seq, books, walk, body.get("state"))


def _take_passed(
    found: Findings,
    twins: Twins,
    seq: int,
    books: Books,
    passed: Sequence[Passed[Any]],
    walk: HoursAudited,
    time: int,
    seen: Between,
) -> None:
    """Apply the accruals; check whether they add up, and whether something was due meanwhile."""
    _check_passed(found, twins, seq, books, passed, (time, seen.low, seen.high))
    before = [(each.state.cash, each.state.units) for each in books.funds]
    clock = [each.state.time for each in books.funds]
    for effect in passed:
        books.take(effect)
        walk.watch.take([effect])
    came = [each.state.time != time for each, time in zip(books.funds, clock, strict=True)]
    if seen.low is not None or any(came):
        _check_due(found, twins, seq, books, before, seen, came)


def check_known(found: Findings, seq: int, told: Sequence[Books], body: Mapping[str, Any]) -> None:
    """Check that a row states accruals only of funds that it concerns."""
    if not body["passed"]:
        return
    known = {each.series.symbol for books in told for each in books.funds}
    strangers = [each["fund"] for each in body["passed"] if each["fund"] not in known]
    if strangers:
        found.books(seq, f"it states accruals of {strangers[0]}, which it does not concern")


def _range(found: Findings, seq: int, body: Mapping[str, Any], books: Books) -> tuple[Any, Any]:
    """The lowest and the highest price since the row before; None where the range is not valid."""
    of, low, high = books.of, body["low"], body["high"]
    if low is None and high is None:
        return None, None
    low, high = (None if one is None else of(one) for one in (low, high))
    if (low is None) != (high is None) or (low is not None and not 0 < low <= high):
        found.rules(seq, f"its range of prices is {low} to {high}, which is not a range")
        return None, None
    return low, high


def _check_price(
    found: Findings,
    seq: int,
    walk: HoursAudited,
    price: Any,  # noqa: ANN401
    low: Any,  # noqa: ANN401
    high: Any,  # noqa: ANN401
) -> None:
    """Check that the price of a mark is the last observed price."""
    if low is None:
        if walk.price is not None and not is_close(walk.price, price):
            found.rules(seq, f"its price is {price}, but none was observed since {walk.price}")
    elif not low <= price <= high:
        found.rules(seq, f"its price is {price}, expected one from {low} to {high}")


def _check_settled(found: Findings, seq: int, books: Books, price: Any) -> None:  # noqa: ANN401
    """Check that a reserve has settled as counterparty up to the last observed price."""
    for each in books.funds:
        settled = each.state.settled_price
        if each.state.ended is None and settled is not None and settled != price:
            symbol = each.series.symbol
            found.books(seq, f"{symbol}: settled up to a price of {settled}, expected {price}")


def _check_stop(found: Findings, seq: int, books: Books, time: int) -> None:
    """Check that a row at which a writer stops states the accruals up to its last observation."""
    for each in books.funds:
        state = each.state
        if each.intrabar is None:
            continue  # each observation is a row, and a fill may come after the last one
        if state.time is not None and state.ended is None and state.time != time:
            last = time_text(state.time * 1000)
            found.books(seq, f"it states no accruals of {each.series.symbol} since {last}")


def _check_state(
    found: Findings, seq: int, books: Books, walk: HoursAudited, said: str | None
) -> None:
    """Check that the state hash in a row ``stopped`` is that of the state after the rows."""
    if said is None:
        return
    if walk.program != __version__:
        # another version of the program may write the same state in another way
        found.count("books", not_checked=1)
        return
    expected = state_hash(snapshot_of(books))
    if said != expected:
        found.books(seq, f"the hash of its state is {said}, expected {expected}")


def _check_passed(
    found: Findings,
    twins: Twins,
    seq: int,
    books: Books,
    passed: Sequence[Passed[Any]],
    span: tuple[int, Any, Any],
) -> None:
    """Check the accruals in a row, over a span up to its time with its lowest and highest price."""
    if not passed:
        return
    terms = twins.terms(books)
    symbols = [each.fund for each in passed]
    if len(set(symbols)) != len(symbols):
        found.books(seq, "it states the accruals of one fund twice")
    for why in wrong_reserve(books, terms, passed):
        found.books(seq, why)
    for effect in passed:
        kept = books.fund(effect.fund)
        one = terms[books.funds.index(kept)]
        for why in wrong_accruals(kept, one, effect, *span):
            found.books(seq, why)
        unknown = effect.accrued is not None or effect.settled is not None or effect.blocked
        # the journal does not hold the times and rates at which each kind accrued
        found.count("books", checked=1, not_checked=1 if unknown else 0)


def _check_due(
    found: Findings,
    twins: Twins,
    seq: int,
    books: Books,
    before: Sequence[tuple[Any, Any]],
    seen: Between,
    came: Sequence[bool],
) -> None:
    """Check that nothing that was due is missing; ``came`` states which funds were observed."""
    group = twins.group(books)
    for fund, held, is_new in zip(group.funds, before, came, strict=True):
        for why in (
            *due_between(group, fund, held, seen),
            *(due_now(group, fund, seen) if is_new else ()),
        ):
            if why is None:
                found.count("rules", not_checked=1)
            else:
                found.rules(seq, why)
    for fund in [fund for fund, is_new in zip(group.funds, came, strict=True) if is_new][:1]:
        for why in reserve_due(group, fund.state.time, fund.state.price):
            found.rules(seq, why)
    found.count("rules", checked=1)
