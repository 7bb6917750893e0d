"""Compare a keeper's journal with ``simulate`` on the same history, field by field.

The reference loop computes in Decimal, as the live fund does: the final state, each rebalance and
each published hour of health must be equal to the last digit. The fast run computes in floats: the
same rebalances must agree to one part in 10^9. Two fields of a rebalance are not compared: the
journal of a venue records ``fill`` in separate rows, and ``sent`` is the order before rounding to
the venue's steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.errors import InvariantError
from steelyard.ledger.amounts import amount_text
from steelyard.ledger.instants import time_text

if TYPE_CHECKING:
    from steelyard.keeper.settings import FundSettings, Settings
    from steelyard.ledger import Row
    from steelyard.market import Feed, Prices

__all__ = [
    "Difference",
    "LiveComparison",
    "compare_with_simulate",
    "float_rebalances",
    "refuse_differences",
]

CLOSE = 1e-9
"""Relative, between a float and the Decimal."""
LEFT_OUT = ("fill", "sent")
PUBLISHED_WITH = ("schema", "fund", "time", "journal")
"""The fields that a health file has in addition to its row."""
COSTS = ("fee", "spread", "impact", "gas", "paid_by_reserve")
MOST_NAMED = 5


@dataclass(frozen=True)
class Difference:
    """A field of the fund's state, or of its n-th rebalance, with a wrong value."""

    fund: str
    field: str
    found: str
    expected: str


@dataclass(frozen=True)
class LiveComparison:
    """The result of one comparison.

    Attributes:
        engine: ``reference`` or ``fast``.
        number: the kind of number that the engine computed in.
        rebalances: the number of the keeper's rebalances.
        hours: the number of published hours of health whose figures all agree.
        fields: the number of figures that were compared.
        differences: the fields that differ; empty if all agree.
    """

    engine: str
    number: str
    rebalances: int
    hours: int
    fields: int
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """The comparison as in ``--json``."""
        return {
            "engine": self.engine,
            "number": self.number,
            "ok": not self.differences,
            "rebalances": self.rebalances,
            "hours": self.hours,
            "fields": self.fields,
            "differences": [asdict(each) for each in self.differences],
        }


def compare_with_simulate(
    settings: Settings, rows: Sequence[Row], prices: Prices
) -> list[LiveComparison]:
    """Compare a keeper's journal with the reference loop on Decimal and the fast run on floats.

    Args:
        settings: the keeper's settings.
        rows: the rows of its journal.
        prices: the price history of its paper venue.
    """
    total = hours = exact_fields = close_fields = 0
    exact, close = list[Difference](), list[Difference]()
    for fund in settings.funds:
        symbol = fund.series.symbol
        settled = _settled(rows, symbol)
        total += len(settled)
        published, told_there = _published(settings, symbol), dict[str, Mapping[str, Any]]()
        found = {**_state_of(settings, fund), **_numbered(row.fields for row in settled)}
        found.update(_flat("health", published))
        expected = _reference(fund, prices, told_there)
        expected.update(_flat("health", told_there))
        hours += sum(told_there.get(hour) == fields for hour, fields in published.items())
        names = [*expected, *(name for name in found if name not in expected)]
        exact_fields += len(names)
        for name in names:
            one, other = found.get(name, "nothing"), expected.get(name, "nothing")
            if one != other:
                exact.append(Difference(symbol, name, one, other))
        figures = float_rebalances(fund, prices)
        told = [_figures(row) for row in settled]
        close_fields += sum(map(len, told))
        close.extend(_far(symbol, told, figures))
    return [
        LiveComparison("reference", "decimal18", total, hours, exact_fields, tuple(exact)),
        LiveComparison("fast", "float", total, 0, close_fields, tuple(close)),
    ]


def refuse_differences(comparisons: Sequence[LiveComparison]) -> None:
    """End with exit code 5 where a comparison found a difference.

    Raises:
        InvariantError: the fields, with what was found and what was expected.
    """
    differences = [each for one in comparisons for each in one.differences]
    if not differences:
        return
    named = "; ".join(
        f"{each.fund} {each.field} is {each.found}, expected {each.expected}"
        for each in differences[:MOST_NAMED]
    )
    left = len(differences) - MOST_NAMED
    more = f"; and {left} more" if left > 0 else ""
    message = f"expected a journal equal to the simulation, found {named}{more}."
    raise InvariantError(message, fields=[each.field for each in differences])


def _settled(rows: Iterable[Row], symbol: str) -> list[Row]:
    """The rebalances of a fund, including its launch."""
    return [row for row in rows if row.fund == symbol and row.kind == "settled"]


# -- to the last digit -----------------------------------------------------------------------------


def _state_of(settings: Settings, fund: FundSettings) -> dict[str, str]:
    """Every figure of the state that the keeper's journal leads to."""
    from steelyard.keeper.desk_opening import open_desk
    from steelyard.ledger import Journal
    from steelyard.rules.numbers import DECIMAL18

    with Journal.open(settings.journal) as journal, DECIMAL18.context():
        return dict(_flat("state", asdict(open_desk(journal, fund.series, fund.guards).state)))


def _published(settings: Settings, symbol: str) -> dict[str, Mapping[str, Any]]:
    """The health in each published file, by its instant."""
    found: dict[str, Mapping[str, Any]] = {}
    if settings.health is not None:
        for path in sorted(Path(settings.health.to).glob(f"{symbol}-*.json")):
            told = json.loads(path.read_text(encoding="utf-8"))
            fields = {name: told[name] for name in told if name not in PUBLISHED_WITH}
            found[told["time"]] = fields
    return found


def _reference(
    fund: FundSettings, prices: Prices, health: dict[str, Mapping[str, Any]]
) -> dict[str, str]:
    """The reference loop's state and rebalances; its hours of health are added to ``health``."""
    from steelyard.rules.numbers import DECIMAL18
    from steelyard.simulation.journalling import InMemory
    from steelyard.simulation.run import simulate

    place = InMemory()
    run = simulate(
        fund.series,
        _feed(fund, prices),
        intrabar=fund.venue.intrabar,
        number=DECIMAL18,
        engine="reference",
        journal=place,
    )
    events = place.memory.events
    settled = [event.fields for event in events if event.kind == "settled"]
    told = (event for event in events if event.kind == "health")
    health.update((time_text(event.time_ms), event.fields) for event in told)
    return {**dict(_flat("state", asdict(run.state))), **_numbered(settled)}


def _feed(fund: FundSettings, prices: Prices) -> Feed:
    """The prices between the fund's start and end."""
    from steelyard.market import Feed

    return Feed(prices, start=fund.venue.start, end=fund.venue.end)


def _numbered(settled: Iterable[Any]) -> dict[str, str]:
    """The figures of the rebalances by number, from 1, and name."""
    return {
        name: figure
        for number, fields in enumerate(settled, 1)
        for name, figure in _flat(
            f"rebalance {number}",
            {each: value for each, value in fields.items() if each not in LEFT_OUT},
        )
    }


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (whatever a row holds)
    """Each figure in a value by its path, as text with every digit."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{name}.{key}", item)
    elif isinstance(value, Decimal):
        yield name, amount_text(value)
    else:
        yield name, str(value)


# -- to a part in 10^9 -----------------------------------------------------------------------------


def _figures(row: Row) -> dict[str, Any]:
    """A rebalance with the columns of a simulation's table."""
    fields = row.fields
    tokens, price, notional = (Decimal(fields[each]) for each in ("tokens", "price", "notional"))
    return {
        "time": time_text(row.time_ms),
        "trigger": fields["trigger"],
        "side": "sell" if notional < 0 else "buy",
        "units": abs(notional) / price,
        "price": price,
        "notional": abs(notional),
        **{each: Decimal(fields[each]) for each in ("leverage_before", "leverage_after")},
        **{each: Decimal(fields[each]) / tokens for each in ("nav_before", "nav_after")},
        **{each: Decimal(fields["cost"][each]) for each in COSTS},
    }


def float_rebalances(fund: FundSettings, prices: Prices) -> list[dict[str, Any]]:
    """The rebalances of the fast run on floats, as one dict each."""
    from steelyard.simulation.run import simulate

    run = simulate(fund.series, _feed(fund, prices), intrabar=fund.venue.intrabar)
    columns = run.rebalance_columns
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    for row in rows:
        row["time"] = f"{row['time']}Z"
    return rows


def _far(
    symbol: str, told: Sequence[dict[str, Any]], figures: Sequence[dict[str, Any]]
) -> Iterator[Difference]:
    """Fields of rebalances that are not equal, or not close enough."""
    if len(told) != len(figures):
        yield Difference(symbol, "rebalances", str(len(told)), str(len(figures)))
    for number, (one, other) in enumerate(zip(told, figures, strict=False), 1):
        for name, found in one.items():
            expected = other[name]
            if isinstance(found, Decimal):
                near = abs(float(found) - float(expected)) <= CLOSE * abs(float(expected))
            else:
                near = found == str(expected)
            if not near:
                where = f"rebalance {number}.{name}"
                yield Difference(symbol, where, str(found), str(expected))
