"""The oracle adapter's price against Fraction: any decimals, long and short, rounded down."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import boa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.chain.deploying import deploy_double, deploy_source
from support.chain.series import CONTRACTS, ZERO

DECIMALS = st.sampled_from([6, 8, 18])
MOST = 2**112
GOOD = (
    st.integers(1, 112).flatmap(lambda n: st.integers(2 ** (n - 1), 2**n - 1))
    | st.integers(1, 10)
    | st.builds(lambda digits, power: digits * 10**power, st.integers(1, 10**6), st.integers(0, 27))
)
BAD = st.integers(-(2**255), 0) | st.integers(MOST, 2**255 - 1) | st.sampled_from([0, -1, MOST])
FIRST = 2_000


class Parts(NamedTuple):
    """Feeds by their decimals, and two coins of each decimals."""

    feeds: dict[int, Any]
    underlyings: dict[int, Any]
    quotes: dict[int, Any]


@pytest.fixture(scope="module")
def parts() -> Parts:
    """What adapters are made of."""
    feeds = {each: deploy_double("PriceFeed", each, FIRST * 10**each) for each in (8, 18)}
    coins = [{each: deploy_double("HostileToken", each) for each in (6, 8, 18)} for _ in range(2)]
    return Parts(feeds, *coins)


def price_of(answer: int, underlying: int, quote: int, feed: int, *, long: bool) -> Fraction:
    """Raw debt per raw collateral times 1e36, of the feed's answer in whole coins."""
    whole = Fraction(answer, 10**feed)
    raw = whole * 10**quote / 10**underlying
    return (raw if long else 1 / raw) * 10**36


@given(
    st.lists(st.tuples(st.booleans(), GOOD, BAD), min_size=1, max_size=5),
    DECIMALS,
    DECIMALS,
    st.sampled_from([8, 18]),
    st.booleans(),
)
def test_the_price_is_the_answer_in_raw_units_rounded_down(
    parts: Parts,
    answers: list[tuple[bool, int, int]],
    underlying: int,
    quote: int,
    feed: int,
    long: bool,
) -> None:
    """Debt units per collateral unit times 1e36: exact for a long, down by less than 1 for a short.

    Answers from 1 to 2**112 are said; the rest, and one whose inverse is less than 1, are bad:
    then it is the last good one that was poked, and no time of it.
    """
    with boa.env.anchor():
        source = parts.feeds[feed]
        coins = (parts.underlyings[underlying], parts.quotes[quote])
        adapter = deploy_source(CONTRACTS / "MorphoOracle.vy", source, *coins, long, ZERO, 0)
        last = FIRST * 10**feed
        for good, fine, bad in answers:
            answer = fine if good else bad
            source.update(answer)
            said, updated = adapter.latest()
            assert said == adapter.price()
            if good and price_of(answer, underlying, quote, feed, long=long) >= 1:
                last = answer
                assert updated == boa.env.timestamp
            else:
                assert updated == 0
            exact = price_of(last, underlying, quote, feed, long=long)
            assert said <= exact < said + 1
            assert said == exact or not long
            assert tuple(adapter.poke()) == (said, updated)
            assert adapter.last_good()[0] == last
