"""A series in plain English: every part of a rule is in its sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from steelyard.rules.describe import (
    clock_words,
    cost_words,
    duration_words,
    rule_sentence,
    rule_words,
    series_sentences,
    target_words,
    venue_words,
)
from steelyard.rules.presets import preset
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Fallback,
    Fees,
    Interval,
    Move,
    Reserve,
    Venue,
    Volatility,
)
from support.tokens import token

SENTENCES = {
    "ftx-bull": (
        "It trades back to its target when leverage rises above 4x, and every day at 00:02 UTC."
    ),
    "kucoin-3l": (
        "It trades back to its target when the price has moved 15 % against it since the last "
        "rebalance, and every day at 23:30 UTC."
    ),
    "kucoin-3s": (
        "It trades back to its target when leverage rises above 4x, and every day at 23:55 UTC."
    ),
    "toros-3l": (
        "It trades only back to the nearest edge of its band when leverage leaves the band from "
        "2.8x to 3.2x by more than 0.02."
    ),
    "index-2x": (
        "It trades 5 % of the way back to its target, and at least into its band, when leverage "
        "leaves the band from 1.7x to 2.3x, and every 24 h counted from 00:00 UTC; at 2.6x it "
        "trades to its target at once, regardless of limits and suspensions."
    ),
}

SHORT = {
    "ftx-hedge": "above 1.333, daily 00:02",
    "kucoin-3l": "15 % move against it, daily 23:30",
    "bybit-3l": "outside 2-4",
    "toros-3l": "edges 2.8-3.2",
    "index-2x": "outside 1.7-2.3, every 24 h, 5 % of the way, emergency 2.6",
    "oracle-3l": "outside 2.5-3.5, 24 h fallback",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_rule_is_one_sentence(name: str) -> None:
    """Known rules read as a person would put them."""
    assert rule_sentence(preset(name)) == SENTENCES[name]


@pytest.mark.parametrize("name", SHORT)
def test_a_rule_fits_into_a_table(name: str) -> None:
    """The same in a few words."""
    assert rule_words(preset(name)) == SHORT[name]


def test_every_kind_of_trigger_is_said() -> None:
    """A series with all of them names all of them, in long and in short."""
    series = token(
        band=Band(2.0, 4.0),
        move=Move(0.1),
        volatility=Volatility(86_400, 1.5),
        interval=Interval(28_800, 3_600),
        daily=Daily(84_600),
        fallback=Fallback(604_800),
    )
    sentence = rule_sentence(series)
    for words in (
        "leaves the band from 2x to 4x",
        "has moved 10 % since the last rebalance",
        "volatility over 24 h reaches 150 % a year",
        "every 8 h counted from 01:00 UTC",
        "every day at 23:30 UTC",
        "after 7 d without a rebalance",
    ):
        assert words in sentence
    short = "outside 2-4, 10 % move, volatility 150 %, every 8 h, daily 23:30, 7 d fallback"
    assert rule_words(series) == short


def test_a_token_without_triggers_is_said_to_drift() -> None:
    """No trigger, no rebalance; an emergency alone is said as such."""
    assert "never trades" in rule_sentence(token())
    assert rule_words(token()) == "never"
    assert "at 5x" in rule_sentence(token(emergency_leverage=5.0))
    assert rule_words(token(emergency_leverage=5.0)) == "emergency 5"


def test_partway_without_a_band_is_not_said_to_have_one() -> None:
    """Only a series with a band is brought back into it."""
    series = token(move_to="partway", recentering_speed=0.5, daily=Daily(0))
    assert rule_sentence(series) == (
        "It trades 50 % of the way back to its target every day at 00:00 UTC."
    )


def test_clips_and_reserve_are_said() -> None:
    """What limits a trade and who pays for it stand in the paragraph."""
    series = token(max_trade_notional=1e6, cooldown_s=30, band=Band(2.0, 4.0), reserve=Reserve(2.5))
    words = series_sentences(series)
    assert (
        "A trade above 1,000,000 USD is split into clips of that size, at least 30 s apart."
        in words
    )
    assert "A reserve of 2.5 BTC pays spread, impact and gas" in words
    assert "below 10 % of net asset value, trades that raise leverage are suspended" in words
    at_once = series_sentences(replace(series, rebalance=replace(series.rebalance, cooldown_s=0)))
    assert "clips of that size." in at_once
    nothing = series_sentences(replace(series, reserve=Reserve(1.0, bears=())))
    assert "pays nothing of" in nothing
    one = series_sentences(replace(series, reserve=Reserve(1.0, bears=("gas",))))
    assert "pays gas of" in one


def test_venues_and_costs_are_said() -> None:
    """Each kind of cost appears where it is not zero."""
    assert target_words(token(-1.5)) == "1.5x short"
    margin = replace(token(), venue=Venue(maintenance_margin=0.005))
    assert venue_words(margin) == "perpetual, maintenance margin 0.5 %"
    spot = replace(token(), venue=Venue("spot", rate_per_year=0.03))
    assert "at 3 % a year, liquidated at a debt of 86 %" in venue_words(spot)
    assert cost_words(token()) == "none"
    linear = token(costs=Costs(5, 1, "linear", 2.0, gas_per_rebalance=3.5))
    assert cost_words(linear) == (
        "fee 5 bps, half spread 1 bp, impact 2 bps per million USD, gas 3.5 USD a trade"
    )
    rooted = replace(
        token(costs=Costs(impact="square_root", impact_coefficient=100, daily_volume=1e9)),
        fees=Fees(management_per_year=0.01),
    )
    assert cost_words(rooted) == "impact 100 bps at a whole day's volume, management 1 % a year"


def test_impact_that_follows_a_market_is_said() -> None:
    """A pool, a book, and what the last 24 hours were like."""
    said = {
        Costs(impact="amm", amm_liquidity=5e6): "swap in a pool of 5,000,000 USD a side",
        Costs(impact="amm", amm_liquidity=5e6, amm_fee_bps=5.0): (
            "swap in a pool of 5,000,000 USD a side, fee 5 bps"
        ),
        Costs(impact="book", book="b.csv"): "impact of walking the book b.csv",
        Costs(impact="square_root", impact_coefficient="realised", daily_volume="file"): (
            "impact of 2/3 of the day's volatility at the volume of the last 24 h"
        ),
        Costs(impact="square_root", impact_coefficient=90.0, daily_volume="file"): (
            "impact 90 bps at the volume of the last 24 h"
        ),
    }
    assert {costs: cost_words(token(costs=costs)) for costs in said} == said


def test_durations_and_clocks_are_said_as_people_say_them() -> None:
    """The largest unit that divides it; a single day is 24 h."""
    said = {1: "1 s", 90: "90 s", 120: "2 min", 3_600: "1 h", 5_400: "90 min", 86_400: "24 h"}
    said |= {129_600: "36 h", 172_800: "2 d", 90_061: "90,061 s"}
    assert {seconds: duration_words(seconds) for seconds in said} == said
    assert clock_words(120) == "00:02"
    assert clock_words(84_615) == "23:30:15"
