"""The findings of the keeper demo, read from the journal: rebalances, kills and health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.ledger.amounts import amount_text
from steelyard.ledger.instants import time_text
from steelyard.rules.numbers import DECIMAL18

if TYPE_CHECKING:
    from steelyard.cli.live_compare import LiveComparison
    from steelyard.cli.live_run import Kill
    from steelyard.ledger import Row, Verdict

__all__ = ["LiveFindings", "health_of", "kills_of", "rebalances_of"]

PLACES = 18


@dataclass(frozen=True)
class LiveFindings:
    """All findings of the demo; amounts are text.

    Attributes:
        folder: the folder of all files written.
        status: the object of ``keeper status --json``.
        kills: the open orders at each kill, and what the next process did with them.
        rebalances: one for each trade of a fund, including its launch.
        health: for each reserve, the full hours recorded and published, and their span.
        verdict: the verdict of ``journal verify``.
        comparisons: those with the reference loop and with the fast run.
    """

    folder: str
    status: dict[str, Any]
    kills: list[dict[str, Any]]
    rebalances: list[dict[str, Any]]
    health: list[dict[str, Any]]
    verdict: Verdict
    comparisons: list[LiveComparison]

    @property
    def is_sound(self) -> bool:
        """Whether all that was checked holds."""
        return self.verdict.ok and not any(each.differences for each in self.comparisons)

    def as_json(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "schema": 1,
            "folder": self.folder,
            "rebalances": self.rebalances,
            "kills": self.kills,
            "health": self.health,
            "verify": self.verdict.as_json(),
            "comparisons": [each.as_json() for each in self.comparisons],
            "status": self.status,
        }


def rebalances_of(rows: Sequence[Row], kills: Sequence[Kill]) -> list[dict[str, Any]]:
    """Each trade: time, trigger, size, price, nav per token before and after, and who paid."""
    killed = {order.client_id: n for n, kill in enumerate(kills, 1) for order in kill.orders}
    order: dict[str, str] = {}
    found = []
    for row in rows:
        if row.kind == "venue_trade":
            order[row.fund] = row.fields["order"] or ""
        elif row.kind == "settled":
            fields = row.fields
            with DECIMAL18.context():
                told = _told(fields)
            killed_in = killed.get(order.get(row.fund, ""))
            time = time_text(row.time_ms)
            found.append(
                {
                    "time": time,
                    "symbol": row.fund,
                    "trigger": fields["trigger"],
                    **told,
                    "order": order.get(row.fund),
                    "killed": killed_in,
                }
            )
    return found


def _told(fields: dict[str, Any]) -> dict[str, str]:
    notional, price, tokens = (Decimal(fields[each]) for each in ("notional", "price", "tokens"))
    cost = fields["cost"]
    return {
        "side": "sell" if notional < 0 else "buy",
        "units": _text(abs(notional) / price),
        "price": fields["price"],
        "nav_before": _text(Decimal(fields["nav_before"]) / tokens),
        "nav_after": _text(Decimal(fields["nav_after"]) / tokens),
        "leverage_before": fields["leverage_before"],
        "leverage_after": fields["leverage_after"],
        "paid_by_holders": cost["paid_by_nav"],
        "paid_by_reserve": cost["paid_by_reserve"],
    }


def _text(amount: Decimal) -> str:
    return amount_text(round(amount, PLACES))


def kills_of(rows: Sequence[Row], kills: Sequence[Kill]) -> list[dict[str, Any]]:
    """Each kill with its open orders: their state at the venue and their outcome."""
    ended = {row.fields["id"]: row.fields for row in rows if row.kind == "order_ended"}
    trades = [row.fields["order"] for row in rows if row.kind == "venue_trade"]
    return [
        {
            "time": time_text(kill.time_ms),
            "after_event": kill.events,
            "orders": [
                {
                    "symbol": order.fund,
                    "id": order.client_id,
                    "units": amount_text(order.units),
                    "at_venue": order.at_venue,
                    "outcome": ended[order.client_id]["outcome"],
                    "why": ended[order.client_id]["why"],
                    "times_booked": trades.count(order.client_id),
                }
                for order in kill.orders
            ],
        }
        for kill in kills
    ]


def health_of(rows: Sequence[Row], folder: Path) -> list[dict[str, Any]]:
    """For each reserve: the full hours in the journal, and the number of published files."""
    hours: dict[str, list[int]] = {}
    for row in rows:
        if row.kind == "health":
            hours.setdefault(row.fund, []).append(row.time_ms)
    return [
        {
            "symbol": symbol,
            "hours": len(times),
            "published": len(list(folder.glob(f"{symbol}-*.json"))),
            "from": time_text(min(times)),
            "to": time_text(max(times)),
        }
        for symbol, times in hours.items()
    ]
