"""Contract tests run where Vyper, titanoboa and the counterparties are; elsewhere they say why.

On CI (the variable ``CI`` is set) they are skipped for one reason alone: the command that installs
the counterparties noted that npm's registry is not to be had. All else that is missing is an error.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from support.chain.counterparties import could_not_be_had, missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.chain.series import Fund, Series
    from support.chain.world import World

NEEDED = ("boa", "snekmate", "vyper")
SETTINGS: dict[str, dict[str, Any]] = {
    "weth-first": {"underlying_first": True},
    "usdc-first": {"underlying_first": False},
}


FUNDS = ("fund", "composite")
"""Fixtures that are a fund, made once."""


class Skipped(pytest.Module):
    """A file of tests that is not read, because what it imports is not here."""

    def collect(self) -> Any:
        """Skip it, as each file's own import would, in words that say what to do."""
        reason = why_not() or ""
        if os.environ.get("CI") and could_not_be_had() is None:
            raise self.CollectError(f"CI tests the contracts, and something is missing: {reason}")
        pytest.skip(reason, allow_module_level=True)


def why_not() -> str | None:
    """Why contracts cannot be tested here, or None where they can."""
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        return f"needs {', '.join(absent)}: pip install -e '.[test,contracts]' -c constraints.txt"
    return missing()


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Files that could not even be imported are shown as skipped, with the reason."""
    return Skipped.from_parent(parent, path=module_path) if why_not() else None


@pytest.fixture(scope="session", autouse=True)
def quick() -> None:
    """Py-evm runs twice as fast, with the same results; STEELYARD_PY_EVM=1 leaves it as it is."""
    if not os.environ.get("STEELYARD_PY_EVM"):
        from support.chain import quick_evm

        quick_evm.install()


@pytest.fixture(scope="session", params=SETTINGS.values(), ids=SETTINGS.keys())
def world(request: pytest.FixtureRequest) -> World:
    """Real Morpho Blue and Uniswap v3 around WETH and a USDC, in both orders of the tokens.

    It is deployed once; each test finds it as it was deployed.
    """
    from support.chain.world import Setting, World

    return World(Setting(**request.param))


@pytest.fixture(autouse=True)
def as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    """Undo what a test does to the chain. Examples of Hypothesis: ``with boa.env.anchor()``.

    A test of the fund begins when the fund was ready. Worlds that were made since have let time
    pass on the same chain, and in it an auction by the clock goes on to another premium.
    """
    import boa

    asked = [name for name in FUNDS if name in request.fixturenames]
    funds = [request.getfixturevalue(name) for name in asked]
    with boa.env.anchor():
        for each in funds:
            each.begin()
        yield
    # a later contract may get the address of one that was undone: titanoboa, which tells the
    # storage of whoever reverts, would read the one's slots as the other's
    boa.env.sstore_trace.clear()
    # what is not persisted makes each later call slower, accounts that were undone too
    boa.env.evm.vm.state.persist()


@pytest.fixture(scope="session")
def fund() -> Fund:
    """A reserve with a 3x long and a 1x short, 1,000 tokens of each launched 60 days ago.

    The core knows no pool: the order of the tokens' addresses does not matter to it.
    """
    from support.chain.series import Fund, Terms
    from support.chain.world import Setting, World

    return Fund(World(Setting()), Terms(long=True), Terms(long=False))


@pytest.fixture(params=[0, 1], ids=["long", "short"])
def series(request: pytest.FixtureRequest, fund: Fund) -> Series:
    """One of the fund's two series."""
    from support.chain.series import new_transaction

    new_transaction()
    return fund.series[request.param]
