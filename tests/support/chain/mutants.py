"""Faults put into copies of the contracts, each of which the stateful test has to find."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from support.chain.series import CONTRACTS


class Mutant(NamedTuple):
    """A fault: in which file, and what is written there instead of what, each once."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]

    def write(self, folder: Path) -> Path:
        """A copy of the contracts with the fault in it."""
        copy = folder / "contracts"
        shutil.copytree(CONTRACTS, copy)
        path = copy / self.file
        text = path.read_text(encoding="utf-8")
        for was, becomes in self.changes:
            assert text.count(was) == 1, f"{self.name}: {was!r} is not in the source once"
            text = text.replace(was, becomes)
        path.write_text(text, encoding="utf-8")
        return copy


WHOLE, RESERVE, PAYMENTS = "LeveragedToken.vy", "Reserve.vy", "reserve_payments.vy"
FIRST = """\
        morpho_position._withdraw(market, legs.out, deal.receiver)
        morpho_position._pull(market.loanToken, msg.sender, legs.owes)
        morpho_position._repay(market, legs.repaid, 0, b"")
"""
"""A lowering that withdraws first."""
RESCUED = "        self._rescues[msg.sender] = (used + counted) << 64 | block.timestamp\n"
TOO_MUCH = """\
    whole = whole * 103 // 100
    most: uint256 = whole
"""
AGE = """\
    if now - base.updated > config.base_age or now - quote.updated > config.quote_age:
        return price_, 0, 0
"""
MUTANTS = (
    Mutant(
        "C1: the reserve pays per notional, as often as it is asked",
        PAYMENTS,
        (("        counted = reserve_account._within(what.amount, most, paid)\n",
          "        counted = what.amount\n"),),
    ),
    Mutant(
        "C1: the reserve follows the supply of the moment",
        PAYMENTS,
        (("    counts: uint256 = min(what.mean_day, what.supply)\n    weighted",
          "    counts: uint256 = what.supply\n    weighted"),),
    ),
    Mutant(
        "H1: the level is measured by the nav of the moment",
        "reserve_health.vy",
        (("    return nav * mean_week // max(supply, 1)", "    return nav"),),
    ),
    Mutant(
        "the means follow the supply at once",
        "supply_mean.vy",
        (("    return (unsafe_mul(mean, over) + supply * elapsed) // (over + elapsed)",
          "    return supply"),),
    ),
    Mutant(
        "a fill withdraws before it repays",
        "auction_fill.vy",
        (("        morpho_position._repay(market, legs.repaid, 0, told)\n", FIRST),),
    ),
    Mutant(
        "a clock is never void",
        "auction_clock.vy",
        ((" and now <= ends and facts.opened_up == up", ""),),
    ),
    Mutant(
        "an exit has no fee",
        WHOLE,
        (("    fee: uint256 = self._fee(collateral, config)\n    collateral -= fee\n",
          "    fee: uint256 = 0\n    collateral -= fee\n"),),
    ),
    Mutant(
        "a mint rounds the collateral down",
        WHOLE,
        (("    collateral: uint256 = auction._div_up(position.collateral * tokens, supply)\n",
          "    collateral: uint256 = position.collateral * tokens // supply\n"),),
    ),
    Mutant(
        "a redemption rounds the debt down",
        WHOLE,
        (("    shares: uint256 = auction._div_up(position.shares * tokens, supply)\n",
          "    shares: uint256 = position.shares * tokens // supply\n"),),
    ),
    Mutant(
        "a fill trades too much, and goes across",
        "Decision.vy",
        (("    most: uint256 = whole\n",
          TOO_MUCH),),
    ),
    Mutant(
        "a suspension is not heard",
        RESERVE,
        (('        assert not suspended_, "reserve: raising is suspended"\n', ""),),
    ),
    Mutant(
        "an account pays without its books",
        PAYMENTS,
        (("        held -= due\n        reserve_books._keep(msg.sender, word, held)\n", ""),),
    ),
    Mutant(
        "a rescue knows no day",
        PAYMENTS,
        ((RESCUED, "        pass\n"),),
    ),
    Mutant(
        "an old answer is acted on",
        "Oracle.vy",
        ((AGE, ""),),
    ),
)  # fmt: skip
