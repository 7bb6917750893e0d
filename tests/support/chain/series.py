"""The second edition's contracts in a world: implementations, a factory, series and a reserve.

`Fund(world, Terms(long=True), Terms(long=False))` launches them in one transaction, and lends to
their markets beside the creator. A `Series` is one of them, with its figures in exact fractions.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boa

from support.chain import deploying
from support.chain.lending import Market, Position

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.chain.world import World

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
WAD = 10**18
SCALE = 10**36
DAY = 86_400
NEVER = 2**32 - 1
MOST = 2**256 - 1
LEAST_PREMIUM = -(2**255)
ZERO = "0x" + "00" * 20
DEAD = "0x000000000000000000000000000000000000dEaD"
DEAD_TOKENS = 10**15
DEAD_DEBT = 10_000

IDLE, UNOPENED, OPEN, COOLING, SUSPENDED, UNLENT, LOST, JUMPED = range(8)
"""States of a plan."""
EMERGENCY, BAND, DAILY, FALLBACK = 2, 3, 7, 8
"""Triggers of a plan."""


def wad(figure: Any) -> int:
    """A figure times 1e18; it must be whole then."""
    raw = Fraction(str(figure)) * WAD
    assert raw.denominator == 1, f"{figure} has more than 18 digits"
    return int(raw)


@dataclass(frozen=True)
class Terms:
    """A series to launch: the suggested figures for a 3x long or a -1x short of ETH."""

    long: bool = True
    target: Any = None
    lower: Any = None
    upper: Any = None
    edge_slack: Any = 0
    to_edge: bool = False
    emergency: Any = None
    start: Any = "0.005"
    calm_top: Any = "0.008"
    emergency_top: Any = "0.0325"
    duration: int = 1_200
    fallback_after: int = DAY
    daily_at: int = NEVER
    cooldown: int = 60
    largest_clip: Any = 0
    """Whole quote."""
    account_rate: Any = "0.001"
    fee: Any = "0.001"
    reserve_share: Any = 1
    recipient: Any = None
    debt_cap: Any = 10**9
    """Whole quote, at the world's price."""
    initial_nav: Any = None
    """Whole collateral per whole token; about 20 dollars."""
    pool_fee: Any = "0.0005"
    tokens: Any = 1_000
    injects: Any = "0.5"
    """Of nav, into the series' account."""
    lends: Any = None
    """Raw; the launch's debt and 20,000 units more."""
    base_age: int = 10**5
    quote_age: int = 10**5
    composite: bool = False
    sequencer: Any = None
    grace: int = 0
    name: str = ""
    symbol: str = ""

    def figure(self, name: str) -> Any:
        """A figure as it was given, or the usual one of a long or a short."""
        given = getattr(self, name)
        if given is not None:
            return given
        return (LONG if self.long else SHORT)[name]


LONG = {"target": 3, "lower": "2.6", "upper": "3.4", "emergency": "4.8", "initial_nav": "0.01"}
SHORT = {"target": 1, "lower": "0.8", "upper": "1.25", "emergency": "2.5", "initial_nav": 20}


class Protocol:
    """What is deployed once on a chain: Decision, implementations and factory."""

    def __init__(self, world: World, block_s: int = 12, folder: Path = CONTRACTS) -> None:
        """Deploy them from a folder of contracts (a copy with a fault, for example)."""
        self.world, self.folder = world, folder
        who = world.roles.deployer
        morpho = world.morpho.address

        def deploy(name: str, *args: Any) -> Any:
            return deploying.deploy_source(folder / f"{name}.vy", *args, sender=who)

        self.decision = deploy("Decision")
        self.token = deploy("LeveragedToken", morpho, self.decision.address)
        self.reserve = deploy("Reserve")
        self.oracle = deploy("Oracle")
        self.factory = deploy(
            "Factory",
            morpho,
            self.token.address,
            self.reserve.address,
            self.oracle.address,
            block_s,
        )

    def at(self, name: str, address: Any) -> Any:
        """A clone, spoken to by its implementation's ABI."""
        with warnings.catch_warnings():
            # a clone's code is a proxy's, as it should be
            warnings.filterwarnings("ignore", message="casted bytecode")
            return deploying.source(self.folder / f"{name}.vy").at(address)


@dataclass
class Launch:
    """A launch that is prepared: the factory's arguments, to be changed before it is sent."""

    series: list[list[Any]]
    underlying: str
    native_oracle: str = ZERO
    common: int = 0
    salt: bytes = b"\1" * 32
    brings: dict[str, int] = field(default_factory=dict)

    def arguments(self) -> tuple[Any, ...]:
        """As the factory takes them."""
        series = [tuple(each) for each in self.series]
        return (self.underlying, self.native_oracle, series, self.common, self.salt)


PLACES = [
    "name",
    "symbol",
    "quote",
    "feeds",
    "irm",
    "lltv",
    "terms",
    "fee",
    "reserve_share",
    "fee_recipient",
    "debt_cap",
    "initial_nav",
    "pool_fee",
    "tokens",
    "collateral",
    "lends",
    "injects",
]
"""The fields of the factory's Series, in their order."""


def launch_words(world: World, terms: Terms) -> list[Any]:
    """A series as the factory takes it."""
    price = Fraction(world.setting.price)
    quote_unit, underlying_unit = 10**world.quote_decimals, 10**world.underlying_decimals
    debt_unit = quote_unit if terms.long else underlying_unit / price
    collateral_unit = underlying_unit if terms.long else quote_unit
    initial_nav = int(Fraction(str(terms.figure("initial_nav"))) * collateral_unit)
    tokens = wad(terms.tokens)
    nav = tokens * initial_nav // WAD
    target = Fraction(str(terms.figure("target")))
    multiple = target if terms.long else target + 1
    collateral = int(nav * multiple)
    ratio = price * quote_unit / underlying_unit
    debt = int((collateral - nav) * (ratio if terms.long else 1 / ratio))
    worth = nav if terms.long else int(nav / ratio)
    rule = (
        terms.long,
        *(wad(terms.figure(name)) for name in ("target", "lower", "upper", "edge_slack")),
        terms.to_edge,
        *(wad(terms.figure(n)) for n in ("emergency", "start", "calm_top", "emergency_top")),
        terms.duration,
        terms.fallback_after,
        terms.daily_at,
        terms.cooldown,
        int(Fraction(str(terms.largest_clip)) * quote_unit),
        wad(terms.account_rate),
    )
    side = "long" if terms.long else "short"
    feeds = (
        world.feed.address,
        world.quote_feed.address if terms.composite else ZERO,
        terms.base_age,
        terms.quote_age if terms.composite else 0,
        getattr(terms.sequencer, "address", ZERO),
        terms.grace,
    )
    return [
        terms.name or f"ETH {terms.figure('target')}x {side}",
        terms.symbol or f"ETH{terms.figure('target')}{side[0].upper()}",
        world.quote.address,
        feeds,
        world.irm.address,
        world.lending.lltv,
        rule,
        wad(terms.fee),
        wad(terms.reserve_share),
        terms.recipient or ZERO,
        int(Fraction(str(terms.debt_cap)) * debt_unit),
        initial_nav,
        wad(terms.pool_fee),
        tokens,
        collateral,
        debt + 2 * DEAD_DEBT if terms.lends is None else terms.lends,
        int(worth * Fraction(str(terms.injects))) + 1,
    ]


class Fund:
    """A reserve with its series, launched by the deployer in one transaction."""

    def __init__(
        self,
        world: World,
        *terms: Terms,
        lent: int = 10**9,
        common: int = 0,
        age: int = 60 * DAY,
        protocol: Protocol | None = None,
        salt: bytes = b"\1" * 32,
    ) -> None:
        """Launch, lend so many whole quote more to each market, and let the series grow old."""
        self.world, self.terms = world, terms
        self.protocol = protocol or Protocol(world)
        self.factory = self.protocol.factory
        self.launch = Launch(
            [launch_words(world, each) for each in terms],
            world.underlying.address,
            common=common,
            salt=salt,
        )
        self._launch()
        for each in self.series:
            if lent:
                each.lend(lent)
        if age:
            self.sleep(age)
        self.ready = boa.env.timestamp
        """When a test begins with it, epoch s."""

    def _launch(self) -> None:
        """What `launch` says, by the deployer; all roles let the contracts take their assets."""
        world = self.world
        creator = world.roles.deployer
        world.fund(creator)
        for token in (world.underlying, world.quote):
            world.approve(token, creator, self.factory)
        reserve, made = self.factory.launch(*self.launch.arguments(), sender=creator)
        self.launched_at = boa.env.timestamp
        self.reserve = self.protocol.at("Reserve", reserve)
        self.series = [
            Series(self, self.protocol.at("LeveragedToken", address), each)
            for address, each in zip(made, self.terms, strict=True)
        ]
        for token in (world.underlying, world.quote):
            for role in world.roles:
                world.approve(token, role, self.reserve, *(each.contract for each in self.series))

    def begin(self) -> None:
        """The time at which it was ready, whatever passed since with other funds on the chain."""
        boa.env.timestamp = self.ready

    def sleep(self, seconds: int) -> None:
        """Time passes, in another transaction, and the feeds answer as before at its end."""
        new_transaction()
        boa.env.time_travel(seconds=int(seconds))
        self.world.refresh_feeds()


class Series:
    """One series, with what a test asks of it."""

    def __init__(self, fund: Fund, contract: Any, terms: Terms) -> None:
        self.fund, self.contract, self.terms = fund, contract, terms
        self.world, self.long = fund.world, terms.long
        self.address = contract.address
        self.config = contract.config()
        self.market = Market(*self.config.market)
        self.oracle = fund.protocol.at("Oracle", self.market.oracle)
        self.collateral, self.loan = self.world.lending.tokens(long=self.long)

    def lend(self, whole_quote: Any) -> None:
        """The lender supplies so much, in whole quote at the world's price."""
        amount = Fraction(whole_quote)
        if not self.long:
            amount /= Fraction(self.world.setting.price)
        raw = int(amount * 10 ** self.loan.decimals())
        self.world.lending.lend(self.market, raw)

    @property
    def state(self) -> Any:
        """The contract's own state."""
        return self.contract.state()

    @property
    def price(self) -> int:
        """Morpho's price: debt units per collateral unit, times 1e36."""
        return self.oracle.price()

    @property
    def position(self) -> Position:
        """What lies in Morpho, fees included, up to the last accrual."""
        return self.world.lending.position(self.market, self.address)

    def accrue(self) -> None:
        """Interest up to now."""
        self.world.morpho.accrueInterest(tuple(self.market))

    @property
    def value(self) -> int:
        """The collateral's worth without fees, debt units, rounded down."""
        return self.state.collateral * self.price // SCALE

    @property
    def nav(self) -> int:
        """Debt units."""
        return self.value - self.state.debt

    @property
    def leverage(self) -> Fraction:
        """Exactly, of the position and the price."""
        state = self.state
        value = Fraction(state.collateral * self.price, SCALE)
        return (value if self.long else state.debt) / (value - state.debt)

    @property
    def ltv(self) -> Fraction:
        """Debt over the collateral's worth."""
        state = self.state
        return state.debt / Fraction(state.collateral * self.price, SCALE)

    @property
    def plan(self) -> Any:
        """What the Decision says now, a suspension included."""
        facts = self.contract.facts()
        facts = facts._replace(suspended=self.fund.reserve.suspended(self.address))
        return self.fund.protocol.decision.decide(self.config.terms, facts)

    def price_at(self, leverage: Any) -> Fraction:
        """The price of the underlying at which the position has this leverage."""
        wanted, state = Fraction(str(leverage)), self.state
        debt = Fraction(state.debt, 10 ** self.loan.decimals())
        collateral = Fraction(state.collateral, 10 ** self.collateral.decimals())
        if self.long:
            return debt * wanted / (wanted - 1) / collateral
        return collateral * wanted / (1 + wanted) / debt

    def go(self, leverage: Any, seconds: int = 72) -> None:
        """Feed and pool to where leverage is this; then time passes."""
        self.accrue()
        self.world.move(self.price_at(leverage))
        if seconds:
            self.fund.sleep(seconds)

    def arrive(self) -> None:
        """Be rebalanced to the target now: no fallback is due for a day."""
        self.go("2.5" if self.long else "0.7")
        self.open()
        self.rebalance()
        boa.env.time_travel(seconds=61)

    def open(self, who: Any = None) -> int:
        """Open the auction."""
        return self.contract.open(sender=who or self.world.roles.keeper)

    def rebalance(
        self, most: int = MOST, limit: int = LEAST_PREMIUM, data: bytes = b"", who: Any = None
    ) -> tuple[int, int]:
        """Take a fill, in a transaction of its own."""
        new_transaction()
        return self.contract.rebalance(most, limit, data, sender=who or self.world.roles.keeper)

    def mint(self, tokens: Any, who: Any = None, data: bytes = b"") -> tuple[int, int]:
        """Mint whole tokens in kind."""
        who = who or self.world.roles.holder
        return self.contract.mint(wad(tokens), MOST, who, data, sender=who)

    def redeem(self, tokens: Any, who: Any = None, data: bytes = b"") -> tuple[int, int]:
        """Redeem whole tokens in kind."""
        who = who or self.world.roles.holder
        return self.contract.redeem(wad(tokens), MOST, who, data, sender=who)

    @property
    def account(self) -> Any:
        """Its account in the reserve."""
        return self.fund.reserve.account(self.address)

    def wealth(self, who: Any) -> Fraction:
        """All that somebody has, in whole quote at the feed's price: assets and tokens."""
        address = getattr(who, "address", who)
        price = self.world.feed_price
        held = Fraction(self.contract.balanceOf(address), self.state.supply)
        nav = Fraction(self.nav, 10 ** self.loan.decimals())
        worth = held * nav * (1 if self.long else price)
        return self.world.worth(address, price) + worth


def new_transaction() -> None:
    """In process titanoboa keeps transient storage from call to call; a node does not."""
    if not hasattr(boa.env, "receipt"):
        boa.env.evm.vm.state.clear_transient_storage()


@contextmanager
def base_fee(wei: int) -> Iterator[None]:
    """Blocks with this base fee."""
    context = boa.env.evm.vm.state.execution_context
    before = context._base_fee_per_gas
    context._base_fee_per_gas = wei
    try:
        yield
    finally:
        context._base_fee_per_gas = before
