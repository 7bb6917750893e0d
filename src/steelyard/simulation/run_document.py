"""The document that shows a run: its series in words, key figures, charts and trades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from steelyard.report.document import (
    Badge,
    Block,
    Document,
    Fact,
    KeyFigures,
    Lazily,
    Listing,
    ListingColumn,
    Paragraph,
    Section,
    Span,
)
from steelyard.report.figure import panels_of
from steelyard.report.figure_encoding import Dates, Labels
from steelyard.report.number_format import (
    count,
    day,
    leverage,
    moment,
    money,
    multiple,
    number,
    percent,
)
from steelyard.report.plain_frames import times
from steelyard.report.view import ROW_NUMBERS, Ends, Rows, View, ends_of, view_of
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.describe import duration_words
from steelyard.simulation.report_input import report_run
from steelyard.simulation.run_notes import is_unfunded, run_notes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from steelyard.report.plain_frames import Floats, ReportRun
    from steelyard.simulation.run_protocols import DrawnRun

__all__ = [
    "CLOSING",
    "document_of_frames",
    "history_words",
    "reserve_figures",
    "run_badges",
    "run_document",
    "tone",
]

MOST_POINTS, MOST_ROWS = 12_000, 2_000
"""The most bars drawn and the most trades listed for a run that has a page of its own."""
FLAT = 5e-5
"""A return this small is shown as 0.00 % or 0.01 %, and is neither good nor bad."""
CLOSING = (
    "Risks: a leveraged token loses value when the price fluctuates, even if the price ends where "
    "it began, and a move against it that is fast enough takes everything. Past results, simulated "
    "or real, do not predict future ones. Nothing here is advice."
)
LABELS = {
    "leverage_before": "leverage before",
    "leverage_after": "leverage after",
    "nav_before": "nav before",
    "nav_after": "nav after",
    "paid_by_reserve": "paid by reserve",
}


def run_document(
    run: DrawnRun,
    *,
    title: str = "",
    key: str = "",
    assets: npt.NDArray[np.float64] | None = None,
    most: tuple[int, int] = (MOST_POINTS, MOST_ROWS),
) -> Document:
    """The document that shows a run.

    Args:
        run: the run.
        title: headline; by default the target and the asset.
        key: name of the run among others on one page.
        assets: the value of all tokens on its reserve at each bar, if the reserve is shared; shape
            (bars,).
        most: how many bars are drawn and how many trades are listed at most.
    """
    frames = report_run(run, title=title, assets=assets)
    notes = list(run_notes(run))
    return document_of_frames(
        frames, notes=notes, badges=run_badges(run), history=history_words(run), key=key, most=most
    )


def document_of_frames(
    run: ReportRun,
    *,
    notes: Sequence[str] = (),
    badges: Sequence[Badge] = (),
    history: str = "",
    key: str = "",
    most: tuple[int, int] = (MOST_POINTS, MOST_ROWS),
) -> Document:
    """The same document, made of plain frames."""
    facts, ends, time = run.facts, ends_of(run), times(run.nav)
    terms = {
        "venue": facts.venue,
        "costs": facts.costs,
        "orders": facts.orders,
        "prices": history,
    }
    told = [Fact(label, words) for label, words in terms.items() if words]
    name = key or facts.symbol
    return Document(
        title=name,
        subtitle=facts.title if facts.title != name else "",
        badges=[Badge(f"{multiple(facts.target_leverage)} {facts.underlying}"), *badges],
        notes=notes,
        blocks=[
            Paragraph(facts.sentence, "lead"),
            *([KeyFigures("", told, "terms")] if told else []),
            *key_figures(run, ends),
            Section("", Lazily(lambda: _drawn(run, most)), page_only=True),
        ],
        closing=[CLOSING],
        key=name,
        group=facts.underlying,
        span=Span(int(time[0]), int(time[-1]), ends.worst_day[0] if ends.worst_day else None),
    )


def run_badges(run: DrawnRun) -> list[Badge]:
    """The badges of a run: what a reader must know first."""
    found = []
    if run.summary["wiped_out"] is not None:
        found.append(Badge("wiped out", "bad"))
    if is_unfunded(run):
        found.append(Badge("no funding charged"))
    pool = run.summary["reserve"]
    if pool is not None and pool["suspended_s"]:
        lasted = duration_words(pool["suspended_s"])
        found.append(Badge(f"raising leverage suspended for {lasted}", "bad"))
    return found


def history_words(run: DrawnRun) -> str:
    """The prices of a run in words: source, number and length of bars, dates, number of gaps."""
    summary = run.summary
    gaps = f"{count(summary['gaps'])} gap{'' if summary['gaps'] == 1 else 's'}"
    length = duration_words(run.prices.step_s) if run.prices.step_s else ""
    return (
        f"{run.prices.source}: {count(summary['bars'])} "
        f"{f'bars of {length}' if length else 'prices'}, {day(summary['start'])} to "
        f"{day(summary['end'])} UTC, {gaps if summary['gaps'] else 'no gaps'}"
    )


def _drawn(run: ReportRun, most: tuple[int, int]) -> list[Block]:
    """The charts and the list of trades."""
    view = view_of(run, most_points=most[0], most_rows=most[1])
    return [*panels_of(view), *_thinned(view), trades(view.rows)]


def key_figures(run: ReportRun, ends: Ends) -> list[KeyFigures]:
    """The figures of the summary in groups, those that most readers look for first."""
    summary, quote = run.summary, run.facts.quote
    found = [
        KeyFigures("Result", list(_result(run, ends)), "large"),
        KeyFigures("Rebalances", list(_rebalances(_of(summary, "rebalances"), quote))),
        KeyFigures(f"Costs, {quote}", list(_costs(_of(summary, "costs"), ends.initial_assets))),
    ]
    if "flows" in summary:
        flows = _flows(_of(summary, "flows"), quote)
        found.append(KeyFigures("Creations and redemptions", list(flows)))
    found.append(KeyFigures("Tracking", list(_tracking(summary))))
    pool = summary.get("reserve")
    if isinstance(pool, Mapping):
        base = run.facts.underlying.partition("/")[0]
        found.append(reserve_figures(pool, base, quote))
    return found


def _of(summary: Mapping[str, object], name: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", summary[name])


def _result(run: ReportRun, ends: Ends) -> Iterator[Fact]:
    summary, facts = run.summary, run.facts
    nav, asset = _of(summary, "nav"), _of(summary, "underlying")
    yield _change("token return", nav, f"{facts.quote} per token")
    against = (
        f"the token's difference {percent(_of(summary, 'tracking')['difference'], signed=True)}"
    )
    if ends.ideal_end is not None:
        against = f"wiped out on {moment(ends.ideal_end)}"
    ideal = ends.ideal_return
    label = f"{multiple(facts.target_leverage)} daily, no costs"
    yield Fact(label, percent(ideal, signed=True), against, tone(ideal))
    yield _change(facts.underlying, asset, facts.quote)
    deepest, worst = summary["max_drawdown"], "from a peak, at closes"
    if ends.worst_day is not None:
        at, lost = ends.worst_day
        worst += f"; worst day {percent(lost, signed=True)}, {moment(at)}"
    yield Fact("max drawdown", percent(deepest), worst, tone(deepest))  # type: ignore[arg-type]
    closed, ended = summary.get("wound_down"), summary.get("wiped_out")
    if isinstance(closed, Mapping):
        at_price = f"at a price of {money(closed['price'], facts.quote)}"
        yield Fact("wound down", day(closed["time"]), at_price)
    if isinstance(ended, Mapping):
        how = f"{ended['reason']}, at a price of {money(ended.get('price'), facts.quote)}"
        yield Fact("wiped out", day(str(ended["time"])), how, "bad")


def _change(label: str, figures: Mapping[str, Any], unit: str) -> Fact:
    change = figures["return"]
    ends = f"{money(figures['initial'])} to {money(figures['final'])} {unit}"
    return Fact(label, percent(change, signed=True), ends, tone(change))


def _rebalances(figures: Mapping[str, Any], quote: str) -> Iterator[Fact]:
    yield Fact("count", count(figures["count"]), "launch not counted")
    for kind, made in figures["by_trigger"].items():
        yield Fact(f"by {kind}", count(made))
    if figures["clips"] != figures["count"]:
        yield Fact("clips", count(figures["clips"]), "trades into which rebalances were divided")
    yield Fact("blocked", count(figures["blocked"]), "due but not made: suspended, or too costly")
    yield Fact("turnover", money(figures["turnover"]), f"{quote}, the whole fund")


def _costs(figures: Mapping[str, float], assets: float) -> Iterator[Fact]:
    paid = [(kind, figures[kind]) for kind in COST_KINDS if figures[kind]]
    for kind, amount in [*paid, ("total", sum(amount for _, amount in paid))]:
        share = percent(amount / assets) if assets else "-"
        yield Fact(kind, money(amount), f"{share} of initial assets")
    if figures["paid_by_reserve"]:
        by_reserve = "the part of the total that holders did not bear"
        yield Fact("paid by the reserve", money(figures["paid_by_reserve"]), by_reserve)


def _flows(figures: Mapping[str, float], quote: str) -> Iterator[Fact]:
    for kind in ("created", "redeemed"):
        yield Fact(kind, money(figures[kind]), "tokens")
    yield Fact("fees", money(figures["fees"]), f"{quote}, paid on creations and redemptions")
    netted = f"{quote} of trading, after {money(figures['saved'])} saved by netting"
    yield Fact("cost", money(figures["cost"]), netted)


def _tracking(summary: Mapping[str, object]) -> Iterator[Fact]:
    tracking, leverages = _of(summary, "tracking"), _of(summary, "leverage")
    slope = f"of daily returns against the underlying's, R2 {number(tracking['r2'], 4)}"
    yield Fact("slope", number(tracking["slope"], 3), slope)
    off = "how far leverage was off its target, a year"
    yield Fact("exposure error", number(tracking["exposure_error"], 3), off)
    daily = percent(tracking["error_daily"])
    of_days = f"deviation from the daily target, a year; {daily} a day"
    yield Fact("tracking error", percent(tracking["tracking_error"]), of_days)
    apart = "against a daily reset without costs"
    yield Fact("difference", percent(tracking["difference"], signed=True), apart)
    ends = f"from {leverage(leverages['min'])} to {leverage(leverages['max'])}, at closes"
    yield Fact("mean leverage", leverage(leverages["mean"]), ends)


def reserve_figures(figures: Mapping[str, Any], base: str, quote: str) -> KeyFigures:
    """The figures of a reserve whose assets are held in ``base``."""
    return KeyFigures("Reserve", list(_reserve(figures, base, quote)))


def _reserve(figures: Mapping[str, Any], base: str, quote: str) -> Iterator[Fact]:
    ends = f"{base}, from {money(figures['initial'])}, at least {money(figures['min'])}"
    yield Fact("units", money(figures["final"]), ends)
    yield Fact("level", percent(figures["level"]), "of net asset value, at the end")
    for kind in ("paid", "received", "injected"):
        yield Fact(kind, money(figures[kind]), quote)
    if "settled" in figures:
        won = f"{quote} that tokens lost to it, net of what they won"
        yield Fact("settled", money(figures["settled"]), won)
        yield Fact("utilisation", percent(figures["utilisation"]), "net notional over its value")
    suspended = figures["suspended_s"]
    lasted = duration_words(suspended) if suspended else "never"
    yield Fact("suspended", lasted, "time in which leverage was not raised")
    depth = "value above its floor, of net asset value"
    yield Fact("buffer", percent(figures["buffer_depth"]), depth)
    if figures["runway_days"] is not None:
        runway = "days, at the pace of the last 30 days"
        yield Fact("runway", number(figures["runway_days"], 0), runway)
    room = f"{quote}: size of a trade whose cost uses up the buffer"
    yield Fact("capacity", money(figures["capacity"]), room)


def _thinned(view: View) -> list[Block]:
    if len(view.time) >= view.bars:
        return []
    words = (
        f"The chart shows {len(view.time):,} of {view.bars:,} bars: in each stretch those at which "
        "price, nav, leverage or the reserve's level is lowest or highest. No extreme is left out."
    )
    return [Paragraph(words, "small")]


def trades(rows: Rows) -> Listing:
    """The list of a run's trades, the launch included."""
    shown = len(rows.time)
    words = f"All {rows.total:,} trades, the launch included."
    if shown < rows.total:
        words = (
            f"{shown:,} of {rows.total:,} trades: the launch, emergencies, the largest by "
            "notional, and the largest in each stretch of time. rebalances.parquet contains all "
            "trades."
        )
    columns = [
        ListingColumn("time, UTC", "time", Dates(rows.time)),
        ListingColumn("trigger", "text", Labels(rows.trigger)),
        ListingColumn("side", "text", Labels(rows.side)),
    ]
    for name in ROW_NUMBERS:
        values = rows.numbers[name]
        decimals = 4 if name.startswith("leverage") else column_decimals(values)
        columns.append(ListingColumn(LABELS.get(name, name), "number", values, decimals))
    units = "Units, notional and costs are of the whole fund, nav is per token."
    return Listing("Rebalances", f"{words} {units}", columns)


def column_decimals(values: Floats) -> int:
    """The number of decimals for a column of a table: enough to distinguish its rows, and no more.

    Columns with values of 100,000 or more show whole numbers, those from 100 on show cents, and
    each further factor of 100 below that adds two digits.
    """
    sizes = [abs(value) for value in values.tolist() if abs(value) < float("inf")]
    largest = max(sizes, default=0.0)
    steps = ((100_000.0, 0), (100.0, 2), (1.0, 4), (0.01, 6))
    decimals = next((digits for least, digits in steps if largest >= least), 8)
    return decimals if largest else 2


def tone(value: float | None) -> str:
    """Whether a return counts as good, as bad, or (empty) as neither."""
    if value is None or abs(value) < FLAT:
        return ""
    return "good" if value > 0 else "bad"
