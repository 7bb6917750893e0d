"""What passed between two rows of some books: it adds up, and nothing that was due is missing.

The figures are held against the accruals (``books_of_time``), the prices and the clock against the
thresholds (``rules_between``). Then the books go on from what the row says.
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
    """Take in what a row says of the time before it, and ask whether something was due.

    This is done in the arithmetic of the books.
    """
    seq, time = row.seq, row.time_ms // 1000
    low, high = _range(found, seq, body, books)
    check_hour(found, seq, books, walk, time, row.kind)
    passed = passed_effects(books, body)
    seen = Between(low, high, walk.price, body["out"] is True, books.funds[0].intrabar)
    if passed or low is not None:
        # of a live fund each observation is a row: nothing passed between two
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
    """Take in what passed; ask whether it adds up, and whether something was due meanwhile."""
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
    """A row tells of funds that it concerns, and of no other."""
    if not body["passed"]:
        return
    known = {each.series.symbol for books in told for each in books.funds}
    strangers = [each["fund"] for each in body["passed"] if each["fund"] not in known]
    if strangers:
        found.books(seq, f"it says what passed for {strangers[0]}, which is not of it")


def _range(found: Findings, seq: int, body: Mapping[str, Any], books: Books) -> tuple[Any, Any]:
    """The lowest and the highest price since the row before; None for a range that is none."""
    of, low, high = books.of, body["low"], body["high"]
    if low is None and high is None:
        return None, None
    low, high = (None if one is None else of(one) for one in (low, high))
    if (low is None) != (high is None) or (low is not None and not 0 < low <= high):
        found.rules(seq, f"its range is {low} to {high}, which is none")
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
    """A mark's price is the last that was seen."""
    if low is None:
        if walk.price is not None and not is_close(walk.price, price):
            found.rules(seq, f"its price is {price}, and none was observed since {walk.price}")
    elif not low <= price <= high:
        found.rules(seq, f"its price is {price}, expected one from {low} to {high}")


def _check_settled(found: Findings, seq: int, books: Books, price: Any) -> None:  # noqa: ANN401
    """A reserve as the counterparty has settled up to the last price that was seen."""
    for each in books.funds:
        settled = each.state.settled_price
        if each.state.ended is None and settled is not None and settled != price:
            symbol = each.series.symbol
            found.books(seq, f"{symbol}: settled up to a price of {settled}, expected {price}")


def _check_stop(found: Findings, seq: int, books: Books, time: int) -> None:
    """A writer stops at its last observation, and says what passed up to there."""
    for each in books.funds:
        state = each.state
        if each.intrabar is None:
            continue  # each observation is a row, and a fill may come after the last
        if state.time is not None and state.ended is None and state.time != time:
            last = time_text(state.time * 1000)
            found.books(seq, f"it says nothing of {each.series.symbol} since {last}")


def _check_state(
    found: Findings, seq: int, books: Books, walk: HoursAudited, said: str | None
) -> None:
    """The hash that a stop says of its state is that of the state which the rows left."""
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
    """What a row says accrued, over a span up to its time with its lowest and highest price."""
    if not passed:
        return
    terms = twins.terms(books)
    symbols = [each.fund for each in passed]
    if len(set(symbols)) != len(symbols):
        found.books(seq, "it says twice what passed for one fund")
    for why in wrong_reserve(books, terms, passed):
        found.books(seq, why)
    for effect in passed:
        kept = books.fund(effect.fund)
        one = terms[books.funds.index(kept)]
        for why in wrong_accruals(kept, one, effect, *span):
            found.books(seq, why)
        unknown = effect.accrued is not None or effect.settled is not None or effect.blocked
        # in which minute each kind accrued, and at what rate, is not in the journal
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
    """Nothing was due that is not there; ``came`` says which funds' clocks went on."""
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
