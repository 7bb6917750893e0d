"""A description of a series in words: its target, rule, venue, execution and costs.

The prices at which its triggers are met are computed in ``reach``.
"""

from __future__ import annotations

from steelyard.rules.auction import premium_beyond_cost, taker_wait
from steelyard.rules.series import Band, Costs, Move, Rebalance, Series

__all__ = [
    "clock_words",
    "cost_words",
    "duration_words",
    "execution_words",
    "rule_sentence",
    "rule_words",
    "series_sentences",
    "target_words",
    "venue_words",
]

DAY_S = 86_400
UNITS = (("d", DAY_S), ("h", 3_600), ("min", 60), ("s", 1))


def target_words(series: Series) -> str:
    """The target in words: ``3x long`` or ``1x short``."""
    side = "long" if series.target_leverage > 0 else "short"
    return f"{abs(series.target_leverage):g}x {side}"


def duration_words(seconds: int) -> str:
    """A duration in its largest whole unit: ``24 h``, ``90 s``, ``7 d``."""
    for name, size in UNITS:
        # days are used above one day only: a day and a half is 36 h, and one day is 24 h
        if seconds % size == 0 and (size < DAY_S or seconds > DAY_S):
            return f"{seconds // size:,} {name}"
    return f"{seconds:,} s"


def clock_words(seconds: int) -> str:
    """A time of day from seconds after midnight: ``00:02``."""
    hours, rest = divmod(seconds, 3_600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")


def rule_words(series: Series) -> str:
    """The rule in a few words, for a table: ``above 4, daily 00:02``."""
    how = series.rebalance
    words = []
    if how.band is not None:
        words.append(_band_in_short(how.band, how.move_to))
    if how.move is not None:
        against = " against it" if how.move.losing_side_only else ""
        words.append(f"{_percent(how.move.threshold)} move{against}")
    if how.volatility is not None:
        words.append(f"volatility {_percent(how.volatility.annualised)}")
    if how.interval is not None:
        words.append(f"every {duration_words(how.interval.every_s)}")
    if how.daily is not None:
        words.append(f"daily {clock_words(how.daily.at_s)}")
    if how.fallback is not None:
        words.append(f"{duration_words(how.fallback.after_s)} fallback")
    if how.move_to == "partway" and words:
        words.append(f"{_percent(how.recentering_speed)} of the way")
    if how.emergency_leverage > 0:
        words.append(f"emergency {_leverage(how.emergency_leverage)}")
    return ", ".join(words) if words else "never"


def rule_sentence(series: Series) -> str:
    """One sentence about when the series trades and to which destination."""
    how = series.rebalance
    occasions = _occasions(how)
    if not occasions:
        if how.emergency_leverage > 0:
            return (
                f"It trades only in an emergency: at {_leverage(how.emergency_leverage)}x it "
                f"trades back to its target."
            )
        return "It never trades after its launch: leverage drifts with the price."
    sentence = f"It trades {_destination(how)} {', and '.join(occasions)}"
    if how.emergency_leverage > 0:
        sentence += (
            f"; at {_leverage(how.emergency_leverage)}x it trades to its target at once, "
            f"regardless of limits and suspensions"
        )
    return sentence + "."


def series_sentences(series: Series) -> str:
    """A short paragraph about the series: its target, rule, clips and reserve."""
    parts = [
        f"{series.symbol} aims at {target_words(series)} {series.underlying}.",
        rule_sentence(series),
    ]
    how, pool = series.rebalance, series.reserve
    if how.max_trade_notional > 0:
        clip = (
            f"A trade above {how.max_trade_notional:,.10g} {series.quote} is split into clips of "
            f"that size"
        )
        if how.cooldown_s > 0:
            clip += f", at least {duration_words(how.cooldown_s)} apart"
        parts.append(clip + ".")
    if pool is not None:
        pays = _listed(pool.bears) if pool.bears else "nothing"
        parts.append(
            f"A reserve of {pool.initial_units:,.10g} {_base(series)} pays {pays} of its "
            f"rebalances while it lasts. When it falls below {_percent(pool.floor_ratio)} of net "
            f"asset value, trades that raise leverage are suspended until it is back at "
            f"{_percent(pool.resume_ratio)}."
        )
    return " ".join(parts)


def venue_words(series: Series) -> str:
    """The venue of the position in words: ``perpetual, maintenance margin 0.5 %``."""
    venue = series.venue
    if venue.kind == "spot":
        return (
            f"borrowed spot at {_percent(venue.rate_per_year)} a year, liquidated at a debt of "
            f"{_percent(venue.liquidation_threshold)} of the collateral"
        )
    margin = f"maintenance margin {_percent(venue.maintenance_margin)}"
    if venue.cash_rate_per_year:
        margin += f", idle cash at {_percent(venue.cash_rate_per_year)} a year"
    if venue.kind == "future":
        return (
            f"quarterly futures at a basis of {_percent(venue.basis_per_year)} a year, rolled "
            f"{venue.roll_days:g} days before they expire, {margin}"
        )
    if venue.kind == "pool":
        fee = f", which receives {_bps(venue.fee_bps)} of each trade" if venue.fee_bps else ""
        return f"the reserve, up to {_percent(venue.max_utilisation)} of its value{fee}"
    return f"perpetual, {margin}"


def execution_words(series: Series) -> str:
    """The limits of orders in words: ``lots of 0.001 BTC``; empty where there are none."""
    how = series.execution
    words = []
    if how.lot_units:
        words.append(f"lots of {how.lot_units:.10g} {_base(series)}")
    if how.min_notional:
        words.append(f"at least {how.min_notional:,.10g} {series.quote}")
    if how.delay_s:
        words.append(f"filled {duration_words(how.delay_s)} after the decision")
    return ", ".join(words)


def cost_words(series: Series) -> str:
    """The costs of a series in words: ``fee 5 bps, half spread 1 bp``."""
    costs = series.costs
    words = []
    if costs.taker_fee_bps:
        words.append(f"fee {_bps(costs.taker_fee_bps)}")
    if costs.half_spread_bps:
        words.append(f"half spread {_bps(costs.half_spread_bps)}")
    if costs.impact == "linear":
        words.append(f"impact {_bps(float(costs.impact_coefficient))} per million {series.quote}")
    if costs.impact == "square_root":
        words.append(_square_root_words(costs))
    if costs.impact == "amm":
        fee = f", fee {_bps(costs.amm_fee_bps)}" if costs.amm_fee_bps else ""
        words.append(f"swap in a pool of {costs.amm_liquidity:,.10g} {series.quote} a side{fee}")
    if costs.impact == "book":
        words.append(f"impact of walking the book {costs.book}")
    if costs.impact == "auction":
        words.append(_auction_words(costs))
    if costs.gas_per_rebalance:
        words.append(f"gas {costs.gas_per_rebalance:,.6g} {series.quote} a trade")
    if series.fees.management_per_year:
        words.append(f"management {_percent(series.fees.management_per_year)} a year")
    for kind in ("creation", "redemption"):
        bps = getattr(series.fees, f"{kind}_bps")
        if bps:
            words.append(f"{kind} {_bps(bps)}")
    return ", ".join(words) if words else "none"


def _auction_words(costs: Costs) -> str:
    own = costs.taker_fee_bps + costs.half_spread_bps
    figures = (costs.auction_start_bps, costs.auction_top_bps, own)
    beyond = premium_beyond_cost(*figures, costs.taker_delay_s, costs.auction_duration_s)
    wait_s = taker_wait(*figures, costs.taker_delay_s, costs.auction_duration_s)
    return (
        f"auction from {_bps(-costs.auction_start_bps)} to {_bps(costs.auction_top_bps)} within "
        f"{duration_words(costs.auction_duration_s)}, taken {wait_s:z.0f} s after it begins, "
        f"{beyond:.3g} bps above a taker's own cost"
    )


def _square_root_words(costs: Costs) -> str:
    coefficient, volume = costs.impact_coefficient, costs.daily_volume
    size = "of 2/3 of the day's volatility"
    if not isinstance(coefficient, str):
        size = _bps(coefficient)
    day = "at the volume of the last 24 h" if volume == "file" else "at a whole day's volume"
    return f"impact {size} {day}"


def _occasions(how: Rebalance) -> list[str]:
    words = []
    if how.band is not None:
        words.append(_band_words(how.band, how.edge_slack if how.move_to == "edge" else 0.0))
    if how.move is not None:
        words.append(_move_words(how.move))
    if how.volatility is not None:
        words.append(
            f"when volatility over {duration_words(how.volatility.window_s)} reaches "
            f"{_percent(how.volatility.annualised)} a year"
        )
    if how.interval is not None:
        words.append(
            f"every {duration_words(how.interval.every_s)} counted from "
            f"{clock_words(how.interval.anchor_s)} UTC"
        )
    if how.daily is not None:
        words.append(f"every day at {clock_words(how.daily.at_s)} UTC")
    if how.fallback is not None:
        words.append(f"after {duration_words(how.fallback.after_s)} without a rebalance")
    return words


def _destination(how: Rebalance) -> str:
    if how.move_to == "edge" and how.inside_band == "target":
        return "only back to the nearest edge of its band, and from inside the band to its target,"
    if how.move_to == "edge":
        return "only back to the nearest edge of its band"
    if how.move_to == "partway":
        inside = ", and at least into its band," if how.band is not None else ""
        return f"{_percent(how.recentering_speed)} of the way back to its target{inside}"
    return "back to its target"


def _band_words(band: Band, slack: float) -> str:
    beyond = f" by more than {slack:g}" if slack else ""
    if band.delever_only or band.lower is None:
        return f"when leverage rises above {_leverage(band.upper)}x{beyond}"
    edges = f"from {_leverage(band.lower)}x to {_leverage(band.upper)}x"
    return f"when leverage leaves the band {edges}{beyond}"


def _band_in_short(band: Band, move_to: str) -> str:
    if band.delever_only or band.lower is None:
        return f"above {_leverage(band.upper)}"
    word = "edges" if move_to == "edge" else "outside"
    return f"{word} {_leverage(band.lower)}-{_leverage(band.upper)}"


def _move_words(move: Move) -> str:
    against = " against it" if move.losing_side_only else ""
    return f"when the price has moved {_percent(move.threshold)}{against} since the last rebalance"


def _listed(words: tuple[str, ...]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _base(series: Series) -> str:
    """The base currency of the underlying: ``BTC`` of ``BTC/USDT:USDT``."""
    return series.underlying.partition("/")[0]


def _leverage(figure: float) -> str:
    return f"{figure:.4g}"


def _percent(share: float) -> str:
    return f"{share * 100:.6g} %"


def _bps(figure: float) -> str:
    return f"{figure:g} bp" if figure == 1 else f"{figure:g} bps"
