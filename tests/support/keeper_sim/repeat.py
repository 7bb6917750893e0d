"""Repeats simulated lives of the keeper: many for a count, one for its history in words.

PYTHONPATH=src:tests python -m support.keeper_sim.repeat 17             (the history of seed 17)
PYTHONPATH=src:tests python -m support.keeper_sim.repeat 0-20000        (a long run)
PYTHONPATH=src:tests python -m support.keeper_sim.repeat 0-500 --plant "looked up once only"
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from support.keeper_sim.plants import PLANTS, planted
from support.keeper_sim.world import Life, live

__all__ = ["main", "shares"]

RARE = ("clips", "partly", "torn", "lag")
"""Clips, partial fills, torn commits, lag: each in at least a tenth of the seeds."""


def shares(lives: list[Life]) -> dict[str, float]:
    """In which share of lives each of the rare things was there."""
    return {name: sum(name in life.counts for life in lives) / len(lives) for name in RARE}


def main(arguments: list[str] | None = None) -> int:
    """Repeat what the arguments say; 1 where a law broke."""
    parser = argparse.ArgumentParser(prog="repeat", description=__doc__.partition("\n")[0])
    parser.add_argument("seeds", help="one seed, or FROM-TO (TO is left out)")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="a fault to be found")
    parser.add_argument("--minutes", type=int, default=12, help="of each life")
    given = parser.parse_args(arguments)
    first, dash, last = given.seeds.partition("-")
    if not dash:
        return _one(int(first), given.minutes, given.plant)
    return _many(range(int(first), int(last)), given.minutes, given.plant)


def _one(seed: int, minutes: int, plant: str | None) -> int:
    with planted(plant):
        life = live(seed, minutes, is_told=True)
    print("\n".join(life.lines))
    print(f"seed {seed}: {life.steps} steps, {life.broken or 'every law held'}")
    return int(life.broken is not None)


def _many(seeds: range, minutes: int, plant: str | None) -> int:
    started, lives, total, broken = time.process_time(), list[Life](), Counter[str](), 0
    for seed in seeds:
        with planted(plant):
            life = live(seed, minutes)
        lives.append(life)
        total.update(life.counts)
        if life.broken is not None:
            broken += 1
            print(f"seed {seed}: {life.broken}")
    spent, steps = time.process_time() - started, sum(life.steps for life in lives)
    print(
        f"{len(lives)} seeds, {broken} broken; {steps:,} steps, {steps / spent:,.0f} a CPU second"
    )
    print("in which share of the seeds:", {name: f"{x:.0%}" for name, x in shares(lives).items()})
    print("how often:", dict(sorted(total.items())))
    return int(broken > 0)


if __name__ == "__main__":
    raise SystemExit(main())
