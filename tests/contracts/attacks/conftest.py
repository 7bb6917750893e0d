"""What attacks are tried on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.chain.series import Fund, Token


@pytest.fixture
def either(fund: Fund) -> Token:
    """The long where WETH is token0, the short where USDC is: for searches that take seconds."""
    return fund.tokens[0 if fund.world.underlying_first else 1]
