"""Gas is read from receipts: anvil's chain does what the one in process does, and bills for it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import boa
import pytest

from support.chain import anvil as node
from support.chain.anvil import AnvilEnv, Reverted, anvil, unavailable
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))

WHOLE = 10**18
USDC = 10**6


@pytest.fixture
def chain() -> Iterator[AnvilEnv]:
    """A node of its own, boa's chain while the test runs."""
    with anvil() as env:
        yield env


def lever(world: World) -> list[int]:
    """Three steps to 1.6x; the raw amounts that came of them."""
    market = world.lending.market(long=True, lent=10_000_000)
    who, params = world.roles.holder, tuple(market)
    world.morpho.supplyCollateral(params, 10 * WHOLE, who, b"", sender=who)
    borrowed = world.morpho.borrow(params, 12_000 * USDC, 0, who, who, sender=who)
    bought = world.pool.swap(world.quote, 12_000 * USDC, who=who)
    world.morpho.supplyCollateral(params, bought, who, b"", sender=who)
    return [*borrowed, bought, *world.lending.position(market, who)]


def test_both_chains_give_the_same_amounts() -> None:
    """The same deployment and the same lever, in process and on a node, agree to the last digit."""
    with anvil() as env:
        on_node = lever(World(Setting()))
        assert boa.env is env
    assert boa.env is not env
    assert lever(World(Setting())) == on_node


def test_gas_is_all_that_a_transaction_pays(chain: AnvilEnv) -> None:
    """A plain payment costs 21,000; a call costs more, and the same again for the same call."""
    sender, receiver = chain.generate_address(), chain.generate_address()
    chain.execute_code(receiver, sender=sender, value=5)
    assert chain.gas_used == 21_000
    assert chain.get_balance(receiver) == 5
    world = World(Setting())
    with chain.anchor():
        world.underlying.transfer(receiver, 1, sender=world.roles.keeper)
        first = chain.gas_used
    world.underlying.transfer(receiver, 1, sender=world.roles.keeper)
    assert chain.gas_used == first
    # 21,000, a slot that was empty at 22,100, one that was not at 5,000, and what it takes to call.
    assert 48_100 < first < 55_000


def test_gas_is_the_same_in_any_run() -> None:
    """Two nodes bill the same steps alike: addresses and times are the same on each."""
    bills = []
    for _ in range(2):
        boa.env.generate_address()  # another test's, before: it must not matter
        with anvil() as env:
            lever(World(Setting()))
            bills.append(env.gas_used)
    assert bills[0] == bills[1]


def test_a_revert_says_why(chain: AnvilEnv) -> None:
    """What a contract refuses is refused with its own words, and changes nothing."""
    world = World(Setting())
    market = world.lending.market(long=True, lent=10_000_000)
    who = world.roles.holder
    with pytest.raises(Reverted, match="insufficient collateral"):
        world.morpho.borrow(tuple(market), USDC, 0, who, who, sender=who)
    assert world.lending.position(market, who) == (0, 0, 0)
    assert chain.receipt["status"] == "0x1"


@pytest.mark.usefixtures("chain")
def test_events_are_decoded_as_in_process() -> None:
    """The events of a transaction are there, by name and field, in their order."""
    world = World(Setting())
    world.feed.update(5)
    (event,) = world.feed.get_logs()
    assert (type(event).__name__, event.current) == ("AnswerUpdated", 5)
    world.quote.transfer(world.roles.keeper, 7, sender=world.roles.lender)
    (event,) = world.quote.get_logs()
    assert (type(event).__name__, event.value) == ("Transfer", 7)


def test_time_passes_as_in_process(chain: AnvilEnv) -> None:
    """A block is a second after the last; time travel adds to that, and an anchor undoes both."""
    world = World(Setting())
    before = chain.timestamp
    with chain.anchor():
        boa.env.time_travel(seconds=3_600)
        assert chain.timestamp == before + 3_600
        world.feed.update(1)
        assert world.feed.updated_at() == before + 3_600
    assert chain.timestamp == before
    assert world.feed.answer() == 2_000 * 10**8


def test_the_node_ends_with_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens inside, exactly the process that was started is ended."""
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen
    monkeypatch.setattr(
        node.subprocess, "Popen", lambda *a, **k: started.append(start(*a, **k)) or started[-1]
    )
    seen: list[AnvilEnv] = []

    def break_off() -> None:
        with anvil() as env:
            seen.append(env)
            assert started[0].poll() is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert len(started) == 1
    assert started[0].poll() is not None
    with pytest.raises(OSError, match="refused"):
        seen[0].ask("eth_chainId")
