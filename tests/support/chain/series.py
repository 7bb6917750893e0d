"""A leveraged token of ours on a world: adapters, markets, the reserve, a long and a short."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boa
import eth_abi
from boa.contracts.abi.abi_contract import ABIFunction
from eth._utils.address import generate_contract_address
from vyper.compiler.output import build_abi_output

from support.chain.deploying import deploy_double, deploy_source, source

if TYPE_CHECKING:
    from support.chain.world import World

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
WAD = 10**18
BPS = 10_000
ZERO = "0x" + "00" * 20
COIN_DECIMALS = 18
NATIVE_PRICE = 2_000
"""Of the native coin in quote, where the underlying is not the wrapped coin."""
NAMES = ("idle", "band_up", "band_down", "fallback", "emergency", "clip")
"""What `should_rebalance` answers, by its number."""


def wad(figure: Any) -> int:
    """A figure times 1e18, exact for what has a finite decimal fraction."""
    return int(Fraction(str(figure)) * WAD)


def abi_encode_constructor(compiled: Any, *args: Any) -> bytes:
    """A constructor's arguments, by the contract's own ABI."""
    abi = build_abi_output(compiled)
    (entry,) = [each for each in abi if each["type"] == "constructor"]
    return ABIFunction(entry, "constructor").prepare_calldata(*args)


def trigger(number: int) -> str:
    """The name of what `should_rebalance` or an event says."""
    return NAMES[number]


@dataclass
class Terms:
    """A series in whole figures; what is None comes from `LONG` or `SHORT`."""

    long: bool = True
    initial_nav: Any = None
    """Whole collateral per token."""
    target_leverage: Any = None
    lower: Any = None
    upper: Any = None
    edge_slack: Any = "0.02"
    emergency_leverage: Any = None
    to_edge: bool = False
    max_trade_notional: Any = 0
    """Whole quote."""
    cooldown: int = 600
    fallback_after: int = 86_400
    tolerance_normal: Any = "0.0015"
    tolerance_maximum: Any = "0.05"
    deviation_normal: Any = "0.03"
    deviation_maximum: Any = "0.3"
    max_age: int = 3_700
    premium: Any = "0.001"
    creation_bps: int = 0
    redemption_bps: int = 0
    reserve_share_bps: int = BPS
    fee_recipient: Any = ZERO
    lent: Any = 100_000_000
    """What the lender lends, in whole quote; as much in underlying for a short."""
    raw: dict[str, Any] = field(default_factory=dict)
    """Entries of the contract's Config that replace what the above gives."""


LONG = {
    "initial_nav": "0.01",
    "target_leverage": 3,
    "lower": "2.6",
    "upper": "3.4",
    "emergency_leverage": "4.8",
}
SHORT = {
    "initial_nav": 20,
    "target_leverage": 1,
    "lower": "0.8",
    "upper": "1.25",
    "emergency_leverage": "2.5",
}


@dataclass
class ReserveTerms:
    """How the reserve is."""

    native_feed: Any = ZERO
    """Where the underlying cannot be the wrapped coin, zero is a feed at `NATIVE_PRICE`."""
    max_age: int = 3_700
    daily_share: Any = "0.5"
    allocation_every: int = 86_400
    tolerance: Any = "0.01"
    deviation: Any = "0.05"
    sequencer_feed: Any = ZERO
    """Of the adapters that the tokens and the reserve read."""
    sequencer_grace: int = 0
    initial: Any = 1_000
    """Whole underlyings that are injected at once."""


class Token:
    """One deployed token, with what a test asks of it."""

    def __init__(self, fund: Any, terms: Terms) -> None:
        self.fund, self.terms, self.world = fund, terms, fund.world
        self.long = terms.long
        self.collateral, self.loan = self.world.lending.tokens(long=terms.long)
        lent = Fraction(terms.lent) / (1 if terms.long else self.world.feed_price)
        self.oracle = fund.oracles[terms.long]
        if terms.long not in fund.markets:
            fund.markets[terms.long] = self.world.lending.market(
                long=terms.long, lent=lent, oracle=self.oracle
            )
        self.market = fund.markets[terms.long]
        self.contract: Any = None

    def config(self) -> tuple[Any, ...]:
        """The contract's Config, in its order."""
        terms, world = self.terms, self.world
        whole = {**(LONG if self.long else SHORT)}
        whole = {key: getattr(terms, key) or value for key, value in whole.items()}
        entries = {
            "morpho": world.morpho.address,
            "market": tuple(self.market),
            "pool": world.pool.address,
            "reserve": self.fund.reserve.address,
            "fee_recipient": terms.fee_recipient,
            "long": self.long,
            "rule": (
                wad(whole["target_leverage"]),
                wad(whole["lower"]),
                wad(whole["upper"]),
                wad(terms.edge_slack) if terms.to_edge else 0,
                wad(whole["emergency_leverage"]),
                terms.to_edge,
            ),
            "initial_nav": int(
                Fraction(str(whole["initial_nav"])) * 10 ** self.collateral.decimals()
            ),
            "max_trade_notional": int(terms.max_trade_notional * 10**world.quote_decimals),
            "cooldown": terms.cooldown,
            "fallback_after": terms.fallback_after,
            "tolerance_normal": wad(terms.tolerance_normal),
            "tolerance_maximum": wad(terms.tolerance_maximum),
            "deviation_normal": wad(terms.deviation_normal),
            "deviation_maximum": wad(terms.deviation_maximum),
            "max_age": terms.max_age,
            "premium": wad(terms.premium),
            "creation_bps": terms.creation_bps,
            "redemption_bps": terms.redemption_bps,
            "reserve_share_bps": terms.reserve_share_bps,
        }
        unknown = terms.raw.keys() - entries.keys()
        assert not unknown, f"not in the contract's Config: {unknown}"
        return tuple({**entries, **terms.raw}.values())

    def deploy(self) -> None:
        """Put it on the chain, at the address that the reserve was told."""
        name, symbol = ("ETH 3x long", "ETH3L") if self.long else ("ETH 1x short", "ETH1S")
        self.contract = deploy_source(
            CONTRACTS / "LeveragedToken.vy", name, symbol, self.config(), sender=self.fund.issuer
        )
        for who in self.world.roles:
            for token in (self.collateral, self.loan):
                token.approve(self.contract.address, 2**256 - 1, sender=who)

    def refusal(self) -> str:
        """Why the constructor refuses this series; empty if it does not."""
        compiled = source(CONTRACTS / "LeveragedToken.vy").compiler_data
        encoded = abi_encode_constructor(compiled, "ETH 3x", "ETH3", self.config())
        _, computation = boa.env.deploy(
            sender=self.fund.issuer, bytecode=compiled.bytecode + encoded
        )
        if not computation.is_error:
            return ""
        data = bytes(computation.output)
        return eth_abi.decode(["string"], data[4:])[0] if len(data) > 4 else "without a reason"

    def mint(self, tokens: Any, who: Any = None, most: int = 2**255) -> int:
        """Mint whole tokens; gives the raw collateral that it took."""
        who = who or self.world.roles.depositor
        return self.contract.mint(int(tokens * WAD), most, who, sender=who)

    def redeem(self, tokens: Any, who: Any = None, least: int = 0) -> int:
        """Redeem whole tokens; gives the raw collateral that came."""
        who = who or self.world.roles.depositor
        return self.contract.redeem(int(tokens * WAD), least, who, sender=who)

    def rebalance(self, who: Any = None) -> Any:
        """Rebalance as the keeper; gives the event."""
        self.contract.rebalance(sender=who or self.world.roles.keeper)
        return self.event("Rebalanced")

    def event(self, name: str) -> Any:
        """The last event of a name that the last call logged."""
        found = [log for log in self.contract.get_logs(strict=False) if type(log).__name__ == name]
        return found[-1]

    @property
    def state(self) -> Any:
        """The contract's State."""
        return self.contract.state()

    @property
    def position(self) -> Any:
        """Collateral, shares and debt with interest up to now."""
        return self.contract.state().position

    @property
    def due(self) -> str:
        """What `should_rebalance` says, by name."""
        return trigger(self.contract.should_rebalance())

    @property
    def leverage(self) -> Fraction:
        """|leverage| at the feed's price, exact."""
        price = self.world.lending.oracle_price(self.world.feed_price, long=self.long)
        held = self.position
        value = Fraction(held.collateral * price, 10**36)
        return (value if self.long else Fraction(held.debt)) / (value - held.debt)

    @property
    def nav(self) -> Fraction:
        """Net asset value in whole underlyings."""
        return Fraction(self.contract.nav_underlying(), 10**self.world.underlying_decimals)

    @property
    def ltv(self) -> Fraction:
        """Debt over collateral at the feed's price."""
        return self.world.lending.ltv(self.market, self.contract, self.world.feed_price)


class Fund:
    """A reserve with its tokens; ``Fund(world).tokens[0]`` is a 3x long, launched."""

    def __init__(
        self,
        world: World,
        *terms: Terms,
        reserve: ReserveTerms | None = None,
        launch: Any = 1_000,
        deploy: bool = True,
    ) -> None:
        """Deploy all of it, and mint the first whole tokens of each (0: none).

        Without `deploy` the tokens themselves are not put on the chain.
        """
        self.world = world
        self.terms = reserve or ReserveTerms()
        self.issuer = boa.env.generate_address("issuer")
        boa.env.set_balance(self.issuer, 10**24)
        pair = (world.feed.address, world.underlying.address, world.quote.address)
        sequencer = getattr(self.terms.sequencer_feed, "address", self.terms.sequencer_feed)
        grace = self.terms.sequencer_grace
        self.oracles = {
            long: deploy_source(
                CONTRACTS / "MorphoOracle.vy", *pair, long, sequencer, grace, sender=self.issuer
            )
            for long in (True, False)
        }
        self.reserve: Any = None
        self.markets: dict[bool, Any] = {}
        self.tokens = [Token(self, each) for each in terms or (Terms(),)]
        self._deploy_reserve()
        for token in self.tokens:
            if deploy:
                token.deploy()
            if launch:
                token.mint(launch)
                world.pool.move(world.feed_price)
        if self.terms.initial and deploy:
            self.inject(self.terms.initial)

    def _nonce(self) -> int:
        if hasattr(boa.env, "ask"):
            asked = boa.env.ask("eth_getTransactionCount", str(self.issuer), "latest")
            return int(asked, 16)
        return boa.env.evm.vm.state.get_nonce(self.issuer.canonical_address)

    def _deploy_reserve(self) -> None:
        world, terms = self.world, self.terms
        native_feed = getattr(terms.native_feed, "address", terms.native_feed)
        if native_feed == ZERO and world.underlying_decimals != COIN_DECIMALS:
            native_feed = deploy_double("PriceFeed", 8, NATIVE_PRICE * 10**8).address
        nonce = self._nonce()
        issuer = bytes.fromhex(str(self.issuer)[2:])
        named = [
            "0x" + generate_contract_address(issuer, nonce + 1 + k).hex()
            for k in range(len(self.tokens))
        ]
        self.reserve = deploy_source(
            CONTRACTS / "Reserve.vy",
            named,
            self.oracles[True].address,
            world.pool.address,
            world.underlying.address,
            world.quote.address,
            native_feed,
            terms.max_age,
            wad(terms.daily_share),
            terms.allocation_every,
            wad(terms.tolerance),
            wad(terms.deviation),
            sender=self.issuer,
        )
        for who in world.roles:
            for token in (world.underlying, world.quote):
                token.approve(self.reserve.address, 2**256 - 1, sender=who)

    def inject(self, underlyings: Any, kind: int = 1, who: Any = None) -> None:
        """Inject whole underlyings."""
        amount = int(underlyings * 10**self.world.underlying_decimals)
        self.reserve.inject(kind, amount, sender=who or self.world.roles.liquidity_provider)

    @property
    def value(self) -> Fraction:
        """The reserve's balance in whole underlyings."""
        held = self.world.underlying.balanceOf(self.reserve.address)
        return Fraction(held, 10**self.world.underlying_decimals)
