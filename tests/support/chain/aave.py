"""A peer in the bill for gas: Aave v3 with the world's two tokens, levered by separate calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.chain.world import World

RAY = 10**27
NEVER_EXPIRES = 2**256 - 1
VARIABLE = 2
ZERO = "0x" + "00" * 20
CAP = {"ltv": 8_000, "threshold": 8_250, "bonus": 10_500, "reserve_factor": 1_000}
"""In basis points, as Aave has WETH."""


class Aave:
    """The pool of Aave v3, its two reserves, and the three calls of a step up or down."""

    def __init__(self, world: World) -> None:
        """Deploy and wire it as its own deployment does; prices are the world's at this moment."""
        self.world = world
        self.tokens = {"WETH": world.underlying, "USDC": world.quote}
        owner = world.roles.deployer
        provider = world.deploy("PoolAddressesProvider", "steelyard", owner)
        provider.setACLAdmin(owner, sender=owner)
        rights = world.deploy("ACLManager", provider.address)
        provider.setACLManager(rights.address, sender=owner)
        for grant in (rights.addPoolAdmin, rights.addRiskAdmin, rights.addAssetListingAdmin):
            grant(owner, sender=owner)
        self._set_prices(provider, owner)
        self._set_pool(provider, owner)
        self._list(owner)
        for role in (world.roles.holder, world.roles.lender):
            for token in self.tokens.values():
                world.approve(token, role, self.pool)

    def _set_prices(self, provider: Any, owner: Any) -> None:
        prices = (int(self.world.feed_price * 10**8), 10**8)
        feeds = [self.world.deploy("MockAggregator", price).address for price in prices]
        assets = [token.address for token in self.tokens.values()]
        oracle = self.world.deploy("AaveOracle", provider.address, assets, feeds, ZERO, ZERO, 10**8)
        provider.setPriceOracle(oracle.address, sender=owner)

    def _set_pool(self, provider: Any, owner: Any) -> None:
        from support.chain.deploying import at

        logic = self.world.deploy("Pool", provider.address)
        logic.initialize(provider.address, sender=owner)
        provider.setPoolImpl(logic.address, sender=owner)
        self.pool = at("Pool", logic.abi, provider.getPool())
        configurator = self.world.deploy("PoolConfigurator")
        provider.setPoolConfiguratorImpl(configurator.address, sender=owner)
        proxy = provider.getPoolConfigurator()
        self.configurator = at("PoolConfigurator", configurator.abi, proxy)
        data = self.world.deploy("AaveProtocolDataProvider", provider.address)
        provider.setPoolDataProvider(data.address, sender=owner)
        curve = (80 * RAY // 100, 0, 4 * RAY // 100, 75 * RAY // 100)
        stable = (RAY // 100, RAY // 100, RAY // 100, RAY // 100, 20 * RAY // 100)
        self.rates = self.world.deploy(
            "DefaultReserveInterestRateStrategy", provider.address, *curve, *stable
        )

    def _list(self, owner: Any) -> None:
        kinds = ("AToken", "StableDebtToken", "VariableDebtToken")
        logics = [self.world.deploy(kind, self.pool.address).address for kind in kinds]
        asked = [
            (
                *logics,
                token.decimals(),
                self.rates.address,
                token.address,
                owner,
                ZERO,
                *(f"{prefix}{symbol}" for prefix in ("a", "a", "v", "v", "s", "s")),
                b"\x10",
            )
            for symbol, token in self.tokens.items()
        ]
        self.configurator.initReserves(asked, sender=owner)
        caps = (CAP["ltv"], CAP["threshold"], CAP["bonus"])
        for token in self.tokens.values():
            change = self.configurator
            change.configureReserveAsCollateral(token.address, *caps, sender=owner)
            change.setReserveBorrowing(token.address, True, sender=owner)
            change.setReserveFactor(token.address, CAP["reserve_factor"], sender=owner)

    def supply(self, token: Any, amount: int, who: Any) -> None:
        """Supply a raw amount as collateral, or for others to borrow."""
        self.pool.supply(token.address, amount, who, 0, sender=who)

    def up(self, borrowed: int, who: Any) -> list[Callable[[], Any]]:
        """The calls that raise a long's leverage: borrow, swap, supply what came of it."""
        weth, usdc = self.tokens.values()
        bought: list[int] = []
        return [
            lambda: self.pool.borrow(usdc.address, borrowed, VARIABLE, 0, who, sender=who),
            lambda: bought.append(self.world.pool.swap(usdc, borrowed, who=who)),
            lambda: self.supply(weth, bought[0], who),
        ]

    def down(self, sold: int, who: Any) -> list[Callable[[], Any]]:
        """The calls that lower it: withdraw, swap, repay with what came of it."""
        weth, usdc = self.tokens.values()
        got: list[int] = []
        return [
            lambda: self.pool.withdraw(weth.address, sold, who, sender=who),
            lambda: got.append(self.world.pool.swap(weth, sold, who=who)),
            lambda: self.pool.repay(usdc.address, got[0], VARIABLE, who, sender=who),
        ]
