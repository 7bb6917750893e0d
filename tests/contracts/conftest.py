"""Contract tests run where Vyper, titanoboa and the counterparties are; elsewhere they say why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.chain.world import World

# Both orders of the pool's tokens, and each number of decimals on each side.
SETTINGS: dict[str, dict[str, Any]] = {
    "weth-first": {"underlying_first": True},
    "usdc-first": {"underlying_first": False},
}


@pytest.fixture(scope="session", autouse=True)
def counterparties() -> None:
    """Skip what needs contracts that are not here, and say how to bring them."""
    pytest.importorskip("boa", reason="needs titanoboa: pip install -e '.[test,contracts]'")
    from support.chain.counterparties import missing

    if reason := missing():
        pytest.skip(reason)


@pytest.fixture(scope="session", params=SETTINGS.values(), ids=SETTINGS.keys())
def world(request: pytest.FixtureRequest, counterparties: None) -> World:  # noqa: ARG001
    """Real Morpho Blue and Uniswap v3 around WETH and a USDC, in both orders of the tokens.

    It is deployed once; each test finds it as it was deployed.
    """
    from support.chain.world import Setting, World

    return World(Setting(**request.param))


@pytest.fixture(autouse=True)
def as_it_was(counterparties: None) -> Iterator[None]:  # noqa: ARG001
    """Undo what a test does to the chain. Examples of Hypothesis: ``with boa.env.anchor()``."""
    import boa

    with boa.env.anchor():
        yield
