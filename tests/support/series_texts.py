"""Series files as text, and how one is refused."""

from __future__ import annotations

import pytest

from steelyard.errors import InputError
from steelyard.rules.series import Series

EXAMPLE = """
schema = 1
symbol = "BTC3L"
underlying = "BTC/USDT:USDT"
quote = "USDT"
target_leverage = 3.0
initial_nav = 100.0
initial_tokens = 1000.0

[rebalance]
move_to = "target"
recentering_speed = 1.0
edge_slack = 0.02
max_trade_notional = 0.0
cooldown = "0s"
emergency_leverage = 0.0

[[rebalance.trigger]]
when = "band"
lower = 2.5
upper = 3.5
delever_only = false

[[rebalance.trigger]]
when = "move"
threshold = 0.15
losing_side_only = false

[[rebalance.trigger]]
when = "volatility"
window = "24h"
annualised = 1.5

[[rebalance.trigger]]
when = "interval"
every = "8h"
anchor = "00:00"

[[rebalance.trigger]]
when = "daily"
at = "00:02"

[[rebalance.trigger]]
when = "fallback"
after = "24h"

[venue]
kind = "perpetual"
maintenance_margin = 0.0
liquidation_fee = 0.0

[costs]
taker_fee_bps = 5.0
half_spread_bps = 1.0
impact = "none"
impact_coefficient = 0.0
daily_volume = 0.0
gas_per_rebalance = 0.0

[execution]
lot_units = 0.0
min_notional = 0.0
delay = "0s"

[fees]
management_per_year = 0.0
creation_bps = 0.0
redemption_bps = 0.0

[reserve]
initial_units = 0.0
bears = ["spread", "impact", "gas"]
floor_ratio = 0.10
resume_ratio = 0.12
fee_share = 0.5
allocation_every = "24h"
"""

LEAST = 'symbol = "A"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
BAND = '[[rebalance.trigger]]\nwhen = "band"\nlower = 2.5\nupper = 3.5\n'


def refused(text: str) -> InputError:
    """The error that the text is refused with; any other outcome fails."""
    with pytest.raises(InputError) as caught:
        Series.loads(text, "token.toml")
    message = str(caught.value)
    assert message.startswith("token.toml: ")
    assert message.isprintable()
    assert len(message) < 500
    assert message.endswith(".")
    return caught.value
