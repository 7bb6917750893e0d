"""What attackers do to a series, and what they have won by it.

Calls between two `new_transaction` are one transaction. An attacker has as much of both assets as
flash loans would give it, and what it has is valued at the feed's price: its own swaps are free.
Both favour the attacker.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa

from support.chain.deploying import deploy_double
from support.chain.series import MOST, SCALE, Fund, Series, new_transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

INCENTIVE = 1 / (1 - Fraction(3, 10) * (1 - Fraction(86, 100)))
"""What Morpho's liquidator gets per debt repaid, at a threshold of 86 %."""
WEEK = 7 * 86_400


def fortune(fund: Fund, who: Any, price: Any = None) -> Fraction:
    """All that somebody has, in whole quote: both assets, and tokens as claims in kind."""
    world, address = fund.world, getattr(who, "address", who)
    price = world.feed_price if price is None else Fraction(price)
    total = world.worth(address, price)
    for series in fund.series:
        held = series.contract.balanceOf(address)
        if held:
            state = series.state
            coin, owed = 10 ** series.collateral.decimals(), 10 ** series.loan.decimals()
            collateral, debt = Fraction(state.collateral, coin), Fraction(state.debt, owed)
            nav = collateral * price - debt if series.long else collateral - debt * price
            total += nav * held / state.supply
    return total


def gift(series: Series, leverage: Any, who: Any) -> int:
    """Repay on the series' behalf until leverage is this; the raw amount given."""
    amount = size_of_gift(series, leverage)
    if amount > 0:
        world = series.world
        world.morpho.repay(tuple(series.market), amount, 0, series.address, b"", sender=who)
    return max(amount, 0)


def size_of_gift(series: Series, leverage: Any) -> int:
    """The raw debt whose repayment takes leverage there."""
    wanted, state = Fraction(str(leverage)), series.state
    value = Fraction(state.collateral * series.price, SCALE)
    left = value * (1 - 1 / wanted) if series.long else value * wanted / (1 + wanted)
    return int(state.debt - left)


def wait_for_fallback(series: Series, elapsed: int | None = None) -> None:
    """Until a fallback is due and has run for so long; by default to the top of its premium."""
    duration, now = series.terms.duration, boa.env.timestamp
    due = series.contract.facts().arrived + series.terms.fallback_after
    elapsed = duration if elapsed is None else elapsed
    wait = due + elapsed - now
    series.fund.sleep(wait if wait >= 0 else wait % (2 * duration))
    series.accrue()


@contextmanager
def tried() -> Iterator[None]:
    """A transaction of its own, undone afterwards."""
    with boa.env.anchor():
        new_transaction()
        yield
    new_transaction()


def winnings(fund: Fund, who: Any, act: Callable[[], None]) -> Fraction:
    """What an act wins for somebody, in whole quote; it is undone afterwards."""
    with tried():
        before = fortune(fund, who)
        act()
        return fortune(fund, who) - before


def reserve_holds(fund: Fund) -> int:
    """Accounts and common part."""
    return sum(each.account.held for each in fund.series) + int(fund.reserve.common())


class FlashLoans:
    """A contract without capital: its acts are rehearsed, then made on flash loans at once."""

    def __init__(self, fund: Fund, underlying: int, quote: int) -> None:
        """It borrows these raw amounts, which lie in Morpho."""
        self.fund, self.world = fund, fund.world
        self.contract = deploy_double("FlashLoans")
        self.me = self.contract.address
        self.loans = {self.world.underlying.address: underlying, self.world.quote.address: quote}
        self.calls: list[tuple[str, bytes]] = []

    def do(self, contract: Any, method: str, *args: Any) -> None:
        """One call of the transaction."""
        function = getattr(contract, method)
        function(*args, sender=self.me)
        self.calls.append((contract.address, function.prepare_calldata(*args)))

    def run(self, steps: Callable[[], None]) -> Fraction:
        """What one transaction wins, in whole quote.

        Beside the loans it has as much again, so that no swap is needed to pay them back.
        """
        world, self.calls = self.world, []
        morpho, lender = world.morpho, world.roles.arbitrageur
        with tried():
            for token in (world.underlying, world.quote):
                token.transfer(self.me, self.loans[token.address], sender=lender)
            steps()
        with tried():
            self.contract.load(self.calls)
            for token in (world.underlying, world.quote):
                token.approve(morpho.address, MOST, sender=self.me)
                token.transfer(self.me, self.loans[token.address], sender=lender)
            before = fortune(self.fund, self.me)
            (first, amount), (second, more) = self.loans.items()
            self.contract.go(morpho.address, first, amount, second, more)
            return fortune(self.fund, self.me) - before
