"""Markets of a real Morpho Blue, and the positions in them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from eth_abi import encode
from eth_utils import keccak

VIRTUAL_ASSETS, VIRTUAL_SHARES = 1, 10**6
"""Morpho's own, against inflation of its shares."""


class Market(NamedTuple):
    """A market, its fields in the order of Morpho's MarketParams: pass ``tuple(market)``."""

    loan: str
    collateral: str
    oracle: str
    irm: str
    lltv: int

    @property
    def id(self) -> bytes:
        """What Morpho calls the market by."""
        return keccak(encode(["(address,address,address,address,uint256)"], [tuple(self)]))


class Position(NamedTuple):
    """Raw collateral, raw debt (up to the market's last accrual, rounded up) and its shares."""

    collateral: int
    debt: int
    shares: int


class Lending:
    """Morpho and the markets made in it.

    An oracle that is asked for is Morpho's own mock, which `World.set_feed` keeps at the feed's
    price; tests of our adapter pass the adapter.
    """

    def __init__(self, world: Any, lltv: int) -> None:
        self.world, self.lltv = world, lltv
        self.morpho = world.morpho
        self.mocks: list[tuple[Any, bool]] = []
        owner = world.roles.deployer
        self.morpho.enableIrm(world.irm.address, sender=owner)
        self.morpho.enableLltv(lltv, sender=owner)

    def tokens(self, *, long: bool) -> tuple[Any, Any]:
        """Collateral and debt: a long holds the underlying and owes quote, a short the reverse."""
        pair = (self.world.underlying, self.world.quote)
        return pair if long else pair[::-1]

    def oracle_price(self, price: Any, *, long: bool) -> int:
        """Morpho's price: raw debt per raw collateral, times 10**36, rounded down."""
        underlying = Fraction(10**self.world.underlying_decimals)
        raw = Fraction(price) * 10**self.world.quote_decimals / underlying
        return int((raw if long else 1 / raw) * 10**36)

    def market(self, *, long: bool, lent: Any = 0, oracle: Any = None) -> Market:
        """Create the market of a long or a short; the lender lends so many whole loan tokens."""
        collateral, loan = self.tokens(long=long)
        if oracle is None:
            oracle = self.world.deploy("OracleMock")
            self.mocks.append((oracle, long))
            self.set_price(self.world.feed_price)
        market = Market(
            loan.address,
            collateral.address,
            oracle.address,
            self.world.irm.address,
            self.lltv,
        )
        self.morpho.createMarket(tuple(market), sender=self.world.roles.deployer)
        if lent:
            self.lend(market, int(lent * 10 ** loan.decimals()))
        return market

    def set_price(self, price: Any) -> None:
        """Put every mock oracle at a price."""
        for oracle, long in self.mocks:
            raw = self.oracle_price(price, long=long)
            oracle.setPrice(raw, sender=self.world.roles.deployer)

    def lend(self, market: Market, amount: int) -> None:
        """The lender supplies a raw amount of the loan token."""
        lender = self.world.roles.lender
        self.morpho.supply(tuple(market), amount, 0, lender, b"", sender=lender)

    def withdraw(self, market: Market, amount: int) -> None:
        """The lender takes a raw amount out again: what is lendable shrinks."""
        lender = self.world.roles.lender
        self.morpho.withdraw(tuple(market), amount, 0, lender, lender, sender=lender)

    def lendable(self, market: Market) -> int:
        """What Morpho could lend at this moment, raw."""
        state = self.morpho.market(market.id)
        return state[0] - state[2]

    def position(self, market: Market, who: Any) -> Position:
        """What somebody holds and owes in a market."""
        _, shares, collateral = self.morpho.position(market.id, getattr(who, "address", who))
        state = self.morpho.market(market.id)
        assets, all_shares = state[2] + VIRTUAL_ASSETS, state[3] + VIRTUAL_SHARES
        return Position(collateral, -(-shares * assets // all_shares), shares)

    def ltv(self, market: Market, who: Any, price: Any) -> Fraction:
        """Debt over the collateral's worth at a price of the underlying in quote."""
        held = self.position(market, who)
        long = market.collateral == self.world.underlying.address
        return held.debt / (held.collateral * Fraction(self.oracle_price(price, long=long), 10**36))
