"""Orders at a paper venue: refused where a real venue would refuse them, or filled at once."""

from __future__ import annotations

from decimal import Decimal

from steelyard.rules.liquidation import is_liquidated, is_nav_gone
from steelyard.venues.account import cut_to_position
from steelyard.venues.paper.account_state import (
    AccountChange,
    PaperState,
    PaperTerms,
    order_of,
    with_order,
)
from steelyard.venues.paper.paper_fills import filled
from steelyard.venues.protocol import EARLY_MS, CallOutcome, Failure, OrderRequest

__all__ = ["placed"]

NOTHING = Decimal(0)


def placed(
    terms: PaperTerms, state: PaperState, request: OrderRequest, now_ms: int
) -> AccountChange | Failure:
    """Fill an order as far as its limit and the market allow, or say why it is refused."""
    units = request.units
    if request.reduce_only:
        units = cut_to_position(units, state.account.units)
    moment = terms.feed.moment(state.place)
    contract = _contract(terms, state, request, moment.time_s)
    refusal = _refusal(terms, state, request, units, contract, now_ms)
    if refusal is not None:
        return refusal
    mark = state.price * terms.factor(contract, moment.time_s)
    fill = filled(
        terms.feed.rates(terms.rules.rates, state.place),
        units,
        mark,
        request.limit,
        terms.rules.lot_units,
        request.notional,
    )
    if fill is None:
        reason = "Nothing could be filled within the limit."
        order = order_of(request.client_id, units, NOTHING, now_ms, reason)
        return with_order(terms, state, order, contract, NOTHING)
    order = order_of(request.client_id, units, fill.units, now_ms)
    change = with_order(terms, state, order, contract, fill.quote, fill.charges)
    if not request.reduce_only and _is_broke(terms, change.state, moment.time_s):
        return _refused("margin", "Expected margin for the position after it, found too little.")
    return change


def _contract(terms: PaperTerms, state: PaperState, request: OrderRequest, time_s: int) -> int:
    """The contract of an order: the one requested, or held, or traded now; 0: not a future."""
    if not terms.is_future:
        return 0
    return request.contract or state.account.contract or terms.contract_at(time_s)


def _refusal(
    terms: PaperTerms,
    state: PaperState,
    request: OrderRequest,
    units: Decimal,
    contract: int,
    now_ms: int,
) -> Failure | None:
    rules, held = terms.rules, state.account
    if request.stamp_ms >= now_ms + EARLY_MS:
        return _refused("stamp", f"Expected a stamp by {now_ms + EARLY_MS} ms, found a later one.")
    if now_ms > request.last_ms:
        return _refused("stamp", f"Expected to come by {request.last_ms} ms, came at {now_ms} ms.")
    if request.contract and not terms.is_future:
        return _refused("contract", "Expected no contract: nothing expires here.")
    if contract and contract <= now_ms // 1_000:
        return _refused("contract", "Expected a contract that has not expired.")
    if held.units != 0 and contract != held.contract:
        return _refused("contract", "Expected the position in the other contract to be closed.")
    if rules.lot_units > 0 and request.units % rules.lot_units != 0:
        return _refused("lot", f"Expected a multiple of {rules.lot_units}, found {request.units}.")
    if request.reduce_only:
        if units == 0:
            return _refused("reduce_only", "Expected a position that it makes smaller.")
        return None
    notional = abs(units) * state.price
    if notional < rules.min_notional:
        message = f"Expected a notional of {rules.min_notional} or more, found {notional:z.2f}."
        return _refused("min_notional", message)
    return None


def _is_broke(terms: PaperTerms, state: PaperState, time_s: int) -> bool:
    """Whether the venue would liquidate the position at once."""
    cash, units = terms.holdings(state, time_s)
    if units == 0:
        return False
    price = state.price
    return is_liquidated(terms.rules.venue, cash, units, price) or is_nav_gone(cash, units, price)


def _refused(code: str, reason: str) -> Failure:
    return Failure(CallOutcome.REJECTED, reason, code)
