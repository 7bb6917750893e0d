"""Canonical JSON: one text a value, the same by every library, and nothing else gets in."""

from __future__ import annotations

import enum
import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import DataError, InputError
from steelyard.ledger import canonical, parsed
from steelyard.ledger.canonical_json import MAX_BODY_BYTES, MAX_DEPTH

keys = st.text(st.characters(codec="ascii"), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
leaves = st.none() | st.booleans() | integers | texts
values = st.recursive(
    leaves, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(keys, inside, max_size=4)
)
bodies = st.dictionaries(keys, values, max_size=6)


class Colour(enum.StrEnum):
    """A text that is more than a text."""

    RED = "red"


@given(bodies)
def test_three_libraries_write_the_same_bytes(body: dict[str, Any]) -> None:
    """It is what ``rfc8785`` writes, and what the standard library's ``json`` can write."""
    text = canonical(body)
    assert text == rfc8785.dumps(body)
    ours = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text == ours.encode()


@given(bodies)
def test_what_is_written_is_read_back(body: dict[str, Any]) -> None:
    """The text gives the value back, and that gives the same text."""
    assert parsed(canonical(body)) == body


@given(
    st.recursive(st.floats(), lambda x: st.lists(x, min_size=1) | st.fixed_dictionaries({"a": x}))
)
def test_no_float_gets_in(value: object) -> None:
    """A float anywhere in a body is refused, by its place."""
    with pytest.raises(InputError, match=r"^mark\.x.*float.*decimal string"):
        canonical({"x": value}, "mark")


any_json = st.recursive(
    leaves
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([":.", ",e", "[1e"]),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(keys | st.text(max_size=3), inside, max_size=4)
    ),
)


@given(st.dictionaries(keys, any_json, max_size=6))
def test_what_is_read_is_what_may_be_written(body: dict[str, Any]) -> None:
    """Sorted JSON without white space is read if and only if it has no float and ASCII keys."""
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    try:
        written = canonical(body)
    except InputError:
        with pytest.raises(DataError, match="canonical JSON"):
            parsed(text)
    else:
        assert parsed(text) == body
        assert written == text


@pytest.mark.parametrize("inside", [MAX_DEPTH - 1, MAX_DEPTH])
def test_what_is_nested_deeper_is_not_read(inside: int) -> None:
    """As many levels as are written are read, and not one more."""
    text = b'{"a":' + b"[" * inside + b"]" * inside + b"}"
    if inside < MAX_DEPTH:
        assert parsed(text)
    else:
        with pytest.raises(DataError, match="canonical JSON"):
            parsed(text)
    assert parsed(b'{"a":[' + b",".join([b"[]"] * 99) + b"]}")


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ({"a": {"größe": 1}}, "body.a", "ASCII"),
        ({"a": {1: 1}}, "body.a", "ASCII"),
        ({"a": [1, {"b": 1.0}]}, "body.a[1].b", "decimal string"),
        ({"a": 2**53}, "body.a", "below 2**53"),
        ({"a": [-(2**53)]}, "body.a[0]", "below 2**53"),
        ({"a": 10**30}, "body.a", "below 2**53"),
        ({"a": Decimal(1)}, "body.a", "decimal string"),
        ({"a": float("nan")}, "body.a", "decimal string"),
        ({"a": "\ud800"}, "body.a", "surrogate"),
        ({"a": b"bytes"}, "body.a", "bytes"),
        ({"a": {1, 2}}, "body.a", "set"),
        ({"a": Colour.RED}, "body.a", "Colour"),
        ({"a": uuid.UUID(int=1)}, "body.a", "UUID"),
        ({"a": datetime(2020, 1, 1, tzinfo=UTC)}, "body.a", "datetime"),
        ("\ud800", "body", "surrogate"),
        (1.5, "body", "float"),
    ],
)
def test_what_has_no_canonical_text_is_refused(value: object, place: str, words: str) -> None:
    """The message names the place and what to do."""
    with pytest.raises(InputError) as caught:
        canonical(value)
    assert str(caught.value).startswith(f"{place}: expected")
    assert words in str(caught.value)


def test_a_surrogate_in_a_key_is_refused() -> None:
    """A key is ASCII, so half a surrogate pair is none."""
    with pytest.raises(InputError, match="ASCII"):
        canonical({"\ud800": 1})


def test_the_largest_integers_fit() -> None:
    """2**53 - 1 is in, on both sides of zero."""
    assert canonical([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_depth_and_length_have_limits() -> None:
    """As many levels as stated are in, one more is not; the same of bytes."""
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    canonical(deep)
    with pytest.raises(InputError, match="within each other"):
        canonical([deep])
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InputError, match="within each other"):
        canonical(endless)
    canonical("x" * (MAX_BODY_BYTES - 2))
    with pytest.raises(InputError, match="split it"):
        canonical("x" * (MAX_BODY_BYTES - 1))


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":9007199254740992}',
        b'{"\xc3\xa9":1}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":1}\n',
        b"[1]",
        b"{",
        b"",
        b"\xff",
    ],
)
def test_json_that_is_written_in_another_way_is_refused(text: bytes) -> None:
    """Two readers could read it differently, or two writers write it."""
    with pytest.raises(DataError, match="expected"):
        parsed(text)
