"""Vectors of Index Coop's Flexible Leverage strategy that follow from the rules here.

Covered is what follows from the leverage ratio, the partway destination and the clip cap, without
costs, truncated to 18 decimals as the contract does (``flexible-leverage.json``). Each step starts
from the truncated figure of the step before, for that is what the contract keeps.
"""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from steelyard.rules.decide import MoveTo, destination_of, is_clip_done
from steelyard.rules.leverage import leverage_of
from steelyard.rules.numbers import FRACTION
from steelyard.rules.sizing import clip_notional, size_trade
from steelyard.rules.triggers import Trigger, first_trigger
from support.rule_cases import FREE, Rule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steelyard.rules.triggers import RebalanceRule

WEI = 10**18

RATIO_DESTINATION_AND_CLIP = [
    "rebalance_lever_1010",
    "rebalance_below_min_1300",
    "rebalance_above_max_850_twap",
    "iterate_last_chunk_1200",
    "ripcord_800",
]
RATIO_DESTINATION_AND_TOTAL = {
    "ripcord_750_capped_by_max_borrow": "its chunk is what the lender lets it withdraw",
    "probe_ripcord_673_reverts": "the revert is a limit of the lender's",
}
TO_A_GIVEN_RATIO = ["engage_capped_by_max_trade", "engage_no_twap"]
TO_ONE = {"disengage_max_borrow": "its chunk is what the lender lets it withdraw"}
CLIPS_DONE = ["iterate_advantageous_900_then_1000"]
TRIGGERS = {
    "sr_ripcord_800_100s": Trigger.EMERGENCY,
    "sr_ripcord_800_100s_twap": Trigger.EMERGENCY,
    "sr_rebalance_990_1e5s": Trigger.INTERVAL,
    "sr_rebalance_1400_0s": Trigger.BAND,
    "sr_iterate_900_4000s_twap": Trigger.NONE,
}
NOT_COVERED = {
    "ether_incentive_partial_balance": "a reward to whoever calls the contract; no rule of a series"
}


class Position(NamedTuple):
    """A vector's position as the contract sees it: collateral in wei, ratios of 18 decimals."""

    leverage: Fraction
    price: Fraction
    collateral: Fraction


@pytest.fixture
def vectors(acceptance: Callable[[str], Path]) -> dict[str, Any]:
    """The vectors by id, and the strategy's parameters under "base"."""
    document = json.loads(acceptance("flexible-leverage.json").read_text(encoding="utf-8"))
    return {entry["id"]: entry for entry in document["vectors"]} | {
        "base": document["base_parameters"]
    }


def truncated(figure: Fraction) -> Fraction:
    """A ratio or an amount in 18-decimal fixed point."""
    return Fraction(int(figure * WEI), WEI)


def wei(fixed_point: str) -> Fraction:
    """An 18-decimal figure of the vectors."""
    return Fraction(int(fixed_point), WEI)


def written(fixed_point: str) -> Decimal:
    """An 18-decimal figure as it would stand in a series file."""
    return Decimal(fixed_point) / WEI


def position_of(vector: dict[str, Any]) -> Position:
    """The vector's collateral is the exposure, its debt the borrowed cash."""
    told = vector["inputs"]
    units = Fraction(int(told["collateral_wei"]), WEI)
    cash = -Fraction(int(told["debt_usdc_6dp"]), 10**6)
    price = Fraction(told["price_usd"])
    return Position(truncated(leverage_of(cash, units, price)), price, units)


def series_rule(base: dict[str, str]) -> RebalanceRule[Fraction]:
    """The strategy as a series: partway by 5 % a time, 1.7 to 2.3, at once at 2.6."""
    return Rule(
        target=written(base["targetLeverageRatio"]),
        move_to=MoveTo.PARTWAY,
        speed=written(base["recenteringSpeed"]),
        lower=written(base["minLeverageRatio"]),
        upper=written(base["maxLeverageRatio"]),
        emergency=written(base["incentivizedLeverageRatio"]),
    ).of(FRACTION)


def size_to(held: Position, destination: Fraction) -> Fraction:
    """The signed size in units of the collateral, sized as a share of it, without costs."""
    nav = 1 / held.leverage
    payers = FREE.payers(FRACTION)
    share = size_trade(destination, nav, Fraction(1), payers, FRACTION.sqrt)
    return truncated(truncated(share) * held.collateral)


def clip_of(size: Fraction, cap_wei: str) -> Fraction:
    """What goes out now of ``size``; the cap is in units of the collateral."""
    return clip_notional(size, Fraction(int(cap_wei), WEI))


def test_every_vector_is_accounted_for(vectors: dict[str, Any]) -> None:
    """Each vector is either replayed here or named with the reason why not."""
    listed = [
        *RATIO_DESTINATION_AND_CLIP,
        *RATIO_DESTINATION_AND_TOTAL,
        *TO_A_GIVEN_RATIO,
        *TO_ONE,
        *CLIPS_DONE,
        *TRIGGERS,
        *NOT_COVERED,
    ]
    assert sorted(listed) == sorted(set(vectors) - {"base"})


@pytest.mark.parametrize("name", [*RATIO_DESTINATION_AND_CLIP, *RATIO_DESTINATION_AND_TOTAL])
def test_ratio_destination_and_size(name: str, vectors: dict[str, Any]) -> None:
    """Current and new leverage ratio, the notional between them, and the clip that goes out now."""
    vector, rule = vectors[name], series_rule(vectors["base"])
    held = position_of(vector)
    expected = vector["expected"]
    assert held.leverage == wei(expected["currentLeverageRatio"])
    destination = truncated(destination_of(rule, Trigger.INTERVAL, held.leverage))
    if "newLeverageRatio" in expected:
        assert destination == wei(expected["newLeverageRatio"])
    size = size_to(held, destination)
    assert (size > 0) == (expected.get("direction") == "lever")
    assert abs(size) == wei(expected.get("totalRebalanceNotional") or expected["total"])
    if name in RATIO_DESTINATION_AND_CLIP:
        clip = clip_of(size, vector["inputs"]["maxTradeSize"])
        assert abs(clip) == wei(expected["chunkRebalanceNotional"])
        # the strategy remembers a ratio to iterate to exactly where more clips have to follow
        assert wei(expected["twapLeverageRatio_after"]) == (destination if clip != size else 0)


@pytest.mark.parametrize("name", TO_A_GIVEN_RATIO)
def test_engaging_to_a_ratio(name: str, vectors: dict[str, Any]) -> None:
    """From 1x to a given ratio: the whole notional, and the clip that goes out now."""
    told, expected = vectors[name]["inputs"], vectors[name]["expected"]
    size = size_to(position_of(vectors[name]), wei(told["target"]))
    clip = clip_of(size, told["twapMaxTradeSize"])
    assert size == wei(expected["total"])
    assert clip == wei(expected["chunk"])
    assert wei(expected["twapLeverageRatio"]) == (wei(told["target"]) if clip != size else 0)


@pytest.mark.parametrize("name", TO_ONE)
def test_disengaging_to_one(name: str, vectors: dict[str, Any]) -> None:
    """Down to 1x sells what was borrowed for."""
    size = size_to(position_of(vectors[name]), Fraction(1))
    assert -size == wei(vectors[name]["expected"]["total"])


@pytest.mark.parametrize("name", CLIPS_DONE)
def test_a_price_that_came_back_ends_the_clips(name: str, vectors: dict[str, Any]) -> None:
    """Leverage at 2.0 is past the ratio of 2.2375 that the clips were lowering to: no trade."""
    vector = vectors[name]
    leverage = position_of(vector).leverage
    assert leverage == wei(vector["expected"]["currentLeverageRatio"])
    stored = wei(vector["inputs"]["twapLeverageRatio"])
    done = is_clip_done(stored, raises=False, leverage=leverage)
    assert done == vector["expected"]["advantageous"]


@pytest.mark.parametrize("name", TRIGGERS)
def test_which_action_is_due(name: str, vectors: dict[str, Any]) -> None:
    """Ripcord, rebalance outside the band or after the interval, or nothing but the next clip."""
    vector, base = vectors[name], vectors["base"]
    held = position_of(vector)
    assert held.leverage == wei(vector["expected"]["currentLeverageRatio"])
    due = vector["inputs"]["elapsed_s"] >= base["rebalanceInterval"]
    found = first_trigger(
        series_rule(base),
        held.leverage,
        held.price,
        held.price,
        volatile=False,
        interval_due=due,
        daily_due=False,
        fallback_due=False,
    )
    assert found == TRIGGERS[name]
    enum = {Trigger.EMERGENCY: 3, Trigger.NONE: 2}.get(TRIGGERS[name], 1)
    assert vector["expected"]["shouldRebalance"] == enum
