"""Records are read from bodies exactly, also where the one before was nearly the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from steelyard.errors import DataError
from steelyard.fund.effects import Accrued, Seen
from steelyard.fund.events import Inputs, Observed
from steelyard.ledger.amounts import decimal_of
from steelyard.ledger.bodies import built, plain, record_reader

OBSERVED = Observed(
    60,
    Decimal("7200.5"),
    is_out=False,
    injections=((Decimal(3), True),),
    inputs=(Inputs(rates=((Decimal("0.05"), 60),), ends=False),),
)


def body() -> dict[str, Any]:
    """The body of the observation, without its time."""
    fields: dict[str, Any] = plain(OBSERVED)
    del fields["time"]
    return fields


def test_a_record_comes_back_as_it_was() -> None:
    """Twice, because the second time what it holds is known again; its time is given."""
    for _ in range(2):
        read = built(Observed, body(), decimal_of, time=60)
        assert read == OBSERVED
        assert type(read.inputs[0]) is Inputs
    seen = Seen("X", 60, Decimal(7), None)
    row = {**plain(seen), "more": 1}
    assert record_reader(Seen, decimal_of)(row) == seen


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    """Another value stands there."""

    def change(fields: dict[str, Any]) -> None:
        place: Any = fields
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return change


UNFIT: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no price": (lambda fields: fields.pop("price"), "Observed: expected a field price"),
    "a price as a number": (put("price", value=7), "plain decimal"),
    "a price in a list": (put("price", value=["7"]), r"Observed\.price: expected amounts as text"),
    "0 for false": (put("is_out", value=0), r"Observed\.is_out: expected true or false, found 0"),
    "0 for false within": (put("inputs", 0, "ends", value=0), r"Inputs\.ends: expected true or"),
    "true for 1 within": (put("inputs", 0, "rates", 0, 1, value=True), "expected a whole number"),
    "a row too long": (put("injections", 0, value=["3", True, 1]), "expected an array of 2"),
    "no array": (put("injections", value={}), r"Observed\.injections: expected an array"),
    "no object": (put("inputs", 0, value=[]), "Inputs: expected an object"),
    "a field more": (put("note", value="x"), "Observed: .* found also note"),
    "a field more within": (
        put("inputs", 0, "note", value={"a": "x"}),
        "Inputs: .* found also note",
    ),
    "a field less within": (lambda fields: fields["inputs"][0].pop("flows"), "a field flows"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_not_of_its_type_is_named(name: str) -> None:
    """Also where all else was read before, and where Python holds the two for equal."""
    change, words = UNFIT[name]
    assert built(Observed, body(), decimal_of, time=60) == OBSERVED
    changed = copy.deepcopy(body())
    change(changed)
    with pytest.raises(DataError, match=words):
        built(Observed, changed, decimal_of, time=60)


def test_what_is_no_object_is_named() -> None:
    """A list in the place of a record."""
    with pytest.raises(DataError, match="Accrued: expected an object, found"):
        built(Accrued, ["0"], decimal_of, time=60)


class Odd(NamedTuple):
    """A record with a field that JSON has no form for."""

    names: set[str]


def test_a_record_that_no_body_can_hold_is_refused() -> None:
    """Whoever gives the fund a field of a new type hears of it before a row is read."""
    with pytest.raises(TypeError, match="found one without a reader"):
        built(Odd, {"names": []}, decimal_of)
