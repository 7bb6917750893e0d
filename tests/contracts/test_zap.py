"""The zap: into and out of a token with one asset, bounded, guarded, and nothing left behind."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest
from eth.exceptions import Revert
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from support.chain.deploying import deploy_double, deploy_source
from support.chain.periphery import (
    MAX_LOSS,
    amounts,
    attempt,
    deploy_zap,
    few,
    nothing_is_left,
    permit,
    result_or_reason,
    situations,
)
from support.chain.series import CONTRACTS, WAD, ZERO, Fund, Terms, Token
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.periphery import Situation

LATER = 2**40
HELD = 990 * WAD
"""Of each token the depositor holds a little more."""
ACCEPTABLE = (
    "zap: value",
    "zap: slippage",
    "zap: thin pool",
    "lens: ",
    "leveraged_token: supply cap",
    "leveraged_token: dust",
    "insufficient collateral",
)
"""Why an entry may be refused, in any situation; another reason is a fault."""


@pytest.fixture(scope="module")
def zap(fund: Fund) -> Any:
    """A zap for the fund's long and short."""
    return deploy_zap(fund)


@pytest.fixture(params=["collateral", "loan"])
def coin(request: pytest.FixtureRequest, token: Token) -> Any:
    """What is paid with: what the token supplies, or what it owes."""
    return getattr(token, request.param)


def raw(coin: Any, worth: Fraction, token: Token) -> int:
    """A raw amount of a coin, of so much worth in whole quote at the feed's price."""
    price = token.world.feed_price if coin.address == token.world.underlying.address else 1
    return int(worth / price * 10 ** coin.decimals())


def worth(token: Token, coin: Any, amount: int) -> Fraction:
    """What a raw amount of a coin is worth in whole quote, at the feed's price."""
    price = token.world.feed_price if coin.address == token.world.underlying.address else 1
    return Fraction(amount, 10 ** coin.decimals()) * price


def tokens_worth(token: Token, tokens: int) -> Fraction:
    """What tokens are worth in whole quote, at the feed's price."""
    return token.nav * token.world.feed_price * tokens / token.contract.totalSupply()


@few(50)
@given(
    situation=situations(),
    worth_in=st.integers(1, 4_000_000).map(lambda cents: Fraction(cents, 100)),
)
def test_an_amount_buys_tokens(
    zap: Any, token: Token, coin: Any, situation: Situation, worth_in: Fraction
) -> None:
    """Scenario: any amount of either asset, in any situation.

    Property: the tokens are worth what was paid, less at most the guard; the rest came back;
    nothing stays in the zap.
    """
    who, world = token.world.roles.depositor, token.world
    with boa.env.anchor():
        situation.arrange(world)
        amount = raw(coin, worth_in, token)
        had = world.worth(who, world.feed_price)
        held = token.contract.balanceOf(who)
        address = token.contract.address
        tokens, refusal = result_or_reason(
            lambda: zap.enter(address, coin.address, amount, 0, who, LATER, sender=who)
        )
        if tokens is None:
            assert any(reason in refusal for reason in ACCEPTABLE), refusal
            return
        assert token.contract.balanceOf(who) - held == tokens > 0
        paid = had - world.worth(who, world.feed_price)
        assert 0 < paid <= worth_in
        unit = worth(token, token.collateral, 2) + worth(token, token.loan, 2)
        assert tokens_worth(token, tokens) >= paid * (1 - MAX_LOSS) - unit
        nothing_is_left(zap, token)


@few(50)
@given(situation=situations(), tokens=amounts(500 * WAD), spare=st.sampled_from([1, 2, 10]))
def test_exact_tokens_cost_what_they_cost(
    zap: Any, token: Token, coin: Any, situation: Situation, tokens: int, spare: int
) -> None:
    """Scenario: exactly so many tokens for at most so much, in any situation.

    Property: exactly so many; `spent` and no more is gone of the asset; of collateral at most a
    little came back.
    """
    who, world = token.world.roles.depositor, token.world
    with boa.env.anchor():
        situation.arrange(world)
        most = raw(coin, tokens_worth(token, tokens) * spare * 3, token) + 10**6
        had, held = world.balances(who), token.contract.balanceOf(who)
        before = coin.balanceOf(who)
        address = token.contract.address
        spent = attempt(
            lambda: zap.enter_exact(address, coin.address, tokens, most, who, LATER, sender=who)
        )
        if spent is None:
            return
        zap.enter_exact(address, coin.address, tokens, most, who, LATER, sender=who)
        assert token.contract.balanceOf(who) - held == tokens
        assert before - coin.balanceOf(who) == spent <= most
        others = zip(world.balances(who), had, strict=True)
        assert all(now >= then for now, then in others if then != before)
        nothing_is_left(zap, token)


@few(50)
@given(situation=situations(), tokens=amounts(HELD))
def test_tokens_become_one_asset(
    zap: Any, token: Token, coin: Any, situation: Situation, tokens: int
) -> None:
    """Scenario: tokens out to either asset, in any situation.

    Property: what comes is worth the tokens less at most the guard, all of it in that asset;
    nothing stays in the zap.
    """
    who, world = token.world.roles.depositor, token.world
    with boa.env.anchor():
        situation.arrange(world)
        value, before = tokens_worth(token, tokens), coin.balanceOf(who)
        held = token.contract.balanceOf(who)
        address = token.contract.address
        got = attempt(lambda: zap.exit(address, coin.address, tokens, 0, who, LATER, sender=who))
        if got is None:
            return
        zap.exit(address, coin.address, tokens, 0, who, LATER, sender=who)
        assert coin.balanceOf(who) - before == got > 0
        assert held - token.contract.balanceOf(who) == tokens
        unit = worth(token, token.collateral, 2) + worth(token, token.loan, 2)
        assert worth(token, coin, got) >= value * (1 - MAX_LOSS) - unit
        nothing_is_left(zap, token)


def test_there_and_back_again_makes_nobody_richer(zap: Any, token: Token, coin: Any) -> None:
    """Scenario: 10,000 of quote's worth in and at once out.

    Property: less comes back, and no less than 1 % less: an ordinary entry and exit go through far
    inside of the guard.
    """
    who, address = token.world.roles.attacker, token.contract.address
    amount = raw(coin, Fraction(10_000), token)
    tokens = zap.enter(address, coin.address, amount, 1, who, LATER, sender=who)
    back = zap.exit(address, coin.address, tokens, 1, who, LATER, sender=who)
    assert amount * Fraction(98, 100) < back < amount
    nothing_is_left(zap, token)


def test_little_comes_back_of_an_exact_amount(zap: Any, token: Token, coin: Any) -> None:
    """Scenario: 10,000 of quote's worth in. Property: all but 1e-4 of it is at work."""
    world, who = token.world, token.world.roles.attacker
    amount = raw(coin, Fraction(10_000), token)
    had = token.world.worth(who, 2_000)
    zap.enter(token.contract.address, coin.address, amount, 1, who, LATER, sender=who)
    assert Fraction(10_000) * Fraction(9_999, 10_000) <= had - world.worth(who, 2_000) <= 10_000


def test_ether_is_an_asset(zap: Any, token: Token) -> None:
    """Scenario: ether in, exactly and by amount, and ether out.

    Property: it is what WETH would have been, the rest comes back as ether, and a receiver gets
    ether.
    """
    who, address = token.world.roles.attacker, token.contract.address
    weth, wei = token.world.underlying, 5 * WAD
    with boa.env.anchor():
        like = zap.enter(address, weth.address, wei, 1, who, LATER, sender=who)
    had, wrapped = boa.env.get_balance(who), weth.balanceOf(who)
    tokens = zap.enter(address, ZERO, wei, 1, who, LATER, sender=who, value=wei)
    assert tokens == like
    assert 0 <= boa.env.get_balance(who) - (had - wei) < wei // 1_000
    assert weth.balanceOf(who) == wrapped
    nothing_is_left(zap, token)
    had = boa.env.get_balance(who)
    spent = zap.enter_exact(address, ZERO, tokens, wei * 3, who, LATER, sender=who, value=wei * 3)
    assert had - boa.env.get_balance(who) == spent < wei * Fraction(101, 100)
    nothing_is_left(zap, token)
    receiver = boa.env.generate_address("receiver")
    got = zap.exit(address, ZERO, tokens, 1, receiver, LATER, sender=who)
    assert boa.env.get_balance(receiver) == got > wei * Fraction(98, 100)
    nothing_is_left(zap, token)


def test_ether_that_is_not_said_is_refused(zap: Any, token: Token) -> None:
    """Scenario: ether sent with an ERC-20, less ether than said, and ether sent to the contract.

    Property: refused, so that none is lost.
    """
    who, address = token.world.roles.attacker, token.contract.address
    weth = token.world.underlying.address
    for asset, value in ((weth, WAD), (ZERO, WAD - 1)):
        with boa.reverts("zap: native amount"):
            zap.enter(address, asset, WAD, 0, who, LATER, sender=who, value=value)
    with pytest.raises(Revert, match="zap: send with enter"):
        boa.env.raw_call(zap.address, sender=who, value=WAD)
    assert boa.env.get_balance(zap.address) == 0


def test_a_receiver_that_is_somebody_else_gets_it(zap: Any, token: Token) -> None:
    """Scenario: entries and an exit for another.

    Property: tokens and asset are the receiver's, what is over is the payer's.
    """
    coin = token.loan
    payer, receiver = token.world.roles.attacker, boa.env.generate_address("receiver")
    address, amount = token.contract.address, raw(coin, Fraction(1_000), token)
    tokens = zap.enter(address, coin.address, amount, 1, receiver, LATER, sender=payer)
    assert token.contract.balanceOf(receiver) == tokens
    assert token.world.balances(receiver) == (0, 0)
    zap.enter_exact(address, coin.address, tokens, amount * 2, payer, LATER, sender=payer)
    got = zap.exit(address, coin.address, tokens, 1, receiver, LATER, sender=payer)
    assert coin.balanceOf(receiver) == got


def test_bounds_and_deadlines_are_kept(zap: Any, token: Token) -> None:
    """Bounds and deadlines are kept.

    Scenario: one more than comes is asked for, one less than is needed is allowed, a second too
    late.
    Property: reverts with the reason, and all is as it was.
    """
    coin = token.loan
    who, address = token.world.roles.depositor, token.contract.address
    amount = raw(coin, Fraction(1_000), token)
    now = boa.env.timestamp
    tokens = attempt(lambda: zap.enter(address, coin.address, amount, 0, who, now, sender=who))
    spent = attempt(
        lambda: zap.enter_exact(address, coin.address, WAD, amount, who, now, sender=who)
    )
    got = attempt(lambda: zap.exit(address, coin.address, WAD, 0, who, now, sender=who))
    assert tokens
    assert spent
    assert got
    before = (token.world.balances(who), token.contract.balanceOf(who))
    for bounded in (
        lambda: zap.enter(address, coin.address, amount, tokens + 1, who, now, sender=who),
        lambda: zap.exit(address, coin.address, WAD, got + 1, who, now, sender=who),
    ):
        with boa.reverts("zap: slippage"):
            bounded()
    least = spent * 999 // 1_000
    with boa.reverts():
        zap.enter_exact(address, coin.address, WAD, least, who, now, sender=who)
    boa.env.time_travel(seconds=1)
    for late in (
        lambda: zap.enter(address, coin.address, amount, 0, who, now, sender=who),
        lambda: zap.enter_exact(address, coin.address, WAD, amount, who, now, sender=who),
        lambda: zap.exit(address, coin.address, WAD, 0, who, now, sender=who),
    ):
        with boa.reverts("zap: expired"):
            late()
    assert before == (token.world.balances(who), token.contract.balanceOf(who))


def test_a_permit_is_as_good_as_an_allowance(zap: Any, token: Token) -> None:
    """A permit is as good as an allowance.

    Scenario: a holder without allowances signs, for USDC in and for tokens out; an attacker sends
    the second permit first.
    Property: both go through.
    """
    world, address = token.world, token.contract.address
    signer = Account.from_key(b"\x07" * 32)
    amount = 1_000 * 10**world.quote_decimals
    world.quote.transfer(signer.address, amount, sender=world.roles.depositor)
    with boa.reverts():
        zap.enter(
            address, world.quote.address, amount, 1, signer.address, LATER, sender=signer.address
        )
    signed = permit(world.quote, signer, zap, amount, LATER)
    tokens = zap.enter(
        address,
        world.quote.address,
        amount,
        1,
        signer.address,
        LATER,
        signed,
        sender=signer.address,
    )
    assert token.contract.balanceOf(signer.address) == tokens > 0
    signed = permit(token.contract, signer, zap, tokens, LATER)
    token.contract.permit(signer.address, zap.address, *signed, sender=world.roles.attacker)
    got = zap.exit(
        address,
        world.quote.address,
        tokens,
        1,
        signer.address,
        LATER,
        signed,
        sender=signer.address,
    )
    assert amount * Fraction(98, 100) < got < amount
    nothing_is_left(zap, token)


def test_the_value_guard_holds_where_the_caller_set_no_bound(
    zap: Any, token: Token, coin: Any
) -> None:
    """The value guard holds where the caller set no bound.

    Scenario: a pool with next to none of its liquidity, and an exit without a minimum: as the vault
    of 2026-01-13 swapped $3.84m for $122k.
    Property: refused for its value; the token's own redemption, which asks nobody, would have gone
    through.
    """
    who, address = token.world.roles.depositor, token.contract.address
    token.world.pool.remove(Fraction(996, 1_000))
    with boa.reverts("zap: value"):
        zap.exit(address, coin.address, 150 * WAD, 0, who, LATER, sender=who)
    assert token.redeem(150) > 0


@pytest.mark.parametrize("push", [2_100, 1_900], ids=["up", "down"])
def test_a_pool_pushed_away_is_refused_without_a_bound(zap: Any, token: Token, push: int) -> None:
    """Scenario: an attacker pushes the pool 5 % and a careless depositor swaps against it.

    Property: in whichever direction it hurts, the guard refuses; it names the value.
    """
    world, who = token.world, token.world.roles.depositor
    world.pool.move(push, world.roles.attacker)
    address, loan = token.contract.address, token.loan
    hurts_entry = (push > 2_000) == token.long
    if hurts_entry:
        with boa.reverts("zap: value"):
            zap.enter(
                address, loan.address, raw(loan, Fraction(5_000), token), 0, who, LATER, sender=who
            )
    else:
        with boa.reverts("zap: value"):
            zap.exit(address, loan.address, 100 * WAD, 0, who, LATER, sender=who)


@pytest.mark.parametrize("bps", [3, 290], ids=["little", "much"])
def test_a_sandwich_of_a_bounded_zap_takes_no_more_than_the_bound(
    zap: Any, token: Token, coin: Any, bps: int
) -> None:
    """A sandwich of a bounded zap takes no more than the bound.

    Scenario: the attacker pushes the pool before a zap with a minimum of 20 bp less than the lens
    says, and sells back after it.
    Property: the depositor gets the minimum or nothing happens to it. Beyond what anybody earns by
    bringing the pool back, the attacker takes at most the 20 bp; a push too far costs it.
    """
    world, address = token.world, token.contract.address
    who, attacker = world.roles.depositor, world.roles.attacker
    amount, held = raw(coin, Fraction(10_000), token), token.contract.balanceOf(who)

    def gain(push: Fraction, least: int) -> Fraction:
        had = world.worth(attacker, 2_000)
        world.pool.move(2_000 * (1 + push), attacker)
        _, refusal = result_or_reason(
            lambda: zap.enter(address, coin.address, amount, least, who, LATER, sender=who)
        )
        assert refusal == "" or "zap: slippage" in refusal or "zap: value" in refusal
        world.pool.move(2_000, attacker)
        return world.worth(attacker, 2_000) - had

    with boa.env.anchor():
        unpushed = gain(Fraction(0), 0)
        fair = token.contract.balanceOf(who) - held
    least = fair * 9_980 // 10_000
    push = Fraction(bps if token.long else -bps, 10_000)
    taken = gain(push, least)
    got = token.contract.balanceOf(who) - held
    if bps == 3:
        assert fair > got >= least
        assert taken <= unpushed + 10_000 * Fraction(20, 10_000)
    else:
        assert got == 0
        assert taken < 0
    nothing_is_left(zap, token)


@pytest.mark.parametrize("fault", ["reverts", "stale"])
def test_without_a_price_the_core_has_to_do(zap: Any, token: Token, fault: str) -> None:
    """Scenario: the feed reverts, or is older than a day.

    Property: the guard cannot judge and refuses in words; the token itself redeems.
    """
    coin = token.loan
    world, address = token.world, token.contract.address
    who, amount = world.roles.depositor, raw(coin, Fraction(1_000), token)
    if fault == "reverts":
        world.feed.set_fault(1)
    else:
        world.feed.set_times(boa.env.timestamp - 90_000, boa.env.timestamp - 90_000)
    for refused in (
        lambda: zap.enter(address, coin.address, amount, 0, who, LATER, sender=who),
        lambda: zap.exit(address, coin.address, WAD, 0, who, LATER, sender=who),
    ):
        with boa.reverts("zap: no price"):
            refused()
    assert token.redeem(1) > 0


def test_what_is_no_token_of_the_reserve_gets_no_money(zap: Any, fund: Fund) -> None:
    """Scenario: a contract of an attacker's, and an asset of another token.

    Property: refused before anything is taken.
    """
    world, who = fund.world, fund.world.roles.depositor
    stranger = deploy_double("HostileSeries").address
    asset = world.quote.address
    for refused in (
        lambda: zap.enter(stranger, asset, 10**6, 0, who, LATER, sender=who),
        lambda: zap.enter_exact(stranger, asset, WAD, 10**6, who, LATER, sender=who),
        lambda: zap.exit(stranger, asset, WAD, 0, who, LATER, sender=who),
    ):
        with boa.reverts("zap: not a token of the reserve"):
            refused()
    token = fund.tokens[0].contract.address
    with boa.reverts("zap: neither underlying nor quote"):
        zap.enter(token, stranger, 10**6, 0, who, LATER, sender=who)
    with boa.reverts("zap: not the pool"):
        zap.uniswapV3SwapCallback(10**6, 0, b"", sender=world.roles.attacker)


def test_a_token_that_has_not_been_launched_cannot_be_entered(world: World) -> None:
    """Scenario: no supply yet. Property: refused, whatever is brought, and nothing is taken."""
    fund = Fund(world, Terms(), launch=0)
    zap, who = deploy_zap(fund), world.roles.depositor
    token = fund.tokens[0].contract.address
    had = world.balances(who)
    with boa.reverts("lens: not launched"):
        zap.enter(token, world.underlying.address, WAD, 0, who, LATER, sender=who)
    with boa.reverts("zap: not launched"):
        zap.enter_exact(token, world.underlying.address, WAD, WAD, who, LATER, sender=who)
    assert world.balances(who) == had


def test_a_position_that_is_gone_cannot_be_entered(zap: Any, token: Token) -> None:
    """Scenario: debt exceeds collateral at the feed's price. Property: every entry is refused."""
    coin = token.loan
    world, who = token.world, token.world.roles.depositor
    world.move(1_000 if token.long else 4_500)
    with pytest.raises(boa.BoaError, match=r"lens: wiped out|zap: value|insufficient"):
        zap.enter(
            token.contract.address, coin.address, 10 ** coin.decimals(), 0, who, LATER, sender=who
        )
    assert world.balances(zap.address) == (0, 0)


def test_what_was_sent_by_mistake_does_not_stay(zap: Any, token: Token, coin: Any) -> None:
    """Scenario: somebody sent coins to the zap.

    Property: they break nothing, and go to the next who passes, so that none is stuck.
    """
    world, who = token.world, token.world.roles.attacker
    for lost in (world.underlying, world.quote):
        lost.transfer(zap.address, 10 ** (lost.decimals() - 2), sender=world.roles.lender)
    address = token.contract.address
    zap.enter(
        address,
        token.loan.address,
        raw(token.loan, Fraction(1_000), token),
        1,
        who,
        LATER,
        sender=who,
    )
    zap.exit(address, coin.address, WAD // 100, 1, who, LATER, sender=who)
    nothing_is_left(zap, token)


@pytest.mark.parametrize("vice", ["fee", "false"])
def test_a_coin_that_takes_a_fee_is_refused(vice: str) -> None:
    """Scenario: the quote asset begins to take a fee on transfer, or to return false.

    Property: neither an entry nor an exit with it goes through.
    """
    hostile = deploy_double("HostileToken", 6)
    world = World(Setting(), quote=hostile)
    fund = Fund(world, Terms())
    zap, who, token = deploy_zap(fund), world.roles.depositor, fund.tokens[0].contract.address
    zap.enter(token, hostile.address, 10**9, 1, who, LATER, sender=who)
    if vice == "fee":
        hostile.set_fee_bps(10)
    else:
        hostile.set_returns_false(True)
    reason = "zap: fee on transfer" if vice == "fee" else "zap: transfer"
    with boa.reverts(reason):
        zap.enter(token, hostile.address, 10**9, 1, who, LATER, sender=who)
    with boa.reverts():
        zap.exit(token, hostile.address, WAD, 0, who, LATER, sender=who)


def test_a_coin_that_calls_back_gets_nothing() -> None:
    """A coin that calls back gets nothing.

    Scenario: the quote asset, while the zap sends it to who leaves, enters with what the zap still
    holds, for the attacker.
    Property: the call is refused, the exit goes through, the attacker has no tokens.
    """
    hostile = deploy_double("HostileToken", 6)
    world = World(Setting(), quote=hostile)
    own = Fund(world, Terms())
    zap, who, token = deploy_zap(own), world.roles.depositor, own.tokens[0].contract
    attacker = world.roles.attacker
    data = zap.enter_exact.prepare_calldata(
        token.address, hostile.address, WAD // 100, 0, attacker, LATER
    )
    hostile.set_hook(zap.address, zap.address, data)
    assert zap.exit(token.address, hostile.address, WAD, 1, who, LATER, sender=who) > 0
    assert hostile.hook_calls() > 1
    assert hostile.hook_succeeded() == token.balanceOf(attacker) == 0
    assert world.balances(zap.address) == (0, 0)


def test_terms_that_cannot_work_are_refused(fund: Fund) -> None:
    """Scenario: no lens, no reserve, a guard of nothing or of more than 5 %. Property: refused."""
    lens = deploy_source(CONTRACTS / "Lens.vy").address
    reserve, nobody = fund.reserve.address, fund.world.roles.attacker
    for args, reason in (
        ((nobody, reserve, ZERO, WAD // 100), "zap: not a contract"),
        ((lens, nobody, ZERO, WAD // 100), "zap: not a contract"),
        ((lens, reserve, ZERO, 0), "zap: max_loss"),
        ((lens, reserve, ZERO, WAD // 20 + 1), "zap: max_loss"),
    ):
        with boa.reverts(reason):
            deploy_source(CONTRACTS / "Zap.vy", *args)
