"""Contract tests run where Vyper, titanoboa and the counterparties are; elsewhere they say why."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from support.chain.counterparties import missing

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


class Skipped(pytest.Module):
    """A file of tests that is not read, because what it imports is not here."""

    def collect(self) -> Any:
        """Skip it, as each file's own import would, in words that say what to do."""
        pytest.skip(why_not() or "", allow_module_level=True)


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


@pytest.fixture(scope="session", params=SETTINGS.values(), ids=SETTINGS.keys())
def world(request: pytest.FixtureRequest) -> World:
    """Real Morpho Blue and Uniswap v3 around WETH and a USDC, in both orders of the tokens.

    It is deployed once; each test finds it as it was deployed.
    """
    from support.chain.world import Setting, World

    return World(Setting(**request.param))


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Undo what a test does to the chain. Examples of Hypothesis: ``with boa.env.anchor()``."""
    import boa

    with boa.env.anchor():
        yield
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
    # undoing a test does not undo the time that passed in it, and answers grow old
    fund.world.refresh_feeds()
    return fund.series[request.param]
