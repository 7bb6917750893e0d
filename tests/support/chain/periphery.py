"""What tests of the lens, the upkeep and the zap share: situations, attempts, permits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from support.chain.deploying import deploy_source
from support.chain.series import CONTRACTS, WAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.chain.series import Fund, Token
    from support.chain.world import World

MAX_LOSS = Fraction(3, 100)
"""The value guard of a test's zap."""
SETTLED_S = 60
"""What a pool's mean price looks back on."""


@dataclass(frozen=True)
class Situation:
    """Where a token may be found: the feed, the pool beside it, time and liquidity."""

    price: Fraction
    apart: Fraction
    """Of the pool's price from the feed's."""
    seconds: int
    """Since anything happened; the pool's mean has settled."""
    removed: Fraction
    """Share of the pool's liquidity that is gone."""

    def arrange(self, world: World) -> None:
        """Bring the world there, with a fresh answer of the feed."""
        world.pool.move(self.price * (1 + self.apart))
        if self.removed:
            world.pool.remove(self.removed)
        boa.env.time_travel(seconds=self.seconds)
        world.pool.observe()
        world.set_feed(self.price)


def situations() -> st.SearchStrategy[Situation]:
    """Prices from a liquidation's door to far below a band, on a deep or a thin pool."""
    return st.builds(
        Situation,
        price=st.integers(1_450, 3_000).map(Fraction),
        apart=st.integers(-40, 40).map(lambda bps: Fraction(bps, 10_000)),
        seconds=st.integers(SETTLED_S, 200_000),
        removed=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(199, 200)]),
    )


def amounts(most: int) -> st.SearchStrategy[int]:
    """Raw amounts over all orders of magnitude, from one unit to the most."""
    return st.one_of(
        st.integers(1, most),
        st.integers(0, len(str(most)) - 1).flatmap(
            lambda digits: st.integers(10**digits, min(most, 10 ** (digits + 1)))
        ),
    )


def few(share: int) -> settings:
    """Hypothesis' settings, with the examples of the profile divided by so many.

    Fixtures of a function stay for all examples: each example undoes what it did.
    """
    return settings(
        max_examples=max(1, settings.default.max_examples // share),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def attempt(call: Callable[[], Any]) -> Any:
    """What a call gives, or None where it reverts; either way nothing has happened."""
    try:
        with boa.env.anchor():
            return call()
    except boa.BoaError:
        return None


def result_or_reason(call: Callable[[], Any]) -> tuple[Any, str]:
    """What a call gave, and what it did stays; or None, and what it reverted with."""
    try:
        return call(), ""
    except boa.BoaError as error:
        return None, str(error)


def same(preview: Any, done: Any, what: str) -> None:
    """A preview and a transaction gave the same, or were both refused."""
    assert preview == done, f"{what}: the preview says {preview}, the transaction {done}"


def rebalance_is_as_previewed(lens: Any, token: Token) -> None:
    """The preview of a rebalance against the event and the balances of the real one.

    In process the slots that a call has touched stay warm for the next one, as between two
    transactions they do not: the first preview touches them all.
    """
    lens.preview_rebalance(token.contract)
    preview = lens.preview_rebalance(token.contract)
    keeper, underlying = token.world.roles.keeper, token.world.underlying
    before = underlying.balanceOf(keeper)
    reserve = underlying.balanceOf(token.fund.reserve.address)
    event, refusal = result_or_reason(token.rebalance)
    if event is None:
        assert preview.reason, f"the preview saw no obstacle, the transaction: {refusal}"
        assert preview.reason in refusal
        return
    assert preview.reason == ""
    for name in (
        "trigger",
        "up",
        "buys",
        "units",
        "notional",
        "leverage_before",
        "leverage_after",
        "nav_before",
        "nav_after",
        "clipped",
    ):
        same(getattr(preview, name), getattr(event, name), name)
    same(preview.pay, event.pay_by_reserve + event.pay_by_nav, "pay")
    same(preview.pay, underlying.balanceOf(keeper) - before, "pay")
    same(preview.reserve_paid, event.covered + event.pay_by_reserve, "reserve_paid")
    same(preview.reserve_gained, event.gained, "reserve_gained")
    left = reserve + preview.reserve_gained - preview.reserve_paid
    same(left, underlying.balanceOf(token.fund.reserve.address), "reserve")
    same(preview.ready_at, token.state.ready_at, "ready_at")


def deploy_zap(fund: Fund) -> Any:
    """A zap for a fund's tokens; every role lets it take all that it owns of them."""
    world = fund.world
    lens = deploy_source(CONTRACTS / "Lens.vy")
    zap = deploy_source(
        CONTRACTS / "Zap.vy",
        lens.address,
        fund.reserve.address,
        world.underlying.address,
        int(MAX_LOSS * WAD),
    )
    for who in world.roles:
        for coin in (world.underlying, world.quote, *(token.contract for token in fund.tokens)):
            coin.approve(zap.address, 2**256 - 1, sender=who)
    return zap


def nothing_is_left(zap: Any, token: Token) -> None:
    """The zap holds no coin, no token, no ether, and may take nothing of anybody's."""
    for coin in (token.collateral, token.loan, token.contract):
        assert coin.balanceOf(zap.address) == 0, coin
    assert boa.env.get_balance(zap.address) == 0
    assert token.collateral.allowance(zap.address, token.contract.address) == 0


def permit(coin: Any, signer: Any, spender: Any, amount: int, deadline: int) -> tuple[Any, ...]:
    """A signed ERC-2612 permit, as the zap takes it. The coin's EIP-712 version is "1"."""
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {
            "name": coin.name(),
            "version": "1",
            "chainId": boa.env.evm.patch.chain_id,
            "verifyingContract": str(coin.address),
        },
        "message": {
            "owner": signer.address,
            "spender": str(spender.address),
            "value": amount,
            "nonce": coin.nonces(signer.address),
            "deadline": deadline,
        },
    }
    signed = Account.sign_message(encode_typed_data(full_message=message), signer.key)
    return (amount, deadline, signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32))
