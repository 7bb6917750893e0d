"""The launch of a fund: its clock starts, and its first position is bought."""

from __future__ import annotations

from steelyard.errors import InputError
from steelyard.fund.effects import Launched
from steelyard.fund.group import Fund, Group
from steelyard.fund.ordering import carry_out, plan_order
from steelyard.rules.costs import side_depth
from steelyard.rules.decide import Outcome, Plan
from steelyard.rules.due_instants import clocks_from
from steelyard.rules.futures import mark_factor
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger

__all__ = ["launch"]


def launch(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """Start the clock and order the first position.

    Raises:
        InputError: the first position cannot be bought.
    """
    state, terms = fund.state, fund.terms
    interval, daily, _, expiry = clocks_from(terms.series, time)
    mark = mark_factor(terms.basis, expiry, time) if terms.is_future else state.mark
    settled_price = price if terms.is_pool else None
    group.emit(
        state,
        Launched(terms.symbol, time, price, interval, daily, expiry, mark, settled_price),
    )
    trigger, suspended = Trigger.LAUNCH, group.reserve.suspended
    plan = plan_order(group, fund, trigger, terms.rule.target, price, suspended)
    if plan.outcome != Outcome.TRADE:
        raise InputError(_refusal(fund, plan), symbol=terms.symbol)
    # a token starts at its target at once, even if its later orders are filled with a delay
    nothing = price * 0
    carry_out(group, fund, plan, trigger, time, price, nothing, time)
    if group.fills is not None:
        _refuse_unfilled(fund)


def _refusal(fund: Fund[Num], plan: Plan[Num]) -> str:
    symbol = fund.terms.symbol
    if plan.outcome == Outcome.WAIT:
        return (
            f"{symbol}: expected a first position that the venue accepts, found one below "
            f"min_notional or below one lot; raise initial_nav x initial_tokens."
        )
    if fund.terms.is_pool:
        return (
            f"{symbol}: expected a reserve that can carry a first position, found one that cannot; "
            f"raise its initial_units or max_utilisation, or lower the costs."
        )
    return (
        f"{symbol}: expected a launch that leaves some nav, found that the "
        f"costs of the first position take all of it; lower the costs or raise "
        f"initial_nav x initial_tokens."
    )


def _refuse_unfilled(fund: Fund[Num]) -> None:
    """Refuse a launch whose first position the order book or pool cannot fill."""
    terms, state = fund.terms, fund.state
    rule, rates, series = terms.rule, fund.costs.rates, terms.series
    buys = rule.target > 0
    wanted = abs(rule.target) * terms.number.of(series.initial_nav) * state.tokens
    if state.clips is not None:
        what, held = "the book", side_depth(rates.book, buys)
        deepen = "give a deeper book"
    elif buys and 0 < rates.amm_liquidity <= wanted:
        what, held, deepen = "the pool", rates.amm_liquidity, "raise amm_liquidity"
    else:
        return
    message = (
        f"{terms.symbol}: expected a first position that {what} can fill, found one of "
        f"{float(wanted):,.10g} {series.quote} and {float(held):,.10g} to "
        f"{'buy' if buys else 'sell into'}; lower initial_nav x initial_tokens, or {deepen}."
    )
    raise InputError(message, symbol=terms.symbol)
