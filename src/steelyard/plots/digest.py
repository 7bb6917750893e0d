"""The key figures of a run in words: what stands above its charts and in the overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.plots import formats
from steelyard.plots.decimate import keep_extremes
from steelyard.plots.frames import Floats
from steelyard.plots.view import View, figure_of
from steelyard.rules.costs import COST_KINDS

__all__ = [
    "Cell",
    "Fact",
    "Group",
    "Tile",
    "groups",
    "overview_cells",
    "sparkline",
    "tiles",
    "tone",
]

_DAY = 86_400
_FLAT = 5e-5  # shown as 0.00 % or next to it: neither good nor bad


@dataclass(frozen=True)
class Tile:
    """A large figure: ``label``, ``value``, a line under it, and its tone (good, bad or none)."""

    label: str
    value: str
    under: str
    tone: str = ""


@dataclass(frozen=True)
class Fact:
    """A small figure; ``hint`` says what it is."""

    label: str
    value: str
    hint: str = ""


@dataclass(frozen=True)
class Group:
    """Small figures that belong together."""

    title: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Cell:
    """A figure of the overview: as shown, and as sorted (None goes last)."""

    text: str
    sort: float | None
    tone: str = ""
    hint: str = ""


def tiles(view: View) -> list[Tile]:
    """The four figures a reader looks for first."""
    summary, facts = view.summary, view.facts
    token = figure_of(summary, "nav", "return")
    asset = figure_of(summary, "underlying", "return")
    drawdown = figure_of(summary, "max_drawdown")
    difference = figure_of(summary, "tracking", "difference")
    against = f"tracking difference {formats.percent(difference, signed=True)}"
    if view.ideal_end is not None:
        against = f"wiped out on {formats.day(view.ideal_end)}"
    worst = ""
    if view.worst_day is not None:
        worst = f"worst day {formats.percent(view.worst_day[1], signed=True)}, "
        worst += formats.day(view.worst_day[0])
    multiple = formats.multiple(facts.target_leverage)
    return [
        Tile(
            "Token return",
            formats.percent(token, signed=True),
            _from_to(summary, "nav", facts.quote),
            tone(token),
        ),
        Tile(
            f"{multiple} daily, no costs",
            formats.percent(view.ideal_return, signed=True),
            against,
            tone(view.ideal_return),
        ),
        Tile(
            "Underlying",
            formats.percent(asset, signed=True),
            _from_to(summary, "underlying", facts.quote),
            tone(asset),
        ),
        Tile("Max drawdown", formats.percent(drawdown), worst, tone(drawdown)),
    ]


def groups(view: View) -> list[Group]:
    """All other figures of the summary, in groups."""
    found = [_trading(view), _costs(view), _tracking(view), _leverage(view), _reserve(view)]
    return [group for group in [*found, _history(view)] if group is not None]


def cost_total(view: View) -> float:
    """All costs net of what was received, quote, before what the reserve paid."""
    return sum(figure_of(view.summary, "costs", kind) or 0.0 for kind in COST_KINDS)


def overview_cells(view: View) -> list[Cell]:
    """The figures of one row of the overview, in the order of its headings."""
    summary = view.summary
    share = cost_total(view) / view.initial_assets if view.initial_assets else None
    worst = view.worst_day[1] if view.worst_day else None
    rebalances = figure_of(summary, "rebalances", "count")
    returns = [figure_of(summary, name, "return") for name in ("nav", "underlying")]
    error = figure_of(summary, "tracking", "error")
    drawdown = figure_of(summary, "max_drawdown")
    return [
        *(Cell(formats.percent(r, signed=True), r, tone(r)) for r in returns),
        _ideal_cell(view),
        Cell(formats.count(rebalances), rebalances),
        Cell(formats.percent(share), share),
        Cell(formats.number(error, 3), error),
        Cell(formats.percent(drawdown), drawdown),
        Cell(formats.percent(worst, signed=True), worst),
    ]


def sparkline(view: View, width: int = 116, height: int = 26) -> str:
    """The path of an SVG line: nav on a log scale, fitted into ``width`` by ``height``."""
    alive = np.flatnonzero(np.nan_to_num(view.nav) > 0.0)
    if len(alive) <= 1:
        return ""
    logs: Floats = np.log(view.nav[alive])
    keep = keep_extremes([logs], 90)
    span = float(logs.max() - logs.min()) or 1.0
    first, last = int(view.time[0]), int(view.time[-1])
    across = (view.time[alive][keep] - first) / max(last - first, 1) * width
    up = (1.0 - (logs[keep] - logs.min()) / span) * (height - 4) + 2
    points = zip(across.tolist(), up.tolist(), strict=True)
    return "M" + "L".join(f"{x:z.1f} {y:z.1f}" for x, y in points)


def _ideal_cell(view: View) -> Cell:
    value = view.ideal_return
    if view.ideal_end is None:
        return Cell(formats.percent(value, signed=True), value, tone(value))
    return Cell("wiped out", value, "bad", f"on {formats.day(view.ideal_end)}")


def _trading(view: View) -> Group:
    summary = view.summary
    clips = figure_of(summary, "rebalances", "clips")
    times = figure_of(summary, "rebalances", "count")
    facts = [Fact("Rebalances", formats.count(times), "the launch is not counted")]
    if clips is not None and clips != times:
        facts.append(Fact("Clips", formats.count(clips), "a large rebalance goes out in clips"))
    by_trigger = summary.get("rebalances")
    kinds = by_trigger.get("by_trigger") if isinstance(by_trigger, Mapping) else None
    if isinstance(kinds, Mapping):
        facts += [Fact(f"by {kind}", formats.count(float(n))) for kind, n in kinds.items()]
    blocked = figure_of(summary, "rebalances", "blocked")
    facts.append(Fact("Blocked", formats.count(blocked), "not made: suspended, or too costly"))
    turnover = figure_of(summary, "rebalances", "turnover")
    facts.append(Fact("Turnover", formats.money(turnover, view.facts.quote), "the whole fund"))
    return Group("Trading", facts)


def _costs(view: View) -> Group:
    total, quote = cost_total(view), view.facts.quote
    share = total / view.initial_assets if view.initial_assets else None
    facts = [
        Fact("Total", formats.money(total, quote), "the whole fund, before the reserve's part"),
        Fact("of initial assets", formats.percent(share)),
    ]
    for kind in (*COST_KINDS, "paid_by_reserve"):
        value = figure_of(view.summary, "costs", kind)
        if value:
            facts.append(Fact(kind.replace("_", " ").capitalize(), formats.money(value, quote)))
    return Group("Costs", facts)


def _tracking(view: View) -> Group:
    def of(name: str) -> float | None:
        return figure_of(view.summary, "tracking", name)

    return Group(
        "Tracking",
        [
            Fact("Slope", formats.number(of("slope"), 3), "of daily returns on the underlying's"),
            Fact("R²", formats.number(of("r2"), 4)),
            Fact("Error, exposure", formats.number(of("error"), 3), "how far leverage was off"),
            Fact("Error, daily", formats.percent(of("error_daily")), "standard deviation"),
            Fact("Difference", formats.percent(of("difference"), signed=True), "to no costs"),
        ],
    )


def _leverage(view: View) -> Group:
    names = ("min", "max", "mean")
    labels = ("Lowest", "Highest", "Mean")
    return Group(
        "Leverage",
        [
            Fact(label, formats.leverage(figure_of(view.summary, "leverage", name)))
            for label, name in zip(labels, names, strict=True)
        ],
    )


def _reserve(view: View) -> Group | None:
    if not isinstance(view.summary.get("reserve"), Mapping):
        return None

    def of(name: str) -> float | None:
        return figure_of(view.summary, "reserve", name)

    suspended, runway = of("suspended_s"), of("runway_days")
    facts = [
        Fact("Level at the end", formats.percent(of("level")), "of net asset value"),
        Fact("Units at the start", formats.money(of("initial"))),
        Fact("Units at the end", formats.money(of("final"))),
        Fact("Paid", formats.money(of("paid"), view.facts.quote)),
        Fact("Received", formats.money(of("received"), view.facts.quote)),
        Fact("Injected", formats.money(of("injected"), view.facts.quote)),
        Fact("Suspended", _duration(suspended)),
        Fact("Buffer depth", formats.percent(of("buffer_depth"), signed=True)),
    ]
    if runway is not None:
        facts.append(Fact("Runway", f"{formats.number(runway, 0)} days"))
    return Group("Reserve", facts)


def _history(view: View) -> Group:
    gaps = figure_of(view.summary, "gaps")
    facts = [
        Fact("From", formats.day(int(view.time[0]))),
        Fact("To", formats.day(int(view.time[-1]))),
        Fact("Bars", formats.count(view.bars)),
        Fact("Gaps", formats.count(gaps), "reported, never filled"),
        Fact("Inside a bar", str(view.summary.get("intrabar", formats.MISSING))),
    ]
    return Group("History", facts)


def _from_to(summary: Mapping[str, object], name: str, quote: str) -> str:
    first, last = (figure_of(summary, name, end) for end in ("initial", "final"))
    return f"{formats.money(first)} → {formats.money(last, quote)}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return formats.MISSING
    if seconds == 0:
        return "never"
    return f"{formats.number(seconds / _DAY, 1)} days"


def tone(value: float | None) -> str:
    """Whether a return is good, bad or next to nothing."""
    if value is None or abs(value) < _FLAT:
        return ""
    return "good" if value > 0 else "bad"
