"""The token's own bills: one launched fund, call after call.

The fund is one that costs more than most: fees on both sides, a market that nobody else borrows
from, an interest model that writes a slot at each accrual, a pool with an observation a block of
12 s. The keeper and the reserve hold some of the underlying already, as they do from the first
rebalance on; liquidity lies over the full range, so that no swap crosses a tick.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import boa

from support.chain.anvil import anvil
from support.chain.deploying import deploy_double
from support.chain.series import WAD, Fund, ReserveTerms, Terms, Token
from support.chain.world import Setting, World

TRANSFER_OVER_SNEKMATE = 100
BARS = {
    "rebalance": 290_000,
    "rebalance with a sequencer": 310_000,
    "later mint": 235_000,
    "first mint": 340_000,
    "redeem": 240_000,
    "redeem in kind": 175_000,
}
"""The most gas that each call may take; a transfer has snekmate's own beside it."""

RATES = {"IrmMock": "mock rate", "AdaptingRate": "adapting rate"}
PRICE = 2_000
MOVES = {
    True: {"up": "1.165", "down": "0.88", "emergency": "0.8"},
    False: {"up": "0.85", "down": "1.15", "emergency": "1.45"},
}
"""From the price of the last rebalance, where the band is left for each trigger; by long."""
DUE = {"up": "band_up", "down": "band_down", "emergency": "emergency"}
FEES = {"creation_bps": 10, "redemption_bps": 10}
LENT = 10**9
LIQUIDITY = 50_000
EVERY_S = 11
"""Between observations: on the node each transaction takes a second more."""
GRACE_S = 3_600
Bill = dict[str, int]


def _fund(rate: str, *, sequencer: bool) -> Fund:
    """A long and a short, not launched yet."""
    world = World(Setting(liquidity=Fraction(LIQUIDITY), rate=rate))
    reserve = ReserveTerms()
    if sequencer:
        feed = deploy_double("PriceFeed", 0, 0)
        reserve = ReserveTerms(sequencer_feed=feed, sequencer_grace=GRACE_S)
        boa.env.time_travel(seconds=GRACE_S)
        world.set_feed(PRICE)
    terms = [Terms(long=long, lent=LENT, **FEES) for long in (True, False)]
    return Fund(world, *terms, reserve=reserve, launch=0)


def _send_unit(token: Token) -> None:
    """A step of deployment: one raw unit of collateral, so that no fee pays for its slot."""
    token.collateral.transfer(token.contract.address, 1, sender=token.world.roles.lender)


def _calm(world: World) -> None:
    """Two minutes with an observation a block, and a feed that answers anew."""
    world.pass_time(120, every=EVERY_S)


def _rebalanced(token: Token, move: str) -> None:
    world = token.world
    world.move(round(world.feed_price * Fraction(MOVES[token.long][move])))
    _calm(world)
    assert token.due == DUE[move], f"{token.due} after {move}"
    told = token.rebalance()
    assert told.covered > 0
    assert told.pay_by_reserve > 0
    assert not told.clipped


def _in_kind(token: Token) -> None:
    who = token.world.roles.holder
    token.contract.redeem_in_kind(10 * WAD, 2**255, who, sender=who)


def _transfer(contract: Any, world: World, receiver: Any) -> None:
    contract.transfer(receiver, WAD, sender=world.roles.holder)


def _allocated(fund: Fund) -> None:
    """Fees of both tokens, in both assets; the quote is swapped."""
    fund.world.pass_time(90_000, every=30_000)
    _calm(fund.world)
    fund.reserve.allocate()


def _steps(fund: Fund) -> dict[str, Callable[[], Any]]:
    """Each call of the long and of the short once launched, by its name."""
    world, steps = fund.world, dict[str, Callable[[], Any]]()
    holder, stranger = world.roles.holder, world.roles.attacker
    for token in fund.tokens:
        side = "long" if token.long else "short"
        steps[f"{side}, later mint"] = partial(token.mint, 100)
        steps[f"{side}, later mint by a new holder"] = partial(token.mint, 100, stranger)
        steps[f"{side}, redeem"] = partial(token.redeem, 50)
        steps[f"{side}, redeem in kind"] = partial(_in_kind, token)
    ours, receiver = fund.tokens[0].contract, boa.env.generate_address("receiver")
    plain = deploy_double("PlainToken", holder, 1_000 * WAD)
    plain.transfer(world.roles.keeper, WAD, sender=holder)
    ours.transfer(world.roles.keeper, WAD, sender=holder)
    for name, contract in (("ours", ours), ("snekmate's", plain)):
        to = partial(_transfer, contract, world)
        steps[f"transfer to a holder, {name}"] = partial(to, world.roles.keeper)
        steps[f"transfer to a new holder, {name}"] = partial(to, receiver)
    for token in fund.tokens:
        side = "long" if token.long else "short"
        for move in DUE:
            steps[f"{side}, rebalance {move}"] = partial(_rebalanced, token, move)
    steps["publish health of two tokens"] = fund.reserve.publish_health
    steps["allocate fees of two tokens"] = partial(_allocated, fund)
    return steps


def on_ours(rate: str, *, sequencer: bool = False) -> Bill:
    """All calls, on a node of their own; those that read no price only without a sequencer."""
    said = RATES[rate] + (", sequencer" if sequencer else "")
    with anvil() as env:
        fund, bill = _fund(rate, sequencer=sequencer), Bill()
        for token in fund.tokens:
            side = "long" if token.long else "short"
            fund.world.set_feed(PRICE + 1)
            _send_unit(token)
            token.mint(1_000)
            bill[f"{side}, first mint ({said})"] = env.gas_used
            fund.world.move(PRICE)
        fund.world.pass_time(600, every=EVERY_S)
        for name, step in _steps(fund).items():
            if sequencer and "rebalance" not in name:
                continue
            boa.env.time_travel(seconds=60)
            step()
            bill[f"{name} ({said})"] = env.gas_used
    return bill


def bar(name: str) -> int | None:
    """The most that a call of this name may take, None where nothing is said of it."""
    call = name.partition(" (")[0].partition(", ")[2]
    if call.startswith("rebalance"):
        return BARS["rebalance with a sequencer" if "sequencer" in name else "rebalance"]
    return None if "sequencer" in name else BARS.get(call)
