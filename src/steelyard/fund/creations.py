"""Creations and redemptions: they are quoted when requested and booked when their order is filled.

They are priced at nav and bear the cost of trading the exposure that they add or remove, so the
other holders neither gain nor lose. The parts of one order share the saving from netting
(``rules.flows``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, NamedTuple

from steelyard.errors import InputError
from steelyard.fund.effects import Creation
from steelyard.fund.events import Charges
from steelyard.fund.group import Fund
from steelyard.fund.state import Request
from steelyard.rules.costs import TRADE_KINDS, TradeCost, no_cost, pay, trade_cost
from steelyard.rules.flows import Flows, flow_exposure, flow_fee, netted_kind
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.reserve import reserve_share

__all__ = ["Entered", "Leg", "creations_of", "enter", "own_cost", "request", "too_many"]


class Leg(NamedTuple, Generic[Num]):
    """One creation or redemption at a price, before its trade; amounts are in quote."""

    tokens: Num
    nav: Num
    """Nav per token."""
    fee: Num
    notional: Num
    brought: Num
    """The amount brought into the fund; negative where it is taken out."""
    alone: TradeCost[Num]
    """The cost of its trade in an order of its own."""


class Entered(NamedTuple, Generic[Num]):
    """The books of a fund after its requests have been booked."""

    requests: tuple[Request[Num], ...]
    legs: tuple[Leg[Num], ...]
    flows: Flows[Num]
    cash: Num
    units: Num
    tokens: Num
    pending_fees: Num


def request(fund: Fund[Num], tokens: Sequence[Num], time: int, price: Num) -> list[Request[Num]]:
    """Requests for these numbers of tokens, each quoted as if the ones before it were booked.

    Raises:
        InputError: no token would be left.
    """
    nothing = price * 0
    asked: tuple[Request[Num], ...] = tuple(
        Request(time, fund.terms.number.amount(each), nothing, nothing) for each in tokens
    )
    state = fund.state
    earlier = state.pending if state.intent is None else state.intent.requests + state.pending
    legs = enter(fund, earlier + asked, price).legs[len(earlier) :]
    return [Request(time, leg.tokens, leg.nav, leg.notional) for leg in legs]


def enter(fund: Fund[Num], requests: tuple[Request[Num], ...], price: Num) -> Entered[Num]:
    """The books after ``requests`` are booked in their order, at nav and at this price.

    Raises:
        InputError: no token would be left.
    """
    state, terms = fund.state, fund.terms
    number, amount = terms.number, terms.number.amount
    cash, units, tokens = state.cash, state.units, state.tokens
    pending_fees = state.reserve.pending_fees
    legs = []
    for each in requests:
        created = each.tokens
        if tokens + created <= 0:
            symbol = terms.symbol
            raise InputError(f"{symbol}: {too_many(tokens, created)}.", symbol=symbol)
        nav = nav_of(cash, units, price)
        notional = amount(flow_exposure(created, tokens, units * price))
        bps = terms.creation_bps if created > 0 else terms.redemption_bps
        per_token = nav / tokens
        fee = amount(flow_fee(created, per_token, bps))
        brought = amount(created * nav / tokens)
        alone = _alone(fund, notional)
        legs.append(Leg(created, per_token, fee, notional, brought, alone))
        cash = cash + (brought - notional)
        units = number.moved(units, units + notional / price)
        tokens = tokens + created
        pending_fees = pending_fees + amount(reserve_share(fee, terms.fee_share))
    flows = _flows_of(legs, price)
    return Entered(requests, tuple(legs), flows, cash, units, tokens, pending_fees)


def too_many(left: Num, tokens: Num) -> str:
    """The message for a redemption (``tokens`` below 0) that leaves none of the ``left`` tokens."""
    return (
        f"flows: expected fewer redemptions than the {float(left):g} tokens that are left, "
        f"found one of {float(-tokens):g}; to close the token, wind it down"
    )


def _flows_of(legs: Sequence[Leg[Num]], price: Num) -> Flows[Num]:
    """The totals of the legs in the form that the rules take."""
    nothing = price * 0
    size = _sum((abs(leg.notional) for leg in legs), nothing)
    kinds = zip(*(leg.alone for leg in legs), strict=True)
    alone = TradeCost(*(_sum(kind, nothing) for kind in kinds)) if legs else no_cost(nothing)
    return Flows(_sum((leg.notional for leg in legs), nothing), size, alone)


def _sum(figures: Iterable[Num], nothing: Num) -> Num:
    # add term by term, because the built-in sum rounds floats differently between versions of
    # Python
    total = nothing
    for figure in figures:
        total = total + figure
    return total


def _alone(fund: Fund[Num], notional: Num) -> TradeCost[Num]:
    """The cost of a separate order, zero for no trade; no reserve pays for creations."""
    nothing = notional * 0
    if notional == 0:
        return no_cost(nothing)
    return trade_cost(fund.costs.rates, notional, nothing, fund.terms.sqrt)


def own_cost(
    fund: Fund[Num],
    flows: Flows[Num],
    notional: Num,
    charges: Charges[Num],
    reserve_value: Num,
) -> TradeCost[Num]:
    """The rebalance's part of an order's ``charges``, and who pays it.

    ``notional`` is that of the rebalance, signed, in quote.
    """
    if notional == 0 and flows.size > 0:
        return no_cost(notional)
    alone, others, size = _alone(fund, notional), flows.alone, abs(notional)
    sizes = flows.size + size
    if not sizes > 0:
        return pay(fund.costs.rates, *charges, reserve_value)
    fee, spread, impact, gas = (
        netted_kind(own, other + own, together, size, sizes)
        for own, other, together in zip(alone[:4], others[:4], charges, strict=True)
    )
    return pay(fund.costs.rates, fee, spread, impact, gas, reserve_value)


def creations_of(
    fund: Fund[Num], entered: Entered[Num], time: int, notional: Num, charges: Charges[Num]
) -> tuple[Creation[Num], ...]:
    """The creations with what each pays, in one order with a rebalance of ``notional`` (signed)."""
    own, flows = _alone(fund, notional), entered.flows
    sizes = flows.size + abs(notional)
    rows = []
    for leg in entered.legs:
        cost = alone = leg.notional * 0
        for kind in range(len(TRADE_KINDS)):
            each = leg.alone[kind]
            alone += each
            if sizes > 0:
                all_alone = flows.alone[kind] + own[kind]
                size = abs(leg.notional)
                cost += netted_kind(each, all_alone, charges[kind], size, sizes)
        own_part = leg.notional, cost, alone - cost, leg.brought
        rows.append(Creation(time, leg.tokens, leg.nav, leg.fee, *own_part))
    return tuple(rows)
