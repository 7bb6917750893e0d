"""Stateful fuzzing on real Morpho and Uniswap: every role, in any order, judged after each step.

``pytest tests/contracts/test_stateful.py --hypothesis-profile thorough -s`` plays 1,000 examples,
shows what was reached, and looks for faults that are put into copies of the contracts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from support.chain import series
from support.chain.machine import Stateful
from support.chain.mutants import MUTANTS, Mutant
from support.chain.stages import build

if TYPE_CHECKING:
    from pathlib import Path

    from support.chain.stages import Stage

EXAMPLES = {"ci": 60, "thorough": 1_000}
STEPS = 20
REACHED = (
    "rebalance: band_up",
    "rebalance: band_down",
    "rebalance: emergency",
    "partial fill",
    "reserve pays",
    "liquidated",
    "all left",
)
"""What 60 examples get to, however they fall."""
REACHED_IN_TIME = (
    "rebalance: clip",
    "rebalance: fallback",
    "pay by nav",
    "wiped out",
    "close_minting",
    "allocate",
    "refused: mint: leveraged_token: mint closed",
    "refused: rebalance: leveraged_token: tiny fill",
    "refused: rebalance: leveraged_token: not to be raised",
    "refused: rebalance: oracle_guard: refused",
)
"""What 1,000 do."""


def play(stages: list[Stage], examples: int, **more: object) -> Counter[str]:
    """Play so many examples; what was reached, and how often."""
    seen: Counter[str] = Counter()
    machine = type("Machine", (Stateful,), {"stages": stages, "seen": seen})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(machine, settings=chosen)
    return seen


def profile() -> str:
    """The Hypothesis profile of this run."""
    return settings.get_current_profile_name()


def test_no_sequence_of_acts_breaks_a_property() -> None:
    """Scenario: any. Property: what `play`, `settling` and `refusals` state, after each step."""
    seen = play(build(), EXAMPLES[profile()])
    for name, count in sorted(seen.items()):
        print(f"{count:7,} {name}")  # noqa: T201 (with -s: what was reached)
    wanted = REACHED if profile() == "ci" else REACHED + REACHED_IN_TIME
    assert not [name for name in wanted if not seen[name]], "too little was reached"


@pytest.mark.skipif("profile() == 'ci'", reason="by hand: --hypothesis-profile thorough")
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_fault_is_found(mutant: Mutant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenario: a fault in a copy of the contracts. Property: a check fails, in 1,000 examples."""
    monkeypatch.setattr(series, "CONTRACTS", mutant.write(tmp_path))
    with pytest.raises(AssertionError):
        play(build(), EXAMPLES["thorough"], phases=[Phase.generate], database=None)
