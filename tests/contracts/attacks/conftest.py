"""What attacks are tried on: more series on the world of `fund`, launched as each attack needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.chain.series import Fund, Terms


@pytest.fixture
def launch(fund: Fund) -> Callable[..., Fund]:
    """Launches series with a reserve of their own; a long of 1,000 tokens by default."""
    from support.chain.series import Fund, Terms, new_transaction

    def make(*terms: Terms, **how: Any) -> Fund:
        new_transaction()
        series = terms or (Terms(),)
        how = {"protocol": fund.protocol, "salt": b"\2" * 32, **how}
        return Fund(fund.world, *series, **how)

    return make
