"""The stages of the stateful test: a token of each kind on its own world, deployed once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa
from boa.environment import Env

from support.chain.series import Fund, ReserveTerms, Terms
from support.chain.world import Setting, World


@dataclass(frozen=True)
class Case:
    """What is deployed: each field as the classes that it is passed to have it."""

    name: str
    setting: dict[str, Any]
    terms: dict[str, Any]
    reserve: dict[str, Any]


EDGE = {"to_edge": True, "edge_slack": "0.05"}
FEES = {"creation_bps": 30, "redemption_bps": 20, "reserve_share_bps": 10_000}
FUNDED, POOR = {"initial": 1_000}, {"initial": 0}
CASES = (
    Case("long, 18/6", {}, {"long": True}, FUNDED),
    Case(
        "long to the edge, USDC first, fees, no reserve",
        {"underlying_first": False},
        {"long": True, **EDGE, **FEES},
        POOR,
    ),
    Case("short to the edge, 18/6", {}, {"long": False, **EDGE, **FEES}, FUNDED),
    Case("short, USDC first, no reserve", {"underlying_first": False}, {"long": False}, POOR),
    Case(
        "long, 8/18, clips, a small reserve",
        {"underlying_decimals": 8, "quote_decimals": 18, "underlying_first": False},
        {"long": True, "max_trade_notional": 4_000, "cooldown": 60},
        {"initial": Fraction(1, 2)},
    ),
    Case(
        "short, 8/6, an adaptive rate, clips",
        {"underlying_decimals": 8, "quote_decimals": 6, "rate": "AdaptingRate"},
        {"long": False, "max_trade_notional": 4_000, "fallback_after": 3_600, **FEES},
        {"initial": 2},
    ),
    Case(
        "long, 6/18, an adaptive rate, a tight tolerance",
        {"underlying_decimals": 6, "quote_decimals": 18, "rate": "AdaptingRate"},
        {"long": True, "tolerance_normal": "0.001", "fallback_after": 3_600, **EDGE},
        {"initial": 20},
    ),
    Case(
        "short, 6/6, a pool of 0.3 %",
        {"underlying_decimals": 6, "quote_decimals": 6, "pool_fee": 3_000},
        {"long": False, "tolerance_normal": "0.006"},
        {"initial": Fraction(1, 5), "daily_share": "0.1"},
    ),
)


class Stage:
    """One case on a chain of its own, with nothing minted yet.

    A chain of its own, because each call costs by the contracts that there are.
    """

    def __init__(self, case: Case) -> None:
        self.case, self.env = case, Env()
        with boa.swap_env(self.env):
            self._deploy(case)

    def _deploy(self, case: Case) -> None:
        self.world = World(Setting(**case.setting))
        reserve = ReserveTerms(**case.reserve)
        self.fund = Fund(self.world, Terms(**case.terms), reserve=reserve, launch=0)
        self.token = self.fund.tokens[0]
        self.positions = list(self.world.pool.token_ids)

    @contextmanager
    def played(self) -> Iterator[None]:
        """Act on this stage; afterwards it is as it was, on the chain and in Python."""
        with boa.swap_env(self.env), self.env.anchor():
            yield
        # what is not persisted makes each later call slower, accounts that were undone too
        self.env.evm.vm.state.persist()
        self.world.pool.token_ids = list(self.positions)


def build(cases: tuple[Case, ...] = CASES) -> list[Stage]:
    """Deploy the cases."""
    return [Stage(case) for case in cases]
