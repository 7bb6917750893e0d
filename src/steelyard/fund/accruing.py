"""The accruals of a fund between two scheduled observations: funding, interest, management fee.

The order is that of SPEC 3: splits, funding, interest, and then the management fee on the remaining
nav.
"""

from __future__ import annotations

from steelyard.fund.apply import see
from steelyard.fund.effects import Accrued, Seen, Split
from steelyard.fund.events import Inputs
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import Request
from steelyard.rules.accruals import (
    cash_interest,
    funding_payment,
    idle_cash_interest,
    management_fee,
    units_interest,
)
from steelyard.rules.futures import mark_factor
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.reserve import reserve_share

__all__ = ["accrue", "split"]


def split(group: Group[Num], fund: Fund[Num], ratios: tuple[Num, ...], time: int) -> None:
    """Replace each token by ``ratio`` new ones, also in requests that are not filled yet."""
    state, amount = fund.state, fund.terms.number.amount
    for ratio in ratios:
        tokens, so_far = amount(state.tokens * ratio), state.split * ratio
        left = state.intent
        if left is not None and left.requests:
            left = left._replace(requests=_in_new_tokens(fund, left.requests, ratio))
        pending = _in_new_tokens(fund, state.pending, ratio)
        group.emit(state, Split(fund.terms.symbol, time, ratio, tokens, so_far, left, pending))


def _in_new_tokens(
    fund: Fund[Num], requests: tuple[Request[Num], ...], ratio: Num
) -> tuple[Request[Num], ...]:
    amount = fund.terms.number.amount
    return tuple(
        each._replace(tokens=amount(each.tokens * ratio), nav=each.nav / ratio) for each in requests
    )


def accrue(group: Group[Num], fund: Fund[Num], inputs: Inputs[Num], time: int, price: Num) -> None:
    """Book the accruals that fell due since the last scheduled observation."""
    state, terms = fund.state, fund.terms
    window = None
    if terms.has_volatility and inputs.volatile is None and state.price is not None:
        change = price / state.price - 1
        window = change * change, time - terms.window_s
    if not (terms.accrues or inputs.funding) or state.time is None:
        if group.fills is not None and group.fills.as_planned:
            see(state, time, price, window)
        else:
            group.emit(state, Seen(terms.symbol, time, price, window))
        return
    is_spot, charges = terms.venue.spot, terms.management > 0
    amount, since = terms.number.amount, state.time
    cash, units, mark = state.cash, state.units, state.mark
    pending_fees = state.reserve.pending_fees
    interest = management = price * 0
    funding: tuple[Num, ...] = ()
    if terms.is_future:
        # the number of contracts does not change, but their mark does
        marked = mark_factor(terms.basis, state.expiry, time)
        units, mark = terms.number.moved(units, units / mark * marked), marked
    for rate in inputs.funding:
        paid = amount(funding_payment(units, price, rate))
        cash = cash - paid
        funding += (paid,)
    if is_spot:
        venue = terms.venue
        for rate, time_s in inputs.rates:
            interest += cash_interest(cash, rate, venue.borrow_spread, venue.supply_spread, time_s)
        interest = amount(interest)
        cash = cash - interest
        if units < 0:
            grown = amount(units_interest(units, venue.units_borrow_rate, time - since))
            units = units - grown
            interest = interest + amount(grown * price)
    elif terms.has_interest:
        nav = nav_of(cash, units, price)
        for rate, time_s in inputs.rates:
            interest += idle_cash_interest(nav, rate, time_s)
        interest = amount(interest)
        cash = cash - interest
    if charges:
        nav = nav_of(cash, units, price)
        if nav > 0:
            management = amount(management_fee(nav, terms.management, time - since))
            cash = cash - management
            pending_fees = pending_fees + amount(reserve_share(management, terms.fee_share))
    group.emit(
        state,
        Accrued(
            terms.symbol,
            time,
            price,
            window,
            funding,
            interest,
            management,
            cash,
            units,
            mark,
            pending_fees,
        ),
    )
