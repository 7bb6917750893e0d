"""Events: everything that can happen to a fund from outside.

A driver passes them in the order of time. It is the bars of a history, a live feed, a venue or a
chain.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

from steelyard.fund.terms import Impact
from steelyard.rules.numbers import Num

__all__ = [
    "NOTHING_DUE",
    "Arrived",
    "Charges",
    "Crossed",
    "Event",
    "Filled",
    "Inputs",
    "Liquidated",
    "MoneyMoved",
    "Observed",
    "Paused",
    "Traded",
    "Visited",
]


class Inputs(NamedTuple, Generic[Num]):
    """The inputs of one fund since its last scheduled observation, in the order of time."""

    funding: tuple[Num, ...] = ()
    """The rates of the funding instants, as shares of notional."""
    rates: tuple[tuple[Num, int], ...] = ()
    """Each interest rate per year that applied, with the number of seconds for which it applied."""
    splits: tuple[Num, ...] = ()
    """For each split, the number of new tokens for one old token."""
    flows: tuple[Num, ...] = ()
    """The numbers of tokens to be created, or redeemed where negative."""
    ends: bool = False
    """Whether the fund is to be wound down, now or since an earlier instant."""
    impact: Impact[Num] | None = None
    """The present square-root impact, where it follows the market."""
    volatile: bool | None = None
    """Whether the level of the volatility trigger is reached; None where the fund computes it."""


NOTHING_DUE: Inputs[float] = Inputs()


class Observed(NamedTuple, Generic[Num]):
    """A scheduled observation of the price (quote), at which every rule may act.

    The first observation launches the funds.
    """

    time: int
    """The time of the observation, epoch s."""
    price: Num
    is_out: bool
    """Whether the keeper is down, so that no trigger acts."""
    injections: tuple[tuple[Num, bool], ...]
    """The amounts of quote paid into the reserve, each with whether it is capital."""
    inputs: tuple[Inputs[Num], ...]
    """The inputs of each fund, in the order of the funds."""


class Crossed(NamedTuple, Generic[Num]):
    """The price reached a threshold of one fund inside a bar, where the price is continuous."""

    time: int
    price: Num
    place: int
    """The index of the fund in its group."""
    trigger: int


class Arrived(NamedTuple, Generic[Num]):
    """The price reached the end of a path inside a bar, where only the end of a fund may follow."""

    time: int
    price: Num


class Visited(NamedTuple, Generic[Num]):
    """The price reached a threshold of one of several funds inside a bar; all funds are settled."""

    time: int
    price: Num


class Charges(NamedTuple, Generic[Num]):
    """The cost of one order by kind, in quote; negative where a fill was better than the mark."""

    fee: Num
    spread: Num
    impact: Num
    gas: Num


class Filled(NamedTuple, Generic[Num]):
    """The fill of a fund's open intent: part of it, all of it, or nothing (``units`` is zero).

    Every fill is settled, even after the end of the fund.
    """

    time: int
    price: Num
    """The mark at which the books are valued; the fill's difference from the mark is a cost."""
    units: Num
    """The units filled, signed; contracts where the venue trades contracts."""
    notional: Num
    """Signed, quote, at ``price``."""
    charges: Charges[Num]
    place: int = 0
    """The index of the fund in its group."""
    final: bool = True
    """Whether the order is complete, so that no more fills follow."""
    goes_on: bool = True
    """Whether the unfilled rest is still wanted, so that clips follow."""
    why: str | None = None
    """The reason why nothing was filled: ``costs``, ``capacity``, ``cancelled``, ``rejected``,
    ..."""
    second: Charges[Num] | None = None
    """The cost of the second order of a roll; None for other orders."""


class Liquidated(NamedTuple, Generic[Num]):
    """The venue closed the position of a live fund and left it with ``cash`` (quote)."""

    time: int
    price: Num
    cash: Num
    place: int = 0


class Traded(NamedTuple, Generic[Num]):
    """The venue traded for a live fund without an order from the fund.

    It deleveraged or liquidated the position, or somebody traded by hand. The books follow the
    trade.
    """

    time: int
    price: Num
    """The mark, as in ``Filled``."""
    units: Num
    notional: Num
    """Signed, quote, at ``price``."""
    charges: Charges[Num]
    place: int = 0


class MoneyMoved(NamedTuple, Generic[Num]):
    """The venue moved money of a live fund without a trade; the amount is booked as it is."""

    time: int
    price: Num
    what: str
    """``funding``, ``interest``, ``liquidation_fee`` or ``other``."""
    amount: Num
    """The amount in quote; negative where the fund paid it."""
    place: int = 0


class Paused(NamedTuple):
    """The operator paused or resumed a fund."""

    time: int
    is_paused: bool
    place: int = 0


Event = (
    Observed[Num]
    | Crossed[Num]
    | Visited[Num]
    | Arrived[Num]
    | Filled[Num]
    | Liquidated[Num]
    | Traded[Num]
    | MoneyMoved[Num]
    | Paused
)
