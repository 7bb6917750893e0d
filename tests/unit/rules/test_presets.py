"""Every preset loads, says whose rule it follows, and has that rule's figures."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from steelyard.errors import InputError
from steelyard.rules.describe import series_sentences
from steelyard.rules.optimal_band import optimal_edge_half_width
from steelyard.rules.presets import preset, preset_names, preset_text, preset_title
from steelyard.rules.series import Band, Daily, Fallback, Interval, Move, Rebalance

SHELF = preset_names()

RULES = {
    "ftx-bull": Rebalance(band=Band(None, 4.0, delever_only=True), daily=Daily(120)),
    "ftx-bear": Rebalance(band=Band(None, 4.0, delever_only=True), daily=Daily(120)),
    "ftx-hedge": Rebalance(band=Band(None, 4 / 3, delever_only=True), daily=Daily(120)),
    "kucoin-3l": Rebalance(move=Move(0.15, losing_side_only=True), daily=Daily(84_600)),
    "kucoin-3s": Rebalance(band=Band(None, 4.0, delever_only=True), daily=Daily(86_100)),
    "bybit-3l": Rebalance(band=Band(2.0, 4.0)),
    "bybit-3s": Rebalance(band=Band(2.0, 4.0)),
    "pionex-2l": Rebalance(band=Band(1.6, 3.5)),
    "toros-3l": Rebalance(move_to="edge", band=Band(2.8, 3.2)),
    "index-2x": Rebalance(
        move_to="partway",
        recentering_speed=0.05,
        emergency_leverage=2.6,
        band=Band(1.7, 2.3),
        interval=Interval(86_400),
    ),
    "oracle-3l": Rebalance(band=Band(2.5, 3.5), fallback=Fallback(86_400)),
    "oracle-1s": Rebalance(band=Band(0.83, 1.17), fallback=Fallback(86_400)),
}

TARGETS = {
    "ftx-bull": 3,
    "ftx-bear": -3,
    "ftx-hedge": -1,
    "kucoin-3l": 3,
    "kucoin-3s": -3,
    "bybit-3l": 3,
    "bybit-3s": -3,
    "pionex-2l": 2,
    "toros-3l": 3,
    "index-2x": 2,
    "oracle-3l": 3,
    "oracle-1s": -1,
    "steelyard-3l": 3,
    "steelyard-1s": -1,
}


def test_the_list_names_exactly_the_files_that_are_shipped() -> None:
    """No preset is listed that is not there, and none is there that is not listed."""
    folder = resources.files("steelyard.rules") / "presets"
    assert {f"{name}.toml" for name in SHELF} == {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("name", RULES)
def test_a_preset_has_the_figures_of_the_rule_that_it_follows(name: str) -> None:
    """Each preset's rule is the published one, figure by figure."""
    assert preset(name).rebalance == RULES[name]


def test_every_preset_aims_at_its_published_leverage() -> None:
    """Targets are signed as the issuers name them."""
    assert {name: preset(name).target_leverage for name in SHELF} == TARGETS


@pytest.mark.parametrize("name", SHELF)
def test_a_preset_says_whose_rule_it_follows_and_what_is_simplified(name: str) -> None:
    """The comment has a headline, the rule, what that rests on, and what of it is simplified."""
    text = preset_text(name)
    comment = text[: text.index("\n\n")]
    assert all(line.startswith("#") for line in comment.splitlines())
    assert comment.startswith(f"# {preset_title(name)}: ")
    assert "\n# Rule: " in comment
    assert "\n# Rests on: " in comment
    assert "\n# Simplified: " in comment
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("name", SHELF)
def test_presets_trade_at_the_same_price(name: str) -> None:
    """5 bps of fee and 1 bp of half spread everywhere: what differs between presets is the rule."""
    costs = preset(name).costs
    assert replace(costs, taker_fee_bps=0, half_spread_bps=0) == type(costs)()
    assert (costs.taker_fee_bps, costs.half_spread_bps) == (5.0, 1.0)


def test_on_chain_rules_borrow_and_exchange_rules_do_not() -> None:
    """Toros and Index Coop hold a debt in a lending market; all others a perpetual."""
    spot = {name for name in SHELF if preset(name).venue.kind == "spot"}
    assert spot == {"toros-3l", "index-2x"}


@pytest.mark.parametrize("name", ["steelyard-3l", "steelyard-1s"])
def test_our_own_presets_stand_at_the_band_of_least_cost(name: str) -> None:
    """Their edges are the closed-form optimum for the gamma and the cost that they state."""
    series = preset(name)
    text = preset_text(name)
    assert "gamma = 1" in text
    assert "c = 0.0006" in text
    cost = (series.costs.taker_fee_bps + series.costs.half_spread_bps) / 10_000
    assert cost == pytest.approx(0.0006)
    width = optimal_edge_half_width(series.target_leverage, cost, 1.0)
    assert f"h = {width:.4f}" in text
    band, size = series.rebalance.band, abs(series.target_leverage)
    assert band is not None
    assert band.lower == pytest.approx(size - width, abs=5e-5)
    assert band.upper == pytest.approx(size + width, abs=5e-5)
    assert series.rebalance.move_to == "edge"


def test_a_misspelt_preset_gets_a_suggestion() -> None:
    """The error names the preset that was probably meant, and all others."""
    with pytest.raises(InputError, match=r'Did you mean "ftx-bull"\?.*kucoin-3l') as caught:
        preset("ftx-bul")
    assert caught.value.details["allowed"] == SHELF


@pytest.mark.parametrize("name", SHELF)
def test_a_preset_can_be_said_in_words(name: str) -> None:
    """Its description names the symbol and the underlying."""
    series = preset(name)
    assert series_sentences(series).startswith(f"{series.symbol} aims at ")
    assert series.underlying in series_sentences(series)
