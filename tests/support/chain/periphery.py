"""Router, Keeper and Lens around a fund, with what tests ask of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boa

from support.chain import deploying
from support.chain.series import CONTRACTS, MOST, Fund, Series, new_transaction, wad

if TYPE_CHECKING:
    from collections.abc import Sequence

FOREVER = 2**63
"""A deadline that no test reaches."""
NO_PERMIT = (0, 0, 0, b"\0" * 32, b"\0" * 32)


class Periphery:
    """The three contracts, and the calls that trade over the world's one pool."""

    def __init__(self, fund: Fund) -> None:
        """Deploy them, and let holder and keeper be debited by them."""
        world, self.fund, self.world = fund.world, fund, fund.world
        who, morpho = world.roles.deployer, world.morpho.address
        self.router = deploying.deploy_source(CONTRACTS / "Router.vy", morpho, sender=who)
        self.keeper = deploying.deploy_source(CONTRACTS / "Keeper.vy", sender=who)
        self.lens = deploying.deploy_source(CONTRACTS / "Lens.vy", morpho, sender=who)
        tokens = (world.underlying, world.quote, *(each.contract for each in fund.series))
        for token in tokens:
            for role in (world.roles.holder, world.roles.keeper, world.roles.attacker):
                world.approve(token, role, self.router, self.keeper)

    @property
    def way(self) -> list[Any]:
        """The one pool."""
        return [self.world.pool.address]

    def mint(
        self,
        series: Series,
        tokens: Any,
        asset: Any,
        most: int = MOST,
        who: Any = None,
        permit: Any = NO_PERMIT,
        deadline: int = FOREVER,
        pools: Sequence[Any] | None = None,
    ) -> int:
        """Mint whole tokens with one asset."""
        new_transaction()
        who = who or self.world.roles.holder
        pools = self.way if pools is None else pools
        return self.router.mint(
            series.address,
            wad(tokens),
            asset.address,
            most,
            pools,
            who,
            deadline,
            permit,
            sender=who,
        )

    def redeem(
        self,
        series: Series,
        tokens: Any,
        asset: Any,
        least: int = 0,
        who: Any = None,
        permit: Any = NO_PERMIT,
        deadline: int = FOREVER,
        pools: Sequence[Any] | None = None,
    ) -> int:
        """Redeem whole tokens for one asset."""
        new_transaction()
        who = who or self.world.roles.holder
        pools = self.way if pools is None else pools
        return self.router.redeem(
            series.address,
            wad(tokens),
            asset.address,
            least,
            pools,
            who,
            deadline,
            permit,
            sender=who,
        )

    def take(self, series: Series, most: int = MOST, least_profit: int = 0) -> int:
        """Take a fill over the pool; gives the profit."""
        new_transaction()
        who = self.world.roles.keeper
        return self.keeper.take(
            series.address, self.way, most, least_profit, who, FOREVER, sender=who
        )

    def take_largest(self, series: Series, budget: int = 0, least_profit: int = 0) -> Any:
        """Level the pool, and take the largest fill that pays."""
        new_transaction()
        who = self.world.roles.keeper
        return self.keeper.take_largest(
            series.address, self.way, budget, least_profit, who, FOREVER, sender=who
        )

    def nothing_kept(self) -> bool:
        """Whether none of them holds an asset, a token or the native coin."""
        world = self.world
        tokens = (world.underlying, world.quote, *(each.contract for each in self.fund.series))
        ours = (self.router, self.keeper, self.lens)
        return not any(
            token.balanceOf(one.address) for one in ours for token in tokens
        ) and not any(boa.env.get_balance(one.address) for one in ours)
