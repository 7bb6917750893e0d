"""A small world of real contracts: two tokens, a Uniswap v3 pool of them, Morpho Blue, a feed.

`Setting` says how it is; `World(Setting())` deploys it on the chain of the moment (boa's, or
anvil's inside ``with anvil() as env``). Real: Uniswap v3, Morpho Blue, WETH9, Aave's mintable
token. Doubles: the price feed, Morpho's interest model and, unless one is passed, its oracle.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import boa

from support.chain import deploying
from support.chain.lending import Lending
from support.chain.pool import Pool

START = 2_000_000_000
"""The time of the first block, ahead of any clock, so that runs are the same."""
PLENTY = 10**9
"""Whole underlyings that each role is given, and as much again in quote."""
TRIES = 64
"""Tokens deployed before the wanted order of addresses is given up."""
AGAIN = 16
"""Of them, those beside one underlying."""


class Roles(NamedTuple):
    """Who acts. Each but the deployer holds plenty of both tokens, and has approved the venues."""

    deployer: Any
    holder: Any
    keeper: Any
    attacker: Any
    liquidity_provider: Any
    lender: Any
    arbitrageur: Any


@dataclass(frozen=True)
class Setting:
    """How a world is.

    Decimals of 18 for the underlying make it WETH9, else Aave's mintable token; the quote is
    always the latter, 6 decimals for a USDC. `underlying_first`: whether it is token0.
    """

    underlying_decimals: int = 18
    quote_decimals: int = 6
    underlying_first: bool = True
    price: Fraction = Fraction(2_000)
    liquidity: Fraction = Fraction(12_500)
    """Whole underlyings a side."""
    width: float | None = None
    """Liquidity within a factor of 1 + width of the price; None: over the full range."""
    pool_fee: int = 500
    observations: int = 300
    warm_up: int = 600
    """Seconds of observations before the tests begin."""
    lltv: int = 86 * 10**16
    feed_decimals: int = 8
    rate: str = "IrmMock"
    """Morpho's mock, or AdaptingRate, which writes a slot at every accrual."""


class World:
    """The contracts of a setting, the roles, and what moves prices and time."""

    def __init__(self, setting: Setting, underlying: Any = None, quote: Any = None) -> None:
        """Deploy all of it; tokens that are passed (a hostile one) are taken as they are."""
        self.setting = setting
        self.underlying_decimals, self.quote_decimals = (
            setting.underlying_decimals,
            setting.quote_decimals,
        )
        boa.env.timestamp = max(boa.env.timestamp, START)
        self.roles = Roles(*(boa.env.generate_address(role) for role in Roles._fields))
        for role in self.roles:
            boa.env.set_balance(role, 2 * PLENTY * 10**18)
        self._tokens(underlying, quote)
        zero = "0x" + "00" * 20
        factory = self.deploy("UniswapV3Factory")
        # The wrapped ether of periphery contracts: used only for payments in ether, of which
        # there are none.
        self.positions = self.deploy("NonfungiblePositionManager", factory.address, zero, zero)
        self.router = self.deploy("SwapRouter", factory.address, zero)
        self.quoter = self.deploy("QuoterV2", factory.address, zero)
        self.morpho = self.deploy("Morpho", self.roles.deployer)
        self.irm = self._rate(setting.rate)
        answer = int(Fraction(setting.price) * 10**setting.feed_decimals)
        self.feed = deploying.deploy_double("PriceFeed", setting.feed_decimals, answer)
        self.quote_feed = deploying.deploy_double("PriceFeed", 8, 10**8)
        for role in self.roles[1:]:
            self.fund(role)
        self.pool = Pool(self, setting.pool_fee, Fraction(setting.price))
        self.pool.grow(setting.observations)
        self.pool.add(setting.liquidity, setting.width)
        self.lending = Lending(self, setting.lltv)
        self.pool.pass_time(setting.warm_up)
        self.set_feed(setting.price)

    def deploy(self, name: str, *args: Any) -> Any:
        """Deploy a counterparty as the deployer."""
        return deploying.deploy(name, *args, sender=self.roles.deployer)

    def _rate(self, name: str) -> Any:
        return self.deploy(name) if name == "IrmMock" else deploying.deploy_double(name)

    def _mintable(self, symbol: str, decimals: int) -> Any:
        return self.deploy("MintableERC20", symbol, symbol, decimals)

    def _tokens(self, underlying: Any, quote: Any) -> None:
        """Deploy what was not passed until the addresses are in the wanted order.

        One that was passed may lie at an end of the range: then the order is what it is.
        """
        for place in range(TRIES):
            if place % AGAIN == 0:
                # beside an address at an end of the range the other order may never come
                self.underlying = underlying or (
                    self.deploy("WETH9")
                    if self.underlying_decimals == 18
                    else self._mintable("UND", self.underlying_decimals)
                )
            self.quote = quote or self._mintable("USDC", self.quote_decimals)
            if self.underlying_first == self.setting.underlying_first:
                return
            if quote is not None and underlying is None:
                self.underlying = self._mintable("UND", self.underlying_decimals)
        if not underlying and not quote:
            raise AssertionError("the tokens' addresses are not in the wanted order")

    @property
    def underlying_first(self) -> bool:
        """Whether the underlying is the pool's token0."""
        return int(self.underlying.address, 16) < int(self.quote.address, 16)

    def fund(self, who: Any, share: Any = 1) -> None:
        """Give somebody plenty of both tokens, and the venues leave to take them."""
        whole = int(PLENTY * Fraction(share))
        worth = int(whole * self.setting.price)
        for token, amount in (
            (self.underlying, whole * 10**self.underlying_decimals),
            (self.quote, worth * 10**self.quote_decimals),
        ):
            if hasattr(token, "deposit"):
                token.deposit(value=amount, sender=who)
            else:
                token.mint(who, amount, sender=who)
            self.approve(token, who, self.positions, self.router, self.morpho)

    def approve(self, token: Any, who: Any, *spenders: Any) -> None:
        """Let contracts take a token from somebody without limit."""
        for spender in spenders:
            token.approve(spender.address, 2**256 - 1, sender=who)

    @property
    def feed_price(self) -> Fraction:
        """The feed's answer; read from it, so that it is undone with all else on the chain."""
        return Fraction(self.feed.answer(), 10**self.setting.feed_decimals)

    def set_feed(self, price: Any) -> None:
        """A new answer of the feed, now, and the same price at Morpho's mock oracles."""
        self.feed.update(int(Fraction(price) * 10**self.setting.feed_decimals))
        self.lending.set_price(Fraction(price))

    def refresh_feeds(self) -> None:
        """Both feeds answer again, as they did."""
        self.set_feed(self.feed_price)
        self.quote_feed.update(self.quote_feed.answer())

    def move(self, price: Any) -> None:
        """Feed and pool go to a price together."""
        self.set_feed(price)
        self.pool.move(price)

    def pass_time(self, seconds: int, every: int = 12) -> None:
        """Let time pass with observations written; the feed answers anew at the end."""
        self.pool.pass_time(seconds, every)
        self.set_feed(self.feed_price)

    def balances(self, who: Any) -> tuple[int, int]:
        """Raw underlying and raw quote of somebody."""
        return self.underlying.balanceOf(who), self.quote.balanceOf(who)

    def worth(self, who: Any, price: Any) -> Fraction:
        """What both tokens of somebody are worth in whole quote, at a price."""
        underlying, quote = self.balances(who)
        held = Fraction(underlying, 10**self.underlying_decimals)
        return held * Fraction(price) + Fraction(quote, 10**self.quote_decimals)
