"""Found by attack: an exit that is closed by minting more tokens than a mean can hold."""

from __future__ import annotations

from fractions import Fraction

import pytest

from support.chain.series import DAY, MOST, WAD, Fund, Terms
from support.chain.world import Setting, World
from support.page_figures import stated

SHARE = Fraction(1, 10**9)
"""Whole underlying per token: a token of 0.000002 dollars."""
MANY = 60 * 10**9
"""Tokens that are minted."""


@pytest.mark.parametrize("days", [1, 30])
def test_no_number_of_tokens_closes_the_exit(days: int) -> None:
    """More tokens than 64 bits of means hold.

    Scenario: a series of cheap tokens; somebody mints 60 billion (120,000 dollars) and waits
    until the day's mean supply is beyond the 18 billion that its 64 bits hold.

    Property: everybody redeems all the same, and what is left is redeemed and minted as before.
    """
    terms = Terms(initial_nav=SHARE, tokens=10**9)
    series = Fund(World(Setting()), terms, age=3_600).series[0]
    attacker = series.world.roles.attacker
    series.mint(10_000)
    usd = MANY * SHARE * series.world.feed_price
    stated(f"exit: {MANY // 10**9} billion cheap tokens ({float(usd):,.0f} USD)")
    series.contract.mint(MANY * WAD, MOST, attacker, b"", sender=attacker)
    series.fund.sleep(days * DAY)
    series.redeem(10_000)
    series.mint(1)
    series.contract.redeem(MANY * WAD, MOST, attacker, b"", sender=attacker)
    series.fund.sleep(30 * DAY)
    # the mean finds its way back to the supply
    assert abs(series.state.mean_day - series.state.supply) < series.state.supply
