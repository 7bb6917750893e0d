"""Whole lives of a keeper under a seed: whatever fails, no law breaks, and each planted fault does.

A seed that fails is printed, and told in words by ``python -m support.keeper_sim.repeat SEED``.
"""

from __future__ import annotations

import pytest

from support.keeper_sim.plants import PLANTS, planted
from support.keeper_sim.repeat import RARE, shares
from support.keeper_sim.world import live

SEEDS = 200
PARTS = 8
MOST = 500
"""Seeds within which each planted fault has to be found."""


@pytest.mark.parametrize("part", range(PARTS))
def test_no_law_breaks_in_any_life(part: int) -> None:
    """No order lost or doubled, books equal to the venue's, and the journal's proofs hold."""
    lives = [live(seed) for seed in range(part, SEEDS, PARTS)]
    broken = [f"seed {life.seed}: {life.broken}" for life in lives if life.broken is not None]
    assert not broken, broken
    rare = shares(lives)
    assert all(rare[name] >= 0.1 for name in RARE), rare


def test_a_seed_repeats_exactly() -> None:
    """The same seed gives the same history, word for word."""
    assert live(3, is_told=True).lines == live(3, is_told=True).lines


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found(name: str) -> None:
    """The simulator finds each of these faults of a keeper within 500 seeds."""
    with planted(name):
        assert any(live(seed).broken is not None for seed in range(MOST))
