"""The price index: a price touches the funds whose threshold it has reached, and no other."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from steelyard.keeper.sorted_thresholds import NEVER, ROOM, WatchedMarket

PRICES = st.integers(1, 40).map(Decimal)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("arm"), st.integers(0, 5), PRICES, PRICES),
            st.tuples(st.just("price"), PRICES),
        ),
        max_size=60,
    )
)
def test_what_is_reached_is_what_a_list_of_all_thresholds_says(story: list[tuple]) -> None:
    """Whatever is armed, replaced and reached in between, ``low`` and ``high`` are the nearest."""
    market, plain = WatchedMarket("BTC"), dict[str, tuple[Decimal, Decimal]]()
    for what, *given_ in story:
        if what == "arm":
            name, low, high = f"F{given_[0]}", given_[1], given_[2]
            market.arm(name, low, high)
            plain[name] = low, high
        else:
            price = given_[0]
            met = {name for name, (low, high) in plain.items() if price <= low or price >= high}
            assert bool(met) is not (market.low < price < market.high)
            assert set(market.reached(price)) == met
            for name in met:
                del plain[name]
        assert market.low == max((low for low, _ in plain.values()), default=-NEVER)
        assert market.high == min((high for _, high in plain.values()), default=NEVER)


def test_what_was_replaced_does_not_pile_up() -> None:
    """A fund that is armed each minute for years takes the room of a few entries."""
    market = WatchedMarket("BTC")
    for minute in range(10_000):
        market.arm("F", Decimal(100 - minute % 7), Decimal(110 + minute % 7))
    assert len(market._below) + len(market._above) <= 2 * ROOM + 2


def test_a_fund_without_thresholds_is_never_touched() -> None:
    """An ended fund, or one that trades by the clock alone."""
    market = WatchedMarket("BTC")
    market.arm("F", -NEVER, NEVER)
    assert market.reached(Decimal(1)) == []
    market.arm("F", NEVER, -NEVER)
    assert market.reached(Decimal(1)) == ["F"]
