"""A hostile asset calls back in the middle of every transfer: nothing comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boa
import pytest
from eth_abi import encode

from support.chain.deploying import deploy_double
from support.chain.driving import LOWERS, RAISES, base_fee, go
from support.chain.series import WAD, Fund, ReserveTerms, Terms
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.chain.series import Token

UNLOCKED = {"transfer", "transferFrom", "approve", "permit"}
"""What a transfer may call in its middle: the ERC-20 itself, and views of it and of constants. The
pool's callback refuses everybody else; all else is locked, the views of the position among it."""
VIEWS_OF_THE_POSITION = {"state", "nav_underlying", "should_rebalance"}


def zero(kind: str) -> Any:
    """The plainest value of an ABI type: one where it is a number, and the target of no call."""
    if kind == "address":
        return "0x" + "11" * 20
    if kind == "bytes":
        return b""
    return bytes(32) if kind == "bytes32" else 1


def calls_of(contract: Any) -> dict[str, bytes]:
    """One call of each function that changes anything or tells of the position, by signature."""
    made = {}
    from vyper.compiler.output import build_abi_output
    from vyper.utils import method_id

    for entry in build_abi_output(contract.compiler_data):
        if entry["type"] != "function":
            continue
        changes = entry["stateMutability"] not in ("view", "pure")
        if not changes and entry["name"] not in VIEWS_OF_THE_POSITION:
            continue
        kinds = [each["type"] for each in entry["inputs"]]
        if any(kind.startswith("tuple") for kind in kinds):
            raise AssertionError(f"{entry['name']}: say what a tuple is to be")
        signature = f"{entry['name']}({','.join(kinds)})"
        made[signature] = method_id(signature) + encode(kinds, [zero(kind) for kind in kinds])
    return made


ACTS: dict[str, Callable[[Token], Any]] = {
    "mint": lambda token: token.mint(10),
    "redeem": lambda token: token.redeem(10),
    "redeem_in_kind": lambda token: token.contract.redeem_in_kind(
        10 * WAD, 2**255, token.world.roles.depositor, sender=token.world.roles.depositor
    ),
    "rebalance up": lambda token: token.rebalance(),
    "rebalance down": lambda token: token.rebalance(),
    "collect_fees": lambda token: token.contract.collect_fees(),
}


@pytest.fixture(autouse=True)
def _free_gas() -> Iterator[None]:
    """Gas costs nothing, so that a keeper's pay is the same whatever a hook burns."""
    with base_fee(0):
        yield


@pytest.fixture(scope="module", params=["underlying", "quote"])
def hostile(request: pytest.FixtureRequest) -> Token:
    """A long whose collateral, or whose debt, is a hostile token."""
    decimals = 18 if request.param == "underlying" else 6
    coin = deploy_double("HostileToken", decimals)
    world = World(Setting(), **{request.param: coin})
    terms = {"creation_bps": 10, "redemption_bps": 10}
    token = Fund(world, Terms(long=True, **terms)).tokens[0]
    token.coin = coin
    return token


def all_of(token: Token) -> tuple[Any, ...]:
    """All that a call may change: position, supply, clock, balances of everybody who acts."""
    world = token.world
    roles = (world.roles.depositor, world.roles.keeper, world.roles.attacker)
    who = [*roles, token.contract, token.fund.reserve, world.pool, token.coin]
    addresses = [getattr(each, "address", each) for each in who]
    return (
        tuple(token.state),
        [world.balances(each) for each in addresses],
        [token.contract.balanceOf(each) for each in addresses],
    )


@pytest.mark.parametrize("act", ACTS)
def test_no_function_can_be_called_from_inside_a_transfer(hostile: Token, act: str) -> None:
    """Scenario: each external function from each transfer's hook, both assets. Property: nothing.

    What changes anything or tells of the position is locked; what is not locked leaves every
    balance and the position as the same act leaves them without a hook.
    """
    token, coin = hostile, hostile.coin
    if act.startswith("rebalance"):
        go(token, (RAISES if act.endswith("up") else LOWERS)[token.long])
    with boa.env.anchor():
        ACTS[act](token)
        expected = all_of(token)
    seen = 0
    for signature, data in calls_of(token.contract).items():
        name = signature.split("(")[0]
        for victim in (token.contract, token.world.morpho):
            with boa.env.anchor():
                coin.set_hook(victim.address, token.contract.address, data)
                ACTS[act](token)
                if name not in UNLOCKED:
                    assert coin.hook_succeeded() == 0, f"{signature} inside {act}"
                seen += coin.hook_calls()
                if name not in ("approve", "permit"):
                    assert all_of(token) == expected, f"{signature} inside {act}"
    # of a long no quote moves when fees are collected
    assert seen > 0 or act == "collect_fees"


@pytest.mark.parametrize("act", ["mint", "redeem", "rebalance up", "rebalance down"])
def test_the_reserve_cannot_be_called_from_inside_a_transfer_either(
    hostile: Token, act: str
) -> None:
    """Scenario: each function of the reserve from the hook. Property: the act is as without it.

    Its publication is open then: the token's view is locked, so the last nav that could be read
    is the one that counts.
    """
    token, coin, reserve = hostile, hostile.coin, hostile.fund.reserve
    reserve.publish_health()
    boa.env.time_travel(seconds=90_000)
    token.world.pass_time(72)
    if act.startswith("rebalance"):
        go(token, (RAISES if act.endswith("up") else LOWERS)[token.long])
    with boa.env.anchor():
        ACTS[act](token)
        expected = all_of(token)
    nav = reserve.health().nav
    for signature, data in calls_of(reserve).items():
        with boa.env.anchor():
            coin.set_hook(token.world.morpho.address, reserve.address, data)
            ACTS[act](token)
            name = signature.split("(")[0]
            if name in ("settle", "pay", "inject", "uniswapV3SwapCallback"):
                assert coin.hook_succeeded() == 0, f"{signature} inside {act}"
            if name != "allocate":
                assert all_of(token) == expected, f"{signature} inside {act}"
            if name == "publish_health" and coin.hook_succeeded():
                assert reserve.health().nav == nav


@pytest.mark.parametrize("asset", ["underlying", "quote"])
@pytest.mark.parametrize("vice", ["fee", "false"])
def test_an_asset_that_turns_is_refused_where_it_arrives(asset: str, vice: str) -> None:
    """Scenario: an asset starts to take 1 %, or to return false. Property: each act is refused.

    Nothing is changed by what is refused, and all is open again once the asset is honest. Only an
    exit in kind is not refused for a fee on the collateral: nothing of it arrives here.
    """
    coin = deploy_double("HostileToken", 18 if asset == "underlying" else 6)
    world = World(Setting(), **{asset: coin})
    token = Fund(world, Terms(), reserve=ReserveTerms(initial=10)).tokens[0]
    token.coin = coin
    go(token, RAISES[True])
    if vice == "fee":
        coin.set_fee_bps(100)
    else:
        coin.set_returns_false(True)
    before = all_of(token)
    refused = ["mint", "redeem", "redeem_in_kind", "rebalance up"]
    if vice == "fee" and asset == "underlying":
        refused.remove("redeem_in_kind")
        with boa.env.anchor():
            ACTS["redeem_in_kind"](token)
    for name in refused:
        with boa.env.anchor(), boa.reverts():
            ACTS[name](token)
        assert all_of(token) == before
    if asset == "underlying":
        with boa.reverts():
            token.fund.inject(1)
    coin.set_fee_bps(0)
    coin.set_returns_false(False)
    for name in ("mint", "redeem", "redeem_in_kind"):
        ACTS[name](token)
    go(token, RAISES[True])
    token.rebalance()
