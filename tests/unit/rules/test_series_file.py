"""A series file means what is written in it, for people and for the rules."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from steelyard.rules.decide import MoveTo
from steelyard.rules.numbers import FLOAT, FRACTION
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
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
from support.series_texts import BAND, EXAMPLE, LEAST

if TYPE_CHECKING:
    from pathlib import Path


def test_the_specifications_example_is_read_key_by_key() -> None:
    """Every key of SPEC 1 is taken, and means what stands beside it there."""
    assert Series.loads(EXAMPLE) == Series(
        symbol="BTC3L",
        underlying="BTC/USDT:USDT",
        quote="USDT",
        target_leverage=3.0,
        initial_nav=100.0,
        initial_tokens=1000.0,
        rebalance=Rebalance(
            move_to="target",
            recentering_speed=1.0,
            edge_slack=0.02,
            max_trade_notional=0.0,
            cooldown_s=0,
            emergency_leverage=0.0,
            band=Band(lower=2.5, upper=3.5, delever_only=False),
            move=Move(threshold=0.15, losing_side_only=False),
            volatility=Volatility(window_s=86_400, annualised=1.5),
            interval=Interval(every_s=28_800, anchor_s=0),
            daily=Daily(at_s=120),
            fallback=Fallback(after_s=86_400),
        ),
        venue=Venue(kind="perpetual", maintenance_margin=0.0, liquidation_fee=0.0),
        costs=Costs(taker_fee_bps=5.0, half_spread_bps=1.0),
        fees=Fees(),
        reserve=Reserve(
            initial_units=0.0,
            bears=("spread", "impact", "gas"),
            floor_ratio=0.1,
            resume_ratio=0.12,
            fee_share=0.5,
            allocation_every_s=86_400,
        ),
    )


def test_what_is_left_out_is_neutral() -> None:
    """No trigger, no cost, no fee, no margin, and no reserve: holders bear every cost."""
    series = Series.loads(LEAST)
    assert series.rebalance.trigger_names == ()
    assert series.costs == Costs(0.0, 0.0, "none", 0.0, 0.0, 0.0)
    assert series.fees == Fees(0.0, 0.0, 0.0)
    assert series.reserve is None
    assert (series.initial_nav, series.initial_tokens) == (100.0, 1000.0)
    assert series.venue == Venue(kind="perpetual", maintenance_margin=0.0, liquidation_fee=0.0)


def test_a_spot_venue_is_read() -> None:
    """Its threshold and its four rates."""
    series = Series.loads(
        LEAST + '[venue]\nkind = "spot"\nliquidation_threshold = 0.9\nrate_per_year = -0.005\n'
        "borrow_spread_per_year = 0.01\nsupply_spread_per_year = 0.02\n"
        "units_borrow_rate_per_year = 0.03\n"
    )
    assert series.venue == Venue("spot", 0.0, 0.0, 0.9, -0.005, 0.01, 0.02, 0.03)


def test_a_delever_only_band_needs_no_lower_edge() -> None:
    """And has none for the rules, whether one is written or not."""
    short = BAND.replace("lower = 2.5\n", "") + "delever_only = true\n"
    bare = Series.loads(LEAST + short)
    assert bare.rebalance.band == Band(None, 3.5, delever_only=True)
    written = Series.loads(LEAST + BAND + "delever_only = true\n")
    assert bare.terms(FLOAT).rule == written.terms(FLOAT).rule
    assert not bare.terms(FLOAT).rule.has_lower


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("8h", 28_800), ("7d", 604_800), ("2w", 1_209_600), ("0s", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    """A whole number and a unit."""
    series = Series.loads(LEAST + f'[rebalance]\ncooldown = "{text}"\n')
    assert series.rebalance.cooldown_s == seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [('"00:02"', 120), ('"23:30:15"', 84_615), ('"7:05"', 25_500), ("23:30:00", 84_600)],
)
def test_times_of_day(written: str, seconds: int) -> None:
    """Text, or TOML's own local time."""
    series = Series.loads(LEAST + f'[[rebalance.trigger]]\nwhen = "daily"\nat = {written}\n')
    assert series.rebalance.daily == Daily(seconds)


def test_triggers_are_named_in_the_order_in_which_they_are_tested() -> None:
    """Not in the order of the file; an emergency counts as one."""
    turned = LEAST + '[rebalance]\nemergency_leverage = 5\n[[rebalance.trigger]]\nwhen = "daily"\n'
    series = Series.loads(turned + 'at = "00:00"\n' + BAND)
    assert series.rebalance.trigger_names == ("emergency", "band", "daily")


def test_a_file_is_read_from_disk_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    """As text of UTF-8, as editors write it."""
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(EXAMPLE, encoding="utf-8")
    marked.write_text(EXAMPLE, encoding="utf-8-sig")
    assert Series.load(plain) == Series.load(str(marked)) == Series.loads(EXAMPLE)


# -- the scalars of the rules ----------------------------------------------------------------------


def test_terms_are_the_figures_as_written() -> None:
    """0.1 becomes a tenth, not the float nearest to it; edges act their slack farther out."""
    text = LEAST + '[rebalance]\nmove_to = "edge"\nedge_slack = 0.02\n' + BAND
    terms = Series.loads(text + "[costs]\ntaker_fee_bps = 0.1\n").terms(FRACTION)
    assert terms.rates.taker_fee_bps == Fraction(1, 10)
    assert terms.nav_curve.linear == Fraction(1, 100_000)
    rule = terms.rule
    assert rule.move_to == MoveTo.EDGE
    assert (rule.lower, rule.upper) == (Fraction(5, 2), Fraction(7, 2))
    assert (rule.lower_limit, rule.upper_limit) == (Fraction(62, 25), Fraction(88, 25))


def test_a_threshold_counts_only_where_it_is_set() -> None:
    """What the file leaves out the rules do not test; what it has they do, with its figure."""
    bare = Series.loads(LEAST).terms(FRACTION).rule
    flags = (bare.has_band, bare.has_lower, bare.has_emergency, bare.has_move)
    assert not any(flags)
    assert bare.max_trade_notional == 0
    text = LEAST + "[rebalance]\nemergency_leverage = 4.5\nmax_trade_notional = 1000\n" + BAND
    move = '[[rebalance.trigger]]\nwhen = "move"\nthreshold = 0.15\nlosing_side_only = true\n'
    rule = Series.loads(text + move).terms(FRACTION).rule
    assert rule.has_band
    assert rule.has_lower
    assert (rule.has_emergency, rule.emergency) == (True, Fraction(9, 2))
    assert (rule.has_move, rule.move_threshold) == (True, Fraction(3, 20))
    assert rule.move_losing_side_only
    assert rule.max_trade_notional == 1000


def test_the_slack_counts_only_with_a_move_to_the_edge() -> None:
    """With any other destination the band acts at its edges."""
    rule = Series.loads(LEAST + BAND).terms(FRACTION).rule
    assert (rule.lower_limit, rule.upper_limit) == (rule.lower, rule.upper)


def test_the_venue_is_the_one_of_the_file() -> None:
    """Perpetual unless it says spot, with each figure in its place."""
    text = LEAST + '[venue]\nkind = "spot"\nliquidation_threshold = 0.9\nliquidation_fee = 0.05\n'
    text += "borrow_spread_per_year = 0.01\nsupply_spread_per_year = 0.02\n"
    spot = Series.loads(text + "units_borrow_rate_per_year = 0.03\n").terms(FRACTION).venue
    assert spot.spot
    assert spot.liquidation_threshold == Fraction(9, 10)
    assert spot.liquidation_fee == Fraction(1, 20)
    rates = (spot.borrow_spread, spot.supply_spread, spot.units_borrow_rate)
    assert rates == (Fraction(1, 100), Fraction(1, 50), Fraction(3, 100))
    margin = "[venue]\nmaintenance_margin = 0.02\nliquidation_fee = 0.01\n"
    perpetual = Series.loads(LEAST + margin).terms(FRACTION).venue
    assert not perpetual.spot
    assert perpetual.maintenance_margin == Fraction(1, 50)
    assert perpetual.liquidation_fee == Fraction(1, 100)


@pytest.mark.parametrize("impact", ["none", "linear", "square_root"])
def test_only_the_chosen_impact_has_a_coefficient(impact: str) -> None:
    """The coefficient means bps per million, or bps at the daily volume, never both."""
    costs = f'[costs]\nimpact = "{impact}"\nimpact_coefficient = 7\ndaily_volume = 1e6\n'
    rates = Series.loads(LEAST + costs).terms(FLOAT).rates
    assert rates.impact_linear == (7.0 if impact == "linear" else 0.0)
    assert rates.impact_root == (7.0 if impact == "square_root" else 0.0)
    assert rates.daily_volume > 0


def test_the_reserve_bears_the_kinds_it_names() -> None:
    """Each kind of cost stands in exactly one payer's curve."""
    text = LEAST + "[costs]\ntaker_fee_bps = 3\nhalf_spread_bps = 2\ngas_per_rebalance = 9\n"
    for bears in ([], ["fee"], ["spread", "gas"], ["fee", "spread", "impact", "gas"]):
        terms = Series.loads(text + f"[reserve]\nbears = {bears}\n").terms(FRACTION)
        linear = 3 * ("fee" in bears) + 2 * ("spread" in bears)
        assert terms.reserve_curve.linear == Fraction(linear, 10_000)
        assert terms.nav_curve.linear == Fraction(5 - linear, 10_000)
        assert terms.reserve_curve.fixed == (9 if "gas" in bears else 0)
        assert terms.nav_curve.fixed == (0 if "gas" in bears else 9)


def test_a_series_cannot_be_changed() -> None:
    """Thresholds are fixed for good: another threshold is another series."""
    series = Series.loads(LEAST)
    with pytest.raises(AttributeError):
        series.target_leverage = 2.0  # type: ignore[misc]
    assert replace(series, target_leverage=2.0) != series
