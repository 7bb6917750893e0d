"""A real Uniswap v3 pool of underlying and quote, its price in quote per underlying."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
from eth_abi.packed import encode_packed
from eth_utils import keccak

from support.chain.counterparties import code
from support.chain.deploying import at, deploy_double
from support.chain.ticks import ratio_of, ratio_of_tick, sqrt_price_of, usable_range

NEVER = 2**63
"""A deadline that no test reaches."""
WITNESS = 10**6
"""Liquidity of the position that only writes observations: so many of them."""
GROWN_AT_ONCE = 300
"""Observations whose slots one transaction can pay for."""


class Pool:
    """The pool, with the swaps and the liquidity that move it.

    Prices are in whole quote per whole underlying, whichever of the two is token0.
    """

    def __init__(self, world: Any, fee: int, price: Fraction) -> None:
        self.world, self.fee = world, fee
        self.tokens = (world.underlying, world.quote)
        if not world.underlying_first:
            self.tokens = (world.quote, world.underlying)
        self.token_ids: list[int] = []
        token0, token1 = (token.address for token in self.tokens)
        address = world.positions.createAndInitializePoolIfNecessary(
            token0, token1, fee, sqrt_price_of(self.ratio(price)), sender=world.roles.deployer
        )
        self.contract = at("UniswapV3Pool", code("UniswapV3Pool").abi, address)
        self.address = self.contract.address
        self.witness = self._witness()

    def _witness(self) -> Any:
        """A position at any price, too small to matter, whatever becomes of the others."""
        ends = usable_range(self.tick, self.fee, None)
        witness = deploy_double("Witness", self.address, *ends)
        # At any price both amounts of so much liquidity are below what the role holds.
        for token in self.tokens:
            amount = token.balanceOf(self.world.roles.liquidity_provider) // 1_000
            token.transfer(witness.address, amount, sender=self.world.roles.liquidity_provider)
        witness.begin(WITNESS)
        return witness

    def ratio(self, price: Fraction) -> Fraction:
        """The raw ratio token1 / token0 at a price of the underlying in quote."""
        raw = Fraction(price) * 10**self.world.quote_decimals / 10**self.world.underlying_decimals
        return raw if self.world.underlying_first else 1 / raw

    def _price(self, ratio: Fraction) -> Fraction:
        raw = ratio if self.world.underlying_first else 1 / ratio
        return raw * 10**self.world.underlying_decimals / 10**self.world.quote_decimals

    @property
    def price(self) -> Fraction:
        """Quote per underlying at this moment."""
        return self._price(ratio_of(self.contract.slot0()[0]))

    @property
    def tick(self) -> int:
        """The pool's tick at this moment."""
        return self.contract.slot0()[1]

    def twap(self, seconds: int) -> Fraction:
        """The mean price of the last seconds as `observe` gives it: of the mean tick."""
        (then, now), _ = self.contract.observe([seconds, 0])
        return self._price(ratio_of_tick((now - then) / seconds))

    def grow(self, observations: int) -> None:
        """Make room for so many observations."""
        for cardinality in [*range(GROWN_AT_ONCE, observations, GROWN_AT_ONCE), observations]:
            self.contract.increaseObservationCardinalityNext(
                cardinality, sender=self.world.roles.deployer
            )

    def add(self, underlying: Any, width: float | None = None, who: Any = None) -> int:
        """Add so much liquidity a side, full range or a factor of 1 + width around; its id."""
        who = who or self.world.roles.liquidity_provider
        amounts = [
            int(underlying * 10**self.world.underlying_decimals),
            int(underlying * self.price * 10**self.world.quote_decimals),
        ]
        if not self.world.underlying_first:
            amounts.reverse()
        low, high = usable_range(self.tick, self.fee, width)
        token0, token1 = (token.address for token in self.tokens)
        wanted = (token0, token1, self.fee, low, high, *amounts, 0, 0, who, NEVER)
        token_id = self.world.positions.mint(wanted, sender=who)[0]
        self.token_ids.append(token_id)
        return token_id

    def remove(self, share: Any = 1, token_id: int | None = None, who: Any = None) -> None:
        """Take out a share of one position's liquidity (the first's), fees and all."""
        who = who or self.world.roles.liquidity_provider
        token_id = self.token_ids[0] if token_id is None else token_id
        liquidity = int(self.world.positions.positions(token_id)[7] * Fraction(share))
        self.world.positions.decreaseLiquidity((token_id, liquidity, 0, 0, NEVER), sender=who)
        most = 2**128 - 1
        self.world.positions.collect((token_id, who, most, most), sender=who)

    def swap(self, token_in: Any, amount: int, limit: int = 0, who: Any = None) -> int:
        """Sell a raw amount of one token for the other through the router; gives what came."""
        who = who or self.world.roles.arbitrageur
        token_out = self.tokens[token_in.address == self.tokens[0].address]
        asked = (token_in.address, token_out.address, self.fee, who, NEVER, amount, 0, limit)
        return self.world.router.exactInputSingle(asked, sender=who)

    def move(self, price: Any, who: Any = None) -> None:
        """Swap until the pool's price is this one; raises where the swapper cannot pay for it."""
        who = who or self.world.roles.arbitrageur
        limit = sqrt_price_of(self.ratio(Fraction(price)))
        now = self.contract.slot0()[0]
        if limit == now:
            return
        # Token0 sold moves the square root price down, token1 sold moves it up.
        token_in = self.tokens[limit > now]
        self.swap(token_in, token_in.balanceOf(who), limit, who)
        if self.contract.slot0()[0] != limit:
            raise AssertionError(f"the swap to {float(price)} stopped at {float(self.price)}")

    def leave(self) -> None:
        """Take out the witness too: then there may be no liquidity at all, nor observations."""
        low, high = usable_range(self.tick, self.fee, None)
        witness = self.witness.address
        key = keccak(encode_packed(["address", "int24", "int24"], [witness, low, high]))
        liquidity = self.contract.positions(key)[0]
        self.contract.burn(low, high, liquidity, sender=witness)

    def observe(self) -> None:
        """Write an observation now: one unit of the witness's liquidity is taken out."""
        self.witness.observe()

    def pass_time(self, seconds: int, every: int = 12) -> None:
        """Let time pass, an observation written after each interval and at the end."""
        while seconds > 0:
            step = min(every, seconds)
            boa.env.time_travel(seconds=step)
            self.observe()
            seconds -= step
