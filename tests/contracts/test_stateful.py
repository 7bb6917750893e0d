"""Stateful fuzzing on real Morpho and Uniswap: every role, in any order, judged after each step."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from support.chain.machine import Stateful
from support.chain.stages import build

if TYPE_CHECKING:
    from support.chain.stages import Stage

EXAMPLES = {"ci": 60, "thorough": 1_000}
STEPS = 20


@pytest.fixture(scope="session")
def stages() -> list[Stage]:
    """All stages, deployed once."""
    return build()


def test_no_sequence_of_acts_breaks_a_property(stages: list[Stage]) -> None:
    """Scenario: any. Property: the docstrings of `play` and `settling`, after each step."""
    seen: Counter[str] = Counter()
    machine = type("Machine", (Stateful,), {"stages": stages, "seen": seen})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[settings.get_current_profile_name()],
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
    for name, count in sorted(seen.items()):
        print(f"{count:7,} {name}")
