"""The bills of router and keeper, by receipts of a node, each call with its swap."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import boa

from support.chain.anvil import anvil
from support.chain.periphery import Periphery
from support.chain.series import Fund, Series
from support.chain.token_gas import LEVERAGES, RATES, Bill, paying_terms, rested
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from collections.abc import Callable

KEEPER_BARS = {
    "mock rate": 300_000,
    "adapting rate": 305_500,
    "adapting rate, composite": 318_000,
}
"""The most that a whole fill through the keeper takes, its swap and a payment of the reserve
included. A rate that adapts adds ADAPTS, a second feed the reading of it."""
FIRST_PAYMENT = 17_000
"""So much more for a series' first payment: a slot that is written for the first time."""
ONE_ASSET_BAR = 300_000
"""The most that a mint with one asset takes."""
INTERVALS = (1, 2, 12)
"""Seconds from one trade in the pool to the next."""


def _filled(periphery: Periphery, series: Series, every: int) -> None:
    """A whole fill near the auction's top, over a pool that traded until then.

    The feed answered a moment ago, and more than a minute before that.
    """
    series.fund.sleep(1_016)
    boa.env.time_travel(seconds=60)
    series.world.pass_time(24, every)
    boa.env.time_travel(seconds=every)
    periphery.take(series)


def _steps(periphery: Periphery, series: Series) -> dict[str, tuple[Callable[[], Any], Any]]:
    """Each call by its name, with what has to be done before."""
    side = "long" if series.long else "short"
    quiet = partial(boa.env.time_travel, seconds=61)
    steps: dict[str, tuple[Callable[[], Any], Any]] = {}
    mint = partial(periphery.mint, series, 10, series.collateral)
    redeem = partial(periphery.redeem, series, 5, series.collateral)
    steps[f"{side}, one-asset mint by a new holder"] = (quiet, mint)
    steps[f"{side}, one-asset mint by a holder"] = (quiet, mint)
    steps[f"{side}, one-asset redeem"] = (quiet, redeem)
    return steps


def on_periphery(rate: str, *, composite: bool = False) -> Bill:
    """All calls, on a node of their own."""
    said = RATES[rate] + (", composite" if composite else "")
    with anvil() as env:
        world = World(Setting(liquidity=Fraction(50_000), rate=rate))
        fund, bill = Fund(world, *paying_terms(composite=composite)), Bill()
        periphery = Periphery(fund)
        for series in fund.series:
            for name, (prepare, step) in _steps(periphery, series).items():
                prepare()
                step()
                bill[f"{name} ({said})"] = env.gas_used
            side = "long" if series.long else "short"
            for turn, every in zip(("first", "second", "third"), INTERVALS, strict=True):
                for way, leverage in LEVERAGES[series.long].items():
                    rested(series, leverage)
                    series.open()
                    _filled(periphery, series, every)
                    name = f"{side}, {turn} fill {way} by keeper, pool trades every {every} s"
                    bill[f"{name} ({said})"] = env.gas_used
        return bill
