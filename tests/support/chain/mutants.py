"""Faults put into copies of the contracts, each of which the stateful test has to find."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from support.chain import series


class Mutant(NamedTuple):
    """A fault: in which file, and what is written there instead of what, each once."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]

    def write(self, folder: Path) -> Path:
        """A copy of the contracts with the fault in it."""
        copy = folder / "contracts"
        shutil.copytree(series.CONTRACTS, copy)
        path = copy / self.file
        text = path.read_text(encoding="utf-8")
        for was, becomes in self.changes:
            assert text.count(was) == 1, f"{self.name}: {was!r} is not in the source once"
            text = text.replace(was, becomes)
        path.write_text(text, encoding="utf-8")
        return copy


WHOLE = "LeveragedToken.vy"
MUTANTS = (
    Mutant(
        "a mint rounds the collateral down",
        WHOLE,
        (
            (
                "collateral = self._div_up(position.collateral * tokens, supply)",
                "collateral = position.collateral * tokens // supply",
            ),
        ),
    ),
    Mutant(
        "a redemption rounds the debt down",
        WHOLE,
        (
            (
                "shares: uint256 = self._div_up(position.shares * tokens, supply)",
                "shares: uint256 = position.shares * tokens // supply",
            ),
        ),
    ),
    Mutant(
        "the reserve knows no day",
        "Reserve.vy",
        (("| (left - paid) << 112", "| left << 112"),),
    ),
    Mutant(
        "a rebalance trades too much, and goes across",
        WHOLE,
        (
            ("    size: uint256 = plan.size\n", "    size: uint256 = plan.size * 103 // 100\n"),
            ('    assert arrived or up == plan.up, "leveraged_token: across"\n', ""),
        ),
    ),
    Mutant(
        "the first mint locks one token unit",
        WHOLE,
        (
            (
                "locked: uint256 = self._div_up(units * WAD, CONFIG.initial_nav)",
                "locked: uint256 = 1",
            ),
        ),
    ),
    Mutant(
        "the tolerance is doubled",
        "oracle_guard.vy",
        (
            (
                "room: uint256 = tolerance - POOL_FEE",
                "room: uint256 = 2 * tolerance - POOL_FEE",
            ),
        ),
    ),
    Mutant(
        "pay without progress",
        WHOLE,
        (
            ("                    moved,\n", "                    moved * 20,\n"),
            ("moved * MAX_PAY // WAD,", "moved,"),
        ),
    ),
    Mutant(
        "a redemption in kind is of a little more",
        WHOLE,
        (
            (
                "collateral: uint256 = position.collateral * tokens // supply\n",
                "collateral: uint256 = position.collateral * tokens // supply + 1\n",
            ),
        ),
    ),
    Mutant(
        "a suspension is not heard",
        WHOLE,
        (("            suspended\n            or plan.most", "            plan.most"),),
    ),
    Mutant(
        "an old answer is traded on",
        "oracle_guard.vy",
        (
            (
                "return updated <= block.timestamp and updated + MAX_AGE >= block.timestamp",
                "return updated <= block.timestamp",
            ),
        ),
    ),
)
