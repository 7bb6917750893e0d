"""An explanation as one HTML file that needs nothing else, in the look of the report pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.explain.words import (
    HORIZON_HEADING,
    headline,
    horizon_cells,
    lines,
    points,
    quoted,
    share_words,
)
from steelyard.plots.figure_page import Caption, Table, figure_page
from steelyard.rules.describe import series_sentences
from steelyard.simulate.output import check_file, written_whole

if TYPE_CHECKING:
    from steelyard.explain.shown import ShownExplanation

__all__ = ["horizon_table", "month_table", "save_explanation", "step_table"]


def save_explanation(found: ShownExplanation, path: str | Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        InputError: where the file cannot be written.
    """
    path = Path(path)
    check_file(path)
    page = figure_page(
        title=f"{found.run.series.symbol}: where the return went",
        sentences=[headline(found), series_sentences(found.run.series)],
        caption=Caption(
            f"From {found.target:g} times the underlying to the token",
            "Points of return. Each bar begins where the one before it ended: an upward step adds, "
            "a downward one takes.",
        ),
        figures=(found.plot().to_plotly_json(), found.plot(dark=True).to_plotly_json()),
        tables=[step_table(found), horizon_table(found), month_table(found)],
        closing=[f"Prices: {found.run.prices.source}.", "Nothing here is advice."],
    )
    with written_whole(path) as stage:
        stage.write_text(page, encoding="utf-8")


def step_table(found: ShownExplanation) -> Table:
    """Every step, and what stands beside them."""
    quote = found.run.series.quote
    rows = [(line.name, points(line.share), quoted(line), line.meaning) for line in lines(found)]
    figures = found.figures()
    alone, variance = figures["unrebalanced"], figures["variance"]
    until = f", until {alone['ended'][:10]}" if alone["ended"] else ""
    rows += [
        ("never rebalanced", points(alone["return"]), "", f"beside it: left alone{until}"),
        ("variance decay", points(variance["predicted"]), "", "beside it: compounding, predicted"),
        ("left", points(variance["left"]), "", "beside it: compounding less that"),
    ]
    return Table("Where it went", ("", "points", f"{quote}, the fund", ""), rows, words=1)


def horizon_table(found: ShownExplanation) -> Table:
    """Tracking by horizon."""
    figures = found.tracking.figures
    near = ", ".join(
        f"{share_words(met)} within {float(share) * 100:g}"
        for share, met in figures["within"].items()
    )
    note = f"Of {figures['days']:,} days {near} points of {found.target:g} times the day."
    if figures["outside_band"] is not None:
        note += f" {share_words(figures['outside_band'])} of bars closed outside the band."
    rows = [(days, *horizon_cells(row)) for days, row in figures["horizons"].items()]
    return Table("Tracking", HORIZON_HEADING, rows, note=note)


def month_table(found: ShownExplanation) -> Table:
    """The steps of each month."""
    columns = found.columns("month")
    shown = ["multiple", *(name for name in found.held if columns[name].any()), "token"]
    names = {"multiple": f"{found.target:g} x", "token": found.run.series.symbol}
    rows = [
        (str(start)[:7], *(points(float(columns[name][place])) for name in shown))
        for place, start in enumerate(columns["start"])
    ]
    heading = ("month", *(names.get(name, name) for name in shown))
    return Table("By month, in points", heading, rows)
