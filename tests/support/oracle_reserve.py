"""The oracle's reserve: what it pays, what it is fed, and what it settles as the counterparty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.rules.series import Reserve
    from support.oracle_books import Books

NEAR = 1e-12

Events = Sequence[tuple[int, float]]
"""Epoch s and a figure, in order."""


class Pot:
    """One reserve and the tokens that draw on it; empty, and of no effect, without terms."""

    def __init__(self, terms: Reserve | None, injections: Events = ()) -> None:
        self.terms, self.injections = terms, injections
        self.units = terms.initial_units if terms else 0.0
        self.members: list[Books] = []
        self.fees_due, self.allocated, self.suspended = 0.0, 0, False
        self.received = self.injected = 0.0
        self.suspended_s = 0

    @property
    def living(self) -> list[Books]:
        """The tokens that have not ended."""
        return [each for each in self.members if each.lives]

    def pays(self, parts: dict[str, float], price: float, whose: Books) -> float:
        """How much of a trade's costs it bears."""
        borne = sum(parts[kind] for kind in (self.terms.bears if self.terms else ()))
        return min(borne, self.free(price, whose))

    def free(self, price: float, whose: Books | None = None) -> float:
        """What it has less what orders of others in flight are planned to take (quote)."""
        taken = sum(each.takes for each in self.members if each is not whose)
        return max(self.units * price - taken, 0.0) if len(self.members) > 1 else self.units * price

    def gather(self, fee: float) -> None:
        """Its share of a fee, until the next allocation."""
        self.fees_due += fee * self.terms.fee_share if self.terms else 0.0

    def feed(self, since: int, time: int, price: float, launched: int) -> None:
        """Injections, and the allocation of fees, counted from the launch."""
        if not self.terms:
            return
        injected = between(self.injections, since, time)
        self.injected += injected
        allocations = (time - launched) // self.terms.allocation_every_s
        fees = self.fees_due if allocations > self.allocated else 0.0
        self.allocated = allocations
        self.fees_due -= fees
        self.units += injected / price
        self.take_in(fees, price)

    def pay(self, paid: float, price: float) -> None:
        """What was paid leaves it, and who paid all has nothing: no unit that is rounding."""
        is_all = paid >= self.units * price
        self.units = 0.0 if is_all else max(self.units - paid / price, 0.0)

    def take_in(self, fees: float, price: float) -> None:
        """Fees become units."""
        self.received += fees
        self.units += fees / price

    def judge(self, price: float, coming: float = 0.0) -> None:
        """Find whether what raises leverage is suspended, with the nav that is just coming."""
        navs = coming + sum(each.nav(price) for each in self.living)
        if self.terms and navs > 0:
            ratio = self.terms.resume_ratio if self.suspended else self.terms.floor_ratio
            self.suspended = self.free(price) / navs < ratio * (1 - NEAR)

    # -- as the counterparty ---------------------------------------------------------------------

    @property
    def against(self) -> list[Books]:
        """The living tokens whose counterparty it is."""
        return [each for each in self.living if each.venue.kind == "pool"]

    def settle(self, price: float) -> None:
        """Take what tokens lost, no more than they have; pay what they won, while it lasts."""
        won = [(each, each.units * (price - each.settled_at)) for each in self.against]
        for each, gain in won:
            if gain < 0:
                beyond = max(-each.nav(price), 0.0)
                each.cash += beyond
                self.units += max(-gain - beyond, 0.0) / price
        for each, gain in won:
            if gain > 0:
                paid = min(gain, self.units * price)
                each.cash -= gain - paid
                self.pay(paid, price)
            each.settled_at = price

    def net(self, price: float) -> float:
        """Signed exposure of all tokens against it."""
        return sum(each.units for each in self.against) * price


def between(events: Events, since: int, until: int) -> float:
    """The sum of what is dated in (since, until]."""
    return sum(figure for time, figure in events if since < time <= until)
