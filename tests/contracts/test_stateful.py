"""Stateful fuzzing on real Morpho and Uniswap: every role, in any order, judged after each step.

``STEELYARD_EXAMPLES=2000 pytest tests/contracts/test_stateful.py -s`` plays 2,000 examples, shows
what was reached, and looks for faults that are put into copies of the contracts.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from support.chain.machine import Stateful
from support.chain.mutants import MUTANTS, Mutant
from support.chain.stages import CASES, build
from support.page_figures import stated

if TYPE_CHECKING:
    from pathlib import Path

    from support.chain.stages import Stage

CI = 60
EXAMPLES = int(os.environ.get("STEELYARD_EXAMPLES", str(CI)))
FAULT_EXAMPLES = 500
STEPS = 8
REACHED = (
    "fill: up",
    "fill: down",
    "fill: emergency",
    "reserve pays",
    "mint",
    "redeem",
    "all left",
)
"""What 60 examples get to, however they fall."""
BY_HAND = pytest.mark.skipif(
    EXAMPLES <= CI, reason="takes minutes for each fault: run by hand with STEELYARD_EXAMPLES=500"
)


def play(stages: list[Stage], examples: int, **more: object) -> Counter[str]:
    """Play so many examples; what was reached, and how often."""
    seen: Counter[str] = Counter()
    machine = type("Machine", (Stateful,), {"stages": stages, "seen": seen})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(machine, settings=chosen)
    return seen


def test_the_page_says_how_much_is_played() -> None:
    """Property: examples in CI, and faults and the examples of each by hand, are those of here."""
    stated(
        f"CI plays {CI} examples",
        f"`STEELYARD_EXAMPLES={FAULT_EXAMPLES}`: each of the {len(MUTANTS)} planted faults was "
        f"found by {FAULT_EXAMPLES} examples at most",
    )


def test_no_sequence_of_acts_breaks_a_property() -> None:
    """Scenario: any. Property: what `support.chain.play` states, after each step."""
    seen = play(build(), EXAMPLES)
    for name, count in sorted(seen.items()):
        print(f"{count:7,} {name}")
    assert not [name for name in REACHED if not seen[name]], "too little was reached"


def test_each_fault_has_its_place(tmp_path: Path) -> None:
    """Property: what a fault changes is in the sources once, without a run by hand."""
    for place, mutant in enumerate(MUTANTS):
        mutant.write(tmp_path / str(place))


@pytest.mark.parametrize(
    "mutant",
    [
        # C1 as it was is looked for at each run, the others take minutes
        pytest.param(mutant, id=mutant.name, marks=[BY_HAND] if place else [])
        for place, mutant in enumerate(MUTANTS)
    ],
)
def test_a_fault_is_found(mutant: Mutant, tmp_path: Path) -> None:
    """Scenario: a fault in a copy of the contracts. Property: a check fails, in 500 examples."""
    folder = mutant.write(tmp_path)
    with pytest.raises(AssertionError) as found:
        play(build(folder, CASES[:2]), FAULT_EXAMPLES, phases=[Phase.generate], database=None)
    print(f"{mutant.name}: {str(found.value)[:160]}")
