"""The stages of the stateful test: funds of two series on worlds of their own, deployed once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import boa
from boa.environment import Env

from support.chain.series import CONTRACTS, WAD, Fund, Protocol, Terms
from support.chain.world import Setting, World


@dataclass(frozen=True)
class Case:
    """What is deployed: each field as the classes that it is passed to have it."""

    name: str
    setting: dict[str, Any]
    terms: tuple[Terms, ...]
    common: int = 0


CASES = (
    Case(
        "a long and a short as suggested",
        {},
        (Terms(injects=2), Terms(long=False, injects=2)),
        WAD,
    ),
    Case(
        "to the edge, in clips, each day; a small reserve; an adapting rate",
        {"rate": "AdaptingRate"},
        (
            Terms(to_edge=True, edge_slack="0.05", largest_clip=4_000, injects="0.12"),
            Terms(long=False, daily_at=3_600, fallback_after=3 * 86_400, injects="0.12"),
        ),
    ),
    Case(
        "assets of 8 and 18 decimals, a small series beside",
        {"underlying_decimals": 8, "quote_decimals": 18},
        (Terms(injects="0.3"), Terms(tokens=10, injects="0.3")),
        10**8,
    ),
)


class Stage:
    """One case on a chain of its own, because each call costs by the contracts that there are."""

    def __init__(self, case: Case, folder: Path = CONTRACTS) -> None:
        self.case, self.env = case, Env()
        with boa.swap_env(self.env):
            self.world = World(Setting(liquidity=Fraction(20_000), **case.setting))
            protocol = Protocol(self.world, folder=folder)
            self.fund = Fund(
                self.world, *case.terms, common=case.common, protocol=protocol, lent=10**8
            )
            for series in self.fund.series:
                creator = self.world.roles.deployer
                self.world.approve(series.loan, creator, series.contract)
        self.positions = list(self.world.pool.token_ids)

    @contextmanager
    def played(self) -> Iterator[None]:
        """Act on this stage; afterwards it is as it was, on the chain and in Python."""
        with boa.swap_env(self.env), self.env.anchor():
            yield
        # what is not persisted makes each later call slower, accounts that were undone too
        self.env.evm.vm.state.persist()
        self.world.pool.token_ids = list(self.positions)


def build(folder: Path = CONTRACTS, cases: tuple[Case, ...] = CASES) -> list[Stage]:
    """Deploy the cases, from a folder of contracts."""
    return [Stage(case, folder) for case in cases]
