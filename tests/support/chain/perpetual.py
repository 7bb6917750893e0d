"""A peer in the bill for gas: a market of Perpetual v2 on a real Uniswap v3 pool, in USDC."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any

import boa

from support.chain.counterparties import code
from support.chain.deploying import at, deploy_double
from support.chain.pool import NEVER
from support.chain.ticks import SPACING, sqrt_price_of
from support.chain.world import TRIES, World

WAD = 10**18
FEE = 3_000
OBSERVATIONS = 300
REACH = 6_000
"""Ticks of liquidity on each side of the price: a factor of 1.8."""
DEPTH = 5_000
"""Whole underlyings a side that the liquidity provider offers at most."""
COLLATERALS = (5, 750_000, 500_000, 2_000, 30_000, 10_000 * 10**6, 500 * 10**6)
"""Of the collateral manager: as deployed, ratios in millionths."""
NO_REFERRAL = b"\0" * 32


class Perpetual:
    """Perpetual v2's contracts around one market, and the one call of a step up or down."""

    def __init__(self, world: World) -> None:
        """Deploy and wire it as its own deployment does, with liquidity, at the world's price."""
        self.world = world
        self.owner = world.roles.deployer
        self._tokens()
        self._pool()
        self._clearing()
        for role in (world.roles.liquidity_provider, world.roles.holder):
            world.approve(world.quote, role, self.vault)
        boa.env.time_travel(seconds=3_600)
        self._add_liquidity()

    def _made(self, name: str, *args: Any) -> Any:
        contract = self.world.deploy(name)
        contract.initialize(*args, sender=self.owner)
        return contract

    def _tokens(self) -> None:
        """The virtual base must have the lower address of the two."""
        feed = deploy_double("MarkFeed", int(self.world.feed_price * WAD), sender=self.owner)
        self.base = self._made("BaseToken", "vETH", "vETH", feed.address)
        for _ in range(TRIES):
            self.quote = self._made("QuoteToken", "vUSD", "vUSD")
            if int(self.base.address, 16) < int(self.quote.address, 16):
                return
        raise AssertionError("no virtual quote was deployed above the base")

    def _pool(self) -> None:
        self.factory = self.world.deploy("UniswapV3Factory")
        base, quote = self.base.address, self.quote.address
        address = self.factory.createPool(base, quote, FEE, sender=self.owner)
        self.pool = at("UniswapV3Pool", code("UniswapV3Pool").abi, address)
        self.pool.initialize(sqrt_price_of(self.world.feed_price), sender=self.owner)
        self.pool.increaseObservationCardinalityNext(OBSERVATIONS, sender=self.owner)

    def _clearing(self) -> None:
        settings = self._made("ClearingHouseConfig")
        self.registry = self._made("MarketRegistry", self.factory.address, self.quote.address)
        book = self._made("OrderBook", self.registry.address)
        exchange = self._made("Exchange", self.registry.address, book.address, settings.address)
        insurance = self._made("InsuranceFund", self.world.quote.address)
        accounts = self._made("AccountBalance", settings.address, book.address)
        parts = (insurance.address, settings.address, accounts.address, exchange.address)
        self.vault = self._made("Vault", *parts)
        manager = self._made(
            "CollateralManager", settings.address, self.vault.address, *COLLATERALS
        )
        self.house = self._made(
            "ClearingHouse",
            settings.address,
            self.vault.address,
            self.quote.address,
            self.factory.address,
            exchange.address,
            accounts.address,
            insurance.address,
        )
        self.accounts = accounts
        house = self.house.address
        for call, *args in (
            (book.setExchange, exchange.address),
            (insurance.setVault, self.vault.address),
            (self.vault.setCollateralManager, manager.address),
            (settings.setSettlementTokenBalanceCap, 2**256 - 1),
            *((part.setClearingHouse, house) for part in (self.registry, book, exchange, accounts)),
            (self.vault.setClearingHouse, house),
            *((token.mintMaximumTo, house) for token in (self.quote, self.base)),
            *((token.addWhitelist, house) for token in (self.quote, self.base)),
            *((token.addWhitelist, self.pool.address) for token in (self.quote, self.base)),
            (exchange.setAccountBalance, accounts.address),
            (accounts.setVault, self.vault.address),
            (self.registry.setMaxOrdersPerMarket, 100),
            (self.registry.addPool, self.base.address, FEE),
            (exchange.setMaxTickCrossedWithinBlock, self.base.address, 1_000),
        ):
            call(*args, sender=self.owner)

    def _add_liquidity(self) -> None:
        provider, spacing = self.world.roles.liquidity_provider, SPACING[FEE]
        self.deposit(int(2 * DEPTH * self.world.feed_price), provider)
        tick = self.pool.slot0()[1]
        low, high = (floor((tick + side) / spacing) * spacing for side in (-REACH, REACH))
        most = (DEPTH * WAD, int(DEPTH * self.world.feed_price) * WAD)
        asked = (self.base.address, *most, low, high, 0, 0, False, NEVER)
        self.house.addLiquidity(asked, sender=provider)

    def deposit(self, whole: int, who: Any) -> None:
        """Put whole USDC up as margin."""
        self.vault.deposit(self.world.quote.address, whole * 10**6, sender=who)

    def position(self, who: Any) -> int:
        """Units held, times 10**18."""
        return self.accounts.getTotalPositionSize(who, self.base.address)

    def _trade(self, whole: int, who: Any, *, sells: bool) -> Callable[[], Any]:
        exact_input = not sells
        asked = (self.base.address, sells, exact_input, whole * WAD, 0, NEVER, 0, NO_REFERRAL)
        return lambda: self.house.openPosition(asked, sender=who)

    def up(self, whole: int, who: Any) -> list[Callable[[], Any]]:
        """The one call that raises a long's leverage by so many whole dollars of notional."""
        return [self._trade(whole, who, sells=False)]

    def down(self, whole: int, who: Any) -> list[Callable[[], Any]]:
        """The one call that lowers it."""
        return [self._trade(whole, who, sells=True)]
