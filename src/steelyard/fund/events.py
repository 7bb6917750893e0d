"""What can happen to a fund from outside.

A driver tells them in the order of time: bars of a history, a live feed, a venue, a chain.
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
    """What fell due for one fund since its last scheduled observation, in the order of time."""

    funding: tuple[Num, ...] = ()
    """Rates of the funding instants."""
    rates: tuple[tuple[Num, int], ...] = ()
    """Each interest rate per year that was in force, with the seconds it was in force."""
    splits: tuple[Num, ...] = ()
    """New tokens for one old."""
    flows: tuple[Num, ...] = ()
    """Tokens to be created, or redeemed (below 0)."""
    ends: bool = False
    """The fund is to be wound down, now or since an earlier instant."""
    impact: Impact[Num] | None = None
    """Square-root impact of the moment, where it follows the market."""
    volatile: bool | None = None
    """Whether the volatility trigger's level is reached; None: the fund keeps the window."""


NOTHING_DUE: Inputs[float] = Inputs()


class Observed(NamedTuple, Generic[Num]):
    """A scheduled observation of the price (quote): everything may act here.

    The first one launches the funds.
    """

    time: int
    """Epoch s."""
    price: Num
    is_out: bool
    """The keeper is down: no trigger acts."""
    injections: tuple[tuple[Num, bool], ...]
    """Quote paid into the reserve, each with whether it is capital."""
    inputs: tuple[Inputs[Num], ...]
    """One a fund, in the order of the funds."""


class Crossed(NamedTuple, Generic[Num]):
    """A threshold of one fund is reached inside a bar, where the price is continuous."""

    time: int
    price: Num
    place: int
    """Which fund of the group."""
    trigger: int


class Arrived(NamedTuple, Generic[Num]):
    """The price came to the end of a way inside a bar: nothing but an end may come here."""

    time: int
    price: Num


class Visited(NamedTuple, Generic[Num]):
    """The price inside a bar comes to a threshold of one of several funds: all are settled."""

    time: int
    price: Num


class Charges(NamedTuple, Generic[Num]):
    """The cost of one order by kind, in quote; below 0 where a fill was better than the mark."""

    fee: Num
    spread: Num
    impact: Num
    gas: Num


class Filled(NamedTuple, Generic[Num]):
    """What came of a fund's open intent: a piece, all of it, or nothing (``units`` zero).

    It is settled whatever it is, also after the fund's end.
    """

    time: int
    price: Num
    """The mark at which the books are valued; what the fill was off it is cost."""
    units: Num
    """Of the order, signed; contracts where the venue has them."""
    notional: Num
    """Signed, quote, at ``price``."""
    charges: Charges[Num]
    place: int = 0
    """Which fund of the group."""
    final: bool = True
    """No more pieces follow."""
    goes_on: bool = True
    """What is left undone is wanted still: clips follow."""
    why: str | None = None
    """Why nothing was filled: ``costs``, ``capacity``, ``cancelled``, ``rejected``, ..."""
    second: Charges[Num] | None = None
    """Of a roll: the cost of its second order."""


class Liquidated(NamedTuple, Generic[Num]):
    """The venue closed the position of a live fund; ``cash`` (quote) is what it left."""

    time: int
    price: Num
    cash: Num
    place: int = 0


class Traded(NamedTuple, Generic[Num]):
    """The venue traded for a live fund without an order of the fund's.

    It deleveraged or liquidated the position, or somebody traded by hand: the books follow.
    """

    time: int
    price: Num
    """The mark, as of a fill."""
    units: Num
    notional: Num
    """Signed, quote, at ``price``."""
    charges: Charges[Num]
    place: int = 0


class MoneyMoved(NamedTuple, Generic[Num]):
    """The venue moved money of a live fund that no trade moved: what it paid is what it paid."""

    time: int
    price: Num
    what: str
    """``funding``, ``interest``, ``liquidation_fee`` or ``other``."""
    amount: Num
    """Quote; below 0: the fund paid it."""
    place: int = 0


class Paused(NamedTuple):
    """The operator pauses a fund, or lets it go on."""

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
