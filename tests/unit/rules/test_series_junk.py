"""Whatever stands in a series file, it is read or refused: nothing else ever comes out.

Every key meets every wrong type; Hypothesis writes garbage; and there are files that are no text.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.rules.numbers import FRACTION
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Execution,
    Fallback,
    Fees,
    Interval,
    Move,
    Rebalance,
    Reserve,
    Series,
    Venue,
    Volatility,
)
from support.series_texts import LEAST, refused

if TYPE_CHECKING:
    from pathlib import Path

WRONG: dict[str, tuple[str, ...]] = {
    "number": ("nan", "inf", "-inf", "true", '"3"', "[3]", "{ a = 3 }", "1e999", "2020-01-01"),
    "text": ("3", "true", '""', '" "', '["a"]', '"a\\nb"'),
    "file": ("3", "true", '["a"]', '"a\\nb"'),
    "word": ('"Target"', "1", "true", '["target"]'),
    "flag": ("1", '"true"', "[true]"),
    "duration": ("60", '"1.5h"', '"-1h"', '"h"', "true", '"1 fortnight"', "nan"),
    "time": ('"25:00"', '"noon"', "120", "1979-05-27T07:32:00Z"),
    "list": ('"gas"', "3", '[["gas"]]', "{ gas = true }"),
}
KEYS: dict[str, dict[str, str]] = {
    "": {
        "symbol": "text",
        "underlying": "text",
        "quote": "text",
        "target_leverage": "number",
        "initial_nav": "number",
        "initial_tokens": "number",
    },
    "rebalance": {
        "move_to": "word",
        "recentering_speed": "number",
        "edge_slack": "number",
        "inside_band": "word",
        "max_trade_notional": "number",
        "cooldown": "duration",
        "emergency_leverage": "number",
    },
    "band": {"lower": "number", "upper": "number", "delever_only": "flag"},
    "move": {"threshold": "number", "losing_side_only": "flag"},
    "volatility": {"window": "duration", "annualised": "number"},
    "interval": {"every": "duration", "anchor": "time"},
    "daily": {"at": "time"},
    "fallback": {"after": "duration"},
    "venue": {
        "kind": "word",
        "maintenance_margin": "number",
        "liquidation_fee": "number",
        "cash_rate_per_year": "number",
    },
    "spot": {
        "liquidation_threshold": "number",
        "liquidation_fee": "number",
        "rate_per_year": "number",
        "borrow_spread_per_year": "number",
        "supply_spread_per_year": "number",
        "units_borrow_rate_per_year": "number",
    },
    "future": {
        "maintenance_margin": "number",
        "liquidation_fee": "number",
        "expiry": "word",
        "roll_days": "number",
        "basis_per_year": "number",
        "cash_rate_per_year": "number",
    },
    "pool": {"max_utilisation": "number", "fee_bps": "number"},
    "costs": {
        "taker_fee_bps": "number",
        "half_spread_bps": "number",
        "impact": "word",
        "impact_coefficient": "number",
        "daily_volume": "number",
        "amm_liquidity": "number",
        "amm_fee_bps": "number",
        "book": "file",
        "auction_start_bps": "number",
        "auction_top_bps": "number",
        "auction_duration": "duration",
        "taker_delay": "duration",
        "gas_per_rebalance": "number",
    },
    "execution": {"lot_units": "number", "min_notional": "number", "delay": "duration"},
    "fees": {
        "management_per_year": "number",
        "creation_bps": "number",
        "redemption_bps": "number",
    },
    "reserve": {
        "initial_units": "number",
        "bears": "list",
        "floor_ratio": "number",
        "resume_ratio": "number",
        "fee_share": "number",
        "allocation_every": "duration",
    },
}
TRIGGERS = ("band", "move", "volatility", "interval", "daily", "fallback")
EACH_KEY = [(place, key) for place, keys in KEYS.items() for key in keys]


def with_key(place: str, key: str, value: str) -> str:
    """A file in which one key has a value, written in TOML."""
    line = f"{key} = {value}\n"
    if place == "":
        return "".join(f"{x}\n" for x in LEAST.splitlines() if not x.startswith(key)) + line
    if place in TRIGGERS:
        return LEAST + f'[[rebalance.trigger]]\nwhen = "{place}"\n{line}'
    if place in ("spot", "future", "pool"):
        return LEAST + f'[venue]\nkind = "{place}"\n{line}'
    return LEAST + f"[{place}]\n{line}"


def test_the_list_of_keys_is_complete() -> None:
    """Each field of a series is a key of the list, so none escapes the tests that go through it."""
    made: dict[str, Any] = {
        "rebalance": Rebalance,
        "band": Band,
        "move": Move,
        "volatility": Volatility,
        "interval": Interval,
        "daily": Daily,
        "fallback": Fallback,
        "costs": Costs,
        "execution": Execution,
        "fees": Fees,
        "reserve": Reserve,
    }
    for place, kind in made.items():
        names = {field.name.removesuffix("_s") for field in fields(kind)} - set(TRIGGERS)
        assert names == set(KEYS[place])
    venue = {field.name for field in fields(Venue)}
    assert venue == {key for kind in ("venue", "spot", "future", "pool") for key in KEYS[kind]}


@pytest.mark.parametrize(("place", "key"), EACH_KEY)
def test_no_key_takes_a_wrong_type(place: str, key: str) -> None:
    """No flag for a number, no text for a number, no NaN, no infinity, no list for a word."""
    for value in WRONG[KEYS[place][key]]:
        error = refused(with_key(place, key, value))
        assert str(error.details["key"]).endswith(key)


JUNK = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.sampled_from(["target", "edge", "8h", "00:02", "spot", "linear", "file", "realised"])
)


def as_toml(value: Any) -> str:
    """A value written in TOML (None: a key that is missing its value, so a syntax error)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return (
            '"' + "".join(f"\\U{ord(c):08x}" for c in value if not 0xD800 <= ord(c) < 0xE000) + '"'
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    return "" if value is None else str(value).replace("infinity", "inf")


def error_of(text: str) -> InputError | None:
    """What a text is refused with, down to the scalars of the rules; None where it is read."""
    try:
        Series.loads(text).terms(FRACTION)
    except InputError as error:
        return error
    return None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(EACH_KEY),
            st.recursive(JUNK, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
        ),
        min_size=1,
        max_size=3,
        unique_by=lambda entry: entry[0][0],
    )
)
def test_garbage_in_any_key_is_read_or_refused(
    entries: list[tuple[tuple[str, str], Any]],
) -> None:
    """Nothing but an InputError ever comes out, and its message is fit to be shown."""
    text = LEAST
    for (place, key), value in entries:
        text = with_key(place, key, as_toml(value)).replace(LEAST, text, 1)
    error = error_of(text)
    assert error is None or len(str(error)) < 1000


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """As a whole file, and as a line within one."""
    for whole in (text, LEAST + text, LEAST + "[costs]\n" + text):
        error = error_of(whole)
        assert error is None or str(error).startswith("series: ")


@pytest.mark.parametrize(
    "text",
    ["", "symbol", "= 3", "[costs", "a = 1\na = 2", "x = " + "[" * 5000, "x = " + "9" * 5000],
)
def test_what_is_no_toml_is_refused(text: str) -> None:
    """Empty, cut off, twice the same key, nested a thousand deep, an integer of 5,000 digits."""
    refused(text)


@pytest.mark.parametrize(
    "junk", [b"\x00\xff\xfe\x80", b"PK\x03\x04" + bytes(range(256)), "é".encode("utf-16")]
)
def test_binary_junk_is_refused(junk: bytes, tmp_path: Path) -> None:
    """A zip, a picture, the wrong encoding: in one sentence that names the file."""
    path = tmp_path / "token.toml"
    path.write_bytes(junk)
    with pytest.raises(InputError, match=r"token\.toml: expected a series file \(TOML"):
        Series.load(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a directory, or a name that no file can have."""
    for path in (tmp_path / "none.toml", tmp_path, "a\0b"):
        with pytest.raises(InputError, match="cannot be read"):
            Series.load(path)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    """A gigabyte (of nothing: the file is sparse) takes no time and no memory."""
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(InputError, match="more than a megabyte"):
        Series.load(path)
