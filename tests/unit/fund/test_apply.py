"""Effects are the whole truth: applied again they give the state that wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from steelyard.fund.apply import CHANGES, apply
from steelyard.fund.effects import Effect
from steelyard.rules.numbers import DECIMAL, DECIMAL18, FLOAT, FRACTION, Number
from support.fund_life import Life, copies_of, group_of, lives

NUMBERS = [FLOAT, DECIMAL, DECIMAL18, FRACTION]
by_number = pytest.mark.parametrize("number", NUMBERS, ids=[each.name for each in NUMBERS])


@by_number
@settings(max_examples=25)
@given(life=lives(hours=8))
def test_folding_the_effects_of_a_life_gives_its_state(number: Number, life: Life) -> None:
    """Over the first state, effect by effect, whatever happened and whatever was filled."""
    first = copies_of(group_of(life.series, number))
    kept: list[Effect] = []
    group = life.live(number, lambda *step: kept.extend(step[2]))
    by_name = {fund.terms.symbol: state for fund, state in zip(group.funds, first, strict=True)}
    by_name.setdefault(group.name, first[0])
    with number.context():
        for effect in kept:
            apply(by_name[effect.fund], effect)
    assert first == [fund.state for fund in group.funds]


@by_number
@settings(max_examples=25)
@given(life=lives(hours=8))
def test_a_fund_that_stops_after_any_event_goes_on_as_if_it_had_not(
    number: Number, life: Life
) -> None:
    """Nothing but its state is kept, at every single event, and the same effects follow."""
    told: list[list[Effect]] = []
    again: list[list[Effect]] = []
    whole = life.live(number, lambda *step: told.append(step[2]))
    stopped = life.live(number, lambda *step: again.append(step[2]), stops=True)
    assert again == told
    assert copies_of(stopped) == copies_of(whole)


def test_every_kind_of_effect_has_its_change() -> None:
    """A kind that ``apply`` does not know would be lost from a stored history."""
    from steelyard.fund import effects

    kinds = {getattr(effects, name) for name in effects.__all__} - {effects.Effect}
    parts = {effects.Accruals, effects.Creation, effects.PricesSettled}
    assert kinds - parts == set(CHANGES)
