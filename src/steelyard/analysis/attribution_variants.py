"""The steps from L times the underlying's return to the token's own, as variants of one run.

Each variant adds one thing to the variant before it, and a step is the difference between the
returns of two neighbouring variants::

    compounding   a frictionless daily reset at UTC midnight, less L times the underlying
    rule          this rule without any cost, less that reset
    fee, spread, impact, gas      the cost of trades, by kind
    basis         the future's premium over the price; only where the venue is a future
    funding, interest, management the costs that accrue over time
    reserve       the run as it was, less the run without a reserve

The variants are built from the last to the first: the series as it is, then without its reserve,
then without its management fee as well, and so on. Where a series lacks a feature, removing the
feature changes nothing: the two neighbours are then equal, and no additional run is needed.

Everything that decides when and how much is traded belongs to the step ``rule``: triggers, clips,
lots, delays, outages, a wind-down, and the venue's margin, liquidation fee and capacity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from steelyard.rules.series import Daily, Rebalance, Series, Venue

__all__ = ["Variant", "step_names", "unrebalanced", "variants"]


class Variant(NamedTuple):
    """A series to simulate, and the events that happen to it (``read_events``)."""

    series: Series
    events: Mapping[str, Any]


def variants(series: Series, events: Mapping[str, Any]) -> dict[str, Variant]:
    """The variants by the last step that each includes, in order; the last is the series as it is.

    The first, ``compounding``, is the daily reset without costs. It has no creations and
    redemptions, because without costs these do not affect a holder.
    """
    made = [Variant(series, events)]
    for name in reversed(step_names(series)[2:]):
        made.append(WITHOUT[name](made[-1]))
    made.append(Variant(_bare(series, Rebalance(daily=Daily(0)), Venue()), {}))
    return dict(zip(step_names(series), reversed(made), strict=True))


def unrebalanced(series: Series) -> Variant:
    """A position bought at the launch and never rebalanced, until the venue liquidates it."""
    venue = series.venue
    alone = Venue(
        kind="spot" if venue.kind == "spot" else "perpetual",
        maintenance_margin=venue.maintenance_margin,
        liquidation_fee=venue.liquidation_fee,
        liquidation_threshold=venue.liquidation_threshold,
    )
    return Variant(_bare(series, Rebalance(), alone), {})


def step_names(series: Series) -> tuple[str, ...]:
    """The names of the steps in order; ``basis`` is among them where the venue is a future."""
    return tuple(name for name in STEPS if name != "basis" or series.venue.kind == "future")


def _bare(series: Series, how: Rebalance, venue: Venue) -> Series:
    """The token with the given rule and venue, without any cost, fee or reserve."""
    return Series(
        symbol=series.symbol,
        underlying=series.underlying,
        quote=series.quote,
        target_leverage=series.target_leverage,
        initial_nav=series.initial_nav,
        initial_tokens=series.initial_tokens,
        rebalance=how,
        venue=venue,
    )


def _without_reserve(variant: Variant) -> Variant:
    series, events = variant
    reserve = series.reserve
    if reserve is None:
        return variant
    if series.venue.kind == "pool":
        # the reserve is the counterparty and must stay; its cost bearing and its suspensions go
        idle = replace(reserve, bears=(), floor_ratio=0.0, resume_ratio=0.0)
        return Variant(replace(series, reserve=idle), events)
    return Variant(replace(series, reserve=None), _less(events, "injections"))


def _without_management(variant: Variant) -> Variant:
    fees = replace(variant.series.fees, management_per_year=0.0)
    return variant._replace(series=replace(variant.series, fees=fees))


def _without_interest(variant: Variant) -> Variant:
    if not variant.series.venue.has_interest:
        return variant
    venue = replace(
        variant.series.venue,
        rate_per_year=0.0,
        borrow_spread_per_year=0.0,
        supply_spread_per_year=0.0,
        units_borrow_rate_per_year=0.0,
        cash_rate_per_year=0.0,
    )
    return Variant(replace(variant.series, venue=venue), _less(variant.events, "rates"))


def _without_funding(variant: Variant) -> Variant:
    return variant._replace(events=_less(variant.events, "funding"))


def _without_basis(variant: Variant) -> Variant:
    return _at_venue(variant, basis_per_year=0.0)


def _without_gas(variant: Variant) -> Variant:
    return _at_cost(variant, gas_per_rebalance=0.0)


def _without_impact(variant: Variant) -> Variant:
    if variant.series.costs.impact == "none":
        return variant
    return _at_cost(
        variant,
        impact="none",
        impact_coefficient=0.0,
        daily_volume=0.0,
        amm_liquidity=0.0,
        amm_fee_bps=0.0,
        book="",
    )


def _without_spread(variant: Variant) -> Variant:
    return _at_cost(variant, half_spread_bps=0.0)


def _without_fee(variant: Variant) -> Variant:
    # the fee of a pool is part of the kind fee
    return _at_venue(_at_cost(variant, taker_fee_bps=0.0), fee_bps=0.0)


def _at_cost(variant: Variant, **parts: float | str) -> Variant:
    costs = replace(variant.series.costs, **parts)  # type: ignore[arg-type]  # by name
    return variant._replace(series=replace(variant.series, costs=costs))


def _at_venue(variant: Variant, **parts: float) -> Variant:
    venue = replace(variant.series.venue, **parts)  # type: ignore[arg-type]  # by name
    return variant._replace(series=replace(variant.series, venue=venue))


def _less(events: Mapping[str, Any], option: str) -> Mapping[str, Any]:
    return {name: values for name, values in events.items() if name != option}


WITHOUT: Mapping[str, Callable[[Variant], Variant]] = {
    "fee": _without_fee,
    "spread": _without_spread,
    "impact": _without_impact,
    "gas": _without_gas,
    "basis": _without_basis,
    "funding": _without_funding,
    "interest": _without_interest,
    "management": _without_management,
    "reserve": _without_reserve,
}
"""For each step, the function that removes it from a variant; its result is equal to the given
variant where there is nothing to remove."""

STEPS = ("compounding", "rule", *WITHOUT)
