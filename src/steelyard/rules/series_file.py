"""Reading of series files: all keys, and the checks that a file has to pass (SPEC 1).

A wrong file is refused before anything runs. The message names the file, the key, the value found
and the values allowed, and suggests a key in place of a misspelt one.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from steelyard.arguments import path_of
from steelyard.errors import InputError
from steelyard.rules import series_parts as model
from steelyard.rules.costs import TRADE_KINDS
from steelyard.rules.series_keys import (
    Reader,
    choice,
    choices,
    duration,
    file_name,
    flag,
    number,
    or_word,
    text,
    time_of_day,
)
from steelyard.rules.toml_file import TomlFile, toml_content, toml_document

__all__ = [
    "IN_SECONDS",
    "TABLES",
    "TRIGGERS",
    "reserve_in",
    "reserve_values",
    "series_in",
    "series_values",
    "values_of_document",
]

# With these limits assets, their squares and the units they buy are finite at any price that is
# read.
LEAST_AMOUNT, MOST_AMOUNT = 1e-30, 1e30

NOT_NEGATIVE = number("a number of at least 0", lambda x: x >= 0)
POSITIVE = number("a number above 0", lambda x: x > 0)
AMOUNT = number(
    f"a number above 0, from {LEAST_AMOUNT:g} to {MOST_AMOUNT:g}",
    lambda x: LEAST_AMOUNT <= x <= MOST_AMOUNT,
)
LIQUIDITY = number(
    f"0 (no pool), or a number from {LEAST_AMOUNT:g} to {MOST_AMOUNT:g}",
    lambda x: x == 0 or LEAST_AMOUNT <= x <= MOST_AMOUNT,
)
SHARE = number("a share from 0 to 1", lambda x: 0 <= x <= 1)
PROPER_SHARE = number("a share from 0 to below 1", lambda x: 0 <= x < 1)
THRESHOLD_SHARE = number("a share above 0, at most 1", lambda x: 0 < x <= 1)
ANY = number("a number", lambda _: True)
BPS = number("basis points from 0 to below 10,000", lambda x: 0 <= x < 10_000)
ROLL_DAYS = number("days from 0 to 60", lambda x: 0 <= x <= 60)
BASIS = number("a rate per year from -1 to 1", lambda x: -1 <= x <= 1)
SPEED = number("a speed from 0.01 to 1", lambda x: 0.01 <= x <= 1)
LEVERAGE = number(
    "a leverage other than 0, such as 3.0 or -1.0, of at most 1,000 in size",
    lambda x: x != 0 and abs(x) <= 1000,
)

ROOT: dict[str, Reader] = {
    "symbol": text,
    "underlying": text,
    "quote": text,
    "target_leverage": LEVERAGE,
    "initial_nav": AMOUNT,
    "initial_tokens": AMOUNT,
}
TABLES = ("rebalance", "venue", "costs", "execution", "fees", "reserve")
REBALANCE: dict[str, Reader] = {
    "move_to": choice(("target", "edge", "partway")),
    "recentering_speed": SPEED,
    "edge_slack": POSITIVE,
    "inside_band": choice(("nothing", "target")),
    "max_trade_notional": NOT_NEGATIVE,
    "cooldown": duration(zero=True),
    "emergency_leverage": NOT_NEGATIVE,
}
TRIGGERS: dict[str, tuple[type, dict[str, Reader]]] = {
    "band": (model.Band, {"lower": NOT_NEGATIVE, "upper": POSITIVE, "delever_only": flag}),
    "move": (model.Move, {"threshold": POSITIVE, "losing_side_only": flag}),
    "volatility": (model.Volatility, {"window": duration(zero=False), "annualised": POSITIVE}),
    "interval": (model.Interval, {"every": duration(zero=False), "anchor": time_of_day}),
    "daily": (model.Daily, {"at": time_of_day}),
    "fallback": (model.Fallback, {"after": duration(zero=False)}),
}
VENUES: dict[str, dict[str, Reader]] = {
    "perpetual": {
        "maintenance_margin": PROPER_SHARE,
        "liquidation_fee": SHARE,
        "cash_rate_per_year": ANY,
    },
    "spot": {
        "liquidation_threshold": THRESHOLD_SHARE,
        "liquidation_fee": SHARE,
        "rate_per_year": ANY,
        "borrow_spread_per_year": NOT_NEGATIVE,
        "supply_spread_per_year": NOT_NEGATIVE,
        "units_borrow_rate_per_year": NOT_NEGATIVE,
    },
    "future": {
        "maintenance_margin": PROPER_SHARE,
        "liquidation_fee": SHARE,
        "expiry": choice(("quarterly",)),
        "roll_days": ROLL_DAYS,
        "basis_per_year": BASIS,
        "cash_rate_per_year": ANY,
    },
    "pool": {"max_utilisation": THRESHOLD_SHARE, "fee_bps": BPS},
}
COSTS: dict[str, Reader] = {
    "taker_fee_bps": BPS,
    "half_spread_bps": BPS,
    "impact": choice(("none", "linear", "square_root", "amm", "book", "auction")),
    "impact_coefficient": or_word(NOT_NEGATIVE, "realised"),
    "daily_volume": or_word(NOT_NEGATIVE, "file"),
    "amm_liquidity": LIQUIDITY,
    "amm_fee_bps": BPS,
    "book": file_name,
    "auction_start_bps": BPS,
    "auction_top_bps": BPS,
    "auction_duration": duration(zero=True),
    "taker_delay": duration(zero=True),
    "gas_per_rebalance": NOT_NEGATIVE,
}
# the kinds of impact that use a key; "realised" and "file" are only for the square root
IMPACT_KEYS = {
    "impact_coefficient": ("square_root",),
    "daily_volume": ("square_root",),
    "amm_liquidity": ("amm",),
    "amm_fee_bps": ("amm",),
    "book": ("book",),
    "auction_start_bps": ("auction",),
    "auction_top_bps": ("auction",),
    "auction_duration": ("auction",),
    "taker_delay": ("auction",),
}
EXECUTION: dict[str, Reader] = {
    "lot_units": NOT_NEGATIVE,
    "min_notional": NOT_NEGATIVE,
    "delay": duration(zero=True),
}
FEES: dict[str, Reader] = {
    "management_per_year": PROPER_SHARE,
    "creation_bps": BPS,
    "redemption_bps": BPS,
}
RESERVE: dict[str, Reader] = {
    "initial_units": NOT_NEGATIVE,
    "bears": choices(TRADE_KINDS),
    "floor_ratio": NOT_NEGATIVE,
    "resume_ratio": NOT_NEGATIVE,
    "fee_share": SHARE,
    "allocation_every": duration(zero=False),
}
# durations and times of day are stored in seconds, in fields whose names end in "_s"
IN_SECONDS = frozenset(
    {
        "cooldown",
        "window",
        "every",
        "anchor",
        "at",
        "after",
        "allocation_every",
        "delay",
        "auction_duration",
        "taker_delay",
    }
)


Values = dict[str, Any]
"""Values by the names of the fields that they are stored in."""


def series_in(path: str | Path) -> Values:
    """Read and check the series file at ``path``; see ``Series.load``."""
    path = path_of("path", path)
    values = series_values(toml_content(path, "a series file"), str(path))
    costs = values["costs"]
    if costs.book:
        # the path of a book is relative to the series file, not to the working directory
        values["costs"] = replace(costs, book=str(path.parent / costs.book))
    return values


def reserve_in(path: str | Path) -> Values:
    """Read and check the reserve file at ``path``; see ``Reserve.load``."""
    return reserve_values(toml_content(path_of("path", path), "a reserve file"), str(path))


def series_values(content: str, name: str) -> Values:
    """Read and check a series from TOML text; its reserve, if any, is returned as values too."""
    values = values_of_document(toml_document(content, name, "a series file"), name)
    return {**values, "text": content}


def values_of_document(document: Mapping[str, Any], name: str) -> Values:
    """Check a series given as the parsed document of its file; ``name`` appears in messages."""
    return _File(name).series(document)


def reserve_values(content: str, name: str) -> Values:
    """Read and check a reserve from TOML text; see ``Reserve.loads``."""
    return _File(name).shared_reserve(toml_document(content, name, "a reserve file"))


class _File(TomlFile):
    """One file that is being read; its name appears in every message."""

    def shared_reserve(self, document: Mapping[str, Any]) -> Values:
        self.check_version(document)
        self.only_known(document, ("schema", "reserve"), "")
        table = document.get("reserve")
        if not isinstance(table, Mapping):
            self.refuse("reserve", "a table [reserve]", table)
        return self._reserve(table)

    def _reserve(self, table: Mapping[str, Any]) -> Values:
        values = self._read(table, RESERVE, "reserve.")
        floor = values.get("floor_ratio", model.FLOOR_RATIO)
        resume = values.get("resume_ratio", model.RESUME_RATIO)
        if resume < floor:
            self.refuse("reserve.resume_ratio", f"at least floor_ratio = {floor:g}", resume)
        return values

    def series(self, document: Mapping[str, Any]) -> Values:
        self.check_version(document)
        self.only_known(document, ("schema", *ROOT, *TABLES), "")
        for table in TABLES:
            if not isinstance(document.get(table, {}), Mapping):
                self.refuse(table, f"a table [{table}]", document[table])
        plain = {key: value for key, value in document.items() if key in ROOT}
        for key in ("symbol", "underlying", "target_leverage"):
            if key not in plain:
                message = f"{self.name}: {key}: expected the key, found nothing; add it."
                raise InputError(message, file=self.name, key=key)
        reserve = document.get("reserve")
        execution = self._read(document.get("execution", {}), EXECUTION, "execution.")
        values = {
            "quote": "USDT",
            **self._read(plain, ROOT, ""),
            "rebalance": self._rebalance(document.get("rebalance", {})),
            "venue": self._venue(document.get("venue", {})),
            "costs": self._costs(document.get("costs", {})),
            "execution": model.Execution(**execution),
            "fees": model.Fees(**self._read(document.get("fees", {}), FEES, "fees.")),
            "reserve": None if reserve is None else self._reserve(reserve),
        }
        self._check_together(values["target_leverage"], values["rebalance"])
        self._check_survives(values["target_leverage"], values["venue"])
        return values

    def _read(
        self, table: Mapping[str, Any], readers: Mapping[str, Reader], place: str
    ) -> dict[str, Any]:
        values = self.read(table, readers, place)
        return {key + "_s" if key in IN_SECONDS else key: value for key, value in values.items()}

    def _rebalance(self, table: Mapping[str, Any]) -> model.Rebalance:
        plain = dict(table)
        triggers = plain.pop("trigger", [])
        if not isinstance(triggers, list) or not all(isinstance(t, Mapping) for t in triggers):
            self.refuse("rebalance.trigger", "tables [[rebalance.trigger]]", triggers)
        self.only_known(plain, (*REBALANCE, "trigger"), "rebalance.")
        values = self._read(plain, REBALANCE, "rebalance.")
        for entry in triggers:
            kind = entry.get("when")
            place = f"rebalance.trigger ({kind})"
            if not isinstance(kind, str) or kind not in TRIGGERS:
                allowed = "one of " + ", ".join(f'"{word}"' for word in TRIGGERS)
                close = difflib.get_close_matches(str(kind), TRIGGERS, n=1)
                hint = f' (did you mean "{close[0]}"?)' if close else ""
                self.refuse("rebalance.trigger.when", allowed + hint, kind)
            if kind in values:
                expected = "at most one trigger of each kind"
                self.refuse(f"rebalance.trigger ({kind})", expected, [kind, kind])
            values[kind] = self._trigger(kind, entry, place + ".")
        return model.Rebalance(**values)

    def _trigger(self, kind: str, entry: Mapping[str, Any], place: str) -> object:
        made, readers = TRIGGERS[kind]
        self.only_known(entry, ("when", *readers), place)
        given = {key: value for key, value in entry.items() if key != "when"}
        values = self._read(given, readers, place)
        if kind == "band" and values.get("delever_only"):
            values.setdefault("lower", None)
        for field in fields(made):
            if field.default is MISSING and field.name not in values:
                key = field.name.removesuffix("_s")
                message = f"{self.name}: {place}{key}: expected the key, found nothing; add it."
                raise InputError(message, file=self.name, key=place + key)
        return made(**values)

    def _venue(self, table: Mapping[str, Any]) -> model.Venue:
        kind = table.get("kind", "perpetual")
        if not isinstance(kind, str) or kind not in VENUES:
            allowed = "one of " + ", ".join(f'"{word}"' for word in VENUES)
            self.refuse("venue.kind", allowed, kind)
        given = {key: value for key, value in table.items() if key != "kind"}
        for other, readers in VENUES.items():
            for key in given:
                if key in readers and key not in VENUES[kind]:
                    message = (
                        f"{self.name}: venue.{key}: expected keys of a venue of kind "
                        f'"{kind}", found one of kind "{other}".'
                    )
                    raise InputError(message, file=self.name, key=f"venue.{key}", found=key)
        return model.Venue(kind=kind, **self._read(given, VENUES[kind], "venue."))

    def _costs(self, table: Mapping[str, Any]) -> model.Costs:
        costs = model.Costs(**self._read(table, COSTS, "costs."))
        impact = costs.impact
        for key, kinds in IMPACT_KEYS.items():
            found = getattr(costs, key + "_s" if key in IN_SECONDS else key)
            # with linear impact, a number that only the square root uses is harmless; a word is
            # refused
            loose = key in ("impact_coefficient", "daily_volume") and impact in ("none", "linear")
            if found and impact not in kinds and not (loose and isinstance(found, float)):
                needed = " or ".join(f'impact = "{kind}"' for kind in kinds)
                self.refuse(f"costs.{key}", f"{needed} in the same table, or no such key", found)
        if impact == "square_root" and not costs.daily_volume:
            expected = 'quote traded in a day, above 0, or "file", with impact = "square_root"'
            self.refuse("costs.daily_volume", expected, costs.daily_volume)
        if impact == "amm" and not costs.amm_liquidity:
            expected = 'the quote side of the pool, above 0, with impact = "amm"'
            self.refuse("costs.amm_liquidity", expected, costs.amm_liquidity)
        if impact == "book" and not costs.book.strip():
            expected = 'the name of a file, with impact = "book"'
            self.refuse("costs.book", expected, costs.book)
        if impact == "auction":
            self._check_auction(costs)
        return costs

    def _check_auction(self, costs: model.Costs) -> None:
        if not costs.auction_duration_s:
            expected = 'a duration longer than zero with impact = "auction"'
            self.refuse("costs.auction_duration", expected, costs.auction_duration_s)
        own = costs.taker_fee_bps + costs.half_spread_bps
        if costs.auction_top_bps <= 0 or costs.auction_top_bps < own:
            expected = (
                f"basis points above 0, and at least a taker's own cost, taker_fee_bps + "
                f"half_spread_bps = {own:g}; otherwise nobody would take the auction"
            )
            self.refuse("costs.auction_top_bps", expected, costs.auction_top_bps)

    def _check_together(self, leverage: float, how: model.Rebalance) -> None:
        band, size = how.band, abs(leverage)
        target = f"below |target_leverage| = {size:g}"
        if band is not None:
            place = "rebalance.trigger (band)."
            if band.lower is not None and not band.lower < size:
                self.refuse(place + "lower", f"a leverage {target}", band.lower)
            if not size < band.upper:
                above = f"a leverage above |target_leverage| = {size:g}"
                self.refuse(place + "upper", above, band.upper)
        elif how.move_to == "edge":
            expected = 'a trigger of kind "band" with move_to = "edge"'
            self.refuse("rebalance.move_to", expected, None)
        if how.inside_band == "target" and how.move_to != "edge":
            expected = '"nothing", or move_to = "edge" in the same table'
            self.refuse("rebalance.inside_band", expected, how.inside_band)
        if how.emergency_leverage > 0:
            acts = size if band is None else band.upper
            if band is not None and how.move_to == "edge":
                acts += how.edge_slack
            if how.emergency_leverage <= acts:
                expected = f"a leverage above {acts:g}, where the band acts, or 0 for none"
                self.refuse("rebalance.emergency_leverage", expected, how.emergency_leverage)

    def _check_survives(self, target: float, venue: model.Venue) -> None:
        """Refuse a position that its venue would liquidate at the target itself."""
        if venue.kind in ("perpetual", "future") and venue.maintenance_margin * abs(target) >= 1:
            expected = f"a share below 1/|target_leverage| = {1 / abs(target):.6g}"
            self.refuse("venue.maintenance_margin", expected, venue.maintenance_margin)
        if venue.kind == "spot":
            debt_share = (target - 1) / target if target > 0 else target / (target - 1)
            if debt_share >= venue.liquidation_threshold:
                expected = f"a share above the debt over collateral at target, {debt_share:.6g}"
                found = venue.liquidation_threshold
                self.refuse("venue.liquidation_threshold", expected, found)
